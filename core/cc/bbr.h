/*
 * bbr.h - what the files of BBRv3 share
 *
 *   bbr.c        the order of work, and what follows from the model: rate, quantum, cwnd
 *   bbr_model.c  the model: bandwidth, round-trip time, aggregation, bounds of what is in flight
 *   bbr_probe.c  the state machine: Startup, Drain, ProbeBW, ProbeRTT
 *
 * Names are those of draft-ietf-ccwg-bbr (cited as [BBR n.n]). Where the draft and Linux's BBRv3
 * differ, this is the draft, unless it says otherwise. Gains and shares are in percent.
 */
#ifndef CORE_CC_BBR_H
#define CORE_CC_BBR_H

#include "base/ns.h"
#include "base/num.h"
#include "cc/cc.h"
#include <stdbool.h>
#include <stdint.h>

#define BBR_INFINITE UINT32_MAX
#define BBR_RATE_INFINITE UINT64_MAX

enum {
    BBR_LOSS_THRESH_PERCENT = 2, /* [BBR 2.7] */
    BBR_BETA_PERCENT = 70,
    BBR_HEADROOM_PERCENT = 15,
    BBR_MIN_PIPE_SEGS = 4,
};

enum bbr_state {
    BBR_STARTUP,
    BBR_DRAIN,
    BBR_DOWN, /* from here to UP: ProbeBW */
    BBR_CRUISE,
    BBR_REFILL,
    BBR_UP,
    BBR_PROBE_RTT,
    BBR_STATES,
};

/* What the acknowledgements that arrive now are the answer to [BBR 5.3.3]. */
enum bbr_ack_phase {
    BBR_ACKS_INIT,
    BBR_ACKS_REFILLING,
    BBR_ACKS_PROBE_STARTING,
    BBR_ACKS_PROBE_FEEDBACK,
    BBR_ACKS_PROBE_STOPPING,
};

struct __attribute__((may_alias)) bbr {
    /* The model. Rates are in bytes per second. */
    uint64_t max_bw[2]; /* of the ProbeBW cycle before, and of this one */
    uint64_t bw_latest; /* the most in this loss round */
    uint64_t bw_shortterm;
    uint64_t bw; /* what the path is believed to take now */
    ns_t min_rtt_ns;
    ns_t min_rtt_at;
    ns_t probe_rtt_min_ns;
    ns_t probe_rtt_min_at;
    uint32_t inflight_latest; /* the most delivered in a sample of this loss round */
    uint32_t inflight_shortterm;
    uint32_t inflight_longterm;

    /* Aggregated acknowledgements: how much they were ahead of bw, the most in two spans of rounds. */
    uint32_t extra_acked[2];
    uint32_t extra_acked_delivered;
    ns_t extra_acked_at;

    /* Rounds, as counts of delivered bytes. */
    uint64_t delivered_bytes;
    uint64_t next_round_bytes;
    uint64_t loss_round_bytes;
    uint64_t limited_until_bytes; /* what is sent in ProbeRTT says nothing about the bandwidth */
    uint32_t round_count;
    uint32_t drain_start_round;

    uint64_t full_bw; /* the baseline against which growth is measured */

    ns_t cycle_at; /* ProbeBW's last DOWN began */
    ns_t probe_rtt_done_at;
    uint32_t probe_wait_us;
    uint32_t rounds_since_probe_up;
    uint32_t probe_up_per_inc; /* bytes acknowledged that raise inflight_longterm by a segment */
    uint32_t probe_up_acked;

    uint32_t initial_cwnd;
    uint32_t prior_cwnd; /* before recovery, or ProbeRTT */

    /* What a loss has changed, as it was before. */
    uint32_t undo_inflight_shortterm;
    uint32_t undo_inflight_longterm;
    uint64_t undo_bw_shortterm;

    uint8_t state;      /* enum bbr_state */
    uint8_t ack_phase;  /* enum bbr_ack_phase */
    uint8_t undo_state; /* BBR_STATES: none */
    uint8_t extra_acked_rounds;
    uint8_t full_bw_count;
    uint8_t probe_up_rounds;
    uint8_t loss_events; /* acknowledgements that told of a loss in this loss round, in Startup */
    uint8_t ce_rounds;   /* with marks, in a row, in Startup */
    bool round_start : 1;
    bool loss_round_start : 1;
    bool loss_in_round : 1;
    bool ce_in_round : 1;
    bool full_bw_now : 1;
    bool full_bw_reached : 1;
    bool has_seen_rtt : 1;
    bool idle_restart : 1;
    bool in_recovery : 1;   /* since the first loss of it */
    bool after_timeout : 1; /* and all of what was under way counts as lost */
    bool is_probe_sample : 1;
    bool prev_probe_too_high : 1;
    bool prev_probe_precautionary : 1;
    bool probe_rtt_expired : 1;
    bool probe_rtt_round_done : 1;
};

