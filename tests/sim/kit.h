/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the tests of flows share. */
#ifndef SIM_KIT_H
#define SIM_KIT_H

#include "testkit.h"

#include "flow/flow.h"
#include "flow/library.h"

/* Parses a flow's text; fails the test if it is not well formed. */
static inline struct dt_flow *kit_flow(const struct dt_alloc *a, const char *name,
                                       struct dt_str text)
{
    struct dt_problem problem;
    struct dt_problems problems = {.list = &problem, .cap = 1};
    struct dt_flow *f = NULL;
    if (dt_flow_parse(a, dt_str_z(name), text, &problems, &f))
        fail_msg("%s", problem.text);
    return f;
}

/* The text of a flow that ships with the program. */
static inline struct dt_str kit_flow_text(const char *name)
{
    for (size_t i = 0; i < dt_flow_files_n; i++)
        if (dt_str_eq(dt_str_z(dt_flow_files[i].name), dt_str_z(name)))
            return (struct dt_str){dt_flow_files[i].text, dt_flow_files[i].n};
    fail_msg("no flow %s", name);
    return DT_STR_NONE;
}

/* Prints the ladder of a run that did not go as it should. */
static inline void kit_show(const struct dt_flow *f, const struct dt_flow_options *o,
                            const struct dt_flow_result *r)
{
    static char text[1 << 20];
    struct dt_writer w = dt_writer(text, sizeof text);
    dt_flow_draw(f, o, r, &w);
    print_message("%.*s\n", DT_FMT(dt_writer_str(&w)));
}

#endif
