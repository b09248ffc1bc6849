/*
 * check_known.c - which options there are at all
 *
 * Those of the first list are the same on Linux. Those of the second are Linux's alone, as
 * docs/deviations.md says: whoever adds one puts it into the first.
 */
#include "posix/net.h"

#include <errno.h>
#include <netinet/udp.h>

#define OPTION(level, name)                                                                        \
    {                                                                                              \
        level, name, #name                                                                         \
    }

struct option_name {
    int level, name;
    const char *text;
};

static const struct option_name common[] = {
    OPTION(SOL_SOCKET, SO_RCVTIMEO),
    OPTION(SOL_SOCKET, SO_SNDTIMEO),
    OPTION(SOL_SOCKET, SO_LINGER),
    OPTION(SOL_SOCKET, SO_SNDBUF),
    OPTION(SOL_SOCKET, SO_RCVBUF),
    OPTION(SOL_SOCKET, SO_SNDBUFFORCE),
    OPTION(SOL_SOCKET, SO_RCVBUFFORCE),
    OPTION(IPPROTO_IP, IP_PKTINFO),
    OPTION(IPPROTO_IP, IP_RECVTTL),
    OPTION(IPPROTO_IP, IP_RECVTOS),
    OPTION(IPPROTO_IP, IP_MTU),
    OPTION(IPPROTO_IPV6, IPV6_MTU),
    OPTION(IPPROTO_IPV6, IPV6_RECVPKTINFO),
    OPTION(IPPROTO_IPV6, IPV6_RECVHOPLIMIT),
    OPTION(IPPROTO_IPV6, IPV6_RECVTCLASS),
    OPTION(IPPROTO_TCP, TCP_NODELAY),
    OPTION(IPPROTO_TCP, TCP_INFO),
    OPTION(IPPROTO_TCP, TCP_QUICKACK),
    OPTION(IPPROTO_TCP, TCP_CONGESTION),
    OPTION(IPPROTO_TCP, TCP_CC_INFO),
    OPTION(IPPROTO_TCP, TCP_MD5SIG),
    OPTION(IPPROTO_TCP, TCP_FASTOPEN_KEY),
    OPTION(IPPROTO_UDP, UDP_CORK),
};

