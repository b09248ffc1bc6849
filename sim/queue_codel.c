/*
 * queue_codel.c - one queue under CoDel's law [RFC8289]
 */
#include "sim/codel.h"

struct codel_queue {
    struct queue queue;
    struct codel codel;
};

static void enqueue(struct queue *q, struct packet *p, weir_ns_t now)
{
    struct codel_queue *c = (struct codel_queue *)q;

    if (queue_is_full(q, p)) {
        queue_drop_full(q, p);
        return;
    }
    queue_enter(q, p, now);
    packet_list_add(&c->codel.list, p);
}

static struct packet *dequeue(struct queue *q, weir_ns_t now)
{
    return codel_dequeue(&((struct codel_queue *)q)->codel, q, now);
}

static void fini(struct queue *q)
{
    packet_list_drop(&((struct codel_queue *)q)->codel.list);
}

const struct queue_ops queue_codel = {
    .name = "codel",
    .size = sizeof(struct codel_queue),
    .enqueue = enqueue,
    .dequeue = dequeue,
    .fini = fini,
};
