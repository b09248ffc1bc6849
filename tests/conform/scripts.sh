#!/usr/bin/env bash
# scripts.sh - all scripts of this folder, over both families and with IPv6 sockets for IPv4
set -euo pipefail
cd "${WEIR_SOURCE:?}"

for family in ipv4 ipv6 mapped; do
    "${WEIR_BUILD:?}/weir" drill --ip "$family" tests/conform
done
