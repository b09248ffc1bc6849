#!/usr/bin/env bash
# scripts.sh - a second opinion: what scripts say of TCP, the kernel does too
#
# Those of tests/conform whose header says that Linux agrees, except for the slow ones. Time is
# real here, so a script that fails on a busy machine may try again.
set -euo pipefail
cd "${WEIR_SOURCE:?}"
weir=${WEIR_BUILD:?}/weir sample=() failed=0

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
for script in "${sample[@]}"; do
    for try in 1 2 3; do
        "$weir" drill --tun --tolerance 0.03 "$script" && continue 2
    done
    echo "$script: Linux does not agree, $try times" >&2
    failed=1
done
exit $failed
