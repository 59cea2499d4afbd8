# SPDX-License-Identifier: BSD-2-Clause
dt_unit_test(store_location store)
dt_unit_test(store_snapshot store)
dt_unit_test(store_subscribers store)
