#!/usr/bin/env bash
# packetdrill.sh PACKETDRILL FOLDER [FAMILY...] - scripts that others wrote, run in two ways
#
# PACKETDRILL is google's program, FOLDER one of its scripts (gtests/net/tcp). Each .pkt file in it is run
# by weir drill, and by PACKETDRILL with libweir_packetdrill.so, over ipv4, ipv6 and mapped or what is
# named. Where the verdicts differ, that is told; at the end, how many pass. Nothing of the machine is
# changed: commands that would concern its kernel have stand-ins, and the scripts are run as a copy.
set -uo pipefail

packetdrill=$(readlink -f "$1") folder=$(readlink -f "$2")
shift 2
families=("$@")
[ $# -gt 0 ] || families=(ipv4 ipv6 mapped)
build=$(readlink -f "${WEIR_BUILD:-$(dirname "$0")/../build/release}")
there=$(mktemp -d)
trap 'rm -rf "$there"' EXIT
export PD_SYSCTL_FILE=$there/sysctls

# ---- stand-ins ----

mkdir "$there/bin"
stand_in() {
    printf '#!/bin/sh\n%s\n' "$2" >"$there/bin/$1"
    chmod +x "$there/bin/$1"
}
# shellcheck disable=SC2016 # for the stand-ins
{
    stand_in sysctl 'for a; do case $a in *=*) echo "$a" | tr / . >>"$PD_SYSCTL_FILE" ;; esac; done'
    stand_in ip 'case "$*" in tcp_metrics*) echo net.ipv4.tcp_fastopen_cookies=0 >>"$PD_SYSCTL_FILE" ;; esac'
    stand_in grep 'case "$*" in */proc/net/* | *TcpExt* | *:1F90*) exit 0 ;; esac; exec /bin/grep "$@"'
}
for name in tc ethtool nstat; do
    stand_in "$name" 'exit 0'
done
cp -rL "$folder" "$there/scripts"
[ ! -d "$folder/../common" ] || cp -rL "$folder/../common" "$there/common"
# shellcheck disable=SC2016
find "$there/scripts" -name set_sysctls.py | while read -r file; do
    cat >"$file" <<'END'
#!/bin/sh
for a; do echo "${a#/proc/sys/}" | tr / . >>"$PD_SYSCTL_FILE"; done
ln -sf /bin/true "/tmp/sysctl_restore_$PACKETDRILL_PID.sh"
END
done

# ---- one family ----

choose() {
    cookie=3021b9d889017eeb code=host_unreachable level=SOL_IPV6 type=IPV6_RECVERR
    net=(--local_ip=192.168.0.1 --gateway_ip=192.168.0.1 --netmask_ip=255.255.0.0 --remote_ip=192.0.2.1)
    flags=local=192.168.0.1/16,remote=192.0.2.0/24,gw=192.168.0.1,mtu=1500
    case $1 in
    ipv4) version=ipv4 level=SOL_IP type=IP_RECVERR ;;
    mapped) version=ipv4-mapped-ipv6 ;;
    ipv6)
        version=ipv6 cookie=c1d1e9742a47a9bc code=address_unreachable
        local net6=fd3d:0a0b:17d6
        net=("--local_ip=$net6::1" "--gateway_ip=$net6:8888::1" --remote_ip=fd3d:fa7b:d17d::1)
        flags=local=$net6::1/48,remote=fd3d:fa7b:d17d::/48,gw=$net6:8888::1
        ;;
    esac
    defines=(-D "TFO_COOKIE=$cookie" -D TFO_COOKIE_ZERO=b7c12350a90dc8f5 -D "CODE=$code"
        -D "CMSG_LEVEL_IP=$level" -D "CMSG_TYPE_RECVERR=$type")
}

# The verdict of packetdrill. What a script says of its addresses stands instead of what we say.
by_packetdrill() {
    local script=$1 where=("${net[@]}") its=$flags mss mtu=1520
    : >"$PD_SYSCTL_FILE"
    mss=$(sed -n 's/^--mss=//p' "$script")
    [ -z "$mss" ] || its+=,mss=$mss
    grep -qE '^--(local|remote)_ip' "$script" && where=()
    if [ "$version" = ipv6 ]; then
        grep -q packet_too_big "$script" && mtu=1500
        where+=("--mtu=$mtu") its+=,mtu=$mtu
    fi
    (
        cd "$(dirname "$script")" || exit 1
        PATH=$there/bin:$PATH timeout 20 "$packetdrill" "--ip_version=$version" "${where[@]}" \
            "${defines[@]}" "--so_filename=$build/libweir_packetdrill.so" "--so_flags=$its" "$script" \
            </dev/null
    ) >"$there/said" 2>&1 && echo pass || echo fail
    rm -f /tmp/sysctl_restore_*.sh
}

different=0
for family in "${families[@]}"; do
    choose "$family"
    passed=0 count=0
    while read -r script ours; do
        [ "$ours" != skip ] || continue
        count=$((count + 1))
        theirs=$(by_packetdrill "$script")
        [ "$ours" != pass ] || passed=$((passed + 1))
        if [ "$ours" != "$theirs" ]; then
            different=$((different + 1))
            echo "$family ${script#"$there/scripts/"}: weir drill says $ours, packetdrill $theirs"
            grep -vE '^(script|actual) packet' "$there/said" | head -n 3
        fi
    done < <("$build/weir" drill --json --ip "$family" "${defines[@]}" "$there/scripts" \
        | sed -n 's/.*"file":"\([^"]*\)","result":"\([^"]*\)".*/\1 \2/p')
    echo "$family: $passed of $count pass"
done
echo "$different verdicts differ"
[ "$different" = 0 ]
