# SPDX-License-Identifier: BSD-2-Clause
# What `dualtone why` prints, against tests/golden/why.
dt_unit_test(why_text reach)
target_sources(test_why_text PRIVATE ${PROJECT_SOURCE_DIR}/src/cmd/why_text.c)
target_compile_definitions(test_why_text PRIVATE _GNU_SOURCE) # open_memstream
target_link_libraries(test_why_text PRIVATE jansson)
