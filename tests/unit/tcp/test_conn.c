/* test_conn.c - the life of a connection's record, and every segment in every state */
#include "format/seg_text.h"
#include "lib/check_fails.h"
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/conn.h"
#include "wire/tcp.h"
#include <stdio.h>
#include <string.h>

TEST(conn_can_be_brought_to_every_state) /* [RFC9293 3.3.2] */
{
    for (int state = TCP_CLOSED; state <= TCP_TIME_WAIT; state++) {
        struct peer p = peer_of((enum tcp_state)state);
        EXPECT_EQ(peer_state(&p), state);
    }
}

static void make_established(void *ctx)
{
    struct peer *p = ctx;

    tcp_set_state(p->conn, p->env, TCP_ESTABLISHED);
}

TEST(conn_does_not_change_state_as_figure_5_has_no_arrow_for) /* [RFC9293 3.3.2] */
{
    struct peer p = peer_of(TCP_CLOSED);

    EXPECT(check_fails(make_established, &p));
}

/* ---- one row for each kind of segment [RFC9293 3.10.7.4] ---- */

#define IN(state) (1u << (state))

enum {
    SYNCHRONIZED = IN(TCP_ESTABLISHED) | IN(TCP_FIN_WAIT_1) | IN(TCP_FIN_WAIT_2)
                   | IN(TCP_CLOSE_WAIT) | IN(TCP_CLOSING) | IN(TCP_LAST_ACK),
    CONNECTED = SYNCHRONIZED | IN(TCP_SYN_RECEIVED),
    TAKES_TEXT = IN(TCP_ESTABLISHED) | IN(TCP_FIN_WAIT_1) | IN(TCP_FIN_WAIT_2),
    HAS_FIN = IN(TCP_CLOSE_WAIT) | IN(TCP_CLOSING) | IN(TCP_LAST_ACK),
    SAME = -1,
};

struct row {
    unsigned states;
    const char *sends; /* $ stands for what we expect next, @ for what we send next */
    enum why why;
    const char *sees; /* NULL: nothing */
    int becomes;      /* SAME: no change */
};

