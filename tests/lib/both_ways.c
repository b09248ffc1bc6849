/*
 * both_ways.c - what a connection sends on the short way it would send on the long one
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
#include "tcp/output.h"
#include "tcp/scoreboard.h"
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
    if (x->flags & WEIR_FRAME_CSUM_PARTIAL) {
        EXPECT_EQ(x->csum_start, y->csum_start);
        EXPECT_EQ(x->csum_offset, y->csum_offset);
    }
    EXPECT_EQ(x->header_len, y->header_len);
    EXPECT_EQ(x->len, y->len);
    EXPECT_EQ(a->ecn, b->ecn);
}

/* The sum is a part of the work that only the short way has a use for. */
static void expect_same(struct saved *a, struct saved *b)
{
    a->work.pseudo_sum = b->work.pseudo_sum;
    EXPECT(memcmp(&a->conn, &b->conn, sizeof a->conn) == 0);
    EXPECT(memcmp(&a->work, &b->work, sizeof a->work) == 0);
}

/* One that is left to be made is made here, so that it can be compared. */
static struct frame *output(struct tcp_conn *c, struct tcp_env *env, bool is_short,
                            bool has_offload)
{
    struct tcp_turn turn;
    struct frame *frame =
        is_short ? express_output(c, env, has_offload) : tcp_output(c, env, 0, &turn);

    if (frame == NULL || is_short)
        return frame;
    EXPECT(!turn.is_resent && !turn.has_more);
    if (!has_offload)
        frame_finish_checksum(frame);
    return frame;
}

static void compare(struct tcp_conn *c, struct tcp_env *env, bool has_offload)
{
    struct sent *spare = c->work->scoreboard.spare, *last = last_sent(c);
    struct list *in_flight = &c->work->scoreboard.in_flight;
    struct saved before, ends[2];
    struct beside beside_before, beside[2];
    struct frame *frames[2] = {NULL, NULL};

    save(&before, c);
    save_beside(&beside_before, env, spare, last);
    for (int i = 0; i < 2; i++) {
        frames[i] = i == 1 && frames[0] == NULL ? NULL : output(c, env, i == 0, has_offload);
        save(&ends[i], c);
        save_beside(&beside[i], env, spare, last);
        put_back(c, &before);
        put_back_beside(&beside_before, env, spare, last);
        in_flight->prev->next = in_flight;
    }
    if (frames[0] != NULL) {
        EXPECT(frames[1] != NULL);
        expect_same_frame(frames[0], frames[1]);
        expect_same(&ends[0], &ends[1]);
        EXPECT(memcmp(&beside[0], &beside[1], sizeof beside[0]) == 0);
    }
    frame_put(env->frames, env->bufs, &frames[0]);
    frame_put(env->frames, env->bufs, &frames[1]);
}

void both_ways_check(struct tcp_conn *c, struct tcp_env *env)
{
    /* The record of what is sent comes from a pool otherwise, which is not put back. */
    if (c->work == NULL || trace_is_on(env->tracer) || !scoreboard_reserve(c, env))
        return;
    compare(c, env, false);
    compare(c, env, true);
}
