/* SPDX-License-Identifier: BSD-2-Clause */
#include "trace/record.h"

#include "dualtone/msg.h"

#include <string.h>

/* What does not fit is cut; what would move a cursor is a question mark. */
static void put(char *out, size_t size, struct dt_str s)
{
    size_t n = s.n < size - 1 ? s.n : size - 1;
    for (size_t i = 0; i < n; i++)
        out[i] = s.p[i] >= ' ' && s.p[i] <= '~' ? s.p[i] : '?';
    out[n] = '\0';
}

/* "200 OK (BYE)": the method is named where a plain status would not say what it answers. */
static void response_label(struct dt_label *out, const struct dt_sip_msg *m)
{
    char text[sizeof out->text];
    struct dt_writer w = dt_writer(text, sizeof text);
    bool named = m->status >= 200 && out->method[0] && strcmp(out->method, "INVITE") != 0;
    size_t behind = named ? strlen(out->method) + strlen(" ()") : 0;
    dt_write_u64(&w, (uint64_t)m->status);
    if (m->reason.n > 0)
        dt_write_char(&w, ' ');
    dt_write(&w, dt_str_sub(m->reason, 0, sizeof text - 1 - w.n - behind));
    if (named)
        dt_writef(&w, " (%s)", out->method);
    put(out->text, sizeof out->text, dt_writer_str(&w));
}

void dt_label_of(struct dt_label *out, struct dt_str message)
{
    struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    struct dt_sip_msg m;
    memset(out, 0, sizeof *out);
    (void)dt_sip_parse(&m, message, headers, DT_MSG_HEADERS_MAX);
    struct dt_str first = dt_str_sub(message, 0, dt_str_find(message, '\n'));
    bool sip = dt_str_search(first, DT_STR("SIP/")) < first.n;
    if (!sip || (!m.request && m.status == 0)) {
        put(out->text, sizeof out->text,
            message.n > 1 && (message.p[0] & 0xc0) == 0x80 ? DT_STR("RTP") : DT_STR("(no SIP)"));
        return;
    }
    out->sip = true;
    out->request = m.request;
    out->status = m.status;
    struct dt_cseq cseq;
    if (m.request)
        put(out->method, sizeof out->method, m.method_text);
    else if (dt_sip_cseq(&cseq, dt_sip_get(&m, DT_H_CSEQ)) == DT_OK)
        put(out->method, sizeof out->method, cseq.method_text);
    if (m.request)
        put(out->text, sizeof out->text, m.method_text);
    else
        response_label(out, &m);
}
