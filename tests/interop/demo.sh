#!/usr/bin/env bash
# demo.sh - weir demo shows a real connection, to root and to an ordinary user, and Wireshark
# reads what it writes
set -uo pipefail

weir=$(cd "${WEIR_BUILD:-$(dirname "$0")/../../build/release}" && pwd)/weir
there=$(mktemp -d)
trap 'rm -rf "$there"' EXIT
cd "$there" || exit 1
cp "$weir" weir # somewhere an ordinary user gets to
chmod 711 . weir
chmod 755 weir
export LC_ALL=C NO_COLOR=1 HOME=$there XDG_CONFIG_HOME=$there # tshark reads none of the user's settings
failures=0

skip() {
    echo "$*"
    exit 77
}

# check NAME COMMAND...
check() {
    local name=$1
    shift
    if "$@" >check.log 2>&1; then
        echo "ok    $name"
    else
        echo "FAIL  $name"
        sed 's/^/    | /' check.log
        failures=$((failures + 1))
    fi
}

command -v curl >/dev/null || skip "curl is missing"
[ -c /dev/net/tun ] || skip "there is no /dev/net/tun"

# The handshake, the page, and the close, in this order, with the states of both ends.
is_ladder_of_curl() {
    local line found=yes
    tr -s ' -' <"$1" | awk '
        BEGIN { split("CLOSED |- SYN ->| LISTEN;SYN-SENT |<- SYN ACK -| SYN-RECEIVED;" \
                      "ESTABLISHED |- ACK ->| SYN-RECEIVED;ESTABLISHED |- PSH ACK ->| ESTABLISHED;" \
                      "ESTABLISHED |<- PSH ACK -| ESTABLISHED;ESTABLISHED |- FIN ACK ->| ESTABLISHED;" \
                      "| CLOSED", wanted, ";"); next_one = 1 }
        index($0, wanted[next_one]) { next_one++ }
        END { if (next_one <= 7) { print "missing: " wanted[next_one]; exit 1 } }' || found=no
    for line in 'kernel (curl), states inferred' 'seq 0 (raw ' 'This page came over TCP'; do
        grep -qF "$line" "$1" || found=no
    done
    [ $found = yes ] || cat "$1"
    [ $found = yes ]
}

# Every packet has a comment, and nothing in the file is amiss.
is_good_capture() {
    command -v tshark >/dev/null || { echo "tshark is missing"; return; }
    tshark -n -r "$1" -o tcp.check_checksum:TRUE -T fields -e frame.comment \
        -e tcp.checksum.status -e _ws.malformed >packets 2>errors || { cat errors; return 1; }
    grep -v 'This could be dangerous' errors | grep . && return 1
    [ "$(wc -l <packets)" -ge 8 ] && ! grep -vP '^(Weir|kernel [(]curl[)]): [^\t]*\t1\t$' packets
}

# The capture of one that fails is not mistaken for one that works.
play() {
    rm -f ./*.pcapng
    "$@" >out 2>errors </dev/null
    local code=$?
    [ $code = 0 ] && ! [ -s errors ] && return
    echo "exit code $code"
    cat out errors
    return 1
}

by_this_user() {
    play ./weir demo --ascii && is_ladder_of_curl out && is_good_capture demo.pcapng
}

# Root can also be an ordinary user; others are that alone.
if [ "$(id -u)" != 0 ]; then
    unshare --user --net true 2>/dev/null || skip "an ordinary user may not make namespaces here"
    sh -c ': <>/dev/net/tun' 2>/dev/null || skip "/dev/net/tun is closed to this user"
    check "curl and Weir, for an ordinary user" by_this_user
    [ $failures = 0 ]
    exit
fi
unshare --net true 2>/dev/null || skip "no network namespaces here"
check "curl and Weir, for root" by_this_user

# As on most machines, anybody may open /dev/net/tun; here that is seen in these tests alone.
as_nobody() {
    # shellcheck disable=SC2016 # for the shell inside
    unshare --mount sh -c '
        mount -t tmpfs tmpfs "$1" && mknod -m "$2" "$1/tun" c 10 200 &&
            mount --bind "$1/tun" /dev/net/tun || exit 76
        shift 2
        exec setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs "$@"
    ' sh "$there/dev" "$@"
}

mkdir -m 777 dev out_of_nobody
as_nobody 666 unshare --user --net true 2>/dev/null
case $? in
0) ;;
76) skip "root may not mount anything here" ;;
*) skip "an ordinary user may not make namespaces here" ;;
esac

by_nobody() {
    play as_nobody 666 sh -c 'cd out_of_nobody && exec ../weir demo --ascii' &&
        is_ladder_of_curl out && is_good_capture out_of_nobody/demo.pcapng
}
check "curl and Weir, for an ordinary user" by_nobody

# Where it is forbidden, one sentence says what to do, and the scene is played all the same.
by_nobody_forbidden() {
    as_nobody 600 sh -c 'cd out_of_nobody && exec ../weir demo' >out 2>errors || return 1
    cat errors
    [ "$(wc -l <errors)" = 1 ] && grep -q 'mode 0600.*sudo chmod 0666 /dev/net/tun' errors &&
        grep -q 'two Weir stacks in memory' out
}
check "in memory, where the kernel may not take part" by_nobody_forbidden

by_root_all() {
    play ./weir demo all --ascii || return 1
    for scene in $(./weir demo --list | cut -d ' ' -f 1); do
        [ -s "demo-$scene.pcapng" ] || { echo "no capture of $scene"; return 1; }
    done
    [ "$(grep -c 'the kernel of this machine' out)" = 7 ] || { cat out; false; }
}
check "all scenes, seven of them with the kernel" by_root_all

# Where curl is missing, something else fetches the page.
without_curl() {
    mkdir -p bin && PATH=$there/bin play ./weir demo --ascii && grep -q 'curl is not installed' out
}
check "without curl" without_curl

[ $failures = 0 ]
