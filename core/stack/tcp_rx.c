/*
 * tcp_rx.c - segments in: from an IP packet to the connection it is for
 */
#include "base/addr.h"
#include "base/check.h"
#include "stack/stack.h"
#include "tcp/closed.h"
#include "tcp/input.h"
#include "tcp/isn.h"
#include "tcp/seg.h"
#include "tcp/segment.h"
#include "wire/tcp.h"
#include "wire/tcp_options.h"

enum {
    ANSWER_INTERVAL_MS = 500, /* as Linux */
};

static const struct tracer silent;

struct arrival {
    struct ip_packet *packet;
    struct tcp_tuple tuple;
    struct tcp_seg seg;
};

/* From and to one host [RFC9293 MUST-57, MUST-63]. */
static bool is_between_hosts(const struct ip_packet *packet)
{
    return !packet->is_group && !addr_is_multicast(&packet->src) && !addr_is_broadcast(&packet->src)
           && !weir_addr_is_any(&packet->src);
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
    a->packet = packet;
    a->tuple = (struct tcp_tuple){packet->dst, packet->src, h.dst_port, h.src_port};
    segs = packet->gso_size == 0 || h.payload_len <= packet->gso_size
               ? 1
               : (uint32_t)((h.payload_len + packet->gso_size - 1u) / packet->gso_size);
    a->seg = (struct tcp_seg){
        .seq = seq_of(h.seq),
        .ack = seq_of(h.ack),
        .len = (uint32_t)h.payload_len,
        .flags = h.flags,
        .wnd = h.window,
        .up = h.urgent,
        .segs = (uint16_t)segs,
        .tos = packet->tos,
        .text = packet->slices,
        .text_count = packet->slice_count,
        .text_skip = packet->header_len + h.header_len,
        .frame = packet->frame,
    };
    tcp_options_parse(h.options, &a->seg.opt); /* in any segment [RFC9293 MUST-5] */
    return WHY_NONE;
}

