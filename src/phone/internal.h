/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of src/phone share: the phone, its lines and its calls. */
#ifndef PHONE_INTERNAL_H
#define PHONE_INTERNAL_H

#include "dualtone/containers.h"
#include "dualtone/ua.h"
#include "phone/phone.h"

/* Choices of preferred_codec and user_info, in the order of their rows. */
enum { DT__PHONE_G711U, DT__PHONE_G711A, DT__PHONE_G729A, DT__PHONE_G729, DT__PHONE_ANY };
enum { DT__PHONE_USER_NONE, DT__PHONE_USER_PHONE, DT__PHONE_USER_IP };

enum {
    DT__PHONE_CALLS_A_LINE = 2, /* guide: behaviour.md 8 */
    DT__PHONE_TEXT_MAX = 96     /* what the screen and sentences show of a name */
};

/* ---- lines ---- */

/* One registration of a line. */
struct phone_binding {
    dt_reg_id id;
    struct dt_server server;
    bool asked;   /* ua keeps it registered */
    bool settled; /* the first answer, or none, is in */
    bool good;    /* registered now */
    bool refused; /* for its credentials */
};

struct phone_line {
    bool used; /* it has a name */
    struct dt_identity identity;
    char *domain;               /* owns identity.domain */
    struct dt_server primary;   /* of calls; host empty: none configured */
    struct phone_binding at[2]; /* at the primary, at the backup */
};

/* ---- calls ---- */

/* What a call is to its user: id, name in CALL events, what the screen shows ('%': the other side),
 * and which call the screen shows if there are several (the highest). */
#define DT__PHONE_PHASES(X) \
    X(NEW, "", "", 0) \
    X(DIALLING, "calling", "Calling %", 5) \
    X(BACKUP, "calling", "Network Delay, Trying Backup", 5) \
    X(RINGING, "ringing", "Ringing %", 5) \
    X(ALERTING, "ringing", "% is calling", 6) \
    X(ANSWERING, "answering", "Connecting %", 5) \
    X(TALKING, "talking", "Connected %", 3) \
    X(HOLDING, "holding", "Holding %", 1) \
    X(HELD, "held", "Held by %", 2) \
    X(ENDING, "ending", "", 0) \
    X(OVER, "ended", "", 0)
enum phone_phase {
#define X(id, name, words, rank) DT__PHONE_##id,
    DT__PHONE_PHASES(X)
#undef X
};

struct phone_call {
    struct dt_list link; /* in dt_phone.calls, rising numbers */
    dt_call_id id;
    uint32_t number; /* for people: from 1, the lowest that is free */
    unsigned line;   /* index */
    enum phone_phase phase;
    bool caller;
    bool backup;  /* the backup was tried */
    bool by_user; /* our user ended it: no failure to tell of */
    bool sound;   /* the media engine was told to start */
    uint16_t rtp_port;
    char who[DT__PHONE_TEXT_MAX];   /* number or user part of the other side, for events */
    char shown[DT__PHONE_TEXT_MAX]; /* the same with its display name, for the screen */
};

/* What is done once the present call is on hold (guide 2.5, 2.6: hold goes first). */
enum phone_todo { DT__PHONE_NOTHING, DT__PHONE_ANSWER, DT__PHONE_DIAL, DT__PHONE_RESUME };

/* ---- the phone ---- */

struct dt_phone {
    const struct dt_phone_config *cfg;
    struct dt_env *env;
    struct dt_outbox out;
    struct dt_ua *ua;
    struct dt_addr local;
    struct phone_line lines[DT_PHONE_LINES];
    struct dt_server backup;
    struct dt_list calls;
    uint16_t next_port; /* where the search for an RTP port begins */
    unsigned listening; /* sockets that are open */
    bool ready, done;
    bool quit_idle; /* quit as soon as there are no calls */
    bool quitting;
    dt_time quit_until;
    const char *end_code; /* it ends, and this is its exit code */
    dt_time again_at;     /* there was no memory to tell that it is ready, or has quit */
    dt_time register_at;  /* a registration that there was no memory for is tried again */
    /* after hold: */
    enum phone_todo todo;
    uint32_t todo_holds, todo_call; /* numbers of calls */
    unsigned todo_line;
    char *todo_target;
    dt_time todo_until;
    /* the screen: */
    char screen[DT__PHONE_TEXT_MAX * 2]; /* as last told */
    char notice[DT__PHONE_TEXT_MAX];     /* shown until, when a call failed */
    dt_time notice_until;
};

/* ---- config_check.c ---- */
/* Neither empty nor UNPROVISIONED. */
bool dt__phone_is_set(struct dt_str value);

/* ---- lines.c ---- */
/* Identities, fallbacks and servers of the configured lines. DT_OK or DT_E_NOMEM. */
int dt__phone_lines_init(struct dt_phone *p);
void dt__phone_lines_clear(struct dt_phone *p);
/* Registers each line where the configuration wants it and it is not yet; what there is no memory
 * for again later. */
