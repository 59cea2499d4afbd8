/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A flow's world of real processes on loopback. Each party is a process of this binary that writes
 * its record to a pipe; the records are merged by time. */
#include "flow/world.h"

#include "io/host.h"
#include "io/io.h"
#include "io/process.h"

#include <string.h>

enum {
    CONFIG_MAX = 4096,
    PATH_SIZE = 512,
    SIP_PORT = 5060,
    ARGS_MAX = 16,
    HOLD_BACK_MS = 40, /* an item waits so long for earlier ones of other processes */
    GONE_S = 5         /* for a process to end */
};

/* A node that holds an address and says nothing: the black hole. */
struct hole {
    struct dt_outbox out;
    int place; /* its number at the host; -1: none */
    bool listens;
};

struct live_party {
    struct world_live *world;
    struct hole hole;
    int index;
    struct dt_process *process;
    bool ended, stopped;
    int status;
};

struct world_live {
    struct flow_world base;
    struct dt_host *host;
    struct dt_record waiting; /* read, not yet old enough to be in order */
    struct live_party parties[DT_FLOW_PARTIES_MAX];
    char folder[PATH_SIZE];
    bool closing; /* the flow is over: what the parties say now is nobody's business */
};

static struct world_live *of(struct flow_world *w)
{
    return (struct world_live *)(void *)w;
}

static void say(struct flow_world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct flow_world *w, const char *fmt, ...)
{
    struct dt_writer out = dt_writer(w->error, sizeof w->error - 1);
    va_list args;
    va_start(args, fmt);
    dt_vwritef(&out, fmt, args);
    va_end(args);
    w->error[out.n] = '\0';
}

/* ---- the record ---- */

static bool from_foreign(const struct world_live *w, const struct dt_record_item *it)
{
    uint16_t who = dt_record_whose(w->base.record, &it->from);
    return who < w->base.flow->n_parties && w->base.flow->parties[who].role == DT_FLOW_FOREIGN;
}

static void take_record(struct live_party *p, struct dt_str line)
{
    struct dt_record_item item;
    struct world_live *w = p->world;
    if (dt_record_read(&w->waiting, line, &item))
        return;
    item.who = (uint16_t)p->index;
    if (item.kind == DT_REC_ARRIVED && from_foreign(w, &item)) {
        struct dt_record_item sent = item; /* nobody else tells what a foreign endpoint sends */
        sent.kind = DT_REC_SENT;
        dt_record_add(&w->waiting, &sent);
    }
    dt_record_add(&w->waiting, &item);
    dt_bytes_drop(item.bytes);
}

static void on_line(void *ctx, enum dt_process_source source, struct dt_str line)
{
    if (source == DT_PROCESS_RECORDS)
        take_record(ctx, line);
}

static void on_ended(void *ctx, int status, int signo)
{
    struct live_party *p = ctx;
    p->ended = true;
    p->status = signo ? 128 + signo : status;
}

/* Moves what is old enough; true if anything was. */
static bool settle(struct world_live *w, dt_time until)
{
    size_t n = 0;
    struct dt_record *r = &w->waiting;
    for (; n < r->n && r->items[n].at <= until; n++) {
        size_t at = dt_record_add(w->base.record, &r->items[n]);
        if (w->base.options->watch && !w->closing && at != SIZE_MAX)
            w->base.options->watch(w->base.options->watch_ctx, w->base.record,
                                   &w->base.record->items[at]);
        dt_bytes_drop(r->items[n].bytes);
    }
    if (n > 0)
        memmove(r->items, r->items + n, (r->n - n) * sizeof *r->items);
    r->n -= n;
    return n > 0;
}

static bool live_advance(struct flow_world *base, dt_time limit)
{
    struct world_live *w = of(base);
    for (;;) {
        dt_time now = dt_io_now();
        if (settle(w, now - HOLD_BACK_MS * DT_MS))
            return true;
        if (now >= limit)
            return false;
        dt_time next = w->waiting.n > 0 ? w->waiting.items[0].at + HOLD_BACK_MS * DT_MS : limit;
        dt_host_turn(w->host, dt_time_min(next, limit));
    }
}

/* ---- processes ---- */

static void path_of(struct world_live *w, int i, const char *ending, char *out)
{
    struct dt_writer p = dt_writer(out, PATH_SIZE - 1);
    dt_writef(&p, "%s/%s%s", w->folder, w->base.flow->parties[i].name, ending);
    out[p.n] = '\0';
}

static int write_subscribers(struct world_live *w, int i, struct dt_writer *config)
{
    char text[CONFIG_MAX], path[PATH_SIZE];
    struct dt_writer out = dt_writer(text, sizeof text);
    if (!w->base.flow->parties[i].auth)
        return DT_OK;
    path_of(w, i, ".subscribers", path);
    dt__flow_subscribers(&w->base, dt_io_hash, &out);
    dt_writef(config, "subscribers: \"%s\"\n", path);
    return dt_io_file_write(path, dt_writer_str(&out), 0600);
}

