#!/usr/bin/env bash
# http.sh - weir serve against curl and wrk, weir connect against nginx and Python's server
. "$(dirname "$0")/lib.sh"
enter "$@"
needs curl wrk nginx python3

mkdir -p www/folder
head -c 100000000 /dev/urandom >www/large
head -c 20000 www/large >www/small
echo '<p>hello' >www/index.html
: >www/empty

served=0

# serve LINK FAMILY: weir serve runs, for this script's checks, until the next one.
serve() {
    on "$1" "$2"
    [ $served = 0 ] || {
        kill "$served" && wait "$served"
    }
    : >serve.log
    "$weir" serve "${cli[@]}" --port 80 www >serve.out 2>serve.log </dev/null &
    served=$!
    last_pid=$served
    await serve serving
    base=http://$weir_at
}

get() {
    curl -sS --max-time 100 --noproxy '*' "$@"
}

one_connection_for_all() {
    local counts
    counts=$(get -w '%{num_connects} %{response_code}\n' -o a "$base/small" -o b "$base/" \
        -o c "$base/empty" -o d "$base/small") || return
    echo "$counts"
    [ "$counts" = "$(printf '1 200\n0 200\n0 200\n0 200')" ] &&
        cmp a www/small && cmp b www/index.html && cmp d www/small && [ ! -s c ]
}

ranges() {
    get -r 1000-1999 -o range "$base/large" && cmp range <(tail -c +1001 www/large | head -c 1000) &&
        get -r -500 -o range "$base/large" && cmp range <(tail -c 500 www/large) &&
        get -r 99999000- -o range "$base/large" && cmp range <(tail -c 1000 www/large) &&
        [ "$(get -r 100000000- -o range -w '%{response_code}' "$base/large")" = 416 ]
}

resumed() {
    head -c 54321000 www/large >part
    get -C - -o part "$base/large" && cmp part www/large
}

large_file() {
    get -o got -w '= %{speed_download} bytes/s\n' "$base/large" && cmp got www/large
}

# Twenty at once, a new connection each.
parallel() {
    get -Z --parallel-immediate --parallel-max 20 -o 'many#1' "$base/small?[1-20]" || return
    local file
    for file in many*; do
        cmp "$file" www/small || return
    done
}

missing_and_head() {
    [ "$(get -o none -w '%{response_code}' "$base/nothing")" = 404 ] &&
        get -I "$base/large" | grep -i 'content-length: 100000000'
}

reads_slowly() {
    get --limit-rate 2M -r 0-3999999 -o range "$base/large" &&
        cmp range <(head -c 4000000 www/large)
}

load() {
    wrk -t 2 -c "$1" -d 3 --timeout 5 "$base/$2" >wrk.log || return
    cat wrk.log
    awk '/Requests\/sec/ { requests = $2 } /Transfer\/sec/ { bytes = $2 }
        END { print "= " requests " requests/s, " bytes "/s" }' wrk.log
    ! grep -E 'Socket errors|Non-2xx' wrk.log && ! grep -q 'Requests/sec: *0.00' wrk.log
}

for link in tun tap tap-plain; do
    for family in 4 6; do
        serve $link $family || {
            check "weir serve, $link, IPv$family" false
            continue
        }
        check "curl fetches four files over one connection, $link, IPv$family" \
            one_connection_for_all
        check "curl fetches ranges, $link, IPv$family" ranges
        check "curl fetches 100 MB, $link, IPv$family" large_file
        check "curl fetches twenty at once, $link, IPv$family" parallel
    done
    check "curl goes on where it was, $link" resumed
    check "curl asks for what is not there and for headers, $link" missing_and_head
done
check "curl reads slowly" reads_slowly
serve tun 4
check "wrk with 50 connections" load 50 small
check "wrk with 500 connections" load 500 index.html
kill $served && wait $served

# The other way round: weir connect is the client.
cat >nginx.conf <<END
daemon off;
master_process off;
pid $PWD/nginx.pid;
error_log $PWD/nginx.error;
events {}
http {
    access_log off;
    client_body_temp_path $PWD/t1;
    proxy_temp_path $PWD/t2;
    fastcgi_temp_path $PWD/t3;
    uwsgi_temp_path $PWD/t4;
    scgi_temp_path $PWD/t5;
    server {
        listen 80;
        listen [::]:80;
        root $PWD/www;
    }
}
END
chmod 755 . www

listens() {
    ss -Hltn "sport = $1" | grep -q .
}

# A request, and no end before the answer is there: nginx gives up when a client ends.
request() {
    local i
    printf 'GET /%s HTTP/1.1\r\nHost: it\r\nConnection: close\r\n\r\n' "$1"
    for ((i = 0; i < 3000; i++)); do
        [ "$(stat -c %s answer)" -le "$(stat -c %s "www/$1")" ] || return 0
        sleep 0.02
    done
}

# The body of an HTTP answer is the file.
fetch() {
    : >answer
    request "$1" | timeout 100 "$weir" connect "${cli[@]}" -q "$kernel_ip" "$2" >answer || return
    head -n 1 answer
    grep -aq '^HTTP/1.[01] 200' answer && cmp <(tail -c "$(stat -c %s "www/$1")" answer) "www/$1"
}

from_nginx() {
    start nginx nginx -p "$PWD" -c nginx.conf
    await_that listens 80 && fetch small 80 && fetch large 80
}

from_python() {
    start python python3 -m http.server --bind :: --directory www 8000
    await_that listens 8000 && fetch small 8000 && fetch large 8000
}

for link in tun tap-plain; do
    for family in 4 6; do
        on $link $family
        check "weir connect fetches from nginx, $link, IPv$family" from_nginx
        check "weir connect fetches from Python, $link, IPv$family" from_python
    done
done

finish
