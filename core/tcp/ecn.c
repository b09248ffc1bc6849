/*
 * ecn.c - explicit congestion notification: negotiation, marks, and RFC 3168's feedback
 *
 * The network marks what is sent instead of dropping it [RFC9293 SHLD-8]. A handshake settles once how marks are told
 * of: not at all, by ECE and CWR [RFC3168], or by counters (accecn.c). What is
 * sent again, probes, and segments without text are never ECN-capable [RFC3168 6.1.4, 6.1.5,
 * 6.1.6]. State: conn.ecn.
 */
#include "tcp/ecn.h"
#include "base/num.h"
#include "tcp/accecn.h"
#include "tcp/recovery.h"
#include "tcp/scoreboard.h"
#include "tcp/seg.h"
#include "tcp/segment.h"
#include "wire/tcp.h"
#include "wire/tcp_options.h"
#include <string.h>

enum {
    ECN_FLAGS = TCP_AE | TCP_CWR | TCP_ECE,
    CLASSIC_SYN = TCP_CWR | TCP_ECE,
    ACCURATE_TRIES = 2, /* so often a SYN and a SYN-ACK speak of accurate ECN [RFC9768 3.1.4.1] */
};

/* ---- what we want, by configuration and by what congestion control cannot do without ---- */

static enum ecn_mode needed_by(const struct cc_ops *ops)
{
    switch (ops->ecn) {
    case CC_ECN_CLASSIC: return ECN_NONE;
    case CC_ECN_DCTCP: return ECN_CLASSIC;
    case CC_ECN_L4S: return ECN_ACCURATE;
    }
    return ECN_NONE;
}

static enum ecn_mode larger(enum ecn_mode a, enum ecn_mode b)
{
    return a > b ? a : b;
}

static enum ecn_mode to_ask(const struct tcp_env *env, const struct cc_ops *ops)
{
    static const uint8_t asks[WEIR_ECN_MODES] = {
        [WEIR_ECN_ON] = ECN_CLASSIC,
        [WEIR_ECN_ACCURATE] = ECN_ACCURATE,
        [WEIR_ECN_ACCURATE_ASK_CLASSIC] = ECN_CLASSIC,
    };

    return larger((enum ecn_mode)asks[env->config.ecn], needed_by(ops));
}

static enum ecn_mode to_accept(const struct tcp_env *env, const struct cc_ops *ops)
{
    static const uint8_t accepts[WEIR_ECN_MODES] = {
        [WEIR_ECN_ON] = ECN_CLASSIC,
        [WEIR_ECN_PASSIVE] = ECN_CLASSIC,
        [WEIR_ECN_ACCURATE] = ECN_ACCURATE,
        [WEIR_ECN_ACCURATE_ASK_CLASSIC] = ECN_ACCURATE,
        [WEIR_ECN_ACCURATE_PASSIVE] = ECN_ACCURATE,
    };

    return larger((enum ecn_mode)accepts[env->config.ecn], needed_by(ops));
}

/* ---- the handshake ---- */

/* Its flags and its mark are the handshake's, also if what else was in it is looked at again. */
static bool is_syn(const struct tcp_seg *seg)
{
    return seg->had_syn || (seg->flags & TCP_SYN);
}

/* Any other combination than these two is accurate ECN's, of today or one day [RFC9768 3.1.3]. */
static enum ecn_mode asked_by(const struct tcp_seg *syn)
{
    switch (syn->flags & ECN_FLAGS) {
    case 0: return ECN_NONE;
    case CLASSIC_SYN: return ECN_CLASSIC;
    default: return ECN_ACCURATE;
    }
}

/* [RFC9768 3.1.1, table 2]; to RFC 3168 alone AE means nothing. */
static enum ecn_mode respond(enum ecn_mode accepted, const struct tcp_seg *syn)
{
    switch (accepted) {
    case ECN_NONE: return ECN_NONE;
    case ECN_CLASSIC: return (syn->flags & CLASSIC_SYN) == CLASSIC_SYN ? ECN_CLASSIC : ECN_NONE;
    case ECN_ACCURATE: return asked_by(syn);
    }
    return ECN_NONE;
}

void ecn_open(struct tcp_conn *c, const struct tcp_env *env)
{
    c->ecn.asked = to_ask(env, tcp_cc(c)) & 3u;
}

