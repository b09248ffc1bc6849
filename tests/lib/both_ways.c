/*
 * both_ways.c - what a connection does on the short way it would do on the long one
 *
 * The connection stays where it is, since lists lead to it: its two structs are saved and put back.
 */
#include "lib/both_ways.h"
#include "base/frame.h"
#include "base/list.h"
#include "base/trace.h"
#include "lib/test.h"
#include "tcp/conn.h"
#include "tcp/env.h"
#include "tcp/express.h"
#include "tcp/express_in.h"
#include "tcp/input.h"
#include "tcp/listen.h"
#include "tcp/options.h"
#include "tcp/output.h"
#include "tcp/scoreboard.h"
#include "tcp/seg.h"
#include "wire/tcp.h"
#include <string.h>

struct saved {
    struct tcp_conn conn;
    struct tcp_work work;
};

static void save(struct saved *s, const struct tcp_conn *c)
{
    memcpy(&s->conn, c, sizeof *c);
    memcpy(&s->work, c->work, sizeof *c->work);
}

static void put_back(struct tcp_conn *c, const struct saved *s)
{
    memcpy(c, &s->conn, sizeof *c);
    memcpy(c->work, &s->work, sizeof *c->work);
}

/* What is not in the connection, but changes when it sends: what was sent last, and counts. */
struct beside {
    struct sent spare, last;
    struct tcp_counts counts;
};

static struct sent *last_sent(const struct tcp_conn *c)
{
    const struct scoreboard *b = &c->work->scoreboard;

    return b->count == 0 ? NULL : b->order[(b->head + b->count - 1) & (b->capacity - 1)];
}

/* spare and last are those of before: one of them is what was sent. */
static void save_beside(struct beside *s, const struct tcp_env *env, const struct sent *spare,
                        const struct sent *last)
{
    memset(s, 0, sizeof *s);
    memcpy(&s->spare, spare, sizeof s->spare);
    if (last != NULL)
        memcpy(&s->last, last, sizeof s->last);
    s->counts = env->counts;
}

static void put_back_beside(const struct beside *s, struct tcp_env *env, struct sent *spare,
                            struct sent *last)
{
    memcpy(spare, &s->spare, sizeof s->spare);
    if (last != NULL)
        memcpy(last, &s->last, sizeof s->last);
    env->counts = s->counts;
}

static void expect_same_frame(const struct frame *a, const struct frame *b)
{
    const struct weir_frame *x = &a->wire, *y = &b->wire;

    EXPECT_EQ(x->slice_count, y->slice_count);
    EXPECT_EQ(x->slices[0].len, y->slices[0].len);
    EXPECT(memcmp(x->slices[0].bytes, y->slices[0].bytes, x->slices[0].len) == 0);
    for (size_t i = 1; i < x->slice_count; i++) {
        EXPECT(x->slices[i].bytes == y->slices[i].bytes);
        EXPECT_EQ(x->slices[i].len, y->slices[i].len);
        EXPECT(a->held[i] == b->held[i]);
    }
    EXPECT_EQ(x->flags, y->flags);
    EXPECT_EQ(x->gso, y->gso);
    EXPECT_EQ(x->gso_size, y->gso_size);
    if (x->flags & WEIR_FRAME_CSUM_PARTIAL) {
        EXPECT_EQ(x->csum_start, y->csum_start);
        EXPECT_EQ(x->csum_offset, y->csum_offset);
    }
    EXPECT_EQ(x->header_len, y->header_len);
    EXPECT_EQ(x->len, y->len);
    EXPECT_EQ(a->ecn, b->ecn);
}

/* Adds up what has gone by so far, which the short way does not do anew with every segment. */
static void settle_blocked(struct tcp_work *w, ns_t now)
{
    if (w->blocked_by == BLOCKED_BY_NOTHING)
        return;
    w->blocked_ns[w->blocked_by] += ns_since(w->blocked_since_at, now);
    w->blocked_since_at = now;
}

