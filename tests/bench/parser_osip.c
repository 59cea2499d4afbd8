/* SPDX-License-Identifier: BSD-2-Clause
 *
 * GNU oSIP (libosip2-dev): osip_message_parse takes all headers that it knows apart and copies each
 * part; there is no lazier way. Max-Forwards is a header that it does not know: its number is read
 * here. To forward, the parts are edited as a proxy over oSIP does, what does not change being
 * cloned, and osip_message_to_str writes all of them anew. */
#include <stdlib.h>
#include <string.h>

#include <sys/time.h>
#include <osipparser2/osip_parser.h>

#include "parser.h"

static osip_uri_t *new_uri;
static osip_via_t *new_via;
static osip_record_route_t *new_route;

void bench_start(void)
{
    if (parser_init() || osip_uri_init(&new_uri) || osip_uri_parse(new_uri, BENCH_URI) ||
        osip_via_init(&new_via) || osip_via_parse(new_via, BENCH_VIA) ||
        osip_record_route_init(&new_route) ||
        osip_record_route_parse(new_route, BENCH_RECORD_ROUTE))
        abort();
}

static osip_message_t *parse(struct bench_text text)
{
    osip_message_t *m;
    if (osip_message_init(&m))
        return NULL;
    if (osip_message_parse(m, text.p, text.n) == OSIP_SUCCESS)
        return m;
    osip_message_free(m);
    return NULL;
}

static unsigned long max_forwards(const osip_message_t *m, osip_header_t **h)
{
    return osip_message_get_max_forwards(m, 0, h) < 0 ? 0 : strtoul((*h)->hvalue, NULL, 10);
}

static size_t length(const char *z)
{
    return z ? strlen(z) : 0;
}

static size_t tag(osip_from_t *f)
{
    osip_generic_param_t *p = NULL;
    return osip_from_get_tag(f, &p) || !p ? 0 : length(p->gvalue);
}

static void tell(osip_message_t *m, unsigned long hops, struct bench_found *f)
{
    osip_via_t *via = osip_list_get(&m->vias, 0);
    osip_route_t *route = osip_list_get(&m->routes, 0);
    osip_contact_t *contact = osip_list_get(&m->contacts, 0);
    osip_generic_param_t *branch = NULL;
    osip_via_param_get_byname(via, "branch", &branch);
    *f = (struct bench_found){
        .vias = (unsigned)osip_list_size(&m->vias),
        .routes = (unsigned)osip_list_size(&m->routes),
        .record_routes = (unsigned)osip_list_size(&m->record_routes),
        .contacts = (unsigned)osip_list_size(&m->contacts),
        .credentials = (unsigned)osip_list_size(&m->proxy_authorizations),
        .cseq = strtoul(m->cseq->number, NULL, 10),
        .max_forwards = hops,
        .content_length = strtoul(m->content_length->value, NULL, 10),
        .method = length(m->sip_method),
        .uri_user = length(m->req_uri->username),
        .uri_host = length(m->req_uri->host),
        .via_host = length(via->host),
        .branch = length(branch->gvalue),
        .route_host = length(route->url->host),
        .from_user = length(m->from->url->username),
        .from_tag = tag(m->from),
        .to_host = length(m->to->url->host),
        .to_tag = tag(m->to),
        .call_id = length(m->call_id->number) + 1 + length(m->call_id->host),
        .contact_user = length(contact->url->username),
    };
}

__attribute__((noinline)) bool bench_parse(struct bench_text text, struct bench_found *found)
{
    osip_message_t *m = parse(text);
    osip_header_t *h;
    if (!m)
        return false;
    unsigned long hops = max_forwards(m, &h);
    if (found)
        tell(m, hops, found);
    osip_message_free(m);
    return hops > 0;
}

/* Max-Forwards is kept as text. */
static bool count_hop(osip_message_t *m)
{
    osip_header_t *h;
    unsigned long hops = max_forwards(m, &h);
    if (!hops || hops > 255)
        return false;
    char *text = osip_malloc(4);
    hops--;
    size_t n = 0;
    if (hops > 99)
        text[n++] = (char)('0' + hops / 100);
    if (hops > 9)
        text[n++] = (char)('0' + hops / 10 % 10);
    text[n++] = (char)('0' + hops % 10);
    text[n] = '\0';
    osip_free(h->hvalue);
    h->hvalue = text;
    return true;
}

static bool edit(osip_message_t *m)
{
    osip_uri_t *uri;
    osip_via_t *via;
    osip_record_route_t *route;
    if (!count_hop(m) || osip_uri_clone(new_uri, &uri))
        return false;
    osip_uri_free(m->req_uri);
    osip_message_set_uri(m, uri);
    if (osip_via_clone(new_via, &via) || osip_list_add(&m->vias, via, 0) < 0 ||
        osip_record_route_clone(new_route, &route) ||
        osip_list_add(&m->record_routes, route, 0) < 0)
        return false;
    osip_message_force_update(m);
    return true;
}

__attribute__((noinline)) size_t bench_forward(struct bench_text text, char *out, size_t cap)
{
    osip_message_t *m = parse(text);
    char *wire = NULL;
    size_t n = 0;
    if (!m)
        return 0;
    if (!edit(m) || osip_message_to_str(m, &wire, &n) != OSIP_SUCCESS)
        n = 0;
    if (out && n < cap)
        memcpy(out, wire, n);
    osip_free(wire);
    osip_message_free(m);
    return n;
}
