/*
 * queue_dualpi2.c - two coupled queues for L4S and Classic traffic [RFC9332 2, A]
 *
 * ECT(1) and CE go to the L queue, all else to the C queue, which share one buffer. A PI
 * controller over the longer delay of the two moves the base probability p'. Classic packets
 * are dropped or marked with p'^2; L4S packets are marked with 2 p', or more if their own queue
 * is longer than 0.8 to 1.2 ms. Numbers have 32 fractional bits.
 */
#include "sim/queue.h"

#include "sim/view.h"

enum {
    COUPLING = 2,
    MTU = 1500,
    TURNS = 16,      /* of which the C queue has one when both wait */
    CATCH_UP = 1024, /* after so many updates of an empty queue p' is 0 */
};

struct side {
    struct packet_list list;
    int64_t accumulated; /* the derandomised recur() of figure 4 */
};

struct dualpi2 {
    struct queue queue;
    struct side l, c;
    weir_ns_t update_at; /* 0: not begun */
    weir_ns_t delay_old_ns;
    int64_t base; /* p' */
    uint32_t turn;
};

static const weir_ns_t ramp_from_ns = 800 * WEIR_US, ramp_ns = 400 * WEIR_US;

static weir_ns_t delay_at(const struct side *side, weir_ns_t at)
{
    const struct packet *p = side->list.head;

    return p != NULL && at > p->queued_at ? at - p->queued_at : 0;
}

/* Figure 6; alpha 0.16 and beta 3.2 a second. */
static void update(struct dualpi2 *d, weir_ns_t at)
{
    weir_ns_t l_ns = delay_at(&d->l, at), c_ns = delay_at(&d->c, at);
    weir_ns_t delay_ns = l_ns > c_ns ? l_ns : c_ns;

    d->base += queue_gain(queue_fixed_s(delay_ns - d->queue.config.target_ns), 16, 100)
               + queue_gain(queue_fixed_s(delay_ns - d->delay_old_ns), 32, 10);
    d->base = d->base < 0 ? 0 : d->base > QUEUE_ONE ? QUEUE_ONE : d->base;
    d->delay_old_ns = delay_ns;
}

static void catch_up(struct dualpi2 *d, weir_ns_t now)
{
    weir_ns_t interval_ns = d->queue.config.interval_ns;

    if (d->update_at == 0)
        d->update_at = now + interval_ns;
    for (int i = 0; i < CATCH_UP && d->update_at <= now; i++, d->update_at += interval_ns)
        update(d, d->update_at);
    if (d->update_at <= now)
        d->update_at = now + interval_ns;
}

static bool recur(struct side *side, int64_t likelihood)
{
    side->accumulated += likelihood;
    if (side->accumulated <= QUEUE_ONE)
        return false;
    side->accumulated -= QUEUE_ONE;
    return true;
}

/* p_C = p'^2 */
static int64_t classic_likelihood(const struct dualpi2 *d)
{
    return (d->base >> 2) * (d->base >> 2) >> 28;
}

/* Figure 5: none of it for a packet that leaves nothing behind. */
static int64_t ramp(const struct dualpi2 *d, weir_ns_t delay_ns)
{
    if (d->l.list.count == 0 || delay_ns <= ramp_from_ns)
        return 0;
    if (delay_ns >= ramp_from_ns + ramp_ns)
        return QUEUE_ONE;
    return (delay_ns - ramp_from_ns) * QUEUE_ONE / ramp_ns;
}

static void enqueue(struct queue *q, struct packet *p, weir_ns_t now)
{
    struct dualpi2 *d = (struct dualpi2 *)q;
    enum view_ecn ecn = view_ecn_of(q->host->frames, p->frame.bytes, p->frame.len);

    catch_up(d, now);
    if (queue_is_full(q, p)) {
        queue_drop_full(q, p);
        return;
    }
    queue_enter(q, p, now);
    packet_list_add(ecn == VIEW_ECT1 || ecn == VIEW_CE ? &d->l.list : &d->c.list, p);
}

/* L4S traffic leaves one turn in 16 to the other queue. */
static struct side *choose(struct dualpi2 *d)
{
    if (d->l.list.count == 0 || d->c.list.count == 0) {
        d->turn = 0;
        return d->l.list.count != 0 ? &d->l : &d->c;
    }
    return ++d->turn % TURNS == 0 ? &d->c : &d->l;
}

/* True: it has been dropped. Up to the overload at p_C = 1/4, L4S packets are not dropped. */
static bool drops_l4s(struct dualpi2 *d, struct packet *p, weir_ns_t now, bool is_short)
{
    int64_t coupled = is_short ? 0 : COUPLING * d->base;
    int64_t own = ramp(d, now - p->queued_at);

    if (coupled < QUEUE_ONE) {
        if (recur(&d->l, own > coupled ? own : coupled))
            (void)queue_mark(&d->queue, p);
        return false;
    }
    if (recur(&d->l, classic_likelihood(d)))
        return true;
    (void)queue_mark(&d->queue, p);
    return false;
}

static bool drops_classic(struct dualpi2 *d, struct packet *p, bool is_short)
{
    int64_t likelihood = is_short ? 0 : classic_likelihood(d);

    if (!recur(&d->c, likelihood))
        return false;
    return likelihood >= QUEUE_ONE / (COUPLING * COUPLING) || !queue_mark(&d->queue, p);
}

static struct packet *dequeue(struct queue *q, weir_ns_t now)
{
    struct dualpi2 *d = (struct dualpi2 *)q;

    catch_up(d, now);
    while (q->packets > 0) {
        bool is_short = q->bytes < 2 * MTU;
        struct side *side = choose(d);
        struct packet *p = packet_list_take(&side->list);
        bool drops = side == &d->l ? drops_l4s(d, p, now, is_short) : drops_classic(d, p, is_short);
        if (!drops) {
            queue_leave(q, p);
            return p;
        }
        queue_drop_aqm(q, p);
    }
    return NULL;
}

static void fini(struct queue *q)
{
    struct dualpi2 *d = (struct dualpi2 *)q;

    packet_list_drop(&d->l.list);
    packet_list_drop(&d->c.list);
}

const struct queue_ops queue_dualpi2 = {
    .name = "dualpi2",
    .size = sizeof(struct dualpi2),
    .enqueue = enqueue,
    .dequeue = dequeue,
    .fini = fini,
};
