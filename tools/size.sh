#!/bin/sh
# size.sh - how much of a small machine the core takes: text, data, RAM of a connection
#
#   size.sh [-v] [-w "PART..."] [MACHINE...]     as built for a small device, without these parts
#   size.sh -e [MACHINE...]                      what each part costs
#   size.sh -b                                   is the text at most 2 % above tools/size/budget?
#
#   -v  the largest functions      -w  all parts by default; "" leaves out none (core/base/parts.h)
#   MACHINE: cortex-m3, rv32imac, x86-64; the first two by default
#
# The budget is for the versions of compilers it names; of its machines the first counts for which there is one.
#
# Links tools/size/app.c, which uses TCP, with the core: -Os, one unit, Reno alone, quiet checks.
# What the application does not reach is left out. Sizes of RAM are those of objects, to which the
# pools add little.
set -eu
cd "$(dirname "$0")/.."

there=$(mktemp -d)
trap 'rm -rf "$there"' EXIT
parts=$(sed -n 's/^#define WEIR_HAS_\([A-Z0-9_]*\) .*/\1/p' core/base/parts.h | tr '[:upper:]\n' '[:lower:] ')
flags="-std=c11 -ffreestanding -fbuiltin -Os -flto -flto-partition=one -ffunction-sections -fdata-sections \
    -fno-asynchronous-unwind-tables -fno-ipa-cp -fno-reorder-blocks -fno-tree-dominator-opts \
    -fno-move-loop-invariants -fno-thread-jumps -fno-schedule-insns2 -DWEIR_QUIET_CHECKS -Iinclude -Icore -Itools/size"

# The largest functions and tables. Once everything is one unit they are in no file any more.
largest() {
    "$1-nm" -S --size-sort --radix=d "$2" | awk '$3 ~ /[tTrR]/ { print "          ", $2 + 0, $4 }' |
        sort -rn -k1 | head -40
}

# The sources of the core without the parts given.
sources() {
    find core tools/size -name '*.c' ! -path '*/without/*' ! -path core/cc/registry.c |
        sort >"$there/sources"
    for part; do
        find core -path "*/without/$part.c" | while read -r absent; do
            sed -n 's/.*In place of: //p' "$absent" | tr ' ' '\n' |
                sed "s|^|${absent%/without/*}/|" >"$there/replaced"
            grep -vxF -f "$there/replaced" "$there/sources" >"$there/left"
            echo "$absent" | cat "$there/left" - >"$there/sources"
        done
    done
    cat "$there/sources"
}

# build PREFIX MACHINE_FLAGS PART...: makes app.elf
build() {
    gcc="$1-gcc $2"
    shift 2
    rm -rf "$there/objects"
    mkdir "$there/objects"
    without=$(for part; do printf ' -DWEIR_HAS_%s=0' "$part"; done | tr '[:lower:]' '[:upper:]')
    # shellcheck disable=SC2016 # the inner shell expands it
    sources "$@" | xargs -P "$(nproc)" -n 4 sh -c '
        there=$1 compile=$2
        shift 2
        for file; do
            case $file in
            tools/size/divide.c) no_lto=-fno-lto ;;
            *) no_lto= ;;
            esac
            $compile $no_lto -c "$file" -o "$there/objects/$(echo "$file" | tr / _).o" || exit 255
        done' sh "$there" "${CMAKE_C_COMPILER_LAUNCHER:-} $gcc $flags $without"
    # shellcheck disable=SC2086
    $gcc $flags -nostdlib -Wl,--gc-sections -Wl,-e,app -Wl,--unresolved-symbols=ignore-all \
        -Wl,--no-warn-rwx-segments "$there"/objects/*.o -lgcc -o "$there/app.elf"
}

text() {
    "$1-size" "$there/app.elf" | awk 'NR == 2 { print $1 }'
}

# The objects' sizes, from one that is compiled by itself.
ram() {
    # shellcheck disable=SC2086
    $1-gcc $2 $flags $without -fno-lto -c tools/size/app.c -o "$there/app.o"
    "$1-nm" -S --radix=d "$there/app.o" | awk '$4 ~ /^size_of_/ {
        printf "           %s %d bytes\n", substr($4, 9), $2 }'
}

kib() {
    awk -v n="$1" 'BEGIN { printf "%.1f KiB", n / 1024 }'
}

each() {
    name=$1 prefix=$2 machine=$3
    build "$prefix" "$machine"
    whole=$(text "$prefix")
    # shellcheck disable=SC2086
    build "$prefix" "$machine" $parts
    small=$(text "$prefix")
    echo "$name: with all parts $whole, without any $small"
    echo "           saved by leaving out this alone; cost of this alone"
    for part in $parts; do
        case $part in
        routing) with=ipv6 ;; # which needs it
        *) with= ;;
        esac
        # shellcheck disable=SC2086
        build "$prefix" "$machine" "$part" $with
        saved=$((whole - $(text "$prefix")))
        # shellcheck disable=SC2046
        build "$prefix" "$machine" $(echo "$parts" | tr ' ' '\n' | grep -vx "$part")
        echo "           $part $saved $(($(text "$prefix") - small))"
    done
}

# within_budget NAME PREFIX MACHINE_FLAGS
within_budget() {
    # shellcheck disable=SC2086
    build "$2" "$3" $without_parts
    allowed=$(($(awk -v name="$1" '$1 == name { print $3 }' tools/size/budget) * 102 / 100))
    echo "$1: text $(text "$2") bytes; the budget and 2 % are $allowed"
    [ "$(text "$2")" -le "$allowed" ]
}

# Another compiler makes other code: its text is not compared.
has_budget() {
    version=$(awk -v name="$1" '$1 == name { print $2 }' tools/size/budget)
    if ! command -v "$2-gcc" >/dev/null; then
        echo "$1: not compared, $2-gcc is missing"
    elif [ "$("$2-gcc" -dumpfullversion)" != "$version" ]; then
        echo "$1: not compared, the budget is of gcc $version"
    else
        return 0
    fi
    return 1
}

measure() {
    if [ "$what" = budget ]; then
        has_budget "$@" || return 0
        within_budget "$@"
        exit
    fi
    if ! command -v "$2-gcc" >/dev/null; then
        echo "$1: $2-gcc is missing"
    elif [ "$what" = each ]; then
        each "$@"
    else
        # shellcheck disable=SC2086
        build "$2" "$3" $without_parts
        echo "$1: text $(text "$2") bytes ($(kib "$(text "$2")")), data" \
            "$("$2-size" "$there/app.elf" | awk 'NR == 2 { print $2 }')"
        ram "$2" "$3"
        [ "$verbose" = no ] || largest "$2" "$there/app.elf"
    fi
}

what=one verbose=no without_parts=$parts
while getopts vebw: option; do
    case $option in
    v) verbose=yes ;;
    e) what=each ;;
    b) what=budget ;;
    w) without_parts=$OPTARG ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
# shellcheck disable=SC2046
[ "$what" != budget ] || set -- $(awk '{ print $1 }' tools/size/budget)
[ $# -gt 0 ] || set -- cortex-m3 rv32imac
for machine; do
    case $machine in
    cortex-m3) measure cortex-m3 arm-none-eabi "-mcpu=cortex-m3 -mthumb" ;;
    rv32imac) measure rv32imac riscv64-unknown-elf "-march=rv32imac -mabi=ilp32 -msave-restore" ;;
    x86-64) measure x86-64 x86_64-linux-gnu "-m64 -march=x86-64 -fno-pie -no-pie -fcf-protection=none" ;;
    *) echo "size.sh: there is no machine $machine" >&2 && exit 2 ;;
    esac
done
