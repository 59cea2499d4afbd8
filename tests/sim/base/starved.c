/* SPDX-License-Identifier: BSD-2-Clause
 *
 * I39: in each base flow the n-th allocation of one node fails, for each node and each n until none
 * fails any more; alone, and with the ones behind it. What was wanted may fail; nothing leaks,
 * nobody rings for ever, and the same nodes make a faultless call afterwards. */
#include "bed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
    const char *flow, *node; /* NULL: all */
    size_t nth;              /* 0: all */
    long more;               /* -1: each of `bursts` */
    bool verbose;
};

/* So many more fail behind the n-th. */
static const size_t bursts[] = {0, 1, 9};

struct tally {
    size_t runs, came, failed;
};

static void usage(void)
{
    fputs("usage: test_starved [--flow NAME] [--node P|S|A|B|C] [--nth N] [--more N] [--verbose]\n"
          "The N-th allocation of a node fails, and --more behind it.\n",
          stderr);
    exit(2);
}

static struct options parse(int argc, char **argv)
{
    struct options o = {.more = -1};
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i];
        if (strcmp(name, "--verbose") == 0) {
            o.verbose = true;
            continue;
        }
        if (++i == argc)
            usage();
        if (strcmp(name, "--flow") == 0)
            o.flow = argv[i];
        else if (strcmp(name, "--node") == 0)
            o.node = argv[i];
        else if (strcmp(name, "--nth") == 0)
            o.nth = strtoul(argv[i], NULL, 10);
        else if (strcmp(name, "--more") == 0)
            o.more = strtol(argv[i], NULL, 10);
        else
            usage();
    }
    return o;
}

/* Was there an n-th allocation? */
static bool run_one(const struct options *o, const struct base_flow *f, int party, size_t nth,
                    size_t more, struct tally *t)
{
    static struct bed b;
    bool open = bed_open(&b, f, 1), reached = false;
    struct kit_alloc *k = &b.nodes[party];
    if (open) {
        b.lenient = true;
        k->fail_at = k->calls + nth;
        k->fail_more = more;
        f->play(&b);
        reached = k->calls >= k->fail_at;
        k->fail_at = 0;
        bed_judge(&b);
    }
    const char *name = b.flow->parties[party].name;
    if (o->verbose && (b.failed || o->nth))
        bed_draw(&b);
    bed_close(&b);
    t->runs += reached;
    t->came += reached && b.came && !b.failed;
    t->failed += b.failed;
    if (b.failed)
        printf("FAIL %s: %s   [--flow %s --node %s --nth %zu --more %zu --verbose]\n", f->name,
               b.reason, f->name, name, nth, more);
    return reached;
}

static void run_node(const struct options *o, const struct base_flow *f, int party, struct tally *t)
{
    for (size_t i = 0; i < sizeof bursts / sizeof *bursts; i++) {
        size_t more = o->more >= 0 ? (size_t)o->more : bursts[i];
        size_t nth = o->nth ? o->nth : 1;
        while (run_one(o, f, party, nth, more, t) && !o->nth)
            nth++;
        if (o->more >= 0)
            break;
    }
}

static struct tally run_flow(const struct options *o, const struct base_flow *f)
{
    static const char *const names[PARTIES] = {"P", "S", "A", "B", "C"};
    struct tally all = {0};
    for (int party = P; party < (f->callee == C ? PARTIES : C); party++) {
        struct tally t = {0};
        if (o->node && strcmp(o->node, names[party]) != 0)
            continue;
        run_node(o, f, party, &t);
        printf("%-13s %s, %-5s: %4zu runs: it came about in %4zu, ended cleanly in %4zu, failed in "
               "%zu\n",
               f->name, names[party], party <= S ? "proxy" : "phone", t.runs, t.came,
               t.runs - t.came - t.failed, t.failed);
        fflush(stdout);
        all.runs += t.runs;
        all.failed += t.failed;
    }
    return all;
}

int main(int argc, char **argv)
{
    struct options o = parse(argc, argv);
    struct tally all = {0};
    for (size_t i = 0; i < base_flows_n; i++) {
        if (o.flow && strcmp(o.flow, base_flows[i].name) != 0)
            continue;
        struct tally t = run_flow(&o, &base_flows[i]);
        all.runs += t.runs;
        all.failed += t.failed;
    }
    printf("%zu runs, %zu failed\n", all.runs, all.failed);
    return all.runs > 0 && all.failed == 0 ? 0 : 1;
}
