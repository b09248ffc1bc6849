#!/bin/sh
# join_objects.sh - makes one relocatable object of many
#
#   join_objects.sh KIND OUTPUT OBJECT... --helpers [OBJECT...] --provided [OBJECT...]
#                   --cc COMPILER FLAG...
#
# KIND is open: all names stay visible
#         closed: only public names (default visibility) stay visible
#         whole: closed, and gcc optimises the objects, which hold its LTO code, as one program
#
# Of the helpers only those that are needed are taken in. A name that a provided object defines
# is made local too, so that two closed objects can be linked together.
set -eu

kind=$1 output=$2
shift 2

objects='' helpers='' provided='' list=objects
while [ "$1" != --cc ]; do
    case $1 in
    --helpers) list=helpers ;;
    --provided) list=provided ;;
    *) eval "$list=\"\$$list \$1\"" ;;
    esac
    shift
done
shift

temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT

# shellcheck disable=SC2086 # the lists are separated by blanks
if [ -n "$helpers" ]; then
    "$(command -v gcc-ar || echo "$AR")" qcs "$temporary/helpers.a" $helpers
    objects="$objects $temporary/helpers.a"
fi

# A relocatable link keeps every name, whatever it inlines. A shared link knows what nobody
# outside can call, so we make one and keep the native objects that it was made of.
if [ "$kind" = whole ]; then
    # shellcheck disable=SC2086
    "$@" -shared -nostdlib -flto-partition=one -save-temps -o "$temporary/whole.so" $objects
    objects=$(ls "$temporary"/whole.so.ltrans*.ltrans.o)
fi

# Section groups are resolved here, as their names are about to become local.
# shellcheck disable=SC2086
"$@" -r -nostdlib -Wl,--force-group-allocation -o "$temporary/joined.o" $objects

if [ "$kind" != open ]; then
    "$OBJCOPY" --localize-hidden "$temporary/joined.o"
    for object in $provided; do
        "$NM" --defined-only --extern-only "$object" | awk '{ print $NF }' >"$temporary/names"
        "$OBJCOPY" --localize-symbols="$temporary/names" "$temporary/joined.o"
    done
fi
mv "$temporary/joined.o" "$output"
