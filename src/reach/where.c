/* SPDX-License-Identifier: BSD-2-Clause */
#include "dualtone/reach.h"

void dt_where_of_uri(struct dt_where *out, const struct dt_uri *u)
{
    struct dt_str value;
    *out = (struct dt_where){.host = u->host, .port = u->port, .transport = DT_UDP};
    if (dt_param(u->params, "maddr", &value) && value.n > 0)
        out->host = value; /* RFC 3263 4: TARGET */
    if (dt_param(u->params, "transport", &value)) {
        bool tcp = dt_str_ieq(value, DT_STR("tcp"));
        out->transport_given = tcp || dt_str_ieq(value, DT_STR("udp"));
        out->transport = tcp ? DT_TCP : DT_UDP;
    }
}
