/*
 * sockopt.c - getsockopt and setsockopt
 *
 * An option is one of the stack's (a row of the first table), or the socket's own. Those of the
 * stack are kept in the socket, too, because a handle may come later. What nobody supports is
 * answered with ENOPROTOOPT, never swallowed. Those of TCP alone are in sockopt_tcp.c.
 */
#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>

#include "posix/option.h"
#include "posix/sock.h"

enum {
    BUFFER_MAX = 212992, /* net.core.rmem_max and wmem_max */
    SEND_BUFFER_MIN = 4608,
    RECV_BUFFER_MIN = 2304,
};

/* ---- values in and out ---- */

int option_take_int(const struct option *o, int *value)
{
    if (o->in == NULL)
        return -EFAULT;
    if (o->len < sizeof *value)
        return -EINVAL;
    memcpy(value, o->in, sizeof *value);
    return 0;
}

/* Options of IP may be bytes. */
int option_take_byte_or_int(const struct option *o, int *value)
{
    if (o->in == NULL)
        return -EFAULT;
    if (o->len >= sizeof *value)
        return option_take_int(o, value);
    *value = o->len == 0 ? 0 : *(const uint8_t *)o->in;
    return 0;
}

int option_give(struct option *o, const void *value, size_t len)
{
    if (o->len > len)
        o->len = (socklen_t)len;
    memcpy(o->out, value, o->len);
    return 0;
}

int option_give_int(struct option *o, int value)
{
    uint8_t byte = (uint8_t)value;

    if (o->level == IPPROTO_IP && o->len > 0 && o->len < sizeof value && value >= 0
        && value <= UINT8_MAX)
        return option_give(o, &byte, 1);
    return option_give(o, &value, sizeof value);
}

/* ---- the stack's options ---- */

static bool is_of_listeners(enum weir_opt opt)
{
    return opt == WEIR_OPT_DEFER_ACCEPT || opt == WEIR_OPT_FASTOPEN_QUEUE;
}

size_t sock_list_options(const struct sock *s, struct weir_opt_value opts[SOCK_LISTED_MAX],
                         bool is_listener)
{
    size_t count = 0;

    for (int i = 0; i < WEIR_OPT_COUNT; i++)
        if (s->opts.is_set[i] && (is_listener || !is_of_listeners((enum weir_opt)i)))
            opts[count++] = (struct weir_opt_value){(enum weir_opt)i, s->opts.values[i]};
    return count;
}

int option_set_in_stack(struct weir_posix *px, struct sock *s, enum weir_opt opt, int64_t value)
{
    bool is_told = s->handle != 0 && (s->phase == SOCK_LISTENING || !is_of_listeners(opt));
    int err = is_told ? weir_set(px->stack, s->handle, opt, value) : WEIR_OK;

    if (err == WEIR_ESTALE) /* an end of the connection that was never told makes no difference */
        err = WEIR_OK;
    if (err != WEIR_OK)
        return err == WEIR_ESTATE ? -EINVAL : px_errno(err);
    s->opts.is_set[opt] = true;
    s->opts.values[opt] = value;
    return 0;
}

int64_t option_get_in_stack(const struct weir_posix *px, const struct sock *s, enum weir_opt opt)
{
    int64_t value = 0;

    if (s->opts.is_set[opt])
        return s->opts.values[opt];
    if (s->handle == 0 || weir_get(px->stack, s->handle, opt, &value) != WEIR_OK)
        weir_default(px->stack, opt, &value);
    return value;
}

/* How a number of the stack's is an int of stream sockets. */
struct row {
    int level, name;
    enum weir_opt opt;
    int64_t unit; /* of the int, in the stack's; 0: a switch, anything but 0 is on */
    int least, most;
};

