/*
 * closed.h - a segment for which there is no connection [RFC9293 3.5.2, 3.10.7.1]
 */
#ifndef CORE_TCP_CLOSED_H
#define CORE_TCP_CLOSED_H

#include <stdbool.h>

struct reply;
struct tcp_seg;
struct tcp_tuple;

/* The reset that answers the segment; false: none does. */
bool closed_reset(const struct tcp_tuple *tuple, const struct tcp_seg *seg, struct reply *reply);

#endif
