/*
 * test_posted.c - reads that are posted before there is anything to read
 */
#include "lib/test.h"
#include "lib/world.h"
#include "stack/stack.h"
#include <string.h>

enum {
    SEGMENTS = 8,
    TEXT = 1448,
    ROOM = 100000,
    IP4 = 20,
    UNTOUCHED = 0x5c,
};

static uint8_t room[ROOM];

static struct world_pair pair_in(struct world *w)
{
    memset(room, UNTOUCHED, sizeof room);
    return world_connect(w);
}

static void post(struct world *w, weir_conn_t conn, size_t len)
{
    EXPECT_EQ(weir_recv_post(world_stack(w, 1), conn, room, len), WEIR_OK);
}

/* What has come is what stack 0 sent next. */
static ptrdiff_t take(struct world *w, weir_conn_t conn)
{
    struct world_stack *me = &w->stacks[1];
    void *bytes;
    ptrdiff_t n = weir_recv_take(me->stack, conn, &bytes);

    EXPECT(bytes == room);
    for (ptrdiff_t i = 0; i < n; i++)
        if (room[i] != world_byte(0, me->read + (uint64_t)i))
            FAIL("wrong byte at %td", i);
    me->read += n > 0 ? (uint64_t)n : 0;
    return n;
}

static void expect_untouched(size_t from)
{
    for (size_t i = from; i < sizeof room; i++)
        if (room[i] != UNTOUCHED)
            FAIL("byte %zu was written", i);
}

TEST(a_posted_read_is_filled_in_part_or_in_full)
{
    static const struct world_setup setups[] = {
        {.mtu = 1500},
        {.is_v6 = true, .lends_frames = true},
        {.marks_valid = true},
        {.marks_valid = true, .lends_frames = true, .slice_bytes = 300},
        {.slice_bytes = 77},
        {.offloads = WEIR_OFFLOAD_CSUM | WEIR_OFFLOAD_TSO4, .slice_bytes = 5000},
        {.offloads = WEIR_OFFLOAD_CSUM | WEIR_OFFLOAD_TSO4, .lends_frames = true},
    };

    for (size_t i = 0; i < sizeof setups / sizeof setups[0]; i++) {
        struct world *w = world_make(&setups[i]);
        struct world_pair p = pair_in(w);
        post(w, p.b, 20000);
        world_sends(w, 0, p.a, 7000);
        world_settle(w);
        EXPECT(world_news(w, 1, p.b, NULL) & WEIR_EVENT_READABLE);
        EXPECT_EQ(take(w, p.b), 7000);
        post(w, p.b, 20000);
        world_sends(w, 0, p.a, 50000);
        world_settle(w);
        expect_untouched(20000);
        EXPECT_EQ(take(w, p.b), 20000);
        post(w, p.b, 20000); /* what came behind it */
        EXPECT_EQ(take(w, p.b), 20000);
        post(w, p.b, 20000);
        EXPECT_EQ(take(w, p.b), 10000);
        post(w, p.b, 20000);
        EXPECT_EQ(take(w, p.b), WEIR_EAGAIN);
        expect_untouched(20000);
    }
}

/* Nothing of that is in the stack's memory. */
TEST(what_is_posted_counts_as_not_read_and_costs_nothing)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = pair_in(w);
    struct weir_tcp_queued queued;
    struct weir_tcp_info info;
    uint8_t seen[3000];

    post(w, p.b, ROOM);
    world_sends(w, 0, p.a, 10000);
    world_settle(w);
    EXPECT_EQ(weir_tcp_queued(world_stack(w, 1), p.b, &queued), WEIR_OK);
    EXPECT_EQ(queued.recv_bytes, 10000);
    EXPECT_EQ(weir_tcp_info(world_stack(w, 1), p.b, &info), WEIR_OK);
    EXPECT_EQ(info.recv_queued, 10000);
    EXPECT_EQ(handle_conn(world_stack(w, 1), p.b)->tcp.work->recvq.memory, 0);
    EXPECT_EQ(weir_peek(world_stack(w, 1), p.b, 9000, seen, sizeof seen), 1000);
    EXPECT_EQ(seen[999], world_byte(0, 9999));
    EXPECT_EQ(take(w, p.b), 10000);
}

