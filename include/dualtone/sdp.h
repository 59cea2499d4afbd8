/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Session descriptions (RFC 8866) and the offer/answer model (RFC 3264) for one audio stream. No
 * allocation; what a peer sends is bounded by the limits below (reliability.md 2). */
#ifndef DUALTONE_SDP_H
#define DUALTONE_SDP_H

#include "dualtone/node.h"

/* ---- descriptions ---- */

enum {
    DT_SDP_LINES_MAX = 256, /* a description with more is DT_E_LIMIT */
    DT_SDP_MEDIA_MAX = 16,
    DT_SDP_FORMATS_MAX = 64 /* an m= line */
};

/* One line "t=value" in wire order; unknown types are kept too. */
struct dt_sdp_line {
    struct dt_str value;
    char type;
};

/* An address of a c= line (RFC 8866 5.7); `addr.family` is 0 for a name, `addr.port` is 0. */
struct dt_sdp_connection {
    struct dt_str host; /* as written, without "/ttl"; empty: there is no such line */
    struct dt_addr addr;
};

/* One m= line and what belongs to it (5.14). */
struct dt_sdp_media {
    struct dt_str type;    /* "audio" */
    struct dt_str proto;   /* "RTP/AVP" */
    struct dt_str formats; /* "0 8 101" */
    uint16_t port;         /* 0: rejected (RFC 3264 6) */
    uint16_t line, end;    /* its lines: the m= line itself, and one behind its last */
    struct dt_sdp_connection connection;
};

struct dt_sdp {
    struct dt_str session_id, version; /* of the o= line (5.2) */
    struct dt_sdp_connection connection;
    struct dt_sdp_line lines[DT_SDP_LINES_MAX];
    struct dt_sdp_media media[DT_SDP_MEDIA_MAX];
    uint16_t n, n_media;
};

/* Parse a description. Line ends may be CRLF or LF, the last may be missing; s= and t= may be
 * missing, lines of unknown types are passed over. `out` keeps slices into `text`. Returns DT_OK;
 * DT_E_SYNTAX or DT_E_LIMIT with `*at` (may be NULL) set to the offset of the first bad byte or of
 * the first line too many. */
int dt_sdp_parse(struct dt_sdp *out, struct dt_str text, size_t *at);
/* Writes all lines as they are, each with CRLF: parsed again it is the same description. */
void dt_sdp_write(struct dt_writer *w, const struct dt_sdp *s);

/* Finds the attribute a=name or a=name:value of `m`, or with `m` NULL of the session. `*value` is
 * empty for one without value. False if there is none. */
bool dt_sdp_attribute(const struct dt_sdp *s, const struct dt_sdp_media *m, struct dt_str name,
                      struct dt_str *value);

/* As bits, so that what both want is `a & b`. */
enum dt_direction { DT_INACTIVE = 0, DT_SEND = 1, DT_RECV = 2, DT_SENDRECV = 3 };

/* "sendrecv", ... (6.7). */
const char *dt_direction_name(enum dt_direction d);
/* The same seen from the other end: send and receive change places. */
enum dt_direction dt_direction_flip(enum dt_direction d);
/* What the writer of the description said of `m`, else of the session, else sendrecv (6.7). */
enum dt_direction dt_sdp_direction(const struct dt_sdp *s, const struct dt_sdp_media *m);
/* Where RTP for `m` goes: its own c=, else the session's, and the port. DT_OK; DT_E_ABSENT if there
 * is none, DT_E_UNSUPPORTED if it is a name. */
int dt_sdp_rtp(const struct dt_sdp *s, const struct dt_sdp_media *m, struct dt_addr *out);
/* Where RTCP goes: a=rtcp (RFC 3605), else the port above RTP's (RFC 3550 11). Errors as before,
 * and DT_E_SYNTAX. */
int dt_sdp_rtcp(const struct dt_sdp *s, const struct dt_sdp_media *m, struct dt_addr *out);
/* a=ptime in milliseconds (6.4), 0 if there is none that makes sense (1 to 1000). */
unsigned dt_sdp_ptime(const struct dt_sdp *s, const struct dt_sdp_media *m);

/* A coding as SDP names it: {DT_STR("PCMU"), 8000, 0, 1}; "telephone-event" is one too. */
struct dt_codec {
    struct dt_str name;
    uint32_t clock;   /* Hz, of the RTP timestamps */
    uint8_t payload;  /* 0 to 127 */
    uint8_t channels; /* 0 counts as 1 */
};
/* Takes the next format of an RTP m= line: from `*rest` (at first `m->formats`) and its rtpmap, or
 * the static table of RFC 3551 6. A format that is no payload type, or has neither, is passed over.
 * False at the end. */
bool dt_sdp_codec_next(const struct dt_sdp *s, const struct dt_sdp_media *m, struct dt_reader *rest,
                       struct dt_codec *out);
