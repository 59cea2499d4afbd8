/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "dualtone/base.h"

struct dt_str dt_str_z(const char *z)
{
    return z ? (struct dt_str){z, strlen(z)} : DT_STR_NONE;
}

bool dt_str_ieq(struct dt_str a, struct dt_str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (a.p[i] != b.p[i] && dt_lower(a.p[i]) != dt_lower(b.p[i]))
            return false;
    return true;
}

bool dt_str_starts(struct dt_str s, struct dt_str prefix)
{
    return prefix.n <= s.n && dt_str_eq(dt_str_sub(s, 0, prefix.n), prefix);
}

bool dt_str_ends(struct dt_str s, struct dt_str suffix)
{
    return suffix.n <= s.n && dt_str_eq(dt_str_sub(s, s.n - suffix.n, suffix.n), suffix);
}

size_t dt_str_find(struct dt_str s, char c)
{
    const char *hit = s.n ? memchr(s.p, c, s.n) : NULL;
    return hit ? (size_t)(hit - s.p) : s.n;
}

size_t dt_str_search(struct dt_str s, struct dt_str what)
{
    for (size_t i = 0; i <= s.n && what.n <= s.n - i; i++)
        if (dt_str_eq(dt_str_sub(s, i, what.n), what))
            return i;
    return s.n;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct dt_str dt_str_trim(struct dt_str s)
{
    while (s.n && is_space(s.p[0]))
        s = dt_str_sub(s, 1, s.n);
    while (s.n && is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

int dt_str_cmp(struct dt_str a, struct dt_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;
    if (order)
        return order;
    return a.n < b.n ? -1 : a.n > b.n;
}

enum { SAFE_DIGITS = 19 }; /* as many cannot be too large for 64 bits */

/* The value of more digits than that, all of them known to be some. */
static int many_digits(struct dt_str s, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < s.n; i++) {
        uint64_t digit = (uint64_t)(s.p[i] - '0');
        if (value > UINT64_MAX / 10 || (value == UINT64_MAX / 10 && digit > UINT64_MAX % 10))
            return DT_E_RANGE;
        value = value * 10 + digit;
    }
    *out = value;
    return DT_OK;
}

int dt_str_u64(struct dt_str s, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    const char *p = s.p, *end = s.n ? p + s.n : p;
    for (; p < end; p++) {
        unsigned digit = (unsigned)(unsigned char)*p - '0';
        if (digit > 9) /* even behind too many digits the worse mistake */
            return DT_E_SYNTAX;
        value = value * 10 + digit;
    }
    if (!s.n)
        return DT_E_SYNTAX;
    if ((s.n > SAFE_DIGITS && many_digits(s, &value)) || value > max)
        return DT_E_RANGE;
    *out = value;
    return DT_OK;
}
