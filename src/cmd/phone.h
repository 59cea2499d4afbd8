/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of `dualtone phone` share. */
#ifndef CMD_PHONE_H
#define CMD_PHONE_H

#include "cmd/command.h"
#include "cmd/files.h"
#include "cmd/trace.h"
#include "io/audio.h"
#include "io/control.h"
#include "io/host.h"
#include "io/io.h"
#include "phone/media.h"
#include "phone/phone.h"

enum { PHONE_UI_PLAIN, PHONE_UI_NONE };

struct phone_options {
    struct dt_str_list config, set;
    struct dt_str config_dir, mac, listen, audio, trace, memory, run_folder, run_name;
    int64_t ui, log;
};

struct phone_program {
    struct phone_options *options;
    struct dt_cmd_files files;
    struct dt_conf conf; /* owns the texts of `cfg` */
    struct dt_phone_config cfg;
    struct dt_addr local;
    struct dt_audio audio;
    struct dt_cmd_trace trace;
    struct dt_log log;
    struct dt_env env, media_env; /* one a thread */
    struct dt_phone *phone;
    struct dt_media *media;
    struct dt_host *host, *media_host;
    char dns[256]; /* name servers; the host keeps a pointer */
    struct dt_io_lines *lines;
    struct dt_control *control; /* NULL: nobody can ask why */
    int node;
    bool typed; /* standard input is a terminal */
    bool ready;
    struct dt_bytes **waiting; /* lines that came before the phone was ready */
    size_t n_waiting;
    unsigned signals;
    int exit_code;
};

/* phone_setup.c */
/* Reads the files, then --set and the options of the tables; prints what is wrong. An exit code. */
int dt__cmd_phone_configure(struct phone_program *g, const struct dt_cmd_line *line);
/* DT_OK, or an error with a sentence in `err`. */
int dt__cmd_phone_audio(struct phone_program *g, char *err, size_t err_size);
int dt__cmd_phone_local(struct phone_program *g, char *err, size_t err_size);
/* --memory: what an earlier run wrote goes to the phone; `text` is written for the next one. */
void dt__cmd_phone_recall(struct phone_program *g);
void dt__cmd_phone_keep(struct phone_program *g, struct dt_str text);

#endif
