#!/usr/bin/env bash
# bulk.sh - 1 GiB each way at once, each byte compared, over every kind of link
. "$(dirname "$0")/lib.sh"
enter "$@"
needs python3

bytes=${INTEROP_BYTES:-$((1 << 30))}
both=(--send "$bytes" --recv "$bytes" --timeout 100)

role=weir_listens
for link in tun tap tun-plain tap-plain; do
    for family in 4 6; do
        on $link $family
        check "$((bytes >> 20)) MiB each way, $link, IPv$family, $role" \
            $role "${both[@]}" -- "${both[@]}"
        [ $role = weir_listens ] && role=weir_connects || role=weir_listens
    done
done

finish
