/*
 * kept.c - options that a socket keeps
 *
 * Most are switches and small numbers with a place in sock.opts, a row of the table. Some have no
 * effect here, as docs/deviations.md says; programs set them and go on only if that succeeds.
 */
#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>

#include "posix/option.h"

enum {
    OF_STREAMS = 1,
    OF_DATAGRAMS = 2,
    OF_BOTH = 3,
    SWITCH = 0, /* instead of the largest value: 0, or anything else for 1 */
    FIN_WAIT2_S = 60,
    FIN_WAIT2_MAX_S = 120,
    WINDOW_CLAMP_MIN = 1152,
};

static const struct row {
    int level, name;
    unsigned of;
    int most;
    bool is_int; /* the member; else it is a bool */
    size_t member;
} rows[] = {
#define OPT(member) offsetof(struct sock_opts, member)
    {SOL_SOCKET, SO_DONTROUTE, OF_BOTH, SWITCH, false, OPT(dont_route)},
    {SOL_SOCKET, SO_MARK, OF_BOTH, INT_MAX, true, OPT(mark)},
    {SOL_SOCKET, SO_ZEROCOPY, OF_BOTH, 1, false, OPT(zerocopy)},
    {IPPROTO_IP, IP_MTU_DISCOVER, OF_BOTH, IP_PMTUDISC_OMIT, true, OPT(mtu_discover)},
    {IPPROTO_IP, IP_FREEBIND, OF_BOTH, SWITCH, false, OPT(freebind)},
    {IPPROTO_IP, IP_RECVERR, OF_BOTH, SWITCH, false, OPT(recv_errors)},
    {IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, OF_BOTH, SWITCH, false, OPT(no_early_port)},
    {IPPROTO_IPV6, IPV6_MTU_DISCOVER, OF_BOTH, IPV6_PMTUDISC_OMIT, true, OPT(mtu_discover6)},
    {IPPROTO_IPV6, IPV6_FREEBIND, OF_BOTH, SWITCH, false, OPT(freebind)},
    {IPPROTO_IPV6, IPV6_RECVERR, OF_BOTH, SWITCH, false, OPT(recv_errors6)},
#undef OPT
};

void kept_init(struct sock_opts *opts)
{
    opts->mtu_discover = IP_PMTUDISC_WANT;
    opts->mtu_discover6 = IPV6_PMTUDISC_WANT;
    opts->pacing_rate_max = UINT64_MAX;
}

static const struct row *row_of(const struct sock *s, const struct option *o)
{
    unsigned kind = s->file.kind == FILE_STREAM ? OF_STREAMS : OF_DATAGRAMS;

    if (o->level == IPPROTO_IPV6 && s->domain != AF_INET6)
        return NULL;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].level == o->level && rows[i].name == o->name && (rows[i].of & kind))
            return &rows[i];
    return NULL;
}

static int set_row(struct sock *s, const struct row *r, const struct option *o)
{
    void *member = (char *)&s->opts + r->member;
    int value, err = o->level == IPPROTO_IP ? option_take_byte_or_int(o, &value)
                                            : option_take_int(o, &value);

    if (err != 0)
        return err;
    if (o->len == 0 || (r->most != SWITCH && r->most != INT_MAX && (value < 0 || value > r->most)))
        return -EINVAL;
    if (r->is_int)
        *(int *)member = value;
    else
        *(bool *)member = value != 0;
    if (value == 0
        && (member == (void *)&s->opts.recv_errors || member == (void *)&s->opts.recv_errors6))
        errqueue_clear(s); /* with everything in it, as on Linux */
    return 0;
}

static int get_row(const struct sock *s, const struct row *r, struct option *o)
{
    const void *member = (const char *)&s->opts + r->member;

    return option_give_int(o, r->is_int ? *(const int *)member : *(const bool *)member);
}

/* ---- SO_MAX_PACING_RATE: bytes per second, in 32 bits or 64 ---- */

