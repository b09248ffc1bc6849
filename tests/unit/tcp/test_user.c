/* test_user.c - OPEN, SEND, RECEIVE, CLOSE, ABORT, STATUS and options */
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/timers.h"
#include "tcp/user.h"
#include <string.h>

enum { NONE = 1 }; /* no error code: the call succeeds */

/* ---- each call in each state [RFC9293 3.10.2 to 3.10.5] ---- */

struct row {
    int sends, receives, shuts_down;
    const char *abort_sees, *close_sees;
    enum tcp_state after_close;
};

static const struct row rows[] = {
    [TCP_CLOSED] = {WEIR_EPIPE, 0, WEIR_ENOTCONN, NULL, NULL, TCP_CLOSED},
    [TCP_SYN_SENT] = {NONE, WEIR_EAGAIN, WEIR_OK, NULL, NULL, TCP_CLOSED},
    [TCP_SYN_RECEIVED] = {NONE, WEIR_EAGAIN, WEIR_OK, "R. 1:1(0) ack 1", NULL, TCP_SYN_RECEIVED},
    [TCP_ESTABLISHED] = {NONE, WEIR_EAGAIN, WEIR_OK, "R. 1:1(0) ack 1", "F. 1:1(0) ack 1",
                         TCP_FIN_WAIT_1},
    [TCP_FIN_WAIT_1] = {WEIR_EPIPE, WEIR_EAGAIN, WEIR_OK, "R. 2:2(0) ack 1", NULL, TCP_FIN_WAIT_1},
    [TCP_FIN_WAIT_2] = {WEIR_EPIPE, WEIR_EAGAIN, WEIR_OK, "R. 2:2(0) ack 1", NULL, TCP_FIN_WAIT_2},
    [TCP_CLOSE_WAIT] = {NONE, 0, WEIR_OK, "R. 1:1(0) ack 2", "F. 1:1(0) ack 2", TCP_LAST_ACK},
    [TCP_CLOSING] = {WEIR_EPIPE, 0, WEIR_OK, "R. 2:2(0) ack 2", NULL, TCP_CLOSING},
    [TCP_LAST_ACK] = {WEIR_EPIPE, 0, WEIR_OK, "R. 2:2(0) ack 2", NULL, TCP_LAST_ACK},
    [TCP_TIME_WAIT] = {WEIR_EPIPE, 0, WEIR_OK, NULL, NULL, TCP_TIME_WAIT},
};

static void sees_or_nothing(struct peer *p, const char *text)
{
    if (text != NULL)
        peer_sees(p, text);
    peer_sees_nothing(p);
}

#define EACH_STATE(state)                                                                          \
    enum tcp_state state = TCP_CLOSED;                                                             \
    state <= TCP_TIME_WAIT;                                                                        \
    state++

TEST(user_calls_answer_as_the_state_wants_it)
{
    for (EACH_STATE(state)) {
        const struct row *row = &rows[state];
        struct peer p;
        char byte;
        if (state == TCP_LISTEN)
            continue;
        p = peer_of(state);
        EXPECT_EQ(tcp_send(p.conn, p.env, "x", 1, 0), row->sends == NONE ? 1 : row->sends);
        p = peer_of(state);
        EXPECT_EQ(tcp_recv(p.conn, p.env, &byte, 1), row->receives);
        EXPECT_EQ(tcp_shutdown(p.conn, p.env), row->shuts_down);
        tcp_conn_check(p.conn);
    }
}

TEST(user_aborts_in_every_state) /* [RFC9293 3.10.5] */
{
    for (EACH_STATE(state)) {
        struct peer p = peer_of(state);
        if (state == TCP_LISTEN || state == TCP_TIME_WAIT)
            continue;
        tcp_abort(p.conn, p.env);
        EXPECT_EQ(p.conn->state, TCP_CLOSED);
        EXPECT_EQ(p.conn->error, state == TCP_CLOSED ? WEIR_OK : WEIR_ECONNABORTED);
        if (state != TCP_CLOSED)
            sees_or_nothing(&p, rows[state].abort_sees);
        EXPECT_EQ(tcp_deadline(p.conn), NEVER);
    }
}

TEST(user_closes_in_every_state) /* [RFC9293 3.10.4] */
{
    for (EACH_STATE(state)) {
        struct peer p = peer_of(state);
        if (state == TCP_LISTEN || state == TCP_CLOSED)
            continue;
        tcp_close(p.conn, p.env);
        EXPECT_EQ(p.conn->state, rows[state].after_close);
        EXPECT(p.conn->is_orphan);
        sees_or_nothing(&p, rows[state].close_sees);
        tcp_conn_check(p.conn);
    }
}

