/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the rows of config.c cannot say: how parameters fit each other, and which are not used. */
#include "phone/internal.h"

/* UNPROVISIONED is the stock value of an unset name or password (guide v4.0 3-24). */
bool dt__phone_is_set(struct dt_str value)
{
    return value.n && !dt_str_eq(value, DT_STR("UNPROVISIONED"));
}

/* A check: does it fail, and what is said then. */
struct check {
    bool (*fails)(const struct dt_phone_config *cfg);
    bool fatal;
    const char *text;
};

static bool has_no_line(const struct dt_phone_config *cfg)
{
    for (unsigned i = 0; i < DT_PHONE_LINES; i++)
        if (dt__phone_is_set(cfg->lines[i].name))
            return false;
    return true;
}

static bool has_line_without_proxy(const struct dt_phone_config *cfg)
{
    if (!cfg->proxy_register || dt__phone_is_set(cfg->outbound_proxy) ||
        dt__phone_is_set(cfg->lines[0].proxy))
        return false;
    for (unsigned i = 0; i < DT_PHONE_LINES; i++)
        if (dt__phone_is_set(cfg->lines[i].name) && !dt__phone_is_set(cfg->lines[i].proxy))
            return true;
    return false;
}

static bool has_no_backup(const struct dt_phone_config *cfg)
{
    return cfg->proxy_register_backup && !dt__phone_is_set(cfg->proxy_backup);
}

static bool has_timers_crossed(const struct dt_phone_config *cfg)
{
    return cfg->timer_t2 <= cfg->timer_t1;
}

/* An even port for RTP and the odd one above it for RTCP (RFC 3550 11). */
static bool has_no_media_port(const struct dt_phone_config *cfg)
{
    return ((cfg->start_media_port + 1) & ~INT64_C(1)) + 1 > cfg->end_media_port;
}

static bool has_g729(const struct dt_phone_config *cfg)
{
    return cfg->preferred_codec == DT__PHONE_G729A || cfg->preferred_codec == DT__PHONE_G729;
}

/* A name server is not found by its name. */
static bool is_no_number(struct dt_str dns)
{
    struct dt_addr ignored;
    return dt__phone_is_set(dns) && dt_addr_parse(&ignored, dns) != DT_OK;
}

static bool has_dns_1_by_name(const struct dt_phone_config *cfg)
{
    return is_no_number(cfg->dns[0]);
}

static bool has_dns_2_by_name(const struct dt_phone_config *cfg)
{
    return is_no_number(cfg->dns[1]);
}

int dt_phone_config_check(const struct dt_phone_config *cfg, struct dt_problems *problems)
{
    static const struct check checks[] = {
        {has_no_line, true, "no line has a name; set line1_name to its number"},
        {has_line_without_proxy, true,
         "proxy_register is 1, but there is nowhere to register; set proxy1_address"},
        {has_no_backup, true,
         "proxy_register_backup is 1, but there is no backup; set proxy_backup"},
        {has_timers_crossed, true, "timer_t2 is not above timer_t1; raise timer_t2"},
        {has_no_media_port, true,
         "start_media_port to end_media_port holds no even port with the next one; raise "
         "end_media_port"},
        {has_dns_1_by_name, true, "dyn_dns_addr_1 is a name; use the name server's IP address"},
        {has_dns_2_by_name, true, "dyn_dns_addr_2 is a name; use the name server's IP address"},
        {has_g729, false, "preferred_codec is g729a, which is not built in; g711ulaw comes first"},
    };
    int err = DT_OK;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        if (!checks[i].fails(cfg))
            continue;
        dt_problem_add(problems, checks[i].fatal,
                       (struct dt_place){.file = DT_STR("configuration")}, "%s", checks[i].text);
        if (checks[i].fatal)
            err = DT_E_SYNTAX;
    }
    return err;
}

static void note_unused(struct dt_str line, struct dt_place place, struct dt_problems *problems)
{
    struct dt_reader r = dt_reader(line);
    dt_reader_lws(&r);
    place.column = (unsigned)dt_reader_at(&r) + 1;
    struct dt_str name = dt_str_trim(dt_reader_until(&r, ':'));
    if (!dt_reader_char(&r, ':'))
        return;
    const struct dt_option *o = dt_conf_find(dt_phone_options, dt_phone_options_n, name, NULL);
    if (o && !dt_phone_option_used(o))
        dt_problem_add(problems, false, place, "%.*s is known, not yet used", DT_FMT(name));
}

void dt_phone_config_unused(struct dt_str file, struct dt_str text, struct dt_problems *problems)
{
    struct dt_reader r = dt_reader(text);
    struct dt_place place = {.file = file};
    while (!dt_reader_end(&r)) {
        place.line++;
        note_unused(dt_reader_until(&r, '\n'), place, problems);
        dt_reader_char(&r, '\n');
    }
}
