#!/usr/bin/env bash
# routed.sh - a router between Weir and the kernel's programs: loss both ways, path MTU, errors
#
# The programs are in a namespace of their own behind a veth pair; the namespace of the script
# forwards. So neither end sees on its own side that a packet is lost or too long.
. "$(dirname "$0")/lib.sh"
enter "$@"
needs nft

unshare --net sleep 1000 &
beyond=$!
inside=(nsenter --net="/proc/$beyond/ns/net")

far4=198.19.0.2 far6=fd01::2
set_up() {
    await_that sh -c "! [ /proc/$beyond/ns/net -ef /proc/self/ns/net ]" &&
        sysctl -q net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 &&
        ip link add r0 type veth peer name k0 netns "$beyond" &&
        ip addr add 198.19.0.1/24 dev r0 && ip addr add fd01::1/64 dev r0 nodad &&
        ip link set r0 up && "${inside[@]}" sh -c "
            ip link set lo up
            ip addr add $far4/24 dev k0 && ip addr add $far6/64 dev k0 nodad &&
            ip link set k0 up && ip route add default via 198.19.0.1 &&
            ip -6 route add default via fd01::1"
}
check "a router" set_up
peer_alone=$peer
peer_inside() {
    "${inside[@]}" "$peer_alone" "$@"
}
peer=peer_inside

# via LINK FAMILY: as on, but Weir's peer is beyond the router.
via() {
    on "$1" "$2" --gateway 198.18.0.1 --gateway fd00::1
    kernel_at=$far4 kernel_ip=$far4
    [ "$2" = 4 ] || kernel_at="[$far6]" kernel_ip=$far6
}

lossy() {
    nft add table inet test && nft add chain inet test on '{ type filter hook forward priority 0; }' &&
        nft add rule inet test on numgen random mod 100 '<' 5 drop || return
    "$@"
    local code=$?
    nft delete table inet test
    return "$code"
}

bytes=(--send 3000000 --recv 3000000 --timeout 100)
for link in tun-plain tap; do
    for family in 4 6; do
        via $link $family
        check "through a router, $link, IPv$family" weir_listens "${bytes[@]}" -- "${bytes[@]}"
        check "5 % loss both ways, $link, IPv$family" \
            lossy weir_connects "${bytes[@]}" -- "${bytes[@]}"
    done
done

# The router's next link is narrower than Weir's: it says so, once.
forget() {
    "${inside[@]}" ip route flush cache
    "${inside[@]}" ip -6 route flush cache
}
# Only the way out is: a device with that MTU would drop what comes in longer, without a word.
check "a narrow way out" sh -c \
    "ip route add $far4 dev r0 mtu 1400 && ip -6 route add $far6 dev r0 mtu 1400"
for link in tun tun-plain tap; do
    for family in 4 6; do
        via $link $family
        check "a narrow link on the way, Weir connects, $link, IPv$family" \
            weir_connects "${bytes[@]}" -- "${bytes[@]}"
        forget
        check "a narrow link on the way, Weir listens, $link, IPv$family" \
            weir_listens "${bytes[@]}" -- "${bytes[@]}"
    done
done
# And one that says nothing: the router's complaints are thrown away. After three timeouts smaller
# segments pass, and soon those of the size that fits.
silent() {
    nft add table inet test && nft add chain inet test out '{ type filter hook output priority 0; }' &&
        nft add rule inet test out icmp type destination-unreachable drop &&
        nft add rule inet test out icmpv6 type packet-too-big drop || return
    "$@"
    local code=$?
    nft delete table inet test
    return "$code"
}
for family in 4 6; do
    via tun-plain $family
    forget
    check "a narrow link that says nothing, IPv$family" \
        silent weir_connects --send 3000000 --timeout 100 -- --recv 3000000 --timeout 100
done
ip route del $far4 dev r0 && ip -6 route del $far6 dev r0

# The router says that it knows no way; that may pass, so it does not end the connection.
cannot_reach() {
    "$transfer" connect "$1" "${device[@]}" --user-timeout 1500 --timeout 10 \
        --expect WEIR_ETIMEDOUT >said || return
    cat said
    grep -q "^the network says: $2$" said
}
ip route add unreachable 198.19.9.0/24
ip -6 route add unreachable fd09::/64
via tun 4
check "the router knows no way, IPv4" cannot_reach 198.19.9.9:80 WEIR_EHOSTUNREACH
check "the router knows no way, IPv6" cannot_reach '[fd09::9]:80' WEIR_ENETUNREACH

finish
