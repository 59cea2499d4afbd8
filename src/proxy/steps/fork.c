/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The last step: the request goes to its targets. */
#include "proxy/work.h"

static enum dt_step_result run(struct dt_proxy_work *w)
{
    return dt__fork_start(w);
}

const struct dt_proxy_step dt__step_fork = {"fork", run};
