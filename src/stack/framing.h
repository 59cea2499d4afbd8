/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where a message on a stream ends (RFC 3261 18.3): pure, no memory, no copy. */
#ifndef STACK_FRAMING_H
#define STACK_FRAMING_H

#include "dualtone/base.h"

/* What is known about the bytes at the front of a stream. Zero it for a new stream; it is zeroed
 * by whoever takes a whole thing off the front. */
struct dt__framing {
    size_t scanned; /* bytes already looked at in vain */
    size_t head;    /* start line to the empty line, when that has come; 0: not yet */
    size_t size;    /* all of the message, or of the keep-alive */
    bool ping;      /* CRLF CRLF (RFC 5626 4.4.1) */
    bool filler;    /* a CRLF, or a part of one, before a message (RFC 3261 7.5) */
    int status;     /* bad, but the head is whole: answer this and close */
};

/* Looks at all that has come and was not taken yet; call it again with the same bytes and more.
 *
 * DT_OK: the first `size` bytes are a message, a ping or filler. DT_E_MORE: not whole yet.
 * DT_E_SYNTAX or DT_E_LIMIT (more than `max` bytes): the stream cannot be understood any more;
 * `head` and `status` say whether its sender can be told. */
int dt__frame(struct dt__framing *f, struct dt_str bytes, size_t max);

#endif
