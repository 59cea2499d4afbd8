/* SPDX-License-Identifier: BSD-2-Clause */
#include "trace/record.h"

#include "dualtone/msg.h"

#include <string.h>

static void put(char *out, size_t size, struct dt_str s)
{
    size_t n = s.n < size - 1 ? s.n : size - 1;
    memcpy(out, s.p, n);
    out[n] = '\0';
}

/* "200 OK (BYE)": the method is named where a plain status would not say what it answers. */
static void response_label(struct dt_label *out, const struct dt_sip_msg *m)
{
    struct dt_writer w = dt_writer(out->text, sizeof out->text - 1);
    dt_write_u64(&w, (uint64_t)m->status);
    dt_write_char(&w, ' ');
    dt_write(&w, m->reason);
    if (m->status >= 200 && strcmp(out->method, "INVITE") != 0) {
        dt_write_lit(&w, " (");
        dt_write_z(&w, out->method);
        dt_write_char(&w, ')');
    }
    out->text[w.n] = '\0';
}

void dt_label_of(struct dt_label *out, struct dt_str message)
{
    struct dt_sip_header headers[DT_MSG_HEADERS_MAX];
    struct dt_sip_msg m;
    memset(out, 0, sizeof *out);
    (void)dt_sip_parse(&m, message, headers, DT_MSG_HEADERS_MAX);
    if (!m.request && m.status == 0) {
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