static const struct row rows[] = {
    {SOL_SOCKET, SO_KEEPALIVE, WEIR_OPT_KEEPALIVE, 0, INT_MIN, INT_MAX},
    {IPPROTO_TCP, TCP_NODELAY, WEIR_OPT_NODELAY, 0, INT_MIN, INT_MAX},
    {IPPROTO_TCP, TCP_CORK, WEIR_OPT_CORK, 0, INT_MIN, INT_MAX},
    {IPPROTO_TCP, TCP_QUICKACK, WEIR_OPT_QUICKACK, 0, INT_MIN, INT_MAX},
    {IPPROTO_TCP, TCP_KEEPIDLE, WEIR_OPT_KEEPALIVE_IDLE, WEIR_S, 1, 32767},
    {IPPROTO_TCP, TCP_KEEPINTVL, WEIR_OPT_KEEPALIVE_INTERVAL, WEIR_S, 1, 32767},
    {IPPROTO_TCP, TCP_KEEPCNT, WEIR_OPT_KEEPALIVE_PROBES, 1, 1, 127},
    {IPPROTO_TCP, TCP_SYNCNT, WEIR_OPT_SYN_RETRIES, 1, 1, 127},
    {IPPROTO_TCP, TCP_USER_TIMEOUT, WEIR_OPT_USER_TIMEOUT, WEIR_MS, 0, INT_MAX},
    {IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, WEIR_OPT_FASTOPEN_NO_COOKIE, 1, 0, 1},
};

static const struct row *row_of(const struct sock *s, const struct option *o)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *r = &rows[i];

        if (r->level == o->level && r->name == o->name && s->file.kind == FILE_STREAM)
            return r;
    }
    return NULL;
}

static int set_row(struct weir_posix *px, struct sock *s, const struct row *r,
                   const struct option *o)
{
    int value, err = option_take_int(o, &value);

    if (err != 0)
        return err;
    if (value < r->least || value > r->most)
        return -EINVAL;
    return option_set_in_stack(px, s, r->opt, r->unit == 0 ? value != 0 : value * r->unit);
}

static int get_row(const struct weir_posix *px, const struct sock *s, const struct row *r,
                   struct option *o)
{
    int64_t value = option_get_in_stack(px, s, r->opt);

    return option_give_int(o, (int)(r->unit == 0 ? value : value / r->unit));
}

/* ---- SOL_SOCKET ---- */

/* It is not the stack that limits what is sent. */
static bool has_own_buffer(const struct weir_posix *px, const struct sock *s)
{
    return s->file.kind == FILE_DATAGRAM || px->send_memory.counts_overhead;
}

/* Linux doubles what was asked for: half of it is for its own needs. */
static int set_buffer(struct weir_posix *px, struct sock *s, const struct option *o)
{
    bool is_send = o->name == SO_SNDBUF || o->name == SO_SNDBUFFORCE;
    int value, err = option_take_int(o, &value);

    if (err != 0)
        return err;
    if (o->name == SO_SNDBUFFORCE || o->name == SO_RCVBUFFORCE)
        value = value > INT_MAX / 2 ? INT_MAX / 2 : value < 0 ? 0 : value;
    else
        value = value > BUFFER_MAX || value < 0 ? BUFFER_MAX : value;
    value = 2 * value;
    if (value < (is_send ? SEND_BUFFER_MIN : RECV_BUFFER_MIN))
        value = is_send ? SEND_BUFFER_MIN : RECV_BUFFER_MIN;
    if (is_send && has_own_buffer(px, s)) {
        s->opts.send_buffer = value;
        s->sendmem.wants_room = false;
        file_changed(px, &s->file, POLLOUT);
        return 0;
    }
    return option_set_in_stack(px, s, is_send ? WEIR_OPT_SEND_BUFFER : WEIR_OPT_RECV_BUFFER,
                               value / 2);
}

static int get_buffer(const struct weir_posix *px, const struct sock *s, struct option *o)
{
    bool is_send = o->name == SO_SNDBUF;

    if (is_send && s->file.kind == FILE_DATAGRAM)
        return option_give_int(o, s->opts.send_buffer != 0 ? s->opts.send_buffer : BUFFER_MAX);
    if (is_send && has_own_buffer(px, s))
        return option_give_int(o, (int)sendmem_limit(px, s));
    return option_give_int(
        o,
        (int)(2
              * option_get_in_stack(px, s, is_send ? WEIR_OPT_SEND_BUFFER : WEIR_OPT_RECV_BUFFER)));
}

