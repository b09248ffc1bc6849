/* test_scoreboard.c - what is under way, against a model that has a letter for each byte */
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/scoreboard.h"
#include <string.h>

enum { MODEL_LEN = 4000 };

/* Of each byte: '.' not sent, 'f' in flight, 'l' lost, 's' selectively acknowledged, 'a' gone. */
struct model {
    char bytes[MODEL_LEN];
    uint32_t una, nxt;
};

struct board_test {
    struct peer p;
    struct model m;
    seq_t start;
    struct delivery d;
};

static struct board_test board_test(void)
{
    struct board_test t = {
        .p = peer_with(TCP_ESTABLISHED, (struct peer_setup){.options = "mss 100,sackOK"})};

    memset(t.m.bytes, '.', sizeof t.m.bytes);
    t.start = t.p.conn->snd.una;
    return t;
}

static seq_t seq_at(const struct board_test *t, uint32_t i)
{
    return seq_add(t->start, i);
}

static void reset_delivery(struct board_test *t)
{
    t->d = (struct delivery){.first_sent_at = NEVER, .last_sent_at = NEVER};
}

static void send_new(struct board_test *t, uint32_t len)
{
    struct tcp_conn *c = t->p.conn;

    EXPECT(scoreboard_reserve(c, t->p.env));
    scoreboard_on_sent(c, t->p.env, seq_at(t, t->m.nxt), seq_at(t, t->m.nxt + len),
                       (len + 99) / 100);
    memset(t->m.bytes + t->m.nxt, 'f', len);
    t->m.nxt += len;
    c->snd.nxt = seq_at(t, t->m.nxt);
}

static void sack(struct board_test *t, uint32_t from, uint32_t to)
{
    reset_delivery(t);
    scoreboard_on_sacked(t->p.conn, t->p.env, seq_at(t, from), seq_at(t, to), &t->d);
    for (uint32_t i = from; i < to; i++)
        t->m.bytes[i] = 's';
}

static void ack(struct board_test *t, uint32_t una)
{
    reset_delivery(t);
    t->p.conn->snd.una = seq_at(t, una);
    scoreboard_on_acked(t->p.conn, t->p.env, seq_at(t, una), &t->d);
    memset(t->m.bytes, 'a', una);
    t->m.una = una;
}

/* Marks the record that begins at i, as the model has it. */
static void lose_oldest(struct board_test *t)
{
    struct sent *sent = scoreboard_oldest(t->p.conn);

    if (sent == NULL)
        return;
    for (seq_t s = sent->start; seq_lt(s, sent->end); s = seq_add(s, 1))
        t->m.bytes[seq_len(t->start, s)] = 'l';
    scoreboard_mark_lost(t->p.conn, t->p.env, sent);
}

static void resend_first_lost(struct board_test *t, uint32_t most)
{
    struct sent *lost = scoreboard_first_lost(t->p.conn);
    uint32_t from, len;

    if (lost == NULL)
        return;
    EXPECT(scoreboard_reserve(t->p.conn, t->p.env));
    from = seq_len(t->start, lost->start);
    len = seq_len(lost->start, lost->end);
    len = len < most ? len : most;
    scoreboard_on_resent(t->p.conn, t->p.env, seq_at(t, from), seq_at(t, from + len));
    memset(t->m.bytes + from, 'f', len);
}

static uint32_t count(const struct model *m, char what)
{
    uint32_t n = 0;

    for (uint32_t i = m->una; i < m->nxt; i++)
        n += m->bytes[i] == what;
    return n;
}

static void compare(const struct board_test *t)
{
    const struct scoreboard *b = &t->p.conn->work->scoreboard;

    EXPECT_EQ(b->in_flight_bytes, count(&t->m, 'f'));
    EXPECT_EQ(b->lost_bytes, count(&t->m, 'l'));
    EXPECT_EQ(b->sacked_bytes, count(&t->m, 's'));
    scoreboard_check(t->p.conn);
}

/* The connection was never told: nothing is under way for its own checks. */
static void end(struct board_test *t)
{
    ack(t, t->m.nxt);
    compare(t);
    EXPECT_EQ(t->p.conn->work->scoreboard.count, 0);
    t->p.conn->snd.una = t->start;
    t->p.conn->snd.nxt = t->start;
}

