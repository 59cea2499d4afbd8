/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The one line-based syntax for the phone's files, dualtone.conf and the flow language (design.md
 * 7): `name: value ...`, quotes, comments, `include`. Exact to file:line:column. Reading files is
 * the host's business: text comes in, and included text through a function. */
#ifndef DUALTONE_CONF_H
#define DUALTONE_CONF_H

#include "dualtone/text.h"

/* Where something stands: line and column count from 1. */
struct dt_place {
    struct dt_str file;
    unsigned line, column;
};

/* What was wrong, as a person reads it: "SIPDefault.cnf:12:11: timer_t1 is "5s"; use ...". */
struct dt_problem {
    struct dt_place place;
    bool fatal;     /* false: reported and passed over (an unknown parameter) */
    char text[240]; /* NUL-terminated */
};

/* Problems found, in order; past `cap` they are counted only (`n` goes on), but for the first fatal
 * one, which then takes the last place. */
struct dt_problems {
    struct dt_problem *list;
    size_t n, cap;
    size_t fatal;
};
/* Adds one, printf-like, with its place. */
void dt_problem_add(struct dt_problems *p, bool fatal, struct dt_place place, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* ---- words: a line as a list of words, shared by all three languages ---- */

enum { DT_WORDS_MAX = 64 };
struct dt_word {
    struct dt_str text; /* without its quotes; \" and \\ inside quotes are left as they are */
    bool quoted;
    unsigned column;
};
/* Splits a line at blanks. `comment` lists the characters that begin a comment: at the start of the
 * line or after a blank. Returns the number of words, or DT_E_SYNTAX (a quote not closed) or
 * DT_E_LIMIT, with `*column` set. */
int dt_words_split(struct dt_str line, const char *comment, struct dt_word *words, size_t max,
                   unsigned *column);

/* ---- options: rows of a table; files, command lines, --help and manuals come from them ---- */

enum dt_option_type {
    DT_OPTION_TEXT,    /* struct dt_str: copied, lives as long as the dt_conf */
    DT_OPTION_NUMBER,  /* int64_t between min and max */
    DT_OPTION_SWITCH,  /* int64_t 0 or 1; also on/off, yes/no, true/false */
    DT_OPTION_CHOICE,  /* int64_t: index into `choices`, words separated by '|' */
    DT_OPTION_ADDRESS, /* struct dt_str: checked to be ip, ip:port, or a host name */
    DT_OPTION_LIST     /* struct dt_str_list: words, each occurrence appends */
};

struct dt_str_list {
    struct dt_str *items;
    size_t n;
};

struct dt_option {
    const char *name;
    enum dt_option_type type;
    size_t offset;       /* into the caller's struct */
    const char *preset;  /* default as text; NULL: empty or 0 */
    int64_t min, max;    /* NUMBER */
    const char *unit;    /* "ms", "s", ... or NULL */
    const char *choices; /* CHOICE */
    unsigned count;      /* N > 0: `name` holds one '%' for 1..N, consecutive values lie
                            `stride` bytes apart (line%_name, count 6) */
    size_t stride;
    const char *help;   /* one line */
    const char *source; /* guide page, RFC section or design.md rule; may be NULL */
};

/* Everything read so far: owns the copies of texts. */
struct dt_conf {
    const struct dt_alloc *alloc;
    const struct dt_option *options;
    size_t n_options;
    void *target;
    struct dt_problems *problems;
    bool guide_comments; /* ';' begins a comment too, and unknown names are passed over (the
                            guide's files); else unknown names are fatal */
    struct dt_bytes **kept;
    size_t n_kept;
    size_t n_preset; /* the first of them hold defaults: a list's first word replaces its default */
    /* Gives the text of an included file, or DT_E_ABSENT; NULL: include is not allowed. */
    int (*include)(void *ctx, struct dt_str name, struct dt_bytes **out);
    void *include_ctx;
    unsigned depth;    /* of includes, at most 8 */
    unsigned included; /* files in all, at most 100 */
};

/* Sets each option of the table to its default. DT_OK or DT_E_NOMEM. */
int dt_conf_init(struct dt_conf *c, const struct dt_alloc *alloc, const struct dt_option *options,
                 size_t n, void *target, struct dt_problems *problems);
void dt_conf_clear(struct dt_conf *c);
/* Reads a whole file's text. Later values win (lists grow). Returns DT_OK, DT_E_SYNTAX if a fatal
 * problem was added, or DT_E_NOMEM. */
int dt_conf_read(struct dt_conf *c, struct dt_str file, struct dt_str text);
/* Sets one option by name, as from the command line (`place.file` says so). Names are matched
 * without regard to case, and '-' equals '_'. */
int dt_conf_set(struct dt_conf *c, struct dt_str name, struct dt_str value, struct dt_place place);
/* The row and the index (0 for N = 0 or line 1) that `name` means, or NULL. */
const struct dt_option *dt_conf_find(const struct dt_option *options, size_t n, struct dt_str name,
                                     unsigned *index);
/* Writes the name in the table that differs from `name` by two letters at most; nothing when there
 * is none. */
void dt_option_nearest(const struct dt_option *options, size_t n, struct dt_str name,
                       struct dt_writer *w);
/* What is allowed, as text for messages and manuals: "milliseconds between 10 and 5000". */
void dt_option_allowed(const struct dt_option *o, struct dt_writer *w);

#endif
