#!/bin/sh
# The same seeds give the same bytes in every build there is: debug, release, 32-bit, big-endian.
set -eu
cd "$(dirname "$0")/../.."

test=digest_of_random_runs_is_the_same_twice
count=0
first=
for preset in release debug m32 s390x; do # those that a test run builds anew
    program=build/$preset/unit_sim
    [ -x "$program" ] || continue
    runner=
    if [ "$preset" = s390x ]; then
        command -v qemu-s390x >/dev/null || continue
        runner='qemu-s390x -L /usr/s390x-linux-gnu'
    fi
    # shellcheck disable=SC2086 # a command and its options
    line=$($runner "$program" $test | grep '^digest')
    echo "$preset: $line"
    [ "${first:=$line}" = "$line" ] || {
        echo "$preset sends other bytes"
        exit 1
    }
    count=$((count + 1))
done
[ $count -gt 1 ] || {
    echo "there are not two builds to compare"
    exit 77
}
