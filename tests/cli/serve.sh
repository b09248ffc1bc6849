#!/usr/bin/env bash
# serve.sh - weir serve and the clients it is for: curl, and requests made by hand
# shellcheck disable=SC2086,SC2317
# shellcheck source=tests/interop/lib.sh
. "$(dirname "$0")/../interop/lib.sh"
enter "$@"
needs curl python3

url=http://198.18.0.2

make_folder() {
    mkdir -p www/sub/deep www/empty outside
    echo '<h1>a weir</h1>' >www/index.html
    seq 1 1000 >www/sub/numbers.txt
    echo ampersand >'www/sub/a&b <c> 100%.txt'
    echo secret >outside/secret.txt
    ln -s ../outside/secret.txt www/leak
    ln -s "$PWD/outside" www/leaks
    ln -s sub/numbers.txt www/inside
    head -c 33554433 /dev/urandom >www/big.bin
    truncate -s 5G www/huge.bin
    printf 'the last bytes' | dd of=www/huge.bin bs=1 seek=5368709106 conv=notrunc status=none
    mkfifo www/fifo
}

# Starts the server; its log is serve.log.
serve() {
    start serve "$weir" serve www "$@"
    await serve 'serving www at http://198.18.0.2'
}

get() {
    curl -sS --max-time 30 "$@"
}

# expect WANTED GOT
expect() {
    [ "$1" = "$2" ] || {
        echo "wanted: $1"
        echo "got:    $2"
        return 1
    }
}

status_of() {
    get -o /dev/null -w '%{http_code}' "$@"
}

files() {
    serve || return
    expect '<h1>a weir</h1>' "$(get $url/)" || return
    expect '<h1>a weir</h1>' "$(get $url/index.html)" || return
    expect "$(sha256sum <www/sub/numbers.txt)" "$(get "$url/sub/numbers.txt?query" | sha256sum)" || return
    expect "$(sha256sum <www/big.bin)" "$(get $url/big.bin | sha256sum)" || return
    expect "$(sha256sum <www/big.bin)" "$(get -6 'http://[fd00:5765:6972::2]/big.bin' | sha256sum)" || return
    expect ampersand "$(get "$url/sub/a%26b%20%3Cc%3E%20100%25.txt")" || return
    expect 'text/html; charset=utf-8' "$(get -o /dev/null -w '%{content_type}' $url/)" || return
    expect 'text/plain; charset=utf-8' "$(get -o /dev/null -w '%{content_type}' $url/sub/numbers.txt)" || return
}

heads() {
    serve || return
    get -I $url/huge.bin | tr -d '\r' >head.txt
    grep -qx 'HTTP/1.1 200 OK' head.txt && grep -qx 'Content-Length: 5368709120' head.txt &&
        grep -qx 'Accept-Ranges: bytes' head.txt && grep -q '^Date: ...,' head.txt || return
    expect 0 "$(get -I -o /dev/null -w '%{size_download}' $url/big.bin)"
}

refusals() {
    serve || return
    expect 404 "$(status_of $url/nothing)" || return
    expect 404 "$(status_of $url/sub/numbers.txt/)" || return
    expect 403 "$(status_of $url/fifo)" || return
    expect 405 "$(status_of -X POST -d data $url/)" || return
    expect 501 "$(status_of -X FROBNICATE $url/)" || return
    expect 204 "$(status_of -X OPTIONS $url/)" || return
    expect 431 "$(status_of -H "X: $(head -c 9000 /dev/zero | tr '\0' x)" $url/)" || return
    expect 414 "$(status_of "$url/$(head -c 9000 /dev/zero | tr '\0' x)")"
}

nothing_outside() {
    local path
    serve || return
    for path in /leak /leaks/secret.txt /leaks/ /leaks; do
        expect 404 "$(status_of $url$path)" || return
    done
    for path in /../outside/secret.txt /%2e%2e/outside/secret.txt /sub/../../outside/secret.txt \
        /..%2foutside%2fsecret.txt /sub/%00 /%zz /%2; do
        expect 400 "$(status_of --path-as-is "$url$path")" || return
    done
    expect 200 "$(status_of --path-as-is $url/sub/../index.html)" || return
    expect 200 "$(status_of $url/inside)"
}

folders() {
    serve || return
    expect "301 $url/sub/" "$(get -o /dev/null -w '%{http_code} %{redirect_url}' $url/sub)" || return
    get $url/sub/ >listing.html
    grep -qF '<a href="./a%26b%20%3Cc%3E%20100%25.txt">a&amp;b &lt;c&gt; 100%.txt</a>' listing.html &&
        grep -qF '<a href="./deep/">deep/</a>' listing.html || return
    expect 200 "$(status_of $url/empty/)"
}

