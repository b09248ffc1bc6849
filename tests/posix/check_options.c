/*
 * check_options.c - getsockopt and setsockopt
 */
#include "posix/net.h"

#define OPTION(level, name)                                                                        \
    {                                                                                              \
        level, name, #name                                                                         \
    }

static const struct {
    int level, name;
    const char *text;
} ints[] = {
    OPTION(SOL_SOCKET, SO_TYPE),
    OPTION(SOL_SOCKET, SO_DOMAIN),
    OPTION(SOL_SOCKET, SO_PROTOCOL),
    OPTION(SOL_SOCKET, SO_ERROR),
    OPTION(SOL_SOCKET, SO_ACCEPTCONN),
    OPTION(SOL_SOCKET, SO_REUSEADDR),
    OPTION(SOL_SOCKET, SO_REUSEPORT),
    OPTION(SOL_SOCKET, SO_KEEPALIVE),
    OPTION(SOL_SOCKET, SO_BROADCAST),
    OPTION(SOL_SOCKET, SO_OOBINLINE),
    OPTION(SOL_SOCKET, SO_RCVLOWAT),
    OPTION(SOL_SOCKET, SO_SNDLOWAT),
    OPTION(SOL_SOCKET, SO_PRIORITY),
    OPTION(SOL_SOCKET, SO_PEEK_OFF),
    OPTION(IPPROTO_TCP, TCP_NODELAY),
    OPTION(IPPROTO_TCP, TCP_CORK),
    OPTION(IPPROTO_TCP, TCP_KEEPIDLE),
    OPTION(IPPROTO_TCP, TCP_KEEPINTVL),
    OPTION(IPPROTO_TCP, TCP_KEEPCNT),
    OPTION(IPPROTO_TCP, TCP_SYNCNT),
    OPTION(IPPROTO_TCP, TCP_MAXSEG),
    OPTION(IPPROTO_TCP, TCP_USER_TIMEOUT),
    OPTION(IPPROTO_TCP, TCP_DEFER_ACCEPT),
    OPTION(IPPROTO_TCP, 12345),
    OPTION(IPPROTO_TCP, TCP_NOTSENT_LOWAT),
    OPTION(IPPROTO_IP, IP_MINTTL),
    OPTION(IPPROTO_IPV6, IPV6_MINHOPCOUNT),
    OPTION(IPPROTO_TCP, TCP_FASTOPEN),
    OPTION(IPPROTO_TCP, TCP_FASTOPEN_CONNECT),
    OPTION(IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE),
    OPTION(IPPROTO_TCP, TCP_INQ),
    OPTION(IPPROTO_IP, IP_TOS),
    OPTION(IPPROTO_IP, IP_TTL),
    OPTION(IPPROTO_IP, 12345),
    OPTION(IPPROTO_IPV6, IPV6_V6ONLY),
    OPTION(IPPROTO_IPV6, IPV6_UNICAST_HOPS),
    OPTION(IPPROTO_IPV6, IPV6_TCLASS),
    OPTION(SOL_SOCKET, 12345),
    OPTION(12345, 1),
    OPTION(SOL_SOCKET, SO_DONTROUTE),
    OPTION(SOL_SOCKET, SO_MARK),
    OPTION(SOL_SOCKET, SO_ZEROCOPY),
    OPTION(SOL_SOCKET, SO_MAX_PACING_RATE),
    OPTION(IPPROTO_IP, IP_MTU_DISCOVER),
    OPTION(IPPROTO_IP, IP_FREEBIND),
    OPTION(IPPROTO_IP, IP_RECVERR),
    OPTION(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT),
    OPTION(IPPROTO_IPV6, IPV6_MTU_DISCOVER),
    OPTION(IPPROTO_IPV6, IPV6_FREEBIND),
    OPTION(IPPROTO_IPV6, IPV6_RECVERR),
    OPTION(IPPROTO_TCP, TCP_LINGER2),
    OPTION(IPPROTO_TCP, TCP_WINDOW_CLAMP),
};

enum { COUNT = sizeof ints / sizeof ints[0] };

static const int values[] = {-2, -1, 0, 1, 2, 60, 127, 128, 255, 256, 300, 536, 32767, 32768};

static void say_get(int fd, size_t i)
{
    int value = -77;
    socklen_t len = sizeof value;
    long result =
        say_result(ints[i].text, sys->getsockopt(fd, ints[i].level, ints[i].name, &value, &len));

    if (result == 0)
        say_seen("    is %d (%u)", value, len);
}

