# SPDX-License-Identifier: BSD-2-Clause
dt_unit_test(sdp_parse sdp sip base)
dt_unit_test(sdp_media sdp base)
dt_unit_test(sdp_oa sdp base)
dt_unit_test(sdp_terms sdp base)