static int set_timeout(const struct option *o, weir_ns_t *timeout_ns)
{
    struct timeval tv;

    if (o->in == NULL)
        return -EFAULT;
    if (o->len < sizeof tv)
        return -EINVAL;
    memcpy(&tv, o->in, sizeof tv);
    if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
        return -EDOM;
    if (tv.tv_sec < 0)
        *timeout_ns = 0;
    else if (tv.tv_sec == 0 && tv.tv_usec == 0)
        *timeout_ns = -1;
    else
        *timeout_ns = px_ns(tv.tv_sec, tv.tv_usec * WEIR_US);
    return 0;
}

static int get_timeout(struct option *o, weir_ns_t timeout_ns)
{
    struct timeval tv = {0};

    if (timeout_ns >= 0 && timeout_ns != WEIR_NEVER) {
        tv.tv_sec = (time_t)(timeout_ns / WEIR_S);
        tv.tv_usec = (suseconds_t)(timeout_ns % WEIR_S / WEIR_US);
    }
    return option_give(o, &tv, sizeof tv);
}

static int set_linger(struct sock *s, const struct option *o)
{
    struct linger linger;

    if (o->in == NULL)
        return -EFAULT;
    if (o->len < sizeof linger)
        return -EINVAL;
    memcpy(&linger, o->in, sizeof linger);
    s->opts.linger_is_on = linger.l_onoff != 0;
    if (s->opts.linger_is_on)
        s->opts.linger_s = linger.l_linger < 0 ? INT_MAX : linger.l_linger;
    return 0;
}

static int get_linger(const struct sock *s, struct option *o)
{
    struct linger linger = {.l_onoff = s->opts.linger_is_on, .l_linger = s->opts.linger_s};

    return option_give(o, &linger, sizeof linger);
}

/* The socket's own switches. Those for control messages change nothing for streams, which have none. */
static bool *switch_of(struct sock *s, const struct option *o)
{
    static const int level[] = {SOL_SOCKET, IPPROTO_IP, IPPROTO_IPV6};
    bool is_stream = s->file.kind == FILE_STREAM;
    bool is_v6 = o->level == level[2] && s->domain == AF_INET6;

    if (o->level == level[0] && o->name == SO_REUSEADDR)
        return &s->reuse_addr;
    if (o->level == level[0] && o->name == SO_REUSEPORT)
        return &s->reuse_port;
    if (o->level == level[0] && o->name == SO_KEEPALIVE && !is_stream)
        return &s->opts.keepalive; /* of no effect */
    if (o->level == level[0] && o->name == SO_OOBINLINE)
        return &s->opts.oob_inline;
    if (o->level == level[0] && o->name == SO_BROADCAST)
        return &s->opts.broadcast;
    if (o->level == level[1] && o->name == IP_PKTINFO)
        return &s->opts.recv_pktinfo;
    if (o->level == level[1] && o->name == IP_RECVTTL)
        return &s->opts.recv_ttl;
    if (o->level == level[1] && o->name == IP_RECVTOS)
        return &s->opts.recv_tos;
    if (is_v6 && o->name == IPV6_RECVPKTINFO)
        return &s->opts.recv_pktinfo6;
    if (is_v6 && o->name == IPV6_RECVHOPLIMIT)
        return &s->opts.recv_hoplimit;
    if (is_v6 && o->name == IPV6_RECVTCLASS)
        return &s->opts.recv_tclass;
    return NULL;
}

/* More than half of the buffer might never come. */
static uint32_t low_water_of(const struct weir_posix *px, const struct sock *s, int value)
{
    int64_t most = option_get_in_stack(px, s, WEIR_OPT_RECV_BUFFER) / 2;

    if (value >= 0 && value < most)
        most = value;
    return most == 0 ? 1 : (uint32_t)most;
}

