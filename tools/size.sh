#!/bin/sh
# size.sh - how much of a small machine the core takes: text, data, RAM of a connection
#
#   size.sh [-v]       -v: by file, too
#
# Links tools/size/app.c, which uses TCP, with the core for Cortex-M3 and 32-bit RISC-V, -Os, with
# Reno alone and quiet checks, and leaves out what it does not reach. Sizes of RAM are those of objects, to which the pools add little.
set -eu
cd "$(dirname "$0")/.."

there=$(mktemp -d)
trap 'rm -rf "$there"' EXIT

# Bytes of code and constants by file, from a linker's map.
largest() {
    awk '/^Linker script/ { linked = 1 }
         linked && /^ \.(text|rodata)/ { section = $0; if (NF == 1) { getline; section = section " " $0 } }
         section != "" {
            n = split(section, word, " ")
            if (word[n - 1] ~ /^0x/ && word[n] ~ /\.c\.o$/ && word[2] != "0x0") {
                sub(".*/", "", word[n]); print word[n], word[n - 1] }
            section = "" }' "$1" |
        while read -r file len; do echo "$file $((len))"; done |
        awk '{ sum[$1] += $2 } END { for (file in sum) print "          ", sum[file], file }' |
        sort -rn
}

measure() {
    name=$1 prefix=$2
    shift 2
    if ! command -v "$prefix-gcc" >/dev/null; then
        echo "$name: $prefix-gcc is missing"
        return
    fi
    mkdir "$there/$name"
    # shellcheck disable=SC2016 # the inner shell expands it
    find core tools/size -name '*.c' ! -path core/cc/registry.c -print0 |
        xargs -0 -P "$(nproc)" -n 4 sh -c '
        there=$1 gcc=$2 flags=$3
        shift 3
        for file; do
            # shellcheck disable=SC2086
            $gcc $flags -std=c11 -ffreestanding -Os -ffunction-sections -fdata-sections \
                -fno-asynchronous-unwind-tables -DWEIR_QUIET_CHECKS -Iinclude -Icore -Itools/size -c "$file" \
                -o "$there/$(echo "$file" | tr / _).o" || exit 255
        done' sh "$there/$name" "$prefix-gcc" "$*"
    "$prefix-gcc" "$@" -nostdlib -Wl,--gc-sections -Wl,-e,app -Wl,-Map,"$there/$name.map" \
        -Wl,--unresolved-symbols=ignore-all "$there/$name"/*.o -lgcc -o "$there/$name.elf"
    "$prefix-size" "$there/$name.elf" | awk -v name="$name" 'NR == 2 {
        printf "%-10s text %d bytes (%.1f KiB), data %d\n", name, $1, $1 / 1024, $2 }'
    "$prefix-nm" -S "$there/$name"/tools_size_app.c.o | grep size_of_ |
        while read -r _ len _ what; do
            printf '           %s %d bytes\n' "${what#size_of_}" "0x$len"
        done
    [ "$verbose" = no ] || largest "$there/$name.map"
}

verbose=no
[ "${1:-}" != -v ] || verbose=yes
measure cortex-m3 arm-none-eabi -mcpu=cortex-m3 -mthumb
measure rv32imac riscv64-unknown-elf -march=rv32imac -mabi=ilp32
