/*
 * sample.c - what is going on, at intervals, and how it ended
 */
#include "sim/play.h"

#include "sim/view.h"
#include <string.h>
#include <weir/err.h>

static bool look_at(const struct play *p, const struct play_end *e, struct weir_tcp_info *info)
{
    const struct weir *stack = weir_sim_peek(p->sim, e->node);

    return stack != NULL && e->conn != 0 && weir_tcp_info(stack, e->conn, info) == 0;
}

/* The side that sends most of a flow's bytes. */
static enum play_side sender_of(const struct play *p, uint32_t flow)
{
    const struct play_flow *f = &p->flows[flow];

    return f->received[PLAY_CLIENT] > f->received[PLAY_SERVER] ? PLAY_SERVER : PLAY_CLIENT;
}

static void look_at_newest(struct play *p, uint32_t flow)
{
    struct play_flow *f = &p->flows[flow];

    if (f->newest != NULL && look_at(p, &f->newest->ends[sender_of(p, flow)], &f->info))
        f->has_info = true;
}

static uint64_t retransmits_now(const struct play *p, uint32_t flow)
{
    uint64_t sum = p->flows[flow].retransmits[0] + p->flows[flow].retransmits[1];
    struct weir_tcp_info info;

    for (size_t i = 0; i < p->exchange_count; i++) {
        const struct play_exchange *x = p->exchanges[i];
        for (int side = 0; x != NULL && x->flow == flow && side < 2; side++)
            if (look_at(p, &x->ends[side], &info))
                sum += info.retransmits;
    }
    return sum;
}

static void add_link(const struct play *p, const struct play_flow *f, struct play_sample *s)
{
    struct weir_sim_link *l = weir_sim_direction(p->sim, f->bottleneck, f->bottleneck_sender);
    struct weir_sim_link_stats stats;

    if (l == NULL)
        return;
    weir_sim_link_stats(l, &stats);
    s->queue_bytes = stats.queue_bytes;
    s->queue_packets = stats.queue_packets;
    s->queue_delay_ns = stats.queue_delay_ns;
    s->drops = stats.dropped_full + stats.dropped_aqm + stats.lost;
    s->marks = stats.marked;
}

void sample_flow(struct play *p, uint32_t flow)
{
    struct play_flow *f = &p->flows[flow];
    uint64_t received = f->received[0] + f->received[1];
    struct play_sample s = {.at = weir_sim_now(p->sim), .name = p->scenario->flows[flow].name};

    look_at_newest(p, flow);
    s.throughput_bits_s =
        (received - f->sampled) * 8 * (uint64_t)WEIR_S / (uint64_t)p->options.sample_ns;
    f->sampled = received;
    if (f->has_info) {
        s.cwnd = f->info.cwnd;
        s.ssthresh = f->info.ssthresh;
        s.flight = f->info.flight_bytes;
        s.srtt_ns = f->info.srtt_ns;
    }
    s.retransmits = retransmits_now(p, flow);
    add_link(p, f, &s);
    p->options.sample(p->options.ctx, &s);
}

/* ---- at the ends of connections ---- */

static uint64_t unique_bytes(const struct play_end *e, const struct weir_tcp_info *info)
{
    return e->received + info->recv_queued + info->reassembly_queued;
}

void sample_end(struct play *p, struct play_exchange *x, enum play_side side)
{
    struct play_flow *f = &p->flows[x->flow];
    const struct play_end *e = &x->ends[side];
    struct weir_tcp_info info;

    if (!look_at(p, e, &info)) {
        f->unique[side] += e->received;
        return;
    }
    f->unique[side] += unique_bytes(e, &info);
    f->retransmits[side] += info.retransmits;
    f->segs[side] += info.data_segs_out;
    if (side == sender_of(p, x->flow)) {
        f->info = info;
        f->has_info = true;
    }
}

/* Ports say which flow a segment belongs to, and which way it goes. */
void sample_arrival(struct play *p, const struct weir_sim_frame *frame)
{
    struct view v;
    uint32_t to, from;

    if (!view_parse(&v, WEIR_LINK_IP, frame->bytes, frame->len) || v.protocol != VIEW_TCP)
        return;
    from = (uint32_t)view_get16(v.l4) - PLAY_PORT;
    to = (uint32_t)view_get16(v.l4 + 2) - PLAY_PORT;
    if (to < p->scenario->flow_count)
        p->flows[to].arrived[PLAY_SERVER] += v.l4_len - v.header_len;
    else if (from < p->scenario->flow_count)
        p->flows[from].arrived[PLAY_CLIENT] += v.l4_len - v.header_len;
}

/* ---- the result ---- */

static void add_live(struct play *p, uint32_t flow, struct play_result *r, uint64_t unique[2])
{
    struct weir_tcp_info info;

    for (size_t i = 0; i < p->exchange_count; i++) {
        const struct play_exchange *x = p->exchanges[i];
        for (int side = 0; x != NULL && x->flow == flow && side < 2; side++) {
            if (!look_at(p, &x->ends[side], &info))
                continue;
            unique[side] += unique_bytes(&x->ends[side], &info);
            r->retransmits[side] += info.retransmits;
            r->segs[side] += info.data_segs_out;
        }
    }
}

void sample_result(struct play *p, uint32_t flow, struct play_result *r)
{
    struct play_flow *f = &p->flows[flow];
    weir_ns_t begin = p->scenario->flows[flow].start_ns, lasted;
    uint64_t unique[2] = {f->unique[0], f->unique[1]}, rate = 0;
    struct weir_sim_link *l = weir_sim_direction(p->sim, f->bottleneck, f->bottleneck_sender);

    memset(r, 0, sizeof *r);
    look_at_newest(p, flow);
    for (int side = 0; side < 2; side++) {
        r->received[side] = f->received[side];
        r->retransmits[side] = f->retransmits[side];
        r->segs[side] = f->segs[side];
    }
    add_live(p, flow, r, unique);
    for (int side = 0; side < 2; side++)
        r->spurious_bytes[side] =
            f->arrived[side] > unique[side] ? f->arrived[side] - unique[side] : 0;
    lasted = (p->live > 0 ? weir_sim_now(p->sim) : f->last_at) - begin;
    if (lasted > 0)
        r->goodput_bits_s = (r->received[0] + r->received[1]) * 8 * 1000
                            / (uint64_t)(lasted / WEIR_MS + (lasted < WEIR_MS));
    if (l != NULL)
        rate = weir_sim_link_config(l)->rate_bits_s;
    if (rate != 0)
        r->share_ppm = r->goodput_bits_s * 1000000 / rate;
    r->info = f->info;
    r->has_info = f->has_info;
}
