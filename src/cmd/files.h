/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The configuration files that were read: where an option stands in them, for what only the whole
 * can tell to be wrong; and what else commands do with values of theirs. */
#ifndef CMD_FILES_H
#define CMD_FILES_H

#include "dualtone/conf.h"

enum { DT_CMD_FILES_MAX = 16 };

struct dt_cmd_files {
    struct {
        struct dt_bytes *path, *text;
    } file[DT_CMD_FILES_MAX];
    size_t n;
};

/* Keeps both, as copies or references of its own; past the bound, or without memory, nothing. */
void dt_cmd_files_add(struct dt_cmd_files *f, struct dt_str path, struct dt_bytes *text);
void dt_cmd_files_clear(struct dt_cmd_files *f);
/* Adds what `found` holds to `to`. Each begins with its option's name (behind its place, if it has
 * one) and gets the place that counts: the command line if `sets` (name, value pairs; NULL: none)
 * has it, else the last line of the files that sets it, else `otherwise`. */
void dt_cmd_files_place(const struct dt_cmd_files *f, const struct dt_str_list *sets,
                        const struct dt_problems *found, struct dt_place otherwise,
                        struct dt_problems *to);

/* Name servers (numbers, "ADDRESS" or "ADDRESS:PORT"; others are left out) as struct dt_host_config
 * wants them, in `out`; NULL if there are none. */
const char *dt_cmd_dns(const struct dt_str *servers, size_t n, char *out, size_t size);

#endif