static int set_socket(struct weir_posix *px, struct sock *s, const struct option *o)
{
    int value, err = option_take_int(o, &value);

    switch (o->name) {
    case SO_SNDBUF:
    case SO_SNDBUFFORCE:
    case SO_RCVBUF:
    case SO_RCVBUFFORCE: return set_buffer(px, s, o);
    case SO_RCVTIMEO: return err != 0 ? err : set_timeout(o, &s->opts.recv_timeout_ns);
    case SO_SNDTIMEO: return err != 0 ? err : set_timeout(o, &s->opts.send_timeout_ns);
    case SO_LINGER: return err != 0 ? err : set_linger(s, o);
    case SO_RCVLOWAT:
        if (err == 0)
            s->opts.low_water = low_water_of(px, s, value);
        return err;
    case SO_PRIORITY:
        if (err == 0)
            s->opts.priority = value;
        return err;
    case SO_PEEK_OFF:
        if (err == 0)
            s->opts.peek_offset = value;
        return err;
    default: return err != 0 ? err : -ENOPROTOOPT;
    }
}

static int get_socket(struct weir_posix *px, struct sock *s, struct option *o)
{
    switch (o->name) {
    case SO_TYPE: return option_give_int(o, s->type);
    case SO_DOMAIN: return option_give_int(o, s->domain);
    case SO_PROTOCOL: return option_give_int(o, s->protocol);
    case SO_ACCEPTCONN: return option_give_int(o, s->phase == SOCK_LISTENING);
    case SO_SNDBUF:
    case SO_RCVBUF: return get_buffer(px, s, o);
    case SO_RCVTIMEO: return get_timeout(o, s->opts.recv_timeout_ns);
    case SO_SNDTIMEO: return get_timeout(o, s->opts.send_timeout_ns);
    case SO_LINGER: return get_linger(s, o);
    case SO_RCVLOWAT: return option_give_int(o, (int)s->opts.low_water);
    case SO_SNDLOWAT: return option_give_int(o, 1);
    case SO_PRIORITY: return option_give_int(o, s->opts.priority);
    case SO_PEEK_OFF: return option_give_int(o, s->opts.peek_offset);
    case SO_ERROR: {
        int error = -sock_take_error(s);

        if (error == 0) {
            error = s->soft_error;
            s->soft_error = 0;
        }
        return option_give_int(o, error);
    }
    default: return -ENOPROTOOPT;
    }
}

void sock_move_peek_offset(struct sock *s, ssize_t len, bool is_peek)
{
    if (is_peek)
        s->opts.peek_offset += (int)len;
    else
        s->opts.peek_offset = s->opts.peek_offset > len ? s->opts.peek_offset - (int)len : 0;
}

/* ---- IPPROTO_IP and IPPROTO_IPV6 ---- */

/* ECN's bits are TCP's. */
static int set_tos(struct weir_posix *px, struct sock *s, int value)
{
    int own = s->file.kind == FILE_STREAM ? 0xfc : 0xff;

    return option_set_in_stack(px, s, WEIR_OPT_TOS, value & own);
}

/* -1 is the stack's own. */
static int set_ttl(struct weir_posix *px, struct sock *s, int value, int least)
{
    int64_t usual = value;

    if (value != -1 && (value < least || value > 255))
        return -EINVAL;
    if (value == -1)
        weir_default(px->stack, WEIR_OPT_TTL, &usual);
    return option_set_in_stack(px, s, WEIR_OPT_TTL, usual);
}

/* Segments that have come further are dropped [RFC5082]; datagrams have no such thing. */
static int set_min_ttl(struct weir_posix *px, struct sock *s, int value)
{
    if (s->file.kind != FILE_STREAM)
        return -ENOPROTOOPT;
    if (value < 0 || value > 255)
        return -EINVAL;
    return option_set_in_stack(px, s, WEIR_OPT_MIN_TTL, value);
}