TEST(what_had_come_before_is_copied_and_what_comes_later_follows_it)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = pair_in(w);
    uint8_t seen[200];

    world_sends(w, 0, p.a, 5000);
    world_settle(w);
    post(w, p.b, 7000);
    world_sends(w, 0, p.a, 1500);
    world_settle(w);
    world_sends(w, 0, p.a, 5000);
    world_settle(w);
    EXPECT_EQ(weir_peek(world_stack(w, 1), p.b, 6900, seen, 200),
              200); /* on both sides of its end */
    for (size_t i = 0; i < 200; i++)
        EXPECT_EQ(seen[i], world_byte(0, 6900 + i));
    expect_untouched(7000);
    EXPECT_EQ(take(w, p.b), 7000);
    EXPECT_EQ(world_reads(w, 1, p.b), WEIR_EAGAIN);
    EXPECT_EQ(w->stacks[1].read, 11500);
}

TEST(what_comes_out_of_order_is_put_in_order)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = pair_in(w);

    post(w, p.b, ROOM);
    world_drops(w, (struct world_drop){.from = 0, .text_min = 1, .nth = 3, .count = 2});
    w->conditions.delay_ns = 10 * WEIR_MS;
    world_sends(w, 0, p.a, 14000);
    world_run(w, 15 * WEIR_MS);
    EXPECT(handle_conn(world_stack(w, 1), p.b)->tcp.work->reasm != NULL);
    world_run(w, 5 * WEIR_S);
    world_sends(w, 0, p.a, 9000); /* behind what lies in the queue */
    world_run(w, WEIR_S);
    EXPECT_EQ(take(w, p.b), 23000);
    expect_untouched(23000);
}

TEST(the_end_of_the_stream_is_read_after_what_is_posted)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = pair_in(w);

    post(w, p.b, ROOM);
    world_sends(w, 0, p.a, 3000);
    EXPECT_EQ(weir_shutdown(world_stack(w, 0), p.a), WEIR_OK);
    world_settle(w);
    EXPECT(world_news(w, 1, p.b, NULL) & WEIR_EVENT_PEER_CLOSED);
    EXPECT_EQ(take(w, p.b), 3000);
    post(w, p.b, ROOM);
    EXPECT_EQ(take(w, p.b), 0);
}

TEST(a_reset_leaves_what_came_before_to_be_taken)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = pair_in(w);

    post(w, p.b, ROOM);
    world_sends(w, 0, p.a, 3000);
    world_settle(w);
    EXPECT_EQ(weir_abort(world_stack(w, 0), p.a), WEIR_OK);
    world_settle(w);
    EXPECT_EQ(take(w, p.b), 3000);
    post(w, p.b, ROOM);
    EXPECT_EQ(take(w, p.b), WEIR_ECONNRESET);
    EXPECT_EQ(weir_close(world_stack(w, 1), p.b), WEIR_OK);
}

TEST(a_connection_that_is_given_up_writes_nowhere)
{
    for (int aborts = 0; aborts < 2; aborts++) {
        struct world *w = world_make(&(struct world_setup){0});
        struct world_pair p = pair_in(w);
        struct weir *s = world_stack(w, 1);
        void *bytes = room;
        post(w, p.b, ROOM);
        EXPECT_EQ(aborts ? weir_abort(s, p.b) : weir_close(s, p.b), WEIR_OK);
        EXPECT_EQ(weir_recv_take(s, p.b, &bytes), WEIR_ESTALE);
        EXPECT(bytes == NULL);
        world_sends(w, 0, p.a, 20000);
        world_run(w, WEIR_S);
        expect_untouched(0);
    }
}

