/*
 * listen.c - passive opens: listeners and connections that are half open
 */
#include "tcp/listen.h"
#include "base/addr.h"
#include "base/count.h"
#include "base/parts.h"
#include "tcp/ack.h"
#include "tcp/ecn.h"
#include "tcp/fastopen.h"
#include "tcp/input.h"
#include "tcp/options.h"
#include "tcp/recovery.h"
#include "tcp/rtt.h"
#include "tcp/seg.h"
#include "tcp/segment.h"
#include "tcp/timers.h"
#include "tcp/tstamp.h"
#include "tcp/tune.h"
#include "wire/ip.h"
#include "wire/tcp.h"
#include "wire/tcp_options.h"

enum { WAIT_DOUBLINGS_MAX = 16 };

/* First a reset, second an ACK, third a SYN; text that comes with it will come again. */
enum listen_verdict listen_input(const struct tcp_seg *seg, enum why *why)
{
    *why = WHY_NONE;
    if (seg->flags & TCP_RST) {
        *why = WHY_TCP_LISTEN_RST;
        return LISTEN_DROP;
    }
    if (seg->flags & TCP_ACK) {
        *why = WHY_TCP_LISTEN_ACK;
        return LISTEN_RESET;
    }
    if (seg->flags & TCP_SYN)
        return LISTEN_ACCEPT;
    *why = WHY_TCP_LISTEN_FLAGS;
    return LISTEN_DROP;
}

static uint16_t first_window(const struct tcp_user *user)
{
    return user->recv_buffer_bytes > UINT16_MAX ? UINT16_MAX : (uint16_t)user->recv_buffer_bytes;
}

void halfopen_init(struct tcp_halfopen *h, const struct tcp_env *env, const struct tcp_conn *model,
                   const struct tcp_tuple *tuple, const struct tcp_seg *syn, struct isn isn,
                   uint32_t mtu)
{
    const struct tcp_user *user = model->user;
    bool is_v4 = addr_is_v4(&tuple->remote_addr);
    uint16_t mss = options_mss_for(is_v4, mtu, user);

    *h = (struct tcp_halfopen){
        .tuple = *tuple,
        .iss = isn.seq,
        .irs = syn->seq,
        .ts_offset = isn.ts_offset,
        .ts_recent = syn->opt.present & TCP_HAS_TIMESTAMPS ? syn->opt.ts_val : 0,
        .wnd = syn->wnd,
        .rcv_wnd = first_window(user),
        .mtu = mtu > UINT16_MAX ? UINT16_MAX : (uint16_t)mtu,
        .ttl = user->ttl,
        .tos = user->tos,
        .min_ttl = user->min_ttl,
        .synack_at = env->now,
        .ecn = ecn_half_of_syn(env, tcp_cc(model), syn),
        .agreed = options_agree(env, options_wish(env, user, mss), &syn->opt, is_v4),
    };
}

/* Nothing is offered but what nearly everybody does. */
static bool has_usual_synack(const struct tcp_halfopen *h)
{
    return HAS_PREDICTION && options_are_usual(&h->agreed) && h->ecn.mode == ECN_NONE
           && h->auth == 0 && !h->grants_cookie;
}

static struct frame *usual_synack(const struct tcp_halfopen *h, struct tcp_env *env)
{
    struct usual_syn syn = {
        .tuple = &h->tuple,
        .offers = &h->agreed,
        .seq = h->iss,
        .ack = seq_add(h->irs, 1),
        .flags = TCP_SYN | TCP_ACK,
        .window = h->rcv_wnd,
        .ts_val = tstamp_clock(env->now, h->ts_offset),
        .ts_ecr = h->ts_recent,
    };

    return segment_build_usual_syn(env, &syn);
}

static struct frame *any_synack(const struct tcp_halfopen *h, struct tcp_env *env,
                                const struct fastopen_keys *keys)
{
    struct reply reply = {
        .tuple = &h->tuple,
        .seq = h->iss,
        .ack = seq_add(h->irs, 1),
        .flags = TCP_SYN | TCP_ACK,
        .window = h->rcv_wnd,
        .auth = h->auth,
    };
    struct tcp_options options;
    uint8_t cookie[FASTOPEN_COOKIE_LEN], digest[AUTH_VALUE_MAX];

    options_offer(&options, &h->agreed, tstamp_clock(env->now, h->ts_offset), h->ts_recent);
    auth_reserve(env, h->auth, &h->tuple.remote_addr, digest, &options);
    if (h->grants_cookie) {
        fastopen_make_cookie(env, keys, &h->tuple, cookie);
        fastopen_give(cookie, h->cookie_is_experimental, &options);
    }
    reply.flags |= ecn_half_synack(&h->ecn, h->retries, &options);
    options_fit(&options);
    return segment_build_reply(env, &reply, &options);
}