static int set_ip(struct weir_posix *px, struct sock *s, const struct option *o)
{
    int value, err = option_take_byte_or_int(o, &value);

    if (err != 0)
        return err;
    switch (o->name) {
    case IP_TOS: return set_tos(px, s, value);
    case IP_MINTTL: return o->len == 0 ? -EINVAL : set_min_ttl(px, s, value);
    case IP_TTL: return o->len == 0 ? -EINVAL : set_ttl(px, s, value, 1);
    default: return -ENOPROTOOPT;
    }
}

static int mtu_of(const struct weir_posix *px, const struct sock *s)
{
    struct weir_tcp_info info;

    if (s->file.kind != FILE_STREAM || s->handle == 0
        || weir_tcp_info(px->stack, s->handle, &info) != WEIR_OK)
        return -ENOTCONN;
    return (int)info.pmtu;
}

static int get_mtu(const struct weir_posix *px, const struct sock *s, struct option *o)
{
    int mtu = mtu_of(px, s);

    return mtu < 0 ? mtu : option_give_int(o, mtu);
}

static int get_ip(struct weir_posix *px, struct sock *s, struct option *o)
{
    switch (o->name) {
    case IP_TOS: return option_give_int(o, (int)option_get_in_stack(px, s, WEIR_OPT_TOS));
    case IP_MINTTL: return option_give_int(o, (int)option_get_in_stack(px, s, WEIR_OPT_MIN_TTL));
    case IP_TTL: return option_give_int(o, (int)option_get_in_stack(px, s, WEIR_OPT_TTL));
    case IP_MTU: return get_mtu(px, s, o);
    default: return -ENOPROTOOPT;
    }
}

static int set_v6only(struct sock *s, const struct option *o)
{
    int value, err = option_take_int(o, &value);

    if (err != 0)
        return err;
    if (s->is_bound)
        return -EINVAL;
    s->v6only = value != 0;
    return 0;
}

static int set_hops(struct weir_posix *px, struct sock *s, const struct option *o)
{
    int value, err = option_take_int(o, &value);

    return err != 0 ? err : set_ttl(px, s, value, 0);
}

static int set_tclass(struct weir_posix *px, struct sock *s, const struct option *o)
{
    int value, err = option_take_int(o, &value);

    if (err != 0)
        return err;
    if (value < -1 || value > 255)
        return -EINVAL;
    return set_tos(px, s, value == -1 ? 0 : value);
}

static int set_min_hops(struct weir_posix *px, struct sock *s, const struct option *o)
{
    int value, err = option_take_int(o, &value);

    return err != 0 ? err : set_min_ttl(px, s, value);
}

static int set_ip6(struct weir_posix *px, struct sock *s, const struct option *o)
{
    switch (o->name) {
    case IPV6_MINHOPCOUNT: return set_min_hops(px, s, o);
    case IPV6_TCLASS: return set_tclass(px, s, o);
    case IPV6_V6ONLY: return set_v6only(s, o);
    case IPV6_UNICAST_HOPS: return set_hops(px, s, o);
    default: return -ENOPROTOOPT;
    }
}

static int get_ip6(struct weir_posix *px, struct sock *s, struct option *o)
{
    switch (o->name) {
    case IPV6_V6ONLY: return option_give_int(o, s->v6only);
    case IPV6_MINHOPCOUNT:
        return option_give_int(o, (int)option_get_in_stack(px, s, WEIR_OPT_MIN_TTL));
    case IPV6_TCLASS: return option_give_int(o, (int)option_get_in_stack(px, s, WEIR_OPT_TOS));
    case IPV6_UNICAST_HOPS:
        return option_give_int(o, (int)option_get_in_stack(px, s, WEIR_OPT_TTL));
    case IPV6_MTU: return get_mtu(px, s, o);
    default: return -ENOPROTOOPT;
    }
}

/* ---- IPPROTO_UDP ---- */

