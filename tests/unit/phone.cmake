# SPDX-License-Identifier: BSD-2-Clause
dt_unit_test(phone_config phone)
dt_unit_test(phone_keys phone)
dt_unit_test(phone_lines phone)
dt_unit_test(phone_why phone)
dt_unit_test(phone_calls phone sim trace)
dt_unit_test(phone_register phone sim trace)
