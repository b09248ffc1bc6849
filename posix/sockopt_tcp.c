/*
 * sockopt_tcp.c - the options of TCP that are more than a number of the stack's
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>

#include "posix/option.h"
#include "posix/tcp_info.h"

enum {
    MSS_MIN = 88,
    MSS_MAX = 32767,
    MSS_UNKNOWN = 536,
    FASTOPEN_KEY_LEN = 16,
    NAME_MAX_LEN = 16, /* of a congestion control */
};

static int set_maxseg(struct weir_posix *px, struct sock *s, const struct option *o)
{
    int value, err = option_take_int(o, &value);

    if (err != 0)
        return err;
    if (value != 0 && (value < MSS_MIN || value > MSS_MAX))
        return -EINVAL;
    return option_set_in_stack(px, s, WEIR_OPT_MSS, value);
}

static int get_maxseg(const struct weir_posix *px, const struct sock *s, struct option *o)
{
    struct weir_tcp_info info;

    if (s->handle != 0 && weir_tcp_info(px->stack, s->handle, &info) == WEIR_OK)
        return option_give_int(o, (int)info.snd_mss);
    return option_give_int(o, s->opts.values[WEIR_OPT_MSS] != 0 ? (int)s->opts.values[WEIR_OPT_MSS]
                                                                : MSS_UNKNOWN);
}

/* Linux waits for so many repetitions of the SYN-ACK as take at least so long. */
static int set_defer_accept(struct weir_posix *px, struct sock *s, const struct option *o)
{
    int64_t period = 1, step = 1, count = 1;
    int value, err = option_take_int(o, &value);

    if (err != 0)
        return err;
    if (value <= 0)
        return option_set_in_stack(px, s, WEIR_OPT_DEFER_ACCEPT, 0);
    while (period < value && count < UINT8_MAX) {
        step = 2 * step < 120 ? 2 * step : 120;
        period += step;
        count++;
    }
    return option_set_in_stack(px, s, WEIR_OPT_DEFER_ACCEPT, period * WEIR_S);
}

static int get_congestion(const struct weir_posix *px, const struct sock *s, struct option *o)
{
    int64_t index = option_get_in_stack(px, s, WEIR_OPT_CONGESTION_CONTROL);
    char name[NAME_MAX_LEN] = {0};

    strncpy(name, weir_congestion_control_name((size_t)index), sizeof name - 1);
    return option_give(o, name, sizeof name);
}

static int set_congestion(struct weir_posix *px, struct sock *s, const struct option *o)
{
    char name[NAME_MAX_LEN] = {0};
    const char *known;

    if (o->in == NULL)
        return -EFAULT;
    if (o->len < 1)
        return -EINVAL;
    memcpy(name, o->in, o->len < sizeof name - 1 ? o->len : sizeof name - 1);
    for (size_t i = 0; (known = weir_congestion_control_name(i)) != NULL; i++)
        if (strcmp(known, name) == 0)
            return option_set_in_stack(px, s, WEIR_OPT_CONGESTION_CONTROL, (int64_t)i);
    return -ENOENT;
}

static int get_info(const struct weir_posix *px, const struct sock *s, struct option *o)
{
    struct px_tcp_info info;

    tcp_info_fill(px, s, &info);
    return option_give(o, &info, sizeof info);
}

/* How many connections may be begun with data in the SYN [RFC7413 5.1]. */
static int set_fastopen(struct weir_posix *px, struct sock *s, const struct option *o)
{
    int value, err = option_take_int(o, &value);

    if (err != 0)
        return err;
    if (value < 0 || (s->phase != SOCK_CLOSED && s->phase != SOCK_LISTENING))
        return -EINVAL;
    if (value > px->config.somaxconn)
        value = px->config.somaxconn;
    return option_set_in_stack(px, s, WEIR_OPT_FASTOPEN_QUEUE, value);
}

