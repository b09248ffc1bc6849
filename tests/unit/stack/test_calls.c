/*
 * test_calls.c - SEND, RECEIVE, CLOSE, ABORT, STATUS and options, call by call
 */
#include "lib/test.h"
#include "lib/world.h"
#include "wire/ip4.h"
#include "wire/tcp.h"
#include <string.h>

static void count_release(void *owner)
{
    int *released = owner;

    (*released)++;
}

TEST(send_takes_what_there_is_room_for)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);
    struct weir *s = world_stack(w, 0);
    static uint8_t bytes[300000];

    EXPECT_EQ(weir_send(s, p.a, bytes, 0, 0), 0);
    EXPECT_EQ(weir_send(s, p.a, NULL, 0, 0), 0);
    EXPECT_EQ(weir_set(s, p.a, WEIR_OPT_SEND_BUFFER, 1000), WEIR_OK);
    EXPECT_EQ(weir_send(s, p.a, bytes, 600, 0), 600);
    EXPECT_EQ(weir_send(s, p.a, bytes, 600, 0), 400);
    EXPECT_EQ(weir_send(s, p.a, bytes, 600, 0), WEIR_EAGAIN);
    EXPECT_EQ(weir_send(s, p.a, bytes, 0, 0), 0);
    world_settle(w);
    EXPECT_EQ(weir_send(s, p.a, bytes, sizeof bytes, 0), 1000);
}

TEST(send_lent_takes_all_or_nothing_and_releases_once)
{
    static uint8_t bytes[200000];
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);
    struct weir *s = world_stack(w, 0);
    struct weir_slice slice = {bytes, sizeof bytes};
    int released = 0;

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = world_byte(0, i);
    EXPECT_EQ(weir_send_lent(s, p.a, slice, 0, NULL, NULL), WEIR_EINVAL);
    EXPECT_EQ(weir_send_lent(s, p.a, (struct weir_slice){bytes, 0}, 0, count_release, &released),
              WEIR_EINVAL);
    EXPECT_EQ(weir_send_lent(s, p.a, (struct weir_slice){bytes, ((size_t)1 << 30) + 1}, 0,
                             count_release, &released),
              WEIR_EINVAL);
    EXPECT_EQ(weir_set(s, p.a, WEIR_OPT_SEND_BUFFER, 1000), WEIR_OK);
    EXPECT_EQ(weir_send_lent(s, p.a, slice, 0, count_release, &released), sizeof bytes);
    EXPECT_EQ(weir_send_lent(s, p.a, slice, 0, count_release, &released), WEIR_EAGAIN);
    EXPECT_EQ(released, 0);
    w->stacks[0].sent = sizeof bytes;
    for (int i = 0; i < 100; i++) {
        world_run(w, 10 * WEIR_MS);
        EXPECT_EQ(world_reads(w, 1, p.b), WEIR_EAGAIN);
    }
    EXPECT_EQ(w->stacks[1].read, sizeof bytes);
    EXPECT_EQ(released, 1);

    /* A connection that ends gives back what it did not send. */
    w->is_cut = true;
    EXPECT_EQ(weir_send_lent(s, p.a, slice, 0, count_release, &released), sizeof bytes);
    world_settle(w);
    EXPECT_EQ(released, 1);
    EXPECT_EQ(weir_abort(s, p.a), WEIR_OK);
    world_settle(w);
    EXPECT_EQ(released, 2);
    EXPECT_EQ(weir_send_lent(s, p.a, slice, 0, count_release, &released), WEIR_ESTALE);
}

TEST(send_more_waits_for_what_follows)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);
    struct weir *s = world_stack(w, 0);

    world_settle(w);
    world_forgets(w);
    EXPECT_EQ(weir_send(s, p.a, "a", 1, WEIR_SEND_MORE), 1);
    world_settle(w);
    EXPECT_EQ(w->log_count, 0);
    EXPECT_EQ(weir_send(s, p.a, "b", 1, 0), 1);
    world_pump(w);
    EXPECT_EQ(world_nth(w, 0, 0, 0, 0)->view.text_len, 2);

    /* But not for ever [RFC9293 MUST-60]. */
    world_settle(w);
    world_forgets(w);
    EXPECT_EQ(weir_send(s, p.a, "c", 1, WEIR_SEND_MORE), 1);
    world_run(w, WEIR_S);
    EXPECT_EQ(world_count(w, 0, TCP_PSH, TCP_PSH), 1);
}

