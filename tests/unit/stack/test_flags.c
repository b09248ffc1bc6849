/*
 * test_flags.c - all 512 sets of flags, in every state
 *
 * A peer made by hand brings one connection after the other to a state and sends one segment,
 * in order and acknowledging what it should. Nothing breaks, a reset resets, and bits that
 * mean nothing here change nothing.
 */
#include "lib/test.h"
#include "lib/world.h"
#include "wire/tcp.h"
#include <string.h>

enum { ISN = 0x7ffffffe, PEER_ISN = 0xfffffff0u & 0x7fffffff };

struct talk {
    struct world *w;
    weir_listener_t listener;
    uint16_t port;
    weir_conn_t conn;
    uint32_t seq, ack;
};

static void say(struct talk *t, uint16_t flags, size_t len)
{
    static struct packet p;
    struct packet_ip ip = {.src = world_endpoint(t->w, 4, t->port),
                           .dst = world_endpoint(t->w, 0, WORLD_PORT)};
    struct packet_tcp tcp = {.flags = flags, .seq = t->seq, .ack = t->ack, .len = len};

    packet_make_tcp(&p, &ip, &tcp);
    world_injects(t->w, 0, &p);
}

static void established(struct talk *t)
{
    weir_tcp_next_isn(world_stack(t->w, 0), ISN);
    say(t, TCP_SYN, 0);
    t->seq++;
    t->ack = (uint32_t)ISN + 1;
    say(t, TCP_ACK, 0);
    EXPECT_EQ(weir_accept(world_stack(t->w, 0), t->listener, &t->conn), WEIR_OK);
}

static void shut(struct talk *t)
{
    EXPECT_EQ(weir_shutdown(world_stack(t->w, 0), t->conn), WEIR_OK);
    world_pump(t->w);
}

static void active(struct talk *t)
{
    struct weir_endpoint local = world_endpoint(t->w, 0, WORLD_PORT);
    struct weir_endpoint remote = world_endpoint(t->w, 4, t->port);

    weir_tcp_next_isn(world_stack(t->w, 0), ISN);
    EXPECT_EQ(weir_connect(world_stack(t->w, 0), &local, &remote, &t->conn), WEIR_OK);
    world_pump(t->w);
    t->ack = (uint32_t)ISN + 1;
}

/* Brings a new connection to a state. */
static void bring_to(struct talk *t, enum weir_tcp_state state)
{
    t->port++;
    t->seq = PEER_ISN;
    t->ack = 0;
    t->conn = 0;
    switch (state) {
    case WEIR_TCP_CLOSED:
    case WEIR_TCP_LISTEN: return;
    case WEIR_TCP_SYN_SENT: active(t); return;
    case WEIR_TCP_SYN_RECEIVED:
        weir_tcp_next_isn(world_stack(t->w, 0), ISN);
        say(t, TCP_SYN, 0);
        t->seq++;
        t->ack = (uint32_t)ISN + 1;
        return;
    default: established(t);
    }
    if (state == WEIR_TCP_CLOSE_WAIT || state == WEIR_TCP_LAST_ACK) {
        say(t, TCP_FIN | TCP_ACK, 0);
        t->seq++;
    }
    if (state != WEIR_TCP_ESTABLISHED && state != WEIR_TCP_CLOSE_WAIT)
        shut(t);
    if (state == WEIR_TCP_FIN_WAIT_2 || state == WEIR_TCP_TIME_WAIT) {
        t->ack++;
        say(t, TCP_ACK, 0);
    }
    if (state == WEIR_TCP_CLOSING || state == WEIR_TCP_TIME_WAIT) {
        say(t, TCP_FIN | TCP_ACK, 0);
        t->seq++;
    }
    if (state == WEIR_TCP_FIN_WAIT_1 || state == WEIR_TCP_CLOSING || state == WEIR_TCP_LAST_ACK)
        t->ack++; /* what comes next acknowledges our FIN */
}

static enum weir_tcp_state state_of(struct talk *t)
{
    struct weir_tcp_info info = {.state = WEIR_TCP_CLOSED};

    if (t->conn != 0)
        EXPECT_EQ(weir_tcp_info(world_stack(t->w, 0), t->conn, &info), WEIR_OK);
    return info.state;
}

static const struct world_seen *answer(const struct talk *t)
{
    return t->w->log_count > 0 ? world_last(t->w, 0) : NULL;
}

