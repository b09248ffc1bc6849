/*
 * crafted.c - segments made by hand, of very many clients that have no stack
 */
#include "bench/crafted.h"

#include <string.h>

#include "wire/ip4.h"
#include "wire/tcp.h"
#include "wire/tcp_options.h"

enum {
    FIRST_PORT = 1024,
};

struct weir_addr crafted_server(void)
{
    return weir_addr_v4(198, 18, 0, 1);
}

static struct weir_addr addr_of(uint32_t client)
{
    uint32_t host = client % CRAFTED_MANY;

    return weir_addr_v4(198, 19, (uint8_t)(host >> 8), (uint8_t)host);
}

static uint16_t port_of(uint32_t client)
{
    return (uint16_t)(FIRST_PORT + client / CRAFTED_MANY);
}

static uint32_t isn_of(uint32_t client)
{
    return client * 2654435761u;
}

static size_t emit_tcp(const struct crafted_segment *what, uint8_t *out)
{
    struct tcp_options options = {
        .present = TCP_HAS_TIMESTAMPS,
        .ts_val = what->now_ms,
        .ts_ecr = what->ts_echo,
    };
    uint8_t bytes[TCP_OPTIONS_MAX];
    size_t len = 0;
    struct tcp_header h = {
        .src_port = port_of(what->client),
        .dst_port = CRAFTED_PORT,
        .seq = isn_of(what->client) + what->seq,
        .ack = what->ack,
        .flags = what->flags,
        .window = 60000,
    };

    if (what->flags & TCP_SYN) {
        options.present |= TCP_HAS_MSS | TCP_HAS_WINDOW_SCALE | TCP_HAS_SACK_PERMITTED;
        options.mss = 1460;
        options.window_scale = 7;
    }
    for (uint8_t i = 0; i < what->sack_count; i++)
        options.sack[i] = (struct tcp_sack_block){what->sack[i].left, what->sack[i].right};
    options.sack_count = what->sack_count;
    if (what->sack_count > 0)
        options.present |= TCP_HAS_SACK;
    (void)tcp_options_emit(&options, bytes, &len);
    h.options = span_of(bytes, len);
    return tcp_emit(&h, out, TCP_HEADER_LEN + len);
}

void crafted_make(const struct crafted_segment *what, uint8_t bytes[CRAFTED_LEN],
                  struct weir_frame *frame)
{
    size_t tcp_len = emit_tcp(what, bytes + IP4_HEADER_LEN);
    struct ip4_header ip = {
        .src = addr_of(what->client),
        .dst = crafted_server(),
        .payload_len = tcp_len + what->text_len,
        .ttl = 64,
        .protocol = IP_PROTOCOL_TCP,
        .dont_fragment = true,
    };

    (void)ip4_emit(&ip, bytes, IP4_HEADER_LEN);
    bytes[IP4_HEADER_LEN + tcp_len] = 'x';
    memset(frame, 0, sizeof *frame);
    frame->slices[0] = (struct weir_slice){bytes, IP4_HEADER_LEN + tcp_len + what->text_len};
    frame->slice_count = 1;
    frame->len = frame->slices[0].len;
    frame->flags = WEIR_FRAME_CSUM_VALID;
}

bool crafted_read(const struct weir_frame *frame, struct crafted_answer *answer)
{
    struct ip4_header ip;
    struct tcp_header h;
    struct tcp_options options;

    if (ip4_parse(span_of(frame->slices[0].bytes, frame->slices[0].len), frame->len, &ip)
            != WHY_NONE
        || ip.protocol != IP_PROTOCOL_TCP || tcp_parse(ip.payload, ip.payload_len, &h) != WHY_NONE)
        return false;
    tcp_options_parse(h.options, &options);
    *answer = (struct crafted_answer){
        .client = (uint32_t)(h.dst_port - FIRST_PORT) * CRAFTED_MANY
                  + (uint32_t)(ip.dst.b[14] << 8 | ip.dst.b[15]),
        .flags = h.flags,
        .seq = h.seq,
        .ack = h.ack,
        .timestamp = options.ts_val,
        .text_len = (uint32_t)h.payload_len,
    };
    return true;
}