struct frame *halfopen_synack(const struct tcp_halfopen *h, struct tcp_env *env,
                              const struct fastopen_keys *keys)
{
    return has_usual_synack(h) ? usual_synack(h, env) : any_synack(h, env, keys);
}

struct frame *halfopen_ack(const struct tcp_halfopen *h, struct tcp_env *env)
{
    struct reply reply = {
        .tuple = &h->tuple,
        .seq = seq_add(h->iss, 1),
        .ack = seq_add(h->irs, 1),
        .flags = (uint16_t)(TCP_ACK | ecn_half_ack(&h->ecn)),
        .window = (uint16_t)(h->rcv_wnd >> h->agreed.rcv_wscale),
        .auth = h->auth,
    };
    struct tcp_options options = {0};
    uint8_t digest[AUTH_VALUE_MAX];

    auth_reserve(env, h->auth, &h->tuple.remote_addr, digest, &options);
    if (tstamp_is_agreed(&h->agreed))
        tcp_options_stamp(&options, tstamp_clock(env->now, h->ts_offset), h->ts_recent);
    return segment_build_reply(env, &reply, &options);
}

/* 1, 2, 4, 8 and 16 s, then 32 s in which an answer may still come: 63 s in all. */
ns_t halfopen_wait_ns(const struct tcp_halfopen *h, const struct tcp_env *env)
{
    uint32_t doublings = h->retries < WAIT_DOUBLINGS_MAX ? h->retries : WAIT_DOUBLINGS_MAX;

    return ns_min(env->config.rto_initial_ns << doublings, env->config.rto_max_ns);
}

bool halfopen_expire(struct tcp_halfopen *h, const struct tcp_env *env)
{
    if (h->retries >= env->config.synack_retries)
        return false;
    h->retries++;
    h->synack_at = 0; /* which one is answered would not be known [RFC6298 3] */
    return true;
}

static bool is_old_timestamp(const struct tcp_halfopen *h, const struct tcp_seg *seg)
{
    return tstamp_is_in(&h->agreed, seg) && seq_lt(seq_of(seg->opt.ts_val), seq_of(h->ts_recent));
}

