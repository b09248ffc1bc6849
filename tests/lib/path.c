/* path.c - flows over one bottleneck, in virtual time */
#include "lib/path.h"
#include "lib/test.h"
#include <stdlib.h>
#include <string.h>

struct path path_of(uint64_t mbit_s, uint32_t buffer_ms)
{
    struct path p = {.rate_bytes_s = mbit_s * 125000, .mark_ns = NEVER, .random = 1};

    p.buffer_bytes = (uint32_t)(p.rate_bytes_s * buffer_ms / 1000);
    return p;
}

void path_free(struct path *p)
{
    for (size_t i = 0; i < p->flow_count; i++)
        free(p->flows[i].segs);
}

struct path_flow *path_add(struct path *p, const char *algorithm, ns_t rtt_ns, ns_t start_at)
{
    struct path_flow *f = &p->flows[p->flow_count++];

    EXPECT(p->flow_count <= PATH_FLOWS);
    *f = (struct path_flow){.rtt_ns = rtt_ns};
    f->next_send_at = start_at;
    f->segs = calloc(PATH_SEGS, sizeof *f->segs);
    f->idle_since = NEVER;
    f->cc = (struct cc){.ops = cc_find(algorithm), .mss = PATH_MSS, .cwnd = 10 * PATH_MSS};
    f->cc.ssthresh = UINT32_MAX;
    EXPECT(f->cc.ops != NULL);
    f->cc.ops->init(&f->cc);
    return f;
}

static struct path_seg *seg_of(const struct path_flow *f, uint64_t number)
{
    return &f->segs[number % PATH_SEGS];
}

/* What waits in the queue, or is on its way out of it. */
static ns_t wait_of(const struct path *p)
{
    return p->free_at > p->now ? p->free_at - p->now : 0;
}

static void put_on_link(struct path *p, const struct path_flow *f, struct path_seg *seg)
{
    ns_t wait_ns = wait_of(p);
    uint64_t queue_bytes = (uint64_t)wait_ns * p->rate_bytes_s / (uint64_t)NS_S;

    seg->acked_at = NEVER;
    if (queue_bytes + PATH_MSS > p->buffer_bytes)
        return;
    if (p->loss_ppm > 0 && test_random_below(&p->random, 1000000) < p->loss_ppm)
        return;
    seg->is_marked = wait_ns > p->mark_ns;
    p->free_at = p->now + wait_ns + (ns_t)(PATH_MSS * (uint64_t)NS_S / p->rate_bytes_s);
    seg->acked_at = p->free_at + f->rtt_ns;
    if (p->ack_every_ns > 0)
        seg->acked_at = ns_div_ceil(seg->acked_at, p->ack_every_ns) * p->ack_every_ns;
    p->wait_max_ns = ns_max(p->wait_max_ns, wait_ns);
    p->wait_sum_ns += wait_ns;
    p->wait_count++;
}

static uint64_t pacing_rate(const struct path_flow *f)
{
    if (f->cc.pacing_rate > 0)
        return f->cc.pacing_rate;
    return f->is_paced ? cc_default_pacing_rate(&f->cc, f->srtt_ns) : 0;
}

static void send_seg(struct path *p, struct path_flow *f)
{
    struct path_seg *seg = seg_of(f, f->tail);
    uint64_t rate;

    if (f->head == f->tail) {
        f->first_sent_at = f->delivered_at = p->now;
        if (f->idle_since != NEVER && f->cc.ops->on_restart != NULL)
            f->cc.ops->on_restart(&f->cc, p->now, p->now - f->idle_since);
        f->last_ack_at = p->now;
    }
    rate = pacing_rate(f);
    f->pipe_bytes += PATH_MSS;
    *seg = (struct path_seg){
        .sent_at = p->now,
        .delivered_at = f->delivered_at,
        .first_sent_at = f->first_sent_at,
        .delivered_bytes = f->delivered_bytes,
        .lost_bytes = f->lost_bytes,
        .tx_in_flight_bytes = f->pipe_bytes,
        .is_app_limited = f->app_limited_until > 0,
    };
    put_on_link(p, f, seg);
    EXPECT(++f->tail - f->head < PATH_SEGS);
    f->sent_bytes += PATH_MSS;
    if (rate > 0)
        f->next_send_at = p->now + (ns_t)(PATH_MSS * (uint64_t)NS_S / rate);
}

