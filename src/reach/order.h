/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The order of what DNS found. */
#ifndef REACH_ORDER_H
#define REACH_ORDER_H

#include "dualtone/reach.h"

/* By priority, and within one by weighted lot (RFC 2782 "Usage rules"). */
void dt__order_srv(const struct dt_dns_record **records, size_t n, struct dt_rng *rng);
/* By order, then preference (RFC 3403 4.1); equal ones stay as they were. */
void dt__order_naptr(const struct dt_dns_record **records, size_t n);

#endif
