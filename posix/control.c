/*
 * control.c - control messages of datagrams, and the one of streams
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <time.h>

/* Needs struct timespec. */
#include <linux/errqueue.h>

#include "posix/sock.h"

struct writer {
    struct msghdr *msg;
    size_t room, used;
};

/* What does not fit is cut, and the message says so. */
static void put(struct writer *w, int level, int type, const void *value, size_t len)
{
    struct cmsghdr header = {.cmsg_len = CMSG_LEN(len), .cmsg_level = level, .cmsg_type = type};
    char *at = (char *)w->msg->msg_control + w->used;
    size_t room = w->room - w->used;

    if (room < sizeof header) {
        w->msg->msg_flags |= MSG_CTRUNC;
        return;
    }
    if (room < header.cmsg_len) {
        w->msg->msg_flags |= MSG_CTRUNC;
        header.cmsg_len = room;
    }
    memcpy(at, &header, sizeof header);
    memcpy(at + CMSG_LEN(0), value, header.cmsg_len - CMSG_LEN(0));
    w->used += room < CMSG_SPACE(len) ? room : CMSG_SPACE(len);
}

static void put_int(struct writer *w, int level, int type, int value)
{
    put(w, level, type, &value, sizeof value);
}

static void put_ip4(struct writer *w, const struct sock *s, const struct weir_datagram *about)
{
    struct in_pktinfo info = {.ipi_ifindex = (int)about->to.netif};

    memcpy(&info.ipi_addr, about->to.addr.b + 12, sizeof info.ipi_addr);
    info.ipi_spec_dst = info.ipi_addr;
    if (s->opts.recv_pktinfo)
        put(w, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
    if (s->opts.recv_ttl)
        put_int(w, IPPROTO_IP, IP_TTL, about->ttl);
    if (s->opts.recv_tos)
        put(w, IPPROTO_IP, IP_TOS, &about->tos, 1);
}

static void put_ip6(struct writer *w, const struct sock *s, const struct weir_datagram *about)
{
    struct in6_pktinfo info = {.ipi6_ifindex = about->to.netif};

    memcpy(&info.ipi6_addr, about->to.addr.b, sizeof info.ipi6_addr);
    if (s->opts.recv_pktinfo6)
        put(w, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
    if (s->opts.recv_hoplimit)
        put_int(w, IPPROTO_IPV6, IPV6_HOPLIMIT, about->ttl);
    if (s->opts.recv_tclass)
        put_int(w, IPPROTO_IPV6, IPV6_TCLASS, about->tos);
}

static struct writer writer_of(struct msghdr *msg)
{
    return (struct writer){.msg = msg, .room = msg->msg_control != NULL ? msg->msg_controllen : 0};
}

void control_put_inq(struct msghdr *msg, int left)
{
    struct writer w = writer_of(msg);

    put_int(&w, IPPROTO_TCP, TCP_CM_INQ, left);
    msg->msg_controllen = w.used;
}

void control_put_error(const struct sock *s, struct msghdr *msg,
                       const struct sock_extended_err *said, const struct weir_addr *offender)
{
    struct {
        struct sock_extended_err said;
        union {
            struct sockaddr_in in;
            struct sockaddr_in6 in6;
        } from;
    } error;
    bool is_in6 = s->domain == AF_INET6;
    struct writer w = writer_of(msg);

    memset(&error, 0, sizeof error);
    error.said = *said;
    if (offender != NULL && is_in6) {
        error.from.in6.sin6_family = AF_INET6;
        memcpy(&error.from.in6.sin6_addr, offender->b, sizeof offender->b);
    } else if (offender != NULL) {
        error.from.in.sin_family = AF_INET;
        memcpy(&error.from.in.sin_addr, offender->b + 12, sizeof error.from.in.sin_addr);
    }
    put(&w, is_in6 ? IPPROTO_IPV6 : IPPROTO_IP, is_in6 ? IPV6_RECVERR : IP_RECVERR, &error,
        sizeof error.said + (is_in6 ? sizeof error.from.in6 : sizeof error.from.in));
    msg->msg_controllen = w.used;
}

void control_put(const struct sock *s, struct msghdr *msg, const struct weir_datagram *about)
{
    struct writer w = writer_of(msg);

    if (weir_addr_is_v4(&about->to.addr))
        put_ip4(&w, s, about);
    if (s->domain == AF_INET6)
        put_ip6(&w, s, about);
    msg->msg_controllen = w.used;
}
