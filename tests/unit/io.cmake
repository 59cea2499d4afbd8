# SPDX-License-Identifier: BSD-2-Clause
dt_unit_test(io_dns_parse io)
dt_unit_test(io_splitter io)
dt_unit_test(io_rings io)
dt_unit_test(io_slice io)
dt_unit_test(io_env io)
target_compile_definitions(test_io_slice PRIVATE _GNU_SOURCE) # syscall()
dt_unit_test(io_gather io)
target_link_options(test_io_gather PRIVATE -Wl,--wrap=nanosleep)
target_compile_definitions(test_io_gather PRIVATE _GNU_SOURCE) # the handles of libuv in io/loop.h
