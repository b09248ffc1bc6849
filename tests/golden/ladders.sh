#!/usr/bin/env bash
# ladders.sh - the ladders of all scenes in virtual time are what they were
#
#   ladders.sh            compares with NAME.txt beside this script
#   ladders.sh --update   writes them anew; look at the difference before it is committed
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
weir=$(cd "${WEIR_BUILD:-$here/../../build/release}" && pwd)/weir
there=$(mktemp -d)
trap 'rm -rf "$there"' EXIT
cd "$there" || exit 1

# Nothing of the terminal or the locale of whoever runs this.
if locale -a 2>/dev/null | grep -qix 'C\.utf-\?8'; then
    export LC_ALL=C.UTF-8
else
    echo "there is no locale C.UTF-8"
    exit 77
fi
unset COLUMNS

failed=0
names=()

# golden NAME ARGUMENT...: what weir demo --in-memory ARGUMENT... prints.
golden() {
    local name=$1
    shift
    names+=("$name.txt")
    "$weir" demo --in-memory "$@" >"$name.txt" 2>&1 </dev/null || {
        echo "weir demo $*: exit code $?"
        failed=1
    }
}

for scene in $("$weir" demo --list | cut -d ' ' -f 1); do
    golden "$scene" "$scene"
done
golden ascii --ascii simultaneous-open
golden wide --width 120 half-close
golden narrow --width 72 refused
golden json --json half-open

if [ "${1:-}" = --update ]; then
    rm -f "$here"/*.txt
    cp "${names[@]}" "$here"
    exit $failed
fi
for name in "${names[@]}"; do
    diff -u "$here/$name" "$name" || failed=1
done
for file in "$here"/*.txt; do
    [ -e "$(basename "$file")" ] || {
        echo "$(basename "$file") is the ladder of nothing"
        failed=1
    }
done
[ $failed = 0 ] || echo "If it is meant to be so: tests/golden/ladders.sh --update"
exit $failed
