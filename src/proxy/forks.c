/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of forks. Transactions carry cookies, never pointers: generation, slot, branch. */
#include <string.h>

#include "proxy/fork.h"

enum { BRANCH_BITS = 8, SLOT_BITS = 24, FIRST_SLOTS = 64 };

uint64_t dt__fork_cookie(const struct dt_proxy *p, const struct dt_fork *f, unsigned branch)
{
    return (uint64_t)p->forks.slots[f->slot].gen << 32 | (uint64_t)f->slot << BRANCH_BITS | branch;
}

struct dt_fork *dt__fork_find(const struct dt_proxy *p, uint64_t cookie)
{
    uint32_t slot = (uint32_t)(cookie >> BRANCH_BITS) & ((1u << SLOT_BITS) - 1);
    if (slot >= p->forks.n || p->forks.slots[slot].gen != (uint32_t)(cookie >> 32))
        return NULL;
    return p->forks.slots[slot].fork;
}

struct dt_branch *dt__branch_find(const struct dt_proxy *p, uint64_t cookie)
{
    struct dt_fork *f = dt__fork_find(p, cookie);
    unsigned i = (unsigned)(cookie & 0xff);
    return f && i < f->n ? &f->branches[i] : NULL;
}

static int grow(struct dt_proxy *p)
{
    struct dt_forks *t = &p->forks;
    uint32_t cap = t->cap ? t->cap * 2 : FIRST_SLOTS;
    if (cap > 1u << SLOT_BITS)
        return DT_E_LIMIT;
    void *slots = dt_alloc_array(p->env->alloc, t->slots, cap, sizeof t->slots[0]);
    if (!slots)
        return DT_E_NOMEM;
    t->slots = slots;
    t->cap = cap;
    return DT_OK;
}

/* A slot that holds nothing; generations begin at 1, so that no cookie is 0. */
static int take_slot(struct dt_proxy *p, uint32_t *slot)
{
    struct dt_forks *t = &p->forks;
    if (t->free) {
        *slot = t->free - 1;
        t->free = t->slots[*slot].next;
        return DT_OK;
    }
    int err = t->n == t->cap ? grow(p) : DT_OK;
    if (err)
        return err;
    *slot = t->n++;
    t->slots[*slot] = (struct dt_fork_slot){.gen = 1};
    return DT_OK;
}

static void free_live(struct dt_proxy *p, struct dt_fork *f)
{
    if (!f->live)
        return;
    dt_timers_stop(&p->timers, &f->live->trying);
    for (unsigned i = 0; i < f->n; i++) {
        dt_timers_stop(&p->timers, &f->live->branches[i].timer);
        dt__branch_clear(p, &f->branches[i]);
        f->branches[i].live = NULL;
    }
    dt_alloc_free(p->env->alloc, f->live);
    f->live = NULL;
}

struct dt_fork *dt__fork_new(struct dt_proxy *p, unsigned n)
{
    const struct dt_alloc *a = p->env->alloc;
    struct dt_fork *f = dt_alloc_zero(a, sizeof *f + n * sizeof f->branches[0]);
    struct dt_fork_live *live =
        f ? dt_alloc_zero(a, sizeof *live + n * sizeof live->branches[0]) : NULL;
    if (!live || take_slot(p, &f->slot)) {
        dt_alloc_free(a, live);
        dt_alloc_free(a, f);
        return NULL;
    }
    p->forks.slots[f->slot].fork = f;
    p->forks.live++;
    f->n = (uint16_t)n;
    f->live = live;
    live->of = f;
    dt_timer_init(&live->trying, DT_TIMER_TRYING);
    for (unsigned i = 0; i < n; i++) {
        f->branches[i].fork = f;
        f->branches[i].live = &live->branches[i];
        f->branches[i].state = DT_BRANCH_DONE; /* until it is prepared */
        live->branches[i].of = &f->branches[i];
        dt_timer_init(&live->branches[i].timer, DT_TIMER_C);
    }
    return f;
}

void dt__fork_stop_trying(struct dt_proxy *p, struct dt_fork *f)
{
    if (f->live)
        dt_timers_stop(&p->timers, &f->live->trying);
}

void dt__branch_sent(struct dt_proxy *p, struct dt_branch *b)
{
    struct dt_branch_built *built = b->live->built;
    if (built)
        dt_bytes_drop(built->message);
    dt_alloc_free(p->env->alloc, built);
    b->live->built = NULL;
}

void dt__branch_clear(struct dt_proxy *p, struct dt_branch *b)
{
    struct dt_branch_live *l = b->live;
    if (!l)
        return;
    if (l->kept) {
        dt__count(p, DT_COUNT_DROPPED_collected);
        dt_sip_msg_drop(l->kept);
    }
    dt_bytes_drop(l->texts);
    dt__branch_sent(p, b);
    dt_alloc_free(p->env->alloc, l->more);
    l->kept = NULL;
    l->texts = NULL;
    l->more = NULL;
    l->n_more = l->next = 0;
}

static void free_fork(struct dt_proxy *p, struct dt_fork *f)
{
    struct dt_fork_slot *slot = &p->forks.slots[f->slot];
    dt__fork_count(p, f, DT_COUNT_DROPPED_ended);
    free_live(p, f);
    slot->fork = NULL;
    slot->gen = slot->gen == UINT32_MAX ? 1 : slot->gen + 1;
    slot->next = p->forks.free;
    p->forks.free = f->slot + 1;
    p->forks.live--;
    dt_alloc_free(p->env->alloc, f);
}

bool dt__fork_open(const struct dt_fork *f)
{
    for (unsigned i = 0; i < f->n; i++)
        if (f->branches[i].state != DT_BRANCH_DONE)
            return true;
    return false;
}

void dt__fork_count(struct dt_proxy *p, struct dt_fork *f, enum dt_proxy_count why)
{
    if (f->counted)
        return;
    f->counted = true;
    dt__count(p, why);
}

/* May a response still come, or the caller's CANCEL, that needs it? A non-INVITE has one final. */
static bool is_needed(const struct dt_fork *f)
{
    if (f->answered && !f->invite)
        return false;
    for (unsigned i = 0; i < f->n; i++)
        if (f->branches[i].client)
            return true;
    return f->server != 0;
}

void dt__fork_settle(struct dt_proxy *p, struct dt_fork *f)
{
    if (dt__fork_open(f))
        return;
    if (f->answered)
        free_live(p, f); /* what lingers is small */
    if (!is_needed(f))
        free_fork(p, f);
}

void dt__forks_clear(struct dt_proxy *p)
{
    for (uint32_t i = 0; i < p->forks.n; i++) {
        struct dt_fork *f = p->forks.slots[i].fork;
        for (unsigned j = 0; f && j < f->n; j++)
            if (f->branches[j].state == DT_BRANCH_RESOLVING)
                dt_resolver_cancel(p->resolver, dt__fork_cookie(p, f, j));
        if (f)
            free_fork(p, f);
    }
}
