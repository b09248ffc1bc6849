#!/usr/bin/env bash
# plot.sh - weir sim draws what flows do
set -u

weir=${WEIR_BUILD:-$(dirname "$0")/../../build/release}/weir
there=$(mktemp -d)
trap 'rm -rf "$there"' EXIT
failures=0

fail() {
    echo "$*"
    failures=$((failures + 1))
}

cat >"$there/two" <<END
run 5s
host a
host b
link a b rate 10mbit delay 5ms limit 40
flow first bulk a b
flow other bulk a b start 1s
END

PATH=$there "$weir" sim -q --plot "$there/a.svg" "$there/two" 2>"$there/err" && fail "no gnuplot, and yet"
grep -q 'needs gnuplot' "$there/err" || fail "it does not say that gnuplot is missing"

if command -v gnuplot >/dev/null; then
    "$weir" sim -q --plot "$there/a'b.svg" "$there/two" || fail "it does not draw"
    for word in '<svg' first other Mbit/s cwnd srtt queue retransmissions Jain '</svg>'; do
        grep -q "$word" "$there/a'b.svg" || fail "$word is not in the picture"
    done
    "$weir" sim -q --plot /nowhere/a.svg "$there/two" >"$there/out" 2>"$there/err" && fail "it cannot have drawn there"
    [ -s "$there/out" ] && fail "it draws on standard output"
    grep -q 'cannot draw /nowhere/a.svg: No such file' "$there/err" || fail "it does not say so"
fi

[ $failures = 0 ]
