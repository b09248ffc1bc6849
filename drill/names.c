/*
 * names.c - the constants that calls and assertions name, with Linux's values
 */
#include "drill/names.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

struct name {
    const char *text;
    int64_t value;
};

#define N(name)                                                                                    \
    {                                                                                              \
#name, (int64_t)(name)                                                                     \
    }

static const struct name constants[] = {
    N(AF_INET),
    N(AF_INET6),
    N(AF_UNSPEC),
    N(PF_INET),
    N(PF_INET6),
    N(SOCK_STREAM),
    N(SOCK_DGRAM),
    N(SOCK_RAW),
    N(SOCK_NONBLOCK),
    N(SOCK_CLOEXEC),
    N(IPPROTO_IP),
    N(IPPROTO_IPV6),
    N(IPPROTO_TCP),
    N(IPPROTO_UDP),
    N(IPPROTO_ICMP),
    N(IPPROTO_ICMPV6),
    N(SOL_SOCKET),
    N(SOL_IP),
    N(SOL_IPV6),
    N(SOL_TCP),
    N(SOL_UDP),
    N(SO_ACCEPTCONN),
    N(SO_BROADCAST),
    N(SO_BINDTODEVICE),
    N(SO_DEBUG),
    N(SO_DOMAIN),
    N(SO_DONTROUTE),
    N(SO_ERROR),
    N(SO_INCOMING_CPU),
    N(SO_KEEPALIVE),
    N(SO_LINGER),
    N(SO_MARK),
    N(SO_NO_CHECK),
    N(SO_OOBINLINE),
    N(SO_PRIORITY),
    N(SO_PROTOCOL),
    N(SO_RCVBUF),
    N(SO_RCVLOWAT),
    N(SO_RCVTIMEO),
    N(SO_REUSEADDR),
    N(SO_REUSEPORT),
    N(SO_SNDBUF),
    N(SO_SNDLOWAT),
    N(SO_SNDTIMEO),
    N(SO_TIMESTAMP),
    N(SO_TIMESTAMPING),
    N(SO_TYPE),
    N(SO_MAX_PACING_RATE),
    N(SO_ZEROCOPY),
    N(SO_BUSY_POLL),
    N(IP_TOS),
    N(IP_TTL),
    N(IP_MTU),
    N(IP_MTU_DISCOVER),
    N(IP_RECVERR),
    N(IP_RECVTTL),
    N(IP_RECVTOS),
    N(IP_FREEBIND),
    N(IP_PMTUDISC_WANT),
    N(IP_PMTUDISC_DONT),
    N(IP_PMTUDISC_DO),
    N(IP_PMTUDISC_PROBE),
    N(IPV6_MTU),
    N(IPV6_MTU_DISCOVER),
    N(IPV6_RECVERR),
    N(IPV6_TCLASS),
    N(IPV6_UNICAST_HOPS),
    N(IPV6_V6ONLY),
    N(IPV6_HOPLIMIT),
    N(TCP_NODELAY),
    N(TCP_MAXSEG),
    N(TCP_CORK),
    N(TCP_KEEPIDLE),
    N(TCP_KEEPINTVL),
    N(TCP_KEEPCNT),
    N(TCP_SYNCNT),
    N(TCP_LINGER2),
    N(TCP_DEFER_ACCEPT),
    N(TCP_WINDOW_CLAMP),
    N(TCP_INFO),
    N(TCP_QUICKACK),
    N(TCP_CONGESTION),
    N(TCP_MD5SIG),
    N(TCP_THIN_LINEAR_TIMEOUTS),
    N(TCP_THIN_DUPACK),
    N(TCP_USER_TIMEOUT),
    N(TCP_FASTOPEN),
    N(TCP_FASTOPEN_CONNECT),
    N(TCP_FASTOPEN_KEY),
    N(TCP_FASTOPEN_NO_COOKIE),
    N(TCP_TIMESTAMP),
    N(TCP_NOTSENT_LOWAT),
    N(TCP_INQ),
    N(TCP_CM_INQ),
    N(TCP_SAVE_SYN),
    N(TCP_SAVED_SYN),
    N(MSG_OOB),
    N(MSG_PEEK),
    N(MSG_DONTROUTE),
    N(MSG_CTRUNC),
    N(MSG_TRUNC),
    N(MSG_DONTWAIT),
    N(MSG_EOR),
    N(MSG_WAITALL),
    N(MSG_CONFIRM),
    N(MSG_ERRQUEUE),
    N(MSG_NOSIGNAL),
    N(MSG_MORE),
    N(MSG_FASTOPEN),
    N(MSG_ZEROCOPY),
    N(MSG_CMSG_CLOEXEC),
    N(SHUT_RD),
    N(SHUT_WR),
    N(SHUT_RDWR),
    N(F_GETFL),
    N(F_SETFL),
    N(F_GETFD),
    N(F_SETFD),
    N(FD_CLOEXEC),
    N(O_RDONLY),
    N(O_WRONLY),
    N(O_RDWR),
    N(O_NONBLOCK),
    N(O_CREAT),
    N(O_TRUNC),
    N(POLLIN),
    N(POLLPRI),
    N(POLLOUT),
    N(POLLERR),
    N(POLLHUP),
    N(POLLNVAL),
    N(POLLRDNORM),
    N(POLLWRNORM),
    N(POLLRDHUP),
    N(EPOLLIN),
    N(EPOLLPRI),
    N(EPOLLOUT),
    N(EPOLLERR),
    N(EPOLLHUP),
    N(EPOLLRDHUP),
    N(EPOLLET),
    N(EPOLLONESHOT),
    N(EPOLLEXCLUSIVE),
    N(EPOLL_CTL_ADD),
    N(EPOLL_CTL_MOD),
    N(EPOLL_CTL_DEL),
    N(FIONREAD),
    N(FIONBIO),
    N(SIOCINQ),
    N(SIOCOUTQ),
    N(SIOCOUTQNSD),
    N(SIOCATMARK),
    N(SPLICE_F_MOVE),
    N(SPLICE_F_NONBLOCK),
    N(SPLICE_F_MORE),
    N(SO_EE_ORIGIN_NONE),
    N(SO_EE_ORIGIN_LOCAL),
    N(SO_EE_ORIGIN_ICMP),
    N(SO_EE_ORIGIN_ICMP6),
    N(SO_EE_ORIGIN_ZEROCOPY),
    N(SO_EE_ORIGIN_TIMESTAMPING),
    N(SO_EE_CODE_ZEROCOPY_COPIED),
    N(SOF_TIMESTAMPING_TX_HARDWARE),
    N(SOF_TIMESTAMPING_TX_SOFTWARE),
    N(SOF_TIMESTAMPING_RX_HARDWARE),
    N(SOF_TIMESTAMPING_RX_SOFTWARE),
    N(SOF_TIMESTAMPING_SOFTWARE),
    N(SOF_TIMESTAMPING_SYS_HARDWARE),
    N(SOF_TIMESTAMPING_RAW_HARDWARE),
    N(SOF_TIMESTAMPING_OPT_ID),
    N(SOF_TIMESTAMPING_TX_SCHED),
    N(SOF_TIMESTAMPING_TX_ACK),
    N(SOF_TIMESTAMPING_OPT_CMSG),
    N(SOF_TIMESTAMPING_OPT_TSONLY),
    N(SOF_TIMESTAMPING_OPT_STATS),
    N(SCM_TIMESTAMPING),
    N(SCM_TIMESTAMPING_OPT_STATS),
    N(SCM_TSTAMP_SND),
    N(SCM_TSTAMP_SCHED),
    N(SCM_TSTAMP_ACK),
};

