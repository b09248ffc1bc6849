/* test_predict.c - what is expected is taken in by the short way as by the long one */
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/predict.h"
#include "tcp/sendq.h"
#include "tcp/window.h"
#include <stdio.h>
#include <string.h>

/* ---- which way a segment takes ---- */

static const char *const with_all = "mss 1000,sackOK,TS val 100 ecr 0,nop,wscale 7";

/* A connection with 2000 bytes under way. */
static struct peer peer_at_work(const char *options)
{
    struct peer p = peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = options});

    peer_writes(&p, 2000);
    peer_skips(&p);
    return p;
}

TEST(predict_expects_what_no_check_would_stop_at) /* [RFC9293 3.10.7.4] */
{
    static const struct {
        const char *text;
        bool is_expected;
    } rows[] = {
        {"P. 1:101(100) ack 1", true},
        {". 1:101(100) ack 1", true},
        {". 1:101(100) ack 1001", true},
        {". 1:1(0) ack 1001", true},
        {". 1:1(0) ack 2001", true},
        {". 1:1(0) ack 1500 win 7", true},
        {". 1:1(0) ack 1", false},        /* a duplicate */
        {". 1:1(0) ack 2002", false},     /* of what was not sent */
        {". 1:1(0) ack 0", false},        /* from before */
        {". 2:102(100) ack 1001", false}, /* something is missing */
        {". 0:101(101) ack 1001", false}, /* it begins with what there is */
        {"F. 1:101(100) ack 1001", true},
        {"F. 1:1(0) ack 1", true},
        {"F. 2:2(0) ack 1", false},
        {"S. 1:101(100) ack 1001", false},
        {"R. 1:101(100) ack 1001", false},
        {"P 1:101(100)", false},
        {"U. 1:101(100) ack 1001 urg 3", false},
        {"E. 1:101(100) ack 1001", false},
        {"W. 1:101(100) ack 1001", false},
        {"[ce] . 1:101(100) ack 1001", false},
        {". 1:101(100) ack 1001 <nop,nop,TS val 5 ecr 6>", false}, /* not agreed on */
        {". 1:1(0) ack 1 <nop,nop,sack 1001:2001>", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct peer p = peer_at_work("mss 1000,sackOK");

        peer_sends(&p, rows[i].text);
        if (p.expected != rows[i].is_expected)
            FAIL("\"%s\"", rows[i].text);
        tcp_world_end(p.world);
    }
}

TEST(predict_leaves_what_does_not_fit_to_be_trimmed) /* [RFC9293 3.10.7.4] */
{
    struct peer p = peer_of(TCP_CLOSED);

    EXPECT_EQ(tcp_set(p.conn, p.env, WEIR_OPT_RECV_BUFFER, 3000), WEIR_OK);
    peer_brings_to(&p, TCP_ESTABLISHED);
    EXPECT(window_remaining(p.conn) < 4000);
    peer_sends(&p, ". 1:4001(4000) ack 1");
    EXPECT_EQ(p.expected, 0);
    EXPECT(peer_reads(&p, 4000) > 0);
    peer_skips(&p);
    EXPECT(window_remaining(p.conn) > 1000);
    peer_sends(&p, ". 3001:4001(1000) ack 1");
    EXPECT_EQ(p.expected, 1);
}

TEST(predict_wants_timestamps_where_they_are_agreed_on_and_not_of_the_past) /* [RFC7323 5.3] */
{
    struct peer p = peer_at_work(with_all);

    peer_sends(&p, ". 1:101(100) ack 1001");
    EXPECT_EQ(p.expected, 0);
    peer_sends(&p, ". 101:201(100) ack 1001 <nop,nop,TS val 99 ecr 1>");
    EXPECT_EQ(p.expected, 0);
    peer_sends(&p, ". 101:201(100) ack 1001 <nop,nop,TS val 101 ecr 1>");
    EXPECT_EQ(p.expected, 1);
    peer_sends(&p, ". 201:301(100) ack 1001 <nop,nop,TS val 101 ecr 1,sack 1501:2001>");
    EXPECT_EQ(p.expected, 1);
}

TEST(predict_leaves_a_connection_that_rests_to_the_steps)
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    peer_waits(&p, 10 * NS_S);
    EXPECT(p.conn->work == NULL);
    peer_sends(&p, ". 1:101(100) ack 1");
    EXPECT_EQ(p.expected, 0);
    peer_sends(&p, ". 101:201(100) ack 1");
    EXPECT_EQ(p.expected, 1);
    EXPECT_EQ(peer_reads(&p, 200), 200);
    EXPECT_EQ(tcp_shutdown(p.conn, p.env), WEIR_OK);
    peer_skips(&p);
    peer_sends(&p, ". 201:301(100) ack 2");
    EXPECT_EQ(p.expected, 2);
    EXPECT(p.conn->state == TCP_FIN_WAIT_2);
}