static const struct option_name lacking[] = {
    OPTION(SOL_SOCKET, SO_DEBUG),
    OPTION(SOL_SOCKET, SO_NO_CHECK),
    OPTION(SOL_SOCKET, SO_BSDCOMPAT),
    OPTION(SOL_SOCKET, SO_PASSCRED),
    OPTION(SOL_SOCKET, SO_PEERCRED),
    OPTION(SOL_SOCKET, SO_BINDTODEVICE),
    OPTION(SOL_SOCKET, SO_BINDTOIFINDEX),
    OPTION(SOL_SOCKET, SO_ATTACH_FILTER),
    OPTION(SOL_SOCKET, SO_LOCK_FILTER),
    OPTION(SOL_SOCKET, SO_TIMESTAMP),
    OPTION(SOL_SOCKET, SO_TIMESTAMPNS),
    OPTION(SOL_SOCKET, SO_TIMESTAMPING),
    OPTION(SOL_SOCKET, SO_RXQ_OVFL),
    OPTION(SOL_SOCKET, SO_WIFI_STATUS),
    OPTION(SOL_SOCKET, SO_NOFCS),
    OPTION(SOL_SOCKET, SO_SELECT_ERR_QUEUE),
    OPTION(SOL_SOCKET, SO_BUSY_POLL),
    OPTION(SOL_SOCKET, SO_PREFER_BUSY_POLL),
    OPTION(SOL_SOCKET, SO_INCOMING_CPU),
    OPTION(SOL_SOCKET, SO_INCOMING_NAPI_ID),
    OPTION(SOL_SOCKET, SO_MEMINFO),
    OPTION(SOL_SOCKET, SO_TXTIME),
    OPTION(IPPROTO_IP, IP_OPTIONS),
    OPTION(IPPROTO_IP, IP_HDRINCL),
    OPTION(IPPROTO_IP, IP_RECVOPTS),
    OPTION(IPPROTO_IP, IP_RETOPTS),
    OPTION(IPPROTO_IP, IP_TRANSPARENT),
    OPTION(IPPROTO_IP, IP_NODEFRAG),
    OPTION(IPPROTO_IP, IP_CHECKSUM),
    OPTION(IPPROTO_IP, IP_RECVORIGDSTADDR),
    OPTION(IPPROTO_IP, IP_RECVFRAGSIZE),
    OPTION(IPPROTO_IP, IP_UNICAST_IF),
    OPTION(IPPROTO_IP, IP_MULTICAST_IF),
    OPTION(IPPROTO_IP, IP_MULTICAST_TTL),
    OPTION(IPPROTO_IP, IP_MULTICAST_LOOP),
    OPTION(IPPROTO_IP, IP_MULTICAST_ALL),
    OPTION(IPPROTO_IP, IP_PASSSEC),
    OPTION(IPPROTO_IPV6, IPV6_DONTFRAG),
    OPTION(IPPROTO_IPV6, IPV6_TRANSPARENT),
    OPTION(IPPROTO_IPV6, IPV6_AUTOFLOWLABEL),
    OPTION(IPPROTO_IPV6, IPV6_RECVRTHDR),
    OPTION(IPPROTO_IPV6, IPV6_RECVHOPOPTS),
    OPTION(IPPROTO_IPV6, IPV6_RECVDSTOPTS),
    OPTION(IPPROTO_IPV6, IPV6_RECVPATHMTU),
    OPTION(IPPROTO_IPV6, IPV6_RECVORIGDSTADDR),
    OPTION(IPPROTO_IPV6, IPV6_RECVFRAGSIZE),
    OPTION(IPPROTO_IPV6, IPV6_UNICAST_IF),
    OPTION(IPPROTO_IPV6, IPV6_MULTICAST_IF),
    OPTION(IPPROTO_IPV6, IPV6_MULTICAST_HOPS),
    OPTION(IPPROTO_IPV6, IPV6_MULTICAST_LOOP),
    OPTION(IPPROTO_IPV6, IPV6_MULTICAST_ALL),
    OPTION(IPPROTO_IPV6, IPV6_ADDR_PREFERENCES),
    OPTION(IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS),
    OPTION(IPPROTO_TCP, TCP_THIN_DUPACK),
    OPTION(IPPROTO_TCP, TCP_REPAIR),
    OPTION(IPPROTO_TCP, TCP_TIMESTAMP),
    OPTION(IPPROTO_TCP, TCP_SAVE_SYN),
    OPTION(IPPROTO_TCP, TCP_SAVED_SYN),
    OPTION(IPPROTO_TCP, TCP_ULP),
    OPTION(IPPROTO_TCP, TCP_TX_DELAY),
    OPTION(IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE),
    OPTION(IPPROTO_UDP, UDP_SEGMENT),
    OPTION(IPPROTO_UDP, UDP_GRO),
    OPTION(IPPROTO_UDP, UDP_ENCAP),
    OPTION(IPPROTO_UDP, UDP_NO_CHECK6_TX),
    OPTION(IPPROTO_UDP, UDP_NO_CHECK6_RX),
};

static long get(int fd, const struct option_name *o)
{
    char value[256] = {0};
    socklen_t len = sizeof value;

    return sys->getsockopt(fd, o->level, o->name, value, &len);
}

static void known(int domain, int type, const char *kind)
{
    int fd = sys->socket(domain, type, 0);

    say_seen("%s", kind);
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
        say_result(common[i].text, get(fd, &common[i]));
    for (size_t i = 0; i < sizeof lacking / sizeof lacking[0]; i++)
        if (sys == &weir_calls
            && (get(fd, &lacking[i]) == 0 || (errno != ENOPROTOOPT && errno != EOPNOTSUPP)))
            say_seen("%s is known", lacking[i].text);
    sys->close(fd);
}

void check_known(void)
{
    known(AF_INET, SOCK_STREAM, "TCP over IPv4");
    known(AF_INET6, SOCK_STREAM, "TCP over IPv6");
    known(AF_INET, SOCK_DGRAM, "UDP over IPv4");
    known(AF_INET6, SOCK_DGRAM, "UDP over IPv6");
}
