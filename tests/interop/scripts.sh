#!/usr/bin/env bash
# scripts.sh - a second opinion: what scripts say of TCP, the kernel does too
#
# Those of tests/conform whose header says that Linux agrees, except for the slow ones. Time is
# real here: a script that fails, perhaps because the machine was busy, tries again, by itself and
# after a pause that grows.
set -euo pipefail
cd "${WEIR_SOURCE:?}"
weir=${WEIR_BUILD:?}/weir sample=() failed=0
there=$(mktemp -d)
trap 'rm -rf "$there"' EXIT

agrees() {
    "$weir" drill --tun --tolerance 0.03 "$1"
}

agrees_in_the_end() {
    local try
    for try in 1 2 3 4 5 6; do
        sleep "$try"
        ! agrees "$1" || return 0
    done
    echo "$1: Linux does not agree, $((try + 1)) times" >&2
    return 1
}

while read -r script; do
    # Scripts that wait long say so with times of several seconds.
    grep -qE '^ *\+?([2-9]|[0-9]{2,})(\.[0-9]+)? ' "$script" || sample+=("$script")
done < <(grep -rlE '^// Linux agrees' --include='*.pkt' tests/conform | sort | awk 'NR % 4 == 1')
[ ${#sample[@]} -gt 0 ] || exit 0

first=$("$weir" drill --tun "${sample[0]}" 2>&1) || case $first in
*namespace* | */dev/net/tun*)
    echo "$first"
    exit 77
    ;;
esac

# Most of the time they wait.
running=0
for number in "${!sample[@]}"; do
    [ $((running++)) -lt 2 ] || wait -n || true
    { agrees "${sample[number]}" >"$there/$number" 2>&1 || mv "$there/$number"{,.failed}; } &
done
wait
for number in "${!sample[@]}"; do
    cat "$there/$number"*
    [ ! -e "$there/$number.failed" ] || agrees_in_the_end "${sample[number]}" || failed=1
done
exit $failed
