#!/usr/bin/env bash
# auth.sh - the MD5 option, with the kernel at either end
. "$(dirname "$0")/lib.sh"
enter "$@"

both=(--send 300000 --recv 300000 --timeout 100 --count 3 --one-by-one --md5 "a key for BGP")

# A key that is not the same: nobody answers, and the reason is counted.
weir_hears() {
    start weir "$transfer" listen "$weir_at:5001" "${device[@]}" --recv any --timeout 3 "$1" "$2"
    local weir_pid=$last_pid
    await weir '^ready' || return
    timeout 3 "$peer" connect "$weir_at:5001" --send 500 --timeout 1 "${@:4}" && return 1
    result_of weir "$weir_pid"
    grep -q "^dropped [1-9][0-9]* $3" weir.log
}

kernel_hears() {
    start kernel "$peer" listen "$any_at:5001" --recv any --timeout 100 --md5 "a key"
    await kernel '^ready' || return
    "$transfer" connect "$kernel_at:5001" "${device[@]}" --send 500 --timeout 2 "$@" >weir.log 2>&1 &&
        return 1
    cat weir.log
    ! grep -q 'received [1-9]' weir.log
}

"$transfer" connect 198.18.0.1:1 --device w9 --md5 x --timeout 1 2>&1 | grep -q '^key: ' &&
    skip "built without libcrypto"
for family in 4 6; do
    for link in tun tun-plain; do
        on $link $family
        check "IPv$family, $link: the kernel connects with a key" weir_listens "${both[@]}" -- "${both[@]}"
        check "IPv$family, $link: Weir connects with a key" weir_connects "${both[@]}" -- "${both[@]}"
    done
done
on tun
check "Weir refuses another key" weir_hears --md5 "a key" tcp_auth_wrong --md5 "no key"
check "Weir refuses to go without" weir_hears --md5 "a key" tcp_auth_missing
check "Weir refuses what it did not ask for" weir_hears --mtu 1400 tcp_auth_unexpected --md5 "a key"
check "the kernel refuses another key" kernel_hears --md5 "no key"
check "the kernel refuses to go without" kernel_hears

finish
