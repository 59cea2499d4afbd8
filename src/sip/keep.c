/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A parsed message kept beyond the buffer that it was parsed in: one allocation that holds the
 * message, its index and its text; every slice moves along. */
#include <string.h>

#include "dualtone/containers.h"
#include "dualtone/msg.h"

struct kept {
    const struct dt_alloc *alloc;
    struct dt_sip_msg m;
    struct dt_sip_header headers[]; /* then the text, then DT_PAD zero bytes */
};

/* Where each slice of a message lies in its struct. */
#define AT(field) offsetof(struct dt_sip_msg, field)
#define URI(u) \
    AT(u.text), AT(u.scheme_text), AT(u.user), AT(u.password), AT(u.host), AT(u.params), \
        AT(u.headers)
#define NAME_ADDR(a) AT(a.text), AT(a.display), URI(a.uri), AT(a.params), AT(a.tag)
static const uint16_t slices[] = {
    AT(text),       AT(method_text),      AT(uri_text),    AT(reason),      AT(body),
    AT(via.text),   AT(via.transport),    AT(via.sent_by), AT(via.host),    AT(via.params),
    AT(via.branch), AT(via.received),     AT(via.rport),   NAME_ADDR(from), NAME_ADDR(to),
    AT(call_id),    AT(cseq.method_text), URI(uri),
};

static void move_slices(struct dt_sip_msg *m, const char *from, const char *to)
{
    for (size_t i = 0; i < sizeof slices / sizeof slices[0]; i++) {
        struct dt_str *s = (struct dt_str *)(void *)((char *)m + slices[i]);
        if (s->p)
            s->p = to + (s->p - from);
    }
}

struct dt_sip_msg *dt_sip_msg_keep(const struct dt_alloc *a, const struct dt_sip_msg *m)
{
    size_t index = m->n * sizeof m->headers[0];
    struct kept *k = dt_alloc_zero(a, sizeof *k + index + m->text.n + DT_PAD);
    if (!k)
        return NULL;
    char *text = (char *)k->headers + index;
    k->alloc = a;
    k->m = *m;
    k->m.headers = k->headers;
    k->m.cap = m->n;
    if (index)
        memcpy(k->headers, m->headers, index);
    if (m->text.n)
        memcpy(text, m->text.p, m->text.n);
    move_slices(&k->m, m->text.p, text);
    return &k->m;
}

void dt_sip_msg_drop(struct dt_sip_msg *m)
{
    if (!m)
        return;
    struct kept *k = DT_OF(m, struct kept, m);
    dt_alloc_free(k->alloc, k);
}