static const struct name errors[] = {
    N(EPERM),           N(ENOENT),          N(EINTR),      N(EIO),
    N(EBADF),           N(EAGAIN),          N(ENOMEM),     N(EACCES),
    N(EFAULT),          N(EBUSY),           N(EEXIST),     N(ENODEV),
    N(EINVAL),          N(EMFILE),          N(ENOTTY),     N(EFBIG),
    N(ENOSPC),          N(ESPIPE),          N(EPIPE),      N(ERANGE),
    N(ENOSYS),          N(EPROTO),          N(EBADMSG),    N(ENOTSOCK),
    N(EDESTADDRREQ),    N(EMSGSIZE),        N(EPROTOTYPE), N(ENOPROTOOPT),
    N(EPROTONOSUPPORT), N(ESOCKTNOSUPPORT), N(EOPNOTSUPP), N(EAFNOSUPPORT),
    N(EADDRINUSE),      N(EADDRNOTAVAIL),   N(ENETDOWN),   N(ENETUNREACH),
    N(ENETRESET),       N(ECONNABORTED),    N(ECONNRESET), N(ENOBUFS),
    N(EISCONN),         N(ENOTCONN),        N(ETIMEDOUT),  N(ECONNREFUSED),
    N(EHOSTDOWN),       N(EHOSTUNREACH),    N(EALREADY),   N(EINPROGRESS),
    N(ESTALE),          N(ECANCELED),       N(ENOMSG),
};

