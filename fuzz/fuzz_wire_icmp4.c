/* fuzz_wire_icmp4.c - an ICMP message that is parsed and emitted is the same again */
#include "fuzz/expect.h"
#include "wire/icmp4.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static uint8_t out[1 << 16];
    struct icmp_message m;

    if (len > sizeof out || icmp_parse(span_of(bytes, len), len, &m) != WHY_NONE)
        return 0;
    expect(m.body.len == m.body_len);
    expect(icmp_emit(&m, 0, out, sizeof out) == len);
    expect_same(out, bytes, 2); /* then the checksum, which is made anew */
    expect_same(out + 4, bytes + 4, len - 4);
    return 0;
}
