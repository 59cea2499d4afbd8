# SPDX-License-Identifier: BSD-2-Clause
dt_unit_test(io_dns_parse io)
dt_unit_test(io_splitter io)
dt_unit_test(io_rings io)
