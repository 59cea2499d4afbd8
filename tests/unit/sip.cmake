# SPDX-License-Identifier: BSD-2-Clause
dt_unit_test(sip_uri sip)
dt_unit_test(sip_tables sip)
dt_unit_test(sip_values sip)
dt_unit_test(sip_parse sip)
dt_unit_test(sip_msg sip)
dt_unit_test(sip_torture sip)
dt_unit_test(sip_torture_parts sip)
dt_unit_test(sip_verdicts sip)
