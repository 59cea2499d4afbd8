/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The loop itself: deadlines, timers, standing still, commands between threads, children, lines,
 * files. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wirekit.h"
#include "io/process.h"

static void ignore(struct wire_node *n, dt_time now, const struct dt_input *in)
{
    (void)n;
    (void)now;
    (void)in;
}

/* ---- time ---- */

struct ticks {
    struct wire_node node;
    dt_time first;
    size_t n;
};

static void count_tick(struct wire_node *n, dt_time now)
{
    struct ticks *t = n->test;
    if (t->first == 0)
        t->first = now;
    assert_true(now >= t->first + (dt_time)t->n * 1500); /* never early */
    t->n++;
    n->due = t->first + (dt_time)t->n * 1500;
    if (t->n == 20)
        dt_host_stop(n->host);
}

static void deadlines_are_kept_to_the_microsecond(void **state)
{
    struct ticks t = {.n = 0};
    struct dt_host *h = wire_host(NULL);
    (void)state;
    wire_node_init(&t.node, h, ignore, &t);
    t.node.tick = count_tick;
    t.node.due = dt_io_now();
    wire_run(h);
    assert_int_equal(t.n, 20);
    wire_node_clear(&t.node);
}

struct order {
    struct dt_host *host;
    struct dt_host_timer *timers[3];
    char fired[8];
};

static void fire_a(void *ctx, dt_time now)
{
    struct order *o = ctx;
    (void)now;
    strcat(o->fired, "a");
    dt_host_timer_free(o->timers[0]); /* its own */
    dt_host_timer_at(o->timers[2], DT_TIME_NEVER);
}

static void fire_b(void *ctx, dt_time now)
{
    struct order *o = ctx;
    strcat(o->fired, "b");
    if (o->fired[2] == '\0')
        dt_host_timer_at(o->timers[1], now + DT_MS);
    else
        dt_host_stop(o->host);
}

static void fire_c(void *ctx, dt_time now)
{
    (void)ctx;
    (void)now;
    fail(); /* stopped */
}

static void timers_fire_in_order(void **state)
{
    struct order o = {.host = wire_host(NULL)};
    (void)state;
    o.timers[0] = dt_host_timer_new(o.host, fire_a, &o);
    o.timers[1] = dt_host_timer_new(o.host, fire_b, &o);
    o.timers[2] = dt_host_timer_new(o.host, fire_c, &o);
    dt_time now = dt_io_now();
    dt_host_timer_at(o.timers[1], now + 2 * DT_MS);
    dt_host_timer_at(o.timers[0], now + DT_MS);
    dt_host_timer_at(o.timers[2], now + 2 * DT_MS);
    wire_loop(o.host);
    dt_host_timer_free(o.timers[1]);
    dt_host_timer_free(o.timers[2]);
    dt_host_free(o.host);
    assert_string_equal(o.fired, "abb");
}

/* ---- R10: a process that stood still ---- */

enum { STALL_MS = 20 };

struct stall {
    struct wire_node node;
    struct dt_addr self;
    dt_time stood;
    size_t woke, noticed, early;
};

static void stand_still(struct stall *t)
{
    dt_time from = dt_io_now();
    while (dt_io_now() - from < 3 * STALL_MS * DT_MS)
        continue;
    t->stood = dt_io_now() - from;
}

static void stall_input(struct wire_node *n, dt_time now, const struct dt_input *in)
{
    struct stall *t = n->test;
    if (in->kind == DT_IN_LISTENING) {
        n->local = in->local;
        wire_send(n, &n->local, &n->local, "old when it is read");
        n->due = now;
    } else if (in->kind == DT_IN_WOKE) {
        assert_true(in->age >= t->stood);
        t->woke++;
        wire_send(n, &n->local, &n->local, "fresh");
    } else if (in->kind == DT_IN_DATAGRAM && in->data.p[0] == 'f') {
        if (dt_host_counts(n->host)->datagrams_old > 0)
            dt_host_stop(n->host);
    } else if (in->kind == DT_IN_DATAGRAM) {
        /* The first of a machine's sockets that wants stamps gets them when a worker of the kernel
         * has turned them on; until then age is unknown, and the datagram is read. */
        assert_int_equal(in->age, 0);
        assert_int_equal(t->woke, t->early + 1); /* told before it is read */
        assert_true(++t->early < 50);
        wire_send(n, &n->local, &n->local, "old when it is read");
        n->due = now;
    }
}