static const struct row rows[] = {
    /* first: the sequence number */
    {CONNECTED, ". 80000:80010(10) ack @", WHY_TCP_WINDOW, ". @:@(0) ack $", SAME},
    {CONNECTED, ". 80000:80000(0) ack @", WHY_TCP_WINDOW, ". @:@(0) ack $", SAME},
    {CONNECTED, "F. 80000:80000(0) ack @", WHY_TCP_WINDOW, ". @:@(0) ack $", SAME},
    {CONNECTED, ". 4294967290:4294967295(5) ack @", WHY_TCP_OLD, ". @:@(0) ack $", SAME},
    {CONNECTED, ". 0:0(0) ack @", WHY_TCP_OLD, ". @:@(0) ack $", SAME}, /* a keep-alive probe */
    {CONNECTED, ". 0:1(1) ack @", WHY_TCP_OLD, ". @:@(0) ack $", SAME}, /* with garbage [MAY-6] */
    {HAS_FIN, "F. 1:1(0) ack @", WHY_TCP_OLD, ". @:@(0) ack $", SAME},
    {CONNECTED | IN(TCP_TIME_WAIT), "R. 80000:80000(0) ack @", WHY_TCP_WINDOW, NULL, SAME},
    {CONNECTED, "R 0:0(0)", WHY_TCP_WINDOW, NULL, SAME},
    /* second: a reset [RFC5961 3.2] */
    {CONNECTED, "R $:$(0)", WHY_TCP_RESET, NULL, TCP_CLOSED},
    {CONNECTED, "R. $:$(0) ack 99", WHY_TCP_RESET, NULL, TCP_CLOSED},
    {CONNECTED, "RPU $:$(0) urg 4", WHY_TCP_RESET, NULL, TCP_CLOSED},
    {CONNECTED, "RS $:$(0)", WHY_TCP_RESET, NULL, TCP_CLOSED},
    {CONNECTED, "R 9:9(0)", WHY_TCP_CHALLENGED, ". @:@(0) ack $", SAME},
    {CONNECTED, "R 65535:65535(0)", WHY_TCP_CHALLENGED, ". @:@(0) ack $", SAME},
    {IN(TCP_TIME_WAIT), "R $:$(0)", WHY_TCP_TIME_WAIT, NULL, SAME}, /* [RFC1337] */
    /* fourth: a SYN [RFC5961 4.2] */
    {CONNECTED, "S $:$(0)", WHY_TCP_CHALLENGED, ". @:@(0) ack $", SAME},
    {CONNECTED, "S 0:0(0)", WHY_TCP_CHALLENGED, ". @:@(0) ack $", SAME},
    {CONNECTED, "S 80000:80000(0)", WHY_TCP_CHALLENGED, ". @:@(0) ack $", SAME},
    {SYNCHRONIZED, "S. 0:0(0) ack 1", WHY_TCP_CHALLENGED, ". @:@(0) ack $", SAME},
    {CONNECTED, "SF. 100:105(5) ack @", WHY_TCP_CHALLENGED, ". @:@(0) ack $", SAME},
    /* fifth: the acknowledgement */
    {CONNECTED, "- $:$(0)", WHY_TCP_NO_ACK, NULL, SAME},
    {CONNECTED, "FP 9:19(10)", WHY_TCP_NO_ACK, NULL, SAME},
    {SYNCHRONIZED, ". $:$(0) ack 9", WHY_TCP_BAD_ACK, ". @:@(0) ack $", SAME},
    {SYNCHRONIZED, "P. $:$(0) ack 2147480000", WHY_TCP_BAD_ACK, ". @:@(0) ack $", SAME},
    {SYNCHRONIZED, ". $:$(0) ack 4294800000", WHY_TCP_OLD_ACK, ". @:@(0) ack $", SAME},
    {SYNCHRONIZED, ". $:$(0) ack 0", WHY_NONE, NULL, SAME},
    {IN(TCP_SYN_RECEIVED), ". 1:1(0) ack 9", WHY_TCP_BAD_ACK, "R 9:9(0)", SAME},
    {IN(TCP_SYN_RECEIVED), ". 1:1(0) ack 0", WHY_TCP_BAD_ACK, "R 0:0(0)", SAME},
    {IN(TCP_SYN_RECEIVED), ". 1:1(0) ack 1", WHY_NONE, NULL, TCP_ESTABLISHED},
    {IN(TCP_SYN_RECEIVED), "F. 1:1(0) ack 1", WHY_NONE, ". 1:1(0) ack 2", TCP_CLOSE_WAIT},
    {IN(TCP_SYN_RECEIVED), "P. 1:5(4) ack 1", WHY_NONE, ". 1:1(0) ack 5", TCP_ESTABLISHED},
    {IN(TCP_FIN_WAIT_1), ". 1:1(0) ack 2", WHY_NONE, NULL, TCP_FIN_WAIT_2},
    {IN(TCP_CLOSING), ". 2:2(0) ack 2", WHY_NONE, NULL, TCP_TIME_WAIT},
    {IN(TCP_LAST_ACK), ". 2:2(0) ack 2", WHY_NONE, NULL, TCP_CLOSED},
    {IN(TCP_ESTABLISHED) | IN(TCP_CLOSE_WAIT), ". $:$(0) ack 1", WHY_NONE, NULL, SAME},
    /* seventh: the text */
    {TAKES_TEXT, "P. 1:11(10) ack 1", WHY_NONE, ". @:@(0) ack 11", SAME},
    {TAKES_TEXT, "P. 3:11(8) ack 1", WHY_NONE, ". @:@(0) ack 1", SAME},
    {HAS_FIN, "P. 2:11(9) ack 1", WHY_TCP_AFTER_FIN, NULL, SAME},
    /* eighth: the FIN */
    {IN(TCP_ESTABLISHED), "F. 1:1(0) ack 1", WHY_NONE, ". 1:1(0) ack 2", TCP_CLOSE_WAIT},
    {IN(TCP_FIN_WAIT_1), "F. 1:1(0) ack 1", WHY_NONE, ". 2:2(0) ack 2", TCP_CLOSING},
    {IN(TCP_FIN_WAIT_1), "F. 1:1(0) ack 2", WHY_NONE, ". 2:2(0) ack 2", TCP_TIME_WAIT},
    {IN(TCP_FIN_WAIT_2), "F. 1:1(0) ack 2", WHY_NONE, ". 2:2(0) ack 2", TCP_TIME_WAIT},
    {TAKES_TEXT, "F. 11:11(0) ack 1", WHY_NONE, ". @:@(0) ack 1", SAME},
    {HAS_FIN, "F. 2:2(0) ack 1", WHY_NONE, NULL, SAME}, /* a second one is ignored */
    /* TIME-WAIT */
    {IN(TCP_TIME_WAIT), "F. 1:1(0) ack 2", WHY_TCP_TIME_WAIT, ". 2:2(0) ack 2", SAME},
    {IN(TCP_TIME_WAIT), ". 2:2(0) ack 2", WHY_TCP_TIME_WAIT, NULL, SAME},
    {IN(TCP_TIME_WAIT), ". 1:5(4) ack 2", WHY_TCP_TIME_WAIT, ". 2:2(0) ack 2", SAME},
    /* CLOSED, LISTEN and SYN-SENT [RFC9293 3.10.7.1, 3.10.7.2, 3.10.7.3]; 5 is the raw number 0 */
    {IN(TCP_CLOSED), "S 0:0(0)", WHY_TCP_NO_CONN, "R. 5:5(0) ack 1", SAME},
    {IN(TCP_CLOSED), "SF 0:5(5)", WHY_TCP_NO_CONN, "R. 5:5(0) ack 7", SAME},
    {IN(TCP_CLOSED), ". 1:1(0) ack 77", WHY_TCP_NO_CONN, "R 77:77(0)", SAME},
    {IN(TCP_CLOSED), "R 0:0(0)", WHY_TCP_NO_CONN, NULL, SAME},
    {IN(TCP_LISTEN), "R 0:0(0)", WHY_TCP_LISTEN_RST, NULL, SAME},
    {IN(TCP_LISTEN), "RS. 0:0(0) ack 3", WHY_TCP_LISTEN_RST, NULL, SAME},
    {IN(TCP_LISTEN), "S. 0:0(0) ack 3", WHY_TCP_LISTEN_ACK, "R 3:3(0)", SAME},
    {IN(TCP_LISTEN), "F. 0:0(0) ack 3", WHY_TCP_LISTEN_ACK, "R 3:3(0)", SAME},
    {IN(TCP_LISTEN), "F 0:9(9)", WHY_TCP_LISTEN_FLAGS, NULL, SAME},
    {IN(TCP_LISTEN), "- 0:0(0)", WHY_TCP_LISTEN_FLAGS, NULL, SAME},
    {IN(TCP_LISTEN), "S 0:0(0)", WHY_NONE, "S. 0:0(0) ack 1 <...>", TCP_SYN_RECEIVED},
    {IN(TCP_LISTEN), "SP 0:9(9)", WHY_NONE, "S. 0:0(0) ack 1 <...>", TCP_SYN_RECEIVED},
    {IN(TCP_SYN_SENT), ". 1:1(0) ack 9", WHY_TCP_BAD_ACK, "R 9:9(0)", SAME},
    {IN(TCP_SYN_SENT), "S. 0:0(0) ack 0", WHY_TCP_BAD_ACK, "R 0:0(0)", SAME},
    {IN(TCP_SYN_SENT), "R. 0:0(0) ack 9", WHY_TCP_BAD_ACK, NULL, SAME},
    {IN(TCP_SYN_SENT), "R 0:0(0)", WHY_TCP_NO_ACK, NULL, SAME},
    {IN(TCP_SYN_SENT), "R. 0:0(0) ack 1", WHY_TCP_RESET, NULL, TCP_CLOSED},
    {IN(TCP_SYN_SENT), "RS. 0:0(0) ack 1", WHY_TCP_RESET, NULL, TCP_CLOSED},
    {IN(TCP_SYN_SENT), ". 1:1(0) ack 1", WHY_TCP_NO_SYN, NULL, SAME},
    {IN(TCP_SYN_SENT), "F 1:1(0)", WHY_TCP_NO_SYN, NULL, SAME},
    {IN(TCP_SYN_SENT), "S. 0:0(0) ack 1", WHY_NONE, ". 1:1(0) ack 1", TCP_ESTABLISHED},
    {IN(TCP_SYN_SENT), "SF. 0:0(0) ack 1", WHY_NONE, ". 1:1(0) ack 2", TCP_CLOSE_WAIT},
    {IN(TCP_SYN_SENT), "S. 0:5(5) ack 1", WHY_NONE, ". 1:1(0) ack 6", TCP_ESTABLISHED},
    {IN(TCP_SYN_SENT), "S 0:0(0)", WHY_NONE, "S. 0:0(0) ack 1 <...>", TCP_SYN_RECEIVED},
};