TEST(recv_takes_as_much_as_asked_for)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);
    struct weir *s = world_stack(w, 1);
    uint8_t bytes[100];

    EXPECT_EQ(weir_recv(s, p.b, bytes, 100), WEIR_EAGAIN);
    EXPECT_EQ(weir_send(world_stack(w, 0), p.a, "abcdefghij", 10, 0), 10);
    world_settle(w);
    EXPECT_EQ(weir_recv(s, p.b, bytes, 4), 4);
    EXPECT_MEM(bytes, "abcd", 4);
    EXPECT_EQ(weir_recv(s, p.b, bytes, 100), 6);
    EXPECT_MEM(bytes, "efghij", 6);
    EXPECT_EQ(weir_recv(s, p.b, bytes, 100), WEIR_EAGAIN);
    EXPECT_EQ(weir_shutdown(world_stack(w, 0), p.a), WEIR_OK);
    world_settle(w);
    EXPECT_EQ(weir_recv(s, p.b, bytes, 100), 0);
    EXPECT_EQ(weir_recv(s, p.b, bytes, 100), 0);
}

TEST(recv_lent_shows_bytes_until_they_are_consumed)
{
    for (int lends = 0; lends < 2; lends++) {
        struct world *w = world_make(&(struct world_setup){.lends_frames = lends});
        struct world_pair p = world_connect(w);
        struct weir *s = world_stack(w, 1);
        struct weir_slice slices[8];
        uint64_t at = 0;
        size_t count;
        ptrdiff_t shown;
        EXPECT_EQ(weir_recv_lent(s, p.b, slices, 8, &count), WEIR_EAGAIN);
        EXPECT_EQ(count, 0);
        EXPECT_EQ(weir_recv_done(s, p.b, 1), WEIR_EINVAL);
        EXPECT_EQ(weir_recv_done(s, p.b, 0), WEIR_OK);
        world_sends(w, 0, p.a, 20000);
        world_settle(w);
        while ((shown = weir_recv_lent(s, p.b, slices, 1 + at % 8, &count)) > 0) {
            size_t sum = 0;
            EXPECT(count >= 1 && count <= 1 + at % 8);
            for (size_t i = 0; i < count; i++)
                for (size_t k = 0; k < slices[i].len; k++, sum++)
                    EXPECT_EQ(slices[i].bytes[k], world_byte(0, at + sum));
            EXPECT_EQ(sum, shown);
            EXPECT_EQ(weir_recv_done(s, p.b, (size_t)shown + 20001), WEIR_EINVAL);
            EXPECT_EQ(weir_recv_done(s, p.b, (size_t)(shown + 1) / 2), WEIR_OK);
            at += (uint64_t)(shown + 1) / 2;
        }
        EXPECT_EQ(shown, WEIR_EAGAIN);
        EXPECT_EQ(at, 20000);
        EXPECT_EQ(w->frames_out, 0);
    }
}

TEST(urgent_data_is_told_and_counted) /* [RFC9293 MUST-30 to MUST-33, MUST-62] */
{
    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct world *w = world_make(&(struct world_setup){.is_v6 = is_v6});
        struct world_pair p = world_connect(w);
        uint8_t bytes[100];
        EXPECT_EQ(weir_urgent(world_stack(w, 1), p.b), 0);
        EXPECT_EQ(weir_send(world_stack(w, 0), p.a, "before", 6, 0), 6);
        EXPECT_EQ(weir_send(world_stack(w, 0), p.a, "now", 3, WEIR_SEND_URGENT), 3);
        EXPECT_EQ(weir_send(world_stack(w, 0), p.a, "after", 5, 0), 5);
        world_settle(w);
        EXPECT(world_news(w, 1, p.b, NULL) & WEIR_EVENT_URGENT);
        EXPECT(world_count(w, 0, TCP_URG, TCP_URG) > 0);
        EXPECT_EQ(weir_urgent(world_stack(w, 1), p.b), 9);
        EXPECT_EQ(weir_recv(world_stack(w, 1), p.b, bytes, 4), 4);
        EXPECT_EQ(weir_urgent(world_stack(w, 1), p.b), 5);
        EXPECT_EQ(weir_recv(world_stack(w, 1), p.b, bytes, 5), 5);
        EXPECT_EQ(weir_urgent(world_stack(w, 1), p.b), 0);
        EXPECT_EQ(weir_recv(world_stack(w, 1), p.b, bytes, 100), 5);
    }
}