static void stall_tick(struct wire_node *n, dt_time now)
{
    (void)now;
    stand_still(n->test);
}

static void stall_notice(void *ctx, dt_time now, int node, const struct dt_input *in)
{
    struct stall *t = ctx;
    (void)now;
    assert_int_equal(node, t->node.number);
    t->noticed += in->kind == DT_IN_WOKE;
}

static void who_stood_still_is_told_and_old_datagrams_are_not_read(void **state)
{
    struct stall t = {.woke = 0};
    struct dt_log quiet = {.line = NULL};
    struct dt_host_config cfg = {
        .stall = STALL_MS * DT_MS, .log = &quiet, .watch = {.notice = stall_notice, .ctx = &t}};
    struct dt_host *h = wire_host(&cfg);
    (void)state;
    wire_node_init(&t.node, h, stall_input, &t);
    t.node.tick = stall_tick;
    wire_listen(&t.node, "127.0.0.1:0", DT_UDP);
    wire_loop(h);
    assert_true(dt_host_counts(h)->datagrams_old >= 1);
    dt_host_free(h);
    assert_true(t.woke >= 1);
    assert_int_equal(t.noticed, t.woke);
    wire_node_clear(&t.node);
}

/* ---- two hosts in two threads ---- */

enum { LINES = 20000 };

struct pair {
    struct wire_node phone, media;
    size_t sent, answered;
};

static void talk(struct wire_node *n, const char *word, size_t i)
{
    dt_outbox_event(&n->out, DT_EV_MEDIA, 0, "%s %zu", word, i);
}

/* Keeps some lines under way, and checks that they come back in order. */
static void pair_phone(struct wire_node *n, dt_time now, const struct dt_input *in)
{
    struct pair *t = n->test;
    char want[32];
    (void)now;
    assert_int_equal(in->kind, DT_IN_COMMAND);
    if (in->channel == DT_CHANNEL_USER) {
        for (; t->sent < 100; t->sent++)
            talk(n, "start", t->sent);
        return;
    }
    snprintf(want, sizeof want, "started %zu", t->answered++);
    kit_assert_str(in->data, want);
    if (t->sent < LINES)
        talk(n, "start", t->sent++);
    if (t->answered == LINES)
        dt_host_stop(n->host);
}

static void pair_media(struct wire_node *n, dt_time now, const struct dt_input *in)
{
    (void)now;
    char want[32];
    assert_int_equal(in->channel, DT_CHANNEL_MEDIA);
    snprintf(want, sizeof want, "start %zu", n->datagrams);
    kit_assert_str(in->data, want);
    talk(n, "started", n->datagrams++);
}

static void run_pair(bool threads)
{
    struct pair t = {.sent = 0};
    struct dt_host *h = wire_host(NULL), *m = threads ? wire_host(NULL) : h;
    wire_node_init(&t.phone, h, pair_phone, &t);
    wire_node_init(&t.media, m, pair_media, &t);
    assert_int_equal(dt_host_route(h, t.phone.number, DT_CHANNEL_MEDIA, m, t.media.number), 0);
    assert_int_equal(dt_host_route(m, t.media.number, DT_CHANNEL_MEDIA, h, t.phone.number), 0);
    assert_int_equal(dt_host_command(h, t.phone.number, DT_CHANNEL_USER, DT_STR("go")), DT_OK);
    assert_int_equal(dt_host_command(h, 7, DT_CHANNEL_USER, DT_STR("go")), DT_E_ABSENT);
    if (threads)
        assert_int_equal(dt_host_start(m), DT_OK);
    wire_loop(h);
    if (threads) {
        dt_host_stop(m);
        dt_host_join(m);
        dt_host_free(m);
    }
    dt_host_free(h);
    assert_int_equal(t.answered, LINES);
    wire_node_clear(&t.phone);
    wire_node_clear(&t.media);
}

