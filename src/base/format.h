/* SPDX-License-Identifier: BSD-2-Clause
 *
 * printf-like writing for the files of base that take `...` themselves. */
#ifndef BASE_FORMAT_H
#define BASE_FORMAT_H

#include "dualtone/text.h"

/* dt_writef with its arguments as a list. */
void dt__vwritef(struct dt_writer *w, const char *fmt, va_list args)
    __attribute__((format(printf, 2, 0)));

#endif
