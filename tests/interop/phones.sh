# SPDX-License-Identifier: BSD-2-Clause
# Foreign phones, each by the same words; after alone.sh. The phone is X, its user 1002, its tone 440 Hz, ours A
# with 600 Hz. What it says is in X.log, what it hears in $x_heard.
x_tone=440 a_tone=600 x_share=0.9
tones() {
    "$here/hear.py" make "$work/x.wav" $x_tone && "$here/hear.py" make "$work/a.wav" $a_tone ||
        fail "no tone could be made"
}

hear() { # FILES HZ SHARE WHO: from now on
    "$here/hear.py" new "$1" "$2" "$3" >>"$work/heard.log" || fail "$4 does not hear $2 Hz: $(tail -n 1 "$work/heard.log")"
}
both_hear() {
    hear "$work/a-heard.wav" $x_tone 0.9 "our phone"
    hear "$x_heard" $a_tone "$x_share" "the foreign phone"
}

# x WORD: a command for the phone; x_says WORD: until it has said so. The words are rows of these tables:
# dial answer reject hangup hold resume quit; registered ringing ringback talking held unheld holding ended.
declare -A x_command x_pattern
x_says() {
    see X "${x_pattern[$1]}" "the foreign phone is not $1"
}

# ---- baresip ----
#
# Its console is at a UDP port. Its RTP socket is bound to no address, so it lives at 127.0.0.1. Its recorder
# (sndfile) ends at the first hold and never begins again in that call, so it has a sound card of fifos, which
# it feeds with gaps.
baresip_console=$((RANDOM % 10000 + 50000))
baresip_start() { # REGISTRAR
    local modules
    need baresip
    x_command=([dial]='dial sip:1001@example.com' [answer]=accept [reject]=hangup [hangup]=hangup [hold]=hold
        [resume]=resume [quit]=quit)
    x_pattern=([registered]='200 OK' [ringing]='Incoming call from' [ringback]='180 Ringing'
        [talking]='Call established' [held]="^stream: update" [unheld]="^stream: update"
        [holding]="^stream: update" [ended]='session closed|terminate call|rejecting incoming call')
    x_heard=$work/card/played.wav x_share=0.3
    mkdir "$work/card" "$work/baresip"
    start card "$here/../live/sound_card.py" "$work/card" $x_tone
    see card '^ready' "the sound card of fifos does not start"
    modules=$(dirname "$(find /usr/lib -name g711.so -path '*baresip*' | head -n 1)")
    cat >"$work/baresip/config" <<CONFIG
sip_listen 127.0.0.1:$((RANDOM % 10000 + 30000))
call_local_timeout 120
net_interface 127.0.0.1
audio_player alsa,default
audio_source alsa,default
audio_alert aubridge,c
dns_server 127.0.0.1:53
rtp_ports 20000-20100
cons_listen 127.0.0.1:$baresip_console
module_path $modules
module cons.so
module g711.so
module alsa.so
module aubridge.so
module_app account.so
module_app menu.so
CONFIG
    echo "<sip:1002@example.com>;auth_user=1002;auth_pass=secret-1002;outbound=\"sip:$1:5060\";regint=600" \
        >"$work/baresip/accounts"
    ALSA_CONFIG_PATH=$work/card/asound.conf start X stdbuf -oL baresip -4 -f "$work/baresip"
}
baresip_x() { # COMMAND
    printf '/%s\n' "$1" >"/dev/udp/127.0.0.1/$baresip_console"
}

# ---- linphone: it calls nobody from a loopback address, nor without a default route ----

linphone_start() { # REGISTRAR
    local ip=192.0.2.4
    need linphonec
    [[ -n ${DUALTONE_ALONE:-} ]] || { echo "skipped: linphone needs a network namespace of its own"; exit 77; }
    x_command=([dial]='call sip:1001@example.com' [answer]=answer [reject]=terminate [hangup]=terminate [hold]=pause
        [resume]=resume [quit]=quit)
    x_pattern=([registered]='to .LinphoneRegistrationOk' [ringing]='to LinphoneCallIncomingReceived'
        [ringback]='to LinphoneCallOutgoingRinging' [talking]='to LinphoneCallStreamsRunning'
        [held]='to LinphoneCallPausedByRemote' [holding]='to LinphoneCallPaused$' [unheld]='to LinphoneCallStreamsRunning'
        [ended]='to LinphoneCall(End|Error)')
    x_heard=$work/x-heard.wav
    ip addr add "$ip/32" dev lo && ip route add default dev lo src "$ip" || fail "no address for linphone"
    mkdir -p "$work/.local/share/linphone"
    cat >"$work/.linphonerc" <<CONFIG
[sip]
sip_port=5060
sip_tcp_port=0
sip_tls_port=0
bind_address=$ip
guess_hostname=0
contact=sip:1002@$ip
use_ipv6=0
default_proxy=0
[rtp]
audio_rtp_port=20000
bind_address=$ip
[sound]
echocancellation=0
[proxy_0]
reg_proxy=<sip:$1>
reg_route=<sip:$1;lr>
reg_identity=sip:1002@example.com
reg_expires=600
reg_sendregister=1
[auth_info_0]
username=1002
passwd=secret-1002
realm=example.com
domain=example.com
CONFIG
    start X_console linphonec -d 5 -l "$work/X.log"
    seen[X]=0
    tell X_console "soundcard use files"
    tell X_console "play $work/x.wav"
    tell X_console "record $x_heard"
}
linphone_x() { # COMMAND
    tell X_console "$1"
}

x() { # WORD
    "${peer}_x" "${x_command[$1]}"
}
