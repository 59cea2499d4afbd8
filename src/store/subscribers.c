/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The subscribers' file: lines into a keyed map, and lines into other lines. */
#include <string.h>

#include "store/subscribers.h"

enum { NAME_MAX = 128, HA1_MAX = DT_DIGEST_HEX_MAX };

/* A row an algorithm: its name in the file and in challenges (RFC 8760 2.1), the length of HA1. */
static const struct {
    struct dt_str name;
    enum dt_hash_kind hash;
    size_t digits;
} algorithms[] = {
    {{"SHA-256", 7}, DT_HASH_SHA256, 64},
    {{"MD5", 3}, DT_HASH_MD5, 32},
};
enum { ALGORITHMS = sizeof algorithms / sizeof algorithms[0] };

/* ---- one line ---- */

bool dt_subscriber_name_ok(struct dt_str user)
{
    for (size_t i = 0; i < user.n; i++) {
        unsigned char c = (unsigned char)user.p[i];
        if (c <= ' ' || c == 0x7f || c == ':' || c == '"' || c == '#' || c == '\\')
            return false;
    }
    return user.n > 0 && user.n <= NAME_MAX;
}

static bool is_hex(struct dt_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!dt_is_digit(s.p[i]) && (s.p[i] < 'a' || s.p[i] > 'f'))
            return false;
    return true;
}

/* What is wrong with the word at `*word` (from 0), or NULL. */
static const char *check_words(const struct dt_word *w, int n, struct dt_subscriber *out, int *word)
{
    *word = 0;
    if (n != 4)
        return "a line is: user realm algorithm HA1; make it with `dualtone user add`";
    if (!dt_subscriber_name_ok(w[0].text))
        return "a user name has no blanks, colons or quotes";
    *word = 2;
    size_t i = 0;
    while (i < ALGORITHMS && !dt_str_ieq(w[2].text, algorithms[i].name))
        i++;
    if (i == ALGORITHMS)
        return "the algorithm is MD5 or SHA-256";
    *word = 3;
    if (w[3].text.n != algorithms[i].digits || !is_hex(w[3].text))
        return "HA1 is 32 (MD5) or 64 (SHA-256) hex digits in lower case; a password does not "
               "belong into this file";
    *out = (struct dt_subscriber){w[0].text, w[1].text, algorithms[i].hash, w[3].text};
    return NULL;
}

static struct dt_str take_line(struct dt_str *rest)
{
    size_t n = dt_str_find(*rest, '\n');
    struct dt_str line = dt_str_sub(*rest, 0, n);
    *rest = dt_str_sub(*rest, n + 1, rest->n);
    return line;
}

/* 1: a subscriber; 0: nothing; DT_E_SYNTAX with `*why` and `*column`. */
static int parse_line(struct dt_str line, struct dt_subscriber *out, const char **why,
                      unsigned *column)
{
    struct dt_word words[DT_WORDS_MAX];
    int word, n = dt_words_split(dt_str_trim(line), "#", words, DT_WORDS_MAX, column);
    *why = "a quote is not closed";
    if (n <= 0)
        return n ? DT_E_SYNTAX : 0;
    *why = check_words(words, n, out, &word);
    *column = words[word].column;
    return *why ? DT_E_SYNTAX : 1;
}

bool dt_subscribers_next(struct dt_str *rest, struct dt_subscriber *out)
{
    const char *why;
    unsigned column;
    while (rest->n)
        if (parse_line(take_line(rest), out, &why, &column) == 1)
            return true;
    return false;
}

/* ---- the set ---- */

struct row {
    struct dt_map_entry entry;
    struct dt_subscriber s;
};

struct dt_subscribers {
    const struct dt_alloc *alloc;
    struct dt_map map; /* by user and realm, and algorithm */
    struct dt_bytes *text;
    struct row *rows;
    size_t n;
    uint64_t key[2];
    struct offer {
        char realm[NAME_MAX]; /* the one that was asked about last */
        size_t n;
        bool known[DT_HASH_SHA256 + 1], answer[DT_HASH_SHA256 + 1];
    } offer;
};

