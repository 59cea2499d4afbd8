# SPDX-License-Identifier: BSD-2-Clause
dt_unit_test(media phone sim)
dt_unit_test(media_engine phone sim)
