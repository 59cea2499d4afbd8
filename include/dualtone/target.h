/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is known of the places that requests go to (design.md 5: R16, R17, R18, R20): health by
 * evidence alone, the node that answers there, its twins, and when it must be probed. Values that
 * do nothing by themselves: evidence and time go in, verdicts come out. */
#ifndef DUALTONE_TARGET_H
#define DUALTONE_TARGET_H

#include "dualtone/base.h"
#include "dualtone/node.h"
#include "dualtone/text.h"

enum {
    DT_TARGETS_KNOWN = 32, /* remembered; past it the longest unheard gives way */
    DT_CLUSTER_MAX = 32,   /* characters of a cluster's name */
    DT_TARGET_NODE_MAX = 64,
    DT_EVIDENCE_KEPT = 8,     /* the history that `why` shows */
    DT_TARGET_PROBES = 3,     /* unanswered ones that turn suspicion into death */
    DT_TARGET_GOOD_PROBES = 3 /* answered ones before new calls go there again (R28) */
};

#define DT_HEALTHS(X) X(UNKNOWN, "unknown") X(UP, "up") X(SUSPECT, "suspect") X(DOWN, "down")
enum dt_health {
#define X(name, text) DT_HEALTH_##name,
    DT_HEALTHS(X)
#undef X
        DT_HEALTH_COUNT
};
const char *dt_health_name(enum dt_health h);

/* R16 */
#define DT_EVIDENCES(X) \
    X(RESPONSE, "answered") \
    X(REFUSED, "refused") \
    X(MISSED, "probe not answered") \
    X(SILENCE, "silent") \
    X(BUSY, "busy") /* 503 made by the hop itself */ \
    X(REBOOT, "restarted")
enum dt_evidence {
#define X(name, text) DT_EVIDENCE_##name,
    DT_EVIDENCES(X)
#undef X
        DT_EVIDENCE_COUNT
};
const char *dt_evidence_name(enum dt_evidence e);

/* Dualtone-Node: CLUSTER;node=N;boot=M (R17). Slices of the value. */
struct dt_node_id {
    struct dt_str cluster, node; /* texts, compared as they are */
    uint64_t boot;
};
/* DT_OK, or DT_E_SYNTAX: a part is missing, twice there, or too long. */
int dt_node_id_parse(struct dt_node_id *out, struct dt_str value);

struct dt_target {
    struct dt_addr addr;
    enum dt_health health;
    bool has_node;
    bool probing; /* a probe is out and nothing has proved life since */
    uint8_t probes_missed, refusals, good;
    uint8_t n_history;
    uint16_t jitter;
    dt_time since;      /* it has this health */
    dt_time heard;      /* last life; 0: never */
    dt_time next_probe; /* or when the one that is out counts as missed */
    dt_time busy_until;
    char cluster[DT_CLUSTER_MAX], node[DT_TARGET_NODE_MAX];
    uint8_t cluster_n, node_n;
    uint64_t boot;
    unsigned deaths; /* down, or restarted */
    struct {
        dt_time first, at; /* at: of the newest of `times` in a row */
        unsigned times;
        enum dt_evidence what;
        enum dt_health then;
    } history[DT_EVIDENCE_KEPT]; /* newest at n_history - 1 */
};
struct dt_targets {
    struct dt_target list[DT_TARGETS_KNOWN];
    size_t n;
    dt_time t1;
};

/* The same transport, address and port; NULL: not known. */
struct dt_target *dt_targets_find(struct dt_targets *t, const struct dt_addr *addr);
/* Finds or adds it. Never NULL. */
struct dt_target *dt_targets_add(struct dt_targets *t, dt_time now, const struct dt_addr *addr);
/* The only writer of health. True: it has died with this (down, or restarted). */
bool dt_target_evidence(dt_time now, struct dt_target *g, enum dt_evidence what);
/* It said 503 itself: no new call goes there for `retry_after` seconds, 300 at most; 0: it gave no
 * time, 5. Evidence too. */
void dt_target_busy(dt_time now, struct dt_target *g, uint32_t retry_after);
/* Who answers there (R17). True: another boot of the same node, so what it held is lost. */
bool dt_target_node(dt_time now, struct dt_target *g, const struct dt_node_id *id);
/* R20: another target of the same cluster, if it can be one that is not down; or NULL. */
struct dt_target *dt_targets_twin(struct dt_targets *t, const struct dt_addr *of);
/* May a new call go there: not down, not busy, and K good probes since it died (R28). What is
 * not known may. By whatever transport: a process is alive or dead as a whole. */
bool dt_targets_usable(const struct dt_targets *t, dt_time now, const struct dt_addr *addr);

/* Who is whose twin, for a restart of the phone (R20): "udp:192.0.2.10:5060=CLUSTER;node=N;boot=M",
 * a blank between two; what is in no cluster is left out. */
void dt_targets_write(const struct dt_targets *t, struct dt_writer *w);
/* Adds what dt_targets_write wrote; what cannot be read is passed over. */
void dt_targets_read(struct dt_targets *t, dt_time now, struct dt_str text);

/* One has died: the others of its cluster that are believed down are asked at once. */
void dt_targets_hurry(struct dt_targets *t, dt_time now, const struct dt_target *dead);

/* What is at stake decides the pace of probes (R18). */
enum dt_target_need { DT_NEED_IDLE, DT_NEED_CALL };
/* When tick is due for this target. */
dt_time dt_target_due(const struct dt_target *g, enum dt_target_need need);
/* What to do at that time. `jitter`: 0 to 999, drawn anew. */
enum dt_target_act { DT_TARGET_WAIT, DT_TARGET_PROBE, DT_TARGET_DIED };
enum dt_target_act dt_target_tick(struct dt_targets *t, dt_time now, struct dt_target *g,
                                  enum dt_target_need need, unsigned jitter);

#endif