/* Can it send, apart from pacing? Takes note of what holds it back. */
static bool has_room(struct path_flow *f)
{
    if (f->is_resting) {
        f->app_limited_until = f->delivered_bytes + f->pipe_bytes + 1;
        return false;
    }
    if (f->pipe_bytes + PATH_MSS <= f->cc.cwnd)
        return true;
    f->cwnd_limited = true;
    f->cwnd_round = f->tail;
    return false;
}

static void enter_recovery(struct path *p, struct path_flow *f)
{
    uint32_t flight_bytes = (uint32_t)(f->tail - f->head) * PATH_MSS;

    f->in_recovery = true;
    f->recover = f->tail;
    f->cc.ops->on_loss(&f->cc, p->now, flight_bytes);
    if (!f->cc.ops->owns_recovery)
        f->cc.cwnd = f->cc.ssthresh;
}

static void lose(struct path *p, struct path_flow *f, const struct path_seg *seg)
{
    struct cc_lost lost = {
        .now = p->now,
        .bytes = PATH_MSS,
        .tx_in_flight_bytes = seg->tx_in_flight_bytes,
        .is_app_limited = seg->is_app_limited,
    };

    f->pipe_bytes -= PATH_MSS;
    f->lost_bytes += PATH_MSS;
    lost.lost_since_bytes = (uint32_t)(f->lost_bytes - seg->lost_bytes);
    if (f->cc.ops->on_lost != NULL)
        f->cc.ops->on_lost(&f->cc, &lost);
    if (!f->in_recovery)
        enter_recovery(p, f);
}

static void deliver(struct path *p, struct path_flow *f, const struct path_seg *seg,
                    struct cc_ack *ack)
{
    f->pipe_bytes -= PATH_MSS;
    f->delivered_bytes += PATH_MSS;
    f->delivered_at = p->now;
    f->first_sent_at = seg->sent_at;
    ack->acked_bytes += PATH_MSS;
    if (seg->is_marked) {
        ack->ce_bytes += PATH_MSS;
        f->marked_bytes += PATH_MSS;
    }
    ack->rtt_ns = p->now - seg->sent_at;
    ack->rate = (struct cc_rate){
        .interval_ns = ns_max(seg->sent_at - seg->first_sent_at, p->now - seg->delivered_at),
        .prior_delivered_bytes = seg->delivered_bytes,
        .tx_in_flight_bytes = seg->tx_in_flight_bytes,
        .lost_bytes = (uint32_t)(f->lost_bytes - seg->lost_bytes),
        .is_app_limited = seg->is_app_limited,
    };
    ack->rate.delivered_bytes = f->delivered_bytes - seg->delivered_bytes;
}

/* A classic algorithm hears of marks once in a round trip [RFC3168 6.1.2]. */
static void tell_of_marks(struct path *p, struct path_flow *f, const struct cc_ack *ack)
{
    if (ack->ce_bytes == 0 || f->cc.ops->ecn != CC_ECN_CLASSIC || f->in_recovery)
        return;
    if (f->head <= f->cwr_end)
        return;
    f->cwr_end = f->tail;
    if (f->cc.ops->on_ecn != NULL)
        f->cc.ops->on_ecn(&f->cc, p->now, ack->flight_bytes);
    else
        f->cc.ops->on_loss(&f->cc, p->now, ack->flight_bytes);
    if (!f->cc.ops->owns_recovery && f->cc.cwnd > f->cc.ssthresh)
        f->cc.cwnd = f->cc.ssthresh;
}

static void end_rounds(struct path *p, struct path_flow *f)
{
    if (f->in_recovery && f->head >= f->recover) {
        f->in_recovery = false;
        if (f->cc.ops->on_recovered != NULL)
            f->cc.ops->on_recovered(&f->cc, p->now);
    }
    if (f->app_limited_until > 0 && f->delivered_bytes >= f->app_limited_until)
        f->app_limited_until = 0;
    if (f->head == f->tail)
        f->idle_since = p->now;
}

