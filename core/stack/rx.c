/*
 * rx.c - frames in: weir_input
 *
 * IP says what a frame is; here it is brought to whoever it is for. Nothing is sent:
 * connections note what they owe, and answers without a connection wait at an interface.
 */
#include "base/check.h"
#include "base/hint.h"
#include "base/num.h"
#include "stack/api.h"
#include "stack/stack.h"
#include <string.h>

void stack_drop(struct weir *s, enum why why)
{
    s->dropped[why]++;
    if (trace_is_on(&s->tracer)) {
        struct weir_trace event = {.kind = WEIR_TRACE_DROP, .at = s->tcp.now, .why = (size_t)why};
        trace_emit(&s->tracer, &event);
    }
}

void rx_trace_in(struct weir *s, const struct ip_packet *packet)
{
    struct weir_trace event;

    if (!trace_is_on(&s->tracer))
        return;
    event = (struct weir_trace){.kind = WEIR_TRACE_PACKET_IN};
    ip_fill_trace(&s->ip, packet, &event);
    trace_emit(&s->tracer, &event);
}

static void udp_rx(struct weir *s, struct ip_packet *packet)
{
    struct udp_arrival arrival = {
        .from = {.addr = packet->src, .netif = packet->netif->id},
        .to = {.addr = packet->dst, .netif = packet->netif->id},
        .ttl = packet->ttl,
        .tos = packet->tos,
        .at = s->tcp.now,
    };
    struct weir_slice slices[WEIR_FRAME_SLICES];
    struct udp_endpoint *u;
    enum why why;

    s->udp_in++;
    rx_trace_in(s, packet);
    memcpy(slices, packet->slices, sizeof slices);
    slices[0].bytes += packet->header_len;
    slices[0].len -= packet->header_len;
    why = udp_take_header(&arrival, slices, packet->slice_count, packet->csum != IP_CSUM_UNKNOWN);
    if (why == WHY_NONE) {
        u = udp_find(&s->udp, &arrival.to, &arrival.from);
        if (u == NULL) {
            icmp_send_port_unreachable(&s->ip, packet);
            why = WHY_UDP_NO_PORT;
        } else {
            why = udp_input(&s->udp, u, &arrival);
            if (why == WHY_NONE)
                events_note_udp(s, u, WEIR_EVENT_READABLE);
        }
    }
    if (why != WHY_NONE)
        stack_drop(s, why);
}

static void echo_rx(struct weir *s, struct ip_packet *packet)
{
    struct ping *p = ping_find(&s->pings, &packet->src, packet->echo.id);
    struct weir_ping_reply reply = {
        .sequence = packet->echo.sequence, .ttl = packet->ttl, .received_at = s->tcp.now};
    struct weir_slice slices[WEIR_FRAME_SLICES];
    enum why why = WHY_ICMP_NOT_OURS;

    rx_trace_in(s, packet);
    memcpy(slices, packet->slices, sizeof slices);
    slices[0].bytes += packet->header_len;
    slices[0].len -= packet->header_len;
    if (p != NULL)
        why = ping_input(&s->pings, p, &reply, slices, packet->slice_count);
    if (why != WHY_NONE)
        stack_drop(s, why);
    else
        events_note_ping(s, p, WEIR_EVENT_READABLE);
}

size_t rx_packet(struct weir *s, enum ip_verdict verdict, struct ip_packet *packet,
                 struct weir_frame *rest, size_t count)
{
    size_t taken_along = 0;

    switch (verdict) {
    case IP_CONSUMED: return 0;
    case IP_TRANSPORT:
        if (packet->protocol == IP_PROTOCOL_TCP)
            taken_along = tcp_rx(s, packet, rest, count);
        else
            udp_rx(s, packet);
        break;
    case IP_ICMP_ERROR:
        rx_trace_in(s, packet);
        icmp_error_rx(s, &packet->error);
        break;
    case IP_ECHO_REPLY: echo_rx(s, packet); break;
    }
    ip_packet_fini(&s->ip, packet);
    return taken_along;
}

static void release(struct weir_frame *frame)
{
    void (*release_function)(void *owner) = frame->release;

    frame->release = NULL;
    if (release_function != NULL)
        release_function(frame->owner);
}

/* Packets that could not be delivered because a next hop does not answer. */
void rx_failures(struct weir *s)
{
    struct icmp_error error;

    if (!ip_has_failure(&s->ip))
        return;
    while (ip_take_failure(&s->ip, &error))
        icmp_error_rx(s, &error);
}

/* The long way, on which a frame may take others along; returns how many have been taken in. */
static APART size_t take_any(struct weir *s, struct netif *netif, struct weir_frame *frames,
                             size_t count)
{
    struct ip_packet packet;

    s->frames_in++;
    s->bytes_in += frames[0].len;
    return 1
           + rx_packet(s, ip_input(&s->ip, netif, &frames[0], &packet), &packet, &frames[1],
                       count - 1);
}

/* The first of count frames, and those behind it that it takes along; returns how many that are. */
static size_t take_frame(struct weir *s, struct netif *netif, struct weir_frame *frames,
                         size_t count)
{
    size_t taken;

    if (netif == NULL || (s->flood.netif != NULL && flood_rx(s, netif, &frames[0])))
        return 1;
    taken = recent_rx(s, netif, frames, count);
    return taken > 0 ? taken : take_any(s, netif, frames, count);
}

void api_input(struct weir *s, weir_netif_t id, struct weir_frame *frames, size_t count)
{
    struct netif *netif = netif_find(&s->ip, id);
    size_t looked = 0; /* so many have been looked at ahead */

    while (count > 0) {
        size_t taken;

        if (looked == 0 && count > 1 && netif != NULL)
            looked = ahead_look(s, netif, frames, count);
        taken = take_frame(s, netif, frames, count);
        looked -= size_min(taken, looked);
        count -= taken;
        for (; taken > 0; taken--)
            release(frames++);
    }
    rx_failures(s);
}

void api_advance(struct weir *s, weir_ns_t now)
{
    if (now > s->tcp.now) {
        s->tcp.now = now;
        s->ip.now = now;
    }
    s->is_starved = false;
    flows_expire(s);
    rx_failures(s);
    tx_run_stranded(s);
}

weir_ns_t api_deadline(struct weir *s)
{
    ns_t at = ns_min(flows_deadline(s), ip_deadline(&s->ip));

    return ns_max(ns_min(at, tx_deadline(s)), s->tcp.now);
}