TEST(shutdown_of_one_side_leaves_the_other_open)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);
    int error;

    EXPECT_EQ(weir_shutdown(world_stack(w, 0), p.a), WEIR_OK);
    EXPECT_EQ(weir_shutdown(world_stack(w, 0), p.a), WEIR_OK);
    EXPECT_EQ(weir_send(world_stack(w, 0), p.a, "x", 1, 0), WEIR_EPIPE);
    world_settle(w);
    EXPECT_EQ(world_news(w, 1, p.b, NULL), WEIR_EVENT_READABLE | WEIR_EVENT_PEER_CLOSED);
    for (int i = 0; i < 5; i++) {
        world_sends(w, 1, p.b, 30000);
        world_run(w, 20 * WEIR_S);
        EXPECT_EQ(world_reads(w, 0, p.a), WEIR_EAGAIN);
    }
    EXPECT_EQ(w->stacks[0].read, 150000);
    EXPECT_EQ(weir_shutdown(world_stack(w, 1), p.b), WEIR_OK);
    world_settle(w);
    EXPECT_EQ(world_reads(w, 0, p.a), 0);
    EXPECT(world_news(w, 1, p.b, &error) & WEIR_EVENT_CLOSED);
    EXPECT_EQ(error, 0);
    EXPECT_EQ(weir_shutdown(world_stack(w, 1), p.b), WEIR_OK);
}

TEST(both_sides_close_at_once)
{
    struct world *w = world_make(&(struct world_setup){.conditions = {.delay_ns = 10 * WEIR_MS}});
    struct world_pair p = world_connect(w);

    EXPECT_EQ(weir_shutdown(world_stack(w, 0), p.a), WEIR_OK);
    EXPECT_EQ(weir_shutdown(world_stack(w, 1), p.b), WEIR_OK);
    world_run(w, 15 * WEIR_MS);
    EXPECT_EQ(world_state(w, 0, p.a), WEIR_TCP_CLOSING);
    EXPECT_EQ(world_state(w, 1, p.b), WEIR_TCP_CLOSING);
    world_run(w, 15 * WEIR_MS);
    EXPECT_EQ(world_state(w, 0, p.a), WEIR_TCP_TIME_WAIT);
    EXPECT_EQ(world_state(w, 1, p.b), WEIR_TCP_TIME_WAIT);
    EXPECT_EQ(world_stats(w, 0).timewaits, 1);
    EXPECT_EQ(world_stats(w, 1).timewaits, 1);
    EXPECT(world_news(w, 0, p.a, NULL) & WEIR_EVENT_CLOSED);
}

TEST(close_sends_what_is_queued_and_ends_in_the_background)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);

    world_sends(w, 0, p.a, 200000);
    EXPECT_EQ(weir_close(world_stack(w, 0), p.a), WEIR_OK);
    for (int i = 0; i < 50; i++) {
        world_run(w, 100 * WEIR_MS);
        ptrdiff_t n = world_reads(w, 1, p.b);
        EXPECT(n == WEIR_EAGAIN || n == 0);
    }
    EXPECT_EQ(world_reads(w, 1, p.b), 0);
    EXPECT_EQ(w->stacks[1].read, 200000);
}