TEST(what_is_posted_and_not_taken_is_not_read) /* [RFC9293 SHLD-3] */
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = pair_in(w);
    int error;

    post(w, p.b, ROOM);
    world_sends(w, 0, p.a, 1000);
    world_settle(w);
    EXPECT_EQ(weir_close(world_stack(w, 1), p.b), WEIR_OK);
    world_settle(w);
    EXPECT(world_news(w, 0, p.a, &error) & WEIR_EVENT_CLOSED);
    EXPECT_EQ(error, WEIR_ECONNRESET);
}

TEST(a_posted_read_is_the_only_one)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = pair_in(w);
    struct weir *s = world_stack(w, 1);
    struct weir_slice slice;
    uint8_t byte;
    size_t count;

    EXPECT_EQ(weir_recv_take(s, p.b, NULL), WEIR_ESTATE);
    EXPECT_EQ(weir_recv_post(s, p.b, NULL, 1), WEIR_EINVAL);
    EXPECT_EQ(weir_recv_post(s, p.b, room, 0), WEIR_EINVAL);
    EXPECT_EQ(weir_recv_post(s, p.b, room, ((size_t)1 << 30) + 1), WEIR_EINVAL);
    EXPECT_EQ(weir_recv_post(s, p.listener, room, 1), WEIR_ESTALE);
    EXPECT_EQ(weir_recv_take(s, p.listener, NULL), WEIR_ESTALE);
    post(w, p.b, ROOM);
    EXPECT_EQ(weir_recv_post(s, p.b, room, ROOM), WEIR_ESTATE);
    world_sends(w, 0, p.a, 1000);
    world_settle(w);
    EXPECT_EQ(weir_recv(s, p.b, &byte, 1), WEIR_ESTATE);
    EXPECT_EQ(weir_recv_lent(s, p.b, &slice, 1, &count), WEIR_ESTATE);
    EXPECT_EQ(weir_recv_done(s, p.b, 1), WEIR_ESTATE);
    EXPECT_EQ(take(w, p.b), 1000);
    world_sends(w, 0, p.a, 1000);
    world_settle(w);
    EXPECT_EQ(world_reads(w, 1, p.b), WEIR_EAGAIN);
    EXPECT_EQ(w->stacks[1].read, 2000);
}

/* Also before the handshake, whose SYN-ACK may be lost. */
TEST(a_read_is_posted_before_anybody_is_there)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct weir_endpoint to = world_endpoint(w, 0, WORLD_PORT);
    weir_listener_t listener = world_listen(w, 0, WORLD_PORT, 1);
    weir_conn_t a, b;

    memset(room, UNTOUCHED, sizeof room);
    EXPECT_EQ(weir_connect(world_stack(w, 1), NULL, &to, &b), WEIR_OK);
    post(w, b, ROOM);
    world_settle(w);
    EXPECT_EQ(weir_accept(world_stack(w, 0), listener, &a), WEIR_OK);
    world_sends(w, 0, a, 5000);
    world_settle(w);
    EXPECT_EQ(take(w, b), 5000);
}

TEST(a_connection_rests_when_nothing_is_posted_any_more)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = pair_in(w);
    const struct conn *c = handle_conn(world_stack(w, 1), p.b);

    post(w, p.b, ROOM);
    world_run(w, 600 * WEIR_S);
    EXPECT(c->tcp.work != NULL);
    EXPECT_EQ(take(w, p.b), WEIR_EAGAIN);
    world_run(w, 600 * WEIR_S);
    EXPECT(c->tcp.work == NULL);
    post(w, p.b, ROOM);
    world_sends(w, 0, p.a, 5000);
    world_settle(w);
    EXPECT_EQ(take(w, p.b), 5000);
}

