/*
 * uto.h - the user timeout option [RFC5482]
 */
#ifndef CORE_TCP_UTO_H
#define CORE_TCP_UTO_H

#include "base/ns.h"
#include <stdbool.h>
#include <stdint.h>

struct tcp_conn;
struct tcp_env;
struct tcp_options;
struct tcp_seg;

enum { UTO_OPTION_LEN = 4 };

/* The longest that can be said. */
#define UTO_MAX_NS (32767 * 60 * NS_S)

/* What the option says of a duration, rounded up: seconds, or minutes if there are too many. */
uint16_t uto_of(ns_t duration_ns);
ns_t uto_ns(uint16_t option);

/* What is advertised has been set, or the connection is established: the peer is to know. */
void uto_on_news(struct tcp_conn *c);

/* How many bytes the next segment needs for it. */
uint32_t uto_len(const struct tcp_conn *c);

/* Adds the option if it is owed, or to a SYN, if there is room. */
void uto_offer(struct tcp_conn *c, bool is_syn, struct tcp_options *options);

/* An acceptable segment of the peer. */
void uto_on_segment(struct tcp_conn *c, struct tcp_env *env, const struct tcp_seg *seg);

#endif
