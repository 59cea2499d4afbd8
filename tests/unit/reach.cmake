# SPDX-License-Identifier: BSD-2-Clause
dt_unit_test(reach_cache reach)
dt_unit_test(reach_lookup reach)
dt_unit_test(reach_attempt reach)
dt_unit_test(reach_target reach)
dt_unit_test(reach_arrows reach)
dt_unit_test(reach_worlds reach)
