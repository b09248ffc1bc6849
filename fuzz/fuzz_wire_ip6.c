/* fuzz_wire_ip6.c - IPv6 headers that are parsed and emitted are the same again */
#include "fuzz/expect.h"
#include "wire/ip6.h"

static void expect_fragment(const struct ip6_header *h, struct span head)
{
    uint8_t out[IP6_FRAGMENT_LEN];

    expect(ip6_emit_fragment(h, out, sizeof out) == IP6_FRAGMENT_LEN);
    expect(h->fragment_header_at + sizeof out <= head.len);
    /* What is reserved is not kept. */
    expect((out[3] & 0xf9) == (head.bytes[h->fragment_header_at + 3] & 0xf9));
    expect(out[2] == head.bytes[h->fragment_header_at + 2]);
    expect_same(out + 4, head.bytes + h->fragment_header_at + 4, 4);
    expect(head.bytes[h->fragment_pointer_at] == IP_PROTOCOL_FRAGMENT);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static uint8_t out[IP6_HEADER_LEN + UINT16_MAX];
    size_t packet_len, header_len;
    struct span head = take_head(bytes, len, &packet_len);
    struct ip6_header h;

    if (ip6_parse_quoted(head, &h) == WHY_NONE)
        expect(IP6_HEADER_LEN + h.extensions.len + h.payload.len <= head.len);
    if (ip6_parse(head, packet_len, &h) != WHY_NONE) {
        expect(head.len < IP6_HEADER_LEN || head.bytes[0] >> 4 != 6 || !h.has_problem
               || h.problem_at < head.len);
        return 0;
    }
    header_len = IP6_HEADER_LEN + h.extensions.len;
    expect(header_len + h.payload_len <= packet_len);
    expect(h.payload.len <= h.payload_len);
    expect(head.bytes[h.protocol_at] == h.protocol);
    expect(ip6_emit(&h, out, sizeof out) == header_len);
    expect_same(out, head.bytes, header_len);
    if (h.has_fragment)
        expect_fragment(&h, head);
    return 0;
}