static void defaults(int domain, int type)
{
    int fd = sys->socket(domain, type, 0);

    say_seen("domain %d, type %d", domain, type);
    for (size_t i = 0; i < COUNT; i++)
        say_get(fd, i);
    sys->close(fd);
}

static void setting(int domain, int type)
{
    say_seen("domain %d, type %d", domain, type);
    for (size_t i = 0; i < COUNT; i++) {
        int fd = sys->socket(domain, type, 0);

        for (size_t k = 0; k < sizeof values / sizeof values[0]; k++) {
            if (ints[i].name == SO_RCVLOWAT && ints[i].level == SOL_SOCKET && values[k] < 0)
                continue; /* the answer depends on the size of buffers */
            if (ints[i].name == IP_MINTTL && ints[i].level == IPPROTO_IP && type == SOCK_DGRAM)
                continue; /* of no use there: docs/deviations.md */
            say_seen("%s to %d", ints[i].text, values[k]);
            if (say_result("    set", sys->setsockopt(fd, ints[i].level, ints[i].name, &values[k],
                                                      sizeof values[k]))
                == 0)
                say_get(fd, i);
        }
        sys->close(fd);
    }
}

static void lengths(void)
{
    static const int names[][2] = {{SOL_SOCKET, SO_KEEPALIVE}, {IPPROTO_TCP, TCP_NODELAY},
                                   {IPPROTO_IP, IP_TTL},       {IPPROTO_IP, IP_TOS},
                                   {SOL_SOCKET, SO_LINGER},    {SOL_SOCKET, SO_RCVTIMEO}};
    int fd = sys->socket(AF_INET, SOCK_STREAM, 0);
    char bytes[64];

    for (size_t i = 0; i < 6; i++) {
        for (int len = -1; len < 20; len++) {
            socklen_t got = (socklen_t)len;
            memset(bytes, 0, sizeof bytes);
            bytes[0] = 1;
            say_seen("level %d, name %d, length %d", names[i][0], names[i][1], len);
            SAY(sys->setsockopt(fd, names[i][0], names[i][1], bytes, (socklen_t)len));
            memset(bytes, 0x55, sizeof bytes);
            SAY(sys->getsockopt(fd, names[i][0], names[i][1], bytes, &got));
            say_seen("    length %d, %02x %02x %02x %02x %02x", (int)got, bytes[0], bytes[1],
                     bytes[2], bytes[3], bytes[4]);
        }
    }
    SAY(sys->setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, NULL, 4));
    SAY(sys->getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, NULL, NULL));
    SAY(sys->setsockopt(99999, SOL_SOCKET, SO_KEEPALIVE, bytes, 4));
    SAY(sys->getsockopt(99999, SOL_SOCKET, SO_KEEPALIVE, bytes, NULL));
    sys->close(fd);
}

static void structs(void)
{
    static const struct timeval times[] = {{0, 0},       {1, 500000}, {-1, 0},
                                           {1, 1000000}, {1, -1},     {0, 4000}};
    static const struct linger lingers[] = {{0, 0}, {1, 0}, {1, 10}, {0, 20}, {5, 30}};
    int fd = sys->socket(AF_INET, SOCK_STREAM, 0);

    for (size_t i = 0; i < 6; i++) {
        struct timeval got = {77, 77};
        socklen_t len = sizeof got;
        say_seen("%ld s %ld us", (long)times[i].tv_sec, (long)times[i].tv_usec);
        SAY(sys->setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &times[i], sizeof times[i]));
        SAY(sys->getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &got, &len));
        say_seen("    is %ld s %ld us", (long)got.tv_sec, (long)got.tv_usec);
    }
    for (size_t i = 0; i < 5; i++) {
        struct linger got = {77, 77};
        socklen_t len = sizeof got;
        say_seen("linger %d %d", lingers[i].l_onoff, lingers[i].l_linger);
        SAY(sys->setsockopt(fd, SOL_SOCKET, SO_LINGER, &lingers[i], sizeof lingers[i]));
        SAY(sys->getsockopt(fd, SOL_SOCKET, SO_LINGER, &got, &len));
        say_seen("    is %d %d", got.l_onoff, got.l_linger);
    }
    sys->close(fd);
}

static void buffers(int type)
{
    static const int sizes[] = {0, 1, 2000, 5000, 65536, 150000};
    int fd = sys->socket(AF_INET, type, 0), value;

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        socklen_t len = sizeof value;
        say_seen("type %d, size %d", type, sizes[i]);
        SAY(sys->setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &sizes[i], sizeof sizes[i]));
        SAY(sys->getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &value, &len));
        say_seen("    send %d", value);
        SAY(sys->setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &sizes[i], sizeof sizes[i]));
        SAY(sys->getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &value, &len));
        say_seen("    receive %d", value);
    }
    sys->close(fd);
}

