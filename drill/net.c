/*
 * net.c - the addresses that scripts have, unless they say otherwise
 */
#include "drill/target.h"

void drill_net_init(struct drill_net *net, enum drill_family family)
{
    bool is_v6 = family == DRILL_IPV6;

    *net = (struct drill_net){.family = family, .local_port = 8080, .remote_port = 8080};
    /* With twenty bytes more, the longest segment is as long as that of IPv4. */
    net->mtu = is_v6 ? 1520 : 1500;
    (void)weir_prefix_parse(is_v6 ? "fd3d:0a0b:17d6::1/48" : "192.168.0.1/16", &net->local);
    (void)weir_addr_parse(is_v6 ? "fd3d:fa7b:d17d::1" : "192.0.2.1", &net->remote);
    (void)weir_prefix_parse(is_v6 ? "fd3d:fa7b:d17d::/48" : "192.0.2.0/24", &net->remote_net);
    (void)weir_addr_parse(is_v6 ? "fd3d:0a0b:17d6:8888::1" : "192.168.0.1", &net->gateway);
}
