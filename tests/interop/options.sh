#!/usr/bin/env bash
# options.sh - the kernel with its TCP options switched on and off, in all combinations
. "$(dirname "$0")/lib.sh"
enter "$@"

both=(--send 300000 --recv 300000 --timeout 100)

set_options() {
    sysctl -q net.ipv4.tcp_timestamps="$1" net.ipv4.tcp_window_scaling="$2" \
        net.ipv4.tcp_sack="$3" net.ipv4.tcp_ecn="$4"
}

set_options 1 1 1 2 2>/dev/null || skip "the kernel's TCP options cannot be set here"
number=0
for timestamps in 0 1; do
    for scaling in 0 1; do
        for sack in 0 1; do
            for ecn in 0 1; do
                number=$((number + 1))
                on tun $((number % 2 ? 4 : 6))
                set_options $timestamps $scaling $sack $ecn
                name="timestamps $timestamps, scaling $scaling, SACK $sack, ECN $ecn"
                check "$name: the kernel connects" weir_listens "${both[@]}" -- "${both[@]}"
                check "$name: Weir connects" weir_connects "${both[@]}" -- "${both[@]}"
            done
        done
    done
done

finish
