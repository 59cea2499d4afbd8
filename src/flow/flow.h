/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Call flows as files that run (design.md 8; docs/flow-language.md): parsed here, run against the
 * simulator or real processes, drawn as ladders. */
#ifndef FLOW_FLOW_H
#define FLOW_FLOW_H

#include "dualtone/conf.h"
#include "trace/record.h"

enum {
    DT_FLOW_PARTIES_MAX = 16,
    DT_FLOW_SETS_MAX = 8,
    DT_FLOW_TIMES_MAX = 16,
    DT_FLOW_HAS_MAX = 4
};

enum dt_flow_role { DT_FLOW_PROXY, DT_FLOW_PHONE, DT_FLOW_FOREIGN };
enum dt_flow_register { DT_FLOW_REGISTER_PRIMARY, DT_FLOW_REGISTER_BOTH, DT_FLOW_REGISTER_NONE };

struct dt_flow_party {
    char name[32];
    enum dt_flow_role role;
    struct dt_str number, password;
    int primary, backup; /* indices of parties; -1: none */
    int peer;            /* proxy: the other one of its pair; -1: none */
    enum dt_flow_register registers;
    bool off;          /* started by "X starts", inside the checked part */
    bool auth;         /* proxy: asks for digest */
    bool plain;        /* for tests: in simulation it is not ours, all additions of ours are off */
    struct dt_addr at; /* FOREIGN: where it is */
    struct {
        struct dt_str name, value;
    } sets[DT_FLOW_SETS_MAX];
    size_t n_sets;
};

#define DT_FLOW_STATES(X) \
    X(RINGING, "ringing") X(TALKING, "talking") X(ENDED, "ended") X(REGISTERED, "registered")
enum dt_flow_state {
#define X(name, text) DT_FLOW_##name,
    DT_FLOW_STATES(X)
#undef X
};

enum dt_flow_step_kind {
    DT_FLOW_DO,      /* a command to a phone: `text` */
    DT_FLOW_FAULT,   /* `text`: blackhole, kill, hang, wake, restart */
    DT_FLOW_START,   /* a party that was off */
    DT_FLOW_WAIT,    /* `times[0]` */
    DT_FLOW_MESSAGE, /* must be seen next */
    DT_FLOW_SHOWS,   /* the screen says `text` */
    DT_FLOW_STATE    /* `party` is in `state`; `times[0]`: so long after the last action */
};

struct dt_flow_step {
    enum dt_flow_step_kind kind;
    unsigned line, column;
    struct dt_str source; /* the line as written, for messages */
    int party, to;
    struct dt_str text; /* command, fault, screen text; dialled number */
    enum dt_flow_state state;
    struct dt_str method; /* MESSAGE: of the request, or of CSeq; empty: any */
    int status;           /* MESSAGE: 0 for a request */
    unsigned count;       /* xN */
    dt_time times[DT_FLOW_TIMES_MAX];
    size_t n_times;
    struct {
        struct dt_str text;
        bool lacks;
    } has[DT_FLOW_HAS_MAX];
    size_t n_has;
    bool unscaled; /* WAIT: "hear", sound takes the time that it takes */
    bool optional;
    unsigned block; /* 0: in order; else the number of its unordered block */
};

struct dt_flow {
    const struct dt_alloc *alloc;
    struct dt_bytes *source; /* owns the text that slices point into */
    struct dt_str name, title;
    struct dt_flow_party parties[DT_FLOW_PARTIES_MAX];
    size_t n_parties;
    struct dt_flow_step *steps;
    size_t n_steps;
};

/* Parses a flow file. `*out` is set on DT_OK. Problems tell file:line:column, what was found and
 * what is allowed; DT_E_SYNTAX then. */
int dt_flow_parse(const struct dt_alloc *alloc, struct dt_str file, struct dt_str text,
                  struct dt_problems *problems, struct dt_flow **out);
void dt_flow_free(struct dt_flow *f);

struct dt_flow_options {
    uint64_t seed;
    unsigned loss, duplicate, reorder; /* per mille; any of them: judged by end state and
                                          invariants, not by the script */
    dt_time delay;                     /* one way; 0: 1 ms */
    dt_time t1;                        /* timer_t1 for all; 0: 500 ms. Times in the file are for 500
                                          ms and are scaled */
    dt_time hear;                      /* what each "hear" takes; 0: as the file says */
    bool live;
    bool probes;         /* OPTIONS are drawn, too */
    const char *program; /* live: the dualtone binary */
    const char *folder;  /* live: where configurations, logs and recordings go */
    const char *network; /* live: "127.0.0": parties are .1, .2, ...; NULL: a net of its own below
                            127, so that runs side by side do not meet */
    const char *audio[DT_FLOW_PARTIES_MAX]; /* live: --audio of each phone; NULL: null */
    /* In simulation the memory of each party's node; NULL: libc's. */
    const struct dt_alloc *alloc[DT_FLOW_PARTIES_MAX];
    /* Each item of the record as it comes, for who watches; may be NULL. */
    void (*watch)(void *ctx, const struct dt_record *r, const struct dt_record_item *item);
    void *watch_ctx;
};

struct dt_flow_result {
    bool held;
    unsigned line, column; /* where it failed; 0: at the end */
    char reason[320];
    struct dt_record record; /* the whole run */
    size_t from, to;         /* the checked part: items [from, to) */
    size_t mark;             /* the item at which it failed; SIZE_MAX: none */
    dt_time zero;            /* the first action */
    uint64_t digest;
    dt_time lasted;
    size_t messages; /* sent in the checked part */
};
void dt_flow_result_clear(struct dt_flow_result *r);

/* Runs it. DT_OK when it ran, whether it held or not; an error when it could not be run at all
 * (`reason` says why in one sentence). */
int dt_flow_run(const struct dt_flow *f, const struct dt_flow_options *o, struct dt_flow_result *r);
/* The ladder of a result; `w` needs about 150 bytes a message. */
void dt_flow_draw(const struct dt_flow *f, const struct dt_flow_options *o,
                  const struct dt_flow_result *r, struct dt_writer *w);

#endif
