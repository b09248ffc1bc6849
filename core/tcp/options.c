/*
 * options.c - what the two ends agree on, and how large a segment may be
 *
 * MSS, window scale [RFC7323 2], timestamps [RFC7323 3], SACK [RFC2018 2]. An option with state has a file of
 * its own; here it is only asked for and granted.
 */
#include "tcp/options.h"
#include "base/addr.h"
#include "base/check.h"
#include "base/num.h"
#include "base/parts.h"
#include "tcp/ecn.h"
#include "tcp/sack.h"
#include "tcp/tstamp.h"
#include "tcp/tune.h"
#include "tcp/uto.h"
#include "tcp/window.h"
#include "wire/tcp.h"
#include "wire/tcp_options.h"

enum {
    MSS_DEFAULT_V4 = 536, /* [RFC9293 MUST-15] */
    MSS_DEFAULT_V6 = 1220,
    IP4_LEN = 20,
    IP6_LEN = 40,
    WINDOW_SCALE_MAX = 14,
    TEXT_MIN = 8, /* whatever path and options say, a segment carries some text */
};

static uint32_t headers_len(bool is_v4)
{
    return (is_v4 ? IP4_LEN : IP6_LEN) + TCP_HEADER_LEN;
}

/* MMS_R - 20, with MMS_R what IP can take after its header; always sent [RFC9293 SHLD-5, MAY-3]. */
uint16_t options_mss_for(bool is_v4, uint32_t mtu, const struct tcp_user *user)
{
    uint32_t mss = mtu - headers_len(is_v4);

    if (user->mss != 0 && user->mss < mss)
        mss = user->mss;
    return mss > UINT16_MAX ? UINT16_MAX : (uint16_t)mss;
}

struct tcp_agreed options_wish(const struct tcp_env *env, const struct tcp_user *user,
                               uint16_t rcv_mss)
{
    return (struct tcp_agreed){
        .rcv_mss = rcv_mss,
        .wscale_ok = env->config.window_scaling,
        .rcv_wscale =
            env->config.window_scaling
                ? window_scale_for(user->recv_buffer_bytes, tune_recv_most(user, env)) & 15u
                : 0,
        .timestamps_ok = HAS_TIMESTAMPS && env->config.timestamps,
        .sack_ok = env->config.sack,
    };
}

void options_offer(struct tcp_options *out, const struct tcp_agreed *ours, uint32_t ts_val,
                   uint32_t ts_ecr)
{
    *out = (struct tcp_options){.present = TCP_HAS_MSS, .mss = ours->rcv_mss};
    if (ours->wscale_ok) {
        out->present |= TCP_HAS_WINDOW_SCALE;
        out->window_scale = ours->rcv_wscale;
    }
    if (ours->sack_ok)
        out->present |= TCP_HAS_SACK_PERMITTED;
    if (tstamp_is_agreed(ours))
        tcp_options_stamp(out, ts_val, ts_ecr);
}

uint16_t options_mss_of(const struct tcp_options *peers, bool is_v4)
{
    if (peers->present & TCP_HAS_MSS)
        return peers->mss;
    return is_v4 ? MSS_DEFAULT_V4 : MSS_DEFAULT_V6;
}

/* A peer that asks for tiny segments would cost us more than itself: there is a floor. */
static uint16_t usable_mss(const struct tcp_env *env, uint16_t mss)
{
    return (uint16_t)(mss > env->config.mss_min ? mss : env->config.mss_min);
}

static unsigned peers_scale(const struct tcp_options *peers) /* [RFC7323 2.3] */
{
    return u32_min(peers->window_scale, WINDOW_SCALE_MAX) & 15u;
}

struct tcp_agreed options_agree(const struct tcp_env *env, struct tcp_agreed wish,
                                const struct tcp_options *peers, bool is_v4)
{
    struct tcp_agreed a = wish;

    a.snd_mss = usable_mss(env, options_mss_of(peers, is_v4));
    a.timestamps_ok = tstamp_is_agreed(&wish) && (peers->present & TCP_HAS_TIMESTAMPS);
    a.sack_ok = wish.sack_ok && (peers->present & TCP_HAS_SACK_PERMITTED);
    a.wscale_ok = wish.wscale_ok && (peers->present & TCP_HAS_WINDOW_SCALE);
    a.rcv_wscale = a.wscale_ok ? wish.rcv_wscale : 0;
    a.snd_wscale = (a.wscale_ok ? peers_scale(peers) : 0) & 15u;
    return a;
}

void options_agree_on_all(const struct tcp_env *env, struct tcp_agreed *ours,
                          const struct tcp_options *peers)
{
    ours->snd_mss = usable_mss(env, peers->mss);
    ours->snd_wscale = peers_scale(peers) & 15u;
}

void options_fit(struct tcp_options *options)
{
    static const uint16_t dispensable[] = {TCP_HAS_ACCECN, TCP_HAS_FASTOPEN, TCP_HAS_TIMESTAMPS};

    for (size_t i = 0; i < sizeof dispensable / sizeof dispensable[0]; i++)
        if (tcp_options_len(options) > TCP_OPTIONS_MAX)
            options->present &= (uint16_t)~dispensable[i];
}

/* What is agreed on in the handshake is not said again [RFC9293 MUST-65]. */
void options_of_segment(const struct tcp_conn *c, const struct tcp_env *env,
                        struct tcp_options *out)
{
    if (tstamp_is_agreed(&c->agreed))
        tcp_options_stamp(out, tstamp_clock(env->now, c->ts.offset), c->ts.recent);
    sack_of_segment(c, out);
}

uint32_t tcp_send_mss_now(const struct tcp_conn *c, const struct tcp_env *env)
{
    uint32_t mss = tcp_send_mss(c, env);
    uint32_t options = sack_len(c) + ecn_option_bytes(c) + uto_len(c);

    return mss > options + TEXT_MIN ? mss - options : TEXT_MIN;
}

uint32_t options_text_max(const struct tcp_conn *c, const struct tcp_env *env, uint32_t mtu,
                          uint32_t options)
{
    uint32_t path = mtu - headers_len(ends_are_v4(&c->ends));
    uint32_t mss = c->agreed.snd_mss < path ? c->agreed.snd_mss : path;

    if (c->user->mss != 0 && c->user->mss < mss)
        mss = c->user->mss;
    if (mss < env->config.mss_min)
        mss = env->config.mss_min;
    return mss > options + TEXT_MIN ? mss - options : TEXT_MIN;
}

uint32_t tcp_send_mss(const struct tcp_conn *c, const struct tcp_env *env)
{
    uint32_t stamps = tstamp_is_agreed(&c->agreed) ? TCP_TIMESTAMPS_LEN : 0;

    return options_text_max(c, env, mtu_probe_mtu(c), stamps + auth_option_bytes(env, c->auth));
}