ranges() {
    local name=$url/sub/numbers.txt file=www/sub/numbers.txt
    serve || return
    expect "$(head -c 10 $file)" "$(get -r 0-9 $name)" || return
    expect "$(tail -c 7 $file)" "$(get -r -7 $name)" || return
    expect "$(tail -c +101 $file | sha256sum)" "$(get -r 100- $name | sha256sum)" || return
    expect 'the last bytes' "$(get -r 5368709106- $url/huge.bin)" || return
    expect 206 "$(status_of -r 0-0 $name)" || return
    expect 416 "$(status_of -r 100000- $name)" || return
    expect 200 "$(status_of -H 'Range: lines=1-2' $name)" || return
    head -c 1000000 www/big.bin >big.part
    get -C - -o big.part $url/big.bin || return
    cmp big.part www/big.bin || return
    get -i -r 0-1,20-29 $name >parts.txt
    grep -q 'HTTP/1.1 206' parts.txt && grep -q 'multipart/byteranges' parts.txt &&
        grep -q 'bytes 0-1/3893' parts.txt && grep -q 'bytes 20-29/3893' parts.txt
}

conditions() {
    local name=$url/sub/numbers.txt etag
    serve || return
    etag=$(get -I $name | tr -d '\r' | sed -n 's/^ETag: //p')
    expect 304 "$(status_of -H "If-None-Match: $etag" $name)" || return
    expect 304 "$(status_of -H "If-None-Match: \"other\", W/$etag" $name)" || return
    expect 200 "$(status_of -H 'If-None-Match: "other"' $name)" || return
    expect 412 "$(status_of -H 'If-Match: "other"' $name)" || return
    expect 200 "$(status_of -H "If-Match: $etag" $name)" || return
    expect 304 "$(status_of -z www/sub/numbers.txt $name)" || return
    expect 200 "$(status_of -z '1 Jan 2001' $name)" || return
    expect 412 "$(status_of -H 'If-Unmodified-Since: Mon, 01 Jan 2001 00:00:00 GMT' $name)" || return
    expect 206 "$(status_of -r 0-9 -H "If-Range: $etag" $name)" || return
    expect 200 "$(status_of -r 0-9 -H 'If-Range: "other"' $name)"
}

one_connection() {
    serve || return
    expect 0-0-0 "$(get -v $url/ $url/sub/numbers.txt $url/nothing 2>&1 >/dev/null |
        sed -n 's/.*onnection #\([0-9]*\) to host .* left intact.*/\1/p' | paste -sd-)" || return
    get -H 'Connection: close' -I $url/ >head.txt && grep -qi '^connection: close' head.txt
}

