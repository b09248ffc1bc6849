/*
 * accecn.h - accurate ECN's counters [RFC9768 3.2], for ecn.c
 */
#ifndef CORE_TCP_ACCECN_H
#define CORE_TCP_ACCECN_H

#include "tcp/conn.h"
#include "wire/ip.h"
#include <stdbool.h>
#include <stdint.h>

struct segment;
struct tcp_options;
struct tcp_seg;

/* AE, CWR and ECE that tell how a packet arrived [RFC9768 3.1.1, table 2]; and what they tell. */
uint16_t accecn_flags_for(enum ip_ecn mark);

/* The three flags as a number, AE first. */
unsigned accecn_ace_of(uint16_t flags);
uint16_t accecn_flags_of(unsigned ace);

/* What goes in ACE: the count of marked packets that came in. */
unsigned accecn_ace(const struct tcp_conn *c);

/* The option of a SYN-ACK. */
void accecn_offer_option(struct tcp_options *options);

/* The peer's SYN or SYN-ACK has decided for accurate ECN. */
void accecn_start(struct tcp_conn *c, enum ip_ecn syn_mark);

/* What we send is not ECN-capable then, but its answer says otherwise [RFC9768 3.2.2.3]. */
bool accecn_is_mangled(unsigned ace);

/* A SYN-ACK, for the first time or again: the next ACK tells how it arrived. */
void accecn_on_synack(struct tcp_conn *c, const struct tcp_seg *seg);

/* The first segment that acknowledges our SYN or SYN-ACK, with an option or without. */
void accecn_on_option(struct tcp_conn *c, const struct tcp_seg *seg);

/* What the peer tells is not heeded any more. */
void accecn_go_deaf(struct tcp_conn *c);

void accecn_on_segment(struct tcp_conn *c, const struct tcp_seg *seg);
void accecn_on_text_again(struct tcp_conn *c);

/* How many of our packets, and of the delivered bytes, arrived marked, by this acknowledgement. */
struct accecn_news {
    uint32_t segs;
    uint32_t bytes;
    bool has_ece;    /* there are some */
    bool is_mangled; /* it cannot be true: something on the path changes marks */
};
struct accecn_news accecn_take(struct tcp_conn *c, const struct tcp_seg *seg,
                               uint32_t delivered_bytes);

/* The same without the connection: so many marks, if ACE has moved by d [RFC9768 A.2.1]. */
uint32_t accecn_safe_increment(uint32_t d, uint32_t acked_segs);

/* And if the option tells how many bytes were marked [RFC9768 A.2.2]: d, safe, or between. */
struct accecn_step {
    uint32_t segs; /* newly acknowledged */
    uint32_t mss;
};
uint32_t accecn_likely_increment(uint32_t d, uint32_t safe, uint32_t d_ceb,
                                 const struct accecn_step *step);

/* The option wants to be sent with this segment (of text: has_text). */
bool accecn_wants_option(const struct tcp_conn *c, bool has_text);
uint32_t accecn_option_len(const struct tcp_conn *c);

/* For STATUS. */
void accecn_info(const struct tcp_conn *c, struct weir_tcp_info *info);

/* ACE and the option of a segment that goes out and is no SYN: returns the flags. */
uint16_t accecn_dress(struct tcp_conn *c, const struct segment *segment,
                      struct tcp_options *options, uint8_t *bytes, uint32_t option_room);

#endif