TEST(close_resets_when_data_is_lost_by_it) /* [RFC9293 SHLD-3] */
{
    static const struct {
        bool unread, late, linger, resets;
    } cases[] = {
        {false, false, false, false},
        {true, false, false, true}, /* it was there, and nobody will read it */
        {false, true, false, true}, /* it comes when nobody can read it */
        {false, false, true, true},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world *w = world_make(&(struct world_setup){0});
        struct world_pair p = world_connect(w);
        int error;
        if (cases[i].unread)
            world_sends(w, 1, p.b, 10);
        world_settle(w);
        if (cases[i].linger)
            EXPECT_EQ(weir_set(world_stack(w, 0), p.a, WEIR_OPT_LINGER, 1), WEIR_OK);
        world_news(w, 1, p.b, NULL);
        EXPECT_EQ(weir_close(world_stack(w, 0), p.a), WEIR_OK);
        world_settle(w);
        if (cases[i].late)
            world_sends(w, 1, p.b, 10);
        world_settle(w);
        EXPECT_EQ((world_news(w, 1, p.b, &error) & WEIR_EVENT_CLOSED) != 0, cases[i].resets);
        EXPECT_EQ(error, cases[i].resets ? WEIR_ECONNRESET : 0);
        EXPECT_EQ(world_stats(w, 0).connections, !cases[i].resets);
    }
}

TEST(abort_resets_the_peer_in_every_state)
{
    static const struct {
        enum weir_tcp_state state;
        bool resets;
    } cases[] = {
        {WEIR_TCP_SYN_SENT, false},  {WEIR_TCP_ESTABLISHED, true}, {WEIR_TCP_FIN_WAIT_2, true},
        {WEIR_TCP_CLOSE_WAIT, true}, {WEIR_TCP_TIME_WAIT, false},  {WEIR_TCP_CLOSED, false},
        {WEIR_TCP_FIN_WAIT_1, true},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world *w = world_make(&(struct world_setup){0});
        enum weir_tcp_state state = cases[i].state;
        struct weir_endpoint to = world_endpoint(w, 1, 81);
        struct world_pair p = {0};
        if (state == WEIR_TCP_SYN_SENT || state == WEIR_TCP_CLOSED) {
            EXPECT_EQ(weir_connect(world_stack(w, 0), NULL, &to, &p.a), WEIR_OK);
            if (state == WEIR_TCP_CLOSED)
                world_settle(w);
        } else {
            p = world_connect(w);
        }
        if (state == WEIR_TCP_CLOSE_WAIT)
            EXPECT_EQ(weir_shutdown(world_stack(w, 1), p.b), WEIR_OK);
        w->is_cut = state == WEIR_TCP_FIN_WAIT_1;
        if (state >= WEIR_TCP_FIN_WAIT_1 && state != WEIR_TCP_CLOSE_WAIT)
            EXPECT_EQ(weir_shutdown(world_stack(w, 0), p.a), WEIR_OK);
        if (state != WEIR_TCP_SYN_SENT)
            world_settle(w);
        if (state == WEIR_TCP_TIME_WAIT) {
            EXPECT_EQ(weir_shutdown(world_stack(w, 1), p.b), WEIR_OK);
            world_settle(w);
        }
        EXPECT_EQ(world_state(w, 0, p.a), state);
        world_forgets(w);
        EXPECT_EQ(weir_abort(world_stack(w, 0), p.a), WEIR_OK);
        EXPECT_EQ(weir_abort(world_stack(w, 0), p.a), WEIR_ESTALE);
        world_settle(w);
        EXPECT_EQ(world_count(w, 0, TCP_RST, TCP_RST), cases[i].resets);
        EXPECT_EQ(world_stats(w, 0).connections, 0);
    }
}

TEST(a_reset_is_told_after_the_bytes_that_came_before_it)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);
    int error;

    world_sends(w, 0, p.a, 3000);
    world_settle(w);
    EXPECT_EQ(weir_abort(world_stack(w, 0), p.a), WEIR_OK);
    world_settle(w);
    EXPECT(world_news(w, 1, p.b, &error) & WEIR_EVENT_CLOSED);
    EXPECT_EQ(error, WEIR_ECONNRESET);
    EXPECT_EQ(world_reads(w, 1, p.b), WEIR_ECONNRESET);
    EXPECT_EQ(w->stacks[1].read, 3000);
    EXPECT_EQ(weir_send(world_stack(w, 1), p.b, "x", 1, 0), WEIR_ECONNRESET);
    EXPECT_EQ(weir_shutdown(world_stack(w, 1), p.b), WEIR_ENOTCONN);
}

