/* SPDX-License-Identifier: BSD-2-Clause */
#include "dualtone/base.h"

static const char *const err_texts[] = {[0] = "no error",
#define X(name, num, text) [-(num)] = (text),
                                        DT_ERRORS(X)
#undef X
};

const char *dt_err_text(int err)
{
    /* Negated as unsigned, so that INT_MIN is a large number and not an overflow. */
    unsigned at = 0U - (unsigned)err;
    if (at >= sizeof err_texts / sizeof err_texts[0] || !err_texts[at])
        return "unknown error";
    return err_texts[at];
}
