/*
 * fragments.c - IP without fragments: none are put together, and what is too large is not sent
 *
 * TCP needs none: its segments fit the path.
 *
 * In place of: frag.c
 */
#include "ip/ip.h"

bool frag_init(struct ip *ip)
{
    return true;
}

void frag_fini(struct ip *ip)
{
}

enum why frag_input(struct ip *ip, struct ip_packet *packet, const struct frag_info *info)
{
    return WHY_FRAG_FULL;
}

void frag_remove_netif(struct ip *ip, struct netif *netif)
{
}

void frag_expire(struct ip *ip, struct frag *f)
{
}

enum why frag_send(struct ip *ip, struct ip_path *path, const struct ip_send *how,
                   struct frame **frame)
{
    return ip_drop_frame(ip, frame, WHY_TOO_BIG);
}
