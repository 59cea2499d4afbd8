/* SPDX-License-Identifier: BSD-2-Clause
 *
 * For load generators: a UDP socket without a loop, connected to one peer, that gives and takes
 * datagrams in batches; and what other processes have used meanwhile. One thread. */
#ifndef IO_BURST_H
#define IO_BURST_H

#include "dualtone/base.h"
#include "dualtone/node.h"

/* Datagrams of one system call, and the longest one that is written. */
enum { DT_BURST_BATCH = 64, DT_BURST_SIZE = 4096 };

struct dt_burst;

/* A socket from `*local` (its address may be any, its port 0: both are filled in) to `target`. NULL
 * and `*err`: DT_E_NOMEM, or what the system said. */
struct dt_burst *dt_burst_open(const struct dt_alloc *a, const struct dt_addr *target,
                               struct dt_addr *local, int *err);
void dt_burst_close(struct dt_burst *b);
/* DT_BURST_SIZE bytes for the next datagram; then dt_burst_put says how many of them it has. They
 * leave when the batch is full or by dt_burst_flush. */
char *dt_burst_room(struct dt_burst *b);
void dt_burst_put(struct dt_burst *b, size_t n);
void dt_burst_flush(struct dt_burst *b);
/* One batch of what has arrived, up to DT_BURST_BATCH slices, valid until the next call; 0: nothing
 * is there. */
size_t dt_burst_receive(struct dt_burst *b, struct dt_str *out);
/* Datagrams that this socket had no room for. */
uint64_t dt_burst_dropped(const struct dt_burst *b);
/* Until one of them can be read, or `until` (dt_io_now). At most 8. */
void dt_burst_wait(struct dt_burst *const *list, size_t n, dt_time until);

/* What processes have used: time on a processor in ns, of all threads; memory in bytes, shared
 * pages divided among those who share them (Pss). */
struct dt_usage {
    int64_t cpu, memory;
};
/* The sum over `n` processes. DT_OK or DT_E_ABSENT, with `*which` the first that cannot be read. */
int dt_usage_read(struct dt_usage *out, const int *pids, size_t n, size_t *which);

#endif
