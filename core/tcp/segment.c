/*
 * segment.c - from a decision to a frame
 *
 * The text is not touched: the frame refers to the send queue. The checksum is left as the
 * pseudo-header's sum, to be completed by the device or at the last moment, so that it is
 * always there [RFC9293 MUST-2].
 */
#include "tcp/segment.h"
#include "base/addr.h"
#include "base/check.h"
#include "base/checksum.h"
#include "base/frame.h"
#include "base/hint.h"
#include "base/num.h"
#include "base/parts.h"
#include "tcp/ecn.h"
#include "tcp/fastopen.h"
#include "tcp/options.h"
#include "tcp/sack.h"
#include "tcp/sendq.h"
#include "tcp/tstamp.h"
#include "tcp/uto.h"
#include "tcp/window.h"
#include "wire/ip.h"
#include "wire/tcp.h"
#include "wire/tcp_options.h"

/* Writes the header before what the frame has, with the checksum still to be completed. */
static void push_any(struct frame *frame, const struct tcp_tuple *tuple,
                     const struct tcp_header *what, const struct tcp_options *options)
{
    struct tcp_header h = *what;
    uint8_t bytes[TCP_OPTIONS_MAX];
    size_t len = 0;
    size_t text_len = frame->wire.len;
    uint8_t *at;

    CHECK(tcp_options_emit(options, bytes, &len));
    h.src_port = tuple->local_port;
    h.dst_port = tuple->remote_port;
    h.options = span_of(bytes, len);
    h.checksum = (uint16_t)checksum_reduce(checksum_pseudo(
        &tuple->local_addr, &tuple->remote_addr, IP_PROTOCOL_TCP, TCP_HEADER_LEN + len + text_len));
    at = frame_push(frame, TCP_HEADER_LEN + len);
    CHECK(tcp_emit(&h, at, TCP_HEADER_LEN + len) == TCP_HEADER_LEN + len);
    frame_need_checksum(frame, TCP_CHECKSUM_AT);
}

/* What the pseudo-header adds. IPv4's addresses differ in their last four bytes only. */
static inline uint64_t pseudo(const struct tcp_tuple *t, uint32_t len)
{
    if (!addr_is_v4(&t->remote_addr))
        return checksum_pseudo(&t->local_addr, &t->remote_addr, IP_PROTOCOL_TCP, len);
    return (uint64_t)be32_at(t->local_addr.b + 12) + be32_at(t->remote_addr.b + 12)
           + IP_PROTOCOL_TCP + len;
}

/*
 * The same at once for the usual ones: of a SYN with all options, of what has timestamps alone. Without
 * text the checksum takes less than to note that it is still to be made. False: it is another one.
 */
static bool push_usual(struct frame *frame, const struct tcp_tuple *tuple,
                       const struct tcp_header *what, const struct tcp_options *options)
{
    bool is_syn = options->present == TCP_USUAL_SYN;
    size_t len = is_syn ? (size_t)TCP_USUAL_SYN_LEN : tcp_plain_len(true);
    struct tcp_plain h;
    uint64_t sum;
    uint8_t *at;

    if (!HAS_PREDICTION || (!is_syn && options->present != TCP_HAS_TIMESTAMPS)
        || frame->wire.slice_count > 1 || what->urgent != 0)
        return false;
    h = (struct tcp_plain){
        .src_port = tuple->local_port,
        .dst_port = tuple->remote_port,
        .seq = what->seq,
        .ack = what->ack,
        .flags = what->flags,
        .window = what->window,
        .has_timestamps = true,
        .ts_val = options->ts_val,
        .ts_ecr = options->ts_ecr,
    };
    at = frame_push(frame, len);
    sum = is_syn ? tcp_emit_usual_syn(&h, options->mss, options->window_scale, at)
                 : tcp_emit_plain(&h, at);
    frame_set_header_checksum(frame, TCP_CHECKSUM_AT, sum + pseudo(tuple, (uint32_t)len));
    return true;
}

