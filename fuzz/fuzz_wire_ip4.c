/*
 * fuzz_wire_ip4.c - an IPv4 header that is parsed and emitted is the same again
 *
 * The fuzzer does not find checksums, so each input is tried with the right one as well.
 */
#include "base/checksum.h"
#include "fuzz/expect.h"
#include "wire/ip4.h"

static void try_packet(struct span head, size_t packet_len)
{
    uint8_t out[IP4_HEADER_MAX];
    struct ip4_header h;
    enum why why = ip4_parse(head, packet_len, &h);

    if (why == WHY_IP_OPTIONS)
        expect(h.problem_at >= IP4_HEADER_LEN && h.problem_at < h.header_len);
    if (why != WHY_NONE)
        return;
    expect(h.header_len + h.payload_len <= packet_len);
    expect(h.payload.len <= h.payload_len);
    expect(ip4_emit(&h, out, sizeof out) == h.header_len);
    /* Zero has two names in a checksum, of which we write one. */
    if (h.checksum == 0xffff)
        out[10] = out[11] = 0xff;
    expect_same(out, head.bytes, h.header_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    size_t packet_len, header_len;
    struct span head = take_head(bytes, len, &packet_len);
    uint8_t copy[IP4_HEADER_MAX];
    struct ip4_header h;
    uint16_t checksum;

    (void)ip4_parse_quoted(head, &h);
    try_packet(head, packet_len);
    header_len = head.len > 0 ? (size_t)(head.bytes[0] & 15) * 4 : 0;
    if (header_len < IP4_HEADER_LEN || header_len > head.len)
        return 0;
    memcpy(copy, head.bytes, header_len);
    copy[10] = copy[11] = 0;
    checksum = checksum_fold(checksum_add(0, copy, header_len));
    copy[10] = (uint8_t)(checksum >> 8);
    copy[11] = (uint8_t)checksum;
    try_packet(span_of(copy, header_len), packet_len);
    return 0;
}
