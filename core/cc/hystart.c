/*
 * hystart.c - HyStart++: leaving the first slow start before it loses anything [RFC9406]
 *
 * The constants are those that RFC 9406 4.3 recommends. State: struct hystart, which its
 * owner keeps. A loss ends slow start without asking here: ssthresh is known then.
 */
#include "cc/hystart.h"
#include "cc/cc.h"

enum {
    MIN_RTT_DIVISOR = 8,
    N_RTT_SAMPLE = 8,
    CSS_GROWTH_DIVISOR = 4,
    CSS_ROUNDS = 5,
};

static const ns_t MIN_RTT_THRESH_NS = 4 * NS_MS;
static const ns_t MAX_RTT_THRESH_NS = 16 * NS_MS;

void hystart_init(struct hystart *h)
{
    *h = (struct hystart){
        .last_round_min_rtt_ns = NEVER,
        .current_round_min_rtt_ns = NEVER,
        .css_baseline_min_rtt_ns = NEVER,
    };
}

/*
 * All that is acknowledged counts, as if everybody paced, which is L = infinity [RFC9406 4.3 not]:
 * with eight segments for each acknowledgement, offloads that join acknowledgements would decide
 * how fast a window grows.
 */
uint32_t hystart_growth_bytes(const struct hystart *h, uint32_t acked_bytes)
{
    return h->is_in_css ? acked_bytes / CSS_GROWTH_DIVISOR : acked_bytes;
}

void hystart_restart_round(struct hystart *h)
{
    h->current_round_min_rtt_ns = NEVER;
    h->rtt_sample_count = 0;
    h->round_left_bytes = 0;
}

static void take_sample(struct hystart *h, ns_t rtt_ns)
{
    if (rtt_ns <= 0)
        return;
    h->current_round_min_rtt_ns = ns_min(h->current_round_min_rtt_ns, rtt_ns);
    if (h->rtt_sample_count < N_RTT_SAMPLE)
        h->rtt_sample_count++;
}

/* A round without a sample says nothing about the one after it. */
static bool has_delay_grown(const struct hystart *h)
{
    ns_t last_ns = h->last_round_min_rtt_ns;
    ns_t thresh_ns =
        ns_max(MIN_RTT_THRESH_NS, ns_min(last_ns / MIN_RTT_DIVISOR, MAX_RTT_THRESH_NS));

    return last_ns != NEVER && h->current_round_min_rtt_ns >= ns_after(last_ns, thresh_ns);
}

static void choose_phase(struct hystart *h)
{
    if (h->rtt_sample_count < N_RTT_SAMPLE)
        return;
    if (!h->is_in_css && has_delay_grown(h)) {
        h->css_baseline_min_rtt_ns = h->current_round_min_rtt_ns;
        h->css_rounds = 0;
        h->is_in_css = true;
    } else if (h->is_in_css && h->current_round_min_rtt_ns < h->css_baseline_min_rtt_ns) {
        h->css_baseline_min_rtt_ns = NEVER;
        h->is_in_css = false;
    }
}

/* The round in which CSS began counts as one of its rounds [RFC9406 4.2]. */
static bool end_round(struct hystart *h)
{
    h->last_round_min_rtt_ns = h->current_round_min_rtt_ns;
    h->current_round_min_rtt_ns = NEVER;
    h->rtt_sample_count = 0;
    return h->is_in_css && ++h->css_rounds >= CSS_ROUNDS;
}

/*
 * Where nothing is under way at the end of a round, as at the very beginning, the next round is
 * what is sent until its first acknowledgement. Taken at once it would be over with that, and
 * the time that the rest of the window takes to leave would look like a queue.
 */
bool hystart_on_ack(struct hystart *h, uint32_t acked_bytes, uint32_t flight_bytes,
                    ns_t rtt_ns) /* [RFC9406 4.2] */
{
    if (h->round_left_bytes == 0)
        h->round_left_bytes = flight_bytes;
    take_sample(h, rtt_ns);
    choose_phase(h);
    if (acked_bytes < h->round_left_bytes) {
        h->round_left_bytes -= acked_bytes;
        return false;
    }
    h->round_left_bytes = acked_bytes < flight_bytes ? flight_bytes - acked_bytes : 0;
    return end_round(h);
}
