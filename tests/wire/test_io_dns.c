/* SPDX-License-Identifier: BSD-2-Clause
 *
 * DNS of the real host against dnsmasq on loopback. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include "wirekit.h"
#include "io/process.h"

/* ---- questions to dnsmasq ---- */

enum { DNS_TEXT = 512 };

static const struct question {
    const char *name;
    enum dt_dns_type type;
    const char *want; /* "STATUS record; record" with the TTL first in each */
} questions[] = {
    {"host.dualtone.test", DT_DNS_A, "found 120 192.0.2.10"},
    {"HOST.dualtone.test.", DT_DNS_A, "found 120 192.0.2.10"},
    {"host.dualtone.test", DT_DNS_AAAA, "found 120 2001:db8::10"},
    {"alias.dualtone.test", DT_DNS_A, "found 60 192.0.2.10"},
    {"_sip._udp.dualtone.test", DT_DNS_SRV,
     "found 300 10 20 5070 host.dualtone.test; 300 20 0 5080 other.dualtone.test"},
    {"dualtone.test", DT_DNS_NAPTR, "found 300 50 40 s SIP+D2U _sip._udp.dualtone.test"},
    {"nothing.dualtone.test", DT_DNS_A, "no name"},
    {"host.dualtone.test", DT_DNS_SRV, "no data"},
    {"localhost", DT_DNS_A, "found 65535 127.0.0.1"},
    {"a.localhost", DT_DNS_AAAA, "found 65535 ::1"},
    {"localhost", DT_DNS_SRV, "no data"},
    {"refused.example", DT_DNS_A, "failed"},
    {"", DT_DNS_A, "no name"},
};
enum { QUESTIONS = sizeof questions / sizeof questions[0] };

struct dns_test {
    struct wire_node node;
    struct dt_process *server;
    struct dt_host *host;
    size_t answers;
    bool asked;
    char folder[32];
};

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void record_text(const struct dt_dns_record *r, char out[DNS_TEXT])
{
    struct dt_writer w = dt_writer(out, DNS_TEXT - 1);
    struct dt_addr a = {.family = r->type == DT_DNS_AAAA ? 6 : 4};
    dt_writef(&w, "%u ", r->ttl);
    if (r->type == DT_DNS_A || r->type == DT_DNS_AAAA) {
        memcpy(a.ip, r->ip, 16);
        dt_addr_write_ip(&w, &a, false);
    } else if (r->type == DT_DNS_SRV) {
        dt_writef(&w, "%u %u %u %.*s", (unsigned)r->order, (unsigned)r->weight, (unsigned)r->port,
                  DT_FMT(r->target));
    } else {
        dt_writef(&w, "%u %u %.*s %.*s %.*s", (unsigned)r->order, (unsigned)r->weight,
                  DT_FMT(r->flags), DT_FMT(r->service), DT_FMT(r->target));
    }
    out[w.n] = '\0';
}

static void answer_text(const struct dt_dns_answer *a, char *out, size_t size)
{
    static const char *const words[] = {"found", "no name", "no data", "failed"};
    char records[8][DNS_TEXT];
    size_t used = (size_t)snprintf(out, size, "%s", words[a->status]);
    assert_true(a->n <= 8);
    for (size_t i = 0; i < a->n; i++)
        record_text(&a->records[i], records[i]);
    qsort(records, a->n, sizeof records[0], by_text); /* servers turn them */
    for (size_t i = 0; i < a->n; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", i ? "; " : " ", records[i]);
}

static void dns_input(struct wire_node *n, dt_time now, const struct dt_input *in)
{
    struct dns_test *t = n->test;
    char text[2048];
    (void)now;
    if (in->kind == DT_IN_COMMAND) {
        for (uint32_t i = 0; i < QUESTIONS; i++)
            dt_outbox_resolve(&n->out, 1000 + i, questions[i].type, dt_str_z(questions[i].name));
        return;
    }
    assert_int_equal(in->kind, DT_IN_DNS);
    assert_in_range(in->dns->id, 1000, 1000 + QUESTIONS - 1);
    const struct question *q = &questions[in->dns->id - 1000];
    assert_int_equal(in->dns->type, q->type);
    answer_text(in->dns, text, sizeof text);
    if (strcmp(text, q->want) != 0)
        fail_msg("%s type %d: got \"%s\", want \"%s\"", q->name, (int)q->type, text, q->want);
    if (++t->answers == QUESTIONS)
        dt_host_stop(n->host);
}

/* dnsmasq says when it serves, and when it cannot. */
static void dns_line(void *ctx, enum dt_process_source source, struct dt_str line)
{
    struct dns_test *t = ctx;
    (void)source;
    if (t->asked || dt_str_search(line, DT_STR("started")) == line.n)
        return;
    t->asked = true;
    dt_host_command(t->host, t->node.number, DT_CHANNEL_USER, DT_STR("ask"));
}

static void dns_ended(void *ctx, int status, int signo)
{
    struct dns_test *t = ctx;
    print_message("dnsmasq ended with status %d, signal %d\n", status, signo);
    dt_host_stop(t->host);
}

static uint16_t free_port(void)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof name;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, n), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &n), 0);
    close(fd);
    return ntohs(name.sin_port);
}

