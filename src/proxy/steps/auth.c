/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who is it (RFC 3261 22, RFC 7616, RFC 8760)? Users of our domain prove a password: 401 for
 * REGISTER, 407 for what they ask of us otherwise. Nonces are stateless (design.md R14); nothing is
 * remembered of who has not proved anything (I28). */
#include "proxy/work.h"

enum { USER_MAX = 256, CHALLENGE_MAX = 1024 };

struct check {
    struct dt_proxy_work *w;
    enum dt_header_id credentials, challenge;
    int status;
    bool stale;
    struct dt_auth auth;
};

/* ---- the challenge ---- */

static bool is_configured(const struct check *c, enum dt_hash_kind hash)
{
    int64_t digest = c->w->p->cfg->digest;
    return digest == DT_PROXY_BOTH || (digest == DT_PROXY_SHA256) == (hash == DT_HASH_SHA256);
}

static void write_challenge(const struct check *c, struct dt_writer *out, enum dt_hash_kind hash)
{
    const struct dt_proxy *p = c->w->p;
    int64_t wall = (c->w->now + p->env->wall_offset) / DT_SECOND;
    char nonce[64];
    struct dt_writer n = dt_writer(nonce, sizeof nonce);
    uint32_t salt = dt__nonces_salt(&c->w->p->nonces);
    dt_nonce_write(&n, &p->nonce_keys[0], wall, salt, p->cfg->domain, &c->w->from.remote);
    dt_write_z(out, dt_header_name(c->challenge));
    dt_write_lit(out, ": ");
    dt_digest_challenge(out, p->cfg->domain, dt_writer_str(&n), hash, c->stale);
    dt_write_lit(out, "\r\n");
}

/* Without a state behind it (RFC 3261 26.3.2.4): a repeat is challenged anew, and a flood of those
 * who prove nothing takes no memory. That of an INVITE waits for its ACK. */
static enum dt_step_result send_challenge(const struct check *c, struct dt_str lines)
{
    c->w->stateless = c->w->m->method != DT_INVITE;
    return dt__answer(c->w, DT_COUNT_ANSWERED_auth, c->status, lines);
}

/* One header an algorithm, the strongest first (RFC 8760 2.4); only what is configured, and what
 * every user has a hash for, so that whichever a phone picks can be right. A phone that does not
 * know SHA-256 should pass over its challenge; libre and others give up instead, so MD5 alone is
 * the default. */
static enum dt_step_result challenge(const struct check *c)
{
    static const enum dt_hash_kind kinds[] = {DT_HASH_SHA256, DT_HASH_MD5};
    char extra[CHALLENGE_MAX];
    struct dt_writer out = dt_writer(extra, sizeof extra);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (is_configured(c, kinds[i]) &&
            dt_subscribers_offer(c->w->p->subscribers, c->w->p->cfg->domain, kinds[i]))
            write_challenge(c, &out, kinds[i]);
    if (!out.n) /* nobody has a password, so nobody can have proved one */
        return dt__answer(c->w, DT_COUNT_ANSWERED_auth, 403, DT_STR_NONE);
    return send_challenge(c, dt_writer_str(&out));
}

static enum dt_step_result refuse(const struct check *c, int status)
{
    return dt__answer(c->w, DT_COUNT_ANSWERED_auth, status, DT_STR_NONE);
}

/* ---- the credentials ---- */

/* The first credentials for our realm; a request may carry others' too (22.3). */
static bool find_credentials(struct check *c)
{
    const struct dt_sip_msg *m = c->w->m;
    for (const struct dt_sip_header *h = dt_sip_first(m, c->credentials); h; h = dt_sip_next(m, h))
        if (!dt_auth_parse(&c->auth, dt_sip_value(m, h)) &&
            dt_str_ieq(c->auth.realm, c->w->p->cfg->domain))
            return true;
    return false;
}

/* RFC 7616 3.4.6: the uri of the credentials means the same resource as the request. */
static bool is_for_this(const struct check *c)
{
    struct dt_uri uri;
    const struct dt_sip_msg *m = c->w->m;
    if (dt_str_eq(c->auth.uri, m->uri.text))
        return true;
    return !dt_uri_parse(&uri, c->auth.uri, NULL) && dt_uri_eq(&uri, &m->uri);
}

/* The same work and the same answer whether or not there is such a user (CVE-2018-12227). */
static bool is_right(const struct check *c)
{
    static const char none[] = "0000000000000000000000000000000000000000000000000000000000000000";
    struct dt_proxy *p = c->w->p;
    const struct dt_subscriber *s =
        dt_subscribers_find(p->subscribers, c->auth.username, p->cfg->domain, c->auth.hash);
    size_t digits = c->auth.hash == DT_HASH_SHA256 ? 64 : 32;
    struct dt_str ha1 = s ? s->ha1 : (struct dt_str){none, digits};
    bool right = !dt_digest_verify(p->env->hash, &c->auth, ha1, c->w->m->method_text, &p->checked);
    return right && s && is_configured(c, c->auth.hash);
}

