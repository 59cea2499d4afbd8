/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Slots with generations. A slot that is let go of is used again only when the entry call has
 * ended, so a transaction that a callback killed can still be asked for its state. */
#include "stack/private.h"

dt_tx dt__tx_id(const struct dt__tx *tx)
{
    return (uint64_t)tx->generation << 32 | (tx->slot + UINT64_C(1));
}

struct dt__tx *dt__tx_of(const struct dt_stack *s, dt_tx id)
{
    uint32_t slot = (uint32_t)id - 1; /* of 0: too large */
    if (slot / DT__POOL_CHUNK >= s->n_chunks)
        return NULL;
    struct dt__tx *tx = dt__tx_at(s, slot);
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
        chunk[i].slot = (uint32_t)s->n_chunks * DT__POOL_CHUNK + i;
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

int dt__tx_bare(struct dt_stack *s, enum dt__machine machine, const struct dt__key *key,
                const struct dt_hop *hop, struct dt__tx **out)
{
    if (!s->free && add_chunk(s))
        return DT_E_NOMEM;
    struct dt__tx *tx = s->free;
    struct dt__tx *next = tx->next; /* shares its place with the map's entry */
    if (dt_map_add(&s->txs, &tx->entry, key->hash)) {
        tx->next = next;
        return DT_E_NOMEM;
    }
    s->free = next;
    tx->check = key->check;
    tx->cookie = 0;
    tx->end_at = DT_TIME_NEVER;
    tx->prev = tx->after = DT__NO_SLOT;
    tx->active = NULL;
    tx->remote_ip = dt__hash_ip(&hop->remote);
    tx->remote_port = hop->remote.port;
    tx->state = (uint8_t)first_state(machine);
    tx->machine = (unsigned)machine & 3;
    tx->form = DT__FORM_NONE;
    tx->reliable = dt__is_reliable(hop);
    tx->left = tx->acked = 0;
    s->counts.transactions++;
    *out = tx;
    return DT_OK;
}

/* Its timer is armed before there is a transaction: what fails leaves nothing behind. */
static struct dt__active *active_new(struct dt_stack *s)
{
    struct dt__active *a = dt_alloc_zero(s->env->alloc, sizeof *a);
    if (!a)
        return NULL;
    dt_timer_init(&a->timer, 0);
    if (!dt_timers_arm(&s->timers, &a->timer, DT_TIME_NEVER - 1))
        return a;
    dt_alloc_free(s->env->alloc, a);
    return NULL;
}

static void activate(struct dt_stack *s, struct dt__tx *tx, struct dt__active *a,
                     const struct dt_hop *hop)
{
    struct dt__stream *st = hop->stream ? dt__stream_find(s, hop->stream) : NULL;
    a->timer.kind = tx->slot;
    a->way.hop = *hop;
    a->resend_at = DT_TIME_NEVER;
    if (dt__is_client(tx))
        dt_list_init(&a->client.link);
    if (st)
        st->users++;
    tx->active = a;
    tx->form = DT__FORM_ACTIVE;
}

int dt__tx_new(struct dt_stack *s, enum dt__machine machine, const struct dt__key *key,
               const struct dt_hop *hop, struct dt__tx **out)
{
    struct dt__active *a = active_new(s);
    if (!a)
        return DT_E_NOMEM;
    int err = dt__tx_bare(s, machine, key, hop, out);
    if (err) {
        dt_timers_stop(&s->timers, &a->timer);
        dt_alloc_free(s->env->alloc, a);
        return err;
    }
    activate(s, *out, a, hop);
    return DT_OK;
}

void dt__tx_rename(struct dt__tx *tx)
{
    if (++tx->generation == 0)
        tx->generation = 1;
}

void dt__tx_end(struct dt_stack *s, struct dt__tx *tx)
{
    dt_map_del(&s->txs, &tx->entry);
    dt__linger_end(s, tx);
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
