/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Nodes for the tests of the real host: what they are given goes to one function of the test, what
 * they want lies in an outbox. A run ends when the test says so, or fails after ten seconds. */
#ifndef WIREKIT_H
#define WIREKIT_H

#include "testkit.h"
#include "dualtone/node.h"
#include "io/host.h"
#include "io/io.h"

struct wire_node {
    struct dt_outbox out;
    void (*input)(struct wire_node *n, dt_time now, const struct dt_input *in);
    void (*tick)(struct wire_node *n, dt_time now);
    dt_time due;
    int number;
    struct dt_host *host;
    void *test;
    /* for tests that count */
    struct dt_addr local;
    size_t datagrams, errors, closed, opened, listening, batches, bytes;
    int err;
};

/* A host with what `cfg` says (NULL: nothing) and a watchdog. */
struct dt_host *wire_host(const struct dt_host_config *cfg);
/* A node in it. */
void wire_node_init(struct wire_node *n, struct dt_host *h,
                    void (*input)(struct wire_node *n, dt_time now, const struct dt_input *in),
                    void *test);
/* The same; false without memory. */
bool wire_node_try(struct wire_node *n, struct dt_host *h,
                   void (*input)(struct wire_node *n, dt_time now, const struct dt_input *in),
                   void *test);
void wire_node_clear(struct wire_node *n);
/* Runs to dt_host_stop; fails when the watchdog had to end it. */
void wire_loop(struct dt_host *h);
/* The same, and frees the host. */
void wire_run(struct dt_host *h);

void wire_listen(struct wire_node *n, const char *addr, enum dt_transport transport);
void wire_send(struct wire_node *n, const struct dt_addr *from, const struct dt_addr *to,
               const char *text);
void wire_connect(struct wire_node *n, uint64_t stream, const struct dt_addr *to);
void wire_write(struct wire_node *n, uint64_t stream, struct dt_str text);
void wire_close(struct wire_node *n, uint64_t stream);
struct dt_addr wire_addr(const char *text, enum dt_transport transport);
/* False (and said so) where this machine has no ::1. */
bool wire_has_v6(void);

#endif
