#!/usr/bin/env bash
# compare.sh PROGRAM - the same socket calls over the kernel's sockets and Weir's, line by line
#
# The kernel's run in a network namespace of their own, where its settings are the usual ones.
# Differences that are meant stand in expected.diff, with the reasons in docs/deviations.md.
set -uo pipefail
program=$(readlink -f "$1")
here=$(dirname "$(readlink -f "$0")")
inside=(unshare --net)
[ "$(id -u)" = 0 ] || inside+=(--user --map-root-user)

"${inside[@]}" true 2>/dev/null || {
    echo "no network namespaces here"
    exit 77
}
there=$(mktemp -d)
trap 'rm -rf "$there"' EXIT
cd "$there" || exit 1
# shellcheck disable=SC2016 # for the inner shell
"${inside[@]}" sh -c 'ip link set lo up && echo 3 >/proc/sys/net/ipv4/tcp_fastopen && exec "$1" kernel' sh "$program" >kernel.txt || exit 1
"$program" weir >ours.txt || exit 1
diff kernel.txt ours.txt | grep '^[<>]' >different
lines=$(wc -l <kernel.txt)
if ! diff "$here/expected.diff" different >unexpected; then
    head -n 60 unexpected
    echo "not as tests/posix/expected.diff: '<' is the kernel, '>' is Weir"
    exit 1
fi
echo "$lines lines, $(grep -c '^<' different) of them differ as expected"