static int set_pacing(struct weir_posix *px, struct sock *s, const struct option *o)
{
    uint64_t rate;
    int value, err = option_take_int(o, &value);

    if (err != 0)
        return err;
    rate = (uint32_t)value == UINT32_MAX ? UINT64_MAX : (uint32_t)value;
    if (o->len >= sizeof rate)
        memcpy(&rate, o->in, sizeof rate);
    s->opts.pacing_rate_max = rate;
    if (s->file.kind != FILE_STREAM)
        return 0;
    return option_set_in_stack(px, s, WEIR_OPT_MAX_PACING_RATE,
                               rate > INT32_MAX ? 0
                               : rate == 0      ? 1
                                                : (int64_t)rate);
}

static int get_pacing(const struct sock *s, struct option *o)
{
    uint64_t rate = s->opts.pacing_rate_max;

    if (o->len >= sizeof rate)
        return option_give(o, &rate, sizeof rate);
    return option_give_int(o, (int)(rate > UINT32_MAX ? UINT32_MAX : (uint32_t)rate));
}

/* ---- of TCP ---- */

/* A negative one means not to wait at all: a second is the least there is. */
static int set_fin_wait2(struct weir_posix *px, struct sock *s, const struct option *o)
{
    int value, err = option_take_int(o, &value);

    if (err != 0)
        return err;
    s->opts.fin_wait2_s = value < 0 ? -1 : value > FIN_WAIT2_MAX_S ? FIN_WAIT2_MAX_S : value;
    return option_set_in_stack(px, s, WEIR_OPT_FIN_WAIT_2,
                               (value < 0 ? 1 : s->opts.fin_wait2_s) * WEIR_S);
}

/* The window follows from the receive buffer: it gets no larger than this one. */
static int set_clamp(struct weir_posix *px, struct sock *s, const struct option *o)
{
    int value, err = option_take_int(o, &value);

    if (err != 0)
        return err;
    if (value == 0) {
        if (s->phase != SOCK_CLOSED)
            return -EINVAL;
        s->opts.window_clamp = 0;
        return 0;
    }
    s->opts.window_clamp = value < WINDOW_CLAMP_MIN ? WINDOW_CLAMP_MIN : value;
    if (option_get_in_stack(px, s, WEIR_OPT_RECV_BUFFER) <= s->opts.window_clamp)
        return 0;
    return option_set_in_stack(px, s, WEIR_OPT_RECV_BUFFER, s->opts.window_clamp);
}

int kept_set(struct weir_posix *px, struct sock *s, const struct option *o)
{
    const struct row *r = row_of(s, o);
    bool is_tcp = o->level == IPPROTO_TCP && s->file.kind == FILE_STREAM;

    if (r != NULL)
        return set_row(s, r, o);
    if (o->level == SOL_SOCKET && o->name == SO_MAX_PACING_RATE)
        return set_pacing(px, s, o);
    if (is_tcp && o->name == TCP_LINGER2)
        return set_fin_wait2(px, s, o);
    if (is_tcp && o->name == TCP_WINDOW_CLAMP)
        return set_clamp(px, s, o);
    return 1;
}

int kept_get(const struct weir_posix *px, const struct sock *s, struct option *o)
{
    const struct row *r = row_of(s, o);
    bool is_tcp = o->level == IPPROTO_TCP && s->file.kind == FILE_STREAM;

    (void)px;
    if (r != NULL)
        return get_row(s, r, o);
    if (o->level == SOL_SOCKET && o->name == SO_MAX_PACING_RATE)
        return get_pacing(s, o);
    if (is_tcp && o->name == TCP_LINGER2)
        return option_give_int(o, s->opts.fin_wait2_s == 0 ? FIN_WAIT2_S : s->opts.fin_wait2_s);
    if (is_tcp && o->name == TCP_WINDOW_CLAMP)
        return option_give_int(o, s->opts.window_clamp);
    return 1;
}
