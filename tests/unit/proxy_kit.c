/* SPDX-License-Identifier: BSD-2-Clause */
#include "proxy_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t preset_key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
static const uint64_t *signs = preset_key, *verifies;

void kit_proxy_keys(const uint64_t *first, const uint64_t *second)
{
    signs = first ? first : preset_key;
    verifies = second;
}

struct dt_addr kit_at(const char *text)
{
    struct dt_addr a;
    assert_int_equal(dt_addr_parse(&a, dt_str_z(text)), DT_OK);
    return a;
}

/* ---- the node ---- */

static const char *find_line(const char *msg, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = strstr(msg, "\r\n"); p; p = strstr(p + 2, "\r\n"))
        if (!strncmp(p + 2, name, n) && p[2 + n] == ':')
            return p + 2 + n + 1;
    return NULL;
}

const char *kit_header(const char *msg, const char *name)
{
    static char ring[8][2048];
    static unsigned turn;
    char *out = ring[turn++ % 8];
    size_t n = 0;
    out[0] = '\0';
    for (const char *v = find_line(msg, name); v; v = find_line(v - 1, name)) {
        v += *v == ' ';
        n += (size_t)snprintf(out + n, sizeof ring[0] - n, "%s%.*s", n ? " | " : "",
                              (int)(strstr(v, "\r\n") - v), v);
    }
    return out;
}

static void log_datagram(struct kit_proxy *k, struct dt_writer *w, const struct kit_sent *out)
{
    char text[DT_ADDR_TEXT_MAX], what[256] = "";
    struct dt_str msg = dt_bytes_str(out->bytes);
    dt_writef(w, "%lld > %s ", (long long)(k->now / DT_MS), dt_addr_text(&out->to, text));
    if (!dt_str_starts(msg, DT_STR("SIP/2.0 "))) {
        dt_write(w, dt_str_sub(msg, 0, dt_str_search(msg, DT_STR(" SIP/2.0"))));
    } else {
        const char *cseq = strchr(kit_header(msg.p, "CSeq"), ' ');
        snprintf(what, sizeof what, "%.3s%s", msg.p + 8, cseq ? cseq : " ?");
        dt_write_z(w, what);
    }
    dt_write_char(w, '\n');
}

static void keep(struct kit_proxy *k, struct dt_output *out)
{
    assert_true(k->n_sent < KIT_SENT_MAX);
    struct dt_bytes *copy = dt_bytes_new(&dt_alloc_libc, out->bytes->n + (size_t)1);
    assert_non_null(copy);
    memcpy(copy->data, out->bytes->data, out->bytes->n);
    copy->data[out->bytes->n] = '\0';
    copy->n = out->bytes->n;
    dt_bytes_drop(out->bytes);
    k->sent[k->n_sent++] = (struct kit_sent){out->remote, copy};
}

static void drain(struct kit_proxy *k)
{
    struct dt_output out;
    struct dt_writer w = dt_writer(k->log, sizeof k->log);
    w.n = k->log_n;
    while (dt_proxy_node.output(k->p, k->now, &out, 1)) {
        if (out.kind == DT_OUT_DATAGRAM) {
            keep(k, &out);
            log_datagram(k, &w, &k->sent[k->n_sent - 1]);
        } else if (out.kind == DT_OUT_RESOLVE) {
            k->dns_id = out.dns_id;
            k->dns_type = out.dns_type;
            dt_writef(&w, "%lld ? %d %.*s\n", (long long)(k->now / DT_MS), (int)out.dns_type,
                      DT_FMT(out.text));
        } else if (out.kind == DT_OUT_EVENT && out.event == DT_EV_PROBLEM) {
            dt_writef(&w, "%lld ! %.*s\n", (long long)(k->now / DT_MS), DT_FMT(out.text));
        } else if (out.kind == DT_OUT_STREAM_DATA) {
            dt_writef(&w, "%lld > stream %llu %.*s\n", (long long)(k->now / DT_MS),
                      (unsigned long long)out.stream,
                      (int)dt_str_find(dt_bytes_str(out.bytes), '\r'), out.bytes->data);
            keep(k, &out);
        } else if (out.kind == DT_OUT_CONNECT) {
            char text[DT_ADDR_TEXT_MAX];
            dt_writef(&w, "%lld connect %s\n", (long long)(k->now / DT_MS),
                      dt_addr_text(&out.remote, text));
        }
    }
    k->log_n = w.n;
}

static void configure(struct kit_proxy *k, const char *more)
{
    static const char first[] = "domain: example.com\nlisten: udp:192.0.2.1:5060\n";
    struct dt_problem list[4];
    struct dt_problems problems = {.list = list, .cap = 4};
    assert_int_equal(dt_conf_init(&k->conf, &dt_alloc_libc, dt_proxy_options, dt_proxy_options_n,
                                  &k->cfg, &problems),
                     DT_OK);
    dt_conf_read(&k->conf, DT_STR("kit"), DT_STR(first));
    if (more)
        dt_conf_read(&k->conf, DT_STR("more"), dt_str_z(more));
    if (!problems.fatal)
        dt_proxy_config_check(&k->cfg, &problems);
    if (problems.n)
        fail_msg("%s", list[0].text);
    k->conf.problems = NULL;
}