static int write_config(struct world_live *w, int i, const char *path)
{
    char text[CONFIG_MAX];
    struct dt_writer out = dt_writer(text, sizeof text);
    dt__flow_config(&w->base, i, &out);
    int err = DT_OK;
    if (w->base.flow->parties[i].role == DT_FLOW_PROXY) {
        dt_writef(&out, "key_file: \"%s/cluster.key\"\nstore: memory\n", w->folder);
        err = write_subscribers(w, i, &out);
    }
    return err ? err : dt_io_file_write(path, dt_writer_str(&out), 0600);
}

static void write_args(struct world_live *w, int i, const char *config, const char *listen,
                       const char **args)
{
    const struct dt_flow_party *p = &w->base.flow->parties[i];
    const char *audio = w->base.options->audio[i];
    size_t n = 0;
    args[n++] = w->base.options->program;
    args[n++] = p->role == DT_FLOW_PROXY ? "proxy" : "phone";
    args[n++] = "--config";
    args[n++] = config;
    args[n++] = "--trace";
    args[n++] = "fd:3";
    if (p->role == DT_FLOW_PHONE) {
        args[n++] = "--listen";
        args[n++] = listen;
        args[n++] = "--ui";
        args[n++] = "plain";
        args[n++] = "--audio";
        args[n++] = audio ? audio : "null";
    }
    args[n] = NULL;
}

static int live_start(struct flow_world *base, int i)
{
    struct world_live *w = of(base);
    struct live_party *p = &w->parties[i];
    char config[PATH_SIZE], log[PATH_SIZE], listen[DT_ADDR_TEXT_MAX];
    const char *args[ARGS_MAX];
    path_of(w, i, ".conf", config);
    path_of(w, i, ".log", log);
    if (write_config(w, i, config)) {
        say(base, "cannot write %s", config);
        return DT_E_IO;
    }
    write_args(w, i, config, dt_addr_text(&base->addrs[i], listen), args);
    const struct dt_process_config cfg = {.file = base->options->program,
                                          .argv = args,
                                          .stdout_path = log,
                                          .stderr_path = log,
                                          .records = true,
                                          .line = on_line,
                                          .ended = on_ended,
                                          .ctx = p};
    *p = (struct live_party){.world = w, .index = i, .hole.place = -1};
    p->process = dt_process_start(w->host, &cfg, base->error, sizeof base->error);
    return p->process ? DT_OK : DT_E_IO;
}

static void live_command(struct flow_world *base, int i, struct dt_str text)
{
    struct live_party *p = &of(base)->parties[i];
    if (p->process && !p->ended)
        (void)dt_process_send(p->process, text);
}

/* ---- faults ---- */

static void kill_party(struct world_live *w, struct live_party *p)
{
    dt_time limit = dt_io_now() + GONE_S * DT_SECOND;
    if (!p->process)
        return;
    (void)dt_process_kill(p->process, DT_PROCESS_KILL);
    while (!p->ended && dt_io_now() < limit)
        dt_host_turn(w->host, limit);
    dt_process_free(p->process);
    p->process = NULL;
}

static void hole_input(void *node, dt_time now, const struct dt_input *in, size_t n)
{
    struct hole *h = node;
    (void)now;
    for (size_t i = 0; i < n; i++)
        h->listens = h->listens || in[i].kind == DT_IN_LISTENING;
}
static dt_time hole_deadline(const void *node)
{
    (void)node;
    return DT_TIME_NEVER;
}
static void hole_tick(void *node, dt_time now)
{
    (void)node;
    (void)now;
}
static size_t hole_output(void *node, dt_time now, struct dt_output *out, size_t max)
{
    struct hole *h = node;
    (void)now;
    return dt_outbox_take(&h->out, out, max);
}
static const struct dt_node_ops hole_ops = {hole_input, hole_deadline, hole_tick, hole_output};

static int make_hole(struct world_live *w, int i)
{
    struct hole *h = &w->parties[i].hole;
    dt_outbox_init(&h->out, w->base.flow->alloc);
    struct dt_output listen = {.kind = DT_OUT_LISTEN, .local = w->base.addrs[i]};
    h->listens = false;
    if (dt_outbox_put(&h->out, &listen) || (h->place = dt_host_add(w->host, &hole_ops, h)) < 0) {
        say(&w->base, "no memory for a black hole");
        return DT_E_NOMEM;
    }
    dt_time limit = dt_io_now() + GONE_S * DT_SECOND;
    while (!h->listens && dt_io_now() < limit)
        dt_host_turn(w->host, limit);
    dt_outbox_clear(&h->out);
    if (!h->listens)
        say(&w->base, "its address cannot be held as a black hole");
    return h->listens ? DT_OK : DT_E_INUSE;
}

