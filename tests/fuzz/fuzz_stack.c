/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One stack, and the input as a little program: packets (made up, damaged, or raw), streams, time
 * steps and clock jumps, failing allocations, a wake-up, and what the user of the stack does, also
 * from inside its callbacks. Judged by a model of what each transaction may still do (I1, I2, I5,
 * I8, I30, I37), and at the end: with time, nothing is left (I36). */
#include "dualtone/stack.h"
#include "fuzz.h"

enum {
    MAX_TXS = 8,
    MAX_STREAMS = 3,
    LIVE_MAX = 700,           /* allocations at any moment: see bounded() */
    MODEL_MAX = 16 * MAX_TXS, /* those that linger, too */
    STEPS_MAX = 300,
    TICKS_MAX = 5000,
    KEY_MAX = 96
};

/* What the user knows of a transaction. */
struct known {
    dt_tx tx;
    uint64_t cookie;
    bool client, invite;
    bool final;        /* a final was sent or came */
    bool failure;      /* ... and it was no 2xx */
    bool left;         /* dt_stack_leave */
    bool cancelled;    /* CANCEL came, or was sent */
    bool early;        /* dt_stack_cancel_early was called */
    char key[KEY_MAX]; /* server: method, sent-by and branch, or "" */
};

struct bed {
    struct fuzz_alloc mem;
    struct dt_env env;
    struct dt_outbox out;
    struct dt_stack *s;
    dt_time now;
    struct dt_str program;
    struct known txs[MODEL_MAX];
    uint64_t cookies;
    unsigned depth;    /* user calls under way */
    unsigned acting;   /* callbacks that act */
    size_t sent_bytes; /* since the last input */
    uint64_t opened;   /* streams that the host accepted */
};

static struct bed bed;

/* ---- the model ---- */

static struct known *known_of(dt_tx tx)
{
    for (size_t i = 0; tx && i < MODEL_MAX; i++)
        if (bed.txs[i].tx == tx)
            return &bed.txs[i];
    return NULL;
}

static struct known *known_add(dt_tx tx, bool client, bool invite)
{
    must(tx != 0 && !known_of(tx));
    for (size_t i = 0; i < MODEL_MAX; i++) {
        if (bed.txs[i].tx)
            continue;
        bed.txs[i] = (struct known){.tx = tx, .client = client, .invite = invite};
        return &bed.txs[i];
    }
    abort(); /* more than may be (I37) */
}

static void known_del(struct known *k)
{
    struct dt_hop hop;
    must(dt_stack_hop_of(bed.s, k->tx, &hop) == DT_E_STALE);
    memset(k, 0, sizeof *k);
}

/* The n-th of those of one side; NULL if there is none. */
static struct known *known_pick(bool client, unsigned n)
{
    struct known *found = NULL;
    for (size_t i = 0; i < MODEL_MAX; i++) {
        struct known *k = &bed.txs[(i + n) % MODEL_MAX];
        if (k->tx && k->client == client && !found)
            found = k;
    }
    return found;
}

/* ---- messages ---- */

