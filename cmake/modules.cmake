# SPDX-License-Identifier: BSD-2-Clause
# dt_module(NAME FILES... [LINK libs...]): one layer of style.md as one static library.
# Its public include path is the same for all; who may include whom is checked by tools/check-layers.
function(dt_module name)
    cmake_parse_arguments(M "" "" "LINK;SYSTEM" ${ARGN})
    set(files ${M_UNPARSED_ARGUMENTS})
    dt_planted_sources(files ${name})
    add_library(dt_${name} STATIC ${files})
    target_include_directories(dt_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
    foreach(lib ${M_LINK})
        target_link_libraries(dt_${name} PUBLIC dt_${lib})
    endforeach()
    target_link_libraries(dt_${name} PUBLIC ${M_SYSTEM})
    if(DT_FUZZ)
        target_compile_options(dt_${name} PRIVATE -fsanitize=fuzzer-no-link)
    endif()
endfunction()

# dt_count_pairs(NAME FUNCTIONS...): in the coverage build tests/coverage/NAME_pairs.c counts what is
# looked up in the state tables of dt_NAME.
function(dt_count_pairs name)
    if(NOT DT_COVERAGE)
        return()
    endif()
    target_sources(dt_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/coverage/${name}_pairs.c)
    foreach(function ${ARGN})
        target_link_options(dt_${name} INTERFACE -Wl,--wrap=${function})
    endforeach()
endfunction()

# dt_unit_test(NAME MODULES...): tests/unit/test_NAME.c, a cmocka program.
function(dt_unit_test name)
    add_executable(test_${name} ${CMAKE_CURRENT_SOURCE_DIR}/test_${name}.c)
    foreach(lib ${ARGN})
        target_link_libraries(test_${name} PRIVATE dt_${lib})
    endforeach()
    target_link_libraries(test_${name} PRIVATE dt_testkit cmocka)
    add_test(NAME unit/${name} COMMAND test_${name})
    set_tests_properties(unit/${name} PROPERTIES TIMEOUT 120)
endfunction()
