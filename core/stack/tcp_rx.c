/*
 * tcp_rx.c - segments in: from an IP packet to the connection it is for
 *
 * What a listener does with them is in handshake.c.
 */
#include "stack/tcp_rx.h"
#include "base/addr.h"
#include "base/check.h"
#include "base/count.h"
#include "base/hint.h"
#include "stack/stack.h"
#include "tcp/closed.h"
#include "tcp/input.h"
#include "tcp/isn.h"
#include "tcp/segment.h"
#include "wire/tcp.h"
#include "wire/tcp_options.h"

enum {
    ANSWER_INTERVAL_MS = 500, /* as Linux */
};

/* From and to one host [RFC9293 MUST-57, MUST-63]. */
static bool is_between_hosts(const struct ip_packet *packet)
{
    return !packet->is_group && !addr_is_multicast(&packet->src) && !addr_is_broadcast(&packet->src)
           && !addr_is_any(&packet->src);
}

static enum why parse(struct ip_packet *packet, struct arrival *a)
{
    struct tcp_header h;
    uint32_t segs;
    enum why why = tcp_parse(ip_packet_head(packet), ip_packet_transport_len(packet), &h);

    if (why != WHY_NONE)
        return why;
    if (!ip_packet_has_good_checksum(packet)) /* [RFC9293 MUST-3] */
        return WHY_TCP_CHECKSUM;
    if (!is_between_hosts(packet))
        return WHY_TCP_NOT_UNICAST;
    a->netif = packet->netif;
    a->ip = packet->slices[0].bytes;
    a->ttl = packet->ttl;
    a->auth = 0;
    a->tuple = (struct tcp_tuple){packet->dst, packet->src, h.dst_port, h.src_port};
    segs = packet->gso_size == 0 || h.payload_len <= packet->gso_size
               ? 1
               : (uint32_t)((h.payload_len + packet->gso_size - 1u) / packet->gso_size);
    tcp_seg_begin(&a->seg);
    a->seg.seq = seq_of(h.seq);
    a->seg.ack = seq_of(h.ack);
    a->seg.len = (uint32_t)h.payload_len;
    a->seg.flags = h.flags;
    a->seg.wnd = h.window;
    a->seg.up = h.urgent;
    a->seg.segs = (uint16_t)segs;
    a->seg.tos = packet->tos;
    a->seg.header = span_take(ip_packet_head(packet), h.header_len);
    a->seg.text = packet->slices;
    a->seg.text_count = packet->slice_count;
    a->seg.text_skip = packet->header_len + h.header_len;
    a->seg.frame = packet->frame;
    tcp_options_parse(h.options, &a->seg.opt); /* in any segment [RFC9293 MUST-5] */
    return WHY_NONE;
}

uint64_t rx_handle_of(const struct weir *s, const struct flow *flow)
{
    if (flow->kind == HANDLE_CONN)
        return handle_of_conn(s, (const struct conn *)(const void *)flow);
    return handle_make((enum handle_kind)flow->kind, flow->kind == HANDLE_HALFOPEN
                                                         ? pool_handle(&s->halfopens, flow)
                                                         : pool_handle(&s->timewaits, flow));
}

static enum weir_tcp_state state_of_flow(const struct flow *flow)
{
    if (flow->kind == HANDLE_CONN)
        return (enum weir_tcp_state)((const struct conn *)(const void *)flow)->tcp.state;
    return flow->kind == HANDLE_HALFOPEN ? WEIR_TCP_SYN_RECEIVED : WEIR_TCP_TIME_WAIT;
}

static void trace_in(struct weir *s, const struct ip_packet *packet, const struct arrival *a,
                     const struct flow *flow, const struct listener *listener)
{
    struct weir_trace event;

    if (!trace_is_on(&s->tracer))
        return;
    event = (struct weir_trace){
        .kind = WEIR_TRACE_PACKET_IN,
        .local = {.addr = a->tuple.local_addr, .port = a->tuple.local_port},
        .remote = {.addr = a->tuple.remote_addr, .port = a->tuple.remote_port},
    };
    if (flow != NULL) {
        event.conn = rx_handle_of(s, flow);
        event.from = state_of_flow(flow);
    } else {
        event.from = listener != NULL ? WEIR_TCP_LISTEN : WEIR_TCP_CLOSED;
    }
    event.to = event.from;
    ip_fill_trace(&s->ip, packet, &event);
    trace_emit(&s->tracer, &event);
}