TEST(info_tells_what_has_happened)
{
    struct world *w = world_make(&(struct world_setup){.conditions = {.delay_ns = 5 * WEIR_MS}});
    struct world_pair p = world_connect(w);
    struct weir_tcp_info a, b;

    world_sends(w, 0, p.a, 100000);
    EXPECT_EQ(weir_tcp_info(world_stack(w, 0), p.a, &a), WEIR_OK);
    EXPECT_EQ(a.send_queued, 100000);
    world_run(w, WEIR_S);
    EXPECT_EQ(weir_tcp_info(world_stack(w, 0), p.a, &a), WEIR_OK);
    EXPECT_EQ(weir_tcp_info(world_stack(w, 1), p.b, &b), WEIR_OK);
    EXPECT_EQ(a.state, WEIR_TCP_ESTABLISHED);
    EXPECT_EQ(a.error, 0);
    EXPECT(a.iss == b.irs && a.irs == b.iss);
    EXPECT(a.snd_nxt == b.rcv_nxt && a.rcv_nxt == b.snd_nxt && a.snd_una == a.snd_nxt);
    EXPECT_EQ(a.snd_nxt - a.iss, 100001);
    EXPECT_EQ(a.flight_bytes, 0);
    EXPECT_EQ(a.bytes_sent, 100000);
    EXPECT_EQ(a.bytes_acked, 100000);
    EXPECT_EQ(b.bytes_received, 100000);
    EXPECT_EQ(b.recv_queued, 100000);
    EXPECT(a.wscale_ok && b.wscale_ok && a.timestamps_ok && b.timestamps_ok);
    EXPECT(a.snd_wscale == b.rcv_wscale && a.rcv_wscale == b.snd_wscale);
    EXPECT_EQ(a.pmtu, 1500);
    EXPECT_EQ(a.snd_mss, 1448);
    EXPECT_EQ(a.rcv_mss, 1460);
    EXPECT(a.srtt_ns >= 10 * WEIR_MS && a.srtt_ns < 12 * WEIR_MS);
    EXPECT(a.rtt_min_ns >= 10 * WEIR_MS && a.rtt_min_ns < 11 * WEIR_MS);
    EXPECT(a.rto_ns >= 200 * WEIR_MS);
    EXPECT_STR(a.congestion_control, "cubic");
    EXPECT(a.cwnd >= 14480);
    EXPECT_EQ(a.ssthresh, UINT32_MAX);
    EXPECT_EQ(a.data_segs_out, b.data_segs_in);
    EXPECT_EQ(a.retransmits, 0);
    EXPECT_EQ(b.state, WEIR_TCP_ESTABLISHED);
}

