/*
 * queue_fq_codel.c - flows take turns, each under CoDel's law [RFC8290]
 *
 * Flows are hashed to buckets. A bucket that was empty is new and goes before the old ones for
 * one quantum. When there is no room, the longest bucket loses its first packet.
 */
#include "sim/codel.h"
#include "sim/view.h"
#include <stdlib.h>

struct bucket {
    struct codel codel;
    struct bucket *next;
    int32_t credit;
    bool is_active; /* in one of the two lists */
};

struct turns {
    struct bucket *head, *tail;
};

struct fq {
    struct queue queue;
    struct bucket *buckets;
    struct turns new_flows, old_flows;
    uint64_t salt;
};

static void add(struct turns *t, struct bucket *b)
{
    b->next = NULL;
    if (t->tail != NULL)
        t->tail->next = b;
    else
        t->head = b;
    t->tail = b;
}

static void drop_head(struct turns *t)
{
    t->head = t->head->next;
    if (t->head == NULL)
        t->tail = NULL;
}

static bool init(struct queue *q)
{
    struct fq *f = (struct fq *)q;

    f->buckets = calloc(q->config.flows, sizeof f->buckets[0]);
    f->salt = draw_u64(&q->host->draw);
    return f->buckets != NULL;
}

static void fini(struct queue *q)
{
    struct fq *f = (struct fq *)q;

    for (uint32_t i = 0; i < q->config.flows; i++)
        packet_list_drop(&f->buckets[i].codel.list);
    free(f->buckets);
}

static struct bucket *bucket_of(struct fq *f, struct packet *p)
{
    struct view v;
    uint64_t flow = 0;

    if (view_parse(&v, f->queue.host->frames, p->frame.bytes, p->frame.len))
        flow = view_flow(&v);
    return &f->buckets[draw_mix(flow ^ f->salt) % f->queue.config.flows];
}

static void drop_from_longest(struct fq *f)
{
    struct bucket *longest = &f->buckets[0];
    struct packet *p;

    for (uint32_t i = 1; i < f->queue.config.flows; i++)
        if (f->buckets[i].codel.list.bytes > longest->codel.list.bytes)
            longest = &f->buckets[i];
    p = packet_list_take(&longest->codel.list);
    if (p == NULL)
        return;
    queue_leave(&f->queue, p);
    queue_drop_full(&f->queue, p);
}

static void enqueue(struct queue *q, struct packet *p, weir_ns_t now)
{
    struct fq *f = (struct fq *)q;
    struct bucket *b = bucket_of(f, p);
    bool is_full = queue_is_full(q, p);

    queue_enter(q, p, now);
    packet_list_add(&b->codel.list, p);
    if (!b->is_active) {
        b->is_active = true;
        b->credit = (int32_t)q->config.quantum;
        add(&f->new_flows, b);
    }
    if (is_full)
        drop_from_longest(f);
}

/* [RFC8290 4.2]: the new flows first; who has no credit left goes to the end of the old ones. */
static struct packet *dequeue(struct queue *q, weir_ns_t now)
{
    struct fq *f = (struct fq *)q;

    for (;;) {
        bool is_new = f->new_flows.head != NULL;
        struct turns *turns = is_new ? &f->new_flows : &f->old_flows;
        struct bucket *b = turns->head;
        struct packet *p;
        if (b == NULL)
            return NULL;
        if (b->credit <= 0) {
            b->credit += (int32_t)q->config.quantum;
            drop_head(turns);
            add(&f->old_flows, b);
            continue;
        }
        p = codel_dequeue(&b->codel, q, now);
        if (p != NULL) {
            b->credit -= (int32_t)p->frame.len;
            return p;
        }
        drop_head(turns);
        if (is_new && f->old_flows.head != NULL)
            add(&f->old_flows, b);
        else
            b->is_active = false;
    }
}

const struct queue_ops queue_fq_codel = {
    .name = "fq-codel",
    .size = sizeof(struct fq),
    .init = init,
    .enqueue = enqueue,
    .dequeue = dequeue,
    .fini = fini,
};
