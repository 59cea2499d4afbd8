# SPDX-License-Identifier: BSD-2-Clause
dt_unit_test(flow_parse flow)
dt_unit_test(flow_invariants flow)
dt_unit_test(flow_run flow)
