#!/usr/bin/env bash
# stream.sh - weir connect and weir listen, with nc and with the kernel's sockets at the other end
# shellcheck disable=SC2317
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/../interop/lib.sh"
enter "$@"
needs nc python3 ss

bytes=${CLI_BYTES:-20000000}
head -c "$bytes" /dev/urandom >there.bin
head -c $((bytes / 2)) /dev/urandom >back.bin
cat >peer.py <<'END'
"""peer.py connect|listen PORT SEND RECEIVE: sends one file and receives another, at once"""
import socket, sys, threading
role, port, send, receive = sys.argv[1:5]
if role == "listen":
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("", int(port)))
    server.listen()
    print("ready", flush=True)
    s, _ = server.accept()
else:
    s = socket.create_connection(("198.18.0.2", int(port)), timeout=30)
def sending():
    with open(send, "rb") as f:
        s.sendall(f.read())
    s.shutdown(socket.SHUT_WR)
thread = threading.Thread(target=sending)
thread.start()
with open(receive, "wb") as f:
    while part := s.recv(65536):
        f.write(part)
thread.join()
END

# tell ADDRESS PORT TEXT: nc would hold its tongue if it heard our end before it speaks.
tell() {
    timeout 10 python3 - "$@" <<'END'
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=10)
s.sendall(sys.argv[3].encode() + b"\n")
s.shutdown(socket.SHUT_WR)
assert s.recv(100) == b""
END
}

# Waits until somebody on the kernel's side listens.
await_port() {
    await_that sh -c "ss -Hltn sport = :$1 | grep -q ."
}

# Starts weir listen with files for stdin and stdout.
# One that is ending has the addresses that the next one wants.
nobody_listens() {
    ! pgrep -x weir
}

weir_listen() {
    local input=$1 output=$2
    shift 2
    await_that nobody_listens || return
    rm -f listen.log
    "$weir" listen "$@" <"$input" >"$output" 2>listen.log &
    last_pid=$!
    started+=("$last_pid")
    await listen 'listening on'
}

listens() {
    weir_listen back.bin out.bin 5000 || return
    python3 peer.py connect 5000 there.bin in.bin || return
    wait "$last_pid" || return
    cmp there.bin out.bin && cmp back.bin in.bin
}

connects() {
    start peer python3 peer.py listen 5001 there.bin in.bin
    await peer ready || return
    # Pipes, which fill up, at both ends.
    # shellcheck disable=SC2002 # the cat is the other end of a pipe
    cat back.bin | "$weir" connect -q 198.18.0.1 5001 | cat >out.bin
    [ "${PIPESTATUS[*]}" = "0 0 0" ] || return
    wait "$last_pid" || return
    cmp there.bin out.bin && cmp back.bin in.bin
}

# nc has said all it has to say, and hears what we say a second later.
half_close_by_nc() {
    mkfifo late
    (
        exec >late # waits for the reader
        sleep 2
        echo early
        sleep 1
        echo late
    ) &
    weir_listen late out.txt 5002 || return
    echo over | timeout 10 nc -N 198.18.0.2 5002 >in.txt || return
    wait "$last_pid" || return
    [ "$(cat in.txt)" = "early
late" ] && [ "$(cat out.txt)" = over ]
}

# We have said all we have to say, and hear what the kernel's side says a second later. (nc
# would go away when it hears our end.)
half_close_by_us() {
    local listener
    python3 - <<'END' &
import socket, time
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("", 5003))
server.listen()
s, _ = server.accept()
assert s.recv(100) == b"over\n" and s.recv(100) == b""
time.sleep(1)
s.sendall(b"late\n")
END
    listener=$!
    await_port 5003 || return
    echo over | timeout 10 "$weir" connect 198.18.0.1 5003 >out.txt || return
    wait "$listener" && [ "$(cat out.txt)" = late ]
}

# The end of what the peer sends is the end of our stdout, though stdin stays open.
stdout_ends() {
    mkfifo open_end
    sleep 5 >open_end &
    started+=($!)
    echo all | timeout 10 nc -l -N 5004 &
    await_port 5004 || return
    "$weir" connect -q 198.18.0.1 5004 <open_end | (cat && touch ended) >out.txt &
    await_that test -e ended
    [ -e ended ] && [ "$(cat out.txt)" = all ] || return
    end_started # it ends with its stdin
}

