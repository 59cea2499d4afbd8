# SPDX-License-Identifier: BSD-2-Clause
dt_unit_test(trace_record trace)
dt_unit_test(trace_label trace)
dt_unit_test(trace_ladder trace)
dt_unit_test(trace_pcap trace)
