/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The scheduler of Linux (EEVDF) runs first who has the earliest deadline, and a deadline is a
 * slice away: who asks for short slices gets no more of the processor, but gets it sooner. A proxy
 * works for some 50 us at a time, and is waited for (docs/performance.md, "100 calls a second"). */
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io/slice.h"

int dt__slice(dt_time slice)
{
    struct sched_attr attr;
    memset(&attr, 0, sizeof attr);
    if (syscall(SYS_sched_getattr, 0, &attr, sizeof attr, 0) || attr.sched_policy != SCHED_NORMAL)
        return DT_E_IO;
    attr.sched_runtime = (uint64_t)slice * 1000; /* ns */
    return syscall(SYS_sched_setattr, 0, &attr, 0) ? DT_E_IO : DT_OK;
}
