/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Two nodes of a pair, P and S, and the link between them, for tests that include this file. */
#ifndef PAIR_KIT_H
#define PAIR_KIT_H

#include "proxy_kit.h"

#include <stdio.h>
#include <string.h>

#include "proxy/work.h"

#define P "192.0.2.1:5060"
#define S "192.0.2.2:5060"
#define BOB "192.0.2.12:5060"
#define ASKER "192.0.2.77:5060"

static struct kit_proxy p, s;
static struct dt_rng dice;
static unsigned loss; /* per mille */
static size_t done_p, done_s;
static bool p_down, s_down; /* what is sent there is lost */

static void open_p(void)
{
    kit_proxy_open(&p, "cluster_address: 192.0.2.1\npeer: 192.0.2.2\n");
    done_p = 0;
}
static void open_s(void)
{
    kit_proxy_open(&s, "cluster_address: 192.0.2.1\nlisten: \"\" udp:192.0.2.2:5060\nnode: s\n"
                       "peer: 192.0.2.1\n");
    done_s = 0;
}

/* What one has sent to the other since `*done`. */
static bool carry(struct kit_proxy *from, const char *at, struct kit_proxy *to, const char *goal,
                  size_t *done, bool down)
{
    bool any = false;
    struct dt_addr addr = kit_at(goal);
    for (; *done < from->n_sent; ++*done) {
        if (!dt_addr_eq(&from->sent[*done].to, &addr))
            continue;
        any = true;
        if (!down && dt_rng_below(&dice, 1000) >= loss)
            kit_proxy_recv(to, at, from->sent[*done].bytes->data);
    }
    return any;
}

/* Both live on for so many ms; who is down only in the books. */
static void run(int64_t ms)
{
    for (int64_t at = p.now / DT_MS, end = at + ms; at <= end; at += 20) {
        if (!p_down)
            kit_proxy_until(&p, at);
        if (!s_down)
            kit_proxy_until(&s, at);
        p.now = s.now = at * DT_MS;
        for (bool any = true; any;) {
            any = carry(&p, P, &s, S, &done_p, p_down || s_down);
            any = carry(&s, S, &p, P, &done_s, p_down || s_down) || any;
        }
    }
    p.log_n = s.log_n = 0;
}

static void open_pair(void)
{
    dt_rng_init(&dice, (const uint64_t[2]){7, 7});
    loss = 0;
    p_down = s_down = false;
    open_p();
    kit_proxy_begin(0, 2, DT_STR_NONE);
    open_s();
}

/* It is killed, and is there again: with what its snapshot kept, or nothing. */
static inline void restart(struct kit_proxy *k, uint64_t seed, bool keeps)
{
    struct dt_bytes *text = NULL;
    dt_time now = k->now;
    if (keeps)
        assert_int_equal(
            dt_location_save(k->p->location, now, k->env.wall_offset, &dt_alloc_libc, &text),
            DT_OK);
    kit_proxy_until(k, now / DT_MS + 80000); /* of a dead node, so that the kit can count */
    kit_proxy_close(k);
    kit_proxy_begin(now, seed, dt_bytes_str(text));
    if (k == &p)
        open_p();
    else
        open_s();
    dt_bytes_drop(text);
}

static void close_pair(void)
{
    kit_proxy_close(&p);
    kit_proxy_close(&s);
}

/* The characters in the order of the alphabet: the order of equal contacts is no matter. */
static void sort(char *text)
{
    for (size_t i = 1; text[0] && text[i]; i++)
        for (size_t j = i; j && text[j - 1] > text[j]; j--) {
            char c = text[j];
            text[j] = text[j - 1];
            text[j - 1] = c;
        }
}

/* Both know the same users at the same contacts: each asks both. */
static inline void assert_equal_stores(unsigned users)
{
    for (unsigned u = 0; u < users; u++) {
        char to[64], got[2][2048];
        struct kit_proxy *both[] = {&p, &s};
        for (int i = 0; i < 2; i++) {
            char branch[64];
            snprintf(to, sizeof to, "sip:u%u@example.com", u);
            snprintf(branch, sizeof branch, "z9hG4bKq%u-%zu", u, both[i]->n_sent);
            kit_proxy_recv(both[i], ASKER,
                           KIT_REQ(.method = "REGISTER", .uri = "sip:example.com", .to = to,
                                   .branch = branch, .via = ASKER));
            snprintf(got[i], sizeof got[i], "%s", kit_header(kit_last(both[i], ASKER), "Contact"));
            for (char *e = got[i]; (e = strstr(e, "expires=")); e++)
                memset(e + 8, '0', strspn(e + 8, "0123456789"));
            sort(got[i]);
        }
        assert_string_equal(got[0], got[1]);
    }
    p.log_n = s.log_n = 0;
}

static inline void bind(struct kit_proxy *k, unsigned user, unsigned contact, unsigned cseq,
                        bool remove)
{
    char to[64], extra[128], branch[64], id[32];
    snprintf(to, sizeof to, "sip:u%u@example.com", user);
    snprintf(extra, sizeof extra, "Contact: <sip:u%u@192.0.2.%u>;expires=%d\r\n", user,
             100 + contact, remove ? 0 : 3600);
    snprintf(branch, sizeof branch, "z9hG4bKb%zu-%u", k->n_sent, cseq);
    snprintf(id, sizeof id, "id%u-%u", user, contact);
    kit_proxy_recv(k, BOB,
                   KIT_REQ(.method = "REGISTER", .uri = "sip:example.com", .to = to,
                           .branch = branch, .call_id = id, .cseq = cseq, .extra = extra,
                           .via = BOB));
}

#endif
