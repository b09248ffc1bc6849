/*
 * hystart_classic.c - HyStart as Linux has it: slow start ends at the first sign of a queue
 *
 * The constants are Linux's. State: struct hystart_classic, which its owner keeps.
 */
#include "cc/hystart_classic.h"
#include "cc/cc.h"

enum {
    LOW_WINDOW_SEGS = 16, /* below that slow start goes on in any case */
    MIN_RTT_DIVISOR = 8,
    N_RTT_SAMPLE = 8,
    OFFLOAD_BYTES = 4 * 65536, /* may be held back and joined on the way */
};

static const ns_t MIN_RTT_THRESH_NS = 4 * NS_MS;
static const ns_t MAX_RTT_THRESH_NS = 16 * NS_MS;
static const ns_t TRAIN_GAP_NS = 2 * NS_MS;
static const ns_t OFFLOAD_MAX_NS = 1 * NS_MS;

void hystart_classic_init(struct hystart_classic *h)
{
    *h = (struct hystart_classic){.min_rtt_ns = NEVER, .round_min_rtt_ns = NEVER};
}

static void count_round(struct hystart_classic *h, const struct cc_ack *ack)
{
    if (ack->acked_bytes <= h->round_left_bytes) {
        h->round_left_bytes -= ack->acked_bytes;
        return;
    }
    h->round_left_bytes =
        ack->acked_bytes < ack->flight_bytes ? ack->flight_bytes - ack->acked_bytes : 0;
    h->round_at = ack->now;
    h->train_at = ack->now;
    h->round_min_rtt_ns = NEVER;
    h->rtt_sample_count = 0;
}

/* How much longer than its last segment took to send a train may be because it was joined. */
static ns_t offload_ns(const struct cc *cc, ns_t srtt_ns)
{
    uint64_t rate = cc->pacing_rate != 0 ? cc->pacing_rate : cc_default_pacing_rate(cc, srtt_ns);

    return rate == 0 ? 0 : ns_min(OFFLOAD_MAX_NS, (ns_t)(OFFLOAD_BYTES * (uint64_t)NS_S / rate));
}

/* A window that is paced comes back over up to half of a round trip, and is no queue. */
static bool is_train_long(struct hystart_classic *h, const struct cc *cc, const struct cc_ack *ack)
{
    ns_t thresh_ns = h->min_rtt_ns + offload_ns(cc, ack->srtt_ns);

    if (ns_since(h->train_at, ack->now) > TRAIN_GAP_NS)
        return false;
    h->train_at = ack->now;
    return ns_since(h->round_at, ack->now) > (cc->is_paced ? thresh_ns : thresh_ns / 2);
}

static bool has_delay_grown(struct hystart_classic *h, ns_t rtt_ns)
{
    ns_t thresh_ns =
        ns_max(MIN_RTT_THRESH_NS, ns_min(h->min_rtt_ns / MIN_RTT_DIVISOR, MAX_RTT_THRESH_NS));

    h->round_min_rtt_ns = ns_min(h->round_min_rtt_ns, rtt_ns);
    if (h->rtt_sample_count < N_RTT_SAMPLE) {
        h->rtt_sample_count++;
        return false;
    }
    return h->round_min_rtt_ns > ns_after(h->min_rtt_ns, thresh_ns);
}

bool hystart_classic_on_ack(struct hystart_classic *h, const struct cc *cc,
                            const struct cc_ack *ack)
{
    bool is_looking =
        !h->has_ended && cc_is_in_slow_start(cc) && cc->cwnd / cc->mss >= LOW_WINDOW_SEGS;

    if (ack->rtt_ns > 0)
        h->min_rtt_ns = ns_min(h->min_rtt_ns, ack->rtt_ns);
    if (!is_looking)
        return false;
    count_round(h, ack);
    if (ack->rtt_ns <= 0)
        return false;
    h->has_ended = is_train_long(h, cc, ack);
    h->has_ended |= has_delay_grown(h, ack->rtt_ns);
    return h->has_ended;
}
