/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Questions to name servers: c-ares on the loop, through its socket-state callback. Caching and the
 * order of targets are reach's business. */
#include <ares.h>
#include <netdb.h>
#include <string.h>
#include <sys/stat.h>

#include "io/dns_parse.h"
#include "io/loop.h"

/* One server that says nothing costs 1 + 2 + 4 s; a call that waits longer has failed. */
enum { TIMEOUT_MS = 1000, TRIES = 3, QUESTIONS_MAX = 1000, NAME_SIZE = 256 };

struct io_query {
    struct dt_list under_way;
    struct dt_host *host;
    struct io_place *place; /* NULL: nobody waits */
    struct dt_dns_answer answer;
    struct dt_dns_parsed parsed;
};

struct dns_socket {
    struct dt_list of_dns;
    struct dt_host *host;
    int fd;
    uv_poll_t poll;
};

struct io_dns {
    struct dt_host *host;
    ares_channel channel;
    bool has_channel;
    struct dt_list sockets, queries;
    size_t n_queries;
    struct dt_host_timer timer;
    struct timespec conf_changed; /* of resolv.conf, when the channel was made */
};

void dt__query_free(struct io_query *q)
{
    if (q)
        dt_alloc_free(q->host->alloc, q);
}

/* ---- c-ares on the loop ---- */

/* When c-ares wants to be called without an event. */
static void set_timer(struct io_dns *d)
{
    struct timeval tv;
    dt_time due = DT_TIME_NEVER;
    if (d->has_channel && ares_timeout(d->channel, NULL, &tv))
        due = dt_host_now(d->host) + (dt_time)tv.tv_sec * DT_SECOND + tv.tv_usec;
    dt_host_timer_at(&d->timer, due);
}