/* The sum, and what has been found out, are parts of the work that only the short way has a use for. */
static void expect_same(struct saved *a, struct saved *b, ns_t now)
{
    a->work.pseudo_sum = b->work.pseudo_sum;
    a->work.is_calm = b->work.is_calm;
    settle_blocked(&a->work, now);
    settle_blocked(&b->work, now);
    EXPECT(memcmp(&a->conn, &b->conn, sizeof a->conn) == 0);
    EXPECT(memcmp(&a->work, &b->work, sizeof a->work) == 0);
}

/* How segments go. */
struct way {
    bool has_offload;   /* or the checksum is made at once */
    uint32_t gso_bytes; /* 0: no super-segments */
};

/* A checksum that is left to be made is made here, so that it can be compared. */
static struct frame *output(struct tcp_conn *c, struct tcp_env *env, bool is_short,
                            const struct way *way, struct tcp_turn *turn)
{
    struct frame *frame;

    *turn = (struct tcp_turn){.has_more = false};
    if (is_short && way->gso_bytes > 0)
        return express_super(c, env, way->gso_bytes, turn);
    if (is_short)
        return express_output(c, env, way->has_offload);
    frame = tcp_output(c, env, way->gso_bytes, turn);
    if (frame != NULL && !way->has_offload)
        frame_finish_checksum(frame);
    return frame;
}

static void compare(struct tcp_conn *c, struct tcp_env *env, struct way way)
{
    struct sent *spare = c->work->scoreboard.spare, *last = last_sent(c);
    struct list *in_flight = &c->work->scoreboard.in_flight;
    struct saved before, ends[2];
    struct beside beside_before, beside[2];
    struct frame *frames[2] = {NULL, NULL};
    struct tcp_turn turns[2];

    save(&before, c);
    save_beside(&beside_before, env, spare, last);
    for (int i = 0; i < 2; i++) {
        if (i == 0 || frames[0] != NULL)
            frames[i] = output(c, env, i == 0, &way, &turns[i]);
        save(&ends[i], c);
        save_beside(&beside[i], env, spare, last);
        put_back(c, &before);
        put_back_beside(&beside_before, env, spare, last);
        in_flight->prev->next = in_flight;
    }
    if (frames[0] != NULL) {
        EXPECT(frames[1] != NULL);
        EXPECT(!turns[1].is_resent);
        EXPECT_EQ(turns[0].has_more, turns[1].has_more);
        EXPECT_EQ(c->work->cc.mss, tcp_send_mss_now(c, env)); /* the short way takes it for that */
        expect_same_frame(frames[0], frames[1]);
        expect_same(&ends[0], &ends[1], env->now);
        EXPECT(memcmp(&beside[0], &beside[1], sizeof beside[0]) == 0);
    }
    frame_put(env->frames, env->bufs, &frames[0]);
    frame_put(env->frames, env->bufs, &frames[1]);
}

/* A turn that is not taken leaves behind what one would that finds nothing. */
static void compare_silence(struct tcp_conn *c, struct tcp_env *env)
{
    struct saved before, ends[2];
    struct tcp_turn turn;

    save(&before, c);
    if (!express_note_silence(c, env))
        return;
    save(&ends[0], c);
    put_back(c, &before);
    EXPECT(tcp_output(c, env, 0, &turn) == NULL);
    EXPECT(!turn.has_more && !turn.no_memory);
    save(&ends[1], c);
    put_back(c, &before);
    expect_same(&ends[0], &ends[1], env->now);
}

void both_ways_check(struct tcp_conn *c, struct tcp_env *env)
{
    /* The record of what is sent comes from a pool otherwise, which is not put back. */
    if (c->work == NULL || trace_is_on(env->tracer) || !scoreboard_reserve(c, env))
        return;
    compare(c, env, (struct way){.has_offload = false});
    compare(c, env, (struct way){.has_offload = true});
    for (uint32_t segs = 2; segs <= 64; segs *= 32)
        compare(c, env, (struct way){true, segs * c->work->cc.mss + 100});
    compare_silence(c, env);
}

