/*
 * queue_ecn.c - a threshold on the queue's length, as switches for DCTCP have it [RFC8257 3.1]
 *
 * A packet that finds so much waiting is marked; one that cannot be marked is dropped, as it
 * would be by RED with both thresholds in one place.
 */
#include "sim/queue.h"

struct threshold {
    struct queue queue;
    struct packet_list list;
};

static bool is_above(const struct queue *q)
{
    const struct weir_sim_queue_config *c = &q->config;

    return (c->mark_packets != 0 && q->packets >= c->mark_packets)
           || (c->mark_bytes != 0 && q->bytes >= c->mark_bytes);
}

static void enqueue(struct queue *q, struct packet *p, weir_ns_t now)
{
    struct threshold *t = (struct threshold *)q;

    if (queue_is_full(q, p)) {
        queue_drop_full(q, p);
        return;
    }
    bool drops = is_above(q) && !queue_mark(q, p);
    queue_enter(q, p, now);
    if (drops)
        queue_drop_aqm(q, p);
    else
        packet_list_add(&t->list, p);
}

static struct packet *dequeue(struct queue *q, weir_ns_t now)
{
    struct packet *p = packet_list_take(&((struct threshold *)q)->list);

    (void)now;
    if (p != NULL)
        queue_leave(q, p);
    return p;
}

static void fini(struct queue *q)
{
    packet_list_drop(&((struct threshold *)q)->list);
}

const struct queue_ops queue_ecn = {
    .name = "ecn",
    .size = sizeof(struct threshold),
    .enqueue = enqueue,
    .dequeue = dequeue,
    .fini = fini,
};
