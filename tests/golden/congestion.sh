#!/usr/bin/env bash
# congestion.sh - no congestion control makes clearly less of a bottleneck than docs/congestion.md says
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
weir=$(cd "${WEIR_BUILD:-$here/../../build/release}" && pwd)/weir
case $weir in
*/release/weir) ;; # the numbers are the same in all builds, and the others take ten times as long
*)
    echo "this is not the release build"
    exit 77
    ;;
esac
command -v python3 >/dev/null || {
    echo "python3 is missing"
    exit 77
}
exec python3 "$here/../../tools/congestion_table.py" "$weir" --check
