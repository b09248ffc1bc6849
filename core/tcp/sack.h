/*
 * sack.h - selective acknowledgement [RFC2018], with duplicates [RFC2883]
 */
#ifndef CORE_TCP_SACK_H
#define CORE_TCP_SACK_H

#include "base/seq.h"
#include <stdbool.h>
#include <stdint.h>

struct delivery;
struct tcp_conn;
struct tcp_env;
struct tcp_options;
struct tcp_seg;

enum { SACK_RECENT = 4 }; /* as many as an option without timestamps has room for */

struct sack {
    seq_t recent[SACK_RECENT]; /* a number in each of the blocks that last grew, newest first */
    uint8_t recent_count;
    bool has_dsack;
    seq_t dsack_start, dsack_end;
};

/* Text from seq on has arrived out of order, perhaps for another time. */
void sack_on_kept(struct tcp_conn *c, seq_t seq);

/* [start, end) has arrived a second time. Of several before the next ACK the first counts. */
void sack_on_duplicate(struct tcp_conn *c, seq_t start, seq_t end);

/* Adds the blocks for which there is room beside what is in options. */
void sack_of_segment(const struct tcp_conn *c, struct tcp_options *options);

/* They have been sent. */
void sack_on_sent(struct tcp_conn *c);

/* Bytes that the blocks take in a segment of now. */
uint32_t sack_len(const struct tcp_conn *c);

/* The peer's blocks: what they say has arrived goes to the scoreboard and into d. */
void sack_take(struct tcp_conn *c, struct tcp_env *env, const struct tcp_seg *seg,
               struct delivery *d);

#endif