keeps_listening() {
    local i
    weir_listen /dev/null out.txt 5005 --keep -v || return
    for i in 1 2 3; do
        tell 198.18.0.2 5005 "caller $i" || return
        tell fd00:5765:6972::2 5005 "and $i over IPv6" || return
    done
    kill "$last_pid"
    wait "$last_pid" || return
    [ "$(grep -c 'a connection from' listen.log)" = 6 ] && [ "$(wc -l <out.txt)" = 6 ]
}

families() {
    weir_listen /dev/null out.txt 5006 -6 || return
    ! timeout 3 nc -z -w 1 198.18.0.2 5006 || return
    tell fd00:5765:6972::2 5006 six || return
    wait "$last_pid" || return
    weir_listen /dev/null out.txt 5006 -4 || return
    ! timeout 3 nc -z -w 1 fd00:5765:6972::2 5006 || return
    tell 198.18.0.2 5006 four || return
    wait "$last_pid" || return
    ! "$weir" connect -4 fd00:5765:6972::1 5006 2>err.txt || return
    grep -q 'no address of a family' err.txt
}

failures_to_connect() {
    local code
    timeout 10 "$weir" connect 198.18.0.1 5999 </dev/null 2>err.txt
    [ $? = 1 ] && grep -q 'cannot connect to 198.18.0.1, port 5999: the connection was refused' err.txt || return
    timeout 20 "$weir" connect no.such.name.invalid 5999 </dev/null 2>err.txt
    [ $? = 1 ] && grep -q 'cannot find the address of no.such.name.invalid' err.txt || return
    timeout 10 "$weir" connect --tun '' 198.18.0.1 5999 </dev/null 2>err.txt
    [ $? = 2 ] || return
    # Nobody answers: a signal ends it, and the device goes with it.
    "$weir" connect 198.18.0.99 5999 --trace </dev/null 2>err.txt &
    await_that grep 'CLOSED -> SYN-SENT' err.txt || return
    kill -INT $!
    wait $!
    code=$?
    ip link | grep weir && return 1
    [ "$code" = 1 ]
}

# The peer resets: what came before is written, and the exit code says so.
reset() {
    python3 - <<'END' &
import socket, struct
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("", 5007))
server.listen()
s, _ = server.accept()
s.sendall(b"before\n")
assert s.recv(100) == b"hello\n"
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
s.close()
END
    await_port 5007 || return
    (
        echo hello
        sleep 3
    ) | timeout 10 "$weir" connect 198.18.0.1 5007 >out.txt 2>err.txt
    [ "${PIPESTATUS[1]}" = 1 ] && [ "$(cat out.txt)" = before ] &&
        grep -q 'the connection with 198.18.0.1:5007 has ended: the peer reset the connection' err.txt
}

# Nobody reads our stdout any more.
broken_pipe() {
    yes | timeout 10 nc -l -N 5008 &
    await_port 5008 || return
    sleep 3 | timeout 10 "$weir" connect -q 198.18.0.1 5008 2>err.txt | head -n 2 >out.txt
    [ "${PIPESTATUS[1]}" = 1 ] && grep -q 'cannot write to standard output: Broken pipe' err.txt
}

# On a terminal there is progress, and it is gone at the end.
progress() {
    start peer python3 peer.py listen 5009 there.bin in.bin
    await peer ready || return
    python3 - "$weir" <<'END'
import os, pty, subprocess, sys
master, slave = pty.openpty()
ours = subprocess.Popen([sys.argv[1], "connect", "198.18.0.1", "5009"], stdin=subprocess.PIPE,
                        stdout=subprocess.DEVNULL, stderr=slave)
os.close(slave)
import time
time.sleep(1.6)
ours.stdin.close()
seen = b""
try:
    while part := os.read(master, 4096):
        seen += part
except OSError:
    pass
assert ours.wait() == 0
assert b" received, " in seen and b"B/s" in seen, seen
assert seen.endswith(b"\r\x1b[K"), seen
END
}

check "weir listen, both ways at once" listens
check "weir connect, both ways at once, through pipes" connects
check "nc closes its side first" half_close_by_nc
check "we close our side first" half_close_by_us
check "stdout ends with the peer" stdout_ends
check "one caller after another" keeps_listening
check "-4 and -6" families
check "failures to connect" failures_to_connect
check "a reset" reset
check "a broken pipe" broken_pipe
check "progress on a terminal" progress
finish
