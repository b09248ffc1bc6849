/*
 * icmp_error.c - what the network says of a packet of ours, told to whoever sent it
 *
 * An error counts for TCP only if it quotes a sequence number that is under way
 * [RFC5927 4.1]; then a connection that is established is told and goes on [RFC9293 MUST-56],
 * and one that is being opened ends if nobody speaks TCP there [RFC9293 SHLD-26].
 */
#include "base/addr.h"
#include "base/count.h"
#include "base/parts.h"
#include "stack/stack.h"
#include "tcp/pmtu.h"
#include "wire/icmp4.h"
#include "wire/icmp6.h"
#include "wire/ip.h"
#include "wire/tcp.h"
#include "wire/udp.h"

/* ---- the hook ---- */

void weir_icmp_set(struct weir *s, weir_icmp_hook hook, void *ctx)
{
    s->icmp_hook = hook;
    s->icmp_ctx = ctx;
}

static uint8_t type4_of(enum icmp_error_kind kind)
{
    switch (kind) {
    case ICMP_ERROR_TIME_EXCEEDED: return ICMP4_TIME_EXCEEDED;
    case ICMP_ERROR_PARAMETER: return ICMP4_PARAMETER_PROBLEM;
    default: return ICMP4_UNREACHABLE;
    }
}

static uint8_t type6_of(enum icmp_error_kind kind)
{
    switch (kind) {
    case ICMP_ERROR_TOO_BIG: return ICMP6_PACKET_TOO_BIG;
    case ICMP_ERROR_TIME_EXCEEDED: return ICMP6_TIME_EXCEEDED;
    case ICMP_ERROR_PARAMETER:
    case ICMP_ERROR_PROTOCOL: return ICMP6_PARAMETER_PROBLEM;
    default: return ICMP6_UNREACHABLE;
    }
}

static int code_of(const struct icmp_error *error)
{
    return error->kind == ICMP_ERROR_TOO_BIG ? WEIR_EMSGSIZE : icmp_error_code(error->kind);
}

/* *e says whose packet it was. */
static void tell_hook(const struct weir *s, const struct icmp_error *error,
                      struct weir_icmp_error *e)
{
    if (!HAS_TRACE || s->icmp_hook == NULL)
        return;
    e->from = error->from;
    e->type = addr_is_v4(&error->dst) ? type4_of(error->kind) : type6_of(error->kind);
    e->code = error->code;
    e->mtu = error->kind == ICMP_ERROR_TOO_BIG ? error->mtu : 0;
    e->error = code_of(error);
    s->icmp_hook(s->icmp_ctx, e);
}

/* ---- TCP ---- */

static bool is_under_way(const struct tcp_conn *c, uint32_t seq)
{
    seq_t quoted = seq_of(seq);

    return seq_geq(quoted, c->snd.una) && seq_lt(quoted, c->snd.nxt);
}

/* One that began with data in a SYN is half open until the peer answers, and ends like those. */
static bool is_hard(const struct tcp_conn *c, const struct icmp_error *error)
{
    bool is_opening = c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED;

    if (c->state == TCP_SYN_RECEIVED && c->is_passive)
        return true;
    return is_opening
           && (error->kind == ICMP_ERROR_PORT || error->kind == ICMP_ERROR_PROTOCOL
               || error->kind == ICMP_ERROR_ADMIN);
}

/*
 * Whoever asks for digests does not let anybody without a key end or slow down the connection
 * [RFC5925 7.8].
 */
static bool is_disbelieved(uint32_t auth, const struct icmp_error *error)
{
    bool is_too_big4 = error->kind == ICMP_ERROR_TOO_BIG && addr_is_v4(&error->dst);

    return auth != 0
           && (error->kind == ICMP_ERROR_PORT || error->kind == ICMP_ERROR_PROTOCOL
               || error->kind == ICMP_ERROR_ADMIN || is_too_big4);
}

static void tell_conn(struct weir *s, struct conn *c, const struct icmp_error *error)
{
    struct tcp_conn *t = &c->tcp;

    if (error->kind == ICMP_ERROR_TOO_BIG) {
        struct tcp_tuple tuple = ends_tuple(&t->ends, &s->tcp);
        struct ip_path *path;
        pmtu_update(&s->ip, &error->dst, error->mtu, error->packet_len);
        path = tx_path(s, &tuple.local_addr, &tuple.remote_addr);
        if (path != NULL && path->mtu != t->pmtu)
            tcp_set_pmtu(t, &s->tcp, path->mtu);
    } else if (is_hard(t, error)) {
        tcp_end(t, &s->tcp, icmp_error_code(error->kind));
    } else if (t->user->soft_errors) { /* [RFC9293 MUST-47, SHLD-25] */
        t->soft_error = (int8_t)icmp_error_code(error->kind);
        t->events |= WEIR_EVENT_SOFT_ERROR;
    }
    stack_settle(s, c);
}

/*
 * A half-open connection has sent one number. It ends: a peer that is there sends its SYN again.
 */
