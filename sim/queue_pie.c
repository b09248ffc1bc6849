/*
 * queue_pie.c - proportional integral controller, enhanced [RFC8033]
 *
 * Packets are dropped or marked on arrival, with a probability that is adjusted every 15 ms by
 * the queue's delay and by how it changes. The delay is that of the packet at the head. All
 * numbers have 32 fractional bits.
 */
#include "sim/queue.h"

enum {
    MEAN_PACKET = 1500,
    CATCH_UP = 4096, /* after so many updates without a packet there is nothing left to decay */
};

struct pie {
    struct queue queue;
    struct packet_list list;
    weir_ns_t update_at; /* 0: not begun */
    weir_ns_t delay_old_ns;
    weir_ns_t burst_ns; /* for so long nothing is dropped */
    int64_t prob;
    int64_t accumulated; /* since the last drop */
};

static const weir_ns_t burst_max_ns = 150 * WEIR_MS;

static weir_ns_t delay_at(const struct pie *e, weir_ns_t at)
{
    return e->list.head != NULL && at > e->list.head->queued_at ? at - e->list.head->queued_at : 0;
}

/* The smaller the probability, the smaller the steps [RFC8033 4.2]. */
static int64_t scale(int64_t prob)
{
    static const struct {
        int64_t one_in;
        int64_t divisor;
    } steps[] = {{1000000, 2048}, {100000, 512}, {10000, 128}, {1000, 32}, {100, 8}, {10, 2}};

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (prob < QUEUE_ONE / steps[i].one_in)
            return steps[i].divisor;
    return 1;
}

static void update(struct pie *e, weir_ns_t at)
{
    weir_ns_t delay_ns = delay_at(e, at), target_ns = e->queue.config.target_ns;
    /* alpha 1/8 and beta 5/4 a second */
    int64_t step =
        queue_fixed_s(delay_ns - target_ns) / 8 + queue_fixed_s(delay_ns - e->delay_old_ns) / 4 * 5;

    step /= scale(e->prob);
    if (e->prob >= QUEUE_ONE / 10 && step > QUEUE_ONE / 50)
        step = QUEUE_ONE / 50;
    if (delay_ns > 250 * WEIR_MS)
        step += QUEUE_ONE / 50;
    e->prob += step;
    if (delay_ns == 0 && e->delay_old_ns == 0)
        e->prob -= e->prob / 64 + 1;
    e->prob = e->prob < 0 ? 0 : e->prob > QUEUE_ONE ? QUEUE_ONE : e->prob;

    e->burst_ns =
        e->burst_ns > e->queue.config.interval_ns ? e->burst_ns - e->queue.config.interval_ns : 0;
    if (e->prob == 0 && delay_ns < target_ns / 2 && e->delay_old_ns < target_ns / 2)
        e->burst_ns = burst_max_ns;
    e->delay_old_ns = delay_ns;
}

static void catch_up(struct pie *e, weir_ns_t now)
{
    weir_ns_t interval_ns = e->queue.config.interval_ns;

    if (e->update_at == 0) {
        e->update_at = now + interval_ns;
        e->burst_ns = burst_max_ns;
    }
    for (int i = 0; i < CATCH_UP && e->update_at <= now; i++, e->update_at += interval_ns)
        update(e, e->update_at);
    if (e->update_at <= now)
        e->update_at = now + interval_ns;
}

/* [RFC8033 4.1, 5.1] */
static bool drops_early(struct pie *e)
{
    struct queue *q = &e->queue;

    if (e->burst_ns > 0)
        return false;
    if ((e->delay_old_ns < q->config.target_ns / 2 && e->prob < QUEUE_ONE / 5)
        || q->bytes <= 2 * MEAN_PACKET)
        return false;
    e->accumulated = e->prob == 0 ? 0 : e->accumulated + e->prob;
    if (e->accumulated < QUEUE_ONE / 100 * 85)
        return false;
    if (e->accumulated < QUEUE_ONE / 10 * 85
        && (int64_t)(draw_u64(&q->host->draw) >> 32) >= e->prob)
        return false;
    e->accumulated = 0;
    return true;
}

static void enqueue(struct queue *q, struct packet *p, weir_ns_t now)
{
    struct pie *e = (struct pie *)q;

    catch_up(e, now);
    if (queue_is_full(q, p)) {
        queue_drop_full(q, p);
        return;
    }
    bool drops = drops_early(e) && (e->prob >= QUEUE_ONE / 10 || !queue_mark(q, p));
    queue_enter(q, p, now);
    if (drops)
        queue_drop_aqm(q, p);
    else
        packet_list_add(&e->list, p);
}

static struct packet *dequeue(struct queue *q, weir_ns_t now)
{
    struct pie *e = (struct pie *)q;
    struct packet *p;

    catch_up(e, now);
    p = packet_list_take(&e->list);
    if (p != NULL)
        queue_leave(q, p);
    return p;
}

static void fini(struct queue *q)
{
    packet_list_drop(&((struct pie *)q)->list);
}

const struct queue_ops queue_pie = {
    .name = "pie",
    .size = sizeof(struct pie),
    .enqueue = enqueue,
    .dequeue = dequeue,
    .fini = fini,
};
