/*
 * ecn.c - TCP without explicit congestion notification: nobody asks for it, and nobody is given it
 *
 * In place of: ecn.c accecn.c
 */
#include "tcp/ecn.h"
#include "tcp/accecn.h"
#include "tcp/conn.h"

/* ---- the handshake ---- */

void ecn_open(struct tcp_conn *c, const struct tcp_env *env)
{
}

struct ecn_half ecn_half_of_syn(const struct tcp_env *env, const struct cc_ops *ops,
                                const struct tcp_seg *syn)
{
    return (struct ecn_half){.mode = ECN_NONE};
}

bool ecn_half_take_syn(struct ecn_half *half, const struct tcp_seg *syn)
{
    return true;
}

struct ecn_half ecn_half_of_ack(const struct tcp_env *env, const struct cc_ops *ops,
                                const struct tcp_seg *ack)
{
    return (struct ecn_half){.mode = ECN_NONE};
}

uint16_t ecn_half_synack(const struct ecn_half *half, uint8_t retries, struct tcp_options *options)
{
    return 0;
}

uint16_t ecn_half_ack(const struct ecn_half *half)
{
    return 0;
}

void ecn_start(struct tcp_conn *c, const struct ecn_half *half, uint8_t retries)
{
}

void ecn_on_synack(struct tcp_conn *c, const struct tcp_seg *seg)
{
}

void ecn_on_syn(struct tcp_conn *c, const struct tcp_env *env, const struct tcp_seg *seg)
{
}

void ecn_on_handshake_ack(struct tcp_conn *c, struct tcp_env *env, const struct tcp_seg *seg)
{
}

/* What counts marks has none to count. */
void ecn_on_established(struct tcp_conn *c)
{
    if (tcp_cc(c)->without_counts != NULL)
        c->cc = cc_number(cc_find(tcp_cc(c)->without_counts));
}

void ecn_on_started(struct tcp_conn *c, struct tcp_env *env)
{
}

void ecn_on_syn_again(struct tcp_conn *c, const struct tcp_seg *seg)
{
}

/* ---- in ---- */

bool ecn_is_silent(const struct tcp_conn *c, uint16_t flags, uint8_t tos)
{
    return true;
}

void ecn_on_segment(struct tcp_conn *c, const struct tcp_seg *seg)
{
}

void ecn_on_text_again(struct tcp_conn *c)
{
}

void ecn_on_ack(struct tcp_conn *c, const struct tcp_seg *seg, struct delivery *d)
{
}

void ecn_on_reduced(struct tcp_conn *c)
{
}

void ecn_info(const struct tcp_conn *c, struct weir_tcp_info *info)
{
}

/* ---- out ---- */

bool ecn_wants_pure_ack(const struct tcp_conn *c)
{
    return false;
}

bool ecn_is_single(const struct tcp_conn *c)
{
    return false;
}

uint32_t ecn_option_bytes(const struct tcp_conn *c)
{
    return 0;
}

uint8_t ecn_last_ace(const struct tcp_conn *c)
{
    return 0;
}

enum ip_ecn ecn_dress(struct tcp_conn *c, const struct segment *segment, struct tcp_header *h,
                      struct tcp_options *options, uint8_t bytes[ECN_OPTION_MAX],
                      uint32_t option_room)
{
    return IP_ECN_NOT_ECT;
}

uint16_t accecn_flags_of(unsigned ace)
{
    return 0;
}
