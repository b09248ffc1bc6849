/*
 * queue.c - the queue disciplines there are, and what they share
 */
#include "sim/queue.h"

#include "sim/view.h"
#include <stdlib.h>
#include <string.h>

enum {
    LIMIT_PACKETS = 1000,
    MARK_PACKETS = 20,
    FLOWS = 1024,
    QUANTUM = 1514,
};

static const struct queue_ops *const kinds[WEIR_SIM_QUEUE_KINDS] = {
    [WEIR_SIM_FIFO] = &queue_fifo,   [WEIR_SIM_ECN] = &queue_ecn,
    [WEIR_SIM_CODEL] = &queue_codel, [WEIR_SIM_FQ_CODEL] = &queue_fq_codel,
    [WEIR_SIM_PIE] = &queue_pie,     [WEIR_SIM_DUALPI2] = &queue_dualpi2,
};

const char *weir_sim_queue_name(size_t kind)
{
    return kind < WEIR_SIM_QUEUE_KINDS ? kinds[kind]->name : NULL;
}

static weir_ns_t default_target(enum weir_sim_queue_kind kind)
{
    return kind == WEIR_SIM_PIE || kind == WEIR_SIM_DUALPI2 ? 15 * WEIR_MS : 5 * WEIR_MS;
}

static weir_ns_t default_interval(enum weir_sim_queue_kind kind)
{
    if (kind == WEIR_SIM_PIE)
        return 15 * WEIR_MS;
    return kind == WEIR_SIM_DUALPI2 ? 16 * WEIR_MS : 100 * WEIR_MS;
}

void queue_set(struct queue *q, const struct weir_sim_queue_config *config)
{
    struct weir_sim_queue_config *c = &q->config;
    enum weir_sim_queue_kind kind = c->kind;
    uint32_t flows = c->flows;

    *c = *config;
    c->kind = kind;
    c->flows = flows;
    if (c->limit_packets == 0 && c->limit_bytes == 0)
        c->limit_packets = LIMIT_PACKETS;
    if (c->mark_packets == 0 && c->mark_bytes == 0)
        c->mark_packets = MARK_PACKETS;
    if (c->target_ns == 0)
        c->target_ns = default_target(kind);
    if (c->interval_ns == 0)
        c->interval_ns = default_interval(kind);
    if (c->quantum == 0)
        c->quantum = QUANTUM;
}

struct queue *queue_create(const struct weir_sim_queue_config *config, struct queue_host *host)
{
    const struct queue_ops *ops = kinds[config->kind];
    struct queue *q = calloc(1, ops->size);

    if (q == NULL)
        return NULL;
    q->ops = ops;
    q->host = host;
    q->config.kind = config->kind;
    q->config.flows = config->flows != 0 ? config->flows : FLOWS;
    queue_set(q, config);
    if (ops->init == NULL || ops->init(q))
        return q;
    free(q);
    return NULL;
}

void queue_destroy(struct queue **q)
{
    struct queue *it = *q;

    *q = NULL;
    if (it == NULL)
        return;
    it->ops->fini(it);
    free(it);
}

bool queue_is_full(const struct queue *q, const struct packet *p)
{
    const struct weir_sim_queue_config *c = &q->config;

    return (c->limit_packets != 0 && q->packets >= c->limit_packets)
           || (c->limit_bytes != 0 && q->bytes + p->frame.len > c->limit_bytes);
}

void queue_enter(struct queue *q, struct packet *p, weir_ns_t now)
{
    struct weir_sim_link_stats *stats = &q->host->stats;

    p->queued_at = now;
    q->packets++;
    q->bytes += (uint32_t)p->frame.len;
    if (q->packets > stats->queue_packets_max)
        stats->queue_packets_max = q->packets;
    if (q->bytes > stats->queue_bytes_max)
        stats->queue_bytes_max = q->bytes;
}

void queue_leave(struct queue *q, const struct packet *p)
{
    q->packets--;
    q->bytes -= (uint32_t)p->frame.len;
}

void queue_drop_full(struct queue *q, struct packet *p)
{
    q->host->stats.dropped_full++;
    packet_put(p);
}

void queue_drop_aqm(struct queue *q, struct packet *p)
{
    queue_leave(q, p);
    q->host->stats.dropped_aqm++;
    packet_put(p);
}

bool queue_mark(struct queue *q, struct packet *p)
{
    if (q->config.drops_only || !view_mark(q->host->frames, p->frame.bytes, p->frame.len))
        return false;
    q->host->stats.marked++;
    return true;
}

int64_t queue_fixed_s(weir_ns_t ns)
{
    weir_ns_t most = 2 * WEIR_S;

    if (ns > most)
        ns = most;
    if (ns < -most)
        ns = -most;
    return ns * QUEUE_ONE / WEIR_S;
}