static const char *find_dnsmasq(void)
{
    static const char *const places[] = {"/usr/sbin/dnsmasq", "/usr/bin/dnsmasq",
                                         "/usr/local/sbin/dnsmasq"};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (access(places[i], X_OK) == 0)
            return places[i];
    return NULL;
}

static void dns_against_dnsmasq(void **state)
{
    struct dns_test t = {.folder = "/tmp/dualtone-dns-XXXXXX"};
    const char *program = find_dnsmasq();
    char port[32], server[32], err[200], dir[64];
    (void)state;
    if (!program) {
        print_message("dnsmasq is not installed (apt install dnsmasq-base): left out\n");
        skip();
    }
    assert_non_null(mkdtemp(t.folder));
    uint16_t number = free_port();
    snprintf(port, sizeof port, "--port=%u", (unsigned)number);
    snprintf(server, sizeof server, "127.0.0.1:%u", (unsigned)number);
    snprintf(dir, sizeof dir, "--pid-file=%s/pid", t.folder);
    const char *argv[] = {"dnsmasq",
                          "--keep-in-foreground",
                          "--log-facility=-",
                          "--no-hosts",
                          "--no-resolv",
                          "--conf-file=/dev/null",
                          "--listen-address=127.0.0.1",
                          "--bind-interfaces",
                          "--user=root",
                          port,
                          dir,
                          "--local-ttl=300",
                          "--local=/dualtone.test/",
                          "--host-record=host.dualtone.test,192.0.2.10,2001:db8::10,120",
                          "--cname=alias.dualtone.test,host.dualtone.test,60",
                          "--srv-host=_sip._udp.dualtone.test,host.dualtone.test,5070,10,20",
                          "--srv-host=_sip._udp.dualtone.test,other.dualtone.test,5080,20,0",
                          "--naptr-record=dualtone.test,50,40,s,SIP+D2U,,_sip._udp.dualtone.test",
                          NULL};
    struct dt_host_config cfg = {.dns = server};
    t.host = wire_host(&cfg);
    wire_node_init(&t.node, t.host, dns_input, &t);
    struct dt_process_config child = {
        .file = program, .argv = argv, .line = dns_line, .ended = dns_ended, .ctx = &t};
    t.server = dt_process_start(t.host, &child, err, sizeof err);
    assert_non_null(t.server);
    wire_loop(t.host);
    dt_process_free(t.server);
    dt_host_free(t.host);
    assert_int_equal(t.answers, QUESTIONS);
    wire_node_clear(&t.node);
    snprintf(dir, sizeof dir, "%s/pid", t.folder);
    unlink(dir);
    rmdir(t.folder);
}

/* ---- a server that is not there, one that says nothing ---- */

static void absent_input(struct wire_node *n, dt_time now, const struct dt_input *in)
{
    (void)now;
    if (in->kind == DT_IN_DNS) {
        assert_int_equal(in->dns->status, DT_DNS_FAILED);
        assert_int_equal(in->dns->n, 0);
        dt_host_stop(n->host);
    }
}

static void dns_without_a_server_fails(void **state)
{
    char server[32];
    struct wire_node n;
    (void)state;
    snprintf(server, sizeof server, "127.0.0.1:%u", (unsigned)free_port());
    struct dt_host_config cfg = {.dns = server};
    struct dt_host *h = wire_host(&cfg);
    wire_node_init(&n, h, absent_input, NULL);
    dt_outbox_resolve(&n.out, 1, DT_DNS_SRV, DT_STR("_sip._udp.example"));
    wire_run(h);
    wire_node_clear(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dns_against_dnsmasq),
        cmocka_unit_test(dns_without_a_server_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