/* TCP-AO's keys are those of a connection: where there is none, nothing can be signed. */
static bool may_reset(const struct weir *s, const struct arrival *a, enum tcp_state state)
{
    struct weir_auth_info info;

    return state != TCP_LISTEN || auth_info(&s->tcp, a->auth, &info) != WEIR_OK
           || info.algorithm == WEIR_AUTH_MD5;
}

void rx_send_reset(struct weir *s, const struct arrival *a, enum tcp_state state)
{
    struct tcp_options options = {0};
    uint8_t digest[AUTH_VALUE_MAX];
    struct reply reply;
    struct frame *frame;
    struct tx_about about = {.tuple = &a->tuple, .state = state};

    if (!closed_reset(&a->tuple, &a->seg, &reply) || !may_reset(s, a, state))
        return;
    reply.auth = a->auth;
    auth_reserve(&s->tcp, a->auth, &a->tuple.remote_addr, digest, &options);
    count_add(&s->tcp.counts.resets_out, 1);
    frame = segment_build_reply(&s->tcp, &reply, &options);
    tx_reply(s, &frame, &about);
}

/* ---- no connection ---- */

struct isn stack_next_isn(struct weir *s, uint64_t ends)
{
    struct isn isn = isn_of(&s->tcp, ends);

    if (s->has_next_isn)
        isn.seq = s->next_isn;
    s->has_next_isn = false;
    return isn;
}

enum why rx_to_nobody(struct weir *s, const struct arrival *a)
{
    rx_send_reset(s, a, TCP_CLOSED);
    return WHY_TCP_NO_CONN;
}

/* ---- records ---- */

/*
 * Two ends that do not agree could answer each other for ever, faster with every segment that
 * the network doubles: a record answers what it did not expect twice a second [RFC5961 7].
 */
bool rx_may_answer(const struct weir *s, struct answered *answered)
{
    uint32_t now_ms = (uint32_t)(s->tcp.now / NS_MS);

    if (answered->ever && now_ms - answered->at_ms < ANSWER_INTERVAL_MS)
        return false;
    *answered = (struct answered){now_ms, true};
    return true;
}

/* ---- what a segment needs to be heard ---- */

/*
 * It comes from near enough, and is signed: other options count only if the digest is right
 * [RFC5925 7.5].
 */
static enum why check_heard(struct weir *s, struct arrival *a, uint8_t min_ttl, uint32_t auth)
{
    if (a->ttl < min_ttl) /* [RFC5082 3] */
        return WHY_TCP_MIN_TTL;
    a->auth = auth;
    if (auth == 0 && !(a->seg.opt.present & (TCP_HAS_MD5 | TCP_HAS_AO))) /* neither asks for it */
        return WHY_NONE;
    return auth_check(&s->tcp, auth, &a->tuple, &a->seg);
}

/* A listener knows numbers of a segment that is no SYN only from the segment itself. */
static enum why check_for_listener(struct weir *s, struct arrival *a, const struct tcp_conn *model)
{
    uint32_t auth = auth_has_key_for(&s->tcp, model->auth, &a->tuple.remote_addr) ? model->auth : 0;
    uint32_t copy;
    enum why why;

    if (auth == 0 || (a->seg.flags & TCP_SYN) || a->ttl < model->user->min_ttl)
        return check_heard(s, a, model->user->min_ttl, auth);
    a->auth = auth;
    copy = auth_copy(&s->tcp, model->auth, &a->tuple.remote_addr);
    if (copy == 0)
        return WHY_NO_MEMORY;
    auth_begin(&s->tcp, copy, &a->seg, seq_sub(a->seg.ack, 1), seq_sub(a->seg.seq, 1));
    why = auth_check(&s->tcp, copy, &a->tuple, &a->seg);
    auth_put(&s->tcp, &copy);
    return why;
}

/* ---- TIME-WAIT ---- */

static void answer(struct weir *s, struct timewait *tw)
{
    if (rx_may_answer(s, &tw->answered))
        flows_send_timewait_ack(s, tw);
}

/* A listener may take the SYN of a new connection between the same ends [RFC9293 MAY-2]. */
static enum why reopen(struct weir *s, struct arrival *a, struct timewait *tw)
{
    struct listener *l = rx_listener(s, a);
    seq_t past;

