/* SPDX-License-Identifier: BSD-2-Clause
 *
 * All 2^12 patterns of losses among the first twelve packets of each base flow. What is wanted
 * comes about unless seven packets of one exchange were lost; then it ends cleanly. */
#include "bed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
    const char *flow; /* NULL: all */
    unsigned from, to, step;
    bool verbose;
};

struct tally {
    unsigned runs, came, clean, failed, lost, packets;
};

static void usage(void)
{
    fputs("usage: test_masks [--flow NAME] [--mask N | --step N] [--verbose]\n"
          "Bit i of a mask: the i-th packet is lost. --step N runs each N-th mask only.\n",
          stderr);
    exit(2);
}

static struct options parse(int argc, char **argv)
{
    struct options o = {.to = 1u << MASK_BITS, .step = 1};
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i];
        if (strcmp(name, "--verbose") == 0) {
            o.verbose = true;
            continue;
        }
        if (++i == argc)
            usage();
        if (strcmp(name, "--flow") == 0) {
            o.flow = argv[i];
        } else if (strcmp(name, "--mask") == 0) {
            o.from = (unsigned)strtoul(argv[i], NULL, 0);
            o.to = o.from + 1;
        } else if (strcmp(name, "--step") == 0) {
            o.step = (unsigned)strtoul(argv[i], NULL, 0);
        } else {
            usage();
        }
    }
    if (o.step == 0 || o.to > 1u << MASK_BITS)
        usage();
    return o;
}

static void run_one(const struct options *o, const struct base_flow *f, unsigned mask,
                    struct tally *t)
{
    static struct bed b;
    bool open = bed_open(&b, f, 1);
    b.mask = mask;
    if (open) {
        f->play(&b);
        bed_judge(&b);
    }
    if (o->verbose && (b.failed || o->to == o->from + 1))
        bed_draw(&b);
    bed_close(&b);
    t->runs++;
    t->came += b.came && !b.failed;
    t->clean += !b.came && !b.failed;
    t->failed += b.failed;
    t->lost += b.lost;
    t->packets += b.sent;
    if (b.failed)
        printf("FAIL %s: %s   [--flow %s --mask 0x%x --verbose]\n", f->name, b.reason, f->name,
               mask);
}

int main(int argc, char **argv)
{
    struct options o = parse(argc, argv);
    unsigned runs = 0, failed = 0;
    for (size_t i = 0; i < base_flows_n; i++) {
        struct tally t = {0};
        if (base_flows[i].extra || (o.flow && strcmp(o.flow, base_flows[i].name) != 0))
            continue;
        for (unsigned mask = o.from; mask < o.to; mask += o.step)
            run_one(&o, &base_flows[i], mask, &t);
        printf("%-13s %u masks: it came about in %u, ended cleanly in %u, failed in %u; %u of %u "
               "packets lost\n",
               base_flows[i].name, t.runs, t.came, t.clean, t.failed, t.lost, t.packets);
        fflush(stdout);
        runs += t.runs;
        failed += t.failed;
    }
    printf("%u runs, %u failed\n", runs, failed);
    return runs > 0 && failed == 0 ? 0 : 1;
}
