# SPDX-License-Identifier: BSD-2-Clause
add_library(dt_stack_kit STATIC ${CMAKE_CURRENT_LIST_DIR}/stack_kit.c)
target_link_libraries(dt_stack_kit PUBLIC dt_stack dt_testkit cmocka)

dt_unit_test(stack_rules stack)
dt_unit_test(stack_clients stack_kit stack)
dt_unit_test(stack_servers stack_kit stack)
dt_unit_test(stack_framing stack)
dt_unit_test(stack_streams stack_kit stack)
dt_unit_test(stack_bounds stack_kit stack)
dt_unit_test(stack_loss stack_kit stack)
if(EXISTS ${CMAKE_CURRENT_LIST_DIR}/test_stack_dialog.c)
    dt_unit_test(stack_dialog stack)
endif()