static void routes_carry_lines_between_threads(void **state)
{
    (void)state;
    run_pair(true);
}

static void routes_carry_lines_within_a_host(void **state)
{
    (void)state;
    run_pair(false);
}

static void a_full_ring_refuses(void **state)
{
    struct wire_node n;
    struct dt_host *h = wire_host(NULL);
    static char text[1001];
    size_t sent = 0;
    (void)state;
    wire_node_init(&n, h, ignore, NULL);
    struct dt_host_link *l = dt_host_link_new(h, n.number, DT_CHANNEL_USER);
    assert_int_equal(dt_host_link_send(l, (struct dt_str){text, 1001}), DT_E_LIMIT);
    while (dt_host_link_send(l, (struct dt_str){text, 1000}) == DT_OK)
        sent++;
    assert_in_range(sent, 60, 66); /* 64 KiB */
    dt_host_free(h);
    assert_int_equal(dt_host_link_send(l, DT_STR("x")), DT_OK); /* leads nowhere, harms nobody */
    dt_host_link_free(l);
    wire_node_clear(&n);
}

static void send_nothing(void *ctx, dt_time now)
{
    (void)ctx;
    (void)now;
}

/* ---- memory that fails ---- */

/* Everything that a host allocates on its way up fails once; nothing is leaked, and what did not
 * fail goes on. True if nothing failed any more. */
static bool run_with_failure(size_t fail_at)
{
    struct kit_alloc a;
    struct wire_node n;
    char err[100];
    kit_alloc_init(&a);
    a.fail_at = fail_at;
    struct dt_host_config cfg = {.alloc = &a.alloc, .dns = "127.0.0.1:9"};
    struct dt_host *h = dt_host_new(&cfg, err, sizeof err);
    assert_int_equal(h == NULL, err[0] != '\0');
    if (h && wire_node_try(&n, h, ignore, NULL)) {
        wire_listen(&n, "127.0.0.1:0", DT_UDP);
        wire_listen(&n, "127.0.0.1:0", DT_TCP);
        wire_connect(&n, 2, &(struct dt_addr){.ip = {127, 0, 0, 1}, .port = 9, .family = 4});
        wire_write(&n, 2, DT_STR("text"));
        dt_outbox_resolve(&n.out, 1, DT_DNS_A, DT_STR("localhost"));
        dt_outbox_resolve(&n.out, 2, DT_DNS_SRV, DT_STR("_sip._udp.example"));
        (void)dt_host_command(h, n.number, DT_CHANNEL_USER, DT_STR("command"));
        struct dt_host_timer *t = dt_host_timer_new(h, send_nothing, NULL);
        if (t)
            dt_host_timer_at(t, dt_io_now());
        dt_host_stop(h);
        assert_int_equal(dt_host_run(h), DT_OK);
        dt_host_timer_free(t);
        wire_node_clear(&n);
    }
    dt_host_free(h);
    assert_int_equal(a.live, 0);
    return a.calls < fail_at;
}

static void memory_that_fails_leaks_nothing(void **state)
{
    size_t at = 1;
    (void)state;
    while (!run_with_failure(at))
        assert_true(++at < 200);
    assert_true(at > 10);
}

/* ---- stop before run; a signal ---- */

static void a_stop_before_the_run_counts(void **state)
{
    struct wire_node n;
    struct dt_host *h = wire_host(NULL);
    (void)state;
    wire_node_init(&n, h, ignore, NULL);
    dt_host_stop(h);
    wire_loop(h);
    assert_int_equal(dt_host_run(h), DT_E_STATE);
    dt_host_free(h);
    wire_node_clear(&n);
}

