/* fuzz_wire_tcp.c - a TCP header that is parsed and emitted is the same again */
#include "fuzz/expect.h"
#include "wire/tcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    size_t segment_len;
    struct span head = take_head(bytes, len, &segment_len);
    uint8_t out[TCP_HEADER_MAX];
    struct tcp_header h;

    (void)tcp_parse_quoted(head, &h);
    if (tcp_parse(head, segment_len, &h) != WHY_NONE)
        return 0;
    expect(h.header_len + h.payload_len == segment_len);
    expect(h.header_len + h.payload.len == head.len);
    expect(tcp_emit(&h, out, sizeof out) == h.header_len);
    expect_same(out, head.bytes, h.header_len);
    return 0;
}