/* Same name (in any case), clock and channels; payload numbers may differ. */
bool dt_codec_eq(const struct dt_codec *a, const struct dt_codec *b);

/* ---- offer and answer ---- */

/* What we can do. */
struct dt_media_caps {
    struct dt_addr local;          /* RTP address and port; RTCP is the port above */
    const struct dt_codec *codecs; /* in order of preference */
    size_t n;
};

/* How "hold" is written: guide, rfc_2543_hold. */
enum dt_hold_form {
    DT_HOLD_RFC3264, /* a=sendonly, or a=inactive (RFC 3264 8.4) */
    DT_HOLD_RFC2543  /* c=IN IP4 0.0.0.0 (RFC 2543 B.5) */
};

/* What both sides said, as the media engine wants it. */
struct dt_media_agreed {
    bool active;           /* there is a stream; false: both sides know that there is none */
    struct dt_addr remote; /* RTP */
    struct dt_addr remote_rtcp;
    struct dt_codec codec;       /* name owned by the caps; payload: the one to send with */
    int dtmf_payload;            /* telephone-event, the one to send with; -1: none */
    enum dt_direction direction; /* ours, after both sides */
    bool remote_hold;            /* they do not want to hear us */
    uint8_t receive_payload;     /* the number of `codec` in what we receive */
    int dtmf_receive_payload;    /* -1: none */
    unsigned ptime;              /* milliseconds they want; 0: not said, 20 then */
};

enum dt_oa_state { DT_OA_STABLE, DT_OA_LOCAL_OFFER, DT_OA_REMOTE_OFFER };

enum { DT_OA_CODECS_MAX = 16 };

/* One m= line of the session: they keep their places for all its life (RFC 3264 8). Texts are
 * NUL-terminated. */
struct dt_oa_line {
    char type[16], proto[32];
    char format[32]; /* the first: a rejected line needs one (RFC 3264 6) */
};

/* What one exchange brought, or would bring. */
struct dt_oa_terms {
    struct dt_media_agreed media;
    struct dt_oa_line lines[DT_SDP_MEDIA_MAX];
    uint8_t n_lines;
    uint8_t audio; /* index of our stream's line; n_lines: there is none */
    uint8_t n_common;
    uint8_t common[DT_OA_CODECS_MAX];  /* codecs of the caps that they have too, in their order */
    uint8_t payload[DT_OA_CODECS_MAX]; /* numbers of the caps' codecs in our description */
    uint8_t owner[128];                /* number to 1 + codec: what a number once meant it means for
                                          the session (RFC 3264 8.3.2); 0: free */
    enum dt_direction remote;          /* a=sendrecv, ... as they said it */
};

/* One a call. A value type: a copy of it is another branch of a forked call. Every function that
 * returns an error has changed nothing. */
struct dt_oa {
    struct dt_media_caps caps;
    uint64_t session_id, version; /* of our o= line */
    uint64_t written; /* digest of what was written last: the same text keeps its version */
    enum dt_oa_state state;
    enum dt_direction offered;
    struct dt_oa_terms agreed; /* by the last whole exchange */
    struct dt_oa_terms open;   /* of the offer that is open */
};

/* `caps` is copied; its `codecs` (of more than DT_OA_CODECS_MAX the first) and their names must
 * outlive `oa`. */
void dt_oa_init(struct dt_oa *oa, const struct dt_media_caps *caps, uint64_t session_id);

/* Writes an offer with all codecs and, after the first, all lines that the session ever had. `want`
 * without DT_RECV is hold, in the form `form`; with it, or at an IPv6 address, the form does not
 * matter. DT_OK; DT_E_STATE if an offer is open (I15); DT_E_LIMIT if `w` is too small. */
int dt_oa_offer(struct dt_oa *oa, enum dt_direction want, enum dt_hold_form form,
                struct dt_writer *w);

/* A description came: in the stable state an offer, which is open then; while ours is open the
 * answer, and only then `*out` is filled: what was agreed. (A description repeated in a later
 * response is not for here: RFC 3261 13.2.1.) `out` may be NULL.
 *
 * DT_OK; DT_E_STATE while their offer is open; DT_E_SYNTAX; DT_E_LIMIT; DT_E_UNSUPPORTED if there
 * are streams but no audio that we can do: answer 488 (RFC 3261 13.3.1.3), or end the call. A
 * refused stream, or none at all, is DT_OK with `out->active` false. */
int dt_oa_remote(struct dt_oa *oa, struct dt_str sdp, struct dt_media_agreed *out);

/* Answers the open remote offer. DT_OK; DT_E_STATE if there is none; DT_E_LIMIT. `out` may be NULL.
 */
int dt_oa_answer(struct dt_oa *oa, enum dt_direction want, enum dt_hold_form form,
                 struct dt_writer *w, struct dt_media_agreed *out);

/* The open offer was refused (491, 488, no answer): back to what was agreed. Nothing if none is
 * open. */
void dt_oa_rollback(struct dt_oa *oa);

#endif