static void on_timer(void *ctx, dt_time now)
{
    struct io_dns *d = ctx;
    (void)now;
    ares_process_fd(d->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    set_timer(d);
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
    struct dns_socket *s = handle->data;
    struct io_dns *d = s->host->dns;
    dt__host_turn(s->host);
    bool both = status < 0; /* let c-ares find the error */
    ares_process_fd(d->channel, both || (events & UV_READABLE) ? s->fd : ARES_SOCKET_BAD,
                    both || (events & UV_WRITABLE) ? s->fd : ARES_SOCKET_BAD);
    set_timer(d);
}

static void on_closed(uv_handle_t *handle)
{
    struct dns_socket *s = handle->data;
    dt_alloc_free(s->host->alloc, s);
}

static struct dns_socket *socket_find(struct io_dns *d, int fd)
{
    DT_LIST_EACH(e, &d->sockets)
    {
        struct dns_socket *s = DT_OF(e, struct dns_socket, of_dns);
        if (s->fd == fd)
            return s;
    }
    return NULL;
}

static struct dns_socket *socket_new(struct io_dns *d, int fd)
{
    struct dns_socket *s = dt_alloc_zero(d->host->alloc, sizeof *s);
    if (!s)
        return NULL;
    s->host = d->host;
    s->fd = fd;
    s->poll.data = s;
    if (uv_poll_init(&d->host->loop, &s->poll, fd)) {
        dt_alloc_free(d->host->alloc, s);
        return NULL;
    }
    dt_list_add(&d->sockets, &s->of_dns);
    return s;
}

/* Without memory for its poll a socket stays silent, and the question times out. */
static void on_socket_state(void *ctx, ares_socket_t fd, int readable, int writable)
{
    struct io_dns *d = ctx;
    struct dns_socket *s = socket_find(d, fd);
    if (!s && (readable || writable))
        s = socket_new(d, fd);
    if (!s)
        return;
    if (readable || writable) {
        uv_poll_start(&s->poll, (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0),
                      on_poll);
        return;
    }
    dt_list_del(&s->of_dns);
    uv_close((uv_handle_t *)&s->poll, on_closed);
}

/* ---- the channel ---- */

static struct timespec conf_time(void)
{
    struct stat st;
    return stat("/etc/resolv.conf", &st) == 0 ? st.st_mtim : (struct timespec){0, 0};
}

static void library_init(void)
{
    ares_library_init(ARES_LIB_INIT_ALL);
}

static bool channel_open(struct io_dns *d)
{
    static uv_once_t once = UV_ONCE_INIT;
    struct ares_options options = {.flags = ARES_FLAG_EDNS,
                                   .timeout = TIMEOUT_MS,
                                   .tries = TRIES,
                                   .ednspsz = 1232,
                                   .sock_state_cb = on_socket_state,
                                   .sock_state_cb_data = d};
    int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ |
               ARES_OPT_SOCK_STATE_CB;
    const char *servers = d->host->cfg.dns;
    uv_once(&once, library_init);
    d->conf_changed = conf_time();
    if (ares_init_options(&d->channel, &options, mask) != ARES_SUCCESS)
        return false;
    d->has_channel = true;
    if (servers && ares_set_servers_ports_csv(d->channel, servers) != ARES_SUCCESS) {
        dt__host_log(d->host, DT_LOG_ERROR, "dns: \"%s\" is not ip:port", servers);
        ares_destroy(d->channel);
        d->has_channel = false;
    }
    return d->has_channel;
}

static void channel_close(struct io_dns *d)
{
    if (!d->has_channel)
        return;
    d->has_channel = false;
    ares_destroy(d->channel); /* ends the questions under way with ARES_EDESTRUCTION */
    dt_host_timer_at(&d->timer, DT_TIME_NEVER);
}

/* A machine that moved to another network has other servers. */
static bool channel_is_old(const struct io_dns *d)
{
    struct timespec at = conf_time();
    return d->has_channel && d->n_queries == 0 && !d->host->cfg.dns &&
           (at.tv_sec != d->conf_changed.tv_sec || at.tv_nsec != d->conf_changed.tv_nsec);
}

static struct io_dns *get(struct dt_host *h)
{
    struct io_dns *d = h->dns;
    if (!d) {
        d = dt_alloc_zero(h->alloc, sizeof *d);
        if (!d)
            return NULL;
        d->host = h;
        dt_list_init(&d->sockets);
        dt_list_init(&d->queries);
        dt__timer_init(&d->timer, h, on_timer, d);
        h->dns = d;
    }
    if (channel_is_old(d))
        channel_close(d);
    return d->has_channel || channel_open(d) ? d : NULL;
}

void dt__dns_exit(struct dt_host *h)
{
    struct io_dns *d = h->dns;
    if (!d)
        return;
    channel_close(d);
    DT_LIST_EACH(e, &d->sockets)
    on_socket_state(d, DT_OF(e, struct dns_socket, of_dns)->fd, 0, 0);
    h->dns = NULL;
    dt_alloc_free(h->alloc, d);
}

/* ---- answers ---- */

/* To the node before the next poll; gives the query away. */
static void deliver(struct io_query *q, enum dt_dns_status status)
{
    if (!q->place) {
        dt__query_free(q);
        return;
    }
    q->answer.status = status;
    q->answer.records = q->parsed.records;
    q->answer.n = status == DT_DNS_FOUND ? q->parsed.n : 0;
    struct dt_input in = {.kind = DT_IN_DNS, .dns = &q->answer};
    dt__place_later(q->place, &in, NULL, q);
}

static enum dt_dns_status status_of(int status)
{
    switch (status) {
    case ARES_ENOTFOUND:
        return DT_DNS_NO_NAME;
    case ARES_ENODATA:
        return DT_DNS_NO_DATA;
    default:
        return DT_DNS_FAILED;
    }
}

static void on_answer(void *ctx, int status, int timeouts, unsigned char *message, int n)
{
    struct io_query *q = ctx;
    (void)timeouts;
    dt_list_del(&q->under_way);
    q->host->dns->n_queries--;
    if (status != ARES_SUCCESS) {
        deliver(q, status_of(status));
        return;
    }
    struct dt_str text = {(const char *)message, n > 0 ? (size_t)n : 0};
    if (dt_dns_parse(&q->parsed, text, q->answer.type))
        deliver(q, DT_DNS_FAILED);
    else
        deliver(q, q->parsed.n > 0 ? DT_DNS_FOUND : DT_DNS_NO_DATA);
}

/* ---- questions ---- */

static void add_ip(struct io_query *q, const void *ip, size_t n, uint32_t ttl)
{
    if (q->parsed.n == DT_DNS_RECORDS_MAX)
        return;
    struct dt_dns_record *r = &q->parsed.records[q->parsed.n++];
    *r = (struct dt_dns_record){.type = q->answer.type, .ttl = ttl};
    memcpy(r->ip, ip, n);
}

/* "localhost" and what ends in it never go to a server (RFC 6761 6.3). */
static bool answer_localhost(struct io_query *q, struct dt_str name)
{
    static const uint8_t v4[4] = {127, 0, 0, 1}, v6[16] = {[15] = 1};
    struct dt_str tail = dt_str_sub(name, name.n < 10 ? name.n : name.n - 10, 10);
    if (!dt_str_ieq(name, DT_STR("localhost")) && !dt_str_ieq(tail, DT_STR(".localhost")))
        return false;
    if (q->answer.type == DT_DNS_A)
        add_ip(q, v4, sizeof v4, UINT16_MAX);
    else if (q->answer.type == DT_DNS_AAAA)
        add_ip(q, v6, sizeof v6, UINT16_MAX);
    deliver(q, q->parsed.n > 0 ? DT_DNS_FOUND : DT_DNS_NO_DATA);
    return true;
}

/* What /etc/hosts says goes before the servers, as people expect. */
static bool answer_hosts(struct io_dns *d, struct io_query *q, const char *name)
{
    struct hostent *found = NULL;
    bool v6 = q->answer.type == DT_DNS_AAAA;
    if (!v6 && q->answer.type != DT_DNS_A)
        return false;
    if (ares_gethostbyname_file(d->channel, name, v6 ? AF_INET6 : AF_INET, &found) != ARES_SUCCESS)
        return false;
    for (char **ip = found->h_addr_list; *ip; ip++)
        add_ip(q, *ip, v6 ? 16 : 4, 60);
    ares_free_hostent(found);
    if (q->parsed.n == 0)
        return false;
    deliver(q, DT_DNS_FOUND);
    return true;
}

/* The name as a C string without the last dot; false if it can be none. */
static bool name_text(struct dt_str name, char out[NAME_SIZE])
{
    if (dt_str_ends(name, DT_STR(".")))
        name.n--;
    if (name.n == 0 || name.n >= NAME_SIZE || dt_str_find(name, '\0') < name.n)
        return false;
    memcpy(out, name.p, name.n);
    out[name.n] = '\0';
    return true;
}

void dt__dns_resolve(struct io_place *p, const struct dt_output *o)
{
    enum { CLASS_IN = 1 };
    char name[NAME_SIZE];
    struct dt_host *h = p->host;
    struct io_query *q = dt_alloc_zero(h->alloc, sizeof *q);
    if (!q)
        return; /* lost, as a packet would be */
    q->host = h;
    q->place = p;
    q->answer = (struct dt_dns_answer){.id = o->dns_id, .type = o->dns_type};
    bool is_name = name_text(o->text, name);
    if (is_name && answer_localhost(q, dt_str_z(name)))
        return;
    struct io_dns *d = is_name ? get(h) : NULL;
    if (!d || d->n_queries >= QUESTIONS_MAX) {
        deliver(q, is_name ? DT_DNS_FAILED : DT_DNS_NO_NAME);
        return;
    }
    if (answer_hosts(d, q, name))
        return;
    dt_list_add(&d->queries, &q->under_way);
    d->n_queries++;
    ares_query(d->channel, name, CLASS_IN, (int)o->dns_type, on_answer, q);
    set_timer(d);
}

void dt__dns_forget(struct io_place *p)
{
    if (!p->host->dns)
        return;
    DT_LIST_EACH(e, &p->host->dns->queries)
    {
        struct io_query *q = DT_OF(e, struct io_query, under_way);
        if (q->place == p)
            q->place = NULL;
    }
}
