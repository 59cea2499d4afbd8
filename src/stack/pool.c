/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Slots with generations. A slot that is let go of is used again only when the entry call has
 * ended, so a transaction that a callback killed can still be asked for its state. */
#include "stack/private.h"

dt_tx dt__tx_id(const struct dt__tx *tx)
{
    return (uint64_t)tx->generation << 32 | (tx->timer.kind + UINT64_C(1));
}

struct dt__tx *dt__tx_of(const struct dt_stack *s, dt_tx id)
{
    uint32_t slot = (uint32_t)id - 1; /* of 0: too large */
    if (slot / DT__POOL_CHUNK >= s->n_chunks)
        return NULL;
    struct dt__tx *tx = &s->chunks[slot / DT__POOL_CHUNK][slot % DT__POOL_CHUNK];
    return tx->generation == id >> 32 && tx->state != ST_TERMINATED ? tx : NULL;
}

static int add_chunk(struct dt_stack *s)
{
    const struct dt_alloc *a = s->env->alloc;
    struct dt__tx **chunks = dt_alloc_array(a, s->chunks, s->n_chunks + 1, sizeof *chunks);
    if (!chunks)
        return DT_E_NOMEM;
    s->chunks = chunks;
    struct dt__tx *chunk = dt_alloc_zero(a, DT__POOL_CHUNK * sizeof *chunk);
    if (!chunk)
        return DT_E_NOMEM;
    for (uint32_t i = DT__POOL_CHUNK; i-- > 0;) {
        dt_timer_init(&chunk[i].timer, (uint32_t)s->n_chunks * DT__POOL_CHUNK + i);
        chunk[i].generation = 1;
        chunk[i].next = s->free;
        s->free = &chunk[i];
    }
    s->chunks[s->n_chunks++] = chunk;
    return DT_OK;
}

static enum dt__state first_state(enum dt__machine machine)
{
    static const uint8_t first[] = {
        [DT__ICT] = ST_CALLING,
        [DT__NICT] = ST_TRYING,
        [DT__IST] = ST_PROCEEDING,
        [DT__NIST] = ST_TRYING,
    };
    return first[machine];
}

/* Map and timer. */
static int enlist(struct dt_stack *s, struct dt__tx *tx, const struct dt__key *key)
{
    int err = dt_timers_arm(&s->timers, &tx->timer, DT_TIME_NEVER - 1);
    if (err)
        return err;
    err = dt_map_add(&s->txs, &tx->entry, key->hash);
    if (err)
        dt_timers_stop(&s->timers, &tx->timer);
    return err;
}

int dt__tx_new(struct dt_stack *s, enum dt__machine machine, const struct dt__key *key,
               const struct dt_hop *hop, struct dt__tx **out)
{
    if (!s->free && add_chunk(s))
        return DT_E_NOMEM;
    struct dt__active *active = dt_alloc_zero(s->env->alloc, sizeof *active);
    if (!active)
        return DT_E_NOMEM;
    struct dt__tx *tx = s->free;
    struct dt__tx *next = tx->next; /* shares its place with the map's entry */
    if (enlist(s, tx, key)) {
        tx->next = next;
        dt_alloc_free(s->env->alloc, active);
        return DT_E_NOMEM;
    }
    s->free = next;
    tx->check = key->check;
    tx->hop = *hop;
    tx->cookie = 0;
    tx->message = NULL;
    tx->active = active;
    tx->reply_port = 0;
    tx->machine = (unsigned)machine & 0x7f;
    tx->left = 0;
    tx->state = (uint8_t)first_state(machine);
    active->tx = tx;
    active->end_at = active->resend_at = DT_TIME_NEVER;
    dt_list_init(&active->link);
    struct dt__stream *st = hop->stream ? dt__stream_find(s, hop->stream) : NULL;
    if (st)
        st->users++;
    s->counts.transactions++;
    *out = tx;
    return DT_OK;
}

void dt__tx_shed(struct dt_stack *s, struct dt__tx *tx)
{
    struct dt__active *a = tx->active;
    if (!a)
        return;
    if (a->request) {
        dt__drop_late(s, &a->request);
        if (a->request)
            return; /* no memory to put that off: it stays until the end */
    }
    dt__peer_detach(s, a);
    dt_alloc_free(s->env->alloc, a);
    tx->active = NULL;
}

/* The active part, the request at once: nobody can be looking at it, or there is no choice. */
static void drop_active(struct dt_stack *s, struct dt__tx *tx)
{
    dt__tx_shed(s, tx);
    if (!tx->active)
        return;
    dt_bytes_drop(tx->active->request);
    tx->active->request = NULL;
    dt__tx_shed(s, tx);
}

void dt__tx_rename(struct dt__tx *tx)
{
    if (++tx->generation == 0)
        tx->generation = 1;
}

void dt__tx_end(struct dt_stack *s, struct dt__tx *tx)
{
    struct dt__stream *st = tx->hop.stream ? dt__stream_find(s, tx->hop.stream) : NULL;
    if (st && st->users)
        st->users--;
    dt_map_del(&s->txs, &tx->entry);
    dt_timers_stop(&s->timers, &tx->timer);
    drop_active(s, tx);
    dt_bytes_drop(tx->message);
    tx->message = NULL;
    tx->state = ST_TERMINATED;
    dt__tx_rename(tx);
    tx->next = s->dead;
    s->dead = tx;
    s->counts.transactions--;
}

void dt__pool_forget(struct dt_stack *s)
{
    for (size_t i = 0; i < s->n_chunks; i++)
        for (size_t j = 0; j < DT__POOL_CHUNK; j++)
            if (s->chunks[i][j].state != ST_TERMINATED)
                dt__tx_end(s, &s->chunks[i][j]);
}

void dt__pool_reap(struct dt_stack *s)
{
    while (s->dead) {
        struct dt__tx *tx = s->dead;
        s->dead = tx->next;
        tx->next = s->free;
        s->free = tx;
    }
}

void dt__pool_clear(struct dt_stack *s)
{
    for (size_t i = 0; i < s->n_chunks; i++)
        dt_alloc_free(s->env->alloc, s->chunks[i]);
    dt_alloc_free(s->env->alloc, s->chunks);
}