struct dt_subscribers *dt_subscribers_new(struct dt_env *env)
{
    struct dt_subscribers *s = dt_alloc_zero(env->alloc, sizeof *s);
    if (!s)
        return NULL;
    s->alloc = env->alloc;
    s->key[0] = dt_rng_u64(&env->rng);
    s->key[1] = dt_rng_u64(&env->rng);
    dt_map_init(&s->map, s->alloc, s->key);
    return s;
}

static void clear(struct dt_subscribers *s)
{
    dt_map_clear(&s->map);
    dt_alloc_free(s->alloc, s->rows);
    dt_bytes_drop(s->text);
}

void dt_subscribers_free(struct dt_subscribers *s)
{
    if (!s)
        return;
    clear(s);
    dt_alloc_free(s->alloc, s);
}

static uint64_t hash_of(const struct dt_subscribers *s, struct dt_str user, struct dt_str realm,
                        enum dt_hash_kind hash)
{
    struct dt_siphash h;
    uint8_t kind = (uint8_t)hash;
    dt_siphash_init(&h, s->key);
    dt_siphash_add_str(&h, user);
    for (size_t i = 0; i < realm.n; i++) { /* a realm is a domain: any case */
        char c = dt_lower(realm.p[i]);
        dt_siphash_add(&h, &c, 1);
    }
    dt_siphash_add(&h, &kind, 1);
    return dt_siphash_end(&h);
}

const struct dt_subscriber *dt_subscribers_find(const struct dt_subscribers *s, struct dt_str user,
                                                struct dt_str realm, enum dt_hash_kind hash)
{
    uint64_t h = hash_of(s, user, realm, hash);
    for (struct dt_map_entry *e = dt_map_first(&s->map, h); e; e = dt_map_next(e)) {
        const struct dt_subscriber *got = &DT_OF(e, struct row, entry)->s;
        if (got->hash == hash && dt_str_eq(got->user, user) && dt_str_ieq(got->realm, realm))
            return got;
    }
    return NULL;
}

bool dt_subscribers_has(const struct dt_subscribers *s, struct dt_str user, struct dt_str realm)
{
    for (size_t i = 0; i < ALGORITHMS; i++)
        if (dt_subscribers_find(s, user, realm, algorithms[i].hash))
            return true;
    return false;
}

size_t dt_subscribers_n(const struct dt_subscribers *s)
{
    return s->n;
}

static bool have_all(const struct dt_subscribers *s, struct dt_str realm, enum dt_hash_kind hash)
{
    bool any = false;
    for (size_t i = 0; i < s->n; i++) {
        const struct dt_subscriber *row = &s->rows[i].s;
        if (!dt_str_ieq(row->realm, realm))
            continue;
        any = true;
        if (row->hash != hash && !dt_subscribers_find(s, row->user, realm, hash))
            return false;
    }
    return any;
}

/* Walks all of them once; each challenge asks, and the answer is the same until the next read. */
bool dt_subscribers_offer(struct dt_subscribers *s, struct dt_str realm, enum dt_hash_kind hash)
{
    struct offer *o = &s->offer;
    if (realm.n > sizeof o->realm)
        return have_all(s, realm, hash);
    if (!dt_str_eq((struct dt_str){o->realm, o->n}, realm)) {
        *o = (struct offer){.n = realm.n};
        if (realm.n)
            memcpy(o->realm, realm.p, realm.n);
    }
    if (!o->known[hash])
        o->answer[hash] = have_all(s, realm, hash);
    o->known[hash] = true;
    return o->answer[hash];
}

static int add_row(struct dt_subscribers *s, const struct dt_subscriber *row)
{
    struct row *r = &s->rows[s->n];
    r->s = *row;
    int err = dt_map_add(&s->map, &r->entry, hash_of(s, row->user, row->realm, row->hash));
    s->n += !err;
    return err;
}

