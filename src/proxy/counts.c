/* SPDX-License-Identifier: BSD-2-Clause */
#include "proxy/counts.h"

static const char *const group_names[DT_COUNT_GROUPS] = {"forwarded", "answered", "dropped"};

static const struct {
    enum dt_count_group group;
    const char *name;
} rows[DT_PROXY_COUNT_N] = {
#define X(group, id) {DT_COUNT_##group, #id},
    DT_PROXY_COUNTS(X)
#undef X
};

const char *dt__count_name(enum dt_proxy_count c)
{
    return rows[c].name;
}

uint64_t dt__count_sum(const struct dt_proxy_counts_table *t, enum dt_count_group group)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < DT_PROXY_COUNT_N; i++)
        if (rows[i].group == group)
            sum += t->rows[i];
    return sum;
}

void dt__counts_write(const struct dt_proxy_counts_table *t, struct dt_writer *w)
{
    dt_writef(w, "in %llu\n", (unsigned long long)t->in);
    for (int g = 0; g < DT_COUNT_GROUPS; g++)
        dt_writef(w, "%s %llu\n", group_names[g],
                  (unsigned long long)dt__count_sum(t, (enum dt_count_group)g));
    for (size_t i = 0; i < DT_PROXY_COUNT_N; i++)
        dt_writef(w, "%s.%s %llu\n", group_names[rows[i].group], rows[i].name,
                  (unsigned long long)t->rows[i]);
}
