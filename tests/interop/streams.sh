#!/usr/bin/env bash
# streams.sh - weir connect and weir listen against nc and others: hashes, half-close, urgent data
. "$(dirname "$0")/lib.sh"
enter "$@"
needs nc python3

mib=${INTEROP_MIB:-1024}

# $1 MiB of bytes that do not repeat within 4 MiB, different for each seed.
data() {
    python3 -c '
import random, sys
block = random.Random(sys.argv[2]).randbytes(1 << 22)
left = int(sys.argv[1]) << 20
while left > 0:
    part = min(left, len(block))
    sys.stdout.buffer.write(memoryview(block)[:part])
    left -= part' "$1" "$2"
}

hash_of() {
    python3 -c '
import hashlib, sys
h = hashlib.sha256()
while part := sys.stdin.buffer.read(1 << 20):
    h.update(part)
print(h.hexdigest())'
}

# compare BEGIN: what arrived is what was sent; prints the rate.
compare() {
    local end=$EPOCHREALTIME name
    for name in weir kernel; do
        data "$mib" "$name" | hash_of >"$name.sent"
    done
    awk -v mib="$mib" -v begin="$1" -v end="$end" 'BEGIN {
        printf "= %.2f Gbit/s with the hashing\n", mib * 2 * 8.388608e-3 / (end - begin) }'
    cmp weir.sent kernel.got && cmp kernel.sent weir.got
}

exchange_weir_connects() {
    local begin=$EPOCHREALTIME
    : >kernel.log
    data "$mib" kernel | timeout 100 "$kernel" exchange-listening "$any_ip" 5001 \
        >kernel.got 2>kernel.log &
    last_pid=$!
    await kernel ready || return
    data "$mib" weir | timeout 100 "$weir" connect "${cli[@]}" -q "$kernel_ip" 5001 |
        hash_of >weir.got && wait "$last_pid" && compare "$begin"
}

exchange_weir_listens() {
    local begin=$EPOCHREALTIME
    : >weir.log
    data "$mib" weir | timeout 100 "$weir" listen "${cli[@]}" 5001 2>weir.log |
        hash_of >weir.got &
    last_pid=$!
    await weir listening || return
    data "$mib" kernel | timeout 100 "$kernel" exchange-connecting "$weir_ip" 5001 >kernel.got &&
        wait "$last_pid" && compare "$begin"
}

for link in tun tap-plain; do
    for family in 4 6; do
        on $link $family
        check "$mib MiB each way with sha256, weir connect, $link, IPv$family" \
            exchange_weir_connects
        mib=$((mib > 64 ? 64 : mib))
        check "$mib MiB each way with sha256, weir listen, $link, IPv$family" \
            exchange_weir_listens
    done
done

# nc loses what it has not sent yet when the other side ends, so it ends first.
data 8 weir >ours
printf 'a question\n' >question

# nc asks and ends at once, Weir answers half a second later.
nc_asks_and_listens() {
    start nc sh -c "exec timeout 100 nc -N -l $any_ip 5001 <question >nc.got"
    await_that sh -c 'ss -Hltn "sport = 5001" | grep -q .' || return
    (sleep 0.5; cat ours) |
        timeout 100 "$weir" connect "${cli[@]}" -q "$kernel_ip" 5001 >weir.got &&
        wait "$last_pid" && cmp question weir.got && cmp ours nc.got
}

nc_asks_and_connects() {
    : >weir.log
    (sleep 0.5; cat ours) |
        timeout 100 "$weir" listen "${cli[@]}" 5001 >weir.got 2>weir.log &
    last_pid=$!
    await weir listening || return
    timeout 100 nc -N "$weir_ip" 5001 <question >nc.got &&
        wait "$last_pid" && cmp question weir.got && cmp ours nc.got
}

# The other way round: Weir ends, and then the server answers.
python_answers_after_end() {
    start answer timeout 100 "$kernel" answer-after-end "$any_ip" 5001
    await answer ready || return
    timeout 100 "$weir" connect "${cli[@]}" -q "$kernel_ip" 5001 <ours >weir.got &&
        grep -q "^$(stat -c %s ours) bytes, $(hash_of <ours)" weir.got
}

nc_is_refused() {
    start weir timeout 100 "$weir" listen "${cli[@]}" 5001
    await weir listening || return
    timeout 100 nc -v -z "$weir_ip" 5002 2>refused.log
    [ $? = 1 ] && grep refused refused.log
}

weir_is_refused() {
    timeout 100 "$weir" connect "${cli[@]}" "$kernel_ip" 5002 2>refused.log
    [ $? = 1 ] && grep refused refused.log
}

urgent_both_ways() {
    start weir "$build/interop_urgent" listen "$weir_at:5001" "${device[@]}" --timeout 100
    await weir ready || return
    timeout 100 "$kernel" urgent "$weir_ip" 5001 >urgent.log && wait "$last_pid" || return
    cat urgent.log weir.log
    grep -q '^= calmHURRcalm again and out of band Y$' urgent.log &&
        grep -q '^weir: 19 bytes, urgent up to byte 9, told so$' weir.log
}

for link in tun tap; do
    for family in 4 6; do
        on $link $family
        check "nc listens, asks and ends; Weir answers, $link, IPv$family" nc_asks_and_listens
        check "nc connects, asks and ends; Weir answers, $link, IPv$family" nc_asks_and_connects
    done
done
for family in 4 6; do
    on tun $family
    check "a server answers after the end of 8 MiB, IPv$family" python_answers_after_end
    check "nc is refused, IPv$family" nc_is_refused
    check "Weir is refused, IPv$family" weir_is_refused
    check "urgent data both ways, IPv$family" urgent_both_ways
done

finish