static void fill_hole(struct world_live *w, int i)
{
    struct hole *h = &w->parties[i].hole;
    if (h->place >= 0)
        dt_host_remove(w->host, h->place);
    h->place = -1;
}

static int live_fault(struct flow_world *base, int i, struct dt_str what)
{
    struct world_live *w = of(base);
    struct live_party *p = &w->parties[i];
    bool hang = dt_str_eq(what, DT_STR("hang")), wake = dt_str_eq(what, DT_STR("wake"));
    bool restart = dt_str_eq(what, DT_STR("restart"));
    if (!p->process && !restart) {
        say(base, "%s does not run", base->flow->parties[i].name);
        return DT_E_STATE;
    }
    if (hang || wake) {
        p->stopped = hang;
        return dt_process_kill(p->process, hang ? DT_PROCESS_STOP : DT_PROCESS_CONTINUE);
    }
    kill_party(w, p);
    fill_hole(w, i);
    if (restart)
        return live_start(base, i);
    return dt_str_eq(what, DT_STR("blackhole")) ? make_hole(w, i) : DT_OK;
}

/* ---- the world ---- */

static dt_time live_now(const struct flow_world *base)
{
    (void)base;
    return dt_io_now();
}

static unsigned live_objects(const struct flow_world *base)
{
    (void)base;
    return 0;
}

static void live_close(struct flow_world *base)
{
    struct world_live *w = of(base);
    w->closing = true;
    for (size_t i = 0; i < base->flow->n_parties; i++)
        live_command(base, (int)i, DT_STR("quit"));
    for (size_t i = 0; i < base->flow->n_parties; i++) {
        struct live_party *p = &w->parties[i];
        dt_time limit = dt_io_now() + GONE_S * DT_SECOND;
        if (p->process && base->flow->parties[i].role == DT_FLOW_PROXY)
            (void)dt_process_kill(p->process, DT_PROCESS_END);
        while (p->process && !p->ended && !p->stopped && dt_io_now() < limit)
            dt_host_turn(w->host, limit);
        dt_process_free(p->process);
    }
    settle(w, DT_TIME_NEVER - 1);
    dt_host_free(w->host);
    dt_record_clear(&w->waiting);
    dt_alloc_free(base->flow->alloc, w);
}

static const struct flow_world_ops live_ops = {
    .start = live_start,
    .command = live_command,
    .fault = live_fault,
    .advance = live_advance,
    .now = live_now,
    .objects = live_objects,
    .close = live_close,
};

/* 127.X.Y.1, .2, ...: all of 127 is this machine (RFC 1122 3.2.1.3). Proxies first. */
static void give_addresses(struct world_live *w)
{
    struct flow_world *b = &w->base;
    char net[32];
    struct dt_writer out = dt_writer(net, sizeof net - 1);
    uint16_t random = 0;
    (void)dt_io_random(&random, sizeof random);
    if (b->options->network)
        dt_write_z(&out, b->options->network);
    else
        dt_writef(&out, "127.%u.%u", 1 + random / 256 % 250, random % 256);
    net[out.n] = '\0';
    unsigned host = 1;
    for (int role = DT_FLOW_PROXY; role <= DT_FLOW_FOREIGN; role++)
        for (size_t i = 0; i < b->flow->n_parties; i++) {
            if ((int)b->flow->parties[i].role != role)
                continue;
            char text[64];
            struct dt_writer a = dt_writer(text, sizeof text);
            dt_writef(&a, "%s.%u:%d", net, host++, SIP_PORT);
            if (role == DT_FLOW_FOREIGN)
                b->addrs[i] = b->flow->parties[i].at;
            else
                (void)dt_addr_parse(&b->addrs[i], dt_writer_str(&a));
            struct dt_addr known = b->addrs[i];
            known.port = role == DT_FLOW_FOREIGN ? known.port : 0;
            dt_record_address(b->record, (uint16_t)i, &known);
        }
}

struct flow_world *dt__flow_live_open(const struct dt_flow *f, const struct dt_flow_options *o,
                                      struct dt_record *record, char *err, size_t err_size)
{
    struct world_live *w = dt_alloc_zero(f->alloc, sizeof *w);
    const struct dt_host_config cfg = {.alloc = f->alloc};
    if (!w)
        return NULL;
    w->base = (struct flow_world){.ops = &live_ops, .flow = f, .options = o, .record = record};
    w->host = dt_host_new(&cfg, err, err_size);
    if (!w->host) {
        dt_alloc_free(f->alloc, w);
        return NULL;
    }
    dt_record_init(&w->waiting, f->alloc);
    struct dt_writer path = dt_writer(w->folder, sizeof w->folder - 1);
    dt_write_z(&path, o->folder ? o->folder : ".");
    for (size_t i = 0; i < f->n_parties; i++)
        w->parties[i] = (struct live_party){.world = w, .index = (int)i, .hole.place = -1};
    give_addresses(w);
    return &w->base;
}
