# SPDX-License-Identifier: BSD-2-Clause
# First line of each script here. It starts the script anew in a network namespace of its own, where such
# may be made: no other test can have its addresses and ports, and all that our nodes send is captured, and
# read by tshark in the end (judge). Then lib.sh.
if [[ -z ${DUALTONE_ALONE:-} ]] && command -v ip >/dev/null && unshare -rn ip link set lo up 2>/dev/null; then
    DUALTONE_ALONE=1 exec unshare -rn "$0" "$@"
fi
[[ -z ${DUALTONE_ALONE:-} ]] || ip link set lo up
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
export PATH=$PATH:/usr/sbin HOME=$work # peers keep files in it

capturing='' captured=''
capture() { # FILE
    [[ -n ${DUALTONE_ALONE:-} ]] && command -v tshark >/dev/null && command -v dumpcap >/dev/null || return
    captured=$work/$1
    dumpcap -q -i lo -s 0 -B 16 -w "$captured" 2>"$work/dumpcap.log" &
    capturing=$!
    wait_for "$work/dumpcap.log" '^File: ' "nothing could be captured"
}

# The capture has all that was sent when it has what is sent now.
capture_ends() {
    local word="the-end-of-$$-$RANDOM" i
    for ((i = 0; i < 200; i++)); do
        echo "$word" 2>/dev/null >/dev/udp/127.0.0.1/9
        grep -qa "$word" "$captured" && break
        read -rt 0.1 <> <(:)
    done
    kill -INT "$capturing"
    wait "$capturing"
    capturing=''
    ((i < 200)) || { echo "FAILED: the capture is not complete"; return 1; }
}

read_all() { # CAPTURE OPTION...: with tshark
    tshark -n --enable-heuristic rtp_udp -r "$@" 2>>"$work/tshark.log"
}

# judge CAPTURE FILTER-OF-SENDERS: what these sent is SIP, SDP, RTP, RTCP or DNS to tshark, none of it is
# malformed, and nothing in it is worth a warning.
judge() {
    local of="!icmp && !(udp.dstport == 9) && ($2)" bad counts
    bad=$(read_all "$1" -Y "$of && (_ws.expert.severity >= 0x600000 || _ws.malformed ||
        (udp && !sip && !rtp && !rtcp && !dns))" \
        -T fields -e frame.number -e ip.src -e udp.srcport -e ip.dst -e udp.dstport -e _ws.col.Protocol -e _ws.col.Info -e _ws.expert.message | head -n 20)
    [[ -z $bad ]] || { echo "FAILED: tshark about what we sent:"; echo "$bad"; return 1; }
    counts=$(read_all "$1" -Y "$of" -T fields -e frame.protocols | awk '/:sip/ { sip++ } /:sdp/ { sdp++ }
        /:rtp/ { rtp++ } /:rtcp/ { rtcp++ } END { printf "%d SIP (%d with SDP), %d RTP, %d RTCP", sip, sdp, rtp, rtcp }')
    [[ $counts =~ ^[1-9] ]] || { echo "FAILED: tshark saw nothing of us: $counts"; return 1; }
    echo "tshark reads what we sent without a warning: $counts"
}

judge_ours() {
    local of='' ip
    ((${#ours[@]})) || return 0
    for ip in "${ours[@]}"; do of+="${of:+ || }ip.src == $ip"; done
    judge "$captured" "$of"
}

leave_capture() { # with the exit code that there was, or 1 when tshark complains
    local code=$?
    if [[ -n $capturing ]]; then
        capture_ends || code=1
        ((code)) || judge_ours || code=1
    fi
    (exit "$code")
    finish
}
trap leave_capture EXIT
trap 'exit 143' TERM INT
capture all.pcapng
