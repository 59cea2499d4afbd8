/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A record as a capture file that tshark and sngrep read: raw IP packets made around each message
 * (classic pcap, link type 101). TCP bytes are written as segments with running sequence numbers.
 */
#ifndef TRACE_PCAP_H
#define TRACE_PCAP_H

#include "trace/record.h"

/* The whole file as bytes, or NULL without memory. `wall_offset`: added to the items' times to get
 * Unix time in microseconds. Only SENT items are packets, and ARRIVED ones whose sender wrote no
 * record (`foreign` parties: those with no SENT item at all). */
struct dt_bytes *dt_pcap_make(const struct dt_record *r, int64_t wall_offset);

#endif
