/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Running worlds: one, a range of them, and one that failed with ever fewer faults. */
#ifndef RANDOM_RUN_H
#define RANDOM_RUN_H

#include "world.h"

/* Which faults of the plan take part. */
struct choice_of_faults {
    bool all;
    bool wanted[FAULTS_MAX];
};

/* Plays the world of `seed` to its end, and closes it; `draw` prints the ladder of what failed.
 * True if nothing is wrong; else the reason is in `reason`. */
bool run_world(uint64_t seed, const struct choice_of_faults *faults, struct tally *t, bool draw,
               char reason[REASON_SIZE]);
/* The same failure with as few faults as can be found: delta debugging over `faults`. `reason`: of
 * the last run that failed. Returns how many runs it took. */
unsigned run_shrink(uint64_t seed, struct choice_of_faults *faults, char reason[REASON_SIZE]);
/* Prints the faults of a world that take part. */
void run_tell_faults(uint64_t seed, const struct choice_of_faults *faults);

/* ---- judged.c ---- */

void judged_print(void);

/* ---- draw.c ---- */

/* The ladder of the calls that the reason names, or of the last minute. */
void draw_world(const struct world *w);

#endif
