#!/usr/bin/env bash
# trouble.sh - peers that die, stop reading, or vanish, and links that go down or lose packets
. "$(dirname "$0")/lib.sh"
enter "$@"
needs nft ss

lots=(--send 1000000000000 --recv any)

# ---- one end dies with data in flight ----

# The kernel resets a connection whose process dies with unread data.
kernel_is_killed() {
    start weir "$transfer" listen "$weir_at:5001" "${device[@]}" "${lots[@]}" --timeout 100 \
        --expect WEIR_ECONNRESET
    local weir_pid=$last_pid
    await weir ready || return
    start kernel "$peer" connect "$weir_at:5001" "${lots[@]}"
    await_that is_flowing && kill -KILL "$last_pid" && result_of weir "$weir_pid"
}

# The device stays; when Weir is back, it does not know the connection and resets it.
weir_is_killed() {
    ip tuntap add w0 mode tun || return
    start weir "$transfer" listen "$weir_at:5001" "${device[@]}" "${lots[@]}"
    local weir_pid=$last_pid code
    await weir ready || return
    start kernel "$peer" connect "$weir_at:5001" "${lots[@]}" --expect ECONNRESET --timeout 100
    local kernel_pid=$last_pid
    await_that is_flowing || return
    kill -KILL "$weir_pid"
    wait "$weir_pid"
    start again "$transfer" listen "$weir_at:5001" "${device[@]}"
    result_of kernel "$kernel_pid"
    code=$?
    end_started
    ip link del w0
    return "$code"
}

# Without its device the kernel's end is alone, and has no way to go.
weir_vanishes() {
    start weir "$transfer" listen "$weir_at:5001" "${device[@]}" "${lots[@]}"
    local weir_pid=$last_pid
    await weir ready || return
    start kernel "$peer" connect "$weir_at:5001" "${lots[@]}" --user-timeout 1000 --timeout 100 \
        --expect "$1"
    await_that is_flowing || return
    kill -KILL "$weir_pid"
    result_of kernel "$last_pid"
}

# ---- the way is gone ----

drop_all() {
    nft add table inet test && nft add chain inet test in '{ type filter hook input priority 0; }' &&
        nft add rule inet test in iifname w0 drop
}

no_rules() {
    nft delete table inet test 2>/dev/null
    true
}

# begun WEIR-OPTION...: a transfer under way, Weir listening; weir_pid and kernel_pid.
begun() {
    start weir "$transfer" listen "$weir_at:5001" "${device[@]}" --timeout 100 "$@"
    weir_pid=$last_pid
    await weir ready || return
    start kernel "$peer" connect "$weir_at:5001" "${lots[@]}" --user-timeout 1500 --timeout 100 \
        --expect ETIMEDOUT
    kernel_pid=$last_pid
    await_that is_flowing
}

# The device stays when Weir has ended, or the kernel would say something else then.
both_time_out() {
    begun "${lots[@]}" --user-timeout 1500 --expect WEIR_ETIMEDOUT && "$@" || return
    result_of weir "$weir_pid"
    local code=$?
    result_of kernel "$kernel_pid" && return "$code"
}

packets_are_lost() {
    ip tuntap add w0 mode tun || return
    both_time_out drop_all
    local code=$?
    no_rules
    end_started
    ip link del w0
    return "$code"
}

address_vanishes() {
    begun "${lots[@]}" --user-timeout 1500 --expect WEIR_ETIMEDOUT || return
    ip addr del "$kernel_ip/$1" dev w0
    result_of weir "$weir_pid"
}

# Keep-alive finds out that a silent peer is gone.
keepalive_ends() {
    start weir "$transfer" listen "$weir_at:5001" "${device[@]}" --recv any --keep-open --timeout 100 \
        --keepalive 150 --expect WEIR_ETIMEDOUT
    weir_pid=$last_pid
    await weir ready || return
    start kernel "$peer" connect "$weir_at:5001" --send 500 --recv any --keep-open
    await_that is_flowing sent || return
    drop_all
    result_of weir "$weir_pid"
    local code=$?
    no_rules
    return "$code"
}

