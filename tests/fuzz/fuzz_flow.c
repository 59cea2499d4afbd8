/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any text as a flow file: it is well formed or each problem has a place inside it; what is well
 * formed names only parties that there are. */
#include "fuzz.h"
#include "flow/flow.h"

static void check_step(const struct dt_flow *f, const struct dt_flow_step *s)
{
    int n = (int)f->n_parties;
    must(s->party < n && s->to < n && s->count >= 1 && s->line >= 1);
    must(s->n_times <= DT_FLOW_TIMES_MAX && s->n_has <= DT_FLOW_HAS_MAX);
    must((s->kind == DT_FLOW_WAIT) == (s->party < 0));
    must((s->kind == DT_FLOW_MESSAGE) == (s->to >= 0));
    must(!s->block || s->kind == DT_FLOW_MESSAGE);
}

static unsigned count_lines(struct dt_str text)
{
    unsigned n = 1;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dt_problem list[8];
    struct dt_problems problems = {.list = list, .cap = 8};
    struct dt_str text = {(const char *)data, size};
    struct dt_flow *f = NULL;
    int err = dt_flow_parse(&dt_alloc_libc, DT_STR("f"), text, &problems, &f);
    must((err == DT_OK) == (f != NULL) && (err == DT_E_SYNTAX) == (problems.n > 0));
    for (size_t i = 0; i < problems.n && i < problems.cap; i++)
        must(list[i].place.line >= 1 && list[i].place.line <= count_lines(text) &&
             list[i].place.column >= 1);
    if (!f)
        return 0;
    must(f->name.n > 0 && f->n_steps > 0);
    for (size_t i = 0; i < f->n_steps; i++)
        check_step(f, &f->steps[i]);
    dt_flow_free(f);
    return 0;
}
