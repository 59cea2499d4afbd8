# SPDX-License-Identifier: BSD-2-Clause
dt_unit_test(sim_links sim)
dt_unit_test(sim_nodes sim)
dt_unit_test(sim_tcp sim)
dt_unit_test(sim_memory sim)
