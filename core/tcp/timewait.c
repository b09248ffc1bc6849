/*
 * timewait.c - what is left of a connection for 2 MSL
 *
 * A record of its own, far smaller than a connection: all it has to do is to repeat the last
 * acknowledgement [RFC9293 MUST-13] and to keep old segments from a new connection. Resets are
 * ignored [RFC1337]; a new SYN that is provably new ends it early [RFC6191] [RFC9293 SHLD-4].
 */
#include "tcp/timewait.h"
#include "base/parts.h"
#include "tcp/accecn.h"
#include "tcp/ecn.h"
#include "tcp/seg.h"
#include "tcp/segment.h"
#include "tcp/tstamp.h"
#include "tcp/window.h"
#include "wire/tcp.h"
#include "wire/tcp_options.h"

enum { ISN_STEP = 65535 + 2 };

void timewait_init(struct tcp_timewait *tw, const struct tcp_conn *c, const struct tcp_env *env)
{
    *tw = (struct tcp_timewait){
        .tuple = ends_tuple(&c->ends, env),
        .snd_nxt = c->snd.nxt,
        .rcv_nxt = c->rcv.nxt,
        .ts_offset = c->ts.offset,
        .ts_recent = c->ts.recent,
        .window = (uint16_t)(window_remaining(c) >> c->agreed.rcv_wscale),
        .ttl = c->user->ttl,
        .tos = c->user->tos,
        .min_ttl = c->user->min_ttl,
        .ace = ecn_last_ace(c),
        .timestamps_ok = c->agreed.timestamps_ok,
    };
}

/* [RFC6191 2]: by its timestamp, else by its number. */
static bool is_new_syn(const struct tcp_timewait *tw, const struct tcp_env *env,
                       const struct tcp_seg *seg)
{
    if ((seg->flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) != TCP_SYN
        || !env->config.timewait_reuse)
        return false;
    if (HAS_TIMESTAMPS && tw->timestamps_ok && (seg->opt.present & TCP_HAS_TIMESTAMPS)
        && seg->opt.ts_val != tw->ts_recent)
        return seq_gt(seq_of(seg->opt.ts_val), seq_of(tw->ts_recent));
    return seq_gt(seg->seq, tw->rcv_nxt);
}

enum timewait_verdict timewait_input(const struct tcp_timewait *tw, const struct tcp_env *env,
                                     const struct tcp_seg *seg, enum why *why)
{
    *why = WHY_TCP_TIME_WAIT;
    if (seg->flags & TCP_RST)
        return TIMEWAIT_DROP;
    if (is_new_syn(tw, env, seg)) {
        *why = WHY_NONE;
        return TIMEWAIT_REOPEN;
    }
    /* The peer's FIN again: its last number is the one before what we expect. */
    if ((seg->flags & TCP_FIN) && seq_eq(seq_add(seg->seq, tcp_seg_space(seg)), tw->rcv_nxt))
        return TIMEWAIT_RESTART;
    /* An empty segment that says what we know asks for nothing. */
    if (tcp_seg_space(seg) == 0 && seq_eq(seg->seq, tw->rcv_nxt))
        return TIMEWAIT_DROP;
    return TIMEWAIT_ACK;
}

/* Timestamps are all that it says besides, as nearly always. */
static bool has_usual_ack(const struct tcp_timewait *tw)
{
    return HAS_PREDICTION && HAS_TIMESTAMPS && tw->timestamps_ok && tw->auth == 0 && tw->ace == 0;
}

static struct frame *usual_ack(const struct tcp_timewait *tw, struct tcp_env *env)
{
    struct tcp_plain h = {
        .src_port = tw->tuple.local_port,
        .dst_port = tw->tuple.remote_port,
        .seq = tw->snd_nxt.raw,
        .ack = tw->rcv_nxt.raw,
        .flags = TCP_ACK,
        .window = tw->window,
        .has_timestamps = true,
        .ts_val = tstamp_clock(env->now, tw->ts_offset),
        .ts_ecr = tw->ts_recent,
    };

    return segment_build_plain(env, &tw->tuple, &h);
}

static struct frame *any_ack(const struct tcp_timewait *tw, struct tcp_env *env)
{
    struct reply reply = {
        .tuple = &tw->tuple,
        .seq = tw->snd_nxt,
        .ack = tw->rcv_nxt,
        .flags = (uint16_t)(TCP_ACK | accecn_flags_of(tw->ace)),
        .window = tw->window,
        .auth = tw->auth,
    };
    struct tcp_options options = {0};
    uint8_t digest[AUTH_VALUE_MAX];

    auth_reserve(env, tw->auth, &tw->tuple.remote_addr, digest, &options);
    if (HAS_TIMESTAMPS && tw->timestamps_ok)
        tcp_options_stamp(&options, tstamp_clock(env->now, tw->ts_offset), tw->ts_recent);
    return segment_build_reply(env, &reply, &options);
}

struct frame *timewait_ack(const struct tcp_timewait *tw, struct tcp_env *env)
{
    return has_usual_ack(tw) ? usual_ack(tw, env) : any_ack(tw, env);
}

seq_t timewait_past(const struct tcp_timewait *tw)
{
    return seq_add(tw->snd_nxt, ISN_STEP);
}