/* The SYN again, and nothing but it: our SYN-ACK was lost. */
static bool is_repeated_syn(const struct tcp_halfopen *h, const struct tcp_seg *seg)
{
    return (seg->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN && seq_eq(seg->seq, h->irs);
}

static bool is_in_window(const struct tcp_halfopen *h, const struct tcp_seg *seg)
{
    seq_t nxt = seq_add(h->irs, 1);
    uint32_t space = tcp_seg_space(seg);

    return seq_in(seg->seq, nxt, h->rcv_wnd)
           || (space > 0 && seq_in(seq_add(seg->seq, space - 1), nxt, h->rcv_wnd));
}

static enum halfopen_verdict verdict(enum halfopen_verdict v, enum why because, enum why *why)
{
    *why = because;
    return v;
}

enum halfopen_verdict halfopen_input(struct tcp_halfopen *h, const struct tcp_seg *seg,
                                     enum why *why)
{
    if (is_repeated_syn(h, seg)) {
        bool is_same = ecn_half_take_syn(&h->ecn, seg);
        return verdict(is_same ? HALFOPEN_SYNACK : HALFOPEN_ABORTED, WHY_TCP_OLD, why);
    }
    if (!(seg->flags & TCP_RST) && is_old_timestamp(h, seg))
        return verdict(HALFOPEN_ACK, WHY_TCP_PAWS, why);
    if (!is_in_window(h, seg)) {
        bool is_reset = (seg->flags & TCP_RST) != 0;
        return verdict(is_reset ? HALFOPEN_DROP : HALFOPEN_ACK, WHY_TCP_WINDOW, why);
    }
    if (seg->flags & TCP_RST) { /* back to LISTEN, without a word [RFC9293 MUST-11] */
        bool is_exact = seq_eq(seg->seq, seq_add(h->irs, 1)); /* [RFC5961 3.2] */
        return is_exact ? verdict(HALFOPEN_CLOSED, WHY_TCP_RESET, why)
                        : verdict(HALFOPEN_ACK, WHY_TCP_CHALLENGED, why);
    }
    if (seg->flags & TCP_SYN)
        return verdict(HALFOPEN_ACK, WHY_TCP_CHALLENGED, why);
    if (!(seg->flags & TCP_ACK))
        return verdict(HALFOPEN_DROP, WHY_TCP_NO_ACK, why);
    if (!seq_eq(seg->ack, seq_add(h->iss, 1)))
        return verdict(HALFOPEN_RESET, WHY_TCP_BAD_ACK, why);
    return verdict(HALFOPEN_COMPLETE, WHY_NONE, why);
}

/* What the record says; false: no memory. */
static bool become(struct tcp_conn *c, struct tcp_env *env, const struct tcp_halfopen *h,
                   const struct tcp_user *user)
{
    if (!ends_init(&c->ends, env, &h->tuple))
        return false;
    (void)choice_ref(user); /* which may be what c has */
    choice_put(env, &c->user);
    c->user = user;
    c->send_buffer_bytes = user->send_buffer_bytes;
    c->recv_buffer_bytes = user->recv_buffer_bytes;
    c->agreed = h->agreed;
    c->pmtu = h->mtu;
    c->is_passive = true;
    c->ts.offset = h->ts_offset;
    tstamp_start(c, env, h->ts_recent);
    c->snd.iss = h->iss;
    c->snd.una = h->iss;
    c->snd.nxt = seq_add(h->iss, 1);
    c->snd.wnd = h->wnd;
    c->snd.wnd_max = h->wnd;
    c->snd.wl1 = h->irs;
    c->snd.wl2 = h->iss;
    c->rcv.irs = h->irs;
    c->rcv.nxt = seq_add(h->irs, 1);
    c->rcv.acked = c->rcv.nxt;
    c->rcv.wnd = h->rcv_wnd;
    c->retransmits = h->retries;
    return true;
}

/* Its work is attached. */
static void receive_syn(struct tcp_conn *c, struct tcp_env *env, const struct tcp_halfopen *h)
{
    ecn_start(c, &h->ecn, h->retries);
    if (h->synack_at != 0 && !tstamp_is_agreed(&h->agreed)) /* with them, the ACK itself says it */
        rtt_on_sample(c, env, ns_since(h->synack_at, env->now));
    tcp_set_state(c, env, TCP_SYN_RECEIVED);
    count_add(&env->counts.passive_opens, 1);
}

bool tcp_open_passively(struct tcp_conn *c, struct tcp_env *env, const struct tcp_halfopen *h,
                        const struct tcp_user *user)
{
    if (!become(c, env, h, user) || !tcp_work_attach(c, env))
        return false;
    if (h->retries > 0)
        recovery_on_syn_lost(c, env);
    receive_syn(c, env, h);
    return true;
}

bool halfopen_is_usual(const struct tcp_halfopen *h)
{
    return HAS_PREDICTION && h->retries == 0 && h->auth == 0 && h->ecn.mode == ECN_NONE;
}

bool tcp_open_acknowledged(struct tcp_conn *c, struct tcp_env *env, const struct tcp_halfopen *h,
                           const struct tcp_user *user, const struct tcp_seg *ack)
{
    if (!become(c, env, h, user) || !tcp_work_attach_first(c, env))
        return false;
    receive_syn(c, env, h);
    ack_take_synack(c, env, ack);
    tcp_established(c, env);
    tune_on_acked(c, env);
    return true;
}

/* It acknowledges, and says nothing else: of the list in input.c that leaves the end of the fifth check. */
static bool is_bare(const struct tcp_conn *c, const struct tcp_seg *seg)
{
    return HAS_PREDICTION && c->state == TCP_ESTABLISHED && seg->len == 0
           && (seg->flags & ~TCP_PSH) == TCP_ACK && (seg->opt.present & ~TCP_HAS_TIMESTAMPS) == 0
           && ip_ecn_of(seg->tos) != IP_ECN_CE;
}

enum why tcp_complete(struct tcp_conn *c, struct tcp_env *env, struct tcp_seg *seg)
{
    if (!is_bare(c, seg))
        return tcp_input(c, env, seg);
    count_add32(&c->segs_in, seg->segs);
    tstamp_note(c, env, seg);
    timers_on_received(c, env);
    return WHY_NONE;
}