static void congestion(void)
{
    int fd = sys->socket(AF_INET, SOCK_STREAM, 0);
    char name[32];
    socklen_t len = sizeof name;

    memset(name, 0, sizeof name);
    SAY(sys->setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4));
    len = sizeof name;
    SAY(sys->getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &len));
    say_seen("    %s, %u", name, len);
    len = 3;
    SAY(sys->getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &len));
    say_seen("    %.3s, %u", name, len);
    SAY(sys->setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "nonsense", 8));
    SAY(sys->setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "", 0));
    sys->close(fd);
}

static void digest_keys(void)
{
    int fd = sys->socket(AF_INET, SOCK_STREAM, 0), udp = sys->socket(AF_INET, SOCK_DGRAM, 0);
    struct tcp_md5sig key = {.tcpm_keylen = 3, .tcpm_key = "key"};
    union net_addr at = net_in("127.0.0.1", 0), other = net_in6("::1", 0);
    char got[sizeof key];
    socklen_t len = sizeof got;

    memcpy(&key.tcpm_addr, &at.storage, sizeof key.tcpm_addr);
    SAY(sys->setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &key, sizeof key));
    SAY(sys->setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &key, sizeof key - 1));
    SAY(sys->setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, NULL, sizeof key));
    SAY(sys->setsockopt(udp, IPPROTO_TCP, TCP_MD5SIG, &key, sizeof key));
    SAY(sys->getsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, got, &len));
    key.tcpm_keylen = TCP_MD5SIG_MAXKEYLEN + 1;
    SAY(sys->setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &key, sizeof key));
    key.tcpm_keylen = 0; /* removes it */
    SAY(sys->setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &key, sizeof key));
    SAY(sys->setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &key, sizeof key));
    key.tcpm_keylen = 3;
    key.tcpm_flags = TCP_MD5SIG_FLAG_PREFIX;
    key.tcpm_prefixlen = 24;
    SAY(sys->setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG_EXT, &key, sizeof key));
    key.tcpm_prefixlen = 33;
    SAY(sys->setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG_EXT, &key, sizeof key));
    memcpy(&key.tcpm_addr, &other.storage, sizeof key.tcpm_addr);
    SAY(sys->setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &key, sizeof key));
    sys->close(fd);
    sys->close(udp);
}

static void digest_keys_of_others(void)
{
    union net_addr at = net_in("192.0.2.1", 0), mapped = net_in6("::ffff:192.0.2.0", 0);
    struct tcp_md5sig key = {.tcpm_keylen = 3, .tcpm_key = "key"};
    int fds[2], fd = sys->socket(AF_INET6, SOCK_STREAM, 0);

    net_pair(fds);
    memcpy(&key.tcpm_addr, &at.storage, sizeof key.tcpm_addr);
    SAY(sys->setsockopt(fds[0], IPPROTO_TCP, TCP_MD5SIG, &key, sizeof key));
    SAY(sys->sendto(fds[0], "x", 1, 0, NULL, 0));
    key.tcpm_keylen = 0;
    SAY(sys->setsockopt(fds[0], IPPROTO_TCP, TCP_MD5SIG, &key, sizeof key));
    SAY(sys->setsockopt(fds[0], IPPROTO_TCP, TCP_MD5SIG, &key, sizeof key));
    sys->close(fds[0]);
    sys->close(fds[1]);

    memcpy(&key.tcpm_addr, &mapped.storage, sizeof key.tcpm_addr);
    key.tcpm_keylen = 3;
    key.tcpm_flags = TCP_MD5SIG_FLAG_PREFIX;
    for (uint8_t len = 31; len <= 33; len++) {
        key.tcpm_prefixlen = len;
        SAY(sys->setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG_EXT, &key, sizeof key));
    }
    sys->close(fd);
}