TEST(options_have_ranges_and_keep_what_they_are_set_to)
{
    static const struct {
        enum weir_opt opt;
        int64_t first, good, bad[3];
        int late; /* what setting it says on a connection that is open */
    } cases[] = {
        {WEIR_OPT_USER, 0, INT64_MIN, {0}, WEIR_OK},
        {WEIR_OPT_NODELAY, 0, 1, {2, -1, INT64_MAX}, WEIR_OK},
        {WEIR_OPT_CORK, 0, 1, {2, -1, INT64_MIN}, WEIR_OK},
        {WEIR_OPT_KEEPALIVE, 0, 1, {2, -1, 3}, WEIR_OK},
        {WEIR_OPT_KEEPALIVE_IDLE, 7200 * WEIR_S, 60 * WEIR_S, {0, -1, INT64_MAX}, WEIR_OK},
        {WEIR_OPT_KEEPALIVE_INTERVAL, 75 * WEIR_S, WEIR_MS, {0, -1, INT64_MIN}, WEIR_OK},
        {WEIR_OPT_KEEPALIVE_PROBES, 9, 255, {0, 256, -1}, WEIR_OK},
        {WEIR_OPT_USER_TIMEOUT, 0, 3600 * WEIR_S, {-1, INT64_MAX, INT64_MIN}, WEIR_OK},
        {WEIR_OPT_SYN_RETRIES, 6, 0, {-1, 256, INT64_MAX}, WEIR_OK},
        {WEIR_OPT_SEND_BUFFER, 256 * 1024, 4096, {0, -1, (int64_t)1 << 31}, WEIR_OK},
        {WEIR_OPT_RECV_BUFFER, 256 * 1024, 4096, {0, -1, (int64_t)1 << 31}, WEIR_OK},
        {WEIR_OPT_MSS, 0, 1000, {1, 65536, -1}, WEIR_ESTATE},
        {WEIR_OPT_QUICKACK, 0, 1, {2, -1, 5}, WEIR_OK},
        {WEIR_OPT_TTL, 64, 255, {0, 256, -1}, WEIR_OK},
        {WEIR_OPT_TOS, 0, 252, {256, -1, INT64_MAX}, WEIR_OK},
        {WEIR_OPT_SOFT_ERRORS, 1, 0, {2, -1, 5}, WEIR_OK},
        {WEIR_OPT_NOTE_SENT, 0, 1, {2, -1, 5}, WEIR_OK},
        {WEIR_OPT_LINGER, 0, 1, {2, -1, 5}, WEIR_OK},
        {WEIR_OPT_FASTOPEN, 0, 1, {2, -1, 5}, WEIR_ESTATE},
        {WEIR_OPT_FASTOPEN_NO_COOKIE, 0, 1, {2, -1, 5}, WEIR_ESTATE},
        {WEIR_OPT_NOTE_WRITABLE, 0, 3, {4, -1, 5}, WEIR_OK},
        {WEIR_OPT_CONGESTION_CONTROL, 0, 1, {99, -1, 1000}, WEIR_OK},
        {WEIR_OPT_ADVERTISE_TIMEOUT, 0, 90 * WEIR_S, {-1, 32768 * 60 * WEIR_S, INT64_MAX}, WEIR_OK},
        {WEIR_OPT_NOTSENT_LOWAT, 0, 16384, {-1, (int64_t)1 << 31, INT64_MAX}, WEIR_OK},
        {WEIR_OPT_MIN_TTL, 0, 255, {-1, 256, INT64_MAX}, WEIR_OK},
        {WEIR_OPT_FIN_WAIT_2, 0, 5 * WEIR_S, {-1, 256 * WEIR_S, INT64_MAX}, WEIR_OK},
        {WEIR_OPT_MAX_PACING_RATE, 0, 1024000, {-1, INT64_MAX, INT64_MIN}, WEIR_OK},
    };
    enum { COUNT = sizeof cases / sizeof cases[0], OF_LISTENERS_ALONE = 5 };
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);

    EXPECT_EQ(COUNT, WEIR_OPT_COUNT - OF_LISTENERS_ALONE);
    for (size_t i = 0; i < COUNT; i++)
        for (int is_listener = 0; is_listener < 2; is_listener++) {
            struct weir *s = world_stack(w, is_listener ? 1 : 0);
            weir_handle_t h = is_listener ? p.listener : p.a;
            int64_t value = 99;
            EXPECT_EQ(weir_get(s, h, cases[i].opt, &value), WEIR_OK);
            if (value != cases[i].first)
                FAIL("option %zu is %lld", i, (long long)value);
            for (int k = 0; k < 3 && cases[i].opt != WEIR_OPT_USER; k++)
                EXPECT_EQ(weir_set(s, h, cases[i].opt, cases[i].bad[k]),
                          is_listener || cases[i].late == WEIR_OK ? WEIR_EINVAL : WEIR_ESTATE);
            EXPECT_EQ(weir_set(s, h, cases[i].opt, cases[i].good),
                      is_listener ? WEIR_OK : cases[i].late);
            EXPECT_EQ(weir_get(s, h, cases[i].opt, &value), WEIR_OK);
            EXPECT_EQ(value,
                      is_listener || cases[i].late == WEIR_OK ? cases[i].good : cases[i].first);
        }
    EXPECT_EQ(weir_set(world_stack(w, 0), p.a, WEIR_OPT_COUNT, 0), WEIR_ENOTSUP);
    EXPECT_EQ(weir_set(world_stack(w, 0), p.a, (enum weir_opt)1000, 0), WEIR_ENOTSUP);
}

