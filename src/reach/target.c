/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Health by evidence (design.md 5: R16 to R18, R20). */
#include "dualtone/target.h"

#include <string.h>

enum {
    IDLE_S = 20,         /* R18: every 20 to 30 s */
    IDLE_JITTER_MS = 10, /* times 0 to 999 */
    DOWN_S = 5,
    CALL_MS = 1000,
    SUSPECT_MS = 250,
    BUSY_S = 5, /* where a 503 gave no Retry-After */
    BUSY_MAX_S = 300,
    REFUSALS = 2 /* an ICMP error can be forged: the second one counts */
};

/* ---- names ---- */

static const char *const health_names[] = {
#define X(name, text) text,
    DT_HEALTHS(X)
#undef X
};
static const char *const evidence_names[] = {
#define X(name, text) text,
    DT_EVIDENCES(X)
#undef X
};

const char *dt_health_name(enum dt_health h)
{
    return (unsigned)h < DT_HEALTH_COUNT ? health_names[h] : "?";
}

const char *dt_evidence_name(enum dt_evidence e)
{
    return (unsigned)e < DT_EVIDENCE_COUNT ? evidence_names[e] : "?";
}

/* ---- Dualtone-Node ---- */

/* ;NAME=VALUE */
static int read_value(struct dt_str *rest, const char *name, struct dt_str *out)
{
    struct dt_str want = dt_str_z(name);
    size_t end;

    if (!dt_str_starts(*rest, want))
        return DT_E_SYNTAX;
    *rest = dt_str_sub(*rest, want.n, rest->n);
    end = dt_str_find(*rest, ';');
    *out = dt_str_sub(*rest, 0, end);
    if (end == 0)
        return DT_E_SYNTAX;
    *rest = dt_str_sub(*rest, end, rest->n);
    return DT_OK;
}

/* What a later version says behind is passed over; what stands there twice is not to be trusted. */
static bool is_twice(struct dt_str rest)
{
    while (rest.n) {
        if (dt_str_starts(rest, DT_STR(";node=")) || dt_str_starts(rest, DT_STR(";boot=")))
            return true;
        rest = dt_str_sub(rest, 1, rest.n);
        rest = dt_str_sub(rest, dt_str_find(rest, ';'), rest.n);
    }
    return false;
}

int dt_node_id_parse(struct dt_node_id *out, struct dt_str value)
{
    struct dt_str text = dt_str_trim(value);
    size_t end = dt_str_find(text, ';');
    struct dt_str boot;

    *out = (struct dt_node_id){.cluster = dt_str_sub(text, 0, end)};
    text = dt_str_sub(text, end, text.n);
    if (out->cluster.n == 0 || out->cluster.n > DT_CLUSTER_MAX ||
        read_value(&text, ";node=", &out->node) || out->node.n > DT_TARGET_NODE_MAX ||
        read_value(&text, ";boot=", &boot) || is_twice(text) ||
        dt_str_u64(boot, UINT64_MAX, &out->boot) != DT_OK)
        return DT_E_SYNTAX;
    return DT_OK;
}

/* ---- the list ---- */

struct dt_target *dt_targets_find(struct dt_targets *t, const struct dt_addr *addr)
{
    for (size_t i = 0; i < t->n; i++)
        if (dt_addr_eq(&t->list[i].addr, addr))
            return &t->list[i];
    return NULL;
}

struct dt_target *dt_targets_add(struct dt_targets *t, dt_time now, const struct dt_addr *addr)
{
    struct dt_target *g = dt_targets_find(t, addr);

    if (g)
        return g;
    if (t->n < DT_TARGETS_KNOWN) {
        g = &t->list[t->n++];
    } else {
        g = &t->list[0];
        for (size_t i = 1; i < t->n; i++)
            if (t->list[i].heard < g->heard)
                g = &t->list[i];
    }
    *g = (struct dt_target){.addr = *addr, .since = now, .next_probe = now + IDLE_S * DT_SECOND};
    return g;
}

static struct dt_str cluster_of(const struct dt_target *g)
{
    return (struct dt_str){g->cluster, g->cluster_n};
}

static struct dt_str node_of(const struct dt_target *g)
{
    return (struct dt_str){g->node, g->node_n};
}

static bool are_twins(const struct dt_target *a, const struct dt_target *b)
{
    return a->has_node && b->has_node && a->addr.transport == b->addr.transport &&
           dt_str_eq(cluster_of(a), cluster_of(b)) && !dt_str_eq(node_of(a), node_of(b));
}

