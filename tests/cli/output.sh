#!/usr/bin/env bash
# output.sh - captures, traces and statistics, and devices that cannot be had
# shellcheck disable=SC2317
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/../interop/lib.sh"
enter "$@"
needs curl python3

mkdir www
seq 1 100 >www/page.txt

# fetched OPTION...: one page is fetched from weir serve; stdout is in out.txt, stderr in err.txt.
fetched() {
    local pid i
    "$weir" serve www "$@" >out.txt 2>err.txt &
    pid=$!
    for ((i = 0; i < 100; i++)); do
        curl -s --max-time 5 -o page.txt http://198.18.0.2/page.txt && break
        sleep 0.05
    done
    sleep 0.2
    kill "$pid"
    wait "$pid" && cmp page.txt www/page.txt
}

captures() {
    local link
    needs tshark
    for link in tun tap; do
        fetched "--$link" c0 --pcap "$link.pcapng" || return
        tshark -r "$link.pcapng" -o tcp.check_checksum:FALSE -Y http -T fields -e http.request.uri \
            -e http.response.code 2>tshark.log >http.txt || return
        ! grep -v '^Running as user' tshark.log || return
        grep -q '/page.txt' http.txt && grep -q 200 http.txt || return
        tshark -r "$link.pcapng" -Y 'tcp.flags.syn == 1 && tcp.flags.ack == 1' 2>/dev/null |
            wc -l | grep -x 1 || return
        tshark -r "$link.pcapng" -Y _ws.malformed 2>/dev/null | wc -l | grep -x 0 || return
    done
    "$weir" ping -c 1 --pcap /nowhere/x.pcapng 198.18.0.1 2>err.txt
    [ $? = 1 ] && grep -q 'Cannot write /nowhere/x.pcapng: No such file' err.txt || return
    "$weir" ping -c 1 --pcap /dev/full 198.18.0.1 2>err.txt
    [ $? = 1 ] && grep -q '/dev/full' err.txt
}

traces() {
    fetched -q --trace || return
    # Every line is a packet, a state, or a reason.
    ! grep -vE '^[0-9]+\.[0-9]{6} ([<>] [^ ]+ > [^ ]+: .+|\* [^ ]+ [^ ]+ [A-Z0-9-]+ -> [A-Z0-9-]+|! [a-z0-9_]+: .+)$' err.txt || return
    grep -qE '< 198\.18\.0\.1:[0-9]+ > 198\.18\.0\.2:80: S 0:0\(0\) win [0-9]+ <' err.txt &&
        grep -qE '> 198\.18\.0\.2:80 > 198\.18\.0\.1:[0-9]+: S\. 0:0\(0\) ack 1 win [0-9]+ <mss ' err.txt &&
        grep -qE '< .*: P\. 1:[0-9]+\([0-9]+\) ack 1 ' err.txt &&
        grep -qE '> .*: P\. 1:[0-9]+\([0-9]+\) ack [0-9]+ ' err.txt &&
        grep -q ' LISTEN -> SYN-RECEIVED' err.txt &&
        grep -q ' SYN-RECEIVED -> ESTABLISHED' err.txt &&
        grep -q ' ESTABLISHED -> CLOSE-WAIT' err.txt || return
    fetched -q --trace --verbose || return
    grep -qE '^[0-9.]+ # .* rtt ' err.txt && grep -qE '^[0-9.]+ # .* app ' err.txt
}

json() {
    fetched --json --trace --stats || return
    python3 - <<'END'
import json
err = [json.loads(line) for line in open("err.txt")]
kinds = {l["type"] for l in err}
assert {"packet_in", "packet_out", "state", "stats"} <= kinds, kinds
times = [l["at_s"] for l in err if "at_s" in l]
assert times == sorted(times) and times[0] >= 0
states = [(l["from"], l["to"]) for l in err if l["type"] == "state"]
assert ("SYN-RECEIVED", "ESTABLISHED") in states, states
for l in err:
    if l["type"] in ("packet_in", "packet_out"):
        assert " > " in l["packet"] and l["bytes"] > 0
stats = err[-1]
assert stats["type"] == "stats" and stats["tcp_passive_opens"] == 1 and stats["frames_in"] > 3
out = [json.loads(line) for line in open("out.txt")]
assert [l["type"] for l in out] == ["request", "summary"], out
assert out[0]["request"] == "GET /page.txt HTTP/1.1" and out[0]["status"] == 200
assert out[0]["complete"] is True and out[1]["requests"] == 1
END
}

# What a device needs that is not there is said in a sentence, and the exit code is 1.
devices() {
    ip tuntap add d0 mode tap
    timeout 10 "$weir" ping --tun d0 198.18.0.1 2>err.txt
    [ $? = 1 ] && [ "$(wc -l <err.txt)" = 1 ] || return
    start first "$weir" listen --tun shared 9
    await first listening || return
    "$weir" listen --tun shared 9 2>err.txt
    [ $? = 1 ] && [ "$(wc -l <err.txt)" = 1 ] && grep -q shared err.txt || return
    # One that others have made and set up is used as it is, and stays.
    ip tuntap add mine mode tun
    ip addr add 198.19.0.1/24 dev mine
    ip link set mine up
    timeout 10 "$weir" ping --tun mine --no-setup --address 198.19.0.2/24 -c 1 198.19.0.1 || return
    ip link show mine >/dev/null || return
    # One that is down, and is to be left alone, is mentioned.
    ip link set mine down
    timeout -s INT 1 "$weir" listen --tun mine --address 198.19.0.2/24 9 2>err.txt
    grep -q 'mine is down' err.txt || return
    # The device is taken away while it is used.
    start gone "$weir" listen --tun gone 9
    await gone listening || return
    ip link delete gone
    await gone 'gone has failed'
}

# Not everybody may make devices.
without_privileges() {
    [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null || return 0
    setpriv --bounding-set -all --inh-caps -all --reuid 65534 --clear-groups \
        "$weir" ping -c 1 198.18.0.1 2>err.txt
    [ $? = 1 ] && [ "$(wc -l <err.txt)" = 1 ] && cat err.txt
}

check "captures" captures
check "traces" traces
check "JSON" json
check "devices" devices
check "without privileges" without_privileges
finish