static seq_t rcv_nxt(const struct peer *p)
{
    return p->stage == PEER_TIMEWAIT ? p->timewait.rcv_nxt : p->conn->rcv.nxt;
}

/* Puts the connection's numbers in the place of $ and @. */
static void fill_in(char *out, size_t room, const char *text, const struct peer *p)
{
    size_t len = 0;

    for (; *text != '\0'; text++) {
        uint32_t n = *text == '$' ? seq_len(seq_of(PEER_IRS), rcv_nxt(p))
                                  : seq_len(seq_of(PEER_ISS), p->conn->snd.nxt);
        if (*text == '$' || *text == '@')
            len += (size_t)snprintf(out + len, room - len, "%u", n);
        else
            len += (size_t)snprintf(out + len, room - len, "%c", *text);
    }
}

static void run_row(const struct row *row, enum tcp_state state)
{
    struct peer p = peer_of(state);
    char sends[SEG_TEXT_MAX], sees[SEG_TEXT_MAX];
    enum why why;

    fill_in(sends, sizeof sends, row->sends, &p);
    why = peer_sends(&p, sends);
    if (row->sees != NULL) {
        fill_in(sees, sizeof sees, row->sees, &p);
        peer_sees(&p, sees);
    }
    peer_sees_nothing(&p);
    if (state != TCP_TIME_WAIT && why != row->why)
        FAIL("state %d, \"%s\": why is %d", state, sends, why);
    if ((int)peer_state(&p) != (row->becomes == SAME ? (int)state : row->becomes))
        FAIL("state %d, \"%s\": becomes %d", state, sends, peer_state(&p));
    tcp_world_end(p.world);
}