static void listen_all(struct kit_proxy *k)
{
    for (size_t i = 0; i < k->cfg.listen.n; i++) {
        struct dt_str word = k->cfg.listen.items[i];
        struct dt_input in = {.kind = DT_IN_LISTENING};
        assert_int_equal(dt_addr_parse(&in.local, dt_str_sub(word, 4, word.n)), DT_OK);
        in.local.transport = dt_str_starts(word, DT_STR("tcp")) ? DT_TCP : DT_UDP;
        if (!i)
            k->local = in.local;
        kit_proxy_input(k, &in);
    }
}

static struct {
    dt_time now;
    uint64_t seed;
    struct dt_str snapshot;
} begin = {.seed = 1};

void kit_proxy_begin(dt_time now, uint64_t seed, struct dt_str snapshot)
{
    begin.now = now;
    begin.seed = seed;
    begin.snapshot = snapshot;
}

bool kit_proxy_try(struct kit_proxy *k, const char *more)
{
    size_t fail_at = k->mem.fail_at;
    memset(k, 0, sizeof *k);
    kit_alloc_init(&k->mem);
    configure(k, more);
    k->now = begin.now;
    dt_env_init(&k->env, begin.seed);
    k->env.alloc = &k->mem.alloc;
    k->env.hash = kit_hash;
    k->env.wall_offset = 1700000000 * DT_SECOND;
    k->mem.fail_at = fail_at;
    k->p = dt_proxy_new(&k->cfg, signs, &k->env);
    if (!k->p)
        return false;
    if (verifies)
        assert_int_equal(dt_proxy_add_key(k->p, verifies), DT_OK);
    unsigned bad = 0;
    if (begin.snapshot.n)
        assert_int_equal(dt_proxy_restore(k->p, k->now, begin.snapshot, &bad), DT_OK);
    assert_int_equal(bad, 0);
    kit_proxy_begin(0, 1, DT_STR_NONE);
    listen_all(k);
    return true;
}

void kit_proxy_open(struct kit_proxy *k, const char *more)
{
    k->mem.fail_at = 0;
    assert_true(kit_proxy_try(k, more));
    kit_proxy_hush(k);
}

uint64_t kit_count(const struct kit_proxy *k, const char *name)
{
    char text[4096];
    struct dt_writer w = dt_writer(text, sizeof text - 1);
    dt_proxy_counts(k->p, &w);
    assert_int_equal(w.err, DT_OK);
    text[w.n] = '\0';
    size_t n = strlen(name);
    for (const char *p = text; *p; p = strchr(p, '\n') + 1)
        if (!strncmp(p, name, n) && p[n] == ' ')
            return strtoull(p + n, NULL, 10);
    fail_msg("no counter %s", name);
    return 0;
}

void kit_proxy_close(struct kit_proxy *k)
{
    if (k->p && !dt_proxy_objects(k->p)) /* I24 holds when nothing is undecided */
        assert_int_equal(kit_count(k, "in"), kit_count(k, "forwarded") + kit_count(k, "answered") +
                                                 kit_count(k, "dropped"));
    dt_proxy_free(k->p);
    for (size_t i = 0; i < k->n_sent; i++)
        dt_bytes_drop(k->sent[i].bytes);
    dt_conf_clear(&k->conf);
    assert_int_equal(k->mem.live, 0);
}

void kit_proxy_until(struct kit_proxy *k, int64_t ms)
{
    dt_time end = ms * DT_MS;
    for (dt_time due; (due = dt_proxy_node.deadline(k->p)) <= end;) {
        if (due > k->now)
            k->now = due;
        dt_proxy_node.tick(k->p, k->now);
        drain(k);
    }
    k->now = end;
}

void kit_proxy_quiet(struct kit_proxy *k)
{
    kit_proxy_until(k, k->now / DT_MS + 80000);
    assert_int_equal(dt_proxy_objects(k->p), 0);
    kit_proxy_hush(k);
}

void kit_proxy_log_at(struct kit_proxy *k, const char *want, const char *file, int line)
{
    kit_assert_str_at((struct dt_str){k->log, k->log_n}, want, file, line);
    k->log_n = 0;
}

void kit_proxy_hush(struct kit_proxy *k)
{
    drain(k);
    k->log_n = 0;
}

void kit_proxy_input(struct kit_proxy *k, const struct dt_input *in)
{
    dt_proxy_node.input(k->p, k->now, in, 1);
    drain(k);
}