static uint64_t handle_of_flow(const struct weir *s, const struct flow *flow)
{
    if (flow->kind == HANDLE_CONN)
        return container_of((struct flow *)(uintptr_t)flow, struct conn, flow)->tcp.handle;
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

static void trace_in(struct weir *s, const struct arrival *a, const struct flow *flow,
                     const struct listener *listener)
{
    struct weir_trace event = {
        .kind = WEIR_TRACE_PACKET_IN,
        .local = {.addr = a->tuple.local_addr, .port = a->tuple.local_port},
        .remote = {.addr = a->tuple.remote_addr, .port = a->tuple.remote_port},
    };

    if (!trace_is_on(&s->tracer))
        return;
    if (flow != NULL) {
        event.conn = handle_of_flow(s, flow);
        event.from = state_of_flow(flow);
    } else {
        event.from = listener != NULL ? WEIR_TCP_LISTEN : WEIR_TCP_CLOSED;
    }
    event.to = event.from;
    ip_fill_trace(&s->ip, a->packet, &event);
    trace_emit(&s->tracer, &event);
}

static void send_reset(struct weir *s, const struct arrival *a, enum tcp_state state)
{
    static const struct tcp_options none;
    struct reply reply;
    struct frame *frame;
    struct tx_about about = {.tuple = &a->tuple, .state = state};

    if (!closed_reset(&a->tuple, &a->seg, &reply))
        return;
    s->tcp.counts.resets_out++;
    frame = segment_build_reply(&s->tcp, &reply, &none);
    tx_reply(s, &frame, &about);
}

/* ---- no connection ---- */

static uint32_t mtu_to(struct weir *s, const struct tcp_tuple *tuple)
{
    struct ip_path path;

    if (ip_route(&s->ip, &tuple->remote_addr, &tuple->local_addr, 0, &path) != WEIR_OK)
        return 0;
    return path.mtu;
}

/* A connection begins, as a small record until its handshake is complete. */
static enum why open_half(struct weir *s, const struct arrival *a, struct listener *l,
                          const seq_t *isn)
{
    uint32_t mtu = mtu_to(s, &a->tuple);
    struct halfopen *h;

    if (mtu == 0)
        return WHY_NO_ROUTE;
    if (l->queued > l->backlog)
        return WHY_TCP_ACCEPT_QUEUE;
    h = flows_new_halfopen(s);
    if (h == NULL)
        return WHY_TCP_SYN_QUEUE;
    halfopen_init(&h->tcp, &s->tcp, &l->model.user, &a->tuple, &a->seg, *isn, mtu);
    h->listener = pool_handle(&s->listeners, l);
    if (!demux_add(s, &h->flow, &a->tuple)) {
        flows_free_halfopen(s, h);
        return WHY_NO_MEMORY;
    }
    flows_trace_state(s, &h->flow, TCP_LISTEN, TCP_SYN_RECEIVED);
    flows_send_synack(s, h, false);
    wheel_arm(&s->wheel, &h->flow.timer, ns_after(s->tcp.now, halfopen_wait_ns(&h->tcp, &s->tcp)));
    return WHY_NONE;
}

seq_t stack_next_isn(struct weir *s, const struct tcp_tuple *tuple)
{
    if (!s->has_next_isn)
        return isn_of(&s->tcp, tuple);
    s->has_next_isn = false;
    return s->next_isn;
}

static struct listener *listener_for(const struct weir *s, const struct arrival *a)
{
    struct weir_endpoint local = {
        .addr = a->tuple.local_addr,
        .port = a->tuple.local_port,
        .netif = a->packet->netif->id,
    };

    return demux_find_listener(s, &local);
}

static enum why to_listener(struct weir *s, const struct arrival *a, struct listener *l)
{
    enum why why;
    seq_t isn;

    switch (listen_input(&a->seg, &why)) {
    case LISTEN_DROP: break;
    case LISTEN_RESET: send_reset(s, a, TCP_LISTEN); break;
    case LISTEN_ACCEPT: isn = stack_next_isn(s, &a->tuple); return open_half(s, a, l, &isn);
    }
    return why;
}

static enum why to_nobody(struct weir *s, const struct arrival *a)
{
    send_reset(s, a, TCP_CLOSED);
    return WHY_TCP_NO_CONN;
}

/* ---- records ---- */

/*
 * Two ends that do not agree could answer each other for ever, faster with every segment that
 * the network doubles: a record answers what it did not expect twice a second [RFC5961 7].
 */
static bool may_answer(const struct weir *s, struct answered *answered)
{
    uint32_t now_ms = (uint32_t)(s->tcp.now / NS_MS);

    if (answered->ever && now_ms - answered->at_ms < ANSWER_INTERVAL_MS)
        return false;
    *answered = (struct answered){now_ms, true};
    return true;
}

/* ---- half-open connections ---- */

/* The listener's queue is full: the peer's data will ask again, or it is told now. */
static enum why refuse(struct weir *s, const struct arrival *a, struct halfopen *h)
{
    if (s->config.tcp.abort_on_overflow) {
        flows_free_halfopen(s, h);
        send_reset(s, a, TCP_SYN_RECEIVED);
    }
    return WHY_TCP_ACCEPT_QUEUE;
}

static void queue_for_accept(struct weir *s, struct listener *l, struct conn *c)
{
    c->listener = l;
    l->queued++;
    list_add_last(&l->queue, &c->event);
    events_note_listener(s, l);
}

/* The record has been told of already: its connection begins in its state without a word. */
static bool become(struct weir *s, struct conn *c, const struct halfopen *h,
                   const struct listener *l)
{
    bool done;

    s->tcp.tracer = &silent;
    done = tcp_open_passively(&c->tcp, &s->tcp, &h->tcp, &l->model.user);
    s->tcp.tracer = &s->tracer;
    return done;
}

static enum why complete(struct weir *s, struct arrival *a, struct halfopen *h)
{
    struct listener *l = pool_find(&s->listeners, h->listener);
    struct conn *c;
    enum why why;

    if (l == NULL) {
        flows_free_halfopen(s, h);
        return to_nobody(s, a);
    }
    if (l->queued > l->backlog)
        return refuse(s, a, h);
    c = flows_new_conn(s);
    if (c == NULL)
        return WHY_NO_MEMORY;
    if (!become(s, c, h, l)) {
        flows_free_conn(s, c);
        return WHY_NO_MEMORY;
    }
    c->user = l->user;
    flows_free_halfopen(s, h);
    if (!demux_add(s, &c->flow, &a->tuple)) {
        flows_free_conn(s, c);
        return WHY_NO_MEMORY;
    }
    queue_for_accept(s, l, c);
    why = tcp_input(&c->tcp, &s->tcp, &a->seg);
    stack_settle(s, c);
    return why;
}

static void send_halfopen_ack(struct weir *s, struct halfopen *h)
{
    struct frame *frame = halfopen_ack(&h->tcp, &s->tcp);
    struct tx_about about = {
        .tuple = &h->tcp.tuple,
        .handle = handle_of_flow(s, &h->flow),
        .state = TCP_SYN_RECEIVED,
        .ttl = h->tcp.ttl,
        .tos = h->tcp.tos,
    };

    s->tcp.counts.challenge_acks++;
    tx_reply(s, &frame, &about);
}

static enum why to_halfopen(struct weir *s, struct arrival *a, struct halfopen *h)
{
    enum why why;

    switch (halfopen_input(&h->tcp, &a->seg, &why)) {
    case HALFOPEN_DROP: break;
    case HALFOPEN_SYNACK:
        if (may_answer(s, &h->answered))
            flows_send_synack(s, h, true);
        break;
    case HALFOPEN_ACK:
        if (may_answer(s, &h->answered))
            send_halfopen_ack(s, h);
        break;
    case HALFOPEN_RESET: send_reset(s, a, TCP_SYN_RECEIVED); break;
    case HALFOPEN_CLOSED:
        flows_trace_state(s, &h->flow, TCP_SYN_RECEIVED, TCP_CLOSED);
        flows_free_halfopen(s, h);
        break;
    case HALFOPEN_COMPLETE: return complete(s, a, h);
    }
    return why;
}

/* ---- TIME-WAIT ---- */

static void answer(struct weir *s, struct timewait *tw)
{
    if (may_answer(s, &tw->answered))
        flows_send_timewait_ack(s, tw);
}

/* A listener may take the SYN of a new connection between the same ends [RFC9293 MAY-2]. */
static enum why reopen(struct weir *s, const struct arrival *a, struct timewait *tw)
{
    struct listener *l = listener_for(s, a);
    seq_t isn;

    if (l == NULL) {
        answer(s, tw);
        return WHY_TCP_TIME_WAIT;
    }
    isn = timewait_next_isn(&tw->tcp, stack_next_isn(s, &a->tuple));
    flows_free_timewait(s, tw);
    return open_half(s, a, l, &isn);
}

static enum why to_timewait(struct weir *s, const struct arrival *a, struct timewait *tw)
{
    enum why why;

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
    enum tcp_state state = (enum tcp_state)c->tcp.state;
    enum why why;

    if (state == TCP_CLOSED) /* its reset has not gone out yet */
        return WHY_TCP_NO_CONN;
    why = tcp_input(&c->tcp, &s->tcp, &a->seg);
    if (a->seg.wants_reset)
        send_reset(s, a, state);
    stack_settle(s, c);
    return why;
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

void tcp_rx(struct weir *s, struct ip_packet *packet)
{
    struct arrival a;
    enum why why = parse(packet, &a);
    struct flow *flow;
    struct listener *l = NULL;

    if (why != WHY_NONE) {
        rx_trace_in(s, packet);
        stack_drop(s, why);
        return;
    }
    s->tcp.counts.segs_in += a.seg.segs;
    flow = demux_find(s, &a.tuple);
    if (flow == NULL)
        l = listener_for(s, &a);
    trace_in(s, &a, flow, l);
    if (flow != NULL)
        why = to_flow(s, &a, flow);
    else
        why = l != NULL ? to_listener(s, &a, l) : to_nobody(s, &a);
    tcp_seg_done(&a.seg, &s->bufs);
    if (why != WHY_NONE)
        stack_drop(s, why);
}
