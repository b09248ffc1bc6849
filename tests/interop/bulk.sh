#!/usr/bin/env bash
# bulk.sh - 1 GiB each way at once, each byte compared, over every kind of link; less where a
# packet at a time makes it slow, but for one of them
. "$(dirname "$0")/lib.sh"
enter "$@"

all=${INTEROP_BYTES:-$((1 << 30))}

role=weir_listens
for link in tun tap tun-plain tap-plain; do
    for family in 4 6; do
        on $link $family
        case $link$family in
        tun-plain6 | tap-plain*) bytes=$((all / 4)) ;;
        *) bytes=$all ;;
        esac
        both=(--send "$bytes" --recv "$bytes" --timeout 100)
        check "$((bytes >> 20)) MiB each way, $link, IPv$family, $role" \
            $role "${both[@]}" -- "${both[@]}"
        [ $role = weir_listens ] && role=weir_connects || role=weir_listens
    done
done

finish
