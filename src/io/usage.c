/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What other processes have used, from /proc. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/burst.h"

/* The first number of schedstat: ns on a processor. False: not there (any more). */
static bool add_thread(int pid, const char *tid, int64_t *cpu)
{
    char path[320];
    long long ns = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", pid, tid);
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    bool good = fscanf(f, "%lld", &ns) == 1;
    fclose(f);
    *cpu += ns;
    return good;
}

static bool add_cpu(int pid, int64_t *cpu)
{
    char path[64];
    bool found = false;
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *dir = opendir(path);
    if (!dir)
        return false;
    for (struct dirent *e; (e = readdir(dir));)
        if (e->d_name[0] != '.' && add_thread(pid, e->d_name, cpu))
            found = true;
    closedir(dir);
    return found;
}

static bool add_memory(int pid, int64_t *memory)
{
    char path[64], line[256];
    long long kib = -1;
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    while (kib < 0 && fgets(line, sizeof line, f))
        if (strncmp(line, "Pss:", 4) == 0)
            kib = strtoll(line + 4, NULL, 10);
    fclose(f);
    *memory += kib * 1024;
    return kib >= 0;
}

int dt_usage_read(struct dt_usage *out, const int *pids, size_t n, size_t *which)
{
    *out = (struct dt_usage){0};
    for (size_t i = 0; i < n; i++) {
        *which = i;
        if (!add_cpu(pids[i], &out->cpu) || !add_memory(pids[i], &out->memory))
            return DT_E_ABSENT;
    }
    return DT_OK;
}
