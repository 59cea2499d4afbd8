# SPDX-License-Identifier: BSD-2-Clause
# Kamailio and baresip for the scripts with foreign proxies; after alone.sh.
need kamailio
need baresip
nodes=()

node() { # NAME IP PEER [CONFIGURATION]: a Kamailio with all its processes in a group of their own
    sed "s/@ME@/$2/; s/@PEER@/$3/" "$here/kamailio/${4:-pair}.cfg" >"$work/$1.cfg"
    start "$1" setsid kamailio -DD -E -f "$work/$1.cfg" -Y "$work" -m 16 -M 4
    nodes+=("$1")
    wait_for "$work/$1.log" 'ALERT: .*ready$' "Kamailio $1 did not start"
}

no_socket() { # NAME: the last of its processes has left it
    local hex
    # shellcheck disable=SC2046
    printf -v hex '%02X' $(awk -F'[:.]' '/^listen=/{print $5, $4, $3, $2}' "$work/$1.cfg")
    ! grep -q " $hex:13C4 " /proc/net/udp
}

send_all() { # SIGNAL NAME: to each process of the node
    local pid=pid_$2
    kill "-$1" -- "-${!pid}" 2>/dev/null
    [[ $1 == KILL ]] || return
    wait "${!pid}" 2>/dev/null
    until_true "the socket of $2 stays" no_socket "$2"
}

leave() { # with the exit code that there was
    local code=$? name pid
    for name in "${nodes[@]}"; do
        pid=pid_$name
        kill -KILL -- "-${!pid}" 2>/dev/null
    done
    return "$code"
}
trap 'leave; leave_capture' EXIT

bob_port=$((RANDOM % 10000 + 30000))
console=$((RANDOM % 10000 + 50000))
bob() { # COMMAND of baresip's console
    printf '/%s\n' "$1" >"/dev/udp/127.0.0.1/$console"
}

start_bob() { # PARAMETERS of its account. It lives at 127.0.0.1: see baresip.sh.
    mkdir "$work/baresip"
    modules=$(dirname "$(find /usr/lib -name g711.so -path '*baresip*' | head -n 1)")
    cat >"$work/baresip/config" <<END
sip_listen 127.0.0.1:$bob_port
call_local_timeout 120
call_max_calls 4
net_interface 127.0.0.1
audio_player aubridge,a
audio_source aubridge,b
audio_alert aubridge,c
dns_server 127.0.0.1:53
rtp_ports 20200-20300
cons_listen 127.0.0.1:$console
module_path $modules
module cons.so
module g711.so
module aubridge.so
module_app account.so
module_app menu.so
END
    echo "<sip:1002@example.com>;auth_pass=none;answermode=manual;$1" >"$work/baresip/accounts"
    start bob stdbuf -oL baresip -4 -f "$work/baresip"
}
