/* fuzz_wire_udp.c - a UDP header that is parsed and emitted is the same again */
#include "fuzz/expect.h"
#include "wire/udp.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    size_t datagram_len;
    struct span head = take_head(bytes, len, &datagram_len);
    uint8_t out[UDP_HEADER_LEN];
    struct udp_header h;

    (void)udp_parse_quoted(head, &h);
    if (udp_parse(head, datagram_len, &h) != WHY_NONE)
        return 0;
    expect(UDP_HEADER_LEN + h.payload_len <= datagram_len);
    expect(h.payload.len <= h.payload_len);
    expect(udp_emit(&h, out, sizeof out) == UDP_HEADER_LEN);
    expect_same(out, head.bytes, UDP_HEADER_LEN);
    return 0;
}
