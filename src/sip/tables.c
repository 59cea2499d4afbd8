/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Methods, headers, status codes and faults: a row each. */
#include <string.h>

#include "sip/parts.h"

/* ---- methods ---- */

static const struct dt_str methods[DT_METHOD_COUNT] = {[DT_METHOD_OTHER] = {"?", 1},
#define X(name) [DT_##name] = {#name, sizeof #name - 1},
                                                       DT_METHODS(X)
#undef X
};

const char *dt_method_name(enum dt_method m)
{
    return methods[(unsigned)m < DT_METHOD_COUNT ? m : DT_METHOD_OTHER].p;
}

enum dt_method dt_method_find(struct dt_str name)
{
#define X(method) \
    if (name.n == sizeof #method - 1 && memcmp(name.p, #method, sizeof #method - 1) == 0) \
        return DT_##method;
    DT_METHODS(X)
#undef X
    return DT_METHOD_OTHER;
}

/* ---- headers ---- */

static const struct {
    const char *name;
    unsigned flags;
} headers[DT_H_COUNT] = {[DT_H_OTHER] = {"?", 0},
#define X(id, name, compact, flags) [DT_H_##id] = {(name), (flags)},
                         DT_HEADERS(X)
#undef X
};

const struct dt_str dt__header_heads[DT_H_COUNT] = {
#define X(id, name, compact, flags) [DT_H_##id] = {name ": ", sizeof(name ": ") - 1},
    DT_HEADERS(X)
#undef X
};

const char *dt_header_name(enum dt_header_id id)
{
    return headers[(unsigned)id < DT_H_COUNT ? id : DT_H_OTHER].name;
}

unsigned dt_header_flags(enum dt_header_id id)
{
    return headers[(unsigned)id < DT_H_COUNT ? id : DT_H_OTHER].flags;
}

#define INLINE static inline __attribute__((always_inline))

INLINE uint64_t load(const char *p, size_t n)
{
    uint64_t v = 0;
    memcpy(&v, p, n);
    return v;
}

/* Up to eight bytes, the case of letters apart. `row` is a literal of letters and '-', so that all
 * that is done to it is done by the compiler: 0x40 is set in letters, 0x20 is their case. */
INLINE bool same_part(const char *p, const char *row, size_t n)
{
    uint64_t want = load(row, n);
    uint64_t fold = (want & 0x4040404040404040u) >> 1;
    return (load(p, n) | fold) == (want | fold);
}

INLINE bool same_name(const char *p, const char *row, size_t n)
{
    if (n <= 8)
        return same_part(p, row, n);
    if (n <= 16)
        return same_part(p, row, 8) && same_part(p + n - 8, row + n - 8, 8);
    return same_part(p, row, 8) && same_part(p + 8, row + 8, 8) &&
           same_part(p + n - 8, row + n - 8, 8);
}

/* A switch on the length; in each case only the rows of that length are left by the compiler. */
/* clang-format off */
#define LENGTHS(X) \
    X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) \
    X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19) X(20)
/* clang-format on */

#define X(id, name, compact, flags) \
    _Static_assert(sizeof(name) <= 21, name " is longer than LENGTHS knows");
DT_HEADERS(X)
#undef X

#define LONG_FORM(id, name, compact, flags) \
    sizeof(name) - 1 == LENGTH &&same_name(p, name, LENGTH) ? DT_H_##id:
#define X(n) \
    static enum dt_header_id find_##n(const char *p) \
    { \
        enum { LENGTH = (n) }; \
        (void)p; \
        return DT_HEADERS(LONG_FORM) DT_H_OTHER; \
    }
LENGTHS(X)
#undef X

static enum dt_header_id find_compact(char c)
{
    c = dt_lower(c);
#define COMPACT(id, name, compact, flags) (compact) && c == (compact) ? DT_H_##id:
    return DT_HEADERS(COMPACT) DT_H_OTHER;
}

enum dt_header_id dt_header_find(struct dt_str name)
{
    enum dt_header_id id = DT_H_OTHER;
    switch (name.n) {
#define X(length) \
    case length: \
        id = find_##length(name.p); \
        break;
        LENGTHS(X)
#undef X
    default:
        break;
    }
    return !id && name.n == 1 ? find_compact(*name.p) : id;
}