struct ecn_half ecn_half_of_syn(const struct tcp_env *env, const struct cc_ops *ops,
                                const struct tcp_seg *syn)
{
    enum ecn_mode accepted = to_accept(env, ops);

    return (struct ecn_half){
        .mode = respond(accepted, syn) & 3u,
        .syn_mark = ip_ecn_of(syn->tos) & 3u,
        .tells_apart = accepted == ECN_ACCURATE,
    };
}

/* What was agreed on first stays [RFC9768 3.1.5]; of the mark the latest SYN is told. */
bool ecn_half_take_syn(struct ecn_half *half, const struct tcp_seg *syn)
{
    enum ecn_mode asked = asked_by(syn);

    if (half->tells_apart
        && ((half->mode == ECN_ACCURATE && asked == ECN_CLASSIC)
            || (half->mode == ECN_CLASSIC && asked == ECN_ACCURATE)))
        return false;
    if (asked == ECN_NONE)
        half->is_not_ect = true;
    half->syn_mark = ip_ecn_of(syn->tos) & 3u;
    half->is_repeated = true;
    return true;
}

/* Values that no client sends there show that it is not in this mode [RFC9768 5.1]. */
struct ecn_half ecn_half_of_ack(const struct tcp_env *env, const struct cc_ops *ops,
                                const struct tcp_seg *ack)
{
    bool is_pure = ack->len == 0 && !(ack->opt.present & TCP_HAS_SACK);
    bool is_accurate =
        to_accept(env, ops) == ECN_ACCURATE && is_pure && accecn_ace_of(ack->flags) > 1;

    return (struct ecn_half){.mode = is_accurate ? ECN_ACCURATE : ECN_NONE};
}

/* Once the option, twice accurate ECN, and in the end nothing that could be in the way
 * [RFC9768 3.2.3.2.2]. */
uint16_t ecn_half_synack(const struct ecn_half *half, uint8_t retries, struct tcp_options *options)
{
    switch ((enum ecn_mode)half->mode) {
    case ECN_NONE: return 0;
    case ECN_CLASSIC: return TCP_ECE;
    case ECN_ACCURATE: break;
    }
    if (retries >= ACCURATE_TRIES)
        return 0;
    if (retries == 0 && !half->is_repeated)
        accecn_offer_option(options);
    return accecn_flags_for((enum ip_ecn)half->syn_mark);
}

uint16_t ecn_half_ack(const struct ecn_half *half)
{
    static const struct tcp_conn fresh;

    return half->mode == ECN_ACCURATE ? accecn_flags_of(accecn_ace(&fresh)) : 0;
}

static void set_mode(struct tcp_conn *c, enum ecn_mode mode, enum ip_ecn syn_mark)
{
    c->ecn.mode = mode & 3u;
    if (mode == ECN_ACCURATE)
        accecn_start(c, syn_mark);
}

/* A server that has seen or sent a SYN without ECN may not know the client's mode [RFC9768 3.1.5]. */
void ecn_start(struct tcp_conn *c, const struct ecn_half *half, uint8_t retries)
{
    bool was_plain = half->mode == ECN_ACCURATE && retries >= ACCURATE_TRIES;

    set_mode(c, (enum ecn_mode)half->mode, (enum ip_ecn)half->syn_mark);
    c->ecn.is_not_ect = half->is_not_ect || was_plain;
}

/* [RFC9768 3.1.1, table 2]: 5 is reserved, 7 comes from a host that reflects what it does not know. */
static enum ecn_mode told_by(const struct tcp_conn *c, const struct tcp_seg *seg)
{
    unsigned ace = accecn_ace_of(seg->flags);

    switch ((enum ecn_mode)c->ecn.asked) {
    case ECN_NONE: return ECN_NONE;
    case ECN_CLASSIC: return (seg->flags & CLASSIC_SYN) == TCP_ECE ? ECN_CLASSIC : ECN_NONE;
    case ECN_ACCURATE: break;
    }
    if (ace == 0 || ace == 7)
        return ECN_NONE;
    return ace == 1 ? ECN_CLASSIC : ECN_ACCURATE;
}

