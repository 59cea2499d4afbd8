/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Worlds with media: each phone has its engine (phone/media.h), which lives and dies with it; what
 * goes over the network and what is heard is judged (I33, I34). Its sound is frames with a number,
 * so that each can be told from each other when it comes out at another phone. */
#ifndef RANDOM_SOUND_H
#define RANDOM_SOUND_H

#include "phone/media.h"
#include "world.h"

enum {
    SOUND_STREAMS = 64, /* calls of a phone whose numbers are kept at once */
    SOUND_RECENT = 512  /* frames, packets: so old ones may still come */
};

/* The RTP of one call of a phone, by its local port. */
struct stream {
    uint32_t call; /* 0: never used */
    struct dt_addr local, remote;
    bool runs, stopped; /* as the engine says; as the phone said */
    dt_time stopped_at;
    struct {
        bool any;
        uint32_t ssrc, timestamp, first_timestamp;
        uint16_t seq;
        dt_time first_at; /* by the clock of the phone */
    } sent;
    struct {
        bool any;
        bool odd; /* something that RFC 3550 A.1 may doubt: no exact count */
        uint32_t ssrc;
        int64_t first, last; /* numbers, extended */
        int64_t recent[SOUND_RECENT];
        uint64_t unique;
        uint32_t timestamp; /* of the first that came, and when */
        dt_time first_at;
        dt_time least, most; /* what a packet needed, more or less than others */
        unsigned skipped;    /* frames that came, and were not heard though a later one was */
    } got;
};

/* When a frame came to a phone. */
struct came {
    uint32_t frame; /* and one */
    dt_time at;
    struct stream *on;
};

/* The engine of a phone, and what its people hear. */
struct sound {
    struct party *p;
    struct kit_alloc memory;
    struct dt_env env;
    struct dt_media *media;
    struct dt_sim_node *node;
    dt_time woke;  /* it stood still until then */
    uint32_t next; /* number of the next frame that is spoken */
    /* The sound that comes out: a mark is a run of samples of one loudness. */
    uint64_t signs;
    unsigned run;
    uint32_t heard[PARTIES_MAX]; /* the last frame of each other phone, and one */
    uint32_t begun[PARTIES_MAX]; /* the first mark since then: of this one, and one */
    struct came came[PARTIES_MAX][SOUND_RECENT];
    struct stream streams[SOUND_STREAMS];
};

/* ---- sound.c: engines ---- */

/* Is this a world with media? */
bool sound_wanted(const struct world *w);
/* The engine of a phone that was just attached. False after a failure. */
bool sound_open(struct party *p);
void sound_close(struct party *p);
/* With the phone's process. */
void sound_kill(struct party *p);
void sound_restart(struct party *p);
void sound_hang(struct party *p, bool on);
void sound_hole(struct party *p, bool on);
/* Calls that the engine still has (I36). */
unsigned sound_calls(const struct party *p);

/* ---- sound_judge.c ---- */

/* What the engines send and get; false: the packet is none of theirs. */
bool sound_packet(struct world *w, enum dt_sim_fate fate, const struct dt_addr *from,
                  const struct dt_addr *to, const struct dt_bytes *bytes);
/* What an engine says; false: `node` is none. */
bool sound_said(struct world *w, const struct dt_sim_node *node, const struct dt_output *ev);
/* What a phone orders. */
void sound_ordered(struct party *p, const struct dt_output *ev);
/* 20 ms of speech that carry the next number; 20 ms that are heard. */
void sound_speak(void *sound, int16_t *samples, size_t n);
void sound_hear(void *sound, const int16_t *samples, size_t n);

#endif
