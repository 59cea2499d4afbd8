/* SPDX-License-Identifier: BSD-2-Clause
 *
 * make chaos: a pair of proxies as real processes, phones on one host in this process, calls, and
 * SIGKILL for the proxy in use at any moment of their life. A program of its own, not a subcommand:
 * it is a test, and holds the phones' nodes where it sees each event without a process for each. */
#ifndef CHAOS_H
#define CHAOS_H

#include "io/host.h"
#include "io/io.h"
#include "io/process.h"
#include "phone/phone.h"
#include "trace/record.h"

enum {
    CHAOS_PHONES_MAX = 240,
    CHAOS_KILLS_MAX = 256,
    CHAOS_IDS = 4,
    CHAOS_LIVE = 4,
    CHAOS_TEXT = 160,
    CHAOS_PATH = 400
};

/* Where a call is when a proxy is killed. */
#define CHAOS_PHASES(X) \
    X(DIALLING, "dialling, before 100") \
    X(TRYING, "after 100, before 180") \
    X(RINGING, "ringing") \
    X(ANSWER, "200 and its ACK") \
    X(TALKING, "talking") \
    X(ENDING, "ending, CANCEL or BYE")
enum chaos_phase {
#define X(name, text) CHAOS_##name,
    CHAOS_PHASES(X)
#undef X
        CHAOS_PHASES_N
};
const char *chaos_phase_name(enum chaos_phase p);

struct chaos;
struct chaos_call;

struct chaos_phone {
    struct dt_conf conf;
    struct dt_phone_config cfg;
    struct dt_env env;
    struct dt_phone *phone;
    struct dt_addr addr;
    char number[8];
    bool ready;
    uint32_t live[CHAOS_LIVE]; /* its calls that have begun and not ended; 0: none */
    struct chaos_call *call;   /* that it takes part in; NULL: free */
    dt_time freed;
};

/* Times are 0 until it happens. */
struct chaos_call {
    unsigned number;
    struct chaos_phone *a, *b;                   /* who calls whom */
    bool gives_up;                               /* A hangs up while it rings */
    bool b_hangs;                                /* B hangs up, not A */
    dt_time ring_for, talk_for;                  /* the plan */
    dt_time dialled, tried, rang_a, rang_b;      /* 100 at A; ringing at A, at B */
    dt_time answered, acked, talked_a, talked_b; /* B answers; ACK at B */
    dt_time hung, ended_a, ended_b;              /* somebody hangs up */
    dt_time moved;                               /* the last of these */
    unsigned rings;                              /* at B */
    int via;                                     /* the proxy that it goes by */
    char ids[CHAOS_IDS][CHAOS_TEXT];             /* its Call-IDs */
    size_t n_ids;
    bool touched[CHAOS_PHASES_N]; /* the proxy that it went by was killed then */
    bool over;
    char wrong[CHAOS_TEXT]; /* what is wrong with it; empty: nothing */
};

struct chaos_kill {
    dt_time at, back; /* back 0: not yet */
    int node;
    enum chaos_phase aimed;
    unsigned on_it[CHAOS_PHASES_N], elsewhere[CHAOS_PHASES_N]; /* calls */
};

enum chaos_aim { CHAOS_REST, CHAOS_AIM, CHAOS_FIRE, CHAOS_DOWN, CHAOS_OFF };

struct chaos_node {
    struct chaos *chaos;
    struct dt_process *process;
    struct dt_addr addr;
    bool ready;
};

struct chaos {
    /* the order */
    const char *program, *folder;
    unsigned n_calls, rate;
    dt_time pause; /* from when a node is back to when the other may be killed */
    uint64_t seed;
    /* the world */
    struct dt_host *host;
    struct dt_rng rng;
    struct dt_record record;
    struct chaos_node nodes[2];
    struct chaos_phone phones[CHAOS_PHONES_MAX];
    unsigned n_phones, n_ready;
    /* the calls */
    struct chaos_call *calls;
    unsigned begun, over, wrong, double_rings, stray_rings, late_starts;
    dt_time zero; /* the first call */
    /* the kills */
    struct chaos_kill kills[CHAOS_KILLS_MAX];
    unsigned n_kills;
    enum chaos_aim aim;
    enum chaos_phase aimed;
    int victim;
    dt_time aim_at; /* when the aim changes: rest ends, patience ends, fire, restart */
    char error[400];
};

/* A time from `least` to `most`. */
dt_time chaos_between(struct chaos *x, dt_time least, dt_time most);

/* ---- pair.c: the two proxies and what happens to them ---- */

/* Both run and are ready. DT_OK, or an error with a sentence in `error`. */
int chaos_pair_start(struct chaos *x);
/* Something happens to a call in this phase: a moment that the killer may take. */
void chaos_pair_moment(struct chaos *x, const struct chaos_call *c, enum chaos_phase phase);
/* What is due. Returns when to call again. */
dt_time chaos_pair_step(struct chaos *x, dt_time now);
void chaos_pair_end(struct chaos *x);
/* 0 or 1, or -1: no proxy of the pair is at this address. */
int chaos_pair_which(const struct chaos *x, const struct dt_addr *addr);

/* ---- phones.c ---- */

int chaos_phones_start(struct chaos *x);
void chaos_phones_end(struct chaos *x);
void chaos_phone_tell(struct chaos *x, const struct chaos_phone *ph, const char *command);

/* ---- calls.c ---- */

enum chaos_phase chaos_call_phase(const struct chaos_call *c);
/* How many calls a phone has. */
unsigned chaos_phone_calls(const struct chaos_phone *ph);
/* What the host's watch saw of a phone. */
void chaos_calls_event(struct chaos *x, dt_time now, struct chaos_phone *ph,
                       const struct dt_output *ev);
void chaos_calls_message(struct chaos *x, dt_time now, struct chaos_phone *ph, bool sent,
                         const struct dt_addr *remote, struct dt_str bytes);
/* Begins calls and does what is due in them. Returns when to call again. */
dt_time chaos_calls_step(struct chaos *x, dt_time now);

/* ---- report.c ---- */

/* Prints what is wrong with a call and keeps its ladder in the folder. */
void chaos_report_wrong(struct chaos *x, const struct chaos_call *c);
/* The whole, at the end. The exit code. */
int chaos_report(struct chaos *x);

#endif
