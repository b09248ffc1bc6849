/*
 * both_ways.c - what a connection sends on the short way it would send on the long one
 *
 * The connection stays where it is, since lists lead to it: its two structs are saved and put back.
 */
#include "lib/both_ways.h"
#include "base/frame.h"
#include "lib/test.h"
#include "tcp/conn.h"
#include "tcp/env.h"
#include "tcp/options.h"
#include "tcp/output.h"
#include "tcp/segment.h"
#include "tcp/sendq.h"
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

/* The sum is a part of the work that only the short way has a use for. */
static void expect_same(struct tcp_conn *c, struct saved *other)
{
    c->work->pseudo_sum = other->work.pseudo_sum;
    EXPECT(memcmp(c, &other->conn, sizeof *c) == 0);
    EXPECT(memcmp(c->work, &other->work, sizeof *c->work) == 0);
}

static void expect_same_segment(const struct segment *a, const struct segment *b)
{
    EXPECT_EQ(a->seq.raw, b->seq.raw);
    EXPECT_EQ(a->len, b->len);
    EXPECT_EQ(a->flags, b->flags);
    EXPECT_EQ(a->is_resent, b->is_resent);
    EXPECT_EQ(a->is_tail_probe, b->is_tail_probe);
    EXPECT_EQ(a->is_mtu_probe, b->is_mtu_probe);
    EXPECT_EQ(a->is_past, b->is_past);
}

static void expect_same_frame(const struct frame *a, const struct frame *b)
{
    const struct weir_frame *x = &a->wire, *y = &b->wire;

    EXPECT_EQ(x->slices[0].len, y->slices[0].len);
    EXPECT(memcmp(x->slices[0].bytes, y->slices[0].bytes, x->slices[0].len) == 0);
    EXPECT_EQ(x->flags, y->flags);
    EXPECT_EQ(x->csum_start, y->csum_start);
    EXPECT_EQ(x->csum_offset, y->csum_offset);
    EXPECT_EQ(x->header_len, y->header_len);
    EXPECT_EQ(x->len, y->len);
    EXPECT_EQ(a->ecn, b->ecn);
}

/* Returns whether there is a segment, which is in *s then. */
static bool decide(struct tcp_conn *c, struct tcp_env *env, uint32_t gso_bytes, struct segment *s)
{
    uint32_t mss = tcp_send_mss_now(c, env),
             most = gso_bytes > mss && c->auth == 0 ? gso_bytes : mss;
    struct saved before, after;
    struct segment plain;
    bool is_plain, is_there;

    save(&before, c);
    is_plain = tcp_decide_plain(c, env, mss, &plain);
    save(&after, c);
    put_back(c, &before);
    is_there = tcp_decide(c, env, mss, most, s);
    if (is_plain) {
        EXPECT(is_there);
        expect_same_segment(&plain, s);
        expect_same(c, &after);
    }
    put_back(c, &before);
    return is_there;
}

static void build(struct tcp_conn *c, struct tcp_env *env, const struct segment *s)
{
    struct frame *plain = frame_get(env->frames), *full = frame_get(env->frames);
    uint32_t mss = tcp_send_mss_now(c, env);
    struct saved before, after;

    EXPECT(plain != NULL && full != NULL);
    sendq_refer(c, s->seq, s->len, plain);
    sendq_refer(c, s->seq, s->len, full);
    save(&before, c);
    segment_push_plain(c, env, s, plain);
    save(&after, c);
    put_back(c, &before);
    segment_push_full(c, env, s, mss, full);
    expect_same_frame(plain, full);
    expect_same(c, &after);
    put_back(c, &before);
    frame_put(env->frames, env->bufs, &plain);
    frame_put(env->frames, env->bufs, &full);
}

void both_ways_check(struct tcp_conn *c, struct tcp_env *env, uint32_t gso_bytes)
{
    struct segment s;

    if (c->work == NULL || !decide(c, env, gso_bytes, &s) || !segment_is_plain(c, &s))
        return;
    if (s.len == 0 || sendq_reach(c, s.seq, s.len) == s.len)
        build(c, env, &s);
}
