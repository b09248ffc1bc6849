/*
 * path_mtu.c - IP without a memory of paths' MTUs: packets are as large as the link takes, and may
 * be cut up on their way
 *
 * In place of: pmtu.c
 */
#include "ip/ip.h"
#include "ip/pmtu.h"

bool pmtu_init(struct ip *ip)
{
    return true;
}

void pmtu_fini(struct ip *ip)
{
}

uint32_t pmtu_find(const struct ip *ip, const struct weir_addr *dst, uint32_t link_mtu)
{
    return link_mtu;
}

void pmtu_update(struct ip *ip, const struct weir_addr *dst, uint32_t mtu, uint32_t packet_len)
{
}

void pmtu_expire(struct ip *ip, struct pmtu_entry *e)
{
}
