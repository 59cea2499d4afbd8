/* SPDX-License-Identifier: BSD-2-Clause */
#include "io/audio_ends.h"

size_t dt__audio_ring_n(struct audio_ring *r)
{
    return atomic_load_explicit(&r->written, memory_order_acquire) -
           atomic_load_explicit(&r->taken, memory_order_acquire);
}

void dt__audio_ring_write(struct audio_ring *r, const int16_t *samples, size_t n)
{
    size_t at = atomic_load_explicit(&r->written, memory_order_relaxed);
    size_t room = AUDIO_RING - (at - atomic_load_explicit(&r->taken, memory_order_acquire));
    n = n < room ? n : room;
    for (size_t i = 0; i < n; i++)
        r->samples[(at + i) % AUDIO_RING] = samples[i];
    atomic_store_explicit(&r->written, at + n, memory_order_release);
}

size_t dt__audio_ring_read(struct audio_ring *r, int16_t *samples, size_t n)
{
    size_t at = atomic_load_explicit(&r->taken, memory_order_relaxed);
    size_t there = atomic_load_explicit(&r->written, memory_order_acquire) - at;
    n = n < there ? n : there;
    for (size_t i = 0; i < n; i++)
        samples[i] = r->samples[(at + i) % AUDIO_RING];
    atomic_store_explicit(&r->taken, at + n, memory_order_release);
    return n;
}
