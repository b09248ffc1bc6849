#!/usr/bin/env bash
# compare.sh - Weir's TCP beside the kernel's over an emulated link: one short cell
#
#   compare.sh --full --markdown FILE      all cells, a quarter of an hour
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
# What is written is meant for where it was asked for, not for the folder that vanishes.
export INTEROP_FROM=${INTEROP_FROM:-$PWD}
enter "$@"
needs python3 nsenter ip

if [ $# -gt 0 ]; then
    cd "$INTEROP_FROM" && exec "$here/compare.py" "$@"
fi
check "bulk with 1 % loss at 20 ms: kernel to kernel, Weir to kernel, kernel to Weir" \
    "$here/compare.py"
finish
