/*
 * flow.c - a conversation, in a script's numbers and in the real ones
 */
#include "drill/flow.h"

#include <stdio.h>
#include <string.h>

#include "base/be.h"
#include "base/checksum.h"
#include "drill/icmp_names.h"
#include "format/text.h"
#include "wire/ip.h"
#include "wire/pkt.h"
#include "wire/tcp_options.h"

enum {
    QUOTE_TRANSPORT = 8, /* bytes that an ICMP error quotes behind the IP header at least */
    CHECKSUM_UDP_AT = 6,
    TTL = 64,
};

/* ---- numbers ---- */

/* Calls change for each option of a kind, with where its value stands and how long it is. */
static void each_option(struct seg_text *seg, uint8_t kind,
                        void (*change)(uint8_t *value, size_t len, const void *ctx),
                        const void *ctx)
{
    size_t i = 0;

    while (i < seg->options_len && seg->options[i] != TCP_OPTION_END) {
        size_t len = seg->options[i] == TCP_OPTION_NOP ? 1
                     : i + 1 < seg->options_len        ? seg->options[i + 1]
                                                       : 0;

        if (len == 0 || i + len > seg->options_len || (len == 1 && seg->options[i] != 1))
            return;
        if (seg->options[i] == kind && len > 2)
            change(seg->options + i + 2, len - 2, ctx);
        i += len;
    }
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void put32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

static void add_to_words(uint8_t *value, size_t len, const void *ctx)
{
    const uint32_t *offset = ctx;

    for (size_t i = 0; i + 4 <= len; i += 4)
        put32(value + i, get32(value + i) + *offset);
}

/* From the script's numbers of one side to the real ones. In a SYN, numbers are whole. */
static uint32_t local_offset(const struct drill_flow *flow, bool is_syn)
{
    if (!flow->has_local_isn)
        return 0;
    return is_syn ? flow->local_isn - flow->script_local_isn : flow->local_isn;
}

static uint32_t remote_offset(const struct drill_flow *flow, bool is_syn)
{
    return is_syn || !flow->has_remote_isn ? 0 : flow->remote_isn;
}

/* Adds to a segment's own numbers and to those of the other side that it speaks of. */
static void shift(struct seg_text *seg, uint32_t own, uint32_t other)
{
    seg->seq += own;
    if (seg->flags & TCP_ACK)
        seg->ack += other;
    each_option(seg, TCP_OPTION_SACK, add_to_words, &other);
}

/* ---- timestamps ---- */

struct stamp_change {
    const struct drill_flow *flow;
    bool to_script;
};

static uint32_t real_stamp(const struct drill_flow *flow, uint32_t script)
{
    for (size_t i = flow->stamp_count; i-- > 0;) {
        if (flow->stamps[i].script == script)
            return flow->stamps[i].real;
    }
    return flow->stamp_count > 0 ? script - flow->stamps[0].script + flow->stamps[0].real : script;
}

/* The ecr of a segment to come in. */
static void change_ecr(uint8_t *value, size_t len, const void *ctx)
{
    if (len == 8)
        put32(value + 4, real_stamp(ctx, get32(value + 4)));
}

/* The val of a segment that was sent. */
static void change_val(uint8_t *value, size_t len, const void *ctx)
{
    const struct drill_flow *flow = ctx;

    if (len == 8 && flow->stamp_count > 0)
        put32(value, get32(value) - flow->stamps[0].real + flow->stamps[0].script);
}

struct stamp_found {
    bool found;
    uint32_t val;
};

static bool find_stamp(const struct seg_text *seg, uint32_t *val)
{
    struct tcp_options options;

    tcp_options_parse(span_of(seg->options, seg->options_len), &options);
    *val = options.ts_val;
    return (options.present & TCP_HAS_TIMESTAMPS) != 0;
}

void drill_flow_note_stamp(struct drill_flow *flow, const struct seg_text *want,
                           const struct seg_text *seen)
{
    uint32_t script, real;
    size_t i = flow->stamp_count;

    if (!find_stamp(want, &script) || !find_stamp(seen, &real))
        return;
    if (i == DRILL_STAMPS_MAX)
        memmove(flow->stamps + 1, flow->stamps + 2, (--i - 1) * sizeof *flow->stamps);
    else
        flow->stamp_count++;
    flow->stamps[i].script = script;
    flow->stamps[i].real = real;
}

struct seg_text drill_flow_to_script(const struct drill_flow *flow, const struct seg_text *seg)
{
    struct seg_text script = *seg;
    bool is_syn = (seg->flags & TCP_SYN) != 0;

    shift(&script, -local_offset(flow, is_syn), -remote_offset(flow, is_syn));
    each_option(&script, TCP_OPTION_TIMESTAMPS, change_val, flow);
    return script;
}

/* ---- packets for the stack ---- */

struct builder {
    const struct drill_flow *flow;
    const struct drill_packet *packet;
    bool is_v6;
    uint8_t *ip; /* where the IP header goes */
    uint8_t *transport;
    size_t room; /* of transport */
};

static uint16_t port_or(uint16_t port, uint16_t usual)
{
    return port != 0 ? port : usual;
}

static size_t emit_ip(const struct builder *b, uint8_t protocol, size_t len)
{
    uint8_t ttl = b->packet->ttl != 0 ? b->packet->ttl : TTL;

    if (b->is_v6) {
        struct ip6_header h = {
            .src = b->flow->remote.addr,
            .dst = b->flow->local.addr,
            .payload_len = len,
            .tos = b->packet->tos,
            .ttl = ttl,
            .protocol = protocol,
            .next_header = protocol,
            .flow_label = b->packet->flow_label,
        };
        return ip6_emit(&h, b->ip, IP6_HEADER_LEN);
    }
    struct ip4_header h = {
        .src = b->flow->remote.addr,
        .dst = b->flow->local.addr,
        .payload_len = len,
        .tos = b->packet->tos,
        .ttl = ttl,
        .protocol = protocol,
    };
    return ip4_emit(&h, b->ip, IP4_HEADER_LEN);
}

static void put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static uint32_t sum_transport(const struct builder *b, uint8_t protocol, size_t len)
{
    return checksum_add(checksum_pseudo(&b->flow->remote.addr, &b->flow->local.addr, protocol, len),
                        b->transport, len);
}

static size_t emit_tcp(const struct builder *b, const char **problem)
{
    struct seg_text seg = b->packet->seg;
    bool is_syn = (seg.flags & TCP_SYN) != 0;
    struct tcp_header header;
    size_t len;

    shift(&seg, remote_offset(b->flow, is_syn), local_offset(b->flow, is_syn));
    if (seg.flags & TCP_ACK)
        each_option(&seg, TCP_OPTION_TIMESTAMPS, change_ecr, b->flow);
    header = seg_text_header(&seg);
    header.src_port = port_or(b->packet->src_port, b->flow->remote.port);
    header.dst_port = port_or(b->packet->dst_port, b->flow->local.port);
    len = tcp_emit(&header, b->transport, TCP_HEADER_MAX);
    if (len + seg.len > b->room) {
        *problem = "the packet would be longer than IP can carry";
        return 0;
    }
    memset(b->transport + len, 0, seg.len);
    len += seg.len;
    put16(b->transport + TCP_CHECKSUM_AT, checksum_fold(sum_transport(b, IP_PROTOCOL_TCP, len)));
    return emit_ip(b, IP_PROTOCOL_TCP, len) + len;
}

static size_t emit_udp(const struct builder *b, const char **problem)
{
    struct udp_header h = {.src_port = port_or(b->packet->src_port, b->flow->remote.port),
                           .dst_port = port_or(b->packet->dst_port, b->flow->local.port),
                           .payload_len = b->packet->len};
    size_t len = UDP_HEADER_LEN + b->packet->len;

    if (len > b->room || udp_emit(&h, b->transport, UDP_HEADER_LEN) == 0) {
        *problem = "the packet would be longer than IP can carry";
        return 0;
    }
    memset(b->transport + UDP_HEADER_LEN, 0, b->packet->len);
    put16(b->transport + CHECKSUM_UDP_AT,
          udp_checksum_fold(sum_transport(b, IP_PROTOCOL_UDP, len)));
    return emit_ip(b, IP_PROTOCOL_UDP, len) + len;
}

/* The beginning of the packet that an ICMP message speaks of: it went to the remote end. */
static size_t emit_quote(const struct builder *b, uint8_t *out)
{
    const struct drill_packet *p = b->packet;
    bool is_tcp = p->quote == DRILL_QUOTE_TCP;
    uint8_t protocol = is_tcp                        ? IP_PROTOCOL_TCP
                       : p->quote == DRILL_QUOTE_UDP ? IP_PROTOCOL_UDP
                                                     : 255; /* reserved */
    size_t len = p->quote_len + (is_tcp ? TCP_HEADER_LEN : UDP_HEADER_LEN), ip_len;
    struct drill_flow back = *b->flow;
    struct drill_packet plain = {0};
    struct builder quoted = {.flow = &back, .packet = &plain, .is_v6 = b->is_v6, .ip = out};

    back.local = b->flow->remote;
    back.remote = b->flow->local;
    ip_len = emit_ip(&quoted, protocol, len);
    memset(out + ip_len, 0, QUOTE_TRANSPORT);
    put16(out + ip_len, b->flow->local.port);
    put16(out + ip_len + 2, b->flow->remote.port);
    if (is_tcp)
        put32(out + ip_len + 4, p->quote_seq + local_offset(b->flow, false));
    else
        put16(out + ip_len + 4, (uint16_t)len);
    return ip_len + QUOTE_TRANSPORT;
}

static size_t emit_icmp(const struct builder *b, const char **problem)
{
    const struct drill_packet *p = b->packet;
    uint8_t quote[IP6_HEADER_LEN + QUOTE_TRANSPORT];
    uint8_t type, code;
    uint32_t word = p->has_icmp_mtu ? p->icmp_mtu : (uint32_t)p->icmp_id << 16;
    bool is_error;
    size_t len;

    *problem = drill_icmp_numbers(b->is_v6, p->icmp_type, p->icmp_code, &type, &code);
    if (*problem != NULL) {
        *problem = "the ICMP type or code has no such name";
        return 0;
    }
    is_error = b->is_v6 ? icmp6_is_error(type) : icmp4_is_error(type);
    len = is_error ? emit_quote(b, quote) : 0;
    if (b->is_v6) {
        struct icmp_message m = {
            .type = type, .code = code, .word = word, .body = span_of(quote, len), .body_len = len};

        len = icmp6_emit(&m, &b->flow->remote.addr, &b->flow->local.addr, b->transport, b->room);
        return emit_ip(b, IP_PROTOCOL_ICMP6, len) + len;
    }
    struct icmp_message m = {
        .type = type, .code = code, .word = word, .body = span_of(quote, len), .body_len = len};
    len = icmp_emit(&m, 0, b->transport, b->room);
    return emit_ip(b, IP_PROTOCOL_ICMP4, len) + len;
}

size_t drill_flow_emit(const struct drill_flow *flow, const struct drill_packet *packet,
                       uint8_t *bytes, size_t room, const char **problem)
{
    bool is_v6 = !weir_addr_is_v4(&flow->remote.addr);
    size_t ip_len = is_v6 ? (size_t)IP6_HEADER_LEN : (size_t)IP4_HEADER_LEN;
    struct builder b = {flow, packet, is_v6, bytes, bytes + ip_len, 0};

    b.room = (room < UINT16_MAX ? room : UINT16_MAX) - ip_len;
    switch (packet->protocol) {
    case DRILL_TCP: return emit_tcp(&b, problem);
    case DRILL_UDP: return emit_udp(&b, problem);
    case DRILL_ICMP: break;
    }
    return emit_icmp(&b, problem);
}

/* ---- packets of the stack ---- */

static void take_icmp(const struct pkt *pkt, struct drill_seen *seen)
{
    seen->protocol = DRILL_ICMP;
    seen->icmp_type = pkt->icmp.type;
    seen->icmp_code = pkt->icmp.code;
    seen->icmp_word = pkt->icmp.word;
}

bool drill_seen_parse(const uint8_t *bytes, size_t len, struct drill_seen *seen,
                      const char **problem)
{
    struct pkt pkt;
    enum why why = pkt_parse(span_of(bytes, len), len, &pkt);

    *problem = NULL;
    if (why != WHY_NONE || pkt.is_fragment) {
        *problem = why != WHY_NONE ? "a malformed packet was sent" : NULL;
        return false;
    }
    seen->src = (struct weir_endpoint){.addr = pkt.src};
    seen->dst = (struct weir_endpoint){.addr = pkt.dst};
    seen->tos = pkt.tos;
    seen->ttl = pkt.ttl;
    seen->flow_label = pkt.version == 6 ? pkt.ip6.flow_label : 0;
    if (pkt.protocol == IP_PROTOCOL_TCP) {
        seen->protocol = DRILL_TCP;
        seen->src.port = pkt.tcp.src_port;
        seen->dst.port = pkt.tcp.dst_port;
        seen->seg = seg_text_of(&pkt.tcp);
    } else if (pkt.protocol == IP_PROTOCOL_UDP) {
        seen->protocol = DRILL_UDP;
        seen->src.port = pkt.udp.src_port;
        seen->dst.port = pkt.udp.dst_port;
        seen->len = (uint32_t)pkt.udp.payload_len;
    } else if (pkt_is_icmp4(&pkt) || pkt_is_icmp6(&pkt)) {
        take_icmp(&pkt, seen);
    } else {
        return false;
    }
    if (pkt_check_checksum(&pkt, 0) != WHY_NONE)
        *problem = "a packet with a wrong checksum was sent";
    return *problem == NULL;
}

bool drill_flow_has(const struct drill_flow *flow, const struct drill_seen *seen)
{
    if (!weir_addr_eq(&seen->dst.addr, &flow->remote.addr))
        return false;
    if (seen->protocol == DRILL_ICMP)
        return true;
    if (flow->local.port == 0 && seen->protocol == DRILL_TCP
        && (seen->seg.flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
        return false; /* of an earlier one, whose own SYN said which */
    return seen->dst.port == flow->remote.port
           && (flow->local.port == 0 || seen->src.port == flow->local.port);
}

/* ---- comparison ---- */

static const char *tos_differs(const struct drill_packet *want, uint8_t tos)
{
    switch (want->tos_check) {
    case DRILL_TOS_ANY: return NULL;
    case DRILL_TOS_ECN: return (tos & IP_ECN_MASK) == want->tos ? NULL : "ECN mark";
    case DRILL_TOS_ECT01:
        return (tos & IP_ECN_MASK) == IP_ECN_ECT0 || (tos & IP_ECN_MASK) == IP_ECN_ECT1
                   ? NULL
                   : "ECN mark";
    case DRILL_TOS_WHOLE: break;
    }
    return tos == want->tos ? NULL : "tos";
}

/* Of timestamps, val depends on the clock and is not compared: what stands for it is remembered. */
static void forget_val(uint8_t *value, size_t len, const void *ctx)
{
    (void)ctx;
    if (len == 8)
        put32(value, 0);
}

static const char *seg_differs(const struct drill_packet *want, const struct seg_text *seg)
{
    struct seg_text a = want->seg, b = *seg;

    each_option(&a, TCP_OPTION_TIMESTAMPS, forget_val, NULL);
    each_option(&b, TCP_OPTION_TIMESTAMPS, forget_val, NULL);
    return seg_text_differs(&a, &b);
}

static const char *icmp_differs(const struct drill_packet *want, const struct drill_seen *seen,
                                bool is_v6)
{
    uint8_t type, code;

    if (drill_icmp_numbers(is_v6, want->icmp_type, want->icmp_code, &type, &code) != NULL)
        return "ICMP type, which has no such name,";
    if (type != seen->icmp_type)
        return "ICMP type";
    if (code != seen->icmp_code)
        return "ICMP code";
    return want->has_icmp_mtu && want->icmp_mtu != seen->icmp_word ? "mtu" : NULL;
}

const char *drill_packet_differs(const struct drill_packet *want, const struct drill_seen *seen,
                                 const struct seg_text *seg, bool is_v6)
{
    const char *what = tos_differs(want, seen->tos);

    if (want->protocol != seen->protocol)
        return "protocol";
    if (what != NULL)
        return what;
    if (want->ttl != 0 && want->ttl != seen->ttl)
        return "ttl";
    if (want->has_flow_label && want->flow_label != 0 && seen->flow_label == 0)
        return "flow label";
    switch (want->protocol) {
    case DRILL_TCP: return seg_differs(want, seg);
    case DRILL_UDP: return want->len != seen->len ? "length" : NULL;
    case DRILL_ICMP: break;
    }
    return icmp_differs(want, seen, is_v6);
}

/* ---- texts ---- */

static void put_tos(struct text *t, enum drill_tos_check check, uint8_t tos)
{
    static const char *const marks[] = {"noecn", "ect1", "ect0", "ce"};

    if (check == DRILL_TOS_ECN)
        text_putf(t, "[%s] ", marks[tos & IP_ECN_MASK]);
    else if (check == DRILL_TOS_ECT01)
        text_put(t, "[ect01] ");
    else if (check == DRILL_TOS_WHOLE)
        text_putf(t, "[tos 0x%x] ", tos);
}

static void put_seg(struct text *t, const struct seg_text *seg)
{
    char text[SEG_TEXT_MAX];

    (void)seg_text_emit(seg, NULL, text, sizeof text);
    text_put(t, text);
}

size_t drill_packet_text(const struct drill_packet *packet, char *text, size_t room)
{
    struct text t = text_of(text, room);

    put_tos(&t, packet->tos_check, packet->tos);
    if (packet->protocol == DRILL_TCP) {
        put_seg(&t, &packet->seg);
    } else if (packet->protocol == DRILL_UDP) {
        text_putf(&t, "udp (%u)", packet->len);
    } else {
        text_putf(&t, "icmp %s %s", packet->icmp_type,
                  packet->icmp_code != NULL ? packet->icmp_code : "");
    }
    return t.len;
}

size_t drill_seen_text(const struct drill_seen *seen, const struct seg_text *seg, char *text,
                       size_t room)
{
    struct text t = text_of(text, room);

    if (seen->tos & (uint8_t)~IP_ECN_MASK)
        put_tos(&t, DRILL_TOS_WHOLE, seen->tos);
    else if (seen->tos != 0)
        put_tos(&t, DRILL_TOS_ECN, seen->tos);
    if (seen->protocol == DRILL_TCP)
        put_seg(&t, seg);
    else if (seen->protocol == DRILL_UDP)
        text_putf(&t, "udp (%u)", seen->len);
    else
        text_putf(&t, "icmp type_%u code_%u", seen->icmp_type, seen->icmp_code);
    return t.len;
}
