/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Did a recording hear what was played? By correlation, for the demo. */
#ifndef CMD_HEAR_H
#define CMD_HEAR_H

#include "dualtone/base.h"

struct dt_heard {
    double correlation; /* -1 to 1, of the best place */
    double delay;       /* seconds from the start of the recording to that place */
    double seconds;     /* length of the recording */
    double rms;         /* of the recording, 0 to 1 */
};
/* What is looked for, and where: WAV files of 8,000 samples a second. */
struct dt_hear {
    const char *played, *recorded;
    double from, seconds; /* the part of `played`; 0 seconds: to its end */
};
/* The normalised cross-correlation at the lag where it is largest. DT_OK, DT_E_ABSENT or
 * DT_E_SYNTAX (no such WAV), DT_E_MORE (the recording is shorter than what was played), DT_E_NOMEM.
 */
int dt_cmd_hear(const struct dt_hear *what, struct dt_heard *out);

#endif