static void on_signal(void *ctx, int signo)
{
    struct order *o = ctx;
    strcat(o->fired, signo == SIGTERM ? "T" : "I");
    if (strlen(o->fired) == 2)
        dt_host_stop(o->host);
    else
        raise(SIGINT);
}

static void send_term(void *ctx, dt_time now)
{
    (void)ctx;
    (void)now;
    raise(SIGTERM);
}

static void signals_call_back(void **state)
{
    struct order o = {.host = NULL};
    struct dt_host_config cfg = {.signals = true, .watch = {.signal = on_signal, .ctx = &o}};
    (void)state;
    o.host = wire_host(&cfg);
    o.timers[0] = dt_host_timer_new(o.host, send_term, &o);
    dt_host_timer_at(o.timers[0], dt_io_now());
    wire_loop(o.host);
    dt_host_timer_free(o.timers[0]);
    dt_host_free(o.host);
    assert_string_equal(o.fired, "TI");
}

/* ---- children ---- */

struct child {
    struct dt_host *host;
    struct dt_process *process;
    char said[512];
    int status, signo;
    size_t ended;
    bool kill_on_line;
};

static void child_line(void *ctx, enum dt_process_source source, struct dt_str line)
{
    struct child *c = ctx;
    size_t n = strlen(c->said);
    snprintf(c->said + n, sizeof c->said - n, "%d:%.*s|", (int)source, DT_FMT(line));
    if (c->kill_on_line)
        assert_int_equal(dt_process_kill(c->process, SIGKILL), DT_OK);
}

static void child_ended(void *ctx, int status, int signo)
{
    struct child *c = ctx;
    c->ended++;
    c->status = status;
    c->signo = signo;
    assert_int_equal(dt_process_kill(c->process, SIGTERM), DT_E_STALE);
    assert_int_equal(dt_process_send(c->process, DT_STR("late")), DT_E_CLOSED);
    dt_host_stop(c->host);
}

static void run_child(struct child *c, const char *script, const char *line, const char *out_path)
{
    char err[200];
    const char *argv[] = {"sh", "-c", script, NULL};
    struct dt_process_config cfg = {.file = "sh",
                                    .argv = argv,
                                    .records = true,
                                    .stdout_path = out_path,
                                    .line = child_line,
                                    .ended = child_ended,
                                    .ctx = c};
    c->host = wire_host(NULL);
    c->process = dt_process_start(c->host, &cfg, err, sizeof err);
    assert_non_null(c->process);
    assert_true(dt_process_pid(c->process) > 0);
    if (line)
        assert_int_equal(dt_process_send(c->process, dt_str_z(line)), DT_OK);
    wire_loop(c->host);
    dt_process_free(c->process);
    dt_host_free(c->host);
    assert_int_equal(c->ended, 1);
}

static void children_talk_and_end(void **state)
{
    struct child c = {.status = -1};
    (void)state;
    run_child(&c, "read x; echo got $x >&3; exec 3>&-; echo no end of line >&2; exit 7", "hello",
              NULL);
    assert_int_equal(c.status, 7);
    assert_int_equal(c.signo, 0);
    assert_non_null(strstr(c.said, "2:got hello|"));
    assert_non_null(strstr(c.said, "1:no end of line|"));
}

static void children_are_killed(void **state)
{
    struct child c = {.kill_on_line = true};
    (void)state;
    run_child(&c, "echo ready; read never", NULL, NULL);
    assert_int_equal(c.signo, SIGKILL);
    assert_string_equal(c.said, "0:ready|");
}

static void children_write_to_files(void **state)
{
    struct child c = {.status = -1};
    char path[] = "/tmp/dualtone-child-XXXXXX";
    int err;
    (void)state;
    close(mkstemp(path));
    run_child(&c, "echo into the file", NULL, path);
    struct dt_bytes *b = dt_io_file_read(&dt_alloc_libc, path, 1000, &err);
    assert_non_null(b);
    kit_assert_str(dt_bytes_str(b), "into the file\n");
    dt_bytes_drop(b);
    unlink(path);
    assert_string_equal(c.said, "");
}

