/* SPDX-License-Identifier: BSD-2-Clause */
#include "dualtone/text.h"

void dt_env_init(struct dt_env *env, uint64_t seed)
{
    *env = (struct dt_env){.alloc = &dt_alloc_libc};
    dt_rng_init(&env->rng, (uint64_t[2]){seed, 0});
}

void dt_log(const struct dt_env *env, enum dt_log_level level, const char *module,
            struct dt_str call_id, const char *fmt, ...)
{
    char line[1024]; /* what is longer is cut */
    if (!env->log || !env->log->line || level > env->log->level)
        return;

    struct dt_writer w = dt_writer(line, sizeof line);
    va_list args;
    va_start(args, fmt);
    dt_vwritef(&w, fmt, args);
    va_end(args);
    env->log->line(env->log->ctx, level, module, call_id, dt_writer_str(&w));
}