static uint64_t request_hash(const struct check *c)
{
    const struct dt_sip_msg *m = c->w->m;
    struct dt_siphash h;
    dt_siphash_init(&h, c->w->p->key);
    dt_siphash_add_str(&h, m->via.branch);
    dt_siphash_add_str(&h, m->call_id);
    dt_siphash_add_str(&h, m->method_text);
    dt_siphash_add(&h, &m->cseq.number, sizeof m->cseq.number);
    return dt_siphash_end(&h);
}

static bool read_count(struct dt_str nc, uint32_t *out)
{
    uint32_t v = 0;
    if (nc.n != 8)
        return false;
    for (size_t i = 0; i < nc.n; i++) {
        char d = dt_lower(nc.p[i]);
        if (!dt_is_digit(d) && (d < 'a' || d > 'f'))
            return false;
        v = v << 4 | (uint32_t)(dt_is_digit(d) ? d - '0' : d - 'a' + 10);
    }
    *out = v;
    return true;
}

/* Without qop there is no count, and nothing to tell a replay by but the life of the nonce. */
static bool is_fresh(const struct check *c)
{
    struct dt_proxy *p = c->w->p;
    uint32_t count;
    if (!c->auth.qop_auth)
        return true;
    return read_count(c->auth.nc, &count) &&
           dt__nonces_use(&p->nonces, c->w->now, p->cfg->nonce_life * DT_SECOND,
                          dt_nonce_id(c->auth.nonce), count, request_hash(c)) != DT_E_STALE;
}

/* R15: with any of the keys. */
static int check_nonce(const struct check *c, int64_t wall)
{
    const struct dt_proxy *p = c->w->p;
    int age = DT_E_SYNTAX;
    for (size_t i = 0; i < p->keys.n && age && age != DT_E_STALE; i++)
        age = dt_nonce_check(&p->nonce_keys[i], c->auth.nonce, wall, p->cfg->nonce_life,
                             p->cfg->domain, &c->w->from.remote);
    return age;
}

static enum dt_step_result judge(struct check *c)
{
    const struct dt_proxy *p = c->w->p;
    int64_t wall = (c->w->now + p->env->wall_offset) / DT_SECOND;
    if (!c->auth.known_algorithm)
        return challenge(c);
    if (!is_for_this(c))
        return refuse(c, 400);
    int age = check_nonce(c, wall);
    bool right = is_right(c);
    c->stale = right && (age == DT_E_STALE || (!age && !is_fresh(c)));
    if (!right || age || c->stale)
        return challenge(c);
    c->w->user = c->auth.username;
    return DT_STEP_CONTINUE;
}

/* ---- who must prove what ---- */

bool dt__auth_required(const struct dt_proxy *p)
{
    return p->cfg->subscribers.n || dt_subscribers_n(p->subscribers);
}

/* REGISTER acts for its To (10.3 step 4), everything else for its From. */
static bool is_own_name(const struct dt_proxy_work *w)
{
    const struct dt_name_addr *who = w->m->method == DT_REGISTER ? &w->m->to : &w->m->from;
    char buf[USER_MAX];
    return dt_str_eq(dt__user_of(&who->uri, buf, sizeof buf), w->user);
}

/* ACK and CANCEL cannot be challenged (22.1); what stays inside a call that was let through needs
 * no second proof; a probe of the proxy itself is free. */
static bool is_exempt(const struct dt_proxy_work *w)
{
    enum dt_method method = w->m->method;
    /* A copy of the twin's proves itself where it is read, or is refused. */
    if (w->ours && (method == DT_REGISTER || (method == DT_OPTIONS && !w->aor.n)) &&
        dt_sip_first(w->m, DT_H_DUALTONE_COPY))
        return true;
    return method == DT_ACK || method == DT_CANCEL || w->let_through ||
           (method == DT_OPTIONS && w->ours && !w->aor.n);
}

static enum dt_step_result run(struct dt_proxy_work *w)
{
    struct dt_proxy *p = w->p;
    bool registers = w->m->method == DT_REGISTER && w->ours;
    if (!dt__auth_required(p) || is_exempt(w))
        return DT_STEP_CONTINUE;
    if (!registers && !dt__self_is_uri(&p->self, &w->m->from.uri, &w->from.local))
        return DT_STEP_CONTINUE; /* a stranger: reaches our users only (steps/relay.c) */
    struct check c = {.w = w,
                      .credentials = registers ? DT_H_AUTHORIZATION : DT_H_PROXY_AUTHORIZATION,
                      .challenge = registers ? DT_H_WWW_AUTHENTICATE : DT_H_PROXY_AUTHENTICATE,
                      .status = registers ? 401 : 407};
    if (!find_credentials(&c))
        return challenge(&c);
    enum dt_step_result result = judge(&c);
    if (result == DT_STEP_CONTINUE && !is_own_name(w))
        return refuse(&c, 403);
    return result;
}

const struct dt_proxy_step dt__step_auth = {"auth", run};
