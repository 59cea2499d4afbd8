# SPDX-License-Identifier: BSD-2-Clause
add_library(dt_proxy_kit STATIC ${CMAKE_CURRENT_LIST_DIR}/proxy_kit.c)
target_link_libraries(dt_proxy_kit PUBLIC dt_proxy dt_testkit cmocka)

dt_unit_test(proxy_calls proxy_kit)
dt_unit_test(proxy_forks proxy_kit)
dt_unit_test(proxy_cancel proxy_kit)
dt_unit_test(proxy_branch proxy)
dt_unit_test(proxy_config proxy)
dt_unit_test(proxy_nonces proxy)
dt_unit_test(proxy_registrar proxy_kit)
dt_unit_test(proxy_routes proxy_kit)
dt_unit_test(proxy_steps proxy_kit)
