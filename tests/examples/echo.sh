#!/usr/bin/env bash
# echo.sh PROGRAM - what is sent to the echo server comes back
# shellcheck disable=SC2317
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/../interop/lib.sh"
enter "$@"
needs nc
program=$1

echoes() {
    head -c 3000000 /dev/urandom >sent.bin
    start echo "$program"
    await_that ip route get 198.18.0.2 from 198.18.0.1 || return
    await_that nc -z -w 1 198.18.0.2 7 || return
    timeout 20 nc -N 198.18.0.2 7 <sent.bin >back.bin || return
    cmp sent.bin back.bin
}

check "an echo" echoes
finish