/* The numbers are shown as they are kept. */
static void fastopen_key(void)
{
    static const uint8_t keys[32] = {1, 2, 3, [16] = 4, 5, 6};
    int listener = net_listener("127.0.0.1"), fd = sys->socket(AF_INET, SOCK_STREAM, 0);
    int fds[2] = {listener, fd};

    for (int i = 0; i < 2; i++) {
        uint8_t got[40] = {0};
        socklen_t len = sizeof got;

        SAY(sys->setsockopt(fds[i], IPPROTO_TCP, TCP_FASTOPEN_KEY, keys, 16));
        SAY(sys->getsockopt(fds[i], IPPROTO_TCP, TCP_FASTOPEN_KEY, got, &len));
        say_seen("    %u bytes, %d %d", len, got[0], got[16]);
        SAY(sys->setsockopt(fds[i], IPPROTO_TCP, TCP_FASTOPEN_KEY, keys, 32));
        len = sizeof got;
        SAY(sys->getsockopt(fds[i], IPPROTO_TCP, TCP_FASTOPEN_KEY, got, &len));
        say_seen("    %u bytes, %d %d", len, got[0], got[16]);
        len = 16;
        SAY(sys->getsockopt(fds[i], IPPROTO_TCP, TCP_FASTOPEN_KEY, got, &len));
        say_seen("    %u bytes", len);
        SAY(sys->setsockopt(fds[i], IPPROTO_TCP, TCP_FASTOPEN_KEY, keys, 0));
        SAY(sys->setsockopt(fds[i], IPPROTO_TCP, TCP_FASTOPEN_KEY, keys, 17));
        SAY(sys->setsockopt(fds[i], IPPROTO_TCP, TCP_FASTOPEN_KEY, keys, 40));
        sys->close(fds[i]);
    }
}

static void say_info(const char *text, int fd)
{
    struct tcp_info info;
    socklen_t len = sizeof info;

    memset(&info, 0, sizeof info);
    say_result(text, sys->getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len));
    say_seen("    state %d, ca %d, retransmits %d, probes %d, backoff %d, lost %u, length %u",
             info.tcpi_state, info.tcpi_ca_state, info.tcpi_retransmits, info.tcpi_probes,
             info.tcpi_backoff, info.tcpi_lost, len);
    say_seen("    unacked %u, sacked %u, ssthresh %u, total retrans %u", info.tcpi_unacked,
             info.tcpi_sacked, info.tcpi_snd_ssthresh, info.tcpi_total_retrans);
}

static void info(void)
{
    int listener = net_listener("127.0.0.1"), fd = sys->socket(AF_INET, SOCK_STREAM, 0), fds[2];
    int udp = sys->socket(AF_INET, SOCK_DGRAM, 0);
    struct tcp_info short_info;
    socklen_t len = 8;
    char bytes[100] = {0};

    say_info("new", fd);
    say_info("listening", listener);
    net_pair(fds);
    sys->sendto(fds[0], bytes, 100, 0, NULL, 0);
    net_moment();
    say_info("connected", fds[0]);
    say_info("accepted", fds[1]);
    sys->recvfrom(fds[1], bytes, 100, 0, NULL, NULL);
    sys->close(fds[1]);
    net_moment();
    say_info("half closed", fds[0]);
    SAY(sys->getsockopt(fds[0], IPPROTO_TCP, TCP_INFO, &short_info, &len));
    say_seen("length %u", len);
    SAY(sys->getsockopt(udp, IPPROTO_TCP, TCP_INFO, &short_info, &len));
    SAY(sys->setsockopt(fds[0], IPPROTO_TCP, TCP_INFO, &short_info, sizeof short_info));
    sys->close(fds[0]);
    sys->close(listener);
    sys->close(fd);
    sys->close(udp);
}

static void connected(void)
{
    int fds[2], value = 9;

    net_pair(fds);
    for (size_t i = 0; i < COUNT; i++)
        if (ints[i].level != IPPROTO_TCP
            || (ints[i].name != TCP_MAXSEG && ints[i].name != TCP_WINDOW_CLAMP))
            say_get(fds[1], i);
    SAY(sys->setsockopt(fds[0], IPPROTO_IP, IP_TTL, &value, sizeof value));
    SAY(sys->setsockopt(fds[0], IPPROTO_TCP, TCP_KEEPCNT, &value, sizeof value));
    SAY(sys->setsockopt(fds[0], IPPROTO_TCP, TCP_NODELAY, &value, sizeof value));
    sys->close(fds[0]);
    sys->close(fds[1]);
}

void check_options(void)
{
    defaults(AF_INET, SOCK_STREAM);
    defaults(AF_INET, SOCK_DGRAM);
    defaults(AF_INET6, SOCK_STREAM);
    defaults(AF_INET6, SOCK_DGRAM);
    setting(AF_INET, SOCK_STREAM);
    setting(AF_INET6, SOCK_STREAM);
    setting(AF_INET, SOCK_DGRAM);
    lengths();
    structs();
    buffers(SOCK_STREAM);
    buffers(SOCK_DGRAM);
    congestion();
    digest_keys();
    digest_keys_of_others();
    fastopen_key();
    info();
    connected();
}