struct dt_target *dt_targets_twin(struct dt_targets *t, const struct dt_addr *of)
{
    const struct dt_target *g = dt_targets_find(t, of);
    struct dt_target *best = NULL;

    for (size_t i = 0; g && i < t->n; i++) {
        struct dt_target *o = &t->list[i];
        if (are_twins(o, g) && (!best || o->health != DT_HEALTH_DOWN))
            best = o;
    }
    return best;
}

bool dt_targets_usable(const struct dt_targets *t, dt_time now, const struct dt_addr *addr)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct dt_target *g = &t->list[i];
        if (dt_addr_ip_eq(&g->addr, addr) && g->addr.port == addr->port)
            return g->health != DT_HEALTH_DOWN && g->busy_until <= now &&
                   g->good >= (g->deaths ? DT_TARGET_GOOD_PROBES : 0);
    }
    return true;
}

/* ---- evidence ---- */

/* The row for what is known and what is seen; SUSPECT waits for probes to decide. */
static enum dt_health judged(const struct dt_target *g, enum dt_evidence what)
{
    switch (what) {
    case DT_EVIDENCE_RESPONSE:
    case DT_EVIDENCE_REBOOT:
    case DT_EVIDENCE_BUSY:
        return DT_HEALTH_UP;
    case DT_EVIDENCE_REFUSED:
        return g->refusals >= REFUSALS || g->health == DT_HEALTH_DOWN ? DT_HEALTH_DOWN
                                                                      : DT_HEALTH_SUSPECT;
    case DT_EVIDENCE_MISSED:
        if (g->health == DT_HEALTH_DOWN || g->probes_missed > DT_TARGET_PROBES)
            return DT_HEALTH_DOWN;
        return DT_HEALTH_SUSPECT;
    case DT_EVIDENCE_SILENCE:
        return g->health == DT_HEALTH_DOWN ? DT_HEALTH_DOWN : DT_HEALTH_SUSPECT;
    default:
        return g->health;
    }
}

static void remember(struct dt_target *g, dt_time now, enum dt_evidence what, enum dt_health then)
{
    size_t n = g->n_history;

    if (n && g->history[n - 1].what == what && g->history[n - 1].then == then) {
        g->history[n - 1].at = now; /* no news */
        g->history[n - 1].times++;
        return;
    }
    if (n == DT_EVIDENCE_KEPT) {
        memmove(g->history, g->history + 1, (n - 1) * sizeof(g->history[0]));
        n--;
    }
    g->history[n].at = g->history[n].first = now;
    g->history[n].times = 1;
    g->history[n].what = what;
    g->history[n].then = then;
    g->n_history = (uint8_t)(n + 1);
}

static uint8_t bump(uint8_t n)
{
    return n < UINT8_MAX ? (uint8_t)(n + 1) : n;
}

static void count(dt_time now, struct dt_target *g, enum dt_evidence what)
{
    switch (what) {
    case DT_EVIDENCE_RESPONSE:
        if (g->probing && g->good < DT_TARGET_GOOD_PROBES)
            g->good++;
        g->probes_missed = g->refusals = 0;
        g->probing = false;
        g->heard = now;
        g->next_probe = now + IDLE_S * DT_SECOND + g->jitter * (IDLE_JITTER_MS * DT_MS);
        break;
    case DT_EVIDENCE_REFUSED:
        g->refusals = bump(g->refusals);
        if (g->refusals < REFUSALS) { /* the next probe decides */
            g->probing = false;
            g->next_probe = now + SUSPECT_MS * DT_MS;
        }
        break;
    case DT_EVIDENCE_MISSED:
        g->probes_missed = bump(g->probes_missed);
        break;
    case DT_EVIDENCE_SILENCE:
        if (g->probes_missed == 0 && g->health != DT_HEALTH_DOWN) {
            g->probes_missed = 1;
            g->probing = false;
            g->next_probe = now;
        }
        break;
    case DT_EVIDENCE_BUSY:
        g->busy_until = now + BUSY_S * DT_SECOND;
        break;
    default:
        break;
    }
}

bool dt_target_evidence(dt_time now, struct dt_target *g, enum dt_evidence what)
{
    enum dt_health before = g->health;
    bool died;

    count(now, g, what);
    g->health = judged(g, what);
    if (g->health != before)
        g->since = now;
    died = what == DT_EVIDENCE_REBOOT || (g->health == DT_HEALTH_DOWN && before != DT_HEALTH_DOWN);
    if (died) {
        g->deaths++;
        g->good = 0;
    }
    remember(g, now, what, g->health);
    return died;
}