static void a_program_that_is_not_there_is_said(void **state)
{
    char err[200];
    const char *argv[] = {"x", NULL};
    struct dt_process_config cfg = {.file = "/nonexistent/program", .argv = argv};
    struct dt_host *h = wire_host(NULL);
    (void)state;
    assert_null(dt_process_start(h, &cfg, err, sizeof err));
    assert_string_equal(err, "/nonexistent/program cannot be started: no such file or directory");
    dt_host_free(h);
}

/* ---- lines from a pipe, and from a file ---- */

struct lines {
    struct dt_host *host;
    char seen[5000];
    size_t longest, ends;
};

static void see_line(void *ctx, struct dt_str line)
{
    struct lines *l = ctx;
    size_t n = strlen(l->seen);
    if (line.n > l->longest)
        l->longest = line.n;
    if (line.n < 100)
        snprintf(l->seen + n, sizeof l->seen - n, "%.*s|", DT_FMT(line));
}

static void see_end(void *ctx)
{
    struct lines *l = ctx;
    l->ends++;
    dt_host_stop(l->host);
}

static void run_lines(int fd)
{
    struct lines l = {.host = wire_host(NULL)};
    struct dt_io_lines *in = dt_io_lines_new(l.host, fd, see_line, see_end, &l);
    assert_non_null(in);
    wire_loop(l.host);
    dt_io_lines_free(in);
    dt_host_free(l.host);
    assert_int_equal(l.ends, 1);
    assert_int_equal(l.longest, 4000);
    assert_string_equal(l.seen, "dial 1002||after|no end|");
}

static const char *lines_text(void)
{
    static char text[10000];
    memset(text, 'y', sizeof text);
    memcpy(text, "dial 1002\r\n\n", 12);
    memcpy(text + 9000, "\nafter\nno end", 14);
    return text;
}

static void lines_come_from_a_pipe(void **state)
{
    int fds[2];
    const char *text = lines_text();
    (void)state;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], text, strlen(text)), (ssize_t)strlen(text));
    close(fds[1]);
    run_lines(fds[0]);
    close(fds[0]);
}

static void lines_come_from_a_file(void **state)
{
    char path[] = "/tmp/dualtone-lines-XXXXXX";
    (void)state;
    close(mkstemp(path));
    assert_int_equal(dt_io_file_write(path, dt_str_z(lines_text()), 0600), DT_OK);
    int fd = open(path, O_RDONLY);
    run_lines(fd);
    close(fd);
    unlink(path);
}

/* ---- files ---- */