/* ---- in ---- */

enum { RECORDS = 16 };

/* What a segment that comes in changes beside the connection: records of what was sent, and pieces. */
struct around {
    size_t count;
    void *at[RECORDS + 5];
    size_t size[RECORDS + 5];
    union {
        struct sent sent;
        struct piece piece;
    } bytes[RECORDS + 5];
};

static void add(struct around *a, void *at, size_t size)
{
    if (at == NULL)
        return;
    a->at[a->count] = at;
    a->size[a->count] = size;
    memset(&a->bytes[a->count], 0, sizeof a->bytes[0]);
    memcpy(&a->bytes[a->count++], at, size);
}

static struct sent *record(const struct scoreboard *b, uint32_t i)
{
    return b->order[(b->head + i) & (b->capacity - 1)];
}

/* As all of it is now. */
static void look_around(struct around *a, const struct tcp_conn *c)
{
    const struct tcp_work *w = c->work;

    a->count = 0;
    for (uint32_t i = 0; i < w->scoreboard.count; i++)
        add(a, record(&w->scoreboard, i), sizeof(struct sent));
    add(a, w->scoreboard.spare, sizeof(struct sent));
    add(a, w->sendq.pieces.head, sizeof(struct piece));
    add(a, w->sendq.spare, sizeof(struct piece));
    add(a, w->recvq.pieces.tail, sizeof(struct piece));
    add(a, w->recvq.spare, sizeof(struct piece));
}

/* As what was seen then is now. */
static void look_again(struct around *a)
{
    for (size_t i = 0; i < a->count; i++)
        memcpy(&a->bytes[i], a->at[i], a->size[i]);
}

static void put_back_around(const struct around *a)
{
    for (size_t i = 0; i < a->count; i++)
        memcpy(a->at[i], &a->bytes[i], a->size[i]);
}

static void expect_same_around(const struct around *a, const struct around *b)
{
    for (size_t i = 0; i < a->count; i++)
        EXPECT(memcmp(&a->bytes[i], &b->bytes[i], a->size[i]) == 0);
}

/* The only record that is acknowledged as a whole becomes the spare one. */
static bool keeps_records(const struct tcp_conn *c, seq_t ack)
{
    const struct scoreboard *b = &c->work->scoreboard;
    uint32_t whole = 0;

    while (whole < b->count && seq_leq(record(b, whole)->end, ack))
        whole++;
    return b->count <= RECORDS && (whole == 0 || (whole == 1 && b->spare == NULL));
}

/* A piece that lies in a small buf stays if it was the only one; one that is not used up stays, too. */
static bool keeps_pieces(const struct tcp_conn *c, seq_t ack)
{
    const struct sendq *q = &c->work->sendq;
    const struct piece *p = q->pieces.head;

    if (p == NULL || !seq_gt(ack, q->start))
        return true;
    if (seq_len(q->start, ack) < q->bytes)
        return seq_len(q->start, ack) < p->len;
    return p->next == NULL && q->spare == NULL && p->room > 0 && buf_is_small(p->buf)
           && (const uint8_t *)p == (const uint8_t *)p->buf + BUF_SPACE;
}

static bool has_place(const struct tcp_conn *c, size_t len)
{
    const struct recvq *q = &c->work->recvq;
    const struct piece *p = q->pieces.tail != NULL ? q->pieces.tail : q->spare;

    return len == 0 || (p != NULL && p->room >= len);
}

/*
 * What the connection keeps for segments to come goes with its end, and of one that the application has
 * given up the short way does not note how long its last number took.
 */
static bool is_last(const struct tcp_conn *c, seq_t ack)
{
    return (c->is_orphan || c->state == TCP_LAST_ACK) && tcp_fin_sent(c) && seq_eq(ack, c->snd.nxt);
}

