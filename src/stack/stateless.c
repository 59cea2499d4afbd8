/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Answers that leave no trace here: to malformed requests, and at a limit. */
#include "stack/private.h"

enum { AMPLIFICATION_MAX = 3 }; /* I30 */

struct dt_str dt__answer_tag(const struct dt_stack *s, const struct dt_sip_msg *m, char buf[16])
{
    struct dt_siphash h;
    struct dt_writer w = dt_writer(buf, 16);
    dt_siphash_init(&h, s->check_key);
    /* Copies by twins are one request: they differ in sent-by, not in branch (R7). */
    bool has_branch = m->checked && m->via.branch.n > 0;
    dt_siphash_add_str(&h, has_branch ? m->via.branch : dt_sip_get(m, DT_H_VIA));
    dt_siphash_add_str(&h, dt_sip_get(m, DT_H_CALL_ID));
    dt_write_hex(&w, dt_siphash_end(&h), 16);
    return dt_writer_str(&w);
}

void dt__write_extra(const struct dt_stack *s, struct dt_writer *w, struct dt_str extra)
{
    if (s->cfg.server_name)
        dt_sip_write_header(w, DT_H_SERVER, dt_str_z(s->cfg.server_name));
    dt_write(w, extra);
}

static bool top_via(const struct dt_sip_msg *m, struct dt_via *out)
{
    struct dt_sip_values values = dt_sip_values(m, DT_H_VIA);
    struct dt_str value;
    return dt_sip_values_next(&values, &value) && dt_sip_via(out, value) == DT_OK;
}

static bool send_answer(struct dt_stack *s, dt_time now, const struct dt_sip_msg *m,
                        const struct dt_hop *from, const struct dt_sip_answer *ans)
{
    struct dt_bytes *bytes;
    struct dt_hop to = *from;
    if (dt_sip_answer(m, ans, s->env->alloc, &bytes))
        return false;
    bool fits = dt__is_reliable(from) || bytes->n <= AMPLIFICATION_MAX * m->text.n;
    to.remote.port = dt__reply_port(&m->via, from);
    if (fits)
        (void)dt__send(s, now, &to, bytes);
    dt_bytes_drop(bytes);
    return fits;
}

bool dt__refuse(struct dt_stack *s, dt_time now, const struct dt_sip_msg *m,
                const struct dt_hop *from, int status, struct dt_str reason, struct dt_str extra)
{
    char tag[16], lines[256];
    struct dt_sip_msg copy = *m; /* one with a fault may lack its Via */
    struct dt_writer w = dt_writer(lines, sizeof lines);
    if (!m->request || m->method == DT_ACK || !top_via(m, &copy.via))
        return false;
    dt__write_extra(s, &w, extra);
    return send_answer(s, now, &copy, from,
                       &(struct dt_sip_answer){
                           .status = status,
                           .reason = reason,
                           .to_tag = dt__answer_tag(s, m, tag),
                           .extra = w.err ? extra : dt_writer_str(&w),
                           .source = &from->remote,
                       });
}

void dt__malformed(struct dt_stack *s, dt_time now, const struct dt_sip_msg *m,
                   const struct dt_hop *from, int status)
{
    bool by_fault = !status;
    struct dt_str phrase = DT_STR_NONE;
    if (by_fault) {
        status = dt_sip_fault_status(m->fault);
        phrase = dt_str_z(dt_sip_fault_phrase(m->fault));
    }
    s->counts.malformed++;
    if (dt__refuse(s, now, m, from, status, phrase, DT_STR_NONE))
        s->counts.answered_malformed++;
    dt__dropped(s, now, from,
                by_fault ? dt_sip_fault_phrase(m->fault) : "message too large or its end unknown");
}