/* ---- both ways ---- */

/* The same conversation twice: short takes the short way where it can. */
struct both {
    struct peer quick, steps;
    uint64_t state; /* of the random numbers */
    uint32_t stamp; /* the clock of the peer's timestamps */
    bool is_quiet;  /* nothing is lost, or comes out of order */
    bool is_ending; /* both sides close one day */
};

#define SAME(member)                                                                               \
    do {                                                                                           \
        if (memcmp(&q->member, &s->member, sizeof q->member) != 0)                                 \
            FAIL("%s is not the same after \"%s\"", #member, text);                                \
    } while (0)

static void compare_work(const struct tcp_work *q, const struct tcp_work *s, const char *text)
{
    SAME(deadline_at);
    SAME(rto_at);
    SAME(loss_timer);
    SAME(backoff);
    SAME(unanswered);
    SAME(unanswered_since_at);
    SAME(keepalive_unanswered);
    SAME(sendq.start);
    SAME(sendq.bytes);
    SAME(sendq.memory);
    SAME(sendq.busy_ns);
    SAME(recvq.bytes);
    SAME(recvq.memory);
    SAME(scoreboard.count);
    SAME(scoreboard.in_flight_bytes);
    SAME(scoreboard.resent_bytes);
    SAME(scoreboard.lost_bytes);
    SAME(scoreboard.sacked_bytes);
    SAME(scoreboard.sacked_segs);
    SAME(scoreboard.turn);
    SAME(cc.cwnd);
    SAME(cc.ssthresh);
    SAME(cc.state);
    SAME(recovery.state);
    SAME(recovery.frto);
    SAME(recovery.recover);
    SAME(recovery.recover_valid);
    SAME(recovery.dup_acks);
    SAME(recovery.dup_bytes);
    SAME(recovery.timeout_at);
    SAME(rack.is_valid);
    SAME(rack.turn);
    SAME(rack.end);
    SAME(rack.rtt_ns);
    SAME(rack.fack);
    SAME(rack.fack_valid);
    SAME(rack.reordering_seen);
    SAME(rack.reo_wnd_mult);
    SAME(rack.reo_at);
    SAME(tlp.at);
    SAME(tlp.is_out);
    SAME(tlp.probe_owed);
    SAME(prr.recover_fs);
    SAME(prr.delivered);
    SAME(prr.out);
    SAME(undo.is_armed);
    SAME(undo.resent_segs);
    SAME(rate.delivered_bytes);
    SAME(rate.lost_bytes);
    SAME(rate.delivered_at);
    SAME(rate.first_sent_at);
    SAME(rate.limited_until);
    SAME(rate.latest_bytes);
    SAME(rate.latest_ns);
    SAME(rate.latest_is_app_limited);
    SAME(rate.has_newest);
    SAME(cwv.flight_most_bytes);
    SAME(cwv.flight_last_bytes);
    SAME(cwv.flight_round);
    SAME(sack.recent_count);
    SAME(sack.has_dsack);
    SAME(tune.rtt_ns);
    SAME(tune.read_bytes);
    SAME(tune.cost);
    SAME(tune.is_timed);
    SAME(dup_acks_owed);
    SAME(rcv_unacked);
    SAME(rcv_seg_max);
    SAME(ack_owed);
    SAME(rst_owed);
    SAME(delack_ns);
    SAME(data_received_at);
    SAME(quick_acks);
    SAME(is_interactive);
    SAME(rtt_min_at);
    SAME(small_end);
    SAME(small_sent);
    SAME(cwnd_limited);
    SAME(mtu_probe.is_out);
    SAME(more_follows);
    SAME(data_segs_in);
    SAME(dup_acks_in);
    SAME(dsacks_in);
    SAME(undone);
    SAME(blocked_ns);
    SAME(snd_up);
    SAME(rcv_up);
    SAME(challenge_tokens);
}

/* What still matters when all is acknowledged, and the application has gone. */
static void compare_orphan(const struct tcp_conn *q, const struct tcp_conn *s, const char *text)
{
    SAME(snd);
    SAME(rcv);
    SAME(ts);
    SAME(segs_in);
    SAME(segs_out);
    SAME(received_s);
    if (q->work == NULL)
        return;
    SAME(work->deadline_at);
    SAME(work->sendq.bytes);
    SAME(work->scoreboard.count);
    SAME(work->ack_owed);
    SAME(work->rst_owed);
    SAME(work->dup_acks_owed);
}

static void compare(const struct both *b, const char *text)
{
    const struct tcp_conn *q = b->quick.conn, *s = b->steps.conn;

    EXPECT((q->work == NULL) == (s->work == NULL));
    if (q->is_orphan && tcp_fin_acked(q)) {
        compare_orphan(q, s, text);
        return;
    }

    SAME(snd.una);
    SAME(snd.nxt);
    SAME(snd.wl1);
    SAME(snd.wl2);
    SAME(snd.wnd);
    SAME(snd.wnd_max);
    SAME(rcv);
    SAME(state);
    SAME(error);
    SAME(ts);
    SAME(rtt);
    SAME(bytes_acked);
    SAME(bytes_received);
    SAME(segs_in);
    SAME(segs_out);
    SAME(retransmits);
    SAME(received_s);
    SAME(ecn.ce_in);
    SAME(ecn.ce_out);
    SAME(events);
    if (q->work != NULL)
        compare_work(q->work, s->work, text);
}

/* What both send, byte by byte. */
static void compare_frames(struct both *b)
{
    static uint8_t quick[70000], steps[70000];
    struct tcp_sents *q = &b->quick.world->sent, *s = &b->steps.world->sent;

    peer_waits(&b->quick, 0);
    peer_waits(&b->steps, 0);
    EXPECT_EQ(q->count, s->count);
    for (size_t i = 0; i < q->count; i++) {
        size_t len = tcp_sent_flatten(&q->at[i], quick, sizeof quick);
        EXPECT_EQ(tcp_sent_flatten(&s->at[i], steps, sizeof steps), len);
        EXPECT(memcmp(quick, steps, len) == 0);
    }
    peer_skips(&b->quick);
    peer_skips(&b->steps);
}

static uint32_t below(struct both *b, uint32_t bound)
{
    return test_random_below(&b->state, bound);
}

static bool one_in(struct both *b, uint32_t count)
{
    return below(b, count) == 0;
}

/* A block within what is under way beyond ack; else no option. */
static void put_options(struct both *b, uint32_t ack, char *text, size_t size)
{
    const struct tcp_conn *c = b->quick.conn;
    uint32_t end = c->snd.nxt.raw - PEER_ISS;
    char sack[64] = "";

    if (c->agreed.sack_ok && end > ack + 1 && !b->is_quiet && one_in(b, 6)) {
        uint32_t left = ack + 1 + below(b, end - ack - 1);
        snprintf(sack, sizeof sack, "sack %u:%u", left, left + 1 + below(b, end - left));
    }
    if (c->agreed.timestamps_ok && !one_in(b, 40))
        snprintf(text, size, "<nop,nop,TS val %u ecr %u%s%s>", b->stamp - one_in(b, 20) * 3u,
                 b->quick.seen_ts_val, sack[0] != '\0' ? "," : "", sack);
    else if (sack[0] != '\0')
        snprintf(text, size, "<nop,nop,%s>", sack);
    else
        text[0] = '\0';
}

/* Not yet closed, nor in TIME-WAIT. */
static bool is_alive(const struct both *b)
{
    return tcp_is_synchronized(b->quick.conn) && peer_state(&b->quick) < TCP_TIME_WAIT;
}

static bool is_odd(struct both *b, uint32_t count)
{
    return !b->is_quiet && one_in(b, count);
}

/* Mostly what is expected, and now and then anything else. */
static void send_something(struct both *b)
{
    static const char *const flags[] = {".", "P.", "E.", "W.", "U.", "P"};
    const struct tcp_conn *c = b->quick.conn;
    uint32_t seq = c->rcv.nxt.raw - PEER_IRS, una = c->snd.una.raw - PEER_ISS;
    uint32_t flight = tcp_flight(c), len = one_in(b, 2) ? below(b, 1200) : below(b, 3);
    uint32_t ack = una + (one_in(b, 3) ? 0 : one_in(b, 2) ? flight : below(b, flight + 1));
    const char *flag = flags[is_odd(b, 12) ? below(b, 6) : below(b, 2)];
    char text[200], options[120];

    if (b->is_quiet && ack == una && len == 0) /* which might be a duplicate */
        len = 1;
    if (c->is_orphan && !one_in(b, 8)) /* text would be answered by a reset */
        len = 0;
    if (b->is_ending && one_in(b, 20))
        flag = "F.";
    if (is_odd(b, 12))
        seq += below(b, 3000);
    else if (is_odd(b, 12))
        seq -= below(b, seq < 300 ? seq : 300);
    if (is_odd(b, 30))
        ack += below(b, 4);
    put_options(b, ack, options, sizeof options);
    snprintf(text, sizeof text, "%s%s %u:%u(%u) %s%.0u win %u %s%s", one_in(b, 25) ? "[ce] " : "",
             flag, seq, seq + len, len, strchr(flag, '.') ? "ack " : "",
             strchr(flag, '.') ? ack : 0, one_in(b, 20) ? below(b, 9) : 500,
             flag[0] == 'U' ? "urg 1 " : "", options);
    EXPECT_EQ(peer_sends(&b->quick, text), peer_sends(&b->steps, text));
    EXPECT_EQ(peer_state(&b->quick), peer_state(&b->steps));
    if (is_alive(b))
        compare(b, text);
}

static void read_something(struct both *b)
{
    uint32_t len = one_in(b, 2) ? 1 + below(b, 3000) : 100000;

    if (b->quick.conn->is_orphan)
        return;
    EXPECT_EQ(peer_reads(&b->quick, len), peer_reads(&b->steps, len));
    compare(b, "a read");
}

/* What is left to be read would be answered by a reset. */
static void close_both(struct both *b)
{
    EXPECT_EQ(peer_reads(&b->quick, 1 << 20), peer_reads(&b->steps, 1 << 20));
    tcp_close(b->quick.conn, b->quick.env);
    tcp_close(b->steps.conn, b->steps.env);
    compare(b, "a close");
}

static void close_side(struct both *b)
{
    if (one_in(b, 2)) {
        close_both(b);
        return;
    }
    EXPECT_EQ(tcp_shutdown(b->quick.conn, b->quick.env), WEIR_OK);
    EXPECT_EQ(tcp_shutdown(b->steps.conn, b->steps.env), WEIR_OK);
    compare(b, "a shutdown");
}

static void write_something(struct both *b)
{
    uint32_t len = one_in(b, 2) ? 1 + below(b, 5000) : 1;

    if (b->quick.conn->state != TCP_ESTABLISHED || sendq_room(b->quick.conn) < len)
        return;
    peer_writes(&b->quick, len);
    peer_writes(&b->steps, len);
}

static void wait_a_while(struct both *b)
{
    ns_t ns = (ns_t)below(b, one_in(b, 10) ? 400000 : 2000) * NS_US;

    peer_waits(&b->quick, ns);
    peer_waits(&b->steps, ns);
    b->stamp += (uint32_t)(ns / NS_MS);
    compare(b, "a while");
}

static bool may_close(const struct both *b)
{
    return peer_state(&b->quick) == TCP_ESTABLISHED || peer_state(&b->quick) == TCP_CLOSE_WAIT;
}

static void step(struct both *b)
{
    switch (below(b, 8)) {
    case 0: write_something(b); break;
    case 1: read_something(b); break;
    case 2: wait_a_while(b); break;
    case 3: compare_frames(b); break;
    case 4:
        if (b->is_ending && may_close(b) && one_in(b, 5)) {
            close_side(b);
            break;
        }
        send_something(b);
        break;
    default: send_something(b); break;
    }
}

TEST(predict_makes_no_difference)
{
    static const struct peer_setup setups[] = {
        {.options = "mss 1000,sackOK,TS val 100 ecr 0,nop,wscale 7"},
        {.options = "mss 1460,sackOK,TS val 100 ecr 0", .lends_frames = true},
        {.options = "mss 700,sackOK"},
        {.options = "mss 1000", .lends_frames = true},
    };
    uint64_t state = test_seed();
    size_t calm = 0, ended = 0, taken_short = 0, compared = 0;

    for (size_t i = 0; i < 48; i++) {
        struct peer_setup setup = setups[i % 4];
        struct both b = {.quick = peer_with(TCP_ESTABLISHED, setup),
                         .steps = peer_with(TCP_ESTABLISHED, setup),
                         .state = state,
                         .stamp = 100,
                         .is_quiet = i % 3 == 0,
                         .is_ending = i % 4 == 3 || i % 5 == 0};
        b.steps.goes_by_steps = true;
        for (int k = 0; k < 250 && is_alive(&b); k++)
            step(&b);
        compare_frames(&b);
        EXPECT_EQ(b.quick.expected, b.steps.expected);
        EXPECT(b.quick.expected > 10 || b.is_ending);
        ended += !is_alive(&b);
        calm += b.quick.calm;
        taken_short += b.quick.taken_short;
        compared += b.quick.compared;
        state = b.state;
        tcp_world_end(b.quick.world);
        tcp_world_end(b.steps.world);
    }
    EXPECT(calm > 300);
    EXPECT(taken_short > 500);
    EXPECT(compared > 300);
    EXPECT(ended > 5);
}
