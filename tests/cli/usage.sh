#!/usr/bin/env bash
# usage.sh - mistakes on the command line: one sentence on stderr and exit code 2; and the helps
set -uo pipefail
weir=${WEIR_BUILD:-$(dirname "$0")/../../build/release}/weir
there=$(mktemp -d)
trap 'rm -rf "$there"' EXIT
failures=0

fail() {
    echo "FAIL  $*"
    sed 's/^/    | /' "$there/out" "$there/err"
    failures=$((failures + 1))
}

# run ARGUMENT...: its exit code, and what it wrote.
run() {
    timeout 10 "$weir" "$@" >"$there/out" 2>"$there/err" </dev/null
    code=$?
}

# mistake TEXT ARGUMENT...: exit code 2, nothing on stdout, one line on stderr that has TEXT.
mistake() {
    local text=$1
    shift
    run "$@"
    [ $code = 2 ] || fail "exit code $code, not 2: weir $*"
    [ ! -s "$there/out" ] || fail "something on stdout: weir $*"
    [ "$(wc -l <"$there/err")" = 1 ] || fail "not one line: weir $*"
    grep -q "^weir: " "$there/err" || fail "it does not say who speaks: weir $*"
    grep -qF -- "$text" "$there/err" || fail "'$text' is not said: weir $*"
}

# says TEXT ARGUMENT...: exit code 0, nothing on stderr, and TEXT on stdout.
says() {
    local text=$1
    shift
    run "$@"
    [ $code = 0 ] || fail "exit code $code: weir $*"
    [ ! -s "$there/err" ] || fail "something on stderr: weir $*"
    grep -qF -- "$text" "$there/out" || fail "'$text' is not said: weir $*"
}

# ---- commands ----
mistake "which command?"
mistake "did you mean 'serve'?" sevre
mistake "did you mean 'ping'?" pign
mistake "there is no command 'xyzzy'" xyzzy
mistake "there is no command ''" ""
mistake "options come after it" --port
mistake "did you mean 'listen'?" help lisen
mistake "one operand too many" help serve ping
mistake "one operand too many" version now
mistake "there is no benchmark 'speed'" bench speed
mistake "--loss wants a percentage" bench --loss much bulk
says "ns_per_round_trip" bench rr --small

# ---- operands and options ----
mistake "serve wants DIR" serve
mistake "connect wants HOST PORT" connect localhost
mistake "'3' is one operand too many" connect 1 2 3
mistake "neither a port" connect 198.18.0.1 0
mistake "neither a port" connect 198.18.0.1 65536
mistake "neither a port" listen nosuchservice
mistake "neither a port" listen 80x
mistake "serve has no option --prot; did you mean --port?" serve --prot 80 .
mistake "serve has no option --frobnicate;" serve --frobnicate .
mistake "serve has no option -Z" serve -Z .
mistake "serve has no option -Z" serve -qZ .
mistake "--port wants a port" serve --port http:// .
mistake "--port wants a value" serve . --port
mistake "-P wants a value" serve . -P
mistake "--json takes no value" serve --json=yes .
mistake "may stand for several" serve --no .
mistake "--idle wants a number of seconds" serve --idle 0 .
mistake "--connections wants a number" serve --connections -1 .
mistake "--mtu wants a number from 576 to 65535, not '575'" ping --mtu 575 198.18.0.1
mistake "--mtu wants" ping --mtu 99999999999999999999999 198.18.0.1
mistake "--tun wants the name of a device" ping --tun a-very-long-device-name 198.18.0.1
mistake "--tap wants the name of a device" ping --tap ../x 198.18.0.1
mistake "--address wants an address" ping --address 198.18.0.300/24 198.18.0.1
mistake "--address wants an address" ping --address 198.18.0.3/33 198.18.0.1
mistake "--address wants an address" ping --address 0.0.0.0/0 198.18.0.1
mistake "--peer needs an --address" ping --peer 198.18.0.1/24 198.18.0.1
mistake "contradict each other" ping -a 198.18.0.2/24 -p 198.18.0.1/24 --no-setup 198.18.0.1
mistake "--gateway wants an address" ping --gateway 198.18.0.1/24 198.18.0.1
mistake "of the family of gateway fd00::1" ping -a 198.18.0.2/24 --gateway fd00::1 198.18.0.1
mistake "IPv6 needs an --mtu of at least 1280" ping -a fd00::2/64 --mtu 600 fd00::1
mistake "--pcap wants the name of a file" ping --pcap "" 198.18.0.1
mistake "--record wants the name of a file" ping --record "" 198.18.0.1
mistake "replay wants FILE" replay
mistake "link wants two devices" link --a wa
mistake "--delay wants a time, as 50ms" link --a wa --b wb --delay 50min
mistake "--rate wants a rate" link --rate 100
mistake "--loss wants a share" link --loss 101%
mistake "--bursts wants a share" link --bursts 1%
mistake "--queue wants fifo" link --queue red
mistake "--limit wants bytes" link --limit 5x
mistake "--reorder wants a share" link --reorder 1%
mistake "--stop-at wants seconds" replay --stop-at x file
mistake "--stop-at-segment wants the number of a packet" replay --stop-at-segment 0 file
mistake "--count wants a number" ping -c 0 198.18.0.1
mistake "--interval wants a number of seconds" ping -i -1 198.18.0.1
mistake "--interval wants a number of seconds" ping -i nan 198.18.0.1
mistake "--size wants a number from 0 to 65507" ping -s 65508 198.18.0.1

# ---- helps ----
says "usage: weir COMMAND" help
says "usage: weir COMMAND" --help
says "weir " version
says "weir " --version
for command in serve connect listen ping link replay version help; do
    says "usage: weir $command" help "$command"
    cp "$there/out" "$there/help"
    says "usage: weir $command" "$command" --help
    cmp -s "$there/out" "$there/help" || fail "two helps for $command"
    says "usage: weir $command" "$command" -h
    run help
    grep -q "^  $command " "$there/out" || fail "$command is not in the list"
done
says "--port PORT" serve . --port 80 --help

# ---- manual pages: one for each command, with each of its options ----
pages=$(dirname "$0")/../../docs/man
run help
commands=$(awk '/^  [a-z]/ { print $1 }' "$there/out")
[ "$(wc -w <<<"$commands")" -ge 6 ] || fail "so few commands?"
for command in $commands; do
    page=$pages/weir-$command.1
    [ -e "$page" ] || fail "there is no $page"
    run help "$command"
    while read -r option; do
        grep -qE "^\\.It Fl ([^ ]+ , )?-${option#--}( |$)" "$page" "$pages/weir.1" ||
            fail "$option is not in $page"
    done < <(grep -oE '^ +(-[a-zA-Z0-9], )?--[a-z0-9-]+' "$there/out" | grep -oE -- '--[a-z0-9-]+')
done

# ---- what is written must be written ----
if [ -w /dev/full ]; then
    timeout 10 "$weir" version >/dev/full 2>"$there/err"
    code=$?
    : >"$there/out"
    [ $code = 1 ] || fail "exit code $code with a full disk"
    grep -q "cannot write to standard output" "$there/err" || fail "a full disk is not mentioned"
fi

# ---- what cannot be served ----
run serve "$there/nothing"
[ $code = 1 ] || fail "exit code $code without a folder"
grep -q "No such file" "$there/err" || fail "a missing folder is not mentioned"
run serve "$there/out"
[ $code = 1 ] || fail "exit code $code with a file for a folder"

[ $failures = 0 ]
