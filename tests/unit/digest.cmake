# SPDX-License-Identifier: BSD-2-Clause
dt_unit_test(digest sip base)
dt_unit_test(nonce sip base)
dt_unit_test(sip_build sip base)
dt_unit_test(sip_answer sip base)
dt_unit_test(sip_edits sip base)
