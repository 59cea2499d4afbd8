/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The media engine as a node of its own: RTP and RTCP sockets, jitter buffer, codecs, sound. It may
 * run in a thread of its own (io) or in virtual time (sim). Its phone directs it by lines of text
 * on channel MEDIA, and it answers the same way:
 *
 *   start CALL LOCAL REMOTE CODEC/PAYLOAD DIRECTION   LOCAL, REMOTE: ip:port of RTP (RTCP: +1);
 *                                                     CODEC PCMU or PCMA; DIRECTION sendrecv,
 *                                                     sendonly, recvonly, inactive. For a call that
 *                                                     runs: the change.
 *   stop CALL
 * and back:
 *   started CALL | failed CALL reason words | stats CALL Dur=.. Pkt=.. Oct=.. LatePkt=.. LostPkt=..
 *   AvgJit=.. TxDur=.. TxPkt=.. TxOct=.. Dropped=.. RoundTrip=.. (answer to stop; guide
 * behaviour.md 12; Dropped: packets that were malformed or not from the signalled address;
 * RoundTrip: ms)
 *
 * Each `start` is answered by `started` (when the sockets listen) or `failed`: a new call is gone
 * then, a running one goes on as it was. `stop` is answered also for an unknown call: by zeros. */
#ifndef PHONE_MEDIA_H
#define PHONE_MEDIA_H

#include "dualtone/node.h"

/* Where sound comes from and goes to, handed in: 8,000 samples a second, mono, 16 bits. Called from
 * the media engine's tick, 160 samples each 20 ms while a call runs, for the call that was started
 * last and is not held; what the others send is silence. NULL functions: silence, and nothing kept.
 */
struct dt_sound {
    /* Fills `n` samples; what there is not is silence. */
    void (*read)(void *ctx, int16_t *samples, size_t n);
    void (*write)(void *ctx, const int16_t *samples, size_t n);
    void *ctx;
};

struct dt_media;
/* `sound` is copied; `env` must outlive the engine. NULL without memory. */
struct dt_media *dt_media_new(const struct dt_sound *sound, struct dt_env *env);
void dt_media_free(struct dt_media *m);
extern const struct dt_node_ops dt_media_node; /* the node is a struct dt_media */

/* Calls that are there, those that end included (I36). */
unsigned dt_media_calls(const struct dt_media *m);

#endif
