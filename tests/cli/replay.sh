#!/usr/bin/env bash
# replay.sh - weir serve records what it does with curl, weir replay does it again
# shellcheck disable=SC2317
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/../interop/lib.sh"
enter "$@"
needs curl

url=http://198.18.0.2

# A server records fetches of several kinds.
record() {
    mkdir -p www
    head -c 3000000 /dev/urandom >www/large
    echo hello >www/small
    start serve "$weir" serve www --record log "$@"
    await serve 'serving www at http://198.18.0.2' || return
    curl -sS --max-time 30 -o got "$url/large" && cmp got www/large &&
        curl -sS --max-time 30 "$url/small" "$url/nothing" &&
        curl -sS --max-time 30 'http://[fd00:5765:6972::2]/small' &&
        kill "$last_pid" && result_of serve "$last_pid"
}

replay() {
    "$weir" replay "$@" >out 2>err
    code=$?
    head -n 20 out err
}

# says CODE TEXT OPTION...: what a replay answers.
says() {
    replay "${@:3}"
    [ "$code" = "$1" ] && grep -qE -- "$2" out err
}

is_the_same() {
    record "$@" && says 0 'the same again, bit for bit$' log
}

only_ours() {
    [ "$(stat -c %a log)" = 600 ]
}

# The state of then: the connection has sent some of the file, not all of it.
stops() {
    says 0 'packets in and' --stop-at-segment 20 log || return
    grep -q 'state  *ESTABLISHED' out && grep -q 'remote  *198.18.0.1:' out &&
        grep -q 'cwnd  *[1-9]' out || return
    says 0 '"type":"state"' --stop-at-segment 2 --json log || return
    says 0 '^0.00' --stop-at 0.002 log && ! grep -q ESTABLISHED out
}

draws() {
    says 0 'SYN ACK' --ladder --ascii log && grep -q 'FIN' out
}

traces() {
    says 0 'LISTEN -> SYN-RECEIVED' --trace log && grep -qF ': S 0:0(0)' err
}

captures() {
    says 0 '^$|the same' --pcap again.pcapng log && [ "$(stat -c %s again.pcapng)" -gt 3000000 ]
}

# A byte of the middle has changed: what comes before is done, and where it ends is said.
damaged() {
    local at=$(($(stat -c %s log) / 2))
    cp log hurt
    printf '\377\376\375' | dd of=hurt bs=1 seek="$at" conv=notrunc status=none
    says 1 'damaged at byte [0-9]+ \(record [0-9]+\): all before it has been replayed' hurt
}

broken_off() {
    head -c 500000 log >part
    says 0 'breaks off here' part && says 0 'the same again' part
}

foreign() {
    says 1 'not a recording' www/large && : >nothing && says 1 'not a recording' nothing &&
        says 1 'cannot read' missing && says 1 'not a recording' www
}

# Killed without a word: all until then is in the file.
killed() {
    start serve "$weir" serve www --record log
    await serve 'serving www' && curl -sS --max-time 30 -o got "$url/large" || return
    kill -9 "$last_pid"
    wait "$last_pid"
    says 0 'breaks off here' log && grep -qE '[0-9]{2,} packets in and [0-9]{2,} out' err
}

# It cannot be recorded: nothing is served either.
cannot_record() {
    "$weir" serve www --record /nowhere/log 2>err
    [ $? = 1 ] && grep -q 'cannot record to /nowhere/log: No such file' err
}

check "a recorded server does the same again" is_the_same
check "only its owner may read a recording" only_ours
check "it stops at a packet and at a time, with all connections' state" stops
check "it draws a ladder" draws
check "it traces" traces
check "it writes a capture" captures
check "a damaged recording" damaged
check "a recording that breaks off" broken_off
check "what is no recording" foreign
check "a server that is killed leaves a recording" killed
check "a file that cannot be written" cannot_record
check "the same over a TAP device, without offloads" is_the_same --tap w0 --no-offload
finish
