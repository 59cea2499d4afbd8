/* SPDX-License-Identifier: BSD-2-Clause */
#include "proxy/echo.h"

enum { SIP_PORT = 5060, MAC_DIGITS = 16 };

/* Both sides reduce the Via below to what it stands for: who wrote it, and where its response goes;
 * so a callee may write it with other blanks or in another order. */
static uint64_t mac(const uint64_t key[2], char flag, struct dt_str branch,
                    const struct dt_via *below, const struct dt_addr *to)
{
    struct dt_siphash h;
    dt_siphash_init(&h, key);
    dt_siphash_add_str(&h, DT_STR("dv"));
    dt_siphash_add_str(&h, (struct dt_str){&flag, 1});
    dt_siphash_add_str(&h, branch);
    dt_siphash_add_str(&h, below->sent_by);
    dt_siphash_add_str(&h, below->branch);
    dt_siphash_add(&h, to, sizeof *to); /* unused bytes of an address are zero */
    return dt_siphash_end(&h);
}

/* dt_via_response_addr of the Via as dt_sip_write_via writes it. */
static struct dt_addr response_addr(const struct dt_via *below, const struct dt_addr *source)
{
    struct dt_addr to = *source;
    if (!below->has_rport)
        to.port = below->port ? below->port : SIP_PORT;
    return to;
}

void dt__echo_make(struct dt_echo *out, const uint64_t key[2], bool forked, struct dt_str branch,
                   const struct dt_via *below, const struct dt_addr *source)
{
    struct dt_addr to = response_addr(below, source);
    struct dt_writer w = dt_writer(out->text, sizeof out->text);
    dt_write_char(&w, forked ? 'n' : '1');
    dt_write_char(&w, '.');
    dt_write_hex(&w, mac(key, out->text[0], branch, below, &to), MAC_DIGITS);
}

bool dt__echo_check(const struct dt_keyring *keys, const struct dt_via *ours,
                    const struct dt_via *below, bool *forked, struct dt_addr *to)
{
    struct dt_str dv;
    uint64_t got;
    bool good = false;
    if (!dt_param(ours->params, "dv", &dv) || dv.n != DT_ECHO_N || dv.p[1] != '.' ||
        (dv.p[0] != '1' && dv.p[0] != 'n') || dt__read_hex(dt_str_sub(dv, 2, dv.n), &got) ||
        dt_via_response_addr(below, to))
        return false;
    for (size_t i = 0; i < keys->n; i++)
        good |= (mac(keys->key[i], dv.p[0], ours->branch, below, to) ^ got) == 0;
    *forked = dv.p[0] == 'n';
    return good;
}
