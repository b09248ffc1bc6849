/* fuzz_wire_pkt.c - any packet, whole, in two slices, and quoted, is parsed or refused */
#include "base/checksum.h"
#include "fuzz/expect.h"
#include "wire/pkt.h"

/* The checksum is right or wrong wherever the packet is cut. */
static void expect_same_checksum(struct span head, size_t cut, enum why expected)
{
    struct span first = span_take(head, cut), rest = span_drop(head, cut);
    struct pkt p;
    size_t tail_len;

    if (pkt_parse(first, head.len, &p) != WHY_NONE || p.is_fragment)
        return;
    tail_len = pkt_tail_len(&p);
    expect(tail_len <= rest.len);
    expect(pkt_check_checksum(&p, checksum_add(0, rest.bytes, tail_len)) == expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    size_t packet_len;
    struct span head = take_head(bytes, len, &packet_len);
    struct pkt p;

    (void)pkt_parse_quoted(head, &p);
    if (pkt_parse(head, packet_len, &p) == WHY_NONE)
        expect(p.ip_len + p.transport_len <= packet_len);
    if (pkt_parse(head, head.len, &p) != WHY_NONE || p.is_fragment)
        return 0;
    expect(p.transport.bytes == head.bytes + p.ip_len && p.transport.len == p.transport_len);
    expect_same_checksum(head, bytes[0], pkt_check_checksum(&p, 0));
    return 0;
}