/* ---- status codes ---- */

static const struct {
    int status;
    const char *phrase;
} statuses[] = {
    {100, "Trying"},
    {180, "Ringing"},
    {181, "Call Is Being Forwarded"},
    {182, "Queued"},
    {183, "Session Progress"},
    {199, "Early Dialog Terminated"}, /* RFC 6228 */
    {200, "OK"},
    {202, "Accepted"},        /* RFC 6665 */
    {204, "No Notification"}, /* RFC 5839 */
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Moved Temporarily"},
    {305, "Use Proxy"},
    {380, "Alternative Service"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"}, /* RFC 2543, known to the guide's phone */
    {410, "Gone"},
    {411, "Length Required"},            /* RFC 2543 */
    {412, "Conditional Request Failed"}, /* RFC 3903 */
    {413, "Request Entity Too Large"},
    {414, "Request-URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Unsupported URI Scheme"},
    {417, "Unknown Resource-Priority"}, /* RFC 4412 */
    {420, "Bad Extension"},
    {421, "Extension Required"},
    {422, "Session Interval Too Small"}, /* RFC 4028 */
    {423, "Interval Too Brief"},
    {424, "Bad Location Information"},         /* RFC 6442 */
    {425, "Bad Alert Message"},                /* RFC 8876 */
    {428, "Use Identity Header"},              /* RFC 8224 */
    {429, "Provide Referrer Identity"},        /* RFC 3892 */
    {430, "Flow Failed"},                      /* RFC 5626 */
    {433, "Anonymity Disallowed"},             /* RFC 5079 */
    {436, "Bad Identity Info"},                /* RFC 8224 */
    {437, "Unsupported Credential"},           /* RFC 8224 */
    {438, "Invalid Identity Header"},          /* RFC 8224 */
    {439, "First Hop Lacks Outbound Support"}, /* RFC 5626 */
    {440, "Max-Breadth Exceeded"},             /* RFC 5393 */
    {469, "Bad Info Package"},                 /* RFC 6086 */
    {470, "Consent Needed"},                   /* RFC 5360 */
    {480, "Temporarily Unavailable"},
    {481, "Call/Transaction Does Not Exist"},
    {482, "Loop Detected"},
    {483, "Too Many Hops"},
    {484, "Address Incomplete"},
    {485, "Ambiguous"},
    {486, "Busy Here"},
    {487, "Request Terminated"},
    {488, "Not Acceptable Here"},
    {489, "Bad Event"}, /* RFC 6665 */
    {491, "Request Pending"},
    {493, "Undecipherable"},
    {494, "Security Agreement Required"}, /* RFC 3329 */
    {500, "Server Internal Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Server Time-out"},
    {505, "Version Not Supported"},
    {513, "Message Too Large"},
    {555, "Push Notification Service Not Supported"}, /* RFC 8599 */
    {580, "Precondition Failure"},                    /* RFC 3312 */
    {600, "Busy Everywhere"},
    {603, "Decline"},
    {604, "Does Not Exist Anywhere"},
    {606, "Not Acceptable"},
    {607, "Unwanted"}, /* RFC 8197 */
    {608, "Rejected"}, /* RFC 8688 */
};

const char *dt_status_phrase(int status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        if (statuses[i].status == status)
            return statuses[i].phrase;
    return "Unknown";
}

/* ---- faults ---- */

static const struct {
    int status;
    const char *phrase;
} faults[DT_FAULT_COUNT] = {
#define X(name, status, phrase) [DT_FAULT_##name] = {(status), (phrase)},
    DT_SIP_FAULTS(X)
#undef X
};

int dt_sip_fault_status(enum dt_sip_fault f)
{
    return faults[(unsigned)f < DT_FAULT_COUNT ? f : DT_FAULT_VALUE].status;
}

const char *dt_sip_fault_phrase(enum dt_sip_fault f)
{
    return faults[(unsigned)f < DT_FAULT_COUNT ? f : DT_FAULT_VALUE].phrase;
}
