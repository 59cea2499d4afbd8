# SPDX-License-Identifier: BSD-2-Clause
dt_unit_test(sip_uri sip)
dt_unit_test(sip_tables sip)