static enum why tell_halfopen(struct weir *s, struct halfopen *h, const struct icmp_error *error,
                              uint32_t seq)
{
    if (!seq_eq(seq_of(seq), h->tcp.iss))
        return WHY_ICMP_SEQUENCE;
    if (is_disbelieved(h->tcp.auth, error))
        return WHY_ICMP_AUTH;
    if (error->kind == ICMP_ERROR_TOO_BIG) {
        pmtu_update(&s->ip, &error->dst, error->mtu, error->packet_len);
        return WHY_NONE;
    }
    flows_trace_state(s, &h->flow, TCP_SYN_RECEIVED, TCP_CLOSED);
    count_add(&s->tcp.counts.failed_opens, 1);
    flows_free_halfopen(s, h);
    return WHY_NONE;
}

/* The right connection is the one whose four-tuple is quoted [RFC9293 MUST-54]. */
static enum why to_tcp(struct weir *s, const struct icmp_error *error)
{
    struct tcp_header h;
    struct tcp_tuple tuple;
    struct flow *flow;
    struct conn *c;
    uint32_t hash;

    if (tcp_parse_quoted(error->transport, &h) != WHY_NONE)
        return WHY_ICMP_MALFORMED;
    tuple = (struct tcp_tuple){error->src, error->dst, h.src_port, h.dst_port};
    flow = demux_find(s, &tuple, &hash);
    if (flow != NULL && flow->kind == HANDLE_HALFOPEN)
        return tell_halfopen(s, container_of(flow, struct halfopen, flow), error, h.seq);
    if (flow == NULL || flow->kind != HANDLE_CONN)
        return WHY_ICMP_NOT_OURS;
    if (!is_under_way(&container_of(flow, struct conn, flow)->tcp, h.seq))
        return WHY_ICMP_SEQUENCE;
    if (is_disbelieved(container_of(flow, struct conn, flow)->tcp.auth, error))
        return WHY_ICMP_AUTH;
    c = container_of(flow, struct conn, flow);
    tell_hook(s, error,
              &(struct weir_icmp_error){.handle = handle_of_conn(s, c),
                                        .user = c->user,
                                        .to = {.addr = error->dst, .port = h.dst_port}});
    tell_conn(s, c, error);
    return WHY_NONE;
}

/* ---- UDP and echo requests ---- */

static enum why to_udp(struct weir *s, const struct icmp_error *error)
{
    struct weir_endpoint local = {.addr = error->src};
    struct weir_endpoint remote = {.addr = error->dst};
    struct udp_header h;
    struct udp_endpoint *u;
    struct span payload;

    if (udp_parse_quoted(error->transport, &h) != WHY_NONE)
        return WHY_ICMP_MALFORMED;
    local.port = h.src_port;
    remote.port = h.dst_port;
    u = udp_find(&s->udp, &local, &remote);
    if (u == NULL)
        return WHY_ICMP_NOT_OURS;
    if (error->kind == ICMP_ERROR_TOO_BIG)
        pmtu_update(&s->ip, &error->dst, error->mtu, error->packet_len);
    payload = span_drop(error->transport, UDP_HEADER_LEN);
    tell_hook(s, error,
              &(struct weir_icmp_error){.handle = handle_of_udp(s, u),
                                        .user = u->user,
                                        .to = remote,
                                        .bytes = payload.bytes,
                                        .len = payload.len});
    if (!u->is_connected) /* which of its datagrams this was, nobody could tell */
        return WHY_NONE;
    udp_on_error(u, code_of(error));
    events_note_udp(s, u, WEIR_EVENT_READABLE);
    return WHY_NONE;
}

static enum why to_ping(struct weir *s, const struct icmp_error *error)
{
    struct weir_ping_reply reply = {
        .received_at = s->tcp.now,
        .error = code_of(error),
    };
    struct ping *p;

    if (!ping_on_error(&s->pings, &error->dst, error->transport.bytes, error->transport.len, &reply,
                       &p))
        return WHY_ICMP_NOT_OURS;
    if (error->kind == ICMP_ERROR_TOO_BIG) /* the next request goes in smaller fragments */
        pmtu_update(&s->ip, &error->dst, error->mtu, error->packet_len);
    events_note_ping(s, p, WEIR_EVENT_READABLE);
    return WHY_NONE;
}

void icmp_error_rx(struct weir *s, const struct icmp_error *error)
{
    enum why why = WHY_ICMP_NOT_OURS;

    if (error->kind == ICMP_ERROR_SOURCE_QUENCH) /* [RFC9293 MUST-55] */
        why = WHY_ICMP_SOURCE_QUENCH;
    else if (error->protocol == IP_PROTOCOL_TCP)
        why = to_tcp(s, error);
    else if (HAS_UDP && error->protocol == IP_PROTOCOL_UDP)
        why = to_udp(s, error);
    else if (HAS_UDP && /* and pings */
             (error->protocol == IP_PROTOCOL_ICMP4 || error->protocol == IP_PROTOCOL_ICMP6))
        why = to_ping(s, error);
    if (why != WHY_NONE)
        stack_drop(s, why);
}