static void push_header(struct frame *frame, const struct tcp_tuple *tuple,
                        const struct tcp_header *what, const struct tcp_options *options)
{
    if (!push_usual(frame, tuple, what, options))
        push_any(frame, tuple, what, options);
}

/* Where the urgent data ends, as an offset: the octet after it [RFC9293 MUST-62]. */
static uint16_t urgent_pointer(const struct tcp_conn *c, seq_t seq)
{
    uint32_t offset = seq_len(seq, c->work->snd_up);

    return offset > UINT16_MAX ? UINT16_MAX : (uint16_t)offset;
}

static void set_options(const struct tcp_conn *c, const struct tcp_env *env,
                        const struct weir_addr *remote, uint16_t flags,
                        uint8_t digest[AUTH_VALUE_MAX], struct tcp_options *options)
{
    if (!(flags & TCP_SYN)) {
        options->present = 0;
        auth_reserve(env, c->auth, remote, digest, options);
        options_of_segment(c, env, options);
        return;
    }
    options_offer(options, &c->agreed, tstamp_clock(env->now, c->ts.offset), c->ts.recent);
    auth_reserve(env, c->auth, remote, digest, options);
    fastopen_offer(c, env, options);
}

/* Where its text begins: a SYN takes the number before. */
static seq_t text_of(const struct segment *segment)
{
    return seq_add(segment->seq, (segment->flags & TCP_SYN) != 0);
}

/*
 * A frame has few slices: of text in small pieces it takes less. A super-segment stays one of whole
 * segments then, and what would end it is in a later one.
 */
static void fit(struct tcp_conn *c, struct segment *segment, uint32_t mss)
{
    uint32_t reach = segment->len > 0 ? sendq_reach(c, text_of(segment), segment->len) : 0;

    if (reach > mss && ecn_is_single(c))
        reach = mss;
    if (reach == segment->len)
        return;
    segment->len = reach > mss ? reach - reach % mss : reach;
    segment->flags &= (uint16_t) ~(TCP_FIN | TCP_PSH);
}

/* What a segment's text leaves free of a full one. */
static uint32_t option_room(const struct tcp_conn *c, const struct tcp_env *env,
                            const struct segment *segment, const struct tcp_options *options,
                            uint32_t mss)
{
    uint32_t said, used, full;

    if (segment->len == 0)
        return TCP_OPTIONS_MAX;
    said = options->present & TCP_HAS_USER_TIMEOUT ? UTO_OPTION_LEN : 0;
    used = u32_min(segment->len, mss) + sack_len(c) + said;
    full = tcp_send_mss(c, env);
    return full > used ? full - used : 0;
}

APART uint32_t segment_pseudo_sum(const struct tcp_conn *c, const struct tcp_env *env)
{
    struct tcp_tuple tuple = ends_tuple(&c->ends, env);

    return checksum_pseudo(&tuple.local_addr, &tuple.remote_addr, IP_PROTOCOL_TCP, 0);
}

static void push_full(struct tcp_conn *c, struct tcp_env *env, const struct segment *segment,
                      uint32_t mss, struct frame *frame)
{
    struct tcp_tuple tuple = ends_tuple(&c->ends, env);
    struct tcp_options options;
    struct tcp_header h = {.seq = segment->seq.raw, .flags = segment->flags};
    uint8_t option[ECN_OPTION_MAX], digest[AUTH_VALUE_MAX];

    if (h.flags & TCP_ACK)
        h.ack = c->rcv.nxt.raw;
    if (c->snd_urgent && seq_gt(c->work->snd_up, segment->seq)
        && !(h.flags & (TCP_SYN | TCP_RST))) {
        h.flags |= TCP_URG; /* [RFC9293 MUST-30, MUST-31] */
        h.urgent = urgent_pointer(c, segment->seq);
    }
    if (segment->is_past) {
        h.ack = segment->ack.raw;
        h.window = window_repeat(c, segment->ack);
    } else {
        h.window = window_announce(c, (h.flags & TCP_SYN) != 0);
    }
    set_options(c, env, &tuple.remote_addr, h.flags, digest, &options);
    if (!(h.flags & TCP_RST))
        uto_offer(c, (h.flags & TCP_SYN) != 0, &options);
    frame->ecn = (uint8_t)ecn_dress(c, segment, &h, &options, option,
                                    option_room(c, env, segment, &options, mss));
    if (h.flags & TCP_SYN)
        options_fit(&options);
    push_header(frame, &tuple, &h, &options);
    auth_sign(env, c->auth, &tuple, frame);
}

