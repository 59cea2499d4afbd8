/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dualtone demo: what is seen while it happens, a line each. */
#include "cmd/demo.h"

#include "trace/ladder.h"

#include <stdio.h>

enum { SCREEN_COLUMN = 34, LINE_SIZE = 400 };

static void tell_setting_up(const struct dt_record *r, const struct dt_record_item *it)
{
    bool registered = it->kind == DT_REC_EVENT && it->event == DT_EV_REGISTRATION;
    bool ready = it->kind == DT_REC_EVENT && it->event == DT_EV_READY;
    if (it->who >= r->n_parties || (!registered && !ready))
        return;
    printf("           %s: %.*s\n", r->parties[it->who].name,
           DT_FMT(ready ? DT_STR("ready") : dt_bytes_str(it->bytes)));
}

/* SIP but for probes (R18): they are no part of the call. */
static bool is_call(struct dt_str message)
{
    struct dt_label label;
    dt_label_of(&label, message);
    return label.sip && !dt_str_eq(dt_str_z(label.method), DT_STR("OPTIONS"));
}

static bool worth_telling(const struct dt_record_item *it)
{
    if (it->kind == DT_REC_SENT)
        return is_call(dt_bytes_str(it->bytes));
    return it->kind == DT_REC_COMMAND || it->kind == DT_REC_FAULT ||
           (it->kind == DT_REC_EVENT && (it->event == DT_EV_SCREEN || it->event == DT_EV_PROBLEM) &&
            it->bytes && it->bytes->n > 0);
}

/* A screen as a person sees it, apart from the messages. */
static void tell_screen(const struct demo_stage *s, const struct dt_record *r,
                        const struct dt_record_item *it)
{
    int64_t ms = (it->at - s->zero) / DT_MS;
    printf("%4lld.%03lld  %-*s[ %s | %-30.*s ]\n", (long long)(ms / 1000), (long long)(ms % 1000),
           SCREEN_COLUMN, "", r->parties[it->who].name, DT_FMT(dt_bytes_str(it->bytes)));
}

static void tell_item(const struct demo_stage *s, const struct dt_record *r,
                      const struct dt_record_item *it)
{
    char text[LINE_SIZE];
    struct dt_writer w = dt_writer(text, sizeof text - 1);
    if (it->kind == DT_REC_EVENT && it->event == DT_EV_SCREEN && it->who < r->n_parties) {
        tell_screen(s, r, it);
        return;
    }
    dt_ladder_line(r, it, s->zero, &w);
    text[w.n] = '\0';
    printf("%s\n", text);
}

void dt__cmd_demo_tell(void *stage, const struct dt_record *r, const struct dt_record_item *it)
{
    struct demo_stage *s = stage;
    bool done = it->kind == DT_REC_FAULT || it->kind == DT_REC_COMMAND;
    bool dials =
        it->kind == DT_REC_COMMAND && dt_str_starts(dt_bytes_str(it->bytes), DT_STR("dial"));
    if (dials || (done && !s->began))
        s->zero = it->at;
    s->began = s->began || done;
    if (!s->began)
        tell_setting_up(r, it);
    else if (worth_telling(it))
        tell_item(s, r, it);
    fflush(stdout);
}