void ecn_on_synack(struct tcp_conn *c, const struct tcp_seg *seg)
{
    set_mode(c, told_by(c, seg), ip_ecn_of(seg->tos));
    switch ((enum ecn_mode)c->ecn.mode) {
    case ECN_NONE: break;
    case ECN_CLASSIC: c->ecn.is_not_ect = c->ecn.plain_syn_sent; break; /* [RFC3168 6.1.1] */
    case ECN_ACCURATE:
        c->ecn.ce_in = ip_ecn_of(seg->tos) == IP_ECN_CE; /* counted once [RFC9768 3.2.2.2] */
        c->ecn.is_not_ect = accecn_is_mangled(accecn_ace_of(seg->flags));
        accecn_on_synack(c, seg);
        break;
    }
}

/* As a listener would answer it [RFC9768 3.1.2]. */
void ecn_on_syn(struct tcp_conn *c, const struct tcp_env *env, const struct tcp_seg *seg)
{
    set_mode(c, respond(to_accept(env, tcp_cc(c)), seg), ip_ecn_of(seg->tos));
    c->ecn.is_not_ect = c->ecn.asked == ECN_NONE || c->ecn.plain_syn_sent;
}

/* Of what it acknowledges, the SYN-ACK, one number is enough to believe it. */
static void take_first(struct tcp_conn *c, struct tcp_env *env, const struct tcp_seg *seg)
{
    struct delivery d = {.cum_bytes = 1, .delivered_bytes = 1};

    ecn_on_ack(c, seg, &d);
    if (d.has_ece)
        recovery_on_ecn_echo(c, env);
}

/* Only an ACK without text or SACK is in the handshake's code [RFC9768 3.2.2.1]. */
void ecn_on_handshake_ack(struct tcp_conn *c, struct tcp_env *env, const struct tcp_seg *seg)
{
    bool is_coded = seg->len == 0 && !(seg->flags & TCP_FIN) && !(seg->opt.present & TCP_HAS_SACK);
    unsigned ace = accecn_ace_of(seg->flags);

    if (c->ecn.mode != ECN_ACCURATE || is_syn(seg))
        return;
    accecn_on_option(c, seg);
    if (!is_coded) {
        take_first(c, env, seg);
        return;
    }
    if (accecn_is_mangled(ace))
        c->ecn.is_not_ect = true;
    if (ace == 0)
        accecn_go_deaf(c);
    if (ace == 6) {
        c->ecn.ce_out = 1;
        recovery_on_ecn_echo(c, env);
    }
}

/* Without the marks that they count, DCTCP and L4S have no way to share [RFC9331 4.2]. */
void ecn_on_established(struct tcp_conn *c)
{
    if (tcp_cc(c)->without_counts != NULL && needed_by(tcp_cc(c)) > (enum ecn_mode)c->ecn.mode)
        c->cc = cc_number(cc_find(tcp_cc(c)->without_counts));
}

void ecn_on_started(struct tcp_conn *c, struct tcp_env *env)
{
    if (c->accecn.syn_was_ce)
        recovery_on_ecn_echo(c, env);
}

void ecn_on_syn_again(struct tcp_conn *c, const struct tcp_seg *seg)
{
    bool is_ours = (seg->flags & TCP_ACK) && seq_eq(seg->seq, c->rcv.irs) && !c->is_passive;

    if (c->ecn.mode != ECN_ACCURATE || !is_ours || accecn_ace_of(seg->flags) == 0)
        return;
    accecn_on_synack(c, seg);
    if (c->ecn.ce_in == 0 && ip_ecn_of(seg->tos) == IP_ECN_CE)
        c->ecn.ce_in = 1;
}

/* ---- in ---- */

/* CWR comes first: the mark of the same segment begins a new echo [RFC3168 6.1.3]. */
static void note_classic(struct tcp_conn *c, const struct tcp_seg *seg)
{
    bool is_ce = ip_ecn_of(seg->tos) == IP_ECN_CE;

    if (seg->flags & TCP_CWR)
        c->ecn.echoes = false;
    if (!is_ce || seg->len == 0)
        return;
    if (!c->ecn.echoes)
        c->work->ack_owed = true;
    c->ecn.echoes = true;
}

/*
 * What is not yet acknowledged came before the change: it is acknowledged by itself. If there are too
 * many such, the last one is for more, and a mark in it is not lost.
 */
