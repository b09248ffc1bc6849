#!/usr/bin/env bash
# drill.sh - what weir drill says of scripts that fail, or that are none
set -uo pipefail
weir=$(cd "${WEIR_BUILD:-$(dirname "$0")/../../build/release}" && pwd)/weir
there=$(mktemp -d)
trap 'rm -rf "$there"' EXIT
cd "$there" || exit 1
failures=0

fail() {
    echo "FAIL  $*"
    sed 's/^/    | /' out
    failures=$((failures + 1))
}

# script LINE...: a connection that is accepted, and then these lines.
script() {
    cat >script.pkt <<'END'
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 65535 <mss 1000>
+0 > S. 0:0(0) ack 1 <...>
+.1 < . 1:1(0) ack 1 win 65535
+0 accept(3, ..., ...) = 4
END
    printf '%s\n' "$@" >>script.pkt
}

# expect CODE TEXT OPTION...: runs the script.
expect() {
    local wanted=$1 text=$2 code
    shift 2
    timeout 10 "$weir" drill "$@" script.pkt >out 2>&1 </dev/null
    code=$?
    [ $code = "$wanted" ] || fail "exit code $code, not $wanted: $*"
    grep -qF -- "$text" out || fail "'$text' is not said"
}

script '+0 write(4, ..., 100) = 100' '+0 > P. 1:101(100) ack 1'
expect 0 '1 passed, 0 failed'
expect 0 '   0.100000 > P. 1:101(100) ack 1' --trace
expect 0 '"result":"pass"' --json
expect 0 '1 passed' --pcap packets.pcapng --ip ipv6
[ -s packets.pcapng ] || fail "there is no capture"
if [ "$("$weir" drill --trace script.pkt)" != "$("$weir" drill --trace script.pkt)" ]; then
    fail "two runs of one script differ"
fi

script '+0 write(4, ..., 100) = 100' '+0 > P. 1:101(100) ack 7'
expect 1 'script.pkt:9:1: another packet is expected; what differs: ack'
expect 1 '    expected             > P. 1:101(100) ack 7'
expect 1 '    seen        0.100000 > P. 1:101(100) ack 1'
expect 1 'ESTABLISHED'
expect 1 '"line":9,"column":1,' --json

script '+.5 > . 1:1(0) ack 1'
expect 1 'script.pkt:8:1: this packet is expected at 0.600000 s, but nothing is sent' --no-ladder
script '+0 write(4, ..., 100) = 100' '+.5 > P. 1:101(100) ack 1'
expect 1 'this packet is expected at 0.600000 s, but happens at 0.100000 s'
script '+0 read(4, ..., 100) = 100'
expect 1 'script.pkt:8:24: read would wait for ever: it was stopped at the time limit'
script '+0...0.2 read(4, ..., 100) = 100'
expect 1 'read is expected to return at 0.300000 s, but still waits'
script '+0 read(4, ..., 100) = 0' '* > . 9:9(0)'
expect 1 'read would wait for ever'
script '* > . 9:9(0)'
expect 1 'this packet is expected, but nothing is sent up to the time limit'
script '+0 fcntl(4, F_SETFL, O_NONBLOCK) = 0' '+0 read(4, ..., 100) = -1 EPIPE (Broken pipe)'
expect 1 'read is expected to return -1 EPIPE, but it returns -1 EAGAIN'
script '+0 %{ assert tcpi_snd_cwnd == 11 }%'
expect 1 'script.pkt:8:7: assert tcpi_snd_cwnd == 11 does not hold, tcpi_snd_cwnd is 10'
script '+0 getsockopt(4, SOL_TCP, TCP_NODELAY, [1], [4]) = 0'
expect 1 'the option is expected to be 1, but it is 0'

script '+0 fork(4) = 0'
expect 1 'script.pkt:8:1: fork: there is no such call'
script '+0 close(4, 5) = 0'
expect 1 'close: the call has too many arguments'
script '+0 setsockopt(4, SOL_TCP, TCP_WHAT, [1], 4) = 0'
expect 1 "script.pkt:8:27: there is no constant 'TCP_WHAT'"
# shellcheck disable=SC2016 # the backticks are the script's
script '+0 `reboot`'
expect 1 "the command 'reboot' is refused without --shell"
# shellcheck disable=SC2016
script '+0 `false`'
expect 1 "the command 'false' failed" --shell
# shellcheck disable=SC2016
script '+0 `sysctl -q net.ipv4.tcp_nonsense=1`'
expect 1 "there is no sysctl 'net.ipv4.tcp_nonsense'"
script '+0 < Q 0:0(0)'
expect 1 'script.pkt:8:6: this is not a flag'
expect 1 '0 passed, 1 failed (1 of them have a mistake)'

echo '--nonsense=1 0 close(3) = 0' >script.pkt
expect 1 'script.pkt:1:1: --nonsense: there is no such option'
printf -- '--ip_version=ipv6\n0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n' >script.pkt
expect 0 '1 passed'
expect 0 '0 passed, 0 failed, 1 skipped' --ip mapped
expect 2 'ipv4, ipv6 or mapped' --ip ipx
rm script.pkt
expect 1 'script.pkt: No such file or directory'

[ $failures = 0 ] || exit 1
