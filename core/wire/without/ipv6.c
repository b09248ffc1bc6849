/*
 * ipv6.c - headers without IPv6: nothing is read as one of its, and nothing written
 *
 * In place of: ip6.c ndp.c
 */
#include "wire/icmp6.h"
#include "wire/ip6.h"
#include "wire/ndp.h"

enum why ip6_parse(struct span head, size_t packet_len, struct ip6_header *out)
{
    return WHY_IP_VERSION;
}

enum why ip6_parse_quoted(struct span bytes, struct ip6_header *out)
{
    return WHY_IP_VERSION;
}

size_t ip6_emit(const struct ip6_header *h, uint8_t *out, size_t room)
{
    return 0;
}

size_t ip6_emit_fragment(const struct ip6_header *h, uint8_t *out, size_t room)
{
    return 0;
}

enum why ndp_parse(const struct icmp_message *icmp, struct ndp_message *out)
{
    return WHY_ICMP_MALFORMED;
}

size_t ndp_emit(const struct ndp_message *m, const struct weir_addr *src,
                const struct weir_addr *dst, uint8_t *out, size_t room)
{
    return 0;
}
