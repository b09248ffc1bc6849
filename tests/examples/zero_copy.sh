#!/usr/bin/env bash
# zero_copy.sh PROGRAM - the file arrives, the answer is printed, every piece is given back
# shellcheck disable=SC2317
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/../interop/lib.sh"
enter "$@"
needs python3 ss
program=$1

sends() {
    local listener
    head -c 10000001 /dev/urandom >sent.bin
    python3 - <<'END' &
import socket, time
server = socket.socket()
server.bind(("", 5000))
server.listen()
s, _ = server.accept()
with open("received.bin", "wb") as f:
    while part := s.recv(65536):
        f.write(part)
s.sendall(b"thanks\n")
END
    listener=$!
    await_that sh -c 'ss -Hltn sport = :5000 | grep -q .' || return
    timeout 20 "$program" 198.18.0.1 5000 sent.bin >answer.txt || return
    wait "$listener" && cmp sent.bin received.bin && [ "$(cat answer.txt)" = thanks ]
}

refused() {
    timeout 20 "$program" 198.18.0.1 5001 sent.bin 2>answer.txt
    [ $? = 1 ] && grep -q refused answer.txt
}

check "a file" sends
check "a refusal" refused
finish
