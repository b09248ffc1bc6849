/*
 * options.h - what the two ends agree on, and how large a segment may be [RFC9293 3.7]
 */
#ifndef CORE_TCP_OPTIONS_H
#define CORE_TCP_OPTIONS_H

#include "tcp/conn.h"
#include <stdint.h>

struct tcp_options;

/* What a peer has announced, or by saying nothing. */
uint16_t options_mss_of(const struct tcp_options *peers, bool is_v4);

/* What we announce for a path of that MTU and that family [RFC9293 MUST-14, MUST-67, SHLD-6]. */
uint16_t options_mss_for(bool is_v4, uint32_t mtu, const struct tcp_user *user);

/* The options of our SYN, or of a SYN-ACK that answers peer's. */
void options_offer(struct tcp_options *out, const struct tcp_agreed *ours, uint32_t ts_val,
                   uint32_t ts_ecr);

/* Whether that is all that nearly every SYN and SYN-ACK offers (TCP_USUAL_SYN). */
static inline bool options_are_usual(const struct tcp_agreed *ours)
{
    return HAS_TIMESTAMPS && ours->wscale_ok && ours->timestamps_ok && ours->sack_ok;
}

/* What we would like, before the peer has spoken. */
struct tcp_agreed options_wish(const struct tcp_env *env, const struct tcp_user *user,
                               uint16_t rcv_mss);

/* What is left of the wish when the peer's SYN carries these options. */
struct tcp_agreed options_agree(const struct tcp_env *env, struct tcp_agreed wish,
                                const struct tcp_options *peers, bool is_v4);

/* The same in place, where both have all that is usual (options_are_usual). */
void options_agree_on_all(const struct tcp_env *env, struct tcp_agreed *ours,
                          const struct tcp_options *peers);

/* What may be left out goes, as long as there is no room for all. */
void options_fit(struct tcp_options *options);

/* Adds the options of a segment that is not a SYN to those for its digest. */
void options_of_segment(const struct tcp_conn *c, const struct tcp_env *env,
                        struct tcp_options *out);

/* Bytes of text in a full segment: Eff.snd.MSS [RFC9293 MUST-16]. */
uint32_t tcp_send_mss(const struct tcp_conn *c, const struct tcp_env *env);

/* The same in packets of mtu bytes, with so many bytes of options. */
uint32_t options_text_max(const struct tcp_conn *c, const struct tcp_env *env, uint32_t mtu,
                          uint32_t options);

/* As tcp_send_mss, less what the options of only some segments take now. */
uint32_t tcp_send_mss_now(const struct tcp_conn *c, const struct tcp_env *env);

#endif