void kit_proxy_recv(struct kit_proxy *k, const char *from, const char *text)
{
    struct dt_input in = {.kind = DT_IN_DATAGRAM, .local = k->local, .remote = kit_at(from)};
    in.data = kit_guarded_padded(0, dt_str_z(text));
    kit_proxy_input(k, &in);
}

/* ---- messages ---- */

static const char * or (const char *s, const char *preset)
{
    return s ? s : preset;
}

const char *kit_req_text(const struct kit_req *r)
{
    static char ring[8][8192];
    static unsigned turn;
    char *out = ring[turn++ % 8], hops[32] = "";
    const char *method = or (r->method, "INVITE"), *uri = or (r->uri, "sip:bob@example.com");
    if (r->hops >= 0)
        snprintf(hops, sizeof hops, "Max-Forwards: %d\r\n",
                 r->hops == 0      ? 70
                 : r->hops == 1000 ? 0
                                   : r->hops);
    int n = snprintf(out, sizeof ring[0],
                     "%s %s SIP/2.0\r\n"
                     "Via: SIP/2.0/UDP %s;branch=%s\r\n"
                     "%s"
                     "From: <sip:%s@example.com>;tag=f1\r\n"
                     "To: <%s>%s%s\r\n"
                     "Call-ID: %s\r\n"
                     "CSeq: %u %s\r\n"
                     "%s"
                     "Content-Length: %zu\r\n\r\n%s",
                     method, uri, or (r->via, "192.0.2.11:5060"), or (r->branch, "z9hG4bKb1"), hops,
                     or (r->from, "alice"), or (r->to, uri), r->to_tag ? ";tag=" : "",
                     or (r->to_tag, ""), or (r->call_id, "c1"), r->cseq ? r->cseq : 1, method,
                     or (r->extra, ""), strlen(or (r->body, "")), or (r->body, ""));
    assert_true(n > 0 && (size_t)n < sizeof ring[0]);
    return out;
}

void kit_register(struct kit_proxy *k, const char *from, const char *user, const char *contact)
{
    char to[256], extra[512], branch[512];
    snprintf(to, sizeof to, "sip:%s@example.com", user);
    snprintf(extra, sizeof extra, "Contact: <%s>\r\nExpires: 3600\r\n", contact);
    snprintf(branch, sizeof branch, "z9hG4bKr%zu", k->n_sent);
    kit_proxy_recv(k, from,
                   KIT_REQ(.method = "REGISTER", .uri = "sip:example.com", .to = to, .from = user,
                           .call_id = contact, .branch = branch, .extra = extra, .via = from));
    assert_true(dt_str_starts(dt_str_z(kit_last(k, from)), DT_STR("SIP/2.0 200 ")));
    kit_proxy_hush(k);
}

const char *kit_last(struct kit_proxy *k, const char *to)
{
    struct dt_addr addr = kit_at(to);
    for (size_t i = k->n_sent; i-- > 0;) {
        struct dt_addr got = k->sent[i].to;
        got.transport = DT_UDP;
        if (dt_addr_eq(&got, &addr))
            return k->sent[i].bytes->data;
    }
    fail_msg("nothing was sent to %s", to);
    return NULL;
}

/* The last request with this method that went to `to`. */
static const char *last_request(struct kit_proxy *k, const char *to, const char *method)
{
    struct dt_addr addr = kit_at(to);
    size_t n = strlen(method);
    for (size_t i = k->n_sent; i-- > 0;) {
        struct dt_addr got = k->sent[i].to;
        const char *text = k->sent[i].bytes->data;
        got.transport = DT_UDP;
        if (dt_addr_eq(&got, &addr) && !strncmp(text, method, n) && text[n] == ' ')
            return text;
    }
    return NULL;
}

bool kit_has_request(struct kit_proxy *k, const char *to, const char *method)
{
    return last_request(k, to, method) != NULL;
}

void kit_answer(struct kit_proxy *k, const char *from, const char *method, int status,
                const char *tag, const char *extra)
{
    struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    struct dt_sip_msg m;
    struct dt_bytes *bytes;
    char text[8192];
    struct dt_str req = dt_str_z(last_request(k, from, method));
    if (!req.n)
        fail_msg("no %s was sent to %s", method, from);
    assert_int_equal(dt_sip_parse(&m, req, headers, DT_MSG_HEADERS_MAX), DT_OK);
    assert_int_equal(dt_sip_check(&m), DT_OK);
    struct dt_sip_answer ans = {.status = status,
                                .to_tag = dt_str_z(tag),
                                .extra = dt_str_z(extra),
                                .record_routes = status > 100 && status < 300,
                                .source = &k->local};
    assert_int_equal(dt_sip_answer(&m, &ans, &dt_alloc_libc, &bytes), DT_OK);
    snprintf(text, sizeof text, "%.*s", (int)bytes->n, bytes->data);
    dt_bytes_drop(bytes);
    kit_proxy_recv(k, from, text);
}