/* ---- CLOSE ---- */

TEST(user_sends_what_is_queued_before_it_closes) /* [RFC9293 3.10.4] */
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    peer_writes(&p, 2000);
    tcp_close(p.conn, p.env);
    peer_sees(&p, ". 1:1461(1460) ack 1");
    peer_sees(&p, "FP. 1461:2001(540) ack 1");
    peer_sends(&p, "F. 1:1(0) ack 2002");
    peer_sees(&p, ". 2002:2002(0) ack 2");
    EXPECT_EQ(peer_state(&p), TCP_TIME_WAIT);
}

TEST(user_resets_what_it_closes_unread) /* [RFC9293 SHLD-3, MAY-1] */
{
    static const char *const segments[] = {"P. 1:11(10) ack 1", "P. 5:11(6) ack 1"};

    for (size_t i = 0; i < 2; i++) {
        struct peer p = peer_of(TCP_ESTABLISHED);
        peer_sends(&p, segments[i]);
        peer_skips(&p);
        tcp_close(p.conn, p.env);
        EXPECT_EQ(p.conn->state, TCP_CLOSED);
        peer_sees(&p, i == 0 ? "R. 1:1(0) ack 11" : "R. 1:1(0) ack 1");
    }
}

TEST(user_resets_what_it_closes_with_linger)
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_LINGER, 1), WEIR_OK);
    peer_writes(&p, 10);
    tcp_close(p.conn, p.env);
    peer_sees(&p, "R. 1:1(0) ack 1");
    peer_sees_nothing(&p);
}

TEST(user_can_go_on_receiving_after_it_has_closed_its_side) /* [RFC9293 3.6] */
{
    struct peer p = peer_of(TCP_FIN_WAIT_2);

    peer_sends(&p, "P. 1:11(10) ack 2");
    peer_sees(&p, ". 2:2(0) ack 11");
    EXPECT_EQ(peer_reads(&p, 100), 10);
    EXPECT_EQ(peer_reads(&p, 100), WEIR_EAGAIN);
}

TEST(user_closes_a_resting_connection)
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    peer_waits(&p, 2 * NS_S);
    EXPECT(p.conn->work == NULL);
    tcp_close(p.conn, p.env);
    peer_sees(&p, "F. 1:1(0) ack 1");

    p = peer_of(TCP_FIN_WAIT_2);
    peer_waits(&p, 2 * NS_S);
    EXPECT(p.conn->work == NULL);
    tcp_close(p.conn, p.env);
    peer_waits(&p, 60 * NS_S);
    EXPECT_EQ(p.conn->state, TCP_CLOSED);
}

TEST(user_aborts_a_resting_connection)
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    peer_waits(&p, 2 * NS_S);
    tcp_abort(p.conn, p.env);
    peer_sees(&p, "R. 1:1(0) ack 1");
}

/* ---- SEND ---- */

TEST(user_sends_no_more_than_the_queue_takes)
{
    struct peer p = peer_of(TCP_ESTABLISHED);
    static uint8_t bytes[3000];

    tcp_set(p.conn, p.env, WEIR_OPT_SEND_BUFFER, 2000);
    EXPECT_EQ(tcp_send(p.conn, p.env, bytes, 0, 0), 0);
    EXPECT_EQ(tcp_send(p.conn, p.env, bytes, 3000, 0), 2000);
    EXPECT_EQ(tcp_send(p.conn, p.env, bytes, 1, 0), WEIR_EAGAIN);
    EXPECT(p.conn->wants_writable);
    tcp_set(p.conn, p.env, WEIR_OPT_SEND_BUFFER, 1000); /* less than is in it */
    EXPECT_EQ(tcp_send(p.conn, p.env, bytes, 1, 0), WEIR_EAGAIN);
}

static int released;

static void on_release(void *owner)
{
    EXPECT(owner == &released);
    released++;
}

TEST(user_lends_a_buffer_and_gets_it_back_once)
{
    struct peer p = peer_of(TCP_ESTABLISHED);
    uint8_t bytes[100];
    struct weir_slice slice = {bytes, sizeof bytes};

    released = 0;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = tcp_world_byte(i);
    EXPECT_EQ(tcp_send_lent(p.conn, p.env, slice, 0, NULL, &released), WEIR_EINVAL);
    EXPECT_EQ(tcp_send_lent(p.conn, p.env, (struct weir_slice){bytes, 0}, 0, on_release, NULL),
              WEIR_EINVAL);
    EXPECT_EQ(tcp_send_lent(p.conn, p.env, slice, 0, on_release, &released), 100);
    p.keeps_frames = true;
    peer_sees(&p, "P. 1:101(100) ack 1");
    peer_sends(&p, ". 1:1(0) ack 101");
    EXPECT_EQ(p.conn->work->sendq.bytes, 0);
    EXPECT_EQ(released, 0); /* the driver still has the frame */
    tcp_sents_clear(p.world, &p.world->kept);
    EXPECT_EQ(released, 1);
}