static void expect_of_listener(struct talk *t, uint16_t flags)
{
    const struct world_seen *a = answer(t);
    bool opens = (flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
    uint16_t ece = (flags & (TCP_ECE | TCP_CWR)) == (TCP_ECE | TCP_CWR) ? TCP_ECE : 0;

    EXPECT_EQ(world_stats(t->w, 0).half_open, opens);
    if (flags & TCP_RST)
        EXPECT(a == NULL);
    else if (flags & TCP_ACK)
        EXPECT(a != NULL && (a->view.flags & TCP_RST));
    else if (opens) /* whatever else; ECE and CWR together ask for ECN [RFC3168 6.1.1] */
        EXPECT(a != NULL && a->view.flags == (TCP_SYN | TCP_ACK | ece));
    else
        EXPECT(a == NULL);
}

static void expect_of_closed(struct talk *t, uint16_t flags)
{
    const struct world_seen *a = answer(t);

    EXPECT((a != NULL) == !(flags & TCP_RST));
    if (a == NULL)
        return;
    EXPECT(a->view.flags & TCP_RST);
    EXPECT_EQ((a->view.flags & TCP_ACK) != 0, !(flags & TCP_ACK));
}

static void expect_of_syn_sent(struct talk *t, uint16_t flags)
{
    uint16_t f = flags & (TCP_SYN | TCP_ACK | TCP_RST);

    EXPECT_EQ(state_of(t), f == (TCP_RST | TCP_ACK) || f == (TCP_RST | TCP_ACK | TCP_SYN)
                               ? WEIR_TCP_CLOSED
                           : f == TCP_SYN ? WEIR_TCP_SYN_RECEIVED
                           : f == (TCP_SYN | TCP_ACK)
                               ? (flags & TCP_FIN ? WEIR_TCP_CLOSE_WAIT : WEIR_TCP_ESTABLISHED)
                               : WEIR_TCP_SYN_SENT);
}

static void expect_of_half_open(struct talk *t, uint16_t flags)
{
    weir_conn_t c = 0;
    bool is_reset = flags & TCP_RST;
    bool completes = (flags & (TCP_RST | TCP_SYN | TCP_ACK)) == TCP_ACK;

    EXPECT_EQ(world_stats(t->w, 0).half_open, !is_reset && !completes);
    EXPECT_EQ(weir_accept(world_stack(t->w, 0), t->listener, &c),
              completes ? WEIR_OK : WEIR_EAGAIN);
    t->conn = c;
    if (completes)
        EXPECT_EQ(state_of(t), flags & TCP_FIN ? WEIR_TCP_CLOSE_WAIT : WEIR_TCP_ESTABLISHED);
}

/* Where a segment without SYN or RST leads, which acknowledges all and may bring a FIN. */
static enum weir_tcp_state next_state(enum weir_tcp_state state, bool has_fin)
{
    switch (state) {
    case WEIR_TCP_ESTABLISHED: return has_fin ? WEIR_TCP_CLOSE_WAIT : state;
    case WEIR_TCP_FIN_WAIT_1: return has_fin ? WEIR_TCP_TIME_WAIT : WEIR_TCP_FIN_WAIT_2;
    case WEIR_TCP_FIN_WAIT_2: return has_fin ? WEIR_TCP_TIME_WAIT : state;
    case WEIR_TCP_CLOSING: return WEIR_TCP_TIME_WAIT;
    case WEIR_TCP_LAST_ACK: return WEIR_TCP_CLOSED;
    default: return state;
    }
}

static void expect_of_synchronized(struct talk *t, enum weir_tcp_state state, uint16_t flags)
{
    enum weir_tcp_state wanted = state;

    if (state == WEIR_TCP_TIME_WAIT) {
        EXPECT_EQ(world_stats(t->w, 0).timewaits, 1);
        EXPECT_EQ(state_of(t), state);
        return;
    }
    if (flags & TCP_RST)
        wanted = WEIR_TCP_CLOSED;
    else if (!(flags & TCP_SYN) && (flags & TCP_ACK))
        wanted = next_state(state, flags & TCP_FIN);
    if (state_of(t) != wanted)
        FAIL("flags %03x in %s lead to %s", flags, weir_tcp_state_name(state),
             weir_tcp_state_name(state_of(t)));
}

static void expect_after(struct talk *t, enum weir_tcp_state state, uint16_t flags)
{
    if (state == WEIR_TCP_CLOSED)
        expect_of_closed(t, flags);
    else if (state == WEIR_TCP_LISTEN)
        expect_of_listener(t, flags);
    else if (state == WEIR_TCP_SYN_SENT)
        expect_of_syn_sent(t, flags);
    else if (state == WEIR_TCP_SYN_RECEIVED)
        expect_of_half_open(t, flags);
    else
        expect_of_synchronized(t, state, flags);
}

static void try_one(struct talk *t, enum weir_tcp_state state, uint16_t flags, size_t len)
{
    bring_to(t, state);
    if (t->conn != 0)
        EXPECT_EQ(state_of(t), state);
    world_forgets(t->w);
    say(t, flags, len);
    if (len == 0 || state <= WEIR_TCP_LISTEN)
        expect_after(t, state, flags);
    if (t->conn == 0 && t->listener != 0)
        (void)weir_accept(world_stack(t->w, 0), t->listener, &t->conn);
    if (t->conn != 0)
        EXPECT_EQ(weir_abort(world_stack(t->w, 0), t->conn), WEIR_OK);
    /* Nothing is left for the next one. */
    world_run(t->w, 70 * WEIR_S);
    world_expects_nothing_left(t->w, 0);
    EXPECT_EQ(world_stats(t->w, 0).timewaits, 0);
}

TEST(all_sets_of_flags_in_every_state)
{
    for (int state = WEIR_TCP_CLOSED; state < WEIR_TCP_STATES; state++)
        for (size_t len = 0; len <= 10; len += 10) {
            struct weir_config config = world_config();
            struct talk t = {.port = 1000};
            config.tcp.timestamps = false;
            config.slab_bytes = 16384; /* makes and breaks them faster */
            config.buffer_large = 8192;
            t.w = world_make(
                &(struct world_setup){.stacks = 1, .config = &config, .is_v6 = state % 2 == 0});
            if (state != WEIR_TCP_CLOSED && state != WEIR_TCP_SYN_SENT)
                t.listener = world_listen(t.w, 0, WORLD_PORT, 5);
            for (uint16_t flags = 0; flags <= TCP_FLAGS; flags++)
                try_one(&t, (enum weir_tcp_state)state, flags, len);
            world_end(t.w);
        }
}
