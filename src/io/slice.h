/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How long the processor is kept at a time. (A header of its own: what Linux declares for it can't
 * stand beside <sched.h>.) */
#ifndef IO_SLICE_H
#define IO_SLICE_H

#include "dualtone/base.h"

/* The calling thread asks for the processor in slices of `slice` us (sched(7)). DT_OK; DT_E_IO: the
 * system does not have it, or the thread is of a class without slices. */
int dt__slice(dt_time slice);

#endif