TEST(user_gets_lent_buffers_back_from_what_was_sent_twice_and_from_the_dead)
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    p.keeps_frames = true;
    peer_lends(&p, 3000);
    peer_lends(&p, 10);
    peer_skips(&p);
    peer_waits_for_frame(&p);
    peer_skips(&p);
    EXPECT_EQ(p.world->lent, 2);
    tcp_abort(p.conn, p.env);
    EXPECT_EQ(p.world->lent, 2);
    tcp_sents_clear(p.world, &p.world->kept);
    EXPECT_EQ(p.world->lent, 0);
}

TEST(user_lends_nothing_when_there_is_no_room_or_no_memory)
{
    struct peer p = peer_of(TCP_ESTABLISHED);
    uint8_t bytes[10] = {0};
    struct weir_slice slice = {bytes, sizeof bytes};

    tcp_set(p.conn, p.env, WEIR_OPT_SEND_BUFFER, 100);
    peer_writes(&p, 100);
    released = 0;
    EXPECT_EQ(tcp_send_lent(p.conn, p.env, slice, 0, on_release, &released), WEIR_EAGAIN);
    tcp_set(p.conn, p.env, WEIR_OPT_SEND_BUFFER, 1000);
    p.world->alloc.fail_at = p.world->alloc.calls + 1;
    p.world->alloc.fails_from_then = true;
    EXPECT_EQ(tcp_send_lent(p.conn, p.env, slice, 0, on_release, &released), WEIR_ENOMEM);
    EXPECT_EQ(released, 0);
    p.world->alloc.fail_at = 0;
}

TEST(user_lends_more_than_the_queue_takes_if_there_is_any_room)
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    tcp_set(p.conn, p.env, WEIR_OPT_SEND_BUFFER, 100);
    peer_lends(&p, 5000);
    EXPECT_EQ(peer_skips(&p), 4);
    peer_sends(&p, ". 1:1(0) ack 5001");
    EXPECT_EQ(p.world->lent, 0);
}

/* ---- RECEIVE ---- */

TEST(user_receives_without_a_copy)
{
    struct peer p = peer_of(TCP_ESTABLISHED);
    struct weir_slice slices[4];
    size_t count = 9;

    EXPECT_EQ(tcp_recv_lent(p.conn, slices, 4, &count), WEIR_EAGAIN);
    EXPECT_EQ(count, 0);
    EXPECT_EQ(tcp_recv_done(p.conn, p.env, 1), WEIR_EINVAL);
    peer_sends(&p, "P. 1:501(500) ack 1");
    peer_sends(&p, "P. 501:1001(500) ack 1");
    EXPECT_EQ(tcp_recv_lent(p.conn, slices, 1, &count), 500);
    EXPECT_EQ(count, 1);
    EXPECT_EQ(tcp_recv_lent(p.conn, slices, 4, &count), 1000);
    EXPECT_EQ(count, 2);
    tcp_world_check_bytes(slices[0].bytes, 500, 0);
    tcp_world_check_bytes(slices[1].bytes, 500, 500);
    EXPECT_EQ(p.world->frames_in, 2); /* they are the frames themselves */
    EXPECT_EQ(tcp_recv_done(p.conn, p.env, 1001), WEIR_EINVAL);
    EXPECT_EQ(tcp_recv_done(p.conn, p.env, 0), WEIR_OK);
    EXPECT_EQ(tcp_recv_done(p.conn, p.env, 600), WEIR_OK);
    EXPECT_EQ(p.world->frames_in, 1);
    EXPECT_EQ(tcp_recv_lent(p.conn, slices, 4, &count), 400);
    tcp_world_check_bytes(slices[0].bytes, 400, 600);
}

TEST(user_reads_what_came_before_the_end)
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    peer_sends(&p, "FP. 1:11(10) ack 1");
    EXPECT_EQ(peer_reads(&p, 6), 6);
    EXPECT_EQ(peer_reads(&p, 6), 4);
    EXPECT_EQ(peer_reads(&p, 6), 0);
    EXPECT_EQ(peer_reads(&p, 6), 0);
}

/* ---- options ---- */

