#!/usr/bin/env bash
# link.sh - weir link between two kernels: what it is told is what ping and TCP see
# shellcheck disable=SC2086,SC2317
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/../interop/lib.sh"
enter "$@"
needs ping python3 nsenter

# The other kernel: a network namespace that lasts as long as this process.
unshare --net sleep 1000 &
other=$!
there=(nsenter "--net=/proc/$other/ns/net")

is_apart() {
    [ "$(readlink /proc/self/ns/net)" != "$(readlink /proc/$other/ns/net)" ]
}
await_that is_apart || exit 1

# link OPTION...: from here to there.
link() {
    start link "$weir" link --a wa --a-address 198.18.1.1/24 --a-address fd00:1::1/64 \
        --b wb --b-netns $other --b-address 198.18.1.2/24 --b-address fd00:1::2/64 --seed 7 "$@"
    await_that "${there[@]}" ip link show wb
}

unlink() {
    kill "$last_pid"
    result_of link "$last_pid"
}

# between LEAST MOST VALUE WHAT
between() {
    echo "= $4 $3"
    awk "BEGIN { exit !($3 >= $1 && $3 <= $2) }" </dev/null
}

# patiently CHECK...: who measures real time may be held up by others.
patiently() {
    for pause in 1 2 4 0; do
        "$@" && return
        sleep $pause
    done
    return 1
}

# The shortest and the middle round trip of many, in ms.
round_trips() {
    ping -n -i 0.005 -c "$1" "${@:2}" | sed -n 's/.*time=\([0-9.]*\) ms/\1/p' | sort -n >trips.log
    sed -n 1p trips.log
    sed -n "$((($(wc -l <trips.log) + 1) / 2))p" trips.log
}

# delay LEAST MOST OPTION...: no round trip is shorter, and most are not much longer.
delay() {
    link "${@:3}" || return
    local trips
    mapfile -t trips < <(round_trips 100 198.18.1.2)
    echo "shortest ${trips[0]} ms"
    unlink && between "$1" "$2" "${trips[0]}" "shortest ms:" &&
        between "$1" "$(awk "BEGIN { print $2 * 1.5 }")" "${trips[1]}" "middle ms:"
}

over_ipv6() {
    link --delay 3ms || return
    ping -n -6 -i 0.01 -c 10 fd00:1::2 | tail -n 1 && unlink
}

# Small packets at 10 % loss in one direction: the share that is not answered.
loses() {
    link --ab --loss 10% || return
    local lost
    lost=$(ping -n -q -f -i 0.002 -c 600 -W 0.2 198.18.1.2 | sed -n 's/.* \([0-9.]*\)% packet loss.*/\1/p')
    unlink && between 6 14.5 "$lost" "lost %:" && grep -q 'b>a: .* 0 lost' link.log
}

# Bytes one way for a while, over TCP: Mbit/s as the receiver sees it.
cat >rate.py <<'END'
import socket, subprocess, sys, threading, time
seconds, netns = float(sys.argv[1]), sys.argv[2]
receiver = """
import socket, time
s = socket.create_server(("198.18.1.2", 5001))
print("ready", flush=True)
c, _ = s.accept()
got, first = 0, None
while True:
    b = c.recv(1 << 20)
    if not b: break
    now = time.monotonic()
    if first is None: first = now
    elif now - first > 0.5: got += len(b); last = now
print(got * 8e-6 / (last - first - 0.5))
"""
peer = subprocess.Popen(["nsenter", "--net=" + netns, sys.executable, "-c", receiver],
                        stdout=subprocess.PIPE, text=True)
peer.stdout.readline()
c = socket.create_connection(("198.18.1.2", 5001))
end = time.monotonic() + seconds
while time.monotonic() < end:
    c.send(bytes(65536))
c.close()
print(peer.communicate(timeout=30)[0].strip())
END

# rate LEAST MOST OPTION...: goodput is the rate without the headers.
rate() {
    link "${@:3}" || return
    local mbit
    mbit=$(timeout 60 python3 rate.py 2 /proc/$other/ns/net)
    unlink && between "$1" "$2" "$mbit" "Mbit/s:"
}

# Twice the rate of the link, for as long as it is let.
flood() {
    exec python3 -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    for i in range(10): s.sendto(bytes(1200), ("198.18.1.2", 9))
    time.sleep(0.01)'
}

# The middle round trip of pings beside a flood, in the file middle.
beside_flood() {
    link --rate 5mbit --limit 64k --queue "$1" || return
    flood &
    local flooding=$!
    sleep 0.4
    round_trips 30 -i 0.02 198.18.1.2 | tail -n 1 >middle
    kill $flooding
    unlink
}

# A full queue of 64 KiB at 5 Mbit/s is 105 ms long; with a queue for each flow pings do not wait.
queues() {
    beside_flood fifo && between 90 130 "$(<middle)" "full ms:" &&
        beside_flood fq-codel && between 0 20 "$(<middle)" "fair ms:"
}

reports() {
    link --rate 100mbit --report 50ms --duration 500ms --json || return
    result_of link "$last_pid"
    [ "$(grep -c '"type":"report"' link.log)" -ge 8 ] &&
        [ "$(grep -c '"type":"summary"' link.log)" = 2 ]
}

captures() {
    link --pcap link.pcapng --tap || return
    ping -n -c 2 -i 0.01 198.18.1.2 && unlink && [ "$(stat -c %s link.pcapng)" -gt 300 ]
}

refuses() {
    "$weir" link --a wa 2>err
    [ $? = 2 ] && grep -q 'two devices' err || return
    "$weir" link --a wa --b wb --b-netns nowhere 2>err
    [ $? = 1 ] && grep -q 'network namespace nowhere: No such file' err
}

check "a delay of 0.5 ms each way" patiently delay 1 1.2 --delay 0.5ms
check "a delay of 20 ms one way" patiently delay 20 20.8 --ab --delay 20ms
check "IPv6" over_ipv6
check "a loss of a tenth" patiently loses
check "a rate of 20 Mbit/s" patiently rate 17.5 19.6 --rate 20mbit --delay 2ms
check "a rate of 5 Mbit/s there and 1 Mbit/s back" patiently rate 4.3 4.9 --ab --rate 5mbit --ba --rate 1mbit
check "a full queue, and a fair one" patiently queues
check "reports" reports
check "a capture, on TAP" captures
check "what cannot be" refuses
kill $other
finish