TEST(conn_answers_each_kind_of_segment_in_each_state_as_the_rfc_says) /* [RFC9293 3.10.7] */
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (unsigned state = TCP_CLOSED; state <= TCP_TIME_WAIT; state++)
            if (rows[i].states & IN(state))
                run_row(&rows[i], (enum tcp_state)state);
}

/* ---- every set of flags ---- */

static void letters_of(uint16_t flags, char *letters)
{
    static const char all[] = "FSRP.UEWA"; /* of these bits: */
    static const uint16_t bits[] = {TCP_FIN, TCP_SYN, TCP_RST, TCP_PSH, TCP_ACK,
                                    TCP_URG, TCP_ECE, TCP_CWR, TCP_AE};
    size_t len = 0;

    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++)
        if (flags & bits[i])
            letters[len++] = all[i];
    if (len == 0)
        letters[len++] = '-';
    letters[len] = '\0';
}

/* How many answers a segment may cause at most: an ACK and a reset would be one too many. */
static void send_one(enum tcp_state state, uint16_t flags, const char *rest)
{
    struct peer p = peer_of(state);
    char letters[16], text[SEG_TEXT_MAX];

    letters_of(flags, letters);
    snprintf(text, sizeof text, "%s %s", letters, rest);
    if (!(flags & TCP_ACK))
        *strstr(text, " ack") = '\0';
    peer_sends(&p, text);
    EXPECT(peer_skips(&p) <= 1);
    peer_waits(&p, 200 * NS_MS);
    EXPECT(peer_skips(&p) <= 1);
    tcp_world_end(p.world);
}

