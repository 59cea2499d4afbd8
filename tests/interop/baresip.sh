#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# baresip registers at our proxy (with digest) and is called by our phone through it; it answers and plays a
# tone, which must be in our recording; then our phone hangs up.
source "$(dirname "$0")/alone.sh"
need baresip
subscribers=$work/subscribers
for user in 1001 1002; do
    echo "secret-$user" | "$dualtone" user add "$user" --realm example.com --file "$subscribers" ||
        fail "the subscriber $user could not be added"
done
start_proxy P "$net.1" --subscribers "$subscribers"

python3 - "$work/tone.wav" <<'END' || fail "no tone could be made"
import math, struct, sys, wave
with wave.open(sys.argv[1], "wb") as f:
    f.setnchannels(1), f.setsampwidth(2), f.setframerate(8000)
    f.writeframes(b"".join(struct.pack("<h", int(9000 * math.sin(2 * math.pi * 440 * i / 8000)))
                           for i in range(60 * 8000)))
END
# Its RTP socket is bound to no address, so that on loopback its sound comes from 127.0.0.1: it lives there.
mkdir "$work/baresip"
modules=$(dirname "$(find /usr/lib -name g711.so -path '*baresip*' | head -n 1)")
cat >"$work/baresip/config" <<END
sip_listen 127.0.0.1:$((RANDOM % 20000 + 30000))
call_local_timeout 120
net_interface 127.0.0.1
audio_player aubridge,a
audio_source aufile,$work/tone.wav
audio_alert aubridge,a
dns_server 127.0.0.1:53
rtp_ports 20000-20100
module_path $modules
module g711.so
module aufile.so
module aubridge.so
module_app account.so
module_app menu.so
END
cat >"$work/baresip/accounts" <<END
<sip:1002@example.com>;auth_user=1002;auth_pass=secret-1002;outbound="sip:$net.1:5060";answermode=auto;regint=600
END
start bob stdbuf -oL baresip -4 -f "$work/baresip"
wait_for "$work/bob.log" '200 OK|registered successfully' "baresip did not register"

start_phone A 1001 "$net.3" --proxy1_address "$net.1" --proxy_register 1 --line1_password "secret-1001" \
    --audio "file:,$work/heard.wav"
tell A "dial 1002"
wait_for "$work/A.log" '^call 1: talking' "baresip did not answer"
# Three seconds of sound: the recording grows as it arrives.
[[ $(timeout 20 head -c 50000 <(exec tail -c +1 -F "$work/heard.wav" 2>/dev/null) | wc -c) == 50000 ]] ||
    fail "nothing was recorded"
tell A hangup
wait_for "$work/A.log" '^call 1: ended' "the call did not end"
tell A quit
wait "$pid_A" || fail "our phone did not end well"
"$here/tone.py" "$work/heard.wav" 440 || fail "baresip's tone is not in the recording"
kill -KILL "$pid_bob" # it would wait for the proxy to take its binding away
echo "ok: our phone called baresip through our proxy and heard it"