static bool is_usual(const struct segment *segment)
{
    return !(segment->flags & (TCP_SYN | TCP_RST)) && !segment->is_past;
}

struct frame *segment_build(struct tcp_conn *c, struct tcp_env *env, struct segment *segment,
                            uint32_t mss)
{
    struct frame *frame = frame_get(env->frames);

    if (frame == NULL)
        return NULL;
    fit(c, segment, mss);
    sendq_refer(c, text_of(segment), segment->len, frame);
    if (HAS_PREDICTION && is_usual(segment) && segment_is_plain(c)) {
        (void)frame_push(frame, tcp_plain_len(c->agreed.timestamps_ok));
        (void)segment_fill_plain(c, env, segment->seq, segment->flags, frame);
        segment_leave_checksum(c, frame);
    } else {
        push_full(c, env, segment, mss, frame);
    }
    if (HAS_SUPER_SEGMENTS && segment->len > mss)
        segment_set_gso(c, frame, mss);
    return frame;
}

struct frame *segment_build_usual_syn(struct tcp_env *env, const struct usual_syn *syn)
{
    struct frame *frame = frame_get_headed(env->frames, TCP_USUAL_SYN_LEN);
    struct tcp_plain h = {
        .src_port = syn->tuple->local_port,
        .dst_port = syn->tuple->remote_port,
        .seq = syn->seq.raw,
        .ack = syn->ack.raw,
        .flags = syn->flags,
        .window = syn->window,
        .has_timestamps = true,
        .ts_val = syn->ts_val,
        .ts_ecr = syn->ts_ecr,
    };
    uint64_t sum;

    if (frame == NULL)
        return NULL;
    sum = tcp_emit_usual_syn(&h, syn->offers->rcv_mss, syn->offers->rcv_wscale,
                             frame->wire.slices[0].bytes);
    frame_set_header_checksum(frame, TCP_CHECKSUM_AT, sum + pseudo(syn->tuple, TCP_USUAL_SYN_LEN));
    return frame;
}

struct frame *segment_build_plain(struct tcp_env *env, const struct tcp_tuple *tuple,
                                  const struct tcp_plain *h)
{
    size_t len = tcp_plain_len(h->has_timestamps);
    struct frame *frame = frame_get_headed(env->frames, len);
    uint64_t sum;

    if (frame == NULL)
        return NULL;
    sum = tcp_emit_plain(h, frame->wire.slices[0].bytes);
    frame_set_header_checksum(frame, TCP_CHECKSUM_AT, sum + pseudo(tuple, (uint32_t)len));
    return frame;
}

struct frame *segment_build_reply(struct tcp_env *env, const struct reply *reply,
                                  const struct tcp_options *options)
{
    struct frame *frame = frame_get(env->frames);
    struct tcp_header h = {
        .seq = reply->seq.raw,
        .ack = reply->ack.raw,
        .flags = reply->flags,
        .window = reply->window,
    };

    if (frame == NULL)
        return NULL;
    push_header(frame, reply->tuple, &h, options);
    auth_sign(env, reply->auth, reply->tuple, frame);
    return frame;
}
