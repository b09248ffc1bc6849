#!/bin/sh
# tidy.sh - clang-tidy over files of the core; one that has not changed since it passed is skipped
#
#   tidy.sh FILE...
set -eu

cd "$(dirname "$0")/.."
all='-std=c11 -Iinclude -Icore -Wall -Wextra'
none=$(sed -n 's/^#define \(WEIR_HAS_[A-Z0-9_]*\) .*/-D\1=0/p' core/base/parts.h)
mkdir -p build/log/tidy
failed=0

for file in "$@"; do
    case $file in
    */without/*) flags="$all $none" ;; # as they are built: without any part
    *) flags=$all ;;
    esac
    # shellcheck disable=SC2086
    seen=build/log/tidy/$({ cat .clang-tidy && clang -E $flags "$file"; } | sha256sum | cut -c1-32)
    [ ! -e "$seen" ] || continue
    # shellcheck disable=SC2086
    if clang-tidy --quiet --warnings-as-errors='*' "$file" -- $flags; then
        touch "$seen"
    else
        failed=1
    fi
done
exit $failed