# For a second the link is down; then all arrives.
link_comes_back() {
    local enough=(--send 1000000000 --recv 1000000000 --timeout 100)
    start weir "$transfer" listen "$weir_at:5001" "${device[@]}" "${enough[@]}"
    weir_pid=$last_pid
    await weir ready || return
    start kernel "$peer" connect "$weir_at:5001" "${enough[@]}"
    kernel_pid=$last_pid
    await_that is_flowing || return
    ip link set w0 down
    is_flowing || return # or all was there already
    sleep 1
    ip link set w0 up
    # Going down took the kernel's routes and IPv6 addresses.
    ip addr replace "$kernel4/24" dev w0
    ip addr replace "$kernel6/64" dev w0 nodad
    result_of weir "$weir_pid"
    local code=$?
    result_of kernel "$kernel_pid" && return "$code"
}

# Then there is no time to tell of, and no rate.
nobody_comes() {
    start weir "$transfer" listen "$weir_at:5001" "${device[@]}" --timeout 1
    local weir_pid=$last_pid
    "$peer" listen "$any_at:5001" --timeout 1 >kernel.log && return 1
    result_of weir "$weir_pid" && return 1
    cat kernel.log
    grep -q '^weir: 0 of 1 .* 0.000 s, 0.00 Gbit/s, 0 retransmits' weir.log &&
        grep -q '^kernel: 0 of 1 .* 0.000 s$' kernel.log
}

on tun
check "nobody comes" nobody_comes
for family in 4 6; do
    on tun $family
    check "the kernel's program is killed, IPv$family" kernel_is_killed
    check "Weir is killed and comes back, IPv$family" weir_is_killed
    check "Weir and its device vanish, IPv$family" weir_vanishes ENETUNREACH
    check "every packet to the kernel is lost, IPv$family" packets_are_lost
    check "the kernel's address vanishes, IPv$family" address_vanishes $((family == 4 ? 24 : 64))
    check "keep-alive finds a peer gone, IPv$family" keepalive_ends
    check "the link goes down and comes back, tun, IPv$family" link_comes_back
    on tap $family
    check "the kernel's program is killed, tap, IPv$family" kernel_is_killed
    check "the link goes down and comes back, tap, IPv$family" link_comes_back
done

# ---- nobody reads ----

some=(--send 2000000 --recv 2000000 --timeout 100)
for family in 4 6; do
    on tun $family
    check "Weir does not read for two seconds, IPv$family" \
        weir_listens "${some[@]}" --pause 2000 -- "${some[@]}"
    check "the kernel does not read for two seconds, IPv$family" \
        weir_connects "${some[@]}" -- "${some[@]}" --pause 2000
done
on tun-plain 4
check "neither reads for two seconds" \
    weir_connects "${some[@]}" --pause 2000 -- "${some[@]}" --pause 2000

# Silence for three seconds: a keep-alive that is not answered would have ended it by then.
few=(--send 500 --recv 500 --timeout 100)
on tun 4
check "the kernel's keep-alive is answered" \
    weir_listens "${few[@]}" --echo --pause 3600 -- "${few[@]}" --echoed --keepalive 1000
check "the kernel answers keep-alive" \
    weir_connects "${few[@]}" --echoed --keepalive 100 -- "${few[@]}" --echo --pause 2000

# ---- 5 % loss at the kernel's ingress ----

lossy() {
    nft add table inet test && nft add chain inet test in '{ type filter hook input priority 0; }' &&
        nft add rule inet test in iifname w0 numgen random mod 100 '<' 5 drop || return
    "$@"
    local code=$?
    no_rules
    return "$code"
}

bytes=(--send 4000000 --recv 4000000 --timeout 100)
many=(--count 100 --send 50000 --recv 50000 --timeout 100)
for where in "tun-plain 4" "tun 6" "tap-plain 6"; do
    # shellcheck disable=SC2086 # a link and a family
    on $where
    check "5 % loss, 4 MB each way, ${where/ /, IPv}" \
        lossy weir_listens "${bytes[@]}" -- "${bytes[@]}"
    check "5 % loss, 100 connections, ${where/ /, IPv}" \
        lossy weir_connects "${many[@]}" -- "${many[@]}"
done

finish