static inline struct bbr *bbr_of(const struct cc *cc)
{
    return (struct bbr *)(uintptr_t)cc->state;
}

static inline bool bbr_is_in_probe_bw(const struct bbr *b)
{
    return b->state >= BBR_DOWN && b->state <= BBR_UP;
}

/* Sends more than the path is believed to take, to find out [BBR 5.5.10]. */
static inline bool bbr_is_probing_bw(const struct bbr *b)
{
    return b->state == BBR_STARTUP || b->state == BBR_REFILL || b->state == BBR_UP;
}

static inline uint32_t bbr_percent(uint32_t bytes, uint32_t percent)
{
    return (uint32_t)u64_min((uint64_t)bytes * percent / 100, UINT32_MAX);
}

static inline uint64_t bbr_max_bw(const struct bbr *b)
{
    return u64_max(b->max_bw[0], b->max_bw[1]);
}

static inline uint32_t bbr_min_pipe(const struct cc *cc)
{
    return BBR_MIN_PIPE_SEGS * cc->mss;
}

/* ---- bbr.c ---- */

/* Room for what is sent in units, and for what a probe adds [BBR 5.6.4.2]. */
uint32_t bbr_quantize(const struct cc *cc, uint64_t bytes);

/* What is in flight on a path of that bandwidth without a queue. */
uint32_t bbr_inflight(const struct cc *cc, uint64_t bw);

void bbr_save_cwnd(struct cc *cc);
void bbr_restore_cwnd(struct cc *cc);

/* ---- bbr_model.c ---- */

/* bytes per second for so long, and back; within what the other can take. */
uint64_t bbr_bytes_of(uint64_t rate, ns_t duration_ns);
uint64_t bbr_rate_of(uint64_t bytes, ns_t duration_ns);

/* Of the sample; 0: there is none. */
uint64_t bbr_sample_rate(const struct cc_ack *ack);
bool bbr_is_limited_sample(const struct bbr *b, const struct cc_ack *ack);
bool bbr_is_sample_too_high(const struct cc_ack *ack);

/* bw * min_rtt. */
uint32_t bbr_bdp(const struct bbr *b, uint64_t bw);

void bbr_model_init(struct cc *cc);

/* First for an acknowledgement: rounds, bandwidth, bounds, aggregation. */
void bbr_model_on_ack(struct cc *cc, const struct cc_ack *ack);

/* After the state machine has made of it what it does; then bw is chosen. */
void bbr_model_update_min_rtt(struct bbr *b, const struct cc_ack *ack);
void bbr_model_advance(struct bbr *b, const struct cc_ack *ack);

/* A round begins with what is sent now. */
void bbr_start_round(struct bbr *b);

/* The older of the two cycles is forgotten. */
void bbr_advance_max_bw(struct bbr *b);

void bbr_reset_congestion_signals(struct bbr *b);
void bbr_reset_shortterm(struct bbr *b);
void bbr_reset_full_bw(struct bbr *b, uint64_t baseline);

/* Something is lost, or marked: the first in a round begins a loss round. */
void bbr_note_congestion(struct bbr *b);

/* How much may have been in flight when the share that was lost became too high. */
uint32_t bbr_inflight_at_loss(const struct cc_lost *lost);

/* ---- bbr_probe.c ---- */

void bbr_probe_on_ack(struct cc *cc, const struct cc_ack *ack);
void bbr_probe_rtt_on_ack(struct cc *cc, const struct cc_ack *ack);
void bbr_probe_on_too_high(struct cc *cc, ns_t now, uint32_t inflight_bytes, bool is_app_limited);
void bbr_probe_on_restart(struct cc *cc, ns_t now);
void bbr_probe_on_undo(struct cc *cc);

/* inflight_longterm with room left for others. */
uint32_t bbr_headroom(const struct cc *cc);

/* cwnd's bound in ProbeRTT. */
uint32_t bbr_probe_rtt_cwnd(const struct cc *cc);

#endif
