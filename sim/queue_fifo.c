/*
 * queue_fifo.c - first in, first out, and no more than there is room for
 */
#include "sim/queue.h"

struct fifo {
    struct queue queue;
    struct packet_list list;
};

static void enqueue(struct queue *q, struct packet *p, weir_ns_t now)
{
    struct fifo *f = (struct fifo *)q;

    if (queue_is_full(q, p)) {
        queue_drop_full(q, p);
        return;
    }
    queue_enter(q, p, now);
    packet_list_add(&f->list, p);
}

static struct packet *dequeue(struct queue *q, weir_ns_t now)
{
    struct packet *p = packet_list_take(&((struct fifo *)q)->list);

    (void)now;
    if (p != NULL)
        queue_leave(q, p);
    return p;
}

static void fini(struct queue *q)
{
    packet_list_drop(&((struct fifo *)q)->list);
}

const struct queue_ops queue_fifo = {
    .name = "fifo",
    .size = sizeof(struct fifo),
    .enqueue = enqueue,
    .dequeue = dequeue,
    .fini = fini,
};
