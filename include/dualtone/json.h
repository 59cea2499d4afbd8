/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A bounded writer of JSON (RFC 8259), for what is told to programs: no library in the core. */
#ifndef DUALTONE_JSON_H
#define DUALTONE_JSON_H

#include "dualtone/text.h"

/* Writes one document into a dt_writer of the caller. `key` is NULL inside an array and for the
 * outermost value; it must be plain ASCII. The first error stays in w->err: DT_E_LIMIT when the
 * document did not fit. */
struct dt_json {
    struct dt_writer *w;
    bool more; /* a comma goes before the next value */
};
static inline struct dt_json dt_json(struct dt_writer *w)
{
    return (struct dt_json){w, false};
}
/* `bracket` is '{' or '[', and '}' or ']' at the end. */
void dt_json_open(struct dt_json *j, const char *key, char bracket);
void dt_json_close(struct dt_json *j, char bracket);
/* Text of anybody: what is not UTF-8 becomes U+FFFD, control characters are escaped (RFC 8259 7),
 * those of U+0080 to U+009F and U+2028, U+2029 too, so that it is one line wherever it is shown. */
void dt_json_str(struct dt_json *j, const char *key, struct dt_str value);
void dt_json_z(struct dt_json *j, const char *key, const char *value); /* NULL: null */
void dt_json_int(struct dt_json *j, const char *key, int64_t value);
void dt_json_bool(struct dt_json *j, const char *key, bool value);

#endif
