# SPDX-License-Identifier: BSD-2-Clause
dt_unit_test(rtp_g711 rtp)
dt_unit_test(rtp_packet rtp)
dt_unit_test(rtp_source rtp)
dt_unit_test(rtp_rtcp rtp)
dt_unit_test(rtp_plc rtp)
dt_unit_test(rtp_jitter rtp)