void dt__phone_lines_register(struct dt_phone *p, dt_time now);
void dt__phone_lines_unregister(struct dt_phone *p, dt_time now);
/* No registration has still to give its first result. */
bool dt__phone_lines_settled(const struct dt_phone *p);
/* Some registration was refused for its credentials and none is good. */
bool dt__phone_lines_refused(const struct dt_phone *p);
/* Registrations that ua keeps, or still removes. */
unsigned dt__phone_lines_live(const struct dt_phone *p);
/* ua's registration callback. */
void dt__phone_registration(void *user, dt_time now, dt_reg_id reg, bool registered, int status,
                            int err, uint32_t expires);
/* Index of the line that `user` (of a Request-URI, escaped) means; DT_E_ABSENT. Empty: the first.
 */
int dt__phone_line_find(const struct dt_phone *p, struct dt_str user);
/* Index of the first configured line. */
unsigned dt__phone_line_first(const struct dt_phone *p);
/* lineN_shortname, else lineN_name. */
struct dt_str dt__phone_line_label(const struct dt_phone *p, unsigned line);
/* The URI that dialling `number` means on `line` (calls.c's dial). False: there is no proxy for a
 * bare number. */
bool dt__phone_line_target(const struct dt_phone *p, unsigned line, struct dt_str number,
                           struct dt_writer *w);
/* host:port of a server as sentences name it. */
void dt__phone_server_write(struct dt_writer *w, const struct dt_server *s);

/* ---- calls.c ---- */
extern const struct dt_ua_user dt__phone_ua_user;
struct phone_call *dt__phone_call_find(const struct dt_phone *p, uint32_t number);
/* The first call in one of the phases that `phases` holds as bits; NULL. */
struct phone_call *dt__phone_call_in(const struct dt_phone *p, unsigned phases);
#define DT__PHONE_BIT(phase) (1u << DT__PHONE_##phase)
/* The call that is heard: talking, or held by the other side only; NULL. */
struct phone_call *dt__phone_call_active(const struct dt_phone *p);
/* Calls of a line that have not ended. */
unsigned dt__phone_line_calls(const struct dt_phone *p, unsigned line);
/* Starts an outgoing call; `target` is a whole URI. DT_OK, DT_E_NOMEM, DT_E_LIMIT, ...; `*out` set
 * with DT_OK. */
int dt__phone_call_dial(struct dt_phone *p, dt_time now, unsigned line, struct dt_str target,
                        struct phone_call **out);
int dt__phone_call_answer(struct dt_phone *p, dt_time now, struct phone_call *c);
/* Ends it in whatever phase; sound stops at once (I14). */
int dt__phone_call_hangup(struct dt_phone *p, dt_time now, struct phone_call *c);
/* Frees the calls that ended. */
void dt__phone_calls_sweep(struct dt_phone *p);
/* The only writer of `phase`; says it by an event. */
void dt__phone_call_set(struct dt_phone *p, struct phone_call *c, enum phone_phase phase);

/* ---- todo.c ---- */
/* Holds the active call first if there is one, then does it. DT_OK, or the error of what could be
 * tried at once. `*held`: number of the call that is being held, 0: it is done already. */
int dt__phone_after_hold(struct dt_phone *p, dt_time now, enum phone_todo todo, uint32_t call,
                         unsigned line, struct dt_str target, uint32_t *held);
/* Looks whether the hold is there, or has taken too long. */
void dt__phone_todo_run(struct dt_phone *p, dt_time now);
void dt__phone_todo_clear(struct dt_phone *p);

/* ---- sound.c ---- */
/* An even port that no call uses, in turn; 0: all are in use. */
uint16_t dt__phone_port_take(struct dt_phone *p);
/* What this phone can do, at the call's port. */
struct dt_media_caps dt__phone_caps(const struct dt_phone *p, const struct phone_call *c);
/* Orders for the media engine. */
void dt__phone_sound_set(struct dt_phone *p, struct phone_call *c, const struct dt_media_agreed *m);
void dt__phone_sound_stop(struct dt_phone *p, struct phone_call *c);
/* A line from the media engine. */
void dt__phone_sound_report(struct dt_phone *p, struct dt_str line);

/* ---- screen.c ---- */
/* Tells what the screen shows if that has changed. */
void dt__phone_screen_update(struct dt_phone *p, dt_time now);
/* Why an outgoing call failed: words on the screen for a while and a sentence for the user. */
void dt__phone_screen_failed(struct dt_phone *p, dt_time now, const struct phone_call *c,
                             const struct dt_call_end *end);
/* The line of `show` for a call. */
void dt__phone_screen_call(struct dt_writer *w, const struct phone_call *c);
/* What came back: "the answer was 403 Forbidden", "there was no answer", ... */
void dt__phone_write_cause(struct dt_writer *w, int status, int err, struct dt_str reason);

/* ---- commands.c ---- */
void dt__phone_command(struct dt_phone *p, dt_time now, struct dt_str line);

/* ---- why.c ---- */
/* Answers "N why [call [WHICH] | target [WHICH]]" by a WHY event for N. */
void dt__phone_why(struct dt_phone *p, dt_time now, struct dt_str line);

/* ---- phone.c ---- */
/* Text that people read: a copy without control characters, cut to `size` - 1 bytes. */
void dt__phone_text(char *out, size_t size, struct dt_str text);
/* Begins to quit; a second time: at once. */
void dt__phone_quit(struct dt_phone *p, dt_time now);

#endif
