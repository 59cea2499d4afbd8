/* SPDX-License-Identifier: BSD-2-Clause
 *
 * SIP, SIPS and tel URIs, and any other scheme carried as text (RFC 3261 19.1, RFC 3966). */
#ifndef DUALTONE_URI_H
#define DUALTONE_URI_H

#include "dualtone/node.h"
#include "dualtone/text.h"

enum dt_uri_scheme { DT_URI_SIP, DT_URI_SIPS, DT_URI_TEL, DT_URI_OTHER };

/* Slices into the text that was parsed; escapes are left as they are. */
struct dt_uri {
    struct dt_str text; /* all of it */
    struct dt_str scheme_text;
    struct dt_str user; /* SIP: what stands before ':' or '@'; tel: the number; other: all behind
                           the scheme */
    struct dt_str password;
    struct dt_str host;    /* IPv6 without its brackets */
    struct dt_str params;  /* "transport=udp;lr", without the first ';' */
    struct dt_str headers; /* behind '?' */
    enum dt_uri_scheme scheme;
    uint16_t port; /* 0: none given */
    bool has_user;
    bool host_v6;
};

/* Parse a URI (grammar in RFC 3261 25.1; RFC 5954 for IPv6). A scheme other than sip, sips and tel
 * is kept as text. Returns DT_OK, or DT_E_SYNTAX with `*at` (may be NULL) the offset of the first
 * bad byte. `out` is valid while `text` is. */
int dt_uri_parse(struct dt_uri *out, struct dt_str text, size_t *at);

/* Finds a parameter in "a=b;c;d=e" (names in any case). `*value` is empty for one without '='.
 * False if it is not there. Quoted values come without their quotes. */
bool dt_param(struct dt_str params, const char *name, struct dt_str *value);

/* The IP address and port in a host that is a number; port 0 where none was given. The transport
 * parameter decides `transport` (UDP when absent). DT_OK, DT_E_ABSENT for a name, DT_E_UNSUPPORTED
 * for sips or a transport other than UDP and TCP: never a downgrade. */
int dt_uri_addr(const struct dt_uri *u, struct dt_addr *out);

/* Writes `s` with %HH replaced (RFC 3261 19.1.2); a bad escape stays as it is. */
void dt_uri_write_unescaped(struct dt_writer *w, struct dt_str s);
/* Writes `user` with what a user part may not hold escaped. */
void dt_uri_write_user(struct dt_writer *w, struct dt_str user);

/* Equal by the rules of RFC 3261 19.1.4 (other schemes: by bytes). */
bool dt_uri_eq(const struct dt_uri *a, const struct dt_uri *b);

/* The address of record as a key: scheme, unescaped user, host in lower case, port if it is not the
 * scheme's own; without parameters (RFC 3261 10.3 step 5). */
void dt_uri_write_aor(struct dt_writer *w, const struct dt_uri *u);

#endif