# Requests by hand: pipelined, in small pieces, broken, and too slow.
by_hand() {
    serve --idle 1 || return
    python3 - <<'END'
import socket, time

def talk(data, pieces=False):
    s = socket.create_connection(("198.18.0.2", 80), timeout=10)
    for piece in ([data[i:i + 1] for i in range(len(data))] if pieces else [data]):
        s.sendall(piece)
    if not pieces:
        s.shutdown(socket.SHUT_WR)
    answer = b""
    while True:
        more = s.recv(65536)
        if not more:
            return answer
        answer += more

get = b"GET /sub/numbers.txt HTTP/1.1\r\nHost: x\r\n\r\n"
last = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
answer = talk(get * 50 + last)
assert answer.count(b"HTTP/1.1 200 OK") == 51, answer.count(b"HTTP/1.1 200 OK")
assert answer.endswith(b"<h1>a weir</h1>\n")

# What comes after the last request does not cost the last answer.
answer = talk(last + b"x" * 100000)
assert answer.endswith(b"<h1>a weir</h1>\n"), answer[-100:]

assert b" 200 OK" in talk(last, pieces=True)
assert b" 200 OK" in talk(b"\r\n\n" + last.replace(b"\r\n", b"\n"))
assert b" 200 OK" in talk(b"GET http://other/index.html HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

# HTTP/1.0 closes by itself and needs no Host.
answer = talk(b"GET / HTTP/1.0\r\n\r\n", pieces=True)
assert b" 200 OK" in answer and b"Connection: close" in answer

for request, status in [
    (b"GET / HTTP/1.1\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400),
    (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    (b"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    (b"GET noslash HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    (b"GET /\r\n\r\n", 400),
    (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400),
]:
    answer = talk(request)
    assert answer.startswith(b"HTTP/1.1 %d " % status), (request, answer[:60])

# A connection that does nothing is closed, and so is one whose request never ends.
for start in (b"", b"GET / HT"):
    s = socket.create_connection(("198.18.0.2", 80), timeout=10)
    s.sendall(start)
    begin = time.time()
    assert s.recv(1) == b""
    assert 0.5 < time.time() - begin < 5, time.time() - begin
END
}

# A client that stops reading is given up; one that goes away in the middle does no harm.
slow_readers() {
    serve --idle 1 || return
    python3 - <<'END' || return
import socket, time
s = socket.create_connection(("198.18.0.2", 80), timeout=20)
s.sendall(b"GET /huge.bin HTTP/1.1\r\nHost: x\r\n\r\n")
time.sleep(4)
try:
    while s.recv(1 << 20):
        pass
    raise SystemExit("the answer ended as if it were whole")
except ConnectionResetError:
    pass
s = socket.create_connection(("198.18.0.2", 80), timeout=20)
s.sendall(b"GET /huge.bin HTTP/1.1\r\nHost: x\r\n\r\n")
s.recv(100000)
s.close()
END
    expect 200 "$(status_of $url/)" && await serve 'broken off'
}

# A file that shrinks while it is sent ends the answer, not the server.
shrinking_file() {
    serve || return
    truncate -s 1G www/shrinking.bin
    get --limit-rate 20M -o /dev/null $url/shrinking.bin &
    sleep 0.5
    truncate -s 1000 www/shrinking.bin
    if wait $!; then
        echo "curl took a part for the whole"
        return 1
    fi
    rm www/shrinking.bin
    expect 200 "$(status_of $url/)"
}

many_at_once() {
    serve --connections 60 || return
    seq -f "url=$url/sub/numbers.txt?%g" 1 400 | sed 's/$/\noutput=\/dev\/null/' >urls.txt
    get --parallel --parallel-max 50 -K urls.txt || return
    [ "$(grep -c '" 200 ' serve.log)" = 400 ] || return
    # Above the limit connections are reset, and the others go on.
    python3 - <<'END'
import socket
kept = [socket.create_connection(("198.18.0.2", 80), timeout=10) for _ in range(60)]
try:
    extra = socket.create_connection(("198.18.0.2", 80), timeout=10)
    extra.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert extra.recv(1) == b"", "answered above the limit"
except ConnectionResetError:
    pass
kept[0].sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
assert kept[0].recv(100).startswith(b"HTTP/1.1 200")
END
}

# Signals end it cleanly: totals, exit code 0, no device left. A log that nobody reads ends it, too.
clean_end() {
    local signal pid
    for signal in INT TERM; do
        serve --stats || return
        pid=$last_pid
        get -o /dev/null $url/ || return
        kill -$signal "$pid"
        result_of serve "$pid" >out.txt || return
        grep -q 'answered 1 requests on 1 connections' out.txt && grep -q 'tcp_passive_opens' out.txt &&
            grep -q '"GET / HTTP/1.1" 200 ' out.txt || return
        if ip link | grep weir; then return 1; fi
    done
    "$weir" serve www 2>serve.log | head -n 1 >first.txt &
    await_that grep serving serve.log || return
    get -o /dev/null $url/ || return
    await_that test -s first.txt || return
    get -o /dev/null $url/ $url/
    await_that grep 'cannot write to standard output: Broken pipe' serve.log
}

other_ports_and_devices() {
    serve --port 8080 --tap tap9 || return
    expect '<h1>a weir</h1>' "$(get --retry 5 --retry-connrefused $url:8080/)" || return
    end_started
    start serve "$weir" serve www --tun mine --address 198.19.7.2/24 --peer 198.19.7.1/24 --mtu 600 --no-offload
    await serve 'http://198.19.7.2/ .mine' || return
    expect "$(sha256sum <www/big.bin)" "$(get http://198.19.7.2/big.bin | sha256sum)" || return
    # A second one takes other addresses.
    start second "$weir" serve www
    start third "$weir" serve www/sub
    await second 'serving' && await third 'serving' || return
    ip -4 -o addr | grep -o '198.18.[01].1/24' | sort -u | wc -l | grep -qx 2
}

make_folder
check "files, names and types" files
check "HEAD, and a file of 5 GiB" heads
check "what is refused" refusals
check "nothing outside the folder" nothing_outside
check "folders" folders
check "ranges" ranges
check "conditional requests" conditions
check "several requests on one connection" one_connection
check "pipelined, slow and broken requests" by_hand
check "clients that do not read" slow_readers
check "a file that shrinks" shrinking_file
check "many at once" many_at_once
check "a clean end" clean_end
check "other ports and devices" other_ports_and_devices
finish
