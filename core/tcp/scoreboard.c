/*
 * scoreboard.c - what is under way, and what has become of it
 *
 * State: work.scoreboard.
 */
#include "tcp/scoreboard.h"
#include "base/check.h"
#include "base/hint.h"
#include "base/mem.h"
#include "base/num.h"
#include "tcp/conn.h"
#include "tcp/mtu_probe.h"
#include "tcp/rack.h"
#include "tcp/tstamp.h"

enum {
    CAPACITY_FIRST = 16, /* that has to be asked for */
    /* What is left for the next kind of use, so that a peer cannot keep us from resending. */
    RECORDS_FOR_NEW = SCOREBOARD_RECORDS / 4 * 3,
    RECORDS_FOR_SACKS = SCOREBOARD_RECORDS / 8 * 7,
    LOST_SEARCH = 32, /* places */
};

_Static_assert((SCOREBOARD_RECORDS & (SCOREBOARD_RECORDS - 1)) == 0, "places are masked");

static struct scoreboard *board_of(const struct tcp_conn *c)
{
    return &c->work->scoreboard;
}

static struct sent *at(const struct scoreboard *b, uint32_t i)
{
    return b->order[(b->head + i) & (b->capacity - 1)];
}

static void put_at(struct scoreboard *b, uint32_t i, struct sent *sent)
{
    b->order[(b->head + i) & (b->capacity - 1)] = sent;
}

static uint32_t len_of(const struct sent *sent)
{
    return seq_len(sent->start, sent->end);
}

static struct sent *sent_of(struct list *link)
{
    return link == NULL ? NULL : container_of(link, struct sent, link);
}

void scoreboard_init(struct tcp_conn *c)
{
    struct scoreboard *b = board_of(c);

    b->order = b->few;
    b->capacity = SCOREBOARD_FEW;
    list_init(&b->in_flight);
    list_init(&b->lost);
}

static void free_places(struct scoreboard *b, struct tcp_env *env)
{
    if (b->order != b->few)
        mem_free(env->sents.mem, b->order, b->capacity * sizeof(struct sent *));
}

/* A record is not needed any more; the next segment may want one. */
static void let_go(struct scoreboard *b, struct tcp_env *env, struct sent *sent)
{
    if (b->spare == NULL)
        b->spare = sent;
    else
        pool_put(&env->sents, sent);
}

void scoreboard_fini(struct tcp_conn *c, struct tcp_env *env)
{
    struct scoreboard *b = board_of(c);

    for (uint32_t i = 0; i < b->count; i++)
        pool_put(&env->sents, at(b, i));
    if (b->spare != NULL)
        pool_put(&env->sents, b->spare);
    free_places(b, env);
}

void scoreboard_clear(struct tcp_conn *c, struct tcp_env *env)
{
    scoreboard_fini(c, env);
    *board_of(c) = (struct scoreboard){.count = 0};
    scoreboard_init(c);
}

/* ---- places ---- */

static APART bool grow(struct scoreboard *b, struct tcp_env *env)
{
    uint32_t capacity = b->order == b->few ? CAPACITY_FIRST : 2 * b->capacity;
    struct sent **order =
        mem_alloc(env->sents.mem, capacity * sizeof(struct sent *), _Alignof(struct sent *));

    if (order == NULL)
        return false;
    for (uint32_t i = 0; i < b->count; i++)
        order[i] = at(b, i);
    free_places(b, env);
    b->order = order;
    b->capacity = capacity;
    b->head = 0;
    return true;
}

static bool has_place(struct scoreboard *b, struct tcp_env *env)
{
    if (b->count < b->capacity)
        return true;
    return b->capacity < SCOREBOARD_RECORDS && grow(b, env);
}

/* Opens a place before the i-th record, moving the shorter side. There is one. */
static void insert(struct scoreboard *b, uint32_t i, struct sent *sent)
{
    if (i < b->count / 2) {
        b->head--;
        for (uint32_t k = 0; k < i; k++)
            put_at(b, k, at(b, k + 1));
    } else {
        for (uint32_t k = b->count; k > i; k--)
            put_at(b, k, at(b, k - 1));
    }
    put_at(b, i, sent);
    b->count++;
}