/* Fills `s`, which has its text and room for a row a line. */
static int read_lines(struct dt_subscribers *s, struct dt_str file, struct dt_problems *problems)
{
    struct dt_str rest = dt_bytes_str(s->text);
    int err = DT_OK;
    for (unsigned number = 1; rest.n; number++) {
        struct dt_subscriber row;
        struct dt_place place = {file, number, 1};
        const char *why;
        int got = parse_line(take_line(&rest), &row, &why, &place.column);
        if (got == 1 && dt_subscribers_find(s, row.user, row.realm, row.hash)) {
            why = "this user has a line with this realm and algorithm already; delete one";
            got = DT_E_SYNTAX;
        }
        if (got == 1 && add_row(s, &row))
            return DT_E_NOMEM;
        if (got < 0)
            err = DT_E_SYNTAX;
        if (got < 0 && problems)
            dt_problem_add(problems, true, place, "%s", why);
    }
    return err;
}

static size_t count_lines(struct dt_str text)
{
    size_t n = 1;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    return n;
}

int dt_subscribers_read(struct dt_subscribers *s, struct dt_str file, struct dt_str text,
                        struct dt_problems *problems)
{
    struct dt_subscribers fresh = {.alloc = s->alloc, .key = {s->key[0], s->key[1]}};
    dt_map_init(&fresh.map, s->alloc, s->key);
    fresh.text = dt_bytes_copy(s->alloc, text);
    fresh.rows = dt_alloc_array(s->alloc, NULL, count_lines(text), sizeof *fresh.rows);
    int err = fresh.text && fresh.rows ? read_lines(&fresh, file, problems) : DT_E_NOMEM;
    if (err) {
        clear(&fresh);
        return err;
    }
    clear(s);
    *s = fresh;
    return DT_OK;
}

/* ---- the file as text ---- */

static bool is_of(struct dt_str line, struct dt_str user, struct dt_str realm)
{
    struct dt_subscriber row;
    const char *why;
    unsigned column;
    return parse_line(line, &row, &why, &column) == 1 && dt_str_eq(row.user, user) &&
           dt_str_ieq(row.realm, realm);
}

/* Copies all lines but those of (user, realm); returns how many went. */
static size_t copy_others(struct dt_writer *w, struct dt_str text, struct dt_str user,
                          struct dt_str realm)
{
    size_t gone = 0;
    while (text.n) {
        struct dt_str line = take_line(&text);
        if (is_of(line, user, realm)) {
            gone++;
            continue;
        }
        dt_write(w, line);
        dt_write_char(w, '\n');
    }
    return gone;
}

int dt_subscribers_remove(const struct dt_alloc *a, struct dt_str text, struct dt_str user,
                          struct dt_str realm, struct dt_bytes **out)
{
    struct dt_bytes *b = dt_bytes_new(a, text.n + 1);
    if (!b)
        return DT_E_NOMEM;
    struct dt_writer w = dt_writer(b->data, b->cap);
    if (!copy_others(&w, text, user, realm)) {
        dt_bytes_drop(b);
        return DT_E_ABSENT;
    }
    b->n = (uint32_t)w.n;
    *out = b;
    return w.err;
}

int dt_subscribers_put(const struct dt_alloc *a, dt_hash_fn hash, struct dt_str text,
                       struct dt_str user, struct dt_str realm, struct dt_str password,
                       struct dt_bytes **out)
{
    if (!dt_subscriber_name_ok(user) || !dt_subscriber_name_ok(realm))
        return DT_E_SYNTAX;
    struct dt_bytes *b =
        dt_bytes_new(a, text.n + ALGORITHMS * (user.n + realm.n + HA1_MAX + 16) + 1);
    if (!b)
        return DT_E_NOMEM;
    struct dt_writer w = dt_writer(b->data, b->cap);
    copy_others(&w, text, user, realm);
    for (size_t i = 0; i < ALGORITHMS; i++) {
        struct dt_digest_hex ha1;
        int err = dt_digest_ha1(hash, algorithms[i].hash, user, realm, password, &ha1);
        if (err) {
            dt_bytes_drop(b);
            return err;
        }
        dt_writef(&w, "%.*s %.*s %.*s %s\n", DT_FMT(user), DT_FMT(realm),
                  DT_FMT(algorithms[i].name), ha1.text);
    }
    b->n = (uint32_t)w.n;
    *out = b;
    return w.err;
}