TEST(user_options_are_checked_and_come_back)
{
    static const struct {
        enum weir_opt opt;
        int64_t good, low, high;
    } options[] = {
        {WEIR_OPT_NODELAY, 1, -1, 2},
        {WEIR_OPT_CORK, 1, -1, 2},
        {WEIR_OPT_KEEPALIVE, 1, -1, 2},
        {WEIR_OPT_KEEPALIVE_IDLE, 5 * NS_S, 0, INT64_MAX},
        {WEIR_OPT_KEEPALIVE_INTERVAL, 5 * NS_S, 0, INT64_MAX},
        {WEIR_OPT_KEEPALIVE_PROBES, 255, 0, 256},
        {WEIR_OPT_USER_TIMEOUT, 30 * NS_S, -1, INT64_MAX},
        {WEIR_OPT_SYN_RETRIES, 3, -1, 256},
        {WEIR_OPT_SEND_BUFFER, 1, 0, (int64_t)INT32_MAX + 1},
        {WEIR_OPT_RECV_BUFFER, INT32_MAX, 0, (int64_t)INT32_MAX + 1},
        {WEIR_OPT_MSS, 1000, 47, 65536},
        {WEIR_OPT_QUICKACK, 1, -1, 2},
        {WEIR_OPT_TTL, 255, 0, 256},
        {WEIR_OPT_TOS, 0xb8, -1, 256},
        {WEIR_OPT_SOFT_ERRORS, 0, -1, 2},
        {WEIR_OPT_NOTE_SENT, 1, -1, 2},
        {WEIR_OPT_LINGER, 1, -1, 2},
    };
    struct peer p = peer_of(TCP_CLOSED);
    int64_t value;

    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        enum weir_opt opt = options[i].opt;
        EXPECT_EQ(tcp_set(p.conn, p.env, opt, options[i].good), WEIR_OK);
        EXPECT_EQ(tcp_set(p.conn, p.env, opt, options[i].low), WEIR_EINVAL);
        EXPECT_EQ(tcp_set(p.conn, p.env, opt, options[i].high), WEIR_EINVAL);
        EXPECT_EQ(tcp_set(p.conn, p.env, opt, INT64_MIN), WEIR_EINVAL);
        EXPECT_EQ(tcp_get(p.conn, opt, &value), WEIR_OK);
        EXPECT_EQ(value, options[i].good);
    }
    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_USER, 1), WEIR_ENOTSUP);
    EXPECT_EQ(tcp_get(p.conn, WEIR_OPT_COUNT, &value), WEIR_ENOTSUP);
}

TEST(user_sets_the_segment_size_before_connecting)
{
    struct peer p = peer_of(TCP_CLOSED);

    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_MSS, 600), WEIR_OK);
    p.env->config.timestamps = false;
    peer_opens(&p);
    peer_sees(&p, "S 0:0(0) <mss 600,nop,nop,sackOK,nop,wscale 7>");
    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_MSS, 700), WEIR_ESTATE);
    peer_sends(&p, "S. 0:0(0) ack 1 <mss 1460>");
    peer_skips(&p);
    peer_writes(&p, 1200);
    peer_sees(&p, ". 1:601(600) ack 1");
}

TEST(user_changes_the_diffserv_field_during_the_connection) /* [RFC9293 MUST-48, SHLD-21] */
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_TOS, 0x20), WEIR_OK);
    EXPECT_EQ(p.conn->user->tos, 0x20);
    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_TOS, 0xb8), WEIR_OK);
    EXPECT_EQ(p.conn->user->tos, 0xb8); /* the stack hands it to IP */
}

/* ---- STATUS [RFC9293 3.10.6] ---- */