static void step(struct board_test *t, uint64_t *random)
{
    uint32_t flight = t->m.nxt - t->m.una;
    uint32_t from = t->m.una + test_random_below(random, flight + 1);
    uint32_t to = from + test_random_below(random, t->m.nxt - from + 1);

    t->p.env->now += test_random_below(random, 3) * NS_MS;
    switch (test_random_below(random, 8)) {
    case 0:
    case 1:
    case 2:
        if (t->m.nxt + 300 < MODEL_LEN)
            send_new(t, 1 + test_random_below(random, 300));
        break;
    case 3:
    case 4:
        if (from < to)
            sack(t, from, to);
        break;
    case 5: lose_oldest(t); break;
    case 6: resend_first_lost(t, 1 + test_random_below(random, 150)); break;
    case 7:
        if (test_random_below(random, 4) == 0 && from > t->m.una)
            ack(t, from);
        break;
    }
}

TEST(scoreboard_is_what_a_byte_by_byte_model_is)
{
    uint64_t random = test_seed();

    for (int run = 0; run < 200; run++) {
        struct board_test t = board_test();
        for (int i = 0; i < 200; i++) {
            step(&t, &random);
            compare(&t);
        }
        end(&t);
    }
}

TEST(scoreboard_has_one_record_for_what_is_sent_at_one_instant)
{
    struct board_test t = board_test();

    send_new(&t, 100);
    send_new(&t, 100);
    EXPECT_EQ(t.p.conn->work->scoreboard.count, 1);
    EXPECT_EQ(scoreboard_first(t.p.conn)->segs, 2);
    t.p.env->now += 1;
    send_new(&t, 100);
    EXPECT_EQ(t.p.conn->work->scoreboard.count, 2);
    end(&t);
}

TEST(scoreboard_tells_what_is_new_and_what_was_known)
{
    struct board_test t = board_test();

    send_new(&t, 1000);
    sack(&t, 300, 500);
    EXPECT_EQ(t.d.delivered_bytes, 200);
    EXPECT_EQ(t.d.sacked_bytes, 200);
    sack(&t, 200, 600);
    EXPECT_EQ(t.d.delivered_bytes, 200);
    sack(&t, 200, 600);
    EXPECT_EQ(t.d.delivered_bytes, 0);
    ack(&t, 700);
    EXPECT_EQ(t.d.delivered_bytes, 300);
    EXPECT_EQ(t.d.sacked_bytes, 0);
    EXPECT(!t.d.resent_acked);
    end(&t);
}

TEST(scoreboard_takes_no_time_from_what_was_sent_again) /* [RFC6298 3] */
{
    struct board_test t = board_test();

    send_new(&t, 100);
    t.p.env->now += NS_MS;
    send_new(&t, 100);
    lose_oldest(&t);
    resend_first_lost(&t, 100);
    ack(&t, 200);
    EXPECT(t.d.resent_acked);
    EXPECT(t.d.first_sent_at == NEVER); /* the second segment may have waited for the first */
    end(&t);
}

TEST(scoreboard_gives_what_is_lost_in_the_order_of_the_numbers)
{
    struct board_test t = board_test();

    for (int i = 0; i < 6; i++) {
        send_new(&t, 100);
        t.p.env->now += NS_MS;
    }
    lose_oldest(&t);
    resend_first_lost(&t, 100);
    lose_oldest(&t);
    lose_oldest(&t);
    while (scoreboard_oldest(t.p.conn) != NULL)
        lose_oldest(&t);
    for (uint32_t i = 0; i < 6; i++) {
        EXPECT(seq_eq(scoreboard_first_lost(t.p.conn)->start, seq_at(&t, i * 100)));
        resend_first_lost(&t, 100);
    }
    end(&t);
}

TEST(scoreboard_gives_the_first_before_all_that_is_lost) /* [RFC6298 5.4] */
{
    struct board_test t = board_test();

    for (int i = 0; i < 100; i++) {
        send_new(&t, 10);
        t.p.env->now += NS_MS;
    }
    sack(&t, 10, 20);
    for (int i = 0; i < 99; i++)
        lose_oldest(&t);
    scoreboard_forget_sacks(t.p.conn, t.p.env);
    memset(t.m.bytes + 10, 'l', 10);
    ack(&t, 10);
    EXPECT_EQ(seq_len(t.start, scoreboard_first_lost(t.p.conn)->start), 10);
    end(&t);
}

