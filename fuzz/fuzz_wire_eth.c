/* fuzz_wire_eth.c - a frame that is parsed and emitted has the same header again */
#include "fuzz/expect.h"
#include "wire/eth.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    size_t frame_len;
    struct span head = take_head(bytes, len, &frame_len);
    uint8_t out[ETH_HEADER_MAX];
    struct eth_header h;

    if (eth_parse(head, frame_len, &h) != WHY_NONE)
        return 0;
    expect(eth_header_len(&h) + h.payload_len == frame_len);
    expect(eth_header_len(&h) + h.payload.len == head.len);
    expect(eth_emit(&h, out, sizeof out) == eth_header_len(&h));
    expect_same(out, head.bytes, eth_header_len(&h));
    return 0;
}