TEST(options_of_ip_are_carried_into_every_packet) /* [RFC9293 MUST-48, MUST-49, SHLD-21, SHLD-22] */
{
    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct world *w = world_make(&(struct world_setup){.is_v6 = is_v6});
        struct world_pair p = world_connect(w);
        for (size_t i = 0; i < w->log_count; i++) {
            EXPECT_EQ(w->log[i].view.ttl, 64);
            EXPECT_EQ(w->log[i].view.tos, 0);
        }
        for (int tos = 0; tos < 256; tos += 5) {
            EXPECT_EQ(weir_set(world_stack(w, 0), p.a, WEIR_OPT_TOS, tos), WEIR_OK);
            EXPECT_EQ(weir_set(world_stack(w, 0), p.a, WEIR_OPT_TTL, 255 - tos / 2), WEIR_OK);
            world_forgets(w);
            world_sends(w, 0, p.a, 3000);
            world_settle(w);
            for (size_t i = 0; i < w->log_count; i++) {
                if (w->log[i].from != 0)
                    continue;
                EXPECT_EQ(w->log[i].view.tos, tos & ~3); /* the rest is ECN's */
                EXPECT_EQ(w->log[i].view.ttl, 255 - tos / 2);
            }
        }
    }
}

static void inject_text(struct world *w, const struct world_pair *p, const char *text,
                        struct packet_ip ip)
{
    static struct packet packet;
    struct weir_tcp_info info;
    struct packet_tcp tcp = {
        .flags = TCP_ACK | TCP_PSH, .text = (const uint8_t *)text, .len = strlen(text)};

    EXPECT_EQ(weir_tcp_info(world_stack(w, 1), p->b, &info), WEIR_OK);
    ip.src = p->a_at;
    ip.dst = p->b_at;
    tcp.seq = info.rcv_nxt;
    tcp.ack = info.snd_nxt;
    packet_make_tcp(&packet, &ip, &tcp);
    world_injects(w, 1, &packet);
}

TEST(ip_options_are_ignored) /* [RFC9293 MUST-50] */
{
    static const uint8_t router_alert[] = {IP4_OPTION_ROUTER_ALERT, 4, 0, 0};
    static const uint8_t unknown[] = {0x9e, 4, 1, 2};
    static const uint8_t record[] = {IP4_OPTION_RECORD_ROUTE, 7, 4, 0, 0, 0, 0, 0};
    static const uint8_t hop_by_hop[] = {6, 0, 1, 4, 0, 0, 0, 0};     /* next: TCP; padding */
    static const uint8_t destination[] = {6, 0, 0x1e, 4, 0, 0, 0, 0}; /* unknown, to be skipped */
    static const struct {
        bool is_v6;
        struct packet_ip ip;
    } cases[] = {
        {false, {.options = router_alert, .options_len = sizeof router_alert}},
        {false, {.options = unknown, .options_len = sizeof unknown}},
        {false, {.options = record, .options_len = sizeof record}},
        {true, {.options = hop_by_hop, .options_len = sizeof hop_by_hop, .next_header = 0}},
        {true, {.options = destination, .options_len = sizeof destination, .next_header = 60}},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_config config = world_config();
        struct world *w;
        struct world_pair p;
        uint8_t bytes[8];
        config.tcp.timestamps = false;
        w = world_make(&(struct world_setup){.is_v6 = cases[i].is_v6, .config = &config});
        p = world_connect(w);
        inject_text(w, &p, "options", cases[i].ip);
        if (weir_recv(world_stack(w, 1), p.b, bytes, 8) != 7)
            FAIL("case %zu", i);
        EXPECT_MEM(bytes, "options", 7);
    }
}
