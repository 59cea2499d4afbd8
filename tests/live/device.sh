#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# --audio device: a call with sound in both directions through a sound card made of files (ALSA's file
# device), no chatter of PortAudio and ALSA; and what is said where there is no sound card.
source "$(dirname "$0")/../interop/lib.sh"
mkdir "$work/card"
start card "$(dirname "$0")/sound_card.py" "$work/card" 440
see card '^ready' "the sound card of fifos does not start"
heard() { (($(stat -c %s "$1" 2>/dev/null || echo 0) > $2)); }

start_phone B 1002 "$net.3" --audio "tone:880"
start_phone C 1003 "$net.4" --audio "file:,$work/heard.wav"
ALSA_CONFIG_PATH=$work/card/asound.conf start_phone A 1001 "$net.2" --audio device
tell A "dial sip:1003@$net.4"
see C '^call 1: ringing 1001$'
tell C answer
see A '^call 1: talking 1003$'
until_true "C hears nothing" heard "$work/heard.wav" 30000
tell A hangup
see A '^call 1: ended'
before=$(stat -c %s "$work/card/played.wav")
tell A "dial sip:1002@$net.3"
see B '^call 1: ringing 1001$'
tell B answer
see A '^call 1: talking 1002$'
until_true "nothing is played" heard "$work/card/played.wav" $((before + 30000))
tell A quit
ends A 0
tell C quit
ends C 0
grep -vE '^(screen|ready|call [0-9]+|reply): ' "$work/A.log" && fail "somebody chatters: see above"
quiet() { grep -vE '^(screen|ready|reply|dualtone phone): ' <<<"$said" && fail "somebody chatters: see above"; :; }
export ALSA_CONFIG_PATH=$work/card/asound.conf
try 1 '^dualtone phone: the sound device Kazoo cannot be used: there is none; use' \
    "$dualtone" phone --listen "$net.5" --line1_name 1001 --audio device:Kazoo
quiet
kill "$pid_card"
wait "$pid_card"
# The fifos lose samples where a card would not, so the share of the tone is lower than by file.
"$here/tone.py" "$work/heard.wav" 440 0.3 || fail "what the card captured is not in C's recording"
"$here/tone.py" "$work/card/played.wav" 880 0.3 || fail "B's tone was not played by the card"

# Without a card: by default the phone goes on without sound and says so; a device that was asked for must be.
echo '' >"$work/empty.conf"
export ALSA_CONFIG_PATH=$work/empty.conf
try 0 '^dualtone phone: the sound device cannot be used: there is none; .*; the phone is silent$' \
    "$dualtone" phone --listen "$net.5" --line1_name 1001
quiet
try 1 '^dualtone phone: the sound device cannot be used: there is none; use --audio device:NAME' \
    "$dualtone" phone --listen "$net.5" --line1_name 1001 --audio device
quiet
echo "ok: a sound card"
