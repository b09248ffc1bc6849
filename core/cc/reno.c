/*
 * reno.c - slow start and congestion avoidance as RFC 5681 has them
 *
 * Growth counts bytes, not acknowledgements [RFC3465]: a peer that divides its
 * acknowledgements gains nothing, one that stretches them loses little.
 */
#include "cc/cc.h"

extern const struct cc_ops reno_ops;

struct __attribute__((may_alias)) reno {
    uint64_t acked_bytes; /* in congestion avoidance, since cwnd last grew */
};

_Static_assert(sizeof(struct reno) <= sizeof(((struct cc *)0)->state), "reno fits");

static struct reno *reno_of(struct cc *cc)
{
    return (struct reno *)(void *)cc->state;
}

static void init(struct cc *cc)
{
    reno_of(cc)->acked_bytes = 0;
}

/*
 * Doubles cwnd in a round trip until ssthresh, then adds a segment in each [RFC5681 3.1].
 * A window that was not used is no evidence that a larger one is right [RFC7661].
 */
static void on_ack(struct cc *cc, const struct cc_ack *ack) /* [RFC9293 MUST-19] */
{
    struct reno *r = reno_of(cc);
    uint32_t acked_bytes = ack->acked_bytes;

    if (!ack->cwnd_limited)
        return;
    if (cc_is_in_slow_start(cc))
        acked_bytes -= cc_slow_start(cc, acked_bytes);
    r->acked_bytes += acked_bytes;
    cc_avoid_congestion(cc, &r->acked_bytes);
}

/* A window that was not used is left as it is. */
static bool on_unlimited_ack(struct cc *cc, uint32_t acked_bytes, uint32_t flight_bytes,
                             ns_t rtt_ns)
{
    (void)cc;
    (void)acked_bytes;
    (void)flight_bytes;
    (void)rtt_ns;
    return true;
}

static void on_loss(struct cc *cc, ns_t now, uint32_t flight_bytes)
{
    (void)now;
    cc->ssthresh = cc_half_of_flight(cc, flight_bytes);
    reno_of(cc)->acked_bytes = 0;
}

static const char *phase(const struct cc *cc)
{
    return cc_is_in_slow_start(cc) ? "slow start" : "congestion avoidance";
}

const struct cc_ops reno_ops = {
    .name = "reno",
    .init = init,
    .on_ack = on_ack,
    .on_unlimited_ack = on_unlimited_ack,
    .on_loss = on_loss,
    .on_timeout = on_loss,
    .phase = phase,
};