static const struct name info_constants[] = {
    {"TCP_ESTABLISHED", 1},
    {"TCP_SYN_SENT", 2},
    {"TCP_SYN_RECV", 3},
    {"TCP_FIN_WAIT1", 4},
    {"TCP_FIN_WAIT2", 5},
    {"TCP_TIME_WAIT", 6},
    {"TCP_CLOSE", 7},
    {"TCP_CLOSE_WAIT", 8},
    {"TCP_LAST_ACK", 9},
    {"TCP_LISTEN", 10},
    {"TCP_CLOSING", 11},
    {"TCP_CA_Open", 0},
    {"TCP_CA_Disorder", 1},
    {"TCP_CA_CWR", 2},
    {"TCP_CA_Recovery", 3},
    {"TCP_CA_Loss", 4},
    {"TCPI_OPT_TIMESTAMPS", 1},
    {"TCPI_OPT_SACK", 2},
    {"TCPI_OPT_WSCALE", 4},
    {"TCPI_OPT_ECN", 8},
    {"TCPI_OPT_ECN_SEEN", 16},
    {"TCPI_OPT_SYN_DATA", 32},
    {"TCPI_OPT_USEC_TS", 64},
    {"TCPI_OPT_TFO_CHILD", 128},
    {"TCP_INFINITE_SSTHRESH", 0x7fffffff},
    {"TCPI_ECN_MODE_DISABLED", 0},
    {"TCPI_ECN_MODE_RFC3168", 1},
    {"TCPI_ECN_MODE_ACCECN", 2},
    {"TCPI_ECN_MODE_PENDING", 3},
    {"TCP_ACCECN_OPT_NOT_SEEN", 0},
    {"TCP_ACCECN_OPT_EMPTY_SEEN", 1},
    {"TCP_ACCECN_OPT_COUNTER_SEEN", 2},
    {"TCP_ACCECN_OPT_FAIL_SEEN", 3},
};

/* Members of Linux's struct tcp_info: where they are and how long. */
static const struct member {
    const char *name;
    uint16_t at;
    uint8_t len;
} members[] = {
    {"tcpi_state", 0, 1},
    {"tcpi_ca_state", 1, 1},
    {"tcpi_retransmits", 2, 1},
    {"tcpi_probes", 3, 1},
    {"tcpi_backoff", 4, 1},
    {"tcpi_options", 5, 1},
    {"tcpi_rto", 8, 4},
    {"tcpi_ato", 12, 4},
    {"tcpi_snd_mss", 16, 4},
    {"tcpi_rcv_mss", 20, 4},
    {"tcpi_unacked", 24, 4},
    {"tcpi_sacked", 28, 4},
    {"tcpi_lost", 32, 4},
    {"tcpi_retrans", 36, 4},
    {"tcpi_fackets", 40, 4},
    {"tcpi_last_data_sent", 44, 4},
    {"tcpi_last_ack_sent", 48, 4},
    {"tcpi_last_data_recv", 52, 4},
    {"tcpi_last_ack_recv", 56, 4},
    {"tcpi_pmtu", 60, 4},
    {"tcpi_rcv_ssthresh", 64, 4},
    {"tcpi_rtt", 68, 4},
    {"tcpi_rttvar", 72, 4},
    {"tcpi_snd_ssthresh", 76, 4},
    {"tcpi_snd_cwnd", 80, 4},
    {"tcpi_advmss", 84, 4},
    {"tcpi_reordering", 88, 4},
    {"tcpi_rcv_rtt", 92, 4},
    {"tcpi_rcv_space", 96, 4},
    {"tcpi_total_retrans", 100, 4},
    {"tcpi_pacing_rate", 104, 8},
    {"tcpi_max_pacing_rate", 112, 8},
    {"tcpi_bytes_acked", 120, 8},
    {"tcpi_bytes_received", 128, 8},
    {"tcpi_segs_out", 136, 4},
    {"tcpi_segs_in", 140, 4},
    {"tcpi_notsent_bytes", 144, 4},
    {"tcpi_min_rtt", 148, 4},
    {"tcpi_data_segs_in", 152, 4},
    {"tcpi_data_segs_out", 156, 4},
    {"tcpi_delivery_rate", 160, 8},
    {"tcpi_busy_time", 168, 8},
    {"tcpi_rwnd_limited", 176, 8},
    {"tcpi_sndbuf_limited", 184, 8},
    {"tcpi_delivered", 192, 4},
    {"tcpi_delivered_ce", 196, 4},
    {"tcpi_bytes_sent", 200, 8},
    {"tcpi_bytes_retrans", 208, 8},
    {"tcpi_dsack_dups", 216, 4},
    {"tcpi_reord_seen", 220, 4},
    {"tcpi_rcv_ooopack", 224, 4},
    {"tcpi_snd_wnd", 228, 4},
    {"tcpi_rcv_wnd", 232, 4},
    {"tcpi_rehash", 236, 4},
    {"tcpi_total_rto", 240, 2},
    {"tcpi_total_rto_recoveries", 242, 2},
    {"tcpi_total_rto_time", 244, 4},
    {"tcpi_received_ce", 248, 4},
    {"tcpi_delivered_e1_bytes", 252, 4},
    {"tcpi_delivered_e0_bytes", 256, 4},
    {"tcpi_delivered_ce_bytes", 260, 4},
    {"tcpi_received_e1_bytes", 264, 4},
    {"tcpi_received_e0_bytes", 268, 4},
    {"tcpi_received_ce_bytes", 272, 4},
};

