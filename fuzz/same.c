/*
 * same.c - two connections that are alike in all that can be seen and that follows
 *
 * What points into one's own memory is compared by what is there, or left out.
 */
#include "fuzz/same.h"

#include <string.h>

#include "base/num.h"
#include "fuzz/expect.h"
#include "tcp/conn.h"
#include "tcp/piece.h"
#include "tcp/reasm.h"
#include "tcp/scoreboard.h"

static void same_pieces(const struct pieces *a, const struct pieces *b)
{
    const struct piece *p = a->head, *q = b->head;

    for (; p != NULL && q != NULL; p = p->next, q = q->next) {
        expect(p->len == q->len && p->room == q->room && p->ends_record == q->ends_record);
        expect(p->buf->memory == q->buf->memory);
        expect_same(p->bytes, q->bytes, p->len);
    }
    expect(p == NULL && q == NULL);
}

static void same_reasm(const struct reasm *a, const struct reasm *b)
{
    expect((a == NULL) == (b == NULL));
    if (a == NULL)
        return;
    expect(a->count == b->count && a->bytes == b->bytes && a->memory == b->memory);
    for (uint32_t i = 0; i < a->count; i++) {
        const struct reasm_block *x = reasm_at(a, i), *y = reasm_at(b, i);
        expect(seq_eq(x->start, y->start) && seq_eq(x->end, y->end));
        same_pieces(&x->pieces, &y->pieces);
    }
}

static const struct sent *record(const struct scoreboard *b, uint32_t i)
{
    return b->order[(b->head + i) & (b->capacity - 1)];
}

static void same_sent(const struct sent *a, const struct sent *b)
{
    expect(seq_eq(a->start, b->start) && seq_eq(a->end, b->end));
    expect(a->sent_at == b->sent_at && a->turn == b->turn && a->segs == b->segs);
    expect(a->state == b->state && a->is_alone == b->is_alone && a->resends == b->resends);
    expect(a->mark.delivered_bytes == b->mark.delivered_bytes);
    expect(a->mark.delivered_at == b->mark.delivered_at);
    expect(a->mark.first_sent_at == b->mark.first_sent_at);
    expect(a->mark.tx_in_flight_bytes == b->mark.tx_in_flight_bytes);
    expect(a->mark.lost_bytes == b->mark.lost_bytes);
    expect(a->mark.is_app_limited == b->mark.is_app_limited);
}

static void same_order(const struct list *a, const struct list *b)
{
    const struct list *x = a->next, *y = b->next;

    for (; x != a && y != b; x = x->next, y = y->next)
        expect(seq_eq(((const struct sent *)(const void *)x)->start,
                      ((const struct sent *)(const void *)y)->start));
    expect(x == a && y == b);
}

static void same_scoreboard(const struct scoreboard *a, const struct scoreboard *b)
{
    _Static_assert(offsetof(struct sent, link) == 0, "a link is a record");
    expect(a->count == b->count);
    for (uint32_t i = 0; i < a->count; i++)
        same_sent(record(a, i), record(b, i));
    same_order(&a->in_flight, &b->in_flight);
    same_order(&a->lost, &b->lost);
}

/* Without what is one's own, and what only one of the ways makes use of. */
static struct tcp_work plain_work(const struct tcp_work *w, ns_t now)
{
    struct tcp_work plain;

    memcpy(&plain, w, sizeof plain);
    plain.conn = NULL;
    memset(&plain.sendq.pieces, 0, sizeof plain.sendq.pieces);
    plain.sendq.spare = NULL;
    plain.sendq.hint = NULL;
    plain.sendq.hint_seq = seq_of(0);
    memset(&plain.recvq.pieces, 0, sizeof plain.recvq.pieces);
    plain.recvq.posted.bytes = NULL;
    plain.recvq.spare = NULL;
    plain.reasm = NULL;
    plain.scoreboard.order = NULL;
    plain.scoreboard.capacity = 0;
    plain.scoreboard.head = 0;
    plain.scoreboard.spare = NULL;
    memset(plain.scoreboard.few, 0, sizeof plain.scoreboard.few);
    memset(&plain.scoreboard.in_flight, 0, sizeof plain.scoreboard.in_flight);
    memset(&plain.scoreboard.lost, 0, sizeof plain.scoreboard.lost);
    memset(&plain.rate.newest, 0, sizeof plain.rate.newest);
    plain.rate.newest_sent_at = 0;
    plain.pseudo_sum = 0;
    plain.is_calm = false;
    memset(&plain.alarm, 0, sizeof plain.alarm);
    memset(&plain.ready, 0, sizeof plain.ready);
    if (plain.blocked_by != BLOCKED_BY_NOTHING)
        plain.blocked_ns[plain.blocked_by] += ns_since(plain.blocked_since_at, now);
    plain.blocked_since_at = 0;
    return plain;
}

static void same_work(const struct tcp_work *a, const struct tcp_work *b, ns_t now)
{
    struct tcp_work x, y;

    expect((a == NULL) == (b == NULL));
    if (a == NULL)
        return;
    same_pieces(&a->sendq.pieces, &b->sendq.pieces);
    same_pieces(&a->recvq.pieces, &b->recvq.pieces);
    same_reasm(a->reasm, b->reasm);
    same_scoreboard(&a->scoreboard, &b->scoreboard);
    x = plain_work(a, now);
    y = plain_work(b, now);
    expect_same(&x, &y, sizeof x);
}

/* All is acknowledged, and the application has gone: of how that went there is no account. */
static void same_orphan(const struct tcp_conn *a, const struct tcp_conn *b)
{
    const struct tcp_work *v = a->work, *w = b->work;

    expect(a->state == b->state && a->error == b->error);
    expect_same(&a->snd, &b->snd, sizeof a->snd);
    expect_same(&a->rcv, &b->rcv, sizeof a->rcv);
    expect_same(&a->ts, &b->ts, sizeof a->ts);
    expect((v == NULL) == (w == NULL));
    if (v == NULL)
        return;
    expect_same(v->deadline_at, w->deadline_at, sizeof v->deadline_at);
    expect(v->ack_owed == w->ack_owed && v->rst_owed == w->rst_owed);
    expect(v->dup_acks_owed == w->dup_acks_owed && v->keepalive_owed == w->keepalive_owed);
}

void same_conn(const struct tcp_conn *a, const struct tcp_conn *b, ns_t now)
{
    struct tcp_conn x, y;

    if (a->is_orphan && tcp_fin_acked(a)) {
        same_orphan(a, b);
        return;
    }

    same_work(a->work, b->work, now);
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    x.work = y.work = NULL;
    x.user = y.user = NULL;
    expect_same(&x, &y, sizeof x);
}