TEST(conn_survives_all_512_sets_of_flags_in_every_state)
{
    static const char *const rests[] = {
        "1:1(0) ack 1", "1:11(10) ack 2", "0:0(0) ack 1", "5:11(6) ack 5", "90000:90001(1) ack 1",
    };

    for (unsigned state = TCP_CLOSED; state <= TCP_TIME_WAIT; state++)
        for (uint16_t flags = 0; flags <= TCP_FLAGS; flags++)
            for (size_t i = 0; i < sizeof rests / sizeof *rests; i++)
                send_one((enum tcp_state)state, flags, rests[i]);
}

/* ---- traces ---- */

struct log {
    unsigned counts[WEIR_TRACE_KIND_COUNT];
    enum weir_tcp_state states[16];
    size_t state_count;
};

static void note_event(void *ctx, const struct weir_trace *event)
{
    struct log *log = ctx;

    log->counts[event->kind]++;
    EXPECT_EQ(event->conn, 77);
    EXPECT_EQ(event->remote.port, 80);
    if (event->kind == WEIR_TRACE_STATE)
        log->states[log->state_count++] = event->to;
    if (event->kind == WEIR_TRACE_TIMER || event->kind == WEIR_TRACE_CWND
        || event->kind == WEIR_TRACE_RECOVERY || event->kind == WEIR_TRACE_APP)
        EXPECT(event->text != NULL);
}

static uint64_t name_of(const struct tcp_env *env, const struct tcp_conn *c)
{
    (void)env;
    (void)c;
    return 77;
}

/* A connection that loses a segment and closes; its outputs do not depend on who listens. */
static struct log converse(bool is_heard)
{
    struct peer p = peer_of(TCP_CLOSED);
    struct log log = {.state_count = 0};

    if (is_heard)
        p.world->tracer = (struct tracer){note_event, &log};
    p.env->handle_of = name_of;
    peer_brings_to(&p, TCP_ESTABLISHED);
    peer_writes(&p, 5000);
    peer_skips(&p);
    EXPECT_EQ(peer_waits_for_frame(&p), 300 * NS_MS);
    peer_sees(&p, ". 1:1461(1460) ack 1");
    peer_sends(&p, "P. 1:11(10) ack 5001");
    EXPECT_EQ(peer_reads(&p, 100), 10);
    peer_sees(&p, ". 5001:5001(0) ack 11");
    tcp_close(p.conn, p.env);
    peer_sees(&p, "F. 5001:5001(0) ack 11");
    peer_sends(&p, "F. 11:11(0) ack 5002");
    peer_sees(&p, ". 5002:5002(0) ack 12");
    tcp_world_end(p.world);
    return log;
}

TEST(conn_tells_a_tracer_what_it_does_and_does_the_same_without)
{
    static const enum weir_tcp_state states[] = {WEIR_TCP_SYN_SENT, WEIR_TCP_ESTABLISHED,
                                                 WEIR_TCP_FIN_WAIT_1, WEIR_TCP_FIN_WAIT_2,
                                                 WEIR_TCP_TIME_WAIT};
    struct log heard = converse(true), unheard = converse(false);

    EXPECT_EQ(heard.state_count, sizeof states / sizeof *states);
    EXPECT_MEM(heard.states, states, sizeof states);
    EXPECT(heard.counts[WEIR_TRACE_APP] >= 4); /* connect, send, receive, close */
    EXPECT(heard.counts[WEIR_TRACE_TIMER] >= 1);
    EXPECT(heard.counts[WEIR_TRACE_RECOVERY] >= 2);
    EXPECT(heard.counts[WEIR_TRACE_CWND] >= 3);
    EXPECT(heard.counts[WEIR_TRACE_RTT] >= 1);
    EXPECT_EQ(unheard.state_count, 0);
}