/* All that arrives now is one acknowledgement; what is lost before the last of it is noticed. */
static void take_acks(struct path *p, struct path_flow *f)
{
    uint64_t newest = f->head, lost_before = f->lost_bytes;
    struct cc_ack ack = {.now = p->now};

    ack.flight_bytes = (uint32_t)(f->tail - f->head) * PATH_MSS;
    for (uint64_t i = f->head; i < f->tail; i++)
        if (seg_of(f, i)->acked_at == p->now)
            newest = i + 1;
        else if (seg_of(f, i)->acked_at != NEVER)
            break;
    for (; f->head < newest; f->head++) {
        const struct path_seg *seg = seg_of(f, f->head);
        if (seg->acked_at == NEVER)
            lose(p, f, seg);
        else
            deliver(p, f, seg, &ack);
    }
    f->srtt_ns = f->srtt_ns == 0 ? ack.rtt_ns : f->srtt_ns + (ack.rtt_ns - f->srtt_ns) / 8;
    f->last_ack_at = p->now;
    ack.srtt_ns = f->srtt_ns;
    ack.pipe_bytes = f->pipe_bytes;
    ack.lost_bytes = (uint32_t)(f->lost_bytes - lost_before);
    ack.delivered_bytes = f->delivered_bytes;
    ack.cwnd_limited = f->cwnd_limited;
    ack.in_recovery = f->in_recovery;
    tell_of_marks(p, f, &ack);
    if (!f->in_recovery || f->cc.ops->owns_recovery)
        f->cc.ops->on_ack(&f->cc, &ack);
    if (f->cwnd_limited && f->head > f->cwnd_round)
        f->cwnd_limited = false;
    end_rounds(p, f);
}

/* Nothing that could be acknowledged is under way: the tail is lost, too. */
static void lose_tail(struct path *p, struct path_flow *f)
{
    while (f->head < f->tail)
        lose(p, f, seg_of(f, f->head++));
    end_rounds(p, f);
}

/* The first acknowledgement on its way; NEVER: there is none. */
static ns_t next_ack_at(const struct path_flow *f)
{
    for (uint64_t i = f->head; i < f->tail; i++)
        if (seg_of(f, i)->acked_at != NEVER)
            return seg_of(f, i)->acked_at;
    return NEVER;
}

/* Without one, a sender waits for a while. */
static ns_t tail_at(const struct path_flow *f)
{
    if (f->head == f->tail)
        return NEVER;
    return ns_max(f->last_ack_at, seg_of(f, f->tail - 1)->sent_at) + 2 * f->srtt_ns + 200 * NS_MS;
}

struct what_next {
    ns_t at;
    void (*act)(struct path *p, struct path_flow *f);
};

static struct what_next next_of(const struct path *p, struct path_flow *f)
{
    struct what_next next = {next_ack_at(f), take_acks};

    if (next.at == NEVER)
        next = (struct what_next){tail_at(f), lose_tail};
    if (has_room(f) && ns_max(p->now, f->next_send_at) < next.at)
        next = (struct what_next){ns_max(p->now, f->next_send_at), send_seg};
    return next;
}

bool path_step(struct path *p, ns_t until)
{
    struct what_next first = {until, NULL};
    struct path_flow *who = NULL;

    for (size_t i = 0; i < p->flow_count; i++) {
        struct what_next next = next_of(p, &p->flows[i]);
        if (next.at < first.at) {
            first = next;
            who = &p->flows[i];
        }
    }
    p->now = first.at;
    if (who != NULL)
        first.act(p, who);
    return who != NULL;
}

void path_run(struct path *p, ns_t until)
{
    while (path_step(p, until))
        ;
}

bool path_run_to_phase(struct path *p, struct path_flow *f, const char *phase, ns_t until)
{
    while (strcmp(f->cc.ops->phase(&f->cc), phase) != 0)
        if (!path_step(p, until))
            return false;
    return true;
}

void path_forget(struct path *p)
{
    p->forgot_at = p->now;
    p->wait_max_ns = p->wait_sum_ns = 0;
    p->wait_count = 0;
    for (size_t i = 0; i < p->flow_count; i++) {
        struct path_flow *f = &p->flows[i];
        f->sent_before = f->sent_bytes;
        f->delivered_before = f->delivered_bytes;
        f->lost_before = f->lost_bytes;
        f->marked_before = f->marked_bytes;
    }
}

double path_share(const struct path *p, const struct path_flow *f)
{
    double link_bytes = (double)p->rate_bytes_s * (double)(p->now - p->forgot_at) / 1e9;

    return (double)(f->delivered_bytes - f->delivered_before) / link_bytes;
}

double path_loss(const struct path_flow *f)
{
    return (double)(f->lost_bytes - f->lost_before) / (double)(f->sent_bytes - f->sent_before);
}

double path_marks(const struct path_flow *f)
{
    return (double)(f->marked_bytes - f->marked_before) / (double)(f->sent_bytes - f->sent_before);
}

ns_t path_mean_wait(const struct path *p)
{
    return p->wait_sum_ns / (ns_t)p->wait_count;
}