/* Closes the places of count records from the i-th on, moving the shorter side. */
static void close_up(struct scoreboard *b, uint32_t i, uint32_t count)
{
    uint32_t behind = b->count - i - count;

    if (i < behind) {
        for (uint32_t k = i; k > 0; k--)
            put_at(b, k - 1 + count, at(b, k - 1));
        b->head += count;
    } else {
        for (uint32_t k = 0; k < behind; k++)
            put_at(b, i + k, at(b, i + count + k));
    }
    b->count -= count;
}

/* The index of the first record that ends after seq; count: there is none. */
static uint32_t first_ending_after(const struct scoreboard *b, seq_t seq)
{
    uint32_t low = 0, high = b->count;

    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (seq_gt(at(b, middle)->end, seq))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* ---- what a record counts for ---- */

/*
 * What is lost is sent again in the order of the numbers, and it is mostly found in it. What is
 * not goes to the front, or a little way before the end.
 */
static void add_lost(struct scoreboard *b, struct sent *sent)
{
    struct list *before = b->lost.prev;

    if (!list_is_empty(&b->lost) && seq_lt(sent->start, sent_of(b->lost.next)->start))
        before = &b->lost;
    for (int i = 0; i < LOST_SEARCH && before != &b->lost; i++, before = before->prev)
        if (seq_lt(sent_of(before)->start, sent->start))
            break;
    list_add_before(before->next, &sent->link);
}

static void enter_flight(struct scoreboard *b, struct sent *sent)
{
    sent->state = SENT_IN_FLIGHT;
    b->in_flight_bytes += len_of(sent);
    b->resent_bytes += sent->resends > 0 ? len_of(sent) : 0;
    list_add_last(&b->in_flight, &sent->link);
}

static void enter(struct scoreboard *b, struct sent *sent, enum sent_state state)
{
    sent->state = (uint8_t)state;
    switch (state) {
    case SENT_IN_FLIGHT: enter_flight(b, sent); break;
    case SENT_LOST:
        b->lost_bytes += len_of(sent);
        add_lost(b, sent);
        break;
    case SENT_SACKED:
        b->sacked_bytes += len_of(sent);
        b->sacked_segs += sent->segs;
        break;
    }
}

/* len bytes of the record, all of them or a part, do not count any more for what it was. */
static void discount(struct scoreboard *b, const struct sent *sent, uint32_t len, uint32_t segs)
{
    switch ((enum sent_state)sent->state) {
    case SENT_IN_FLIGHT:
        b->in_flight_bytes -= len;
        b->resent_bytes -= sent->resends > 0 ? len : 0;
        break;
    case SENT_LOST: b->lost_bytes -= len; break;
    case SENT_SACKED:
        b->sacked_bytes -= len;
        b->sacked_segs -= segs;
        break;
    }
}

static void leave(struct scoreboard *b, struct sent *sent)
{
    discount(b, sent, len_of(sent), sent->segs);
    list_remove(&sent->link);
}

/* ---- sending ---- */

bool scoreboard_is_full(const struct tcp_conn *c)
{
    return board_of(c)->count >= RECORDS_FOR_NEW;
}

bool scoreboard_reserve(struct tcp_conn *c, struct tcp_env *env)
{
    struct scoreboard *b = board_of(c);

    if (b->spare == NULL)
        b->spare = pool_get(&env->sents);
    return b->spare != NULL && (has_place(b, env) || b->capacity == SCOREBOARD_RECORDS);
}

/* A record for [start, end), from the spare one or from the pool; NULL: there is no room. */
static struct sent *new_record(struct scoreboard *b, struct tcp_env *env, uint32_t i, seq_t start,
                               seq_t end)
{
    struct sent *sent = b->spare;

    if (!has_place(b, env))
        return NULL;
    if (sent == NULL)
        sent = pool_get(&env->sents);
    if (sent == NULL)
        return NULL;
    b->spare = NULL;
    *sent = (struct sent){.start = start, .end = end};
    list_init(&sent->link);
    insert(b, i, sent);
    return sent;
}

static uint16_t segs_of(uint32_t segs)
{
    return segs > UINT16_MAX ? UINT16_MAX : (uint16_t)segs;
}

/*
 * What is sent at one instant, one behind the other, shares a record; but not if something was sent
 * again between the two, which comes before the one and after the other [RFC8985 6.2, step 2].
 */
static bool extend_last(struct tcp_conn *c, const struct tcp_env *env, seq_t end, uint32_t segs)
{
    struct scoreboard *b = board_of(c);
    struct sent *last = b->count == 0 ? NULL : at(b, b->count - 1);

    if (last == NULL || last->is_alone || last->state != SENT_IN_FLIGHT || last->resends > 0
        || last->sent_at != env->now || last->turn + 1 != b->turn
        || last->segs + segs > SCOREBOARD_SEGS)
        return false;
    b->in_flight_bytes += seq_len(last->end, end);
    last->end = end;
    last->segs = segs_of(last->segs + segs);
    last->mark.tx_in_flight_bytes = b->in_flight_bytes;
    return true;
}

void scoreboard_keep_apart(struct tcp_conn *c)
{
    struct scoreboard *b = board_of(c);

    if (b->count > 0)
        at(b, b->count - 1)->is_alone = true;
}

static void send_now(struct tcp_conn *c, const struct tcp_env *env, struct sent *sent)
{
    struct scoreboard *b = board_of(c);

    sent->sent_at = env->now;
    sent->turn = b->turn++;
    enter_flight(b, sent);
    rate_on_sent(c, env, sent);
}

void scoreboard_on_sent(struct tcp_conn *c, struct tcp_env *env, seq_t start, seq_t end,
                        uint32_t segs)
{
    struct scoreboard *b = board_of(c);
    struct sent *sent;

    if (extend_last(c, env, end, segs))
        return;
    CHECK(b->spare != NULL && b->count < b->capacity);
    sent = b->spare;
    b->spare = NULL;
    sent->start = start;
    sent->end = end;
    sent->segs = segs_of(segs);
    sent->is_alone = false;
    sent->resends = 0;
    put_at(b, b->count, sent);
    b->count++;
    send_now(c, env, sent); /* which sets the rest */
}

/*
 * Cuts the i-th record in two, the second of which begins at seq; false: there is no room, and it
 * stays whole. The second follows the first in the list that it is in.
 */
static bool split(struct scoreboard *b, struct tcp_env *env, uint32_t i, seq_t seq)
{
    struct sent *first = at(b, i), *second = new_record(b, env, i + 1, seq, first->end);
    uint32_t segs_before, len_before = seq_len(first->start, seq);

    if (second == NULL)
        return false;
    segs_before = (uint32_t)((uint64_t)first->segs * len_before / len_of(first));
    segs_before = u32_max(segs_before, 1);
    second->sent_at = first->sent_at;
    second->turn = first->turn;
    second->mark = first->mark;
    second->state = first->state;
    second->resends = first->resends;
    second->segs = segs_of(first->segs > segs_before ? first->segs - segs_before : 1);
    if (list_is_linked(&first->link))
        list_add_before(first->link.next, &second->link);
    if (first->state == SENT_SACKED)
        b->sacked_segs += segs_before + second->segs - first->segs;
    first->segs = segs_of(segs_before);
    first->end = seq;
    return true;
}

/* Without room to split, all of the record counts as sent again: the rest will be found lost. */
void scoreboard_on_resent(struct tcp_conn *c, struct tcp_env *env, seq_t start, seq_t end)
{
    struct scoreboard *b = board_of(c);
    uint32_t i = first_ending_after(b, start);

    if (i < b->count && seq_lt(at(b, i)->start, start) && split(b, env, i, start))
        i++;
    for (; i < b->count && seq_lt(at(b, i)->start, end); i++) {
        struct sent *sent = at(b, i);
        if (seq_gt(sent->end, end))
            (void)split(b, env, i, end);
        if (sent->state == SENT_SACKED)
            continue;
        leave(b, sent);
        if (sent->resends < UINT8_MAX)
            sent->resends++;
        send_now(c, env, sent);
    }
}

/* ---- arriving ---- */

/* len bytes of a record that were not known to have arrived have. */
static void deliver(struct tcp_conn *c, const struct tcp_env *env, const struct sent *sent,
                    uint32_t len, seq_t end, struct delivery *d)
{
    d->delivered_bytes += len;
    rate_on_delivered(c, env, sent, len);
    rack_on_delivered(c, env, sent, end, d);
    if (sent->resends > 0)
        return;
    d->first_sent_at = ns_min(d->first_sent_at, sent->sent_at);
    d->last_sent_at =
        d->last_sent_at == NEVER ? sent->sent_at : ns_max(d->last_sent_at, sent->sent_at);
    if (sent->sent_at < c->work->recovery.timeout_at)
        d->original_delivered = true;
}

/*
 * What was sent again is acknowledged, and the echo is of the time before. If it was sent again once,
 * that was needless (Eifel). The echo of a selective acknowledgement says nothing: it is of what
 * arrived in order.
 */
static void note_copy(const struct tcp_conn *c, const struct sent *sent, struct delivery *d)
{
    d->is_earlier_copy =
        sent->resends > 0 && d->has_echo && tstamp_is_before(c, d->echo, sent->sent_at);
    if (d->is_earlier_copy && sent->resends == 1)
        d->needless_at = ns_max(d->needless_at, sent->sent_at);
}

/* The beginning of a record is acknowledged, the rest is not. */
static void trim(struct scoreboard *b, struct sent *sent, seq_t una)
{
    uint32_t len = seq_len(sent->start, una);
    uint32_t segs = (uint32_t)((uint64_t)sent->segs * len / len_of(sent));

    segs = u32_min(segs, (uint32_t)sent->segs - 1);
    discount(b, sent, len, segs);
    sent->segs = segs_of(sent->segs - segs);
    sent->start = una;
}

/* All of the first record is acknowledged. */
static void drop_first(struct scoreboard *b, struct tcp_env *env, struct sent *sent)
{
    list_remove(&sent->link);
    b->head++;
    b->count--;
    let_go(b, env, sent);
}

/* The record that ends there, or that its end lies in. */
const struct sent *scoreboard_last_before(const struct tcp_conn *c, seq_t end)
{
    const struct scoreboard *b = board_of(c);
    const struct sent *sent = at(b, 0);

    for (uint32_t i = 1; seq_lt(sent->end, end); i++)
        sent = at(b, i);
    return sent;
}

void scoreboard_drop_calmly(struct tcp_conn *c, struct tcp_env *env, seq_t una)
{
    struct scoreboard *b = board_of(c);

    for (bool is_last = false; !is_last;) {
        struct sent *sent = at(b, 0);
        is_last = seq_geq(sent->end, una);
        if (seq_gt(sent->end, una)) {
            trim(b, sent, una);
        } else {
            b->in_flight_bytes -= len_of(sent);
            drop_first(b, env, sent);
        }
    }
}

void scoreboard_on_acked(struct tcp_conn *c, struct tcp_env *env, seq_t una, struct delivery *d)
{
    struct scoreboard *b = board_of(c);

    while (b->count > 0 && seq_lt(at(b, 0)->start, una)) {
        struct sent *sent = at(b, 0);
        seq_t end = seq_min(sent->end, una);

        if (sent->state != SENT_SACKED) {
            note_copy(c, sent, d);
            deliver(c, env, sent, seq_len(sent->start, end), end, d);
        }
        d->resent_acked = d->resent_acked || sent->resends > 0;
        if (seq_lt(end, sent->end)) {
            trim(b, sent, una);
            break;
        }
        discount(b, sent, len_of(sent), sent->segs);
        drop_first(b, env, sent);
    }
    d->is_earlier_copy = false;
    if (d->resent_acked) { /* what came behind it may have waited for it [RFC6298 3] */
        d->first_sent_at = NEVER;
        d->last_sent_at = NEVER;
    }
}

/* Makes one record of the count from the i-th on, all of them selectively acknowledged. */
static void join(struct scoreboard *b, struct tcp_env *env, uint32_t i, uint32_t count)
{
    struct sent *first = at(b, i);
    uint32_t segs = 0;

    for (uint32_t k = 0; k < count; k++)
        segs += at(b, i + k)->segs;
    for (uint32_t k = 1; k < count; k++) {
        struct sent *sent = at(b, i + k);
        first->end = sent->end;
        first->resends = first->resends > sent->resends ? first->resends : sent->resends;
        pool_put(&env->sents, sent);
    }
    b->sacked_segs -= segs - segs_of(segs);
    first->segs = segs_of(segs);
    close_up(b, i + 1, count - 1);
}

static bool is_sacked(const struct scoreboard *b, uint32_t i)
{
    return i < b->count && at(b, i)->state == SENT_SACKED;
}

/* Is the i-th record within [start, end), or made to be by cutting it? */
static bool cover(struct scoreboard *b, struct tcp_env *env, uint32_t i, seq_t start, seq_t end)
{
    struct sent *sent = at(b, i);

    if (seq_lt(sent->start, start))
        return false;
    if (seq_leq(sent->end, end))
        return true;
    return b->count < RECORDS_FOR_SACKS && split(b, env, i, end);
}

void scoreboard_on_sacked(struct tcp_conn *c, struct tcp_env *env, seq_t start, seq_t end,
                          struct delivery *d)
{
    struct scoreboard *b = board_of(c);
    uint32_t i = first_ending_after(b, start), first;

    if (i < b->count && at(b, i)->state != SENT_SACKED && seq_lt(at(b, i)->start, start)
        && b->count < RECORDS_FOR_SACKS && split(b, env, i, start))
        i++;
    first = i;
    for (; i < b->count && seq_lt(at(b, i)->start, end); i++) {
        struct sent *sent = at(b, i);
        if (sent->state == SENT_SACKED)
            continue;
        if (!cover(b, env, i, start, end)) {
            if (i > first)
                break;
            first = i + 1; /* it begins too early: the next one does not */
            continue;
        }
        deliver(c, env, sent, len_of(sent), sent->end, d);
        d->sacked_bytes += len_of(sent);
        leave(b, sent);
        enter(b, sent, SENT_SACKED);
    }
    if (first > 0 && is_sacked(b, first - 1) && is_sacked(b, first))
        first--;
    while (is_sacked(b, i))
        i++;
    if (i > first + 1)
        join(b, env, first, i - first);
}

/* ---- losing ---- */

/* What recovery and congestion control are told. */
static void note_lost(struct tcp_conn *c, const struct tcp_env *env, const struct sent *sent)
{
    struct cc *cc = &c->work->cc;
    struct cc_lost lost;

    rate_on_lost(c, len_of(sent));
    if (cc->ops->on_lost == NULL)
        return;
    lost = (struct cc_lost){
        .now = env->now,
        .bytes = len_of(sent),
        .tx_in_flight_bytes = sent->mark.tx_in_flight_bytes,
        .lost_since_bytes = (uint32_t)c->work->rate.lost_bytes - sent->mark.lost_bytes,
        .is_app_limited = sent->mark.is_app_limited,
    };
    cc->ops->on_lost(cc, &lost);
}

void scoreboard_mark_lost(struct tcp_conn *c, const struct tcp_env *env, struct sent *sent)
{
    struct scoreboard *b = board_of(c);

    if (!mtu_probe_take_lost(c, sent))
        note_lost(c, env, sent);
    leave(b, sent);
    enter(b, sent, SENT_LOST);
}

void scoreboard_mark_too_big(struct tcp_conn *c, struct sent *sent)
{
    leave(board_of(c), sent);
    enter(board_of(c), sent, SENT_LOST);
}

void scoreboard_mark_first_lost(struct tcp_conn *c, struct tcp_env *env, uint32_t len)
{
    struct scoreboard *b = board_of(c);
    struct sent *first = scoreboard_first(c);

    if (first == NULL || first->state != SENT_IN_FLIGHT)
        return;
    if (len < len_of(first))
        (void)split(b, env, 0, seq_add(first->start, len));
    scoreboard_mark_lost(c, env, first);
}

void scoreboard_forget_sacks(struct tcp_conn *c, const struct tcp_env *env)
{
    struct scoreboard *b = board_of(c);

    for (uint32_t i = 0; i < b->count; i++)
        if (at(b, i)->state == SENT_SACKED)
            scoreboard_mark_lost(c, env, at(b, i));
}

/* Both lists are nearly in the order of sending: each record finds its place from the last one's. */
void scoreboard_unmark_lost(struct tcp_conn *c)
{
    struct scoreboard *b = board_of(c);
    struct list *where = b->in_flight.next;

    for (struct list *link; (link = list_take_first(&b->lost)) != NULL;) {
        struct sent *sent = sent_of(link);

        while (where != &b->in_flight && sent_of(where)->sent_at <= sent->sent_at)
            where = where->next;
        while (where->prev != &b->in_flight && sent_of(where->prev)->sent_at > sent->sent_at)
            where = where->prev;
        discount(b, sent, len_of(sent), sent->segs);
        sent->state = SENT_IN_FLIGHT;
        b->in_flight_bytes += len_of(sent);
        b->resent_bytes += sent->resends > 0 ? len_of(sent) : 0;
        list_add_before(where, link);
    }
}

/* ---- asking ---- */

struct sent *scoreboard_first(const struct tcp_conn *c)
{
    const struct scoreboard *b = board_of(c);

    return b->count == 0 ? NULL : at(b, 0);
}

/* Neighbours that are acknowledged are one record: the last but one is not. */
struct sent *scoreboard_last_unacked(const struct tcp_conn *c)
{
    const struct scoreboard *b = board_of(c);

    for (uint32_t i = b->count; i > 0; i--)
        if (at(b, i - 1)->state != SENT_SACKED)
            return at(b, i - 1);
    return NULL;
}

struct sent *scoreboard_oldest(const struct tcp_conn *c)
{
    return sent_of(list_first(&board_of(c)->in_flight));
}

struct sent *scoreboard_next_oldest(const struct tcp_conn *c, const struct sent *sent)
{
    return sent_of(list_next(&board_of(c)->in_flight, &sent->link));
}

/*
 * What the peer waits for goes before everything [RFC6298 5.4]. It may not be the first in the list
 * if the peer has taken back an acknowledgement.
 */
struct sent *scoreboard_first_lost(const struct tcp_conn *c)
{
    const struct scoreboard *b = board_of(c);
    struct sent *first;

    if (list_is_empty(&b->lost))
        return NULL;
    first = scoreboard_first(c);
    return first->state == SENT_LOST ? first : sent_of(list_first(&b->lost));
}

void scoreboard_check(const struct tcp_conn *c)
{
    const struct scoreboard *b = board_of(c);
    uint32_t bytes[3] = {0}, resent_bytes = 0, sacked_segs = 0;
    seq_t expected = b->count == 0 ? c->snd.una : at(b, 0)->start;

    CHECK(b->count <= b->capacity && b->capacity <= SCOREBOARD_RECORDS);
    for (uint32_t i = 0; i < b->count; i++) {
        const struct sent *sent = at(b, i);
        CHECK(seq_eq(sent->start, expected) && seq_lt(sent->start, sent->end));
        CHECK(sent->segs > 0);
        CHECK(sent->state == SENT_SACKED || list_is_linked(&sent->link));
        CHECK(i == 0 || sent->state != SENT_SACKED || at(b, i - 1)->state != SENT_SACKED);
        bytes[sent->state] += len_of(sent);
        if (sent->state == SENT_IN_FLIGHT && sent->resends > 0)
            resent_bytes += len_of(sent);
        sacked_segs += sent->state == SENT_SACKED ? sent->segs : 0;
        expected = sent->end;
    }
    CHECK(bytes[SENT_IN_FLIGHT] == b->in_flight_bytes && bytes[SENT_LOST] == b->lost_bytes
          && bytes[SENT_SACKED] == b->sacked_bytes && sacked_segs == b->sacked_segs
          && resent_bytes == b->resent_bytes);
    if (b->count > 0)
        CHECK(seq_eq(at(b, 0)->start, seq_add(c->snd.una, !tcp_is_synchronized(c)))
              && seq_eq(expected, c->snd.nxt));
}