static void owe_past_ack(struct tcp_conn *c)
{
    struct ecn_work *w = &c->work->ecn;
    bool echoes = c->ecn.echoes;

    if (c->work->rcv_unacked == 0)
        return;
    if (w->past_count < ECN_PAST_MAX)
        w->past_count++;
    else
        echoes = echoes || w->past[ECN_PAST_MAX - 1].echoes;
    w->past[w->past_count - 1] = (struct ecn_past){c->rcv.nxt, echoes};
    c->work->rcv_unacked = 0;
}

/* DCTCP.CE: each change is told at once, so that ECE counts bytes [RFC8257 3.2]. */
static void note_dctcp(struct tcp_conn *c, const struct tcp_seg *seg)
{
    bool is_ce = ip_ecn_of(seg->tos) == IP_ECN_CE;

    if (seg->len == 0 || is_ce == c->ecn.echoes)
        return;
    owe_past_ack(c);
    c->ecn.echoes = is_ce;
    c->work->ack_owed = true;
}

void ecn_on_segment(struct tcp_conn *c, const struct tcp_seg *seg)
{
    if (is_syn(seg))
        return;
    if (ip_ecn_of(seg->tos) == IP_ECN_CE)
        c->ecn.ce_in += seg->segs;
    switch ((enum ecn_mode)c->ecn.mode) {
    case ECN_NONE: break;
    case ECN_CLASSIC:
        if (tcp_cc(c)->ecn == CC_ECN_DCTCP)
            note_dctcp(c, seg);
        else
            note_classic(c, seg);
        break;
    case ECN_ACCURATE: accecn_on_segment(c, seg); break;
    }
}

void ecn_on_text_again(struct tcp_conn *c)
{
    if (c->ecn.mode == ECN_ACCURATE)
        accecn_on_text_again(c);
}

bool ecn_is_silent(const struct tcp_conn *c, uint16_t flags, uint8_t tos)
{
    return c->ecn.mode != ECN_ACCURATE && !c->ecn.echoes && ip_ecn_of(tos) != IP_ECN_CE
           && (flags & ECN_FLAGS) == 0;
}

static struct accecn_news take_echo(struct tcp_conn *c, const struct tcp_seg *seg,
                                    uint32_t delivered_bytes)
{
    struct accecn_news none = {0};

    switch ((enum ecn_mode)c->ecn.mode) {
    case ECN_NONE: return none;
    case ECN_CLASSIC: break;
    case ECN_ACCURATE: return accecn_take(c, seg, delivered_bytes);
    }
    if (!(seg->flags & TCP_ECE))
        return none;
    return (struct accecn_news){
        .segs = (uint32_t)div_ceil(delivered_bytes, c->work->cc.mss),
        .bytes = delivered_bytes,
        .has_ece = true,
    };
}

/*
 * A congestion control that answers marks itself still has them taken off the line, once in a round trip:
 * a number that is not under way is from long ago.
 */
static void note_counted(struct tcp_conn *c)
{
    struct ecn_work *w = &c->work->ecn;

    if (tcp_cc(c)->ecn == CC_ECN_CLASSIC
        || (w->is_told && seq_in(w->cwr_end, c->snd.una, tcp_flight(c) + 1)))
        return;
    w->is_told = true;
    w->cwr_end = c->snd.nxt;
    ecn_on_reduced(c);
}

void ecn_on_ack(struct tcp_conn *c, const struct tcp_seg *seg, struct delivery *d)
{
    uint32_t delivered_bytes = c->agreed.sack_ok ? d->delivered_bytes : d->cum_bytes;
    struct accecn_news news;

    if (is_syn(seg) || !tcp_is_synchronized(c))
        return;
    news = take_echo(c, seg, delivered_bytes);
    c->ecn.ce_out += news.segs;
    c->ecn.is_not_ect = c->ecn.is_not_ect || news.is_mangled;
    d->ce_bytes = news.bytes;
    d->has_ece = news.has_ece;
    if (news.has_ece)
        note_counted(c);
}

void ecn_on_reduced(struct tcp_conn *c)
{
    c->ecn.owes_cwr = c->ecn.mode == ECN_CLASSIC;
}

void ecn_info(const struct tcp_conn *c, struct weir_tcp_info *info)
{
    info->ecn = (enum weir_tcp_ecn)c->ecn.mode;
    info->ecn_capable = c->ecn.mode != ECN_NONE && !c->ecn.is_not_ect;
    info->received_ce = c->ecn.ce_in;
    info->delivered_ce = c->ecn.ce_out;
    if (c->ecn.mode == ECN_ACCURATE)
        accecn_info(c, info);
}