void dt_target_busy(dt_time now, struct dt_target *g, uint32_t retry_after)
{
    (void)dt_target_evidence(now, g, DT_EVIDENCE_BUSY);
    if (retry_after)
        g->busy_until = now + (retry_after < BUSY_MAX_S ? retry_after : BUSY_MAX_S) * DT_SECOND;
}

bool dt_target_node(dt_time now, struct dt_target *g, const struct dt_node_id *id)
{
    bool same =
        g->has_node && dt_str_eq(node_of(g), id->node) && dt_str_eq(cluster_of(g), id->cluster);
    bool rebooted = same && g->boot != id->boot;

    g->has_node = true;
    g->node_n = (uint8_t)id->node.n;
    memcpy(g->node, id->node.p, id->node.n);
    g->boot = id->boot;
    g->cluster_n = (uint8_t)id->cluster.n;
    memcpy(g->cluster, id->cluster.p, id->cluster.n);
    return rebooted && dt_target_evidence(now, g, DT_EVIDENCE_REBOOT);
}

/* ---- over a restart ---- */

static const struct dt_str transports[] = {[DT_UDP] = {"udp:", 4}, [DT_TCP] = {"tcp:", 4}};

void dt_targets_write(const struct dt_targets *t, struct dt_writer *w)
{
    const char *between = "";

    for (size_t i = 0; i < t->n; i++) {
        const struct dt_target *g = &t->list[i];
        if (!g->has_node || dt_str_find(cluster_of(g), ' ') < g->cluster_n ||
            dt_str_find(node_of(g), ' ') < g->node_n)
            continue;
        dt_write_z(w, between);
        dt_write(w, transports[g->addr.transport]);
        dt_addr_write(w, &g->addr);
        dt_writef(w, "=%.*s;node=%.*s;boot=%llu", DT_FMT(cluster_of(g)), DT_FMT(node_of(g)),
                  (unsigned long long)g->boot);
        between = " ";
    }
}

static void read_one(struct dt_targets *t, dt_time now, struct dt_str word)
{
    size_t eq = dt_str_find(word, '=');
    struct dt_node_id id;
    struct dt_addr addr;

    for (size_t i = 0; i < sizeof(transports) / sizeof(*transports); i++) {
        if (!dt_str_starts(word, transports[i]) ||
            dt_addr_parse(&addr, dt_str_sub(word, transports[i].n, eq - transports[i].n)) ||
            !addr.port || dt_node_id_parse(&id, dt_str_sub(word, eq + 1, word.n)))
            continue;
        addr.transport = (uint8_t)i;
        (void)dt_target_node(now, dt_targets_add(t, now, &addr), &id);
    }
}

void dt_targets_read(struct dt_targets *t, dt_time now, struct dt_str text)
{
    while (text.n) {
        size_t end = dt_str_find(text, ' ');
        read_one(t, now, dt_str_sub(text, 0, end));
        text = dt_str_sub(text, end + 1, text.n);
    }
}

/* ---- probes ---- */

void dt_targets_hurry(struct dt_targets *t, dt_time now, const struct dt_target *dead)
{
    for (size_t i = 0; i < t->n; i++) {
        struct dt_target *g = &t->list[i];
        if (are_twins(g, dead) && g->health == DT_HEALTH_DOWN && !g->probing)
            g->next_probe = now;
    }
}

/* Who is suspect or down is asked at its own pace; who waits for a call asks the others sooner than
 * the idle one does. */
dt_time dt_target_due(const struct dt_target *g, enum dt_target_need need)
{
    if (g->probing || g->health >= DT_HEALTH_SUSPECT || need == DT_NEED_IDLE)
        return g->next_probe;
    return dt_time_min(g->next_probe, g->heard + CALL_MS * DT_MS);
}

enum dt_target_act dt_target_tick(struct dt_targets *t, dt_time now, struct dt_target *g,
                                  enum dt_target_need need, unsigned jitter)
{
    bool died = false;

    if (dt_target_due(g, need) > now)
        return DT_TARGET_WAIT;
    g->jitter = (uint16_t)jitter;
    if (g->probing)
        died = dt_target_evidence(now, g, DT_EVIDENCE_MISSED);
    if (g->health == DT_HEALTH_DOWN && g->probing) { /* let be for a while */
        g->probing = false;
        g->next_probe = now + DOWN_S * DT_SECOND + jitter * DT_MS;
        return died ? DT_TARGET_DIED : DT_TARGET_WAIT;
    }
    g->probing = true;
    g->next_probe = now + (g->health == DT_HEALTH_SUSPECT ? SUSPECT_MS * DT_MS : t->t1);
    return DT_TARGET_PROBE;
}
