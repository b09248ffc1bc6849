#!/usr/bin/env bash
# many.sh - many connections, at once and one after another
. "$(dirname "$0")/lib.sh"
enter "$@"

# Nobody reads until all are there, so no connection can end before.
thousand_at_once() {
    local each=(--count 1000 --together --send 20000 --recv 20000 --timeout 100)
    "$1" "${each[@]}" -- "${each[@]}" || return
    grep -q '1000 at once' check.log
}

for link in tun tap-plain; do
    for family in 4 6; do
        on $link $family
        check "1000 connections at once, $link, IPv$family, Weir accepts" \
            thousand_at_once weir_listens
        check "1000 connections at once, $link, IPv$family, Weir connects" \
            thousand_at_once weir_connects
    done
done

# How many packets of the kernel's have found no room in the device's queue.
dropped() {
    awk '$1 == "w0:" { print $13 }' /proc/net/dev
}

# A burst of SYNs is answered at once, and the answers find room in the device's queue. Where the
# machine is busy with something else, Weir may not get to read them in time: that is not its doing,
# and may be otherwise the next time.
few_are_repeated() {
    local each=(--count 1000 --timeout 100) before repeated try
    for try in 1 2 3 4 5 6; do
        before=$(dropped)
        weir_connects "${each[@]}" --send 100 -- "${each[@]}" --recv 100 >burst.log || break
        repeated=$(sed -n 's/.* \([0-9]*\) retransmits.*/\1/p' burst.log)
        echo "= $repeated repeated, the device has dropped $(($(dropped) - before)), try $try"
        [ "$repeated" -ge 100 ] || return 0
        sleep "$try"
    done
    cat burst.log
    return 1
}
on tun 4
ip tuntap add w0 mode tun vnet_hdr # it stays, and counts
check "1000 connections in a burst, few segments repeated" few_are_repeated
ip link del w0

# The one asks and the other answers, a byte at a time.
ping_pong=(--send 5000 --recv 5000)
on tun 4
check "5000 times one byte and back, Weir answers" \
    weir_listens --echo --recv any -- "${ping_pong[@]}" --window 1 --echoed
check "5000 times one byte and back, Weir asks" \
    weir_connects "${ping_pong[@]}" --window 1 --echoed -- --echo --recv any
small=(--count 200 --send 300 --recv 300)
on tap 6
check "200 connections with one byte and back, Weir answers" \
    weir_listens "${small[@]}" --echo -- "${small[@]}" --window 1 --echoed
check "200 connections with one byte and back, Weir asks" \
    weir_connects "${small[@]}" --window 1 --echoed -- "${small[@]}" --echo

# The end that ends first keeps TIME-WAIT; the same port comes back at once. A SYN is taken if its
# timestamp, in milliseconds, or its sequence number is a later one, hence the rest of some.
again=(--count 100 --send 1000 --recv 1000)
for family in 4 6; do
    on tun $family
    check "100 times from one port into Weir's TIME-WAIT, IPv$family" \
        weir_listens "${again[@]}" -- "${again[@]}" --one-by-one --local-port 4000 --keep-open
    check "100 times from one port into the kernel's TIME-WAIT, IPv$family" weir_connects \
        "${again[@]}" --one-by-one --rest 5 --local-port 4000 --keep-open -- "${again[@]}"
done

finish
