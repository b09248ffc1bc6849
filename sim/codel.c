/*
 * codel.c - controlled delay: the law that CoDel and FQ-CoDel share [RFC8289]
 *
 * The names are those of the pseudocode in RFC 8289, section 5; the square root is a fixed-point
 * one, so that every machine comes to the same result.
 */
#include "sim/codel.h"

enum {
    MAX_PACKET = 1514, /* a queue no longer than this is let alone */
};

uint32_t codel_isqrt(uint64_t n)
{
    uint64_t root = 0, bit = UINT64_C(1) << 62;

    while (bit > n)
        bit >>= 2;
    for (; bit != 0; bit >>= 2) {
        if (n >= root + bit) {
            n -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return (uint32_t)root;
}

/* t + interval / sqrt(count) */
static weir_ns_t control_law(const struct queue *q, weir_ns_t t, uint32_t count)
{
    return t + q->config.interval_ns * 65536 / codel_isqrt((uint64_t)count << 32);
}

/* The first packet; *may_drop: the delay has been above the target for an interval. */
static struct packet *take(struct codel *c, const struct queue *q, weir_ns_t now, bool *may_drop)
{
    struct packet *p = packet_list_take(&c->list);

    *may_drop = false;
    if (p == NULL) {
        c->first_above_at = 0;
        return NULL;
    }
    if (now - p->queued_at < q->config.target_ns || c->list.bytes <= MAX_PACKET) {
        c->first_above_at = 0;
    } else if (c->first_above_at == 0) {
        c->first_above_at = now + q->config.interval_ns;
    } else {
        *may_drop = now >= c->first_above_at;
    }
    return p;
}

static struct packet *go_on_dropping(struct codel *c, struct queue *q, weir_ns_t now,
                                     struct packet *p, bool may_drop)
{
    c->is_dropping = may_drop;
    while (c->is_dropping && now >= c->drop_next_at) {
        c->count++;
        if (queue_mark(q, p)) {
            c->drop_next_at = control_law(q, c->drop_next_at, c->count);
            break;
        }
        queue_drop_aqm(q, p);
        p = take(c, q, now, &may_drop);
        c->is_dropping = may_drop;
        if (may_drop)
            c->drop_next_at = control_law(q, c->drop_next_at, c->count);
    }
    return p;
}

/* Dropping that stopped a short while ago goes on about where it was. */
static struct packet *begin_dropping(struct codel *c, struct queue *q, weir_ns_t now,
                                     struct packet *p)
{
    uint32_t delta = c->count - c->last_count;
    bool may_drop;

    if (!queue_mark(q, p)) {
        queue_drop_aqm(q, p);
        p = take(c, q, now, &may_drop);
    }
    c->is_dropping = true;
    c->count = 1;
    if (delta > 1 && now - c->drop_next_at < 16 * q->config.interval_ns)
        c->count = delta;
    c->drop_next_at = control_law(q, now, c->count);
    c->last_count = c->count;
    return p;
}

struct packet *codel_dequeue(struct codel *c, struct queue *q, weir_ns_t now)
{
    bool may_drop;
    struct packet *p = take(c, q, now, &may_drop);

    if (p == NULL)
        c->is_dropping = false;
    else if (c->is_dropping)
        p = go_on_dropping(c, q, now, p, may_drop);
    else if (may_drop)
        p = begin_dropping(c, q, now, p);
    if (p != NULL)
        queue_leave(q, p);
    return p;
}
