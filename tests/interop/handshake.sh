#!/usr/bin/env bash
# handshake.sh - SYN cookies under a flood, and data in SYNs, with the kernel at either end
. "$(dirname "$0")/lib.sh"
enter "$@"
needs tcpdump sysctl

# The value of a counter of the kernel's extended TCP statistics.
counter() {
    awk -v name="$1" '$1 == "TcpExt:" && !n { for (i = 2; i <= NF; i++) at[$i] = i; n = 1; next }
        $1 == "TcpExt:" { print $at[name] }' /proc/net/netstat
}

# ---- SYN cookies ----

# The queue is full of SYNs that nobody will follow; whoever is there gets in all the same.
weir_is_flooded() {
    start weir "$transfer" listen "$weir_at:5001" "${device[@]}" --syn-queue 16 --count 20 \
        --gateway "$kernel_ip/32" --recv 1000 --send 1000 --timeout 100
    local weir_pid=$last_pid code
    await weir '^ready' || return
    ip route add 198.19.0.0/16 dev w0
    python3 "$kernel" flood "$weir_ip" 5001 2000 || return
    "$peer" connect "$weir_at:5001" --count 20 --recv 1000 --send 1000 --timeout 10 &&
        result_of weir "$weir_pid" && grep -q ' 20 with a cookie' weir.log
}

kernel_is_flooded() {
    start kernel "$peer" listen "$any_at:5001" --count 20 --recv 1000 --send 1000 --timeout 100
    local kernel_pid=$last_pid before
    await kernel '^ready' || return
    before=$(counter SyncookiesRecv)
    "$transfer" connect "$kernel_at:5001" "${device[@]}" --count 20 --one-by-one --recv 1000 \
        --send 1000 --timeout 10 &
    python3 "$kernel" flood "$kernel_ip" 5001 500
    wait $! && result_of kernel "$kernel_pid" || return
    [ $(($(counter SyncookiesRecv) - before)) = 20 ] || {
        echo "the kernel has taken $(($(counter SyncookiesRecv) - before)) cookies"
        return 1
    }
}

# ---- Fast Open: the first connection brings a cookie, the second uses it ----

two=(--count 2 --one-by-one --fastopen --timeout 10)

# Watches SYNs that carry data, and makes the device before anybody else does.
watch_syns() {
    ip tuntap add w0 mode tun && ip link set w0 up || return
    start capture tcpdump -l -n -i w0 'tcp[13] & 0x12 == 2 and ip[2:2] > 20 + (tcp[12] >> 2)'
    await capture 'listening on'
}

one_syn_had_data() {
    local code=$?
    await_that grep -q '^[0-9].*length [1-9]' capture.log && sleep 0.2 # for more, which there must not be
    grep '^[0-9]' capture.log
    [ "$(grep -c '^[0-9].*length [1-9]' capture.log)" = 1 ] || code=1
    end_started
    ip link del w0
    return "$code"
}

weir_opens_fast() {
    watch_syns && start kernel "$peer" listen "$any_at:5001" "${two[@]}" --recv 500 --send 700 ||
        return
    local kernel_pid=$last_pid
    await kernel '^ready' || return
    "$transfer" connect "$kernel_at:5001" "${device[@]}" "${two[@]}" --send 500 --recv 700 \
        >weir.log && result_of kernel "$kernel_pid" && cat weir.log &&
        grep -q '^1 with data' weir.log && grep -q '^1 with data' kernel.log
    one_syn_had_data
}

kernel_opens_fast() {
    watch_syns && start weir "$transfer" listen "$weir_at:5001" "${device[@]}" "${two[@]}" \
        --recv 500 --send 700 || return
    local weir_pid=$last_pid
    await weir '^ready' || return
    "$peer" connect "$weir_at:5001" "${two[@]}" --send 500 --recv 700 >kernel.log &&
        result_of weir "$weir_pid" && cat kernel.log &&
        grep -q '^1 with data' weir.log && grep -q '^1 with data' kernel.log
    one_syn_had_data
}

# The kernel as a server that does not want it: all is well, only slower.
weir_is_refused() {
    weir_connects "${two[@]}" --send 500 --recv 700 -- --count 2 --recv 500 --send 700
}

sysctl -q net.ipv4.tcp_syncookies=1 net.ipv4.tcp_fastopen=3 2>/dev/null ||
    skip "the kernel's TCP options cannot be set here"
for link in tun tun-plain; do
    on $link
    check "$link: Weir is flooded with SYNs" weir_is_flooded
done
on tun
sysctl -q net.ipv4.tcp_syncookies=2
check "the kernel answers with cookies" kernel_is_flooded
sysctl -q net.ipv4.tcp_syncookies=1
on tun 4
check "Weir's second SYN has data" weir_opens_fast
check "the kernel's second SYN has data" kernel_opens_fast
sysctl -q net.ipv4.tcp_fastopen=0
check "Weir asks and gets no cookie" weir_is_refused

finish