/* One for new cookies, and if there is a second, it is for those that were made with it. */
static int set_fastopen_key(struct weir_posix *px, struct sock *s, const struct option *o)
{
    if (o->len != 2 * FASTOPEN_KEY_LEN && o->len != FASTOPEN_KEY_LEN)
        return -EINVAL;
    if (o->in == NULL)
        return -EFAULT;
    memcpy(s->opts.fastopen_keys, o->in, o->len);
    s->opts.fastopen_key_count = o->len / FASTOPEN_KEY_LEN;
    return s->phase == SOCK_LISTENING ? sock_apply_fastopen_keys(px, s, s->handle) : 0;
}

int sock_apply_fastopen_keys(struct weir_posix *px, const struct sock *s, weir_handle_t listener)
{
    if (s->opts.fastopen_key_count == 0)
        return 0;
    return px_errno(weir_listener_fastopen_keys(px->stack, listener, s->opts.fastopen_keys,
                                                s->opts.fastopen_key_count));
}

/* Nothing, if the stack's is used: that is nobody's business. */
static int get_fastopen_key(const struct sock *s, struct option *o)
{
    return option_give(o, s->opts.fastopen_keys, s->opts.fastopen_key_count * FASTOPEN_KEY_LEN);
}

static int set_fastopen_connect(struct sock *s, const struct option *o)
{
    int value, err = option_take_int(o, &value);

    if (err != 0)
        return err;
    if ((value != 0 && value != 1) || s->phase != SOCK_CLOSED)
        return -EINVAL;
    s->opts.fastopen_connect = value != 0;
    return 0;
}

static int set_inq(struct sock *s, const struct option *o)
{
    int value, err = option_take_int(o, &value);

    if (err != 0)
        return err;
    if (value != 0 && value != 1)
        return -EINVAL;
    s->opts.recv_inq = value != 0;
    return 0;
}

/* A negative one is so large that there is no limit. */
static int set_notsent_lowat(struct weir_posix *px, struct sock *s, const struct option *o)
{
    int value, err = option_take_int(o, &value);

    if (err == 0 && !px->send_memory.counts_overhead)
        err = option_set_in_stack(px, s, WEIR_OPT_NOTSENT_LOWAT, value < 0 ? 0 : value);
    if (err == 0)
        s->opts.notsent_lowat = value;
    return err;
}

int option_set_tcp(struct weir_posix *px, struct sock *s, const struct option *o)
{
    switch (o->name) {
    case TCP_MAXSEG: return set_maxseg(px, s, o);
    case TCP_DEFER_ACCEPT: return set_defer_accept(px, s, o);
    case TCP_CONGESTION: return set_congestion(px, s, o);
    case TCP_NOTSENT_LOWAT: return set_notsent_lowat(px, s, o);
    case TCP_FASTOPEN: return set_fastopen(px, s, o);
    case TCP_FASTOPEN_KEY: return set_fastopen_key(px, s, o);
    case TCP_FASTOPEN_CONNECT: return set_fastopen_connect(s, o);
    case TCP_INQ: return set_inq(s, o);
    case TCP_MD5SIG: return keys_set(px, s, o->in, o->len, false);
    case TCP_MD5SIG_EXT: return keys_set(px, s, o->in, o->len, true);
    default: return -ENOPROTOOPT;
    }
}

int option_get_tcp(struct weir_posix *px, struct sock *s, struct option *o)
{
    switch (o->name) {
    case TCP_MAXSEG: return get_maxseg(px, s, o);
    case TCP_DEFER_ACCEPT:
        return option_give_int(o, (int)(s->opts.values[WEIR_OPT_DEFER_ACCEPT] / WEIR_S));
    case TCP_CONGESTION: return get_congestion(px, s, o);
    case TCP_FASTOPEN: return option_give_int(o, (int)s->opts.values[WEIR_OPT_FASTOPEN_QUEUE]);
    case TCP_NOTSENT_LOWAT: return option_give_int(o, s->opts.notsent_lowat);
    case TCP_FASTOPEN_KEY: return get_fastopen_key(s, o);
    case TCP_FASTOPEN_CONNECT: return option_give_int(o, s->opts.fastopen_connect);
    case TCP_INQ: return option_give_int(o, s->opts.recv_inq);
    case TCP_INFO: return get_info(px, s, o);
    case TCP_CC_INFO: return option_give(o, "", 0); /* none of ours has more to tell */
    default: return -ENOPROTOOPT;
    }
}