/* Members of a few bits, from the lowest of a word of 32 (or 8) bits on. */
static const struct bits {
    const char *name;
    uint16_t at;
    uint8_t len; /* of the word, in bytes */
    uint8_t shift, width;
} bits[] = {
    {"tcpi_snd_wscale", 6, 1, 0, 4},
    {"tcpi_rcv_wscale", 6, 1, 4, 4},
    {"tcpi_delivery_rate_app_limited", 7, 1, 0, 1},
    {"tcpi_fastopen_client_fail", 7, 1, 1, 2},
    {"tcpi_ecn_mode", 276, 4, 0, 2},
    {"tcpi_accecn_opt_seen", 276, 4, 2, 2},
    {"tcpi_accecn_fail_mode", 276, 4, 4, 4},
    {"tcpi_options2", 276, 4, 8, 24},
};

static bool find(const struct name *names, size_t count, const char *text, int64_t *value)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i].text, text) == 0) {
            *value = names[i].value;
            return true;
        }
    }
    return false;
}

bool drill_name_value(const char *name, int64_t *value)
{
    return find(constants, sizeof constants / sizeof *constants, name, value)
           || find(errors, sizeof errors / sizeof *errors, name, value);
}

const char *drill_errno_name(int error, char room[24])
{
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        if (errors[i].value == error)
            return errors[i].text;
    }
    (void)snprintf(room, 24, "error %d", error);
    return room;
}

/* A number of the machine's byte order. */
static uint64_t word_at(const uint8_t *bytes, size_t room, size_t at, size_t len)
{
    uint8_t narrow;
    uint16_t half;
    uint32_t word;
    uint64_t wide;

    if (at + len > room)
        return 0;
    switch (len) {
    case 1: memcpy(&narrow, bytes + at, 1); return narrow;
    case 2: memcpy(&half, bytes + at, 2); return half;
    case 4: memcpy(&word, bytes + at, 4); return word;
    default: memcpy(&wide, bytes + at, 8); return wide;
    }
}

/* Compilers fill words of bits from the end that is lowest in memory. */
static uint64_t bits_of(uint64_t word, const struct bits *b)
{
    const union {
        uint16_t half;
        uint8_t bytes[2];
    } probe = {1};
    unsigned shift = probe.bytes[0] == 1 ? b->shift : b->len * 8u - b->shift - b->width;

    return word >> shift & ((UINT64_C(1) << b->width) - 1);
}

bool drill_info_value(const uint8_t *bytes, size_t len, const char *name, int64_t *value)
{
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        if (strcmp(members[i].name, name) == 0) {
            *value = (int64_t)word_at(bytes, len, members[i].at, members[i].len);
            return true;
        }
    }
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
        if (strcmp(bits[i].name, name) == 0) {
            *value = (int64_t)bits_of(word_at(bytes, len, bits[i].at, bits[i].len), &bits[i]);
            return true;
        }
    }
    return find(info_constants, sizeof info_constants / sizeof *info_constants, name, value);
}
