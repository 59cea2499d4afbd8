/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A DNS answer as it came (RFC 1035 4), because c-ares 1.18 gives no TTL of SRV and NAPTR. Pure, so
 * that tests and fuzzers can feed it. */
#ifndef IO_DNS_PARSE_H
#define IO_DNS_PARSE_H

#include "dualtone/node.h"

enum { DT_DNS_RECORDS_MAX = 64, DT_DNS_TEXT_MAX = 8192 };

/* Records of one answer with their texts; slices point into `text`. Not to be copied. */
struct dt_dns_parsed {
    struct dt_dns_record records[DT_DNS_RECORDS_MAX];
    size_t n;
    char text[DT_DNS_TEXT_MAX];
    size_t text_used;
};

/* The records of `type` in the answer section that belong to the name asked for, CNAMEs followed
 * (at most 16; the TTL is the least of the chain's). Records that are malformed, and what is over
 * the sizes above, are left out. DT_OK (also without a record), or DT_E_SYNTAX if the message is
 * none. */
int dt_dns_parse(struct dt_dns_parsed *out, struct dt_str message, enum dt_dns_type type);

#endif