/* A peer that has gone is found out also by who waits for what it says. */
TEST(a_posted_read_keeps_no_connection_from_its_keepalives) /* [RFC9293 3.8.4] */
{
    for (int is_posted = 0; is_posted < 2; is_posted++) {
        struct world *w = world_make(&(struct world_setup){0});
        struct world_pair p = pair_in(w);
        struct weir *s = world_stack(w, 1);

        EXPECT_EQ(weir_set(s, p.b, WEIR_OPT_KEEPALIVE, 1), WEIR_OK);
        EXPECT_EQ(weir_set(s, p.b, WEIR_OPT_KEEPALIVE_IDLE, 60 * WEIR_S), WEIR_OK);
        EXPECT_EQ(weir_set(s, p.b, WEIR_OPT_KEEPALIVE_INTERVAL, 5 * WEIR_S), WEIR_OK);
        EXPECT_EQ(weir_set(s, p.b, WEIR_OPT_KEEPALIVE_PROBES, 2), WEIR_OK);
        world_run(w, 30 * WEIR_S);
        EXPECT(handle_conn(s, p.b)->tcp.work == NULL);
        if (is_posted)
            post(w, p.b, ROOM);
        else
            world_sends(w, 0, p.a, 100); /* which nobody reads */
        world_settle(w);
        EXPECT(handle_conn(s, p.b)->tcp.work != NULL);
        w->is_cut = true;
        world_run(w, 300 * WEIR_S);
        EXPECT_EQ(world_state(w, 1, p.b), WEIR_TCP_CLOSED);
    }
}

/* ---- frames that come together ---- */

struct burst {
    struct world *w;
    struct world_pair p;
    struct weir_frame *sent[SEGMENTS];
    struct weir_frame frames[SEGMENTS];
};

static struct burst burst_of(struct world *w, struct world_pair p)
{
    struct burst b = {.w = w, .p = p};
    uint8_t text[SEGMENTS * TEXT];

    for (size_t i = 0; i < sizeof text; i++)
        text[i] = world_byte(0, w->stacks[0].sent + i);
    EXPECT_EQ(weir_send(world_stack(w, 0), p.a, text, sizeof text, 0), sizeof text);
    w->stacks[0].sent += sizeof text;
    EXPECT_EQ(weir_output(world_stack(w, 0), w->stacks[0].netif, b.sent, SEGMENTS), SEGMENTS);
    for (size_t i = 0; i < SEGMENTS; i++) {
        b.frames[i] = *b.sent[i];
        b.frames[i].release = NULL;
    }
    return b;
}

static void burst_comes(struct burst *b, size_t from, size_t count)
{
    weir_input(world_stack(b->w, 1), b->w->stacks[1].netif, &b->frames[from], count);
}

static uint32_t queued(const struct burst *b)
{
    struct weir_tcp_queued q;

    EXPECT_EQ(weir_tcp_queued(world_stack(b->w, 1), b->p.b, &q), WEIR_OK);
    return q.recv_bytes;
}

TEST(neighbours_go_straight_to_where_they_are_wanted)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = pair_in(w);
    struct burst b;

    post(w, p.b, ROOM);
    b = burst_of(w, p);
    burst_comes(&b, 0, SEGMENTS);
    EXPECT_EQ(queued(&b), SEGMENTS * TEXT);
    EXPECT_EQ(handle_conn(world_stack(w, 1), p.b)->tcp.work->recvq.memory, 0);
    for (size_t i = 0; i < SEGMENTS * TEXT; i++)
        if (room[i] != world_byte(0, i))
            FAIL("wrong byte at %zu", i);
    expect_untouched(SEGMENTS * TEXT);
    EXPECT_EQ(take(w, p.b), SEGMENTS * TEXT);
    weir_output_done(world_stack(w, 0), b.sent, SEGMENTS);
    world_run(w, WEIR_S);
}