TEST(scoreboard_takes_back_marks_in_the_order_of_sending)
{
    struct board_test t = board_test();
    ns_t before = 0;

    for (int i = 0; i < 8; i++) {
        send_new(&t, 100);
        t.p.env->now += NS_MS;
    }
    for (int i = 0; i < 5; i++)
        lose_oldest(&t);
    resend_first_lost(&t, 100);
    scoreboard_unmark_lost(t.p.conn);
    for (uint32_t i = 0; i < t.m.nxt; i++)
        t.m.bytes[i] = 'f';
    compare(&t);
    for (struct sent *s = scoreboard_oldest(t.p.conn); s != NULL;
         s = scoreboard_next_oldest(t.p.conn, s)) {
        EXPECT(s->sent_at >= before);
        before = s->sent_at;
    }
    end(&t);
}

/* Every other byte: what cannot be told apart any more counts as not acknowledged. */
TEST(scoreboard_has_a_bound_whatever_is_acknowledged)
{
    struct board_test t = board_test();
    struct tcp_conn *c = t.p.conn;
    uint32_t len = 200000, sacked = 0;

    for (uint32_t i = 0; i < len; i += 1000) {
        EXPECT(scoreboard_reserve(c, t.p.env));
        scoreboard_on_sent(c, t.p.env, seq_at(&t, i), seq_at(&t, i + 1000), 10);
        c->snd.nxt = seq_at(&t, i + 1000);
        t.p.env->now += NS_MS;
    }
    for (uint32_t i = 1; i < len; i += 2) {
        reset_delivery(&t);
        scoreboard_on_sacked(c, t.p.env, seq_at(&t, i), seq_at(&t, i + 1), &t.d);
        sacked += t.d.sacked_bytes;
        EXPECT(c->work->scoreboard.count <= SCOREBOARD_RECORDS);
    }
    EXPECT(sacked > 1000 && sacked < len / 2);
    EXPECT(scoreboard_is_full(c));
    scoreboard_check(c);
    reset_delivery(&t);
    scoreboard_on_sacked(c, t.p.env, seq_at(&t, 1), seq_at(&t, len),
                         &t.d); /* it can still shrink */
    EXPECT(c->work->scoreboard.count <= 2);
    EXPECT(!scoreboard_is_full(c));
    t.m.nxt = 0;
    c->snd.una = c->snd.nxt;
    scoreboard_on_acked(c, t.p.env, c->snd.nxt, &t.d);
    c->snd.una = t.start;
    c->snd.nxt = t.start;
}

/*
 * A peer that acknowledges single bytes, and has the rest sent again, leaves no place for a record of
 * the FIN: it goes when there is one.
 */
TEST(scoreboard_without_places_keeps_the_fin_back)
{
    enum { TEXT = 300000, CHUNK = 5000, MSS = 100 };
    struct peer p =
        peer_with(TCP_ESTABLISHED,
                  (struct peer_setup){.options = "mss 100,sackOK,nop,wscale 7", .window = 65535});
    struct tcp_conn *c = p.conn;
    const struct scoreboard *b = &c->work->scoreboard;
    struct delivery d = {.first_sent_at = NEVER, .last_sent_at = NEVER};
    seq_t start = c->snd.una;

    EXPECT_EQ(tcp_set(c, p.env, WEIR_OPT_SEND_BUFFER, 2 * TEXT), WEIR_OK);
    c->work->cc.cwnd = 2 * TEXT;
    p.gso_bytes = CHUNK;
    peer_sends(&p, ". 1:1(0) ack 1"); /* with a window that is scaled */
    for (uint32_t at = 0; at < TEXT; at += CHUNK) {
        peer_writes(&p, CHUNK);
        peer_skips(&p);
    }
    EXPECT_EQ(seq_len(start, c->snd.nxt), TEXT);
    for (uint32_t i = 1; i < TEXT / 4; i += 2)
        scoreboard_on_sacked(c, p.env, seq_add(start, i), seq_add(start, i + 1), &d);
    EXPECT(scoreboard_is_full(c));
    for (uint32_t at = TEXT - MSS; b->count < SCOREBOARD_RECORDS; at -= MSS)
        scoreboard_on_resent(c, p.env, seq_add(start, at), seq_add(start, at + MSS));
    EXPECT_EQ(tcp_shutdown(c, p.env), WEIR_OK);
    peer_sees_nothing(&p);
    peer_sends(&p, ". 1:1(0) ack 300001");
    peer_sees(&p, "F. 300001:300001(0) ack 1");
}