TEST(user_learns_the_status)
{
    struct peer p =
        peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = "mss 1000,nop,wscale 3"});
    struct weir_tcp_info info;

    peer_writes(&p, 2500);
    peer_skips(&p);
    peer_sends(&p, "P. 1:11(10) ack 1001 win 5000");
    tcp_info(p.conn, p.env, &info);
    EXPECT_EQ(info.state, WEIR_TCP_ESTABLISHED);
    EXPECT_EQ(info.iss, PEER_ISS);
    EXPECT_EQ(info.irs, PEER_IRS);
    EXPECT_EQ(info.snd_una, PEER_ISS + 1001);
    EXPECT_EQ(info.snd_nxt, (uint32_t)(PEER_ISS + 2501));
    EXPECT_EQ(info.rcv_nxt, (uint32_t)(PEER_IRS + 11));
    EXPECT_EQ(info.snd_wnd, 40000);
    EXPECT_EQ(info.snd_mss, 1000);
    EXPECT_EQ(info.rcv_mss, 1460);
    EXPECT_EQ(info.pmtu, 1500);
    EXPECT_EQ(info.flight_bytes, 1500);
    EXPECT_EQ(info.send_queued, 1500);
    EXPECT_EQ(info.recv_queued, 10);
    EXPECT_EQ(info.bytes_sent, 2500);
    EXPECT_EQ(info.bytes_acked, 1000);
    EXPECT_EQ(info.bytes_received, 10);
    EXPECT_EQ(info.data_segs_out, 3);
    EXPECT_EQ(info.data_segs_in, 1);
    EXPECT_EQ(info.cwnd, 10000);
    EXPECT_EQ(info.rto_ns, (ns_t)p.conn->rtt.rto_us * NS_US);
    EXPECT_STR(info.congestion_control, "reno");
    EXPECT(info.wscale_ok && !info.timestamps_ok && !info.sack_ok && !info.in_recovery);
    peer_sends(&p, ". 11:11(0) ack 2501");
    EXPECT_EQ(peer_reads(&p, 100), 10);
    peer_skips(&p);
    peer_waits(&p, 2 * NS_S);
    EXPECT(p.conn->work == NULL);
    tcp_info(p.conn, p.env, &info);
    EXPECT_EQ(info.bytes_acked, 2500);
    EXPECT_EQ(info.flight_bytes, 0);
}

/* ---- out of memory ---- */

static void runs_out(struct peer *p)
{
    pool_trim(&p->env->works);
    p->world->alloc.fail_at = p->world->alloc.calls + 1;
    p->world->alloc.fails_from_then = true;
}

static struct peer peer_at_rest(enum tcp_state state)
{
    struct peer p = peer_of(state);

    peer_waits(&p, 2 * NS_S);
    EXPECT(p.conn->work == NULL);
    runs_out(&p);
    return p;
}

TEST(user_opens_nothing_without_memory)
{
    struct peer p = peer_of(TCP_CLOSED);

    runs_out(&p);
    EXPECT(ends_init(&p.conn->ends, p.env, &p.tuple));
    EXPECT_EQ(tcp_open(p.conn, p.env, (struct isn){0}, 1500), WEIR_ENOMEM);
    EXPECT_EQ(p.conn->state, TCP_CLOSED);
    EXPECT_EQ(p.conn->events, 0);
}

TEST(user_calls_on_a_resting_connection_say_that_there_is_no_memory)
{
    struct peer p = peer_at_rest(TCP_ESTABLISHED);
    struct weir_slice slice = {(uint8_t[1]){0}, 1};
    char byte;

    EXPECT_EQ(tcp_send(p.conn, p.env, "x", 1, 0), WEIR_ENOMEM);
    EXPECT_EQ(tcp_send_lent(p.conn, p.env, slice, 0, on_release, NULL), WEIR_ENOMEM);
    EXPECT_EQ(tcp_recv(p.conn, p.env, &byte, 1), WEIR_EAGAIN);
    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_KEEPALIVE, 1), WEIR_ENOMEM);
    EXPECT_EQ(tcp_shutdown(p.conn, p.env), WEIR_ENOMEM);
    EXPECT_EQ(p.conn->state, TCP_ESTABLISHED);
    p.world->alloc.fail_at = 0;
    peer_writes(&p, 10);
    peer_sees(&p, "P. 1:11(10) ack 1");
}

TEST(user_ends_a_resting_connection_without_memory_in_silence)
{
    struct peer aborted = peer_at_rest(TCP_ESTABLISHED), closed = peer_at_rest(TCP_ESTABLISHED);
    struct peer half = peer_at_rest(TCP_FIN_WAIT_2);

    tcp_abort(aborted.conn, aborted.env);
    tcp_close(closed.conn, closed.env);
    tcp_close(half.conn, half.env);
    EXPECT_EQ(aborted.conn->state, TCP_CLOSED);
    EXPECT_EQ(closed.conn->state, TCP_CLOSED);
    EXPECT_EQ(half.conn->state, TCP_CLOSED);
}

TEST(user_may_have_all_acknowledgements_delayed)
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    peer_sends(&p, "P. 1:11(10) ack 1");
    peer_sees(&p, ". 1:1(0) ack 11"); /* one of the first, at once */
    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_QUICKACK, 0), WEIR_OK);
    peer_sends(&p, "P. 11:21(10) ack 1");
    peer_sees_nothing(&p);
    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_QUICKACK, 1), WEIR_OK);
    peer_sends(&p, "P. 21:31(10) ack 1");
    peer_sees(&p, ". 1:1(0) ack 31");
}
