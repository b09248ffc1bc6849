/*
 * ahead.c - what the next segments need is fetched while others are waited for
 *
 * Of very many connections, those that a batch of frames is for are in no cache. Each frame would
 * wait for memory three times, as a place in the table says where the connection is, and that
 * where its work is. So for some frames at a time it is done step by step: all their places are asked for,
 * then all their connections, then all their work, and while one comes the others are on their way.
 * For turns to send and for news, tx.c and events.c do the same with the next in the list.
 *
 * Nothing is decided here. What frames say is not verified yet, and what is found is only put
 * where it is looked for first (recent.c), which spares the hash of the four-tuple then.
 */
#include "base/num.h"
#include "stack/stack.h"
#include "tcp/works.h"
#include "wire/plain.h"

enum {
    FRAMES = 32,      /* looked at in one go: what they need fits a first-level cache, nearly */
    FLOWS_MIN = 1024, /* at work: fewer are in the cache anyway */
};

struct sought {
    struct tcp_tuple tuple;
    uint32_t hash;
    struct flow *flow;
};

static bool is_same(const struct tcp_tuple *a, const struct tcp_tuple *b)
{
    return a->remote_port == b->remote_port && a->local_port == b->local_port
           && weir_addr_eq(&a->remote_addr, &b->remote_addr)
           && weir_addr_eq(&a->local_addr, &b->local_addr);
}

/* The ends of the frame's connection, if it seems to have one. */
static bool guess_tuple(const struct netif *netif, const struct weir_frame *frame,
                        struct tcp_tuple *tuple)
{
    struct plain_ends ends;
    struct span head;

    if (frame->slice_count == 0 || frame->slices[0].len < netif->link_len)
        return false;
    head = span_drop(span_of(frame->slices[0].bytes, frame->slices[0].len), netif->link_len);
    if (!plain_guess_ends(head, &ends))
        return false;
    *tuple = (struct tcp_tuple){ends.dst, ends.src, ends.dst_port, ends.src_port};
    return true;
}

/* First step. Of a train of one flow the first is enough; returns how many there are. */
static size_t seek(const struct weir *s, const struct netif *netif, const struct weir_frame *frames,
                   size_t count, struct sought *sought)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        struct sought *x = &sought[n];
        if (!guess_tuple(netif, &frames[i], &x->tuple)
            || (n > 0 && is_same(&x->tuple, &sought[n - 1].tuple)))
            continue;
        x->hash = demux_prefetch(s, &x->tuple);
        n++;
    }
    return n;
}

/* Third step: the connection is at hand. */
static void reach(struct weir *s, const struct sought *x)
{
    if (x->flow == NULL || x->flow->kind != HANDLE_CONN || !demux_is_between(s, x->flow, &x->tuple))
        return;
    recent_add(s, x->flow);
    works_fetch(container_of(x->flow, struct conn, flow)->tcp.work);
}

/* Those in TIME-WAIT hardly ever get a segment. */
static bool are_few(const struct weir *s)
{
    return table_count(&s->flows) - s->timewaits.used < FLOWS_MIN;
}

size_t ahead_look(struct weir *s, const struct netif *netif, const struct weir_frame *frames,
                  size_t count)
{
    struct sought sought[FRAMES];
    size_t looked = size_min(count, FRAMES), n;

    if (!HAS_SCALE || looked < 2 || are_few(s))
        return looked;
    n = seek(s, netif, frames, looked, sought);
    for (size_t i = 0; i < n; i++)
        sought[i].flow = demux_guess(s, sought[i].hash);
    for (size_t i = 0; i < n; i++)
        reach(s, &sought[i]);
    return looked;
}
