/*
 * tcp_rx.h - what the two files that take segments in share
 */
#ifndef CORE_STACK_TCP_RX_H
#define CORE_STACK_TCP_RX_H

#include "stack/stack.h"
#include "tcp/seg.h"

struct arrival {
    struct tcp_tuple tuple;
    const struct netif *netif; /* where it came in */
    const uint8_t *ip;         /* its IP header */
    uint8_t ttl;
    struct tcp_seg seg;
    uint32_t hash; /* of the tuple, if nobody has it: whoever it makes is added with it */
    uint32_t auth; /* of whoever has the segment: answers are signed with it */
};

/* ---- tcp_rx.c ---- */

/* A segment that has passed all that IP and its checksum say of it, to the flow that demux_find has found. */
void rx_segment(struct weir *s, struct arrival *a, struct flow *flow);

/* The answer to a segment is a reset, made from it. */
void rx_send_reset(struct weir *s, const struct arrival *a, enum tcp_state state);

/* Nobody has the segment's port. */
enum why rx_to_nobody(struct weir *s, const struct arrival *a);

/* Whether a record may answer what it did not expect now; then it has. */
bool rx_may_answer(const struct weir *s, struct answered *answered);

uint64_t rx_handle_of(const struct weir *s, const struct flow *flow);

/* ---- handshake.c ---- */

/* Who listens for it, or NULL. */
struct listener *rx_listener(struct weir *s, const struct arrival *a);

enum why rx_to_listener(struct weir *s, struct arrival *a, struct listener *l);
enum why rx_to_halfopen(struct weir *s, struct arrival *a, struct halfopen *h);

/* A listener takes a SYN; where past is not NULL, the ISN is not before it. */
enum why rx_open_half(struct weir *s, struct arrival *a, struct listener *l, const seq_t *past);

#endif
