/* SPDX-License-Identifier: BSD-2-Clause */
#include "proxy/copy.h"
#include "proxy/work.h"

static const char *const kinds[] = {"binding", "join", "filled", "unfilled", "new"};

static void add_number(struct dt_siphash *h, uint64_t v)
{
    char text[16];
    struct dt_writer w = dt_writer(text, sizeof text);
    dt_write_hex(&w, v, sizeof text);
    dt_siphash_add_str(h, dt_writer_str(&w));
}

static uint64_t mac_of(const uint64_t key[2], const struct dt_copy *c)
{
    const struct dt_str texts[] = {c->aor, c->call_id, c->path, c->contact.uri,
                                   c->contact.instance};
    const uint64_t numbers[] = {c->number, c->sent,      c->boot,
                                c->cseq,   c->contact.q, c->contact.expires};
    struct dt_siphash h;
    dt_siphash_init(&h, key);
    dt_siphash_add_str(&h, DT_STR("copy"));
    dt_siphash_add_str(&h, dt_str_z(kinds[c->kind]));
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        dt_siphash_add_str(&h, texts[i]);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        add_number(&h, numbers[i]);
    return dt_siphash_end(&h);
}

/* ---- writing ---- */

/* The AOR is kept unescaped; in a URI what is not plain is escaped. */
static void write_aor(struct dt_writer *w, struct dt_str aor)
{
    size_t at = aor.n;
    while (at && aor.p[at - 1] != '@')
        at--;
    for (size_t i = 0; i < aor.n; i++) {
        char ch = aor.p[i];
        bool plain = i < 4 || i + 1 >= at || dt_is_digit(ch) || dt_is_alpha(ch);
        if (plain) {
            dt_write_char(w, ch);
        } else {
            dt_write_char(w, '%');
            dt_write_hex(w, (unsigned char)ch, 2);
        }
    }
}

static void write_contact(struct dt_writer *w, const struct dt_copy *c)
{
    if (dt_str_eq(c->contact.uri, DT_STR("*"))) {
        dt_write_lit(w, "Contact: *\r\nExpires: 0\r\n");
        return;
    }
    dt_write_lit(w, "Contact: <");
    dt_write(w, c->contact.uri);
    dt_writef(w, ">;expires=%u", (unsigned)c->contact.expires);
    if (c->contact.q < DT_Q_MAX)
        dt_writef(w, ";q=0.%03u", (unsigned)c->contact.q);
    if (c->contact.instance.n) {
        dt_write_lit(w, ";+sip.instance=");
        dt_write_quoted(w, c->contact.instance);
    }
    dt_write_lit(w, "\r\n");
    if (c->path.n)
        dt_sip_write_header(w, DT_H_PATH, c->path);
}

static void write_head(struct dt_writer *w, const struct dt_proxy *p, const struct dt_copy *c,
                       const char *method, unsigned transport, struct dt_str branch)
{
    struct dt_str domain = p->cfg->domain;
    dt_writef(w, "%s sip:%.*s SIP/2.0\r\n", method, DT_FMT(domain));
    dt_writef(w, "Via: SIP/2.0/%s %.*s;branch=%.*s;rport\r\n", transport == DT_TCP ? "TCP" : "UDP",
              DT_FMT(dt__self_sent_by(&p->self, transport)), DT_FMT(branch));
    dt_writef(w, "Max-Forwards: 1\r\nFrom: <sip:%.*s>;tag=copy\r\nTo: <", DT_FMT(domain));
    if (c->kind == DT_PAIR_BINDING)
        write_aor(w, c->aor);
    else
        dt_writef(w, "sip:%.*s", DT_FMT(domain));
    dt_write_lit(w, ">\r\n");
    dt_sip_write_header(w, DT_H_CALL_ID, c->call_id);
    dt_sip_write_headerf(w, DT_H_CSEQ, "%u %s", (unsigned)c->cseq, method);
}

struct dt_bytes *dt__copy_write(const struct dt_proxy *p, const struct dt_copy *c,
                                unsigned transport, struct dt_str branch)
{
    bool binding = c->kind == DT_PAIR_BINDING;
    struct dt_bytes *b = dt_bytes_new(
        p->env->alloc, 1024 + 3 * c->aor.n + c->call_id.n + c->path.n + c->contact.uri.n +
                           2 * c->contact.instance.n + 4 * p->cfg->domain.n);
    if (!b)
        return NULL;
    struct dt_writer w = dt_writer(b->data, b->cap);
    write_head(&w, p, c, binding ? "REGISTER" : "OPTIONS", transport, branch);
    if (binding)
        write_contact(&w, c);
    dt_sip_write_headerf(&w, DT_H_DUALTONE_COPY, "%s %llu %llu %u %016llx", kinds[c->kind],
                         (unsigned long long)c->number, (unsigned long long)c->sent,
                         (unsigned)c->boot, (unsigned long long)mac_of(p->key, c));
    dt_sip_write_body(&w, DT_STR_NONE, DT_STR_NONE);
    b->n = (uint32_t)w.n;
    if (!w.err)
        return b;
    dt_bytes_drop(b);
    return NULL;
}

/* ---- reading ---- */

bool dt__copy_read(struct dt_copy *c, struct dt_str value)
{
    struct dt_reader r = dt_reader(value);
    uint64_t boot = 0;
    struct dt_str kind = dt_reader_until(&r, ' ');
    size_t i = 0;
    while (i < sizeof kinds / sizeof kinds[0] && !dt_str_eq(kind, dt_str_z(kinds[i])))
        i++;
    c->kind = (enum dt_pair_kind)i;
    bool good = i < sizeof kinds / sizeof kinds[0] && dt_reader_char(&r, ' ') &&
                !dt_reader_u64(&r, INT64_MAX, &c->number) && dt_reader_char(&r, ' ') &&
                !dt_reader_u64(&r, INT64_MAX, &c->sent) && dt_reader_char(&r, ' ') &&
                !dt_reader_u64(&r, UINT32_MAX, &boot) && dt_reader_char(&r, ' ') &&
                !dt__read_hex(dt_reader_rest(&r), &c->mac);
    c->boot = (uint32_t)boot;
    return good;
}

bool dt__copy_is_genuine(const struct dt_keyring *keys, const struct dt_copy *c)
{
    bool good = false;
    for (size_t i = 0; i < keys->n; i++)
        good |= (mac_of(keys->key[i], c) ^ c->mac) == 0;
    return good;
}
