/*
 * fuzz_wire_ndp.c - neighbour discovery that is parsed and emitted means the same again
 *
 * The input is an ICMPv6 message. Reserved bits and options that were skipped are not kept.
 */
#include "fuzz/expect.h"
#include "wire/ndp.h"

/* Everything but the spans, which point elsewhere. */
static void expect_same_values(const struct ndp_message *a, const struct ndp_message *b)
{
    expect(a->type == b->type && a->hop_limit == b->hop_limit && a->mtu == b->mtu);
    expect(a->managed == b->managed && a->other == b->other);
    expect(a->router_lifetime_s == b->router_lifetime_s && a->reachable_ms == b->reachable_ms
           && a->retransmit_ms == b->retransmit_ms);
    expect(a->from_router == b->from_router && a->solicited == b->solicited
           && a->override == b->override);
    expect(weir_addr_eq(&a->target, &b->target));
    expect(weir_addr_eq(&a->destination, &b->destination));
    expect(a->has_source_mac == b->has_source_mac && a->has_target_mac == b->has_target_mac);
    expect(eth_addr_eq(&a->source_mac, &b->source_mac));
    expect(eth_addr_eq(&a->target_mac, &b->target_mac));
    expect(a->prefix_count == b->prefix_count && a->dns_count == b->dns_count);
    expect_same(a->dns_servers, b->dns_servers, a->dns_count * sizeof a->dns_servers[0]);
    for (size_t i = 0; i < a->prefix_count; i++) {
        expect(a->prefixes[i].prefix.len == b->prefixes[i].prefix.len);
        expect(weir_addr_eq(&a->prefixes[i].prefix.addr, &b->prefixes[i].prefix.addr));
        expect(a->prefixes[i].valid_s == b->prefixes[i].valid_s);
        expect(a->prefixes[i].preferred_s == b->prefixes[i].preferred_s);
        expect(a->prefixes[i].on_link == b->prefixes[i].on_link);
        expect(a->prefixes[i].autonomous == b->prefixes[i].autonomous);
    }
    expect(a->dns_lifetime_s == b->dns_lifetime_s);
    expect(span_eq(a->nonce, b->nonce));
    expect(span_eq(a->redirected, b->redirected));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static uint8_t out[1 << 16];
    struct weir_addr any = {{0}};
    struct icmp_message icmp;
    struct ndp_message m, again;
    size_t out_len;

    if (len > sizeof out || icmp_parse(span_of(bytes, len), len, &icmp) != WHY_NONE
        || ndp_parse(&icmp, &m) != WHY_NONE)
        return 0;
    out_len = ndp_emit(&m, &any, &any, out, sizeof out);
    expect(out_len >= ICMP_HEADER_LEN && out_len <= len);
    expect(icmp_parse(span_of(out, out_len), out_len, &icmp) == WHY_NONE);
    expect(ndp_parse(&icmp, &again) == WHY_NONE);
    expect(again.skipped_count == 0);
    expect_same_values(&m, &again);
    return 0;
}
