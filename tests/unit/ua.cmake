# SPDX-License-Identifier: BSD-2-Clause
add_library(dt_ua_kit STATIC ${CMAKE_CURRENT_LIST_DIR}/ua_kit.c ${CMAKE_CURRENT_LIST_DIR}/ua_relay.c
            ${CMAKE_CURRENT_LIST_DIR}/ua_node.c ${CMAKE_CURRENT_LIST_DIR}/ua_acts.c)
target_link_libraries(dt_ua_kit PUBLIC dt_ua dt_testkit cmocka)

foreach(test calls failover session peers register faults twins twins_late moves copies strangers evidence
             why)
    if(EXISTS ${CMAKE_CURRENT_LIST_DIR}/test_ua_${test}.c)
        dt_unit_test(ua_${test} ua_kit ua)
    endif()
endforeach()