static const char *const methods[] = {"INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "REGISTER"};
static const char *const addrs[] = {"192.0.2.2:5060", "192.0.2.3:5070", "[2001:db8::2]:5060",
                                    "192.0.2.1:5060"};
static const uint16_t statuses[] = {100, 180, 183, 200, 202, 301, 401, 486, 487, 503, 600};

static struct dt_addr addr_of(unsigned n, bool tcp)
{
    struct dt_addr a;
    must(dt_addr_parse(&a, dt_str_z(addrs[n % 4])) == DT_OK);
    a.transport = tcp ? DT_TCP : DT_UDP;
    return a;
}

struct message {
    const char *method;
    int status; /* 0: a request */
    char side;  /* 'c': a branch of ours; 's': of theirs */
    unsigned branch, flags;
    bool tcp;
};

static void write_via(struct dt_writer *w, const struct message *m)
{
    dt_writef(w, "Via: SIP/2.0/%s %s", m->tcp ? "TCP" : "UDP",
              m->flags & 1 ? "192.0.2.3:5070" : "192.0.2.2");
    dt_writef(w, ";branch=%s%c%u%s\r\n", m->flags & 2 ? "old" : "z9hG4bK", m->side, m->branch,
              m->flags & 4 ? ";rport" : "");
    if (m->flags & 8)
        dt_write_lit(w, "Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKupper\r\n");
}

static void write_message(struct dt_writer *w, const struct message *m)
{
    if (m->status)
        dt_sip_write_status(w, m->status, DT_STR_NONE);
    else
        dt_writef(w, "%s sip:b@192.0.2.1 SIP/2.0\r\n", m->method);
    write_via(w, m);
    dt_writef(w, "From: <sip:a@a.test>;tag=f\r\nTo: <sip:b@b.test>%s\r\n",
              m->flags & 16 ? ";tag=t" : "");
    dt_writef(w, "Call-ID: %u@h\r\nCSeq: %u %s\r\n", m->branch, 1 + (m->flags >> 5 & 1), m->method);
    if (!m->status)
        dt_write_lit(w, "Max-Forwards: 70\r\nContact: <sip:a@192.0.2.2>\r\n");
    dt_sip_write_body(w, DT_STR_NONE, m->flags & 64 ? DT_STR("v=0\r\n") : DT_STR_NONE);
    must(w->err == DT_OK);
}

/* A message as the program says: made up, and damaged where it wants that. */
static struct dt_str take_message(char *buf, size_t cap, bool tcp)
{
    unsigned kind = take_byte(&bed.program), what = take_byte(&bed.program);
    struct message m = {.tcp = tcp, .flags = take_byte(&bed.program)};
    struct dt_writer w = dt_writer(buf, cap);
    m.branch = kind >> 2 & 7;
    m.method = methods[what % 6];
    m.status = kind & 1 ? statuses[(what / 6) % 11] : 0;
    m.side = kind & 1 ? 'c' : 's';
    write_message(&w, &m);
    if (kind & 2) {
        size_t at = (take_byte(&bed.program) << 3 | (kind >> 5)) % w.n;
        struct dt_str over = take_bytes(&bed.program, 1 + take_byte(&bed.program) % 16);
        for (size_t i = 0; i < over.n && at + i < w.n; i++)
            buf[at + i] = over.p[i];
    }
    return dt_writer_str(&w);
}

/* ---- what the user does ---- */

static void act(unsigned what, unsigned which);

static void start_request(unsigned which)
{
    static const char *const starts[] = {"INVITE", "OPTIONS", "REGISTER", "BYE"};
    char buf[1024], branch[24];
    struct dt_writer w = dt_writer(buf, sizeof buf);
    bool tcp = which & 0x40;
    struct message m = {
        .method = starts[which & 3], .side = 'c', .branch = which >> 2 & 7, .tcp = tcp};
    write_message(&w, &m);
    struct dt_bytes *bytes = dt_bytes_copy(&dt_alloc_libc, dt_writer_str(&w));
    must(bytes != NULL);
    snprintf(branch, sizeof branch, "z9hG4bKc%u", m.branch);
    dt_tx tx;
    struct dt_request r = {
        .bytes = bytes,
        .to = {.local = addr_of(3, tcp), .remote = addr_of(which >> 5, tcp)},
        .method = dt_method_find(dt_str_z(m.method)),
        .branch = dt_str_z(branch),
        .cookie = ++bed.cookies,
        .repeats = which & 0x80 ? 2 : UINT32_MAX,
    };
    int err = dt_stack_request(bed.s, bed.now, &r, &tx);
    must(err ? tx == 0 : tx != 0);
    if (!err)
        known_add(tx, true, r.method == DT_INVITE)->cookie = r.cookie;
    dt_bytes_drop(bytes);
}

/* A second final is refused (I1), but for the copies of a 2xx to INVITE. */
static void answer(struct known *k, unsigned which)
{
    int status = statuses[which % 11];
    bool copy = k->invite && k->final && !k->failure && status >= 200 && status < 300;
    bool had_final = k->final;
    uint64_t cookie = k->cookie;
    int err = dt_stack_answer(bed.s, bed.now, k->tx, status, DT_STR_NONE, DT_STR_NONE);
    must(!had_final || err || copy);
    k = known_of(k->tx);
    if (err || !k || k->cookie != cookie || status < 200)
        return;
    k->final = true;
    k->failure = status >= 300;
}

static void cancel(struct known *k, bool early)
{
    dt_tx tx = 0;
    uint64_t cookie = ++bed.cookies;
    if (early && k->early)
        return;
    int err = early ? dt_stack_cancel_early(bed.s, bed.now, k->tx, cookie, &tx)
                    : dt_stack_cancel(bed.s, bed.now, k->tx, cookie, &tx);
    must(err ? tx == 0 : k->invite && !k->final);
    if (err)
        return;
    must(early || !k->cancelled);
    *(early ? &k->early : &k->cancelled) = true;
    known_add(tx, true, false)->cookie = cookie;
}

static void leave(struct known *k)
{
    dt_stack_leave(bed.s, bed.now, k->tx);
    k->left = true;
}

static void abandon(struct known *k)
{
    dt_stack_abandon(bed.s, bed.now, k->tx);
    known_del(k);
}

static void act(unsigned what, unsigned which)
{
    struct known *client = known_pick(true, which), *server = known_pick(false, which);
    bed.depth++;
    switch (what % 10) {
    case 0:
        start_request(which);
        break;
    case 1:
    case 2:
        if (server)
            answer(server, which);
        break;
    case 3:
        if (client)
            cancel(client, which & 0x80);
        break;
    case 4:
        if (client)
            leave(client);
        break;
    case 5:
        if (client || server)
            abandon(client && (which & 0x80 || !server) ? client : server);
        break;
    case 6:
        if (client)
            dt_stack_quiet(bed.s, client->tx);
        break;
    case 7:
        if (client)
            dt_stack_repeat(bed.s, bed.now, client->tx);
        break;
    case 8: /* late ids do no harm */
        must(dt_stack_answer(bed.s, bed.now, (dt_tx)which << 40 | which, 200, DT_STR_NONE,
                             DT_STR_NONE) == DT_E_STALE);
        dt_stack_abandon(bed.s, bed.now, (dt_tx)which << 40 | which);
        break;
    default:
        break;
    }
    bed.depth--;
}

/* A callback may call back, not without end. */
static void act_inside(void)
{
    unsigned what = take_byte(&bed.program);
    if (!(what & 1) || bed.acting >= 2)
        return;
    bed.acting++;
    act(what >> 1, take_byte(&bed.program));
    bed.acting--;
}

/* ---- callbacks ---- */

static void note_key(struct known *k, const struct dt_sip_msg *m)
{
    struct dt_writer w = dt_writer(k->key, sizeof k->key - 1);
    k->key[0] = '\0';
    if (!dt_via_has_cookie(&m->via))
        return;
    dt_writef(&w, "%.*s %.*s %.*s", DT_FMT(m->method_text), DT_FMT(m->via.sent_by),
              DT_FMT(m->via.branch));
    k->key[w.err ? 0 : w.n] = '\0';
    for (size_t i = 0; k->key[0] && i < MODEL_MAX; i++) /* no repeat comes here (I5) */
        must(&bed.txs[i] == k || strcmp(bed.txs[i].key, k->key) != 0);
}

static void on_request(void *user, dt_time now, dt_tx tx, const struct dt_sip_msg *m,
                       const struct dt_hop *from)
{
    static struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    struct dt_sip_msg again;
    must(user == &bed && now == bed.now && m->request && m->checked && !m->fault);
    must((tx == 0) == (m->method == DT_ACK) && from->remote.family);
    if (tx) {
        struct known *k = known_add(tx, false, m->method == DT_INVITE);
        k->cookie = ++bed.cookies;
        must(dt_stack_set_cookie(bed.s, tx, k->cookie) == DT_OK);
        note_key(k, m);
        must(dt_stack_request_of(bed.s, tx, &again, headers, DT_MSG_HEADERS_MAX) == DT_OK);
        must(dt_str_eq(again.text, m->text));
    }
    act_inside();
}

static void on_cancel(void *user, dt_time now, dt_tx invite, uint64_t cookie,
                      const struct dt_sip_msg *m)
{
    struct known *k = known_of(invite);
    must(user == &bed && now == bed.now && m->method == DT_CANCEL);
    must(k && !k->client && k->invite && k->cookie == cookie && !k->final && !k->cancelled);
    k->cancelled = true;
    act_inside();
}

static void on_response(void *user, dt_time now, dt_tx tx, uint64_t cookie,
                        const struct dt_sip_msg *m, const struct dt_hop *from)
{
    must(user == &bed && now == bed.now && !m->request && from->remote.family);
    if (tx) {
        struct known *k = known_of(tx);
        must(k && k->client && k->cookie == cookie);
        must(!k->final || (k->invite && !k->failure && m->status >= 200 && m->status < 300));
        k->final = k->final || m->status >= 200;
        k->failure = k->failure || m->status >= 300;
    } else {
        must(cookie == 0);
    }
    act_inside();
}

static void on_failed(void *user, dt_time now, dt_tx tx, uint64_t cookie, int err)
{
    struct known *k = known_of(tx);
    must(user == &bed && now == bed.now && err < 0);
    must(k && k->client && k->cookie == cookie && !k->final && !k->left);
    known_del(k);
    act_inside();
}

static void on_ended(void *user, dt_time now, dt_tx tx, uint64_t cookie)
{
    struct known *k = known_of(tx);
    must(user == &bed && now == bed.now && bed.depth == bed.acting);
    if (!k) { /* of a CANCEL that the stack answered itself */
        must(cookie == 0);
        return;
    }
    must(k->cookie == cookie);
    must(!k->client || (k->final && !k->left));
    known_del(k);
    act_inside();
}

static void on_dropped(void *user, dt_time now, const struct dt_hop *from, const char *why)
{
    must(user == &bed && now == bed.now && from && why && why[0]);
}

static const struct dt_stack_user ops = {on_request, on_cancel, on_response,
                                         on_failed,  on_ended,  on_dropped};

/* ---- the host ---- */

/* What leaves is a message (of what was damaged, a damaged one), and memory is bounded. */
static void drain(void)
{
    struct dt_output o;
    while (dt_outbox_take(&bed.out, &o, 1)) {
        must(o.kind == DT_OUT_DATAGRAM || o.kind == DT_OUT_STREAM_DATA ||
             o.kind == DT_OUT_CONNECT || o.kind == DT_OUT_CLOSE);
        must((o.bytes != NULL) == (o.kind == DT_OUT_DATAGRAM || o.kind == DT_OUT_STREAM_DATA));
        if (!o.bytes)
            continue;
        bed.sent_bytes += o.bytes->n;
        must(o.bytes->n >= 2 && o.remote.port + 1u > 0);
        dt_bytes_drop(o.bytes);
    }
    dt_outbox_begin(&bed.out);
    const struct dt_stack_counts *c = dt_stack_counts(bed.s);
    must(c->transactions - c->lingering <= 3 * MAX_TXS && c->streams <= MAX_STREAMS);
    must(c->lingering <= c->transactions && c->lingering < MODEL_MAX - 3 * MAX_TXS); /* I37 */
    must(bed.mem.live <= LIVE_MAX);
}

/* Transactions that end in silence are out of the model too. */
static void sweep(void)
{
    struct dt_hop hop;
    for (size_t i = 0; i < MODEL_MAX; i++) {
        struct known *k = &bed.txs[i];
        if (!k->tx || dt_stack_hop_of(bed.s, k->tx, &hop) != DT_E_STALE)
            continue;
        must(k->left && k->client);
        memset(k, 0, sizeof *k);
    }
}

static void feed(const struct dt_input *in)
{
    uint64_t malformed = dt_stack_counts(bed.s)->malformed;
    bed.sent_bytes = 0;
    dt_stack_input(bed.s, bed.now, in);
    drain();
    if (in->kind == DT_IN_DATAGRAM && dt_stack_counts(bed.s)->malformed > malformed)
        must(bed.sent_bytes <= 3 * in->data.n); /* I30 */
    sweep();
}

static void tick(void)
{
    dt_stack_tick(bed.s, bed.now);
    drain();
    sweep();
    must(dt_stack_deadline(bed.s) > bed.now);
}

/* Lets time pass as it does: a tick at each deadline. */
static void wait_until(dt_time end)
{
    dt_time due;
    for (unsigned n = 0; n < TICKS_MAX && (due = dt_stack_deadline(bed.s)) <= end; n++) {
        bed.now = due > bed.now ? due : bed.now;
        tick();
    }
    bed.now = end > bed.now ? end : bed.now;
}

static void datagram(bool raw)
{
    char buf[1024];
    unsigned source = take_byte(&bed.program);
    struct dt_str s = raw ? take_bytes(&bed.program, take_byte(&bed.program))
                          : take_message(buf, sizeof buf, false);
    char *copy = copy_of(s, DT_PAD);
    feed(&(struct dt_input){.kind = DT_IN_DATAGRAM,
                            .local = addr_of(3, false),
                            .remote = addr_of(source, false),
                            .data = {copy, s.n}});
    free(copy);
}

static uint64_t stream_of(unsigned which)
{
    return which & 1 ? 1 + 2 * (uint64_t)(which >> 1 & 7) : 2 + 2 * (uint64_t)(which >> 1 & 15);
}

static void stream_data(void)
{
    char buf[1024];
    unsigned which = take_byte(&bed.program), split = take_byte(&bed.program);
    struct dt_str s =
        which & 0x80 ? take_bytes(&bed.program, split) : take_message(buf, sizeof buf, true);
    char *copy = copy_of(s, 0);
    size_t first = split < s.n ? split : s.n;
    struct dt_input in = {.kind = DT_IN_STREAM_DATA, .stream = stream_of(which)};
    in.data = (struct dt_str){copy, first};
    feed(&in);
    in.data = (struct dt_str){copy + first, s.n - first};
    feed(&in);
    free(copy);
}

static void stream_event(enum dt_input_kind kind)
{
    unsigned which = take_byte(&bed.program);
    uint64_t id = stream_of(which);
    feed(&(struct dt_input){.kind = kind,
                            .stream = id,
                            .accepted = id & 1,
                            .err = which & 0x40 ? DT_E_REFUSED : DT_E_CLOSED,
                            .local = addr_of(3, true),
                            .remote = addr_of(which >> 5, true)});
}

static void socket_error(void)
{
    unsigned which = take_byte(&bed.program);
    feed(&(struct dt_input){.kind = DT_IN_SOCKET_ERROR,
                            .err = DT_E_REFUSED,
                            .local = addr_of(3, false),
                            .remote = addr_of(which, which & 0x80)});
}

static void forget(void)
{
    dt_stack_forget(bed.s, bed.now);
    memset(bed.txs, 0, sizeof bed.txs);
    drain();
    must(dt_stack_counts(bed.s)->transactions == 0 && dt_stack_counts(bed.s)->lingering == 0 &&
         dt_stack_counts(bed.s)->streams == 0);
}

static void step(void)
{
    unsigned op = take_byte(&bed.program);
    switch (op % 16) {
    case 0:
    case 1:
    case 2:
        datagram(false);
        break;
    case 3:
        datagram(true);
        break;
    case 4: /* to the next deadline */
        wait_until(dt_time_min(dt_stack_deadline(bed.s), bed.now + DT_SECOND));
        break;
    case 5:
        wait_until(bed.now + ((dt_time)1 << (take_byte(&bed.program) % 32)));
        break;
    case 6: /* the clock jumps; what came meanwhile is read before the timers fire */
        bed.now += (dt_time)1 << (take_byte(&bed.program) % 44);
        break;
    case 7: /* it jumps, and the host ticks once */
        bed.now += (dt_time)1 << (take_byte(&bed.program) % 44);
        tick();
        break;
    case 8:
        stream_event(DT_IN_STREAM_OPEN);
        break;
    case 9:
    case 10:
        stream_data();
        break;
    case 11:
        stream_event(DT_IN_STREAM_CLOSED);
        break;
    case 12:
        socket_error();
        break;
    case 13:
        bed.mem.fail_in = 1 + take_byte(&bed.program) % 16;
        break;
    case 14:
        op = take_byte(&bed.program);
        if (op == 0)
            forget();
        else
            act(op, take_byte(&bed.program));
        drain();
        sweep();
        break;
    default:
        bed.env.wall_offset += ((int64_t)take_byte(&bed.program) - 128) * 3600 * DT_SECOND;
        feed(&(struct dt_input){.kind = DT_IN_WALL_STEP, .wall = bed.env.wall_offset});
        break;
    }
}

/* Everybody answers or gives up, memory is there again, and time passes. */
static void quiesce(void)
{
    bed.mem.fail_in = 0;
    bed.program = DT_STR_NONE;
    for (size_t i = 0; i < MODEL_MAX; i++) {
        struct known *k = &bed.txs[i];
        if (k->tx && k->client)
            leave(k);
        else if (k->tx && !k->final)
            (void)dt_stack_answer(bed.s, bed.now, k->tx, 500, DT_STR_NONE, DT_STR_NONE);
    }
    drain();
    wait_until(bed.now + 1000 * DT_SECOND);
    const struct dt_stack_counts *c = dt_stack_counts(bed.s);
    must(c->transactions == 0 && c->streams == 0);
    must(dt_stack_deadline(bed.s) == DT_TIME_NEVER);
    for (size_t i = 0; i < MODEL_MAX; i++)
        must(bed.txs[i].tx == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dt_stack_config cfg = {
        .max_transactions = MAX_TXS, .max_streams = MAX_STREAMS, .max_message = 2048};
    memset(&bed, 0, sizeof bed);
    bed.program = (struct dt_str){(const char *)data, size};
    unsigned flags = take_byte(&bed.program);
    cfg.linger = flags & 1;
    cfg.plain = flags & 2;
    fuzz_alloc_init(&bed.mem);
    dt_env_init(&bed.env, flags);
    bed.env.alloc = &bed.mem.alloc;
    bed.now = 1000 * DT_SECOND;
    dt_outbox_init(&bed.out, &bed.mem.alloc);
    bed.s = dt_stack_new(&cfg, &bed.env, &bed.out, &ops, &bed);
    must(bed.s != NULL);
    for (unsigned n = 0; n < STEPS_MAX && bed.program.n; n++)
        step();
    quiesce();
    dt_stack_free(bed.s);
    dt_outbox_clear(&bed.out);
    must(bed.mem.live == 0);
    return 0;
}
