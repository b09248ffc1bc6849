#!/usr/bin/env bash
# ping.sh - echoes both ways
# shellcheck disable=SC2086,SC2317
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/../interop/lib.sh"
enter "$@"
needs python3

we_ask() {
    local to
    for to in 198.18.0.1 fd00:5765:6972::1; do
        "$weir" ping -c 3 -i 0.05 $to >out.txt || return
        [ "$(grep -cE "^64 bytes from $to: icmp_seq=[123] ttl=64 time=[0-9.]+ ms$" out.txt)" = 3 ] &&
            grep -q "^--- $to ping statistics ---$" out.txt &&
            grep -q '^3 packets transmitted, 3 received, 0% packet loss, time ' out.txt &&
            grep -qE '^rtt min/avg/max/mdev = [0-9.]+/[0-9.]+/[0-9.]+/[0-9.]+ ms$' out.txt || return
    done
    # Longer than the MTU, and than nothing.
    "$weir" ping -c 1 -s 60000 198.18.0.1 >out.txt && grep '^60008 bytes from' out.txt || return
    "$weir" ping -c 1 -s 0 198.18.0.1 >out.txt && grep '^8 bytes from' out.txt || return
    "$weir" ping -q -c 2 -i 0.01 198.18.0.1 >out.txt && ! grep 'bytes from' out.txt || return
    "$weir" ping --tap t0 -c 2 -i 0.01 198.18.0.1 >out.txt && grep ' 2 received' out.txt
}

kernel_asks() {
    command -v ping >/dev/null || {
        echo "= there is no ping here: only ours is tried"
        return 0
    }
    start listen "$weir" listen 9
    await listen 'listening on \[' || return
    ping -c 3 -i 0.2 198.18.0.2 | grep ' 3 received' || return
    ping -c 3 -i 0.2 -s 20000 fd00:5765:6972::2 | grep ' 3 received'
}

nobody_answers() {
    "$weir" ping -c 2 -i 0.05 -W 0.2 198.18.0.77 >out.txt
    [ $? = 1 ] && grep -q '2 packets transmitted, 0 received, 100% packet loss' out.txt
}

# An answer from the network that is an error counts as one.
unreachable() {
    echo 1 >/proc/sys/net/ipv4/ip_forward
    "$weir" ping -c 1 -W 2 203.0.113.1 >out.txt
    [ $? = 1 ] && grep -q '+1 errors, 100% packet loss' out.txt
}

interrupted() {
    local pid
    "$weir" ping -i 0.05 198.18.0.1 >out.txt &
    pid=$!
    await_that grep icmp_seq=5 out.txt || return
    kill -INT $pid
    wait $pid || return
    grep -q 'ping statistics' out.txt && grep -q ' 0% packet loss' out.txt
}

as_json() {
    "$weir" ping --json -c 3 -i 0.01 198.18.0.1 >out.txt || return
    python3 - <<'END'
import json
lines = [json.loads(line) for line in open("out.txt")]
assert [l["type"] for l in lines] == ["reply"] * 3 + ["summary"], lines
assert [l["seq"] for l in lines[:3]] == [1, 2, 3]
assert all(0 < l["time_s"] < 5 and l["ttl"] == 64 and l["bytes"] == 56 for l in lines[:3]), lines
last = lines[3]
assert last["sent"] == last["received"] == 3 and last["duplicates"] == last["errors"] == 0
assert 0 < last["min_s"] <= last["avg_s"] <= last["max_s"]
END
}

check "we ask" we_ask
check "the kernel asks" kernel_asks
check "nobody answers" nobody_answers
check "unreachable" unreachable
check "interrupted" interrupted
check "JSON" as_json
finish