/* The end of what is posted lies within a segment, which is divided. */
TEST(neighbours_go_beyond_what_is_posted)
{
    static const size_t sizes[] = {1,        TEXT - 1,     TEXT,         TEXT + 1,
                                   3 * TEXT, 3 * TEXT + 7, 8 * TEXT - 1, 8 * TEXT};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct world *w = world_make(&(struct world_setup){0});
        struct world_pair p = pair_in(w);
        struct burst b;
        post(w, p.b, sizes[i]);
        b = burst_of(w, p);
        burst_comes(&b, 0, SEGMENTS);
        EXPECT_EQ(queued(&b), SEGMENTS * TEXT);
        expect_untouched(sizes[i]);
        EXPECT_EQ(take(w, p.b), sizes[i]);
        EXPECT_EQ(world_reads(w, 1, p.b), WEIR_EAGAIN);
        EXPECT_EQ(w->stacks[1].read, SEGMENTS * TEXT);
        weir_output_done(world_stack(w, 0), b.sent, SEGMENTS);
        world_run(w, WEIR_S);
    }
}

TEST(damaged_text_is_not_promised)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = pair_in(w);
    struct burst b;

    post(w, p.b, ROOM);
    b = burst_of(w, p);
    b.frames[4].slices[1].bytes[100] ^= 1;
    burst_comes(&b, 0, SEGMENTS);
    EXPECT_EQ(world_dropped(w, 1, "tcp_checksum"), 1);
    EXPECT_EQ(queued(&b), 4 * TEXT);
    b.frames[4].slices[1].bytes[100] ^= 1; /* the byte is the sender's own, who sends it again */
    weir_output_done(world_stack(w, 0), b.sent, SEGMENTS);
    world_run(w, 5 * WEIR_S);
    EXPECT_EQ(take(w, p.b), SEGMENTS * TEXT);
}

/* What was put there already is overwritten by what comes next. */
TEST(segments_that_are_refused_are_not_promised)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = pair_in(w);
    struct burst b;

    post(w, p.b, ROOM);
    b = burst_of(w, p);
    handle_conn(world_stack(w, 1), p.b)->tcp.ts.recent += 1000; /* now they are old */
    burst_comes(&b, 0, SEGMENTS);
    EXPECT_EQ(world_dropped(w, 1, "tcp_paws"), 1);
    EXPECT_EQ(queued(&b), 0);
    handle_conn(world_stack(w, 1), p.b)->tcp.ts.recent -= 1000;
    burst_comes(&b, 0, SEGMENTS);
    EXPECT_EQ(take(w, p.b), SEGMENTS * TEXT);
    weir_output_done(world_stack(w, 0), b.sent, SEGMENTS);
    world_run(w, WEIR_S);
}

TEST(neighbours_beyond_the_window_are_not_promised)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = pair_in(w);
    struct tcp_conn *c = &handle_conn(world_stack(w, 1), p.b)->tcp;
    struct burst b;

    post(w, p.b, ROOM);
    b = burst_of(w, p);
    c->rcv.wnd = seq_len(c->rcv.acked, c->rcv.nxt) + 3 * TEXT + 5;
    burst_comes(&b, 0, SEGMENTS);
    EXPECT_EQ(queued(&b), 3 * TEXT + 5);
    EXPECT_EQ(take(w, p.b), 3 * TEXT + 5);
    post(w, p.b, ROOM);
    weir_output_done(world_stack(w, 0), b.sent, SEGMENTS);
    world_run(w, 5 * WEIR_S);
    EXPECT_EQ(take(w, p.b), SEGMENTS * TEXT - (3 * TEXT + 5));
}

/* The later half first: it waits for the first one, which then finds no place before it. */
TEST(neighbours_out_of_order_find_no_place)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = pair_in(w);
    struct burst b;

    post(w, p.b, ROOM);
    b = burst_of(w, p);
    burst_comes(&b, 4, 4);
    expect_untouched(0);
    burst_comes(&b, 0, 4);
    EXPECT_EQ(queued(&b), SEGMENTS * TEXT);
    burst_comes(&b, 2, 4); /* old */
    EXPECT_EQ(take(w, p.b), SEGMENTS * TEXT);
    weir_output_done(world_stack(w, 0), b.sent, SEGMENTS);
    world_run(w, WEIR_S);
}