/* ---- out ---- */

bool ecn_wants_pure_ack(const struct tcp_conn *c)
{
    return c->accecn.owes_handshake_ack;
}

bool ecn_is_single(const struct tcp_conn *c)
{
    switch ((enum ecn_mode)c->ecn.mode) {
    case ECN_NONE: break;
    case ECN_CLASSIC: return c->ecn.owes_cwr;
    case ECN_ACCURATE: return (accecn_flags_of(accecn_ace(c)) & TCP_CWR) != 0; /* [RFC9768 3.3.4] */
    }
    return false;
}

uint32_t ecn_option_bytes(const struct tcp_conn *c)
{
    bool wants = c->ecn.mode == ECN_ACCURATE && accecn_wants_option(c, true);

    return wants ? accecn_option_len(c) : 0;
}

uint8_t ecn_last_ace(const struct tcp_conn *c)
{
    return c->ecn.mode == ECN_ACCURATE ? (uint8_t)accecn_ace(c) : 0;
}

/* A retransmitted SYN lets go of what could be in the way [RFC3168 6.1.1.1] [RFC9768 3.1.4.1]. */
static uint16_t syn_flags(struct tcp_conn *c)
{
    uint32_t tries = c->ecn.asked == ECN_ACCURATE ? ACCURATE_TRIES : 1;

    if (c->ecn.asked == ECN_NONE)
        return 0;
    if (c->work->unanswered >= tries) {
        c->ecn.plain_syn_sent = true;
        return 0;
    }
    return c->ecn.asked == ECN_ACCURATE ? ECN_FLAGS : CLASSIC_SYN;
}

/* Both ends have opened at once. */
static uint16_t synack_flags(struct tcp_conn *c, struct tcp_options *options)
{
    struct ecn_half half = {.mode = c->ecn.mode, .syn_mark = c->accecn.syn_mark};
    uint8_t retries = (uint8_t)u32_min(c->work->unanswered, ACCURATE_TRIES);

    if (c->ecn.mode == ECN_ACCURATE && retries >= ACCURATE_TRIES)
        c->ecn.is_not_ect = true;
    return ecn_half_synack(&half, retries, options);
}

static uint16_t take_past(struct ecn_work *w)
{
    uint16_t flags = w->past[0].echoes ? TCP_ECE : 0;

    w->past_count--;
    memmove(&w->past[0], &w->past[1], w->past_count * sizeof w->past[0]);
    return flags;
}

static uint16_t dress_classic(struct tcp_conn *c, bool is_new_text)
{
    uint16_t flags = c->ecn.echoes ? TCP_ECE : 0;

    if (is_new_text && c->ecn.owes_cwr) {
        c->ecn.owes_cwr = false;
        flags |= TCP_CWR;
    }
    return flags;
}

static enum ip_ecn capable(const struct tcp_conn *c)
{
    if (c->ecn.mode == ECN_NONE || c->ecn.is_not_ect)
        return IP_ECN_NOT_ECT;
    return tcp_cc(c)->ecn == CC_ECN_L4S ? IP_ECN_ECT1 : IP_ECN_ECT0;
}

enum ip_ecn ecn_dress(struct tcp_conn *c, const struct segment *segment, struct tcp_header *h,
                      struct tcp_options *options, uint8_t bytes[ECN_OPTION_MAX],
                      uint32_t option_room)
{
    bool is_new_text = segment->len > 0 && !segment->is_resent;

    if (h->flags & TCP_RST)
        return IP_ECN_NOT_ECT;
    if (h->flags & TCP_SYN) {
        h->flags |= h->flags & TCP_ACK ? synack_flags(c, options) : syn_flags(c);
        return IP_ECN_NOT_ECT; /* [RFC3168 6.1.1] */
    }
    switch ((enum ecn_mode)c->ecn.mode) {
    case ECN_NONE: break;
    case ECN_CLASSIC:
        h->flags |= segment->is_past ? take_past(&c->work->ecn) : dress_classic(c, is_new_text);
        break;
    case ECN_ACCURATE: h->flags |= accecn_dress(c, segment, options, bytes, option_room); break;
    }
    return is_new_text ? capable(c) : IP_ECN_NOT_ECT;
}
