/*
 * link.h - a link as the world uses it: packets instead of bytes
 */
#ifndef SIM_LINK_H
#define SIM_LINK_H

#include "sim/packet.h"

/* A link whose packets come from somebody else's store, which outlives it. */
int link_create(const struct weir_sim_link_config *config, uint64_t seed, struct packets *store,
                struct weir_sim_link **link);

/* Like weir_sim_link_send, of a packet that comes from the link's store. Takes it. */
void link_send(struct weir_sim_link *link, struct packet *p, weir_ns_t now);

/* Like weir_sim_link_receive. */
struct packet *link_receive(struct weir_sim_link *link, weir_ns_t now);

/* 0, or WEIR_EINVAL. */
int link_check_config(const struct weir_sim_link_config *config);

#endif
