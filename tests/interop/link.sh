#!/usr/bin/env bash
# link.sh - MTUs, pings, fragments and datagrams over TUN and TAP
. "$(dirname "$0")/lib.sh"
enter "$@"
needs ping python3

both=(--send 3000000 --recv 3000000 --timeout 100)
for mtu in 576 1280 1500 4000 9000 65535; do
    for link in tun tun-plain; do
        on $link 4 --mtu $mtu
        check "MTU $mtu, $link, IPv4" weir_connects "${both[@]}" -- "${both[@]}"
        [ $mtu -ge 1280 ] || continue
        on $link 6 --mtu $mtu
        check "MTU $mtu, $link, IPv6" weir_listens "${both[@]}" -- "${both[@]}"
    done
done
for mtu in 576 9000; do
    on tap 4 --mtu $mtu
    check "MTU $mtu, tap, IPv4" weir_connects "${both[@]}" -- "${both[@]}"
done

kernel_pings() {
    start weir "$transfer" listen "$weir_at:5001" "${device[@]}"
    await weir '^ready' || return
    ping -q -c 3 -i 0.1 -W 20 "$@" "$weir_ip" >ping.log
    local code=$?
    cat ping.log
    sed -n 's/^\([0-9]* packets.*loss\).*/= \1/p' ping.log
    [ "$code" = 0 ] && grep -q ' 0% packet loss' ping.log
}

weir_pings() {
    timeout 100 "$weir" ping "${cli[@]}" -c 3 -i 0.1 "$@" "$kernel_ip"
}

kernel_asks() {
    start weir "$build/interop_datagrams" listen "$weir_at:7" "${device[@]}"
    await weir '^ready' || return
    timeout 100 "$kernel" udp-ask "$weir_ip" 7 "$1"
}

weir_asks() {
    start kernel "$kernel" udp-echo "$any_ip" 7
    await kernel '^ready' || return
    timeout 100 "$build/interop_datagrams" connect "$kernel_at:7" "${device[@]}" --datagrams "$1"
}

for link in tun tap tap-plain; do
    for family in 4 6; do
        on $link $family
        check "the kernel pings, $link, IPv$family" kernel_pings
        check "Weir pings, $link, IPv$family" weir_pings
    done
done
for link in tun tap; do
    for family in 4 6; do
        on $link $family
        check "the kernel pings with 8000 bytes, $link, IPv$family" kernel_pings -s 8000
        check "Weir pings with 8000 bytes, $link, IPv$family" weir_pings -s 8000
        check "the kernel sends datagrams, $link, IPv$family" kernel_asks 60000
        check "Weir sends datagrams, $link, IPv$family" weir_asks 60000
    done
done

finish
