/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The document of a phone as sentences: a block for the phone, each target and each call. */
#include "cmd/why.h"

#include <string.h>

#include "dualtone/text.h"

/* Walks an array; what is none is empty. */
#define EACH(list, i, item) for (size_t i = 0; ((item) = json_array_get((list), i)) != NULL; i++)

/* ---- members, and how they look ---- */

static const char *text(const json_t *o, const char *key)
{
    const char *value = json_string_value(json_object_get(o, key));
    return value ? value : "";
}

static long long number(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

static bool has(const json_t *o, const char *key)
{
    return json_object_get(o, key) != NULL;
}

static bool is(const json_t *o, const char *key)
{
    return json_is_true(json_object_get(o, key));
}

/* "4.2 s" */
struct age {
    char text[32];
};
static struct age age(const json_t *o, const char *key)
{
    struct age a;
    long long ms = number(o, key);
    struct dt_writer w = dt_writer(a.text, sizeof a.text - 1);
    dt_writef(&w, "%lld.%lld s", ms / 1000, ms % 1000 / 100);
    a.text[w.n] = '\0';
    return a;
}

/* Texts come from peers: nothing of them may steer a terminal. */
static void make_plain(json_t *value)
{
    json_t *item;
    if (json_is_object(value)) {
        for (void *at = json_object_iter(value); at; at = json_object_iter_next(value, at))
            make_plain(json_object_iter_value(at));
    } else if (json_is_array(value)) {
        EACH(value, i, item)
        {
            make_plain(item);
        }
    } else if (json_is_string(value)) {
        char *copy = dt_alloc_text(&dt_alloc_libc, dt_str_z(json_string_value(value)));
        unsigned char before = 0;
        for (char *p = copy; p && *p; before = (unsigned char)*p++)
            if ((unsigned char)*p < ' ' || *p == 0x7f)
                *p = '?';
            else if (before == 0xc2 && (unsigned char)*p < 0xa0) /* U+0080 to U+009F */
                p[-1] = *p = '?';
        if (copy)
            json_string_set_nocheck(value, copy);
        dt_alloc_free(&dt_alloc_libc, copy);
    }
}

/* ---- the phone ---- */

static void print_registrations(FILE *to, const json_t *line)
{
    const json_t *list = json_object_get(line, "registrations"), *r;
    fprintf(to, "  line %lld, %s:", number(line, "line"), text(line, "name"));
    EACH(list, i, r)
    {
        fprintf(to, "%s %s at the %s %s", i ? "," : "",
                is(r, "registered") ? "registered" : "not registered", text(r, "at"),
                text(r, "server"));
    }
    fputs(json_array_size(list) ? "\n" : " without registration\n", to);
}

static void print_phone(FILE *to, const json_t *phone)
{
    const json_t *line;
    fprintf(to, "phone %s at %s, proxy_failover %s%s\n", text(phone, "name"),
            text(phone, "address"), text(phone, "policy"),
            is(phone, "ready") ? "" : ", not ready yet");
    fprintf(to, "  screen: %s\n", text(phone, "screen"));
    EACH(json_object_get(phone, "lines"), i, line)
    {
        print_registrations(to, line);
    }
}

/* ---- targets ---- */

static const char probe_missed[] = "probe not answered";

/* "3 probes not answered", "answered, 4 times" */
static void print_evidence(FILE *to, const json_t *h, long long times)
{
    if (times > 1 && strcmp(text(h, "evidence"), probe_missed) == 0)
        fprintf(to, "%lld probes not answered", times);
    else if (times > 1)
        fprintf(to, "%s, %lld times", text(h, "evidence"), times);
    else
        fputs(text(h, "evidence"), to);
}

/* How often the newest evidence was seen in a row, whatever it made of the health. */
static long long in_a_row(const json_t *t, const json_t *newest)
{
    const char *evidence = text(newest, "evidence");
    if (strcmp(evidence, probe_missed) == 0)
        return number(t, "probes_missed");
    if (strcmp(evidence, "refused") == 0)
        return number(t, "refusals");
    return number(newest, "times");
}

static void print_health(FILE *to, const json_t *t)
{
    const json_t *history = json_object_get(t, "history");
    const json_t *newest = json_array_get(history, json_array_size(history) - 1);
    fprintf(to, "target %s %s: %s since %s", text(t, "address"), text(t, "transport"),
            text(t, "health"), age(t, "since_ms").text);
    if (newest) {
        fputs(": ", to);
        print_evidence(to, newest, in_a_row(t, newest));
    }
    if (has(t, "heard_ms"))
        fprintf(to, " (last answer %s ago)\n", age(t, "heard_ms").text);
    else
        fputs(" (no answer so far)\n", to);
}

static void print_node(FILE *to, const json_t *t)
{
    const json_t *twins = json_object_get(t, "twins"), *twin;
    if (!has(t, "node")) {
        fputs("  a stranger: it does not say who it is\n", to);
        return;
    }
    fprintf(to, "  node %s of cluster %s, boot %s; ", text(t, "node"), text(t, "cluster"),
            text(t, "boot"));
    fputs(json_array_size(twins) ? "its twin is" : "no twin is known", to);
    EACH(twins, i, twin)
    {
        fprintf(to, "%s %s", i ? " and" : "", json_string_value(twin));
    }
    fputc('\n', to);
}

static void print_use(FILE *to, const json_t *t)
{
    if (is(t, "usable"))
        fputs("  new calls may go there\n", to);
    else if (has(t, "busy_in_ms"))
        fprintf(to, "  new calls do not go there: it is busy for %s more\n",
                age(t, "busy_in_ms").text);
    else if (strcmp(text(t, "health"), "down") == 0)
        fputs("  new calls do not go there: it is down\n", to);
    else
        fprintf(to, "  new calls do not go there yet: %lld of %lld good probes since it died\n",
                number(t, "good_probes"), number(t, "good_probes_wanted"));
    if (number(t, "deaths"))
        fprintf(to, "  it has died or restarted %lld time%s so far\n", number(t, "deaths"),
                number(t, "deaths") > 1 ? "s" : "");
}

static void print_target(FILE *to, const json_t *t)
{
    const json_t *h;
    print_health(to, t);
    print_node(to, t);
    print_use(to, t);
    EACH(json_object_get(t, "history"), i, h)
    {
        fprintf(to, "  %9s ago  ", age(h, "ago_ms").text);
        print_evidence(to, h, number(h, "times"));
        if (number(h, "times") > 1)
            fprintf(to, " since %s ago", age(h, "first_ms").text);
        fprintf(to, ": %s\n", text(h, "health"));
    }
    fprintf(to,
            is(t, "probe_out") ? "  next: in %s the probe that is out counts as missed\n"
                               : "  next: a probe in %s, if nothing is heard before\n",
            age(t, "next_probe_in_ms").text);
}

/* ---- calls ---- */

static void print_end(FILE *to, const json_t *call)
{
    const json_t *end = json_object_get(call, "end");
    if (!end)
        return;
    fputs("  it ended ", to);
    if (number(end, "status") >= 300)
        fprintf(to, "with %lld %s", number(end, "status"), text(end, "reason"));
    else if (json_is_string(json_object_get(end, "error")))
        fprintf(to, "because of: %s", text(end, "error"));
    else
        fputs(is(end, "by_peer") ? "by the other side" : "here", to);
    fputc('\n', to);
}

static void print_head(FILE *to, const json_t *call)
{
    fputs("call", to);
    if (number(call, "number"))
        fprintf(to, " %lld", number(call, "number"));
    fprintf(to, " %s %s: %s since %s\n", strcmp(text(call, "direction"), "in") ? "to" : "from",
            text(call, "who"), text(call, "state"), age(call, "since_ms").text);
    if (*text(call, "call_id"))
        fprintf(to, "  Call-ID %s\n", text(call, "call_id"));
    print_end(to, call);
    if (!has(call, "phase"))
        return;
    fprintf(to, "  dialled under proxy_failover %s: %s%s%s\n", text(call, "policy"),
            text(call, "phase"), is(call, "renewed") ? ", dialled anew once" : "",
            is(call, "words") ? ", the screen says Network Delay" : "");
}

static const char *fate(const json_t *candidate)
{
    if (is(candidate, "tried"))
        return "tried";
    if (is(candidate, "skipped"))
        return "skipped: known to be down when its turn came";
    if (has(candidate, "usable") && !is(candidate, "usable"))
        return "not tried, and not to be used now";
    return "not tried";
}

static void print_path(FILE *to, const json_t *p)
{
    fprintf(to, "  path %lld to %s %s (%s), sent %s ago", number(p, "path"), text(p, "address"),
            text(p, "transport"), text(p, "server"), age(p, "sent_ms").text);
    if (number(p, "tries") > 1)
        fprintf(to, " (try %lld)", number(p, "tries"));
    fprintf(to, ": %s", text(p, "state"));
    if (number(p, "status"))
        fprintf(to, ", answered %lld", number(p, "status"));
    else
        fputs(", no answer", to);
    if (has(p, "moved_to"))
        fprintf(to, "; it goes on at %s", text(p, "moved_to"));
    if (has(p, "copy_at"))
        fprintf(to, "; a copy at %s, %s", text(p, "copy_at"),
                is(p, "copy_answered") ? "answered" : "no answer");
    fputc('\n', to);
}

static void print_request(FILE *to, const json_t *r)
{
    fprintf(to, "  %s to %s %s, sent %s ago: %s", text(r, "method"), text(r, "address"),
            text(r, "transport"), age(r, "sent_ms").text,
            is(r, "answered") ? "answered" : "no answer");
    if (has(r, "copy_at"))
        fprintf(to, "; a copy at %s", text(r, "copy_at"));
    fputc('\n', to);
}

/* What came, where that led, what was done; and why, in words. */
static void print_decision(FILE *to, const json_t *d)
{
    const json_t *orders = json_object_get(d, "orders"), *order;
    fprintf(to, "  %9s ago  path %lld: ", age(d, "ago_ms").text, number(d, "path"));
    if (number(d, "status"))
        fprintf(to, "answered %lld", number(d, "status"));
    else
        fputs(text(d, "event"), to);
    if (strcmp(text(d, "before"), text(d, "after")) != 0)
        fprintf(to, ", %s -> %s", text(d, "before"), text(d, "after"));
    else
        fprintf(to, ", still %s", text(d, "after"));
    EACH(orders, i, order)
    {
        fprintf(to, "%s %s", i ? "," : ";", json_string_value(order));
    }
    fprintf(to, "\n                 %s\n", text(d, "why"));
}

static void print_next(FILE *to, const json_t *n)
{
    if (has(n, "in_ms"))
        fprintf(to, "  next: path %lld, in %s: %s\n", number(n, "path"), age(n, "in_ms").text,
                text(n, "text"));
    else
        fprintf(to, "  next: path %lld: %s\n", number(n, "path"), text(n, "text"));
}

static void print_call(FILE *to, const json_t *call)
{
    static const struct {
        const char *key;
        void (*print)(FILE *to, const json_t *item);
    } lists[] = {{"paths", print_path},
                 {"requests", print_request},
                 {"decisions", print_decision},
                 {"next", print_next}};
    const json_t *item;
    print_head(to, call);
    EACH(json_object_get(call, "candidates"), i, item)
    {
        fprintf(to, "  candidate %s %s (%s): %s\n", text(item, "address"), text(item, "transport"),
                text(item, "server"), fate(item));
    }
    for (size_t k = 0; k < sizeof lists / sizeof *lists; k++) {
        EACH(json_object_get(call, lists[k].key), i, item)
        {
            lists[k].print(to, item);
        }
        if (k == 1 && number(call, "forgotten"))
            fprintf(to, "  %lld earlier decisions are forgotten\n", number(call, "forgotten"));
    }
}

/* ---- the whole ---- */

static void print_dropped(FILE *to, const json_t *list)
{
    const json_t *item;
    long long sum = 0;
    EACH(list, i, item)
    {
        sum += number(item, "count");
        if (number(item, "count"))
            fprintf(to, "%s%lld %s\n", sum == number(item, "count") ? "not believed:\n  " : "  ",
                    number(item, "count"), text(item, "what"));
    }
    if (!sum)
        fputs("not believed: nothing so far\n", to);
}

void dt__cmd_why_print(FILE *to, json_t *document)
{
    const json_t *targets = json_object_get(document, "targets");
    const json_t *calls = json_object_get(document, "calls"), *item;
    make_plain(document);
    if (has(document, "phone"))
        print_phone(to, json_object_get(document, "phone"));
    if (targets && !json_array_size(targets))
        fputs("no target is watched: that is done under proxy_failover fast\n", to);
    EACH(targets, i, item)
    {
        print_target(to, item);
    }
    if (calls && !json_array_size(calls))
        fputs("no calls so far\n", to);
    EACH(calls, i, item)
    {
        print_call(to, item);
    }
    if (has(document, "dropped"))
        print_dropped(to, json_object_get(document, "dropped"));
}
