# lib.sh - what the interop scripts share: a world of their own, and checks in it
#
# A script calls enter "$@" first, which starts it again in network and process namespaces of its
# own: whatever it starts and makes there ends with it. Then: check, and finish at the end.
# shellcheck shell=bash
set -uo pipefail

build=${WEIR_BUILD:-$(dirname "$0")/../../build/release}
transfer=$build/interop_transfer
peer=$build/interop_peer
weir=$build/weir
kernel=$(dirname "$(readlink -f "$0")")/kernel.py
failures=0

skip() {
    echo "$*"
    exit 77
}

# enter SCRIPT ARGUMENT...: returns inside; outside it waits, cleans up, and exits.
enter() {
    local inside=(unshare --net --pid --mount-proc --fork --kill-child) there
    [ -z "${INTEROP_THERE:-}" ] || {
        trap 'exit 143' TERM INT # the first process of a namespace ignores them otherwise
        cd "$INTEROP_THERE" && ip link set lo up
        return
    }
    [ -x "$transfer" ] || {
        echo "$transfer is missing: build it first"
        exit 1
    }
    [ "$(id -u)" = 0 ] || inside+=(--user --map-root-user)
    "${inside[@]}" true 2>/dev/null || skip "no network namespaces here"
    "${inside[@]}" sh -c ': <>/dev/net/tun' 2>/dev/null || skip "/dev/net/tun cannot be opened"
    there=$(mktemp -d)
    # shellcheck disable=SC2064 # the value of now
    trap "rm -rf '$there'" EXIT
    INTEROP_THERE=$there WEIR_BUILD=$(cd "$build" && pwd) "${inside[@]}" \
        "$(readlink -f "$0")" "$@"
    exit
}

needs() {
    local program
    for program in "$@"; do
        command -v "$program" >/dev/null || skip "$program is missing"
    done
}

# check NAME COMMAND...: one line, and the command's output if it fails. The last line of the
# output that begins with "weir: " or "= " is shown in any case.
check() {
    local name=$1 begin=$EPOCHREALTIME code line
    shift
    "$@" >check.log 2>&1 </dev/null
    code=$?
    local tenths=$(((${EPOCHREALTIME/[.,]/} - ${begin/[.,]/}) / 100000))
    line=$(grep -E '^(weir: |= )' check.log | tail -n 1)
    if [ $code = 0 ]; then
        printf 'ok    %4s.%ss  %s%s\n' $((tenths / 10)) $((tenths % 10)) "$name" "${line:+: $line}"
    else
        printf 'FAIL  %4s.%ss  %s (exit code %s)\n' $((tenths / 10)) $((tenths % 10)) "$name" $code
        sed 's/^/    | /' check.log
        failures=$((failures + 1))
    fi
    end_started
}

finish() {
    [ $failures = 0 ] || echo "$failures failed"
    [ $failures = 0 ]
    exit
}

# ---- programs in the background ----

started=()

# start NAME COMMAND...: in the background, its output in NAME.log; last_pid is its process.
start() {
    local name=$1
    shift
    : >"$name.log"
    "$@" >"$name.log" 2>&1 </dev/null &
    last_pid=$!
    started+=("$last_pid")
}

# Waits until a line of NAME.log matches, at most a minute, and as long as what was started last is
# there. A busy machine needs long; limits are for what would never come.
await() {
    local i
    for ((i = 0; i < 1200; i++)); do
        grep -qE "$2" "$1.log" 2>/dev/null && return
        kill -0 "$last_pid" 2>/dev/null || break
        sleep 0.05
    done
    grep -qE "$2" "$1.log" 2>/dev/null && return
    echo "$1 has not said \"$2\":"
    cat "$1.log"
    return 1
}

# Waits for a condition, at most a minute.
await_that() {
    local i
    for ((i = 0; i < 3000; i++)); do
        "$@" >/dev/null 2>&1 && return
        sleep 0.02
    done
    echo "it has not come true: $*"
    return 1
}

# The exit code of what was started, which must have ended by itself; its output.
result_of() {
    local code
    wait "$2"
    code=$?
    cat "$1.log"
    return $code
}

end_started() {
    local pid
    for pid in "${started[@]}"; do
        kill "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    started=()
}

# Has the kernel a connection on which bytes have gone both ways? With "sent": on which its own
# have arrived.
is_flowing() {
    local way=${1:-both} said
    said=$(ss -Htin state established "dport = 5001 or sport = 5001")
    [[ $said =~ bytes_acked:[0-9]{3} ]] &&
        { [ "$way" = sent ] || [[ $said =~ bytes_received:[0-9]{3} ]]; }
}

# ---- a device between Weir and the kernel ----

# on LINK [FAMILY [OPTION...]]: sets device, the options of a program over Weir, weir_at and kernel_at,
# the addresses in a URL. LINK is tun, tap, and "-plain" for no offloads.
on() {
    local link=$1 family=${2:-4}
    shift $(($# < 2 ? $# : 2))
    weir4=198.18.0.2 kernel4=198.18.0.1 weir6=fd00::2 kernel6=fd00::1
    device=(--address "$weir4/24" --peer "$kernel4/24" "$@")
    case " $* " in
    *" --mtu "[0-9][0-9][0-9]" "* | *" --mtu 1"[01]*) ;;
    *) device+=(--address "$weir6/64" --peer "$kernel6/64") ;;
    esac
    case $link in
    tun*) link_name=(--device w0) cli_link=(--tun w0) ;;
    tap*) link_name=(--device w0 --tap) cli_link=(--tap w0) ;;
    esac
    case $link in *-plain) device+=(--no-offload) ;; esac
    cli=("${cli_link[@]}" "${device[@]}")
    device=("${link_name[@]}" "${device[@]}")
    weir_at=$weir4 kernel_at=$kernel4 any_at=0.0.0.0
    weir_ip=$weir4 kernel_ip=$kernel4 any_ip=0.0.0.0
    [ "$family" = 4 ] || {
        weir_at="[$weir6]" kernel_at="[$kernel6]" any_at="[::]"
        weir_ip=$weir6 kernel_ip=$kernel6 any_ip=::
    }
}

# weir_listens WEIR-OPTION... -- KERNEL-OPTION...: transfer listens, peer connects; both succeed.
# weir_connects: the other way round.
split() {
    ours=() theirs=()
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        ours+=("$1")
        shift
    done
    shift
    theirs=("$@")
}

weir_listens() {
    local pid code
    split "$@"
    start weir "$transfer" listen "$weir_at:5001" "${device[@]}" "${ours[@]}"
    pid=$last_pid
    await weir '^ready' || return
    "$peer" connect "$weir_at:5001" "${theirs[@]}"
    code=$?
    [ $code = 0 ] || kill "$pid" 2>/dev/null
    result_of weir "$pid" && return $code
}

weir_connects() {
    local pid code
    split "$@"
    start kernel "$peer" listen "$any_at:5001" "${theirs[@]}"
    pid=$last_pid
    await kernel '^ready' || return
    "$transfer" connect "$kernel_at:5001" "${device[@]}" "${ours[@]}"
    code=$?
    [ $code = 0 ] || kill "$pid" 2>/dev/null
    result_of kernel "$pid" && return $code
}
