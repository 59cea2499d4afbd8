/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What conf.c needs to know about a row of an option table beyond dualtone/conf.h. */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include "dualtone/conf.h"

/* The bounds of a number; 0 and 0 in the row mean "not negative". */
void dt__option_range(const struct dt_option *o, int64_t *min, int64_t *max);

/* Index of `word` in `choices` ("a|b|c"), whatever its case; -1 if it is none of them. */
int dt__option_choice(const char *choices, struct dt_str word);

#endif