static void files_are_read_and_replaced_as_wholes(void **state)
{
    char folder[] = "/tmp/dualtone-file-XXXXXX", path[64];
    struct stat st;
    int err;
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/f", folder);
    assert_null(dt_io_file_read(&dt_alloc_libc, path, 10, &err));
    assert_int_equal(err, DT_E_ABSENT);
    assert_int_equal(dt_io_file_write(path, DT_STR("0123456789"), 0640), DT_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    chmod(path, 0604);
    assert_int_equal(dt_io_file_write(path, DT_STR("abcdefghij"), 0640), DT_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0604); /* kept */
    struct dt_bytes *b = dt_io_file_read(&dt_alloc_libc, path, 10, &err);
    assert_non_null(b);
    kit_assert_str(dt_bytes_str(b), "abcdefghij");
    for (size_t i = 0; i < DT_PAD; i++)
        assert_int_equal(b->data[b->n + i], 0);
    dt_bytes_drop(b);
    assert_null(dt_io_file_read(&dt_alloc_libc, path, 9, &err));
    assert_int_equal(err, DT_E_LIMIT);
    assert_null(dt_io_file_read(&dt_alloc_libc, folder, 9, &err));
    assert_int_equal(err, DT_E_FOLDER);
    unlink(path);
    assert_int_equal(dt_io_file_write("/nonexistent/f", DT_STR("x"), 0600), DT_E_ABSENT);
    assert_int_equal(rmdir(folder), 0); /* no temporary file is left */
}

static void a_key_is_made_once(void **state)
{
    char folder[] = "/tmp/dualtone-key-XXXXXX", path[64];
    struct stat st;
    int err;
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/key", folder);
    assert_int_equal(dt_io_file_key(path, 16), DT_OK);
    struct dt_bytes *first = dt_io_file_read(&dt_alloc_libc, path, 100, &err);
    assert_non_null(first);
    assert_int_equal(first->n, 33);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(dt_io_file_key(path, 16), DT_OK);
    struct dt_bytes *again = dt_io_file_read(&dt_alloc_libc, path, 100, &err);
    assert_true(dt_str_eq(dt_bytes_str(first), dt_bytes_str(again)));
    dt_bytes_drop(first);
    dt_bytes_drop(again);
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
}

/* ---- what a node is given ---- */

static void env_has_hashes_and_seeds(void **state)
{
    struct dt_env a, b;
    uint8_t md5[16], want[16], sha[32], want_sha[32];
    struct dt_str parts[] = {DT_STR("a"), DT_STR_NONE, DT_STR("bc")};
    struct dt_addr remote = wire_addr("127.0.0.5:5060", DT_TCP), local;
    (void)state;
    assert_int_equal(dt_io_env_init(&a, NULL), DT_OK);
    assert_int_equal(dt_io_env_init(&b, NULL), DT_OK);
    assert_int_not_equal(dt_rng_u64(&a.rng), dt_rng_u64(&b.rng));
    assert_true(a.wall_offset + dt_io_now() > INT64_C(1700000000) * DT_SECOND);
    assert_int_equal(a.hash(DT_HASH_MD5, parts, 3, md5), DT_OK);
    assert_int_equal(kit_hash(DT_HASH_MD5, &(struct dt_str){"abc", 3}, 1, want), DT_OK);
    assert_memory_equal(md5, want, 16);
    assert_int_equal(a.hash(DT_HASH_SHA256, parts, 3, sha), DT_OK);
    assert_int_equal(kit_hash(DT_HASH_SHA256, &(struct dt_str){"abc", 3}, 1, want_sha), DT_OK);
    assert_memory_equal(sha, want_sha, 32);
    assert_int_equal(dt_io_local_for(&remote, &local), DT_OK);
    assert_int_equal(local.port, 0);
    assert_int_equal(local.transport, DT_TCP);
    assert_int_equal(local.ip[0], 127);
    remote.family = 0;
    assert_int_equal(dt_io_local_for(&remote, &local), DT_E_UNREACHABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deadlines_are_kept_to_the_microsecond),
        cmocka_unit_test(timers_fire_in_order),
        cmocka_unit_test(who_stood_still_is_told_and_old_datagrams_are_not_read),
        cmocka_unit_test(routes_carry_lines_between_threads),
        cmocka_unit_test(routes_carry_lines_within_a_host),
        cmocka_unit_test(a_full_ring_refuses),
        cmocka_unit_test(memory_that_fails_leaks_nothing),
        cmocka_unit_test(a_stop_before_the_run_counts),
        cmocka_unit_test(signals_call_back),
        cmocka_unit_test(children_talk_and_end),
        cmocka_unit_test(children_are_killed),
        cmocka_unit_test(children_write_to_files),
        cmocka_unit_test(a_program_that_is_not_there_is_said),
        cmocka_unit_test(lines_come_from_a_pipe),
        cmocka_unit_test(lines_come_from_a_file),
        cmocka_unit_test(files_are_read_and_replaced_as_wholes),
        cmocka_unit_test(a_key_is_made_once),
        cmocka_unit_test(env_has_hashes_and_seeds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
