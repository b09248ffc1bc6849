/* fuzz_wire_arp.c - an ARP packet that is parsed and emitted is the same again */
#include "fuzz/expect.h"
#include "wire/arp.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    uint8_t out[ARP_LEN];
    struct arp_packet p;

    if (arp_parse(span_of(bytes, len), &p) != WHY_NONE)
        return 0;
    expect(arp_emit(&p, out, sizeof out) == ARP_LEN);
    expect_same(out, bytes, ARP_LEN);
    return 0;
}
