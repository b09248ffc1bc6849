#!/usr/bin/env bash
# ecn.sh - ECN with the kernel, which marks one packet in ten, and accurate ECN across it
#
# Numbers of --ecn are those of net.ipv4.tcp_ecn, and one more.
. "$(dirname "$0")/lib.sh"
enter "$@"
needs nft

off=1 on=2 passive=3 accurate=4
both=(--send 1500000 --recv 1500000 --timeout 100)

sysctl -q net.ipv4.tcp_ecn=1 2>/dev/null || skip "the kernel's ECN cannot be set here"
mark() {
    local hook
    nft add table inet test || return
    for hook in input output forward; do
        nft add chain inet test "$hook" "{ type filter hook $hook priority mangle; }" &&
            nft add rule inet test "$hook" ip ecn ect0 numgen inc mod 10 0 ip ecn set ce &&
            nft add rule inet test "$hook" ip6 ecn ect0 numgen inc mod 10 0 ip6 ecn set ce || return
    done
}
check "one packet in ten is marked" mark

for way in "tun 4" "tun 6" "tun-plain 4" "tap 6"; do
    # shellcheck disable=SC2086 # two words
    on $way
    check "Weir asks, $way" weir_connects "${both[@]}" --ecn $on --marks classic -- "${both[@]}"
    check "the kernel asks, $way" weir_listens "${both[@]}" --marks classic -- "${both[@]}"
    check "Weir asks for accurate ECN and takes what there is, $way" \
        weir_connects "${both[@]}" --ecn $accurate --marks classic -- "${both[@]}"
done
on tun 4
check "Weir has none" weir_listens "${both[@]}" --ecn $off --marks none -- "${both[@]}"
check "Weir does not ask" \
    weir_connects "${both[@]}" --ecn $passive --marks none -- "${both[@]}"

# Two of Weir's, and the kernel forwards.
two() {
    local pid code
    sysctl -q net.ipv4.ip_forward=1
    start listener "$transfer" listen 198.18.0.2:5001 --device w0 --address 198.18.0.2/24 \
        --peer 198.18.0.1/24 --gateway 198.18.0.1 "${both[@]}" "$@"
    pid=$last_pid
    await listener '^ready' || return
    "$transfer" connect 198.18.0.2:5001 --device w1 --address 198.18.1.2/24 \
        --peer 198.18.1.1/24 --gateway 198.18.1.1 "${both[@]}" "$@"
    code=$?
    [ "$code" = 0 ] || kill "$pid" 2>/dev/null
    result_of listener "$pid" && return "$code"
}
check "accurate ECN between two of Weir's" two --ecn $accurate --marks accurate
check "the same in plain segments" two --ecn $accurate --marks accurate --no-offload
check "classic ECN between two of Weir's" two --ecn $on --marks classic

finish
