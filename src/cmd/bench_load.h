/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The load generator behind `dualtone bench`: many user agents in one thread over two sockets, the
 * calling and the called end. Each piece of work (a call, a registration, a question) is a job in a
 * slot; its key stands in what it sends, so that what comes back names its slot. It knows no more
 * of SIP than the few headers below: it has to be much cheaper than what it measures. */
#ifndef CMD_BENCH_LOAD_H
#define CMD_BENCH_LOAD_H

#include "dualtone/text.h"
#include "io/burst.h"

enum {
    BENCH_ENDS = 2,
    BENCH_VIAS = 8,
    BENCH_KEEP = 1600,     /* bytes of a message that a job may keep */
    BENCH_SLOTS = 1 << 17, /* jobs at once */
    BENCH_PIDS = 64,       /* processes that are accounted */
    BENCH_NONCE = 256
};
enum bench_end { BENCH_CALLER, BENCH_CALLEE };

struct bench_options {
    struct dt_str target, local, domain, password;
    struct bench_account {
        int pids[BENCH_PIDS];
        size_t n;
    } account;
    int64_t users, contacts, rate, window, count, port;
    dt_time duration, ring, hold, patience;
    bool digest, refresh, registered, spin, direct;
};

/* What a message says that a user agent of ours wants to know. Slices are valid until the next
 * receive. */
struct bench_msg {
    int status;                                         /* 0: a request */
    struct dt_str first;                                /* its first line */
    struct dt_str vias[BENCH_VIAS], routes[BENCH_VIAS]; /* whole lines */
    size_t n_vias, n_routes;
    struct dt_str from, to, call_id, cseq; /* whole lines */
    struct dt_str challenge;               /* value of WWW-Authenticate */
};

/* A deadline that doubles. */
struct bench_repeat {
    dt_time due, interval; /* due: DT_TIME_NEVER: none */
};

struct bench_job {
    uint32_t serial;
    uint32_t user, contact;
    bool used;
    uint8_t caller, callee; /* states, of the flow */
    bool has_final;
    dt_time started;
    struct bench_repeat repeat[BENCH_ENDS];
    uint16_t n_route, n_answer;
    uint32_t nc;
    char route[512];         /* Route lines of requests inside the call */
    char answer[BENCH_KEEP]; /* what the called end's answers have below the first line */
};

/* What a trial found. */
struct bench_result {
    uint64_t started, done, failed, lost;
    uint64_t resent;     /* by us: nobody answered in time */
    uint64_t repeated;   /* copies that came to us */
    uint64_t disordered; /* came before what was sent before it */
    uint64_t late;       /* of jobs that had ended */
    uint64_t held;       /* not started in time: no slot */
    uint64_t dropped;    /* by the sockets of this program */
    int first_failure;   /* status */
    dt_time elapsed;
    int64_t cpu;                 /* ns of the accounted processes */
    int64_t memory_base, memory; /* bytes, before and when the last job was started */
    uint32_t *delays;            /* us: INVITE to 180, or request to final; sorted */
    size_t n_delays, cap_delays;
};

struct bench_load;

/* Calls, registrations, questions: a row each. */
struct bench_flow {
    const char *name;
    void (*start)(struct bench_load *l, struct bench_job *j);
    void (*message)(struct bench_load *l, enum bench_end end, const struct bench_msg *m);
    void (*due)(struct bench_load *l, struct bench_job *j, enum bench_end end);
};
extern const struct bench_flow dt__bench_calls, dt__bench_register, dt__bench_ask;

struct bench_load {
    const struct bench_options *o;
    const struct bench_flow *flow;
    struct dt_addr target, addr[BENCH_ENDS];
    char addr_text[BENCH_ENDS][64];
    struct dt_burst *ends[BENCH_ENDS];
    uint32_t run; /* by chance: two runs against one proxy do not meet */
    uint32_t serial;
    dt_time now;
    struct bench_job *slots;
    uint32_t *free, n_free, n_used, slots_high;
    int64_t rate, window; /* of this trial */
    dt_time duration;
    uint64_t count;
    bool stopping; /* no new jobs */
    struct bench_result r;
};

/* ---- bench_load.c ---- */

/* DT_OK, or what was wrong has been printed. */
int dt__bench_open(struct bench_load *l, const struct bench_options *o);
void dt__bench_close(struct bench_load *l);
/* One trial: `count` jobs, or as many as `duration` holds; `rate` a second, or (0) always `window`
 * at once. The result is in l->r until the next trial. DT_OK or DT_E_ABSENT (an accounted process
 * has gone). */
int dt__bench_trial(struct bench_load *l, const struct bench_flow *flow, uint64_t count,
                    dt_time duration, int64_t rate, int64_t window);
/* The job whose key this is (a Via or Call-ID line); NULL: ended, or not of this run. */
struct bench_job *dt__bench_find(struct bench_load *l, struct dt_str line);
void dt__bench_end(struct bench_load *l, struct bench_job *j);
void dt__bench_fail(struct bench_load *l, struct bench_job *j, int status);
void dt__bench_delay(struct bench_load *l, const struct bench_job *j);
/* Begins to repeat after T1 (RFC 3261 17.1.1.2), goes on with twice the interval, ends. */
void dt__bench_repeat(struct bench_load *l, struct bench_job *j, enum bench_end end);
void dt__bench_repeat_more(struct bench_load *l, struct bench_job *j, enum bench_end end);
void dt__bench_still(struct bench_job *j, enum bench_end end);

/* ---- bench_text.c ---- */

/* Splits into the headers of struct bench_msg. False: not SIP. */
bool dt__bench_scan(struct dt_str text, struct bench_msg *m);
/* Sends a text from this end with its letters filled in:
 * %u user  %d domain  %a this end's address  %b the called end's address  %k key of the job
 * %r its Route lines  %c contact number  %n serial number twice, %m plus one  %z `extra`  %% */
void dt__bench_send(struct bench_load *l, const struct bench_job *j, enum bench_end end,
                    const char *text, struct dt_str extra);

/* ---- bench_report.c ---- */

void dt__bench_print(const struct bench_load *l, const char *what, bool json);
bool dt__bench_clean(const struct bench_result *r);

#endif