    if (l == NULL) {
        answer(s, tw);
        return WHY_TCP_TIME_WAIT;
    }
    past = timewait_past(&tw->tcp);
    a->hash = tw->flow.hash;
    flows_free_timewait(s, tw);
    return rx_open_half(s, a, l, &past);
}

static APART enum why to_timewait(struct weir *s, struct arrival *a, struct timewait *tw)
{
    enum why why = check_heard(s, a, tw->tcp.min_ttl, tw->tcp.auth);

    if (why != WHY_NONE)
        return why;
    switch (timewait_input(&tw->tcp, &s->tcp, &a->seg, &why)) {
    case TIMEWAIT_DROP: break;
    case TIMEWAIT_RESTART:
        flows_restart_timewait(s, tw);
        flows_send_timewait_ack(s, tw);
        break;
    case TIMEWAIT_ACK: answer(s, tw); break;
    case TIMEWAIT_REOPEN: return reopen(s, a, tw);
    }
    return why;
}

/* ---- connections ---- */

static enum why to_conn(struct weir *s, struct arrival *a, struct conn *c)
{
    enum why why = check_heard(s, a, c->tcp.user->min_ttl, c->tcp.auth);
    enum tcp_state state = (enum tcp_state)c->tcp.state;

    if (why != WHY_NONE)
        return why;
    if (state == TCP_CLOSED) /* its reset has not gone out yet */
        return WHY_TCP_NO_CONN;
    why = tcp_input(&c->tcp, &s->tcp, &a->seg);
    if (a->seg.wants_reset)
        rx_send_reset(s, a, state);
    stack_settle(s, c);
    return why;
}

static APART enum why to_halfopen(struct weir *s, struct arrival *a, struct halfopen *h)
{
    enum why why = check_heard(s, a, h->tcp.min_ttl, h->tcp.auth);

    return why == WHY_NONE ? rx_to_halfopen(s, a, h) : why;
}

static enum why to_flow(struct weir *s, struct arrival *a, struct flow *flow)
{
    switch ((enum handle_kind)flow->kind) {
    case HANDLE_CONN: return to_conn(s, a, container_of(flow, struct conn, flow));
    case HANDLE_HALFOPEN: return to_halfopen(s, a, container_of(flow, struct halfopen, flow));
    case HANDLE_TIMEWAIT: return to_timewait(s, a, container_of(flow, struct timewait, flow));
    case HANDLE_NONE:
    case HANDLE_LISTENER:
    case HANDLE_UDP:
    case HANDLE_PING: break;
    }
    CHECK(false);
    return WHY_NONE;
}

static enum why to_listener(struct weir *s, struct arrival *a, struct listener *l)
{
    enum why why = check_for_listener(s, a, &l->model);

    return why == WHY_NONE ? rx_to_listener(s, a, l) : why;
}

static void end(struct weir *s, struct arrival *a, enum why why)
{
    tcp_seg_done(&a->seg, &s->tcp);
    if (why != WHY_NONE)
        stack_drop(s, why);
}

static APART enum why to_listener_or_nobody(struct weir *s, struct arrival *a, struct listener *l)
{
    return l != NULL ? to_listener(s, a, l) : rx_to_nobody(s, a);
}

void rx_segment(struct weir *s, struct arrival *a, struct flow *flow)
{
    count_add(&s->tcp.counts.segs_in, a->seg.segs);
    end(s, a, flow != NULL ? to_flow(s, a, flow) : to_listener_or_nobody(s, a, rx_listener(s, a)));
    recent_note(s, &a->tuple, a->netif, a->ip);
}

size_t tcp_rx(struct weir *s, struct ip_packet *packet, struct weir_frame *rest, size_t count)
{
    struct arrival a;
    enum why why = parse(packet, &a);
    struct flow *flow;
    struct listener *l = NULL;
    size_t joined;

    if (why != WHY_NONE) {
        rx_trace_in(s, packet);
        stack_drop(s, why);
        return 0;
    }
    flow = demux_find(s, &a.tuple, &a.hash);
    joined = gro_join(s, a.ip, &a.seg, flow, rest, count);
    count_add(&s->tcp.counts.segs_in, a.seg.segs);
    if (flow == NULL)
        l = rx_listener(s, &a);
    trace_in(s, packet, &a, flow, l);
    end(s, &a, flow != NULL ? to_flow(s, &a, flow) : to_listener_or_nobody(s, &a, l));
    return joined;
}
