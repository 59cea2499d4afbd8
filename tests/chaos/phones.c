/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The phones: nodes of one host, without sound. */
#include "chaos.h"

#include <stdio.h>

enum { FIRST_NUMBER = 1001, SIP_PORT = 5060, FIRST_HOST = 10, READY_S = 40, CONFIG_SIZE = 512 };

static int configure(struct chaos *x, struct chaos_phone *ph)
{
    char text[CONFIG_SIZE];
    struct dt_problem list[1];
    struct dt_problems problems = {.list = list, .cap = 1};
    struct dt_writer w = dt_writer(text, sizeof text);
    dt_writef(&w, "line1_name: %s\nline_domain: example.com\nproxy1_address: ", ph->number);
    dt_addr_write_ip(&w, &x->nodes[0].addr, false);
    dt_write_lit(&w, "\nproxy_backup: ");
    dt_addr_write_ip(&w, &x->nodes[1].addr, false);
    dt_write_lit(&w, "\nproxy_register: 1\nproxy_register_backup: 1\nproxy_failover: fast\n");
    int err = dt_conf_init(&ph->conf, &dt_alloc_libc, dt_phone_options, dt_phone_options_n,
                           &ph->cfg, &problems);
    if (!err)
        err = dt_conf_read(&ph->conf, DT_STR("phone"), dt_writer_str(&w));
    if (!err)
        err = dt_phone_config_check(&ph->cfg, &problems);
    ph->conf.problems = NULL;
    if (err)
        snprintf(x->error, sizeof x->error, "a phone's configuration: %s",
                 problems.n ? list[0].text : dt_err_text(err));
    return err;
}

static int make(struct chaos *x, unsigned i)
{
    struct chaos_phone *ph = &x->phones[i];
    ph->addr = x->nodes[0].addr;
    ph->addr.ip[3] = (uint8_t)(FIRST_HOST + i);
    snprintf(ph->number, sizeof ph->number, "%u", FIRST_NUMBER + i);
    int err = configure(x, ph);
    if (err)
        return err;
    if (dt_io_env_init(&ph->env, NULL))
        return DT_E_IO;
    ph->phone = dt_phone_new(&ph->cfg, &ph->addr, &ph->env);
    if (!ph->phone || dt_host_add(x->host, &dt_phone_node, ph->phone) != (int)i)
        return DT_E_NOMEM;
    struct dt_addr any_port = ph->addr;
    any_port.port = 0;
    dt_record_address(&x->record, dt_record_party(&x->record, ph->number), &any_port);
    return DT_OK;
}

int chaos_phones_start(struct chaos *x)
{
    dt_time limit = dt_io_now() + READY_S * DT_SECOND;
    int err = DT_OK;
    for (unsigned i = 0; i < x->n_phones && !err; i++)
        err = make(x, i);
    while (!err && x->n_ready < x->n_phones && dt_io_now() < limit)
        dt_host_turn(x->host, limit);
    if (!err && x->n_ready < x->n_phones) {
        snprintf(x->error, sizeof x->error, "%u of %u phones are ready after %d s", x->n_ready,
                 x->n_phones, READY_S);
        return DT_E_TIMEOUT;
    }
    return err;
}

void chaos_phone_tell(struct chaos *x, const struct chaos_phone *ph, const char *command)
{
    int node = (int)(ph - x->phones);
    uint16_t who = dt_record_party(&x->record, ph->number);
    dt_record_note(&x->record, dt_io_now(), DT_REC_COMMAND, who, dt_str_z(command));
    (void)dt_host_command(x->host, node, DT_CHANNEL_USER, dt_str_z(command));
}

void chaos_phones_end(struct chaos *x)
{
    for (unsigned i = 0; i < x->n_phones; i++) {
        dt_phone_free(x->phones[i].phone);
        dt_conf_clear(&x->phones[i].conf);
    }
}