/* Of a sample only the short way makes no copy. */
static void expect_same_work(struct saved *a, struct saved *b, ns_t now)
{
    a->work.rate.newest = b->work.rate.newest;
    a->work.rate.newest_sent_at = b->work.rate.newest_sent_at;
    expect_same(a, b, now);
}

bool both_ways_check_input(struct tcp_conn *c, struct tcp_env *env, const struct express_seg *usual,
                           struct tcp_seg *seg)
{
    struct saved before, ends[2];
    struct around around, arounds[2];
    bool is_usual;

    if (c->work == NULL || trace_is_on(env->tracer) || is_last(c, usual->ack)
        || !keeps_records(c, usual->ack) || !keeps_pieces(c, usual->ack)
        || !has_place(c, usual->text.len))
        return false;
    save(&before, c);
    look_around(&around, c);
    for (int i = 0; i < 2; i++) {
        if (i == 0)
            is_usual = express_input(c, env, usual) || express_input_at_end(c, env, usual);
        else
            EXPECT(tcp_input_by_steps(c, env, seg) == WHY_NONE);
        save(&ends[i], c);
        arounds[i] = around;
        look_again(&arounds[i]);
        put_back(c, &before);
        put_back_around(&around);
        if (!is_usual)
            break;
    }
    if (is_usual)
        expect_same_work(&ends[0], &ends[1], env->now);
    else
        expect_same_work(&ends[0], &before, env->now);
    expect_same_around(&arounds[0], is_usual ? &arounds[1] : &around);
    return is_usual;
}

/* ---- opening ---- */

bool both_ways_check_answer(struct tcp_conn *c, struct tcp_env *env, const struct tcp_seg *seg)
{
    struct saved before, ends[2];
    bool is_usual;

    if (trace_is_on(env->tracer))
        return false;
    save(&before, c);
    is_usual = express_synack(c, env, seg);
    save(&ends[0], c);
    put_back(c, &before);
    ends[1] = before;
    if (is_usual) {
        struct tcp_seg again = *seg;

        EXPECT_EQ(tcp_input_by_steps(c, env, &again), WHY_NONE);
        EXPECT(!again.wants_reset);
        save(&ends[1], c);
        put_back(c, &before);
    }
    expect_same(&ends[0], &ends[1], env->now);
    return is_usual;
}

static void open_one_way(struct tcp_conn *c, struct tcp_env *env, const struct tcp_halfopen *h,
                         struct tcp_seg *ack, bool is_short)
{
    if (is_short) {
        EXPECT(tcp_open_acknowledged(c, env, h, c->user, ack));
        EXPECT_EQ(tcp_complete(c, env, ack), WHY_NONE);
    } else {
        EXPECT(tcp_open_passively(c, env, h, c->user));
        EXPECT_EQ(tcp_input_by_steps(c, env, ack), WHY_NONE);
    }
}

/* Pools give the same memory out again: what leads into the connection leads to the same places. */
void both_ways_check_open(const struct tcp_conn *c, struct tcp_env *env,
                          const struct tcp_halfopen *h, const struct tcp_seg *seg)
{
    struct tcp_counts before = env->counts, counts[2];
    struct saved ends[2];

    for (int i = 0; i < 2; i++) {
        struct tcp_seg ack = *seg;
        struct tcp_conn other;

        ack.len = 0;
        ack.text_count = 0;
        ack.flags &= (uint16_t)~TCP_FIN;
        tcp_conn_init_like(&other, c);
        open_one_way(&other, env, h, &ack, i == 0);
        save(&ends[i], &other);
        counts[i] = env->counts;
        env->counts = before;
        tcp_conn_fini(&other, env);
    }
    expect_same(&ends[0], &ends[1], env->now);
    EXPECT(memcmp(&counts[0], &counts[1], sizeof counts[0]) == 0);
}
