/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of the media engine share. */
#ifndef PHONE_MEDIA_INTERNAL_H
#define PHONE_MEDIA_INTERNAL_H

#include "dualtone/containers.h"
#include "dualtone/sdp.h"
#include "phone/media.h"
#include "rtp/jitter.h"
#include "rtp/rtcp.h"

enum { DT__MEDIA_FRAME = DT_JITTER_FRAME, DT__MEDIA_CNAME = 16 };
/* 20 ms: 160 samples. */
static const dt_time dt__media_frame_time = 20 * DT_MS;

enum media_socket_state { DT__SOCKET_NONE, DT__SOCKET_ASKED, DT__SOCKET_OPEN };
enum { DT__RTP, DT__RTCP, DT__SOCKETS };

/* One of a call's two sockets, and who is heard there. */
struct media_socket {
    enum media_socket_state state;
    struct dt_addr local;
    struct dt_addr remote; /* signalled */
    struct dt_addr heard;  /* whose first packet came from the signalled IP: no other counts since;
                              family 0: nobody yet (I32) */
};

struct media_call {
    struct dt_list link;
    struct dt_media *engine;
    uint32_t number;
    uint64_t turn; /* the highest one that is not held has the sound */
    struct media_socket sockets[DT__SOCKETS];
    const struct dt_rtp_codec *codec;
    uint8_t payload;
    enum dt_direction direction;
    bool ending; /* sockets are being closed, the last report is due */
    int err;     /* why it failed, and which socket */
    unsigned err_socket;
    uint64_t dropped;

    /* sent */
    uint32_t ssrc, timestamp; /* of the next frame */
    uint16_t seq;
    bool talks; /* the last frame was sent */
    uint64_t tx_packets, tx_octets;
    dt_time tx_since, frame_at; /* when `timestamp` was current */

    /* received */
    struct dt_rtp_source source;
    struct dt_jitter jitter; /* while we receive */
    uint64_t rx_octets, late_before;
    dt_time rx_since;

    /* RTCP */
    char cname[DT__MEDIA_CNAME];
    bool reported;
    dt_time report_last, report_due;
    uint64_t tx_reported[2]; /* packets sent at the last report and the one before */
    uint32_t lsr;            /* of the last SR, and when it came */
    dt_time lsr_at;
    uint32_t round_trip; /* 1/65536 s */
};

struct dt_media {
    struct dt_env *env;
    struct dt_sound sound;
    struct dt_outbox out;
    struct dt_list calls;
    unsigned n_calls;
    uint64_t turns;
    dt_time frame_due; /* while a call runs */
};

/* Do both sockets listen, and does the call not end? */
bool dt__media_runs(const struct media_call *c);
/* Is `from` who may be heard on socket `i`? Notes it if it is the first; else counts it. */
bool dt__media_heard(struct media_call *c, unsigned i, const struct dt_addr *from);

/* ---- media_stream.c: RTP ---- */
/* Random beginnings (RFC 3550 5.1). */
void dt__media_stream_init(struct media_call *c);
/* The jitter buffer anew; what it counted is kept. */
void dt__media_stream_restart(struct media_call *c);
/* A frame that is due at `at`: `mic` goes out if the call sends; what was received, or silence,
 * comes in `speaker`. */
void dt__media_stream_frame(struct media_call *c, dt_time at, const int16_t *mic, int16_t *speaker);
/* `frames` were missed: time passes, nothing is sent. */
void dt__media_stream_skip(struct media_call *c, uint64_t frames);
/* A datagram on the RTP socket that came at `arrival`. */
void dt__media_stream_put(struct media_call *c, dt_time now, const struct dt_input *in);

/* ---- media_rtcp.c ---- */
/* The call begins to run: the first report is due. */
void dt__media_rtcp_start(struct media_call *c, dt_time now);
/* Sends what is due. */
void dt__media_rtcp_tick(struct media_call *c, dt_time now);
/* A last report with BYE, if anything was sent before (RFC 3550 6.3.7). */
void dt__media_rtcp_bye(struct media_call *c, dt_time now);
void dt__media_rtcp_put(struct media_call *c, dt_time now, const struct dt_input *in);

/* ---- media_orders.c: the lines of media.h ---- */
void dt__media_order(struct dt_media *m, dt_time now, struct dt_str line);
/* A socket listens, or could not be opened. */
void dt__media_socket_is(struct dt_media *m, dt_time now, const struct dt_addr *local, int err);
/* Goes on with the end of a call, which is freed when its sockets are given back and its report is
 * handed out; without memory that takes more than one try. */
void dt__media_end(struct media_call *c, dt_time now);

#endif