static int set_udp(struct weir_posix *px, struct sock *s, const struct option *o)
{
    int value, err = option_take_int(o, &value);

    if (err != 0)
        return err;
    if (o->name != UDP_CORK)
        return -ENOPROTOOPT;
    s->opts.udp_cork = value != 0;
    return s->opts.udp_cork ? 0 : datagram_uncork(px, s);
}

static int get_udp(const struct sock *s, struct option *o)
{
    return o->name == UDP_CORK ? option_give_int(o, s->opts.udp_cork) : -ENOPROTOOPT;
}

/* ---- the calls ---- */

static int set_switch(bool *is_on, const struct option *o)
{
    int value, err = o->level == IPPROTO_IP ? option_take_byte_or_int(o, &value)
                                            : option_take_int(o, &value);

    if (err == 0)
        *is_on = value != 0;
    return err;
}

static int set_option(struct weir_posix *px, struct sock *s, const struct option *o)
{
    const struct row *r = row_of(s, o);
    bool *is_on = switch_of(s, o);
    int kept = kept_set(px, s, o);

    if (kept <= 0)
        return kept;
    if (r != NULL)
        return set_row(px, s, r, o);
    if (is_on != NULL)
        return set_switch(is_on, o);
    if (o->level == SOL_SOCKET)
        return set_socket(px, s, o);
    if (o->level == IPPROTO_IP)
        return set_ip(px, s, o);
    if (o->level == IPPROTO_IPV6 && s->domain == AF_INET6)
        return set_ip6(px, s, o);
    if (o->level == IPPROTO_TCP && s->file.kind == FILE_STREAM)
        return option_set_tcp(px, s, o);
    if (o->level == IPPROTO_UDP && s->file.kind == FILE_DATAGRAM)
        return set_udp(px, s, o);
    return -ENOPROTOOPT;
}

int weir_px_setsockopt(struct weir_posix *px, int fd, int level, int name, const void *value,
                       socklen_t len)
{
    struct option o = {.level = level, .name = name, .in = value, .len = len};
    struct sock *s;
    int err;

    px_enter(px);
    s = sock_get(px, fd, &err);
    if (s != NULL) {
        err = len > INT_MAX ? -EINVAL : set_option(px, s, &o);
        sock_put(px, s);
    }
    return (int)px_return(px, err);
}

static int get_option(struct weir_posix *px, struct sock *s, struct option *o)
{
    const struct row *r = row_of(s, o);
    const bool *is_on = switch_of(s, o);
    int kept = kept_get(px, s, o);

    if (kept <= 0)
        return kept;
    if (r != NULL)
        return get_row(px, s, r, o);
    if (is_on != NULL)
        return option_give_int(o, *is_on);
    if (o->level == SOL_SOCKET)
        return get_socket(px, s, o);
    if (o->level == IPPROTO_IP)
        return get_ip(px, s, o);
    if (o->level == IPPROTO_IPV6 && s->domain == AF_INET6)
        return get_ip6(px, s, o);
    if (o->level == IPPROTO_TCP && s->file.kind == FILE_STREAM)
        return option_get_tcp(px, s, o);
    if (o->level == IPPROTO_UDP && s->file.kind == FILE_DATAGRAM)
        return get_udp(s, o);
    return s->domain == AF_INET ? -EOPNOTSUPP : -ENOPROTOOPT; /* as it happens on Linux */
}

int weir_px_getsockopt(struct weir_posix *px, int fd, int level, int name, void *value,
                       socklen_t *len)
{
    struct option o = {.level = level, .name = name, .out = value};
    struct sock *s;
    int err;

    px_enter(px);
    s = sock_get(px, fd, &err);
    if (s != NULL) {
        if (value == NULL || len == NULL) {
            err = -EFAULT;
        } else {
            o.len = *len;
            err = *len > INT_MAX ? -EINVAL : get_option(px, s, &o);
        }
        if (err == 0)
            *len = o.len;
        sock_put(px, s);
    }
    return (int)px_return(px, err);
}
