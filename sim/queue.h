/*
 * queue.h - what every queue discipline of a link offers
 *
 * A discipline is a file sim/queue_NAME.c with a struct queue_ops; queue.c lists them. A packet
 * given to enqueue is the queue's: it keeps it or drops it, and counts which. dequeue is asked
 * whenever the transmitter is free.
 *
 * Times are exact, although nobody calls when time merely passes: what a discipline would do
 * meanwhile, it catches up with at the next call.
 */
#ifndef SIM_QUEUE_H
#define SIM_QUEUE_H

#include "sim/draw.h"
#include "sim/packet.h"

/* What a link lends its queue. */
struct queue_host {
    struct weir_sim_link_stats stats;
    struct draw draw;
    enum weir_link frames;
};

struct queue_ops;

/* The head of every discipline's own struct. */
struct queue {
    const struct queue_ops *ops;
    struct queue_host *host;
    struct weir_sim_queue_config config; /* with its defaults */
    uint32_t packets;
    uint32_t bytes;
};

struct queue_ops {
    const char *name;
    size_t size;                  /* of the struct that begins with a struct queue, zeroed */
    bool (*init)(struct queue *); /* NULL: nothing to do. False: no memory */
    void (*fini)(struct queue *); /* the packets too */
    void (*enqueue)(struct queue *, struct packet *, weir_ns_t now);
    struct packet *(*dequeue)(struct queue *, weir_ns_t now); /* NULL: it is empty */
};

struct queue *queue_create(const struct weir_sim_queue_config *config, struct queue_host *host);
void queue_destroy(struct queue **q);

/* Limits and targets change; the kind does not. */
void queue_set(struct queue *q, const struct weir_sim_queue_config *config);

/* ---- for disciplines ---- */

/* Is there no room for this one more? */
bool queue_is_full(const struct queue *q, const struct packet *p);

/* Counts it in, and notes when it came; counts it out. */
void queue_enter(struct queue *q, struct packet *p, weir_ns_t now);
void queue_leave(struct queue *q, const struct packet *p);

/* One that has not entered; one that has, and is in no list any more. */
void queue_drop_full(struct queue *q, struct packet *p);
void queue_drop_aqm(struct queue *q, struct packet *p);

/* Marks it, if that is allowed and possible. */
bool queue_mark(struct queue *q, struct packet *p);

/* A duration in seconds as a fixed-point number: 2^32 is one second. At most 2 s. */
int64_t queue_fixed_s(weir_ns_t ns);

#define QUEUE_ONE (INT64_C(1) << 32)

/* value of 2^32 with the gain num/den, for factors up to a few. */
static inline int64_t queue_gain(int64_t value, int64_t num, int64_t den)
{
    return value * num / den;
}

extern const struct queue_ops queue_fifo, queue_ecn, queue_codel, queue_fq_codel, queue_pie,
    queue_dualpi2;

#endif
