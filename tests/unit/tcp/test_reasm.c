/* test_reasm.c - text that arrived out of order, against a model that is an array of bytes */
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/input.h"
#include "tcp/reasm.h"
#include "wire/tcp.h"
#include <stdio.h>
#include <string.h>

enum { MODEL_LEN = 6000 };

/* What has arrived, and how much of it is in order. */
struct model {
    bool here[MODEL_LEN];
    uint32_t nxt;
};

static void model_add(struct model *m, uint32_t at, uint32_t len)
{
    for (uint32_t i = at; i < at + len; i++)
        m->here[i] = true;
    while (m->nxt < MODEL_LEN && m->here[m->nxt])
        m->nxt++;
}

static uint32_t model_holes(const struct model *m)
{
    uint32_t runs = 0;

    for (uint32_t i = m->nxt + 1; i < MODEL_LEN; i++)
        runs += m->here[i] && !m->here[i - 1];
    return runs;
}

static uint32_t model_kept(const struct model *m)
{
    uint32_t kept = 0;

    for (uint32_t i = m->nxt; i < MODEL_LEN; i++)
        kept += m->here[i];
    return kept;
}

static enum why send_run(struct peer *p, uint32_t at, uint32_t len, bool fin)
{
    char text[64];

    snprintf(text, sizeof text, "%s. %u:%u(%u) ack 1", fin ? "F" : "", at + 1, at + len + 1, len);
    return peer_sends(p, text);
}

static void run_against_model(uint64_t *random, bool lends)
{
    struct peer p = peer_with(TCP_ESTABLISHED, (struct peer_setup){.lends_frames = lends});
    struct model m = {.nxt = 0};

    while (m.nxt < MODEL_LEN) {
        uint32_t at = test_random_below(random, MODEL_LEN);
        uint32_t len = 1 + test_random_below(random, test_random_below(random, 8) ? 60 : 1400);
        if (test_random_below(random, 12) == 0) /* so that it comes to an end */
            at = m.nxt;
        if (len > MODEL_LEN - at)
            len = MODEL_LEN - at;
        if (send_run(&p, at, len, at + len == MODEL_LEN) != WHY_TCP_REASSEMBLY)
            model_add(&m, at, len);
        peer_skips(&p);
        EXPECT(seq_len(seq_of(PEER_IRS + 1), p.conn->rcv.nxt) >= m.nxt);
        if (m.nxt == MODEL_LEN)
            break;
        EXPECT_EQ(reasm_bytes(p.conn), model_kept(&m));
        EXPECT_EQ(p.conn->work->reasm == NULL ? 0 : p.conn->work->reasm->count, model_holes(&m));
        peer_reads(&p, test_random_below(random, 3000) + 1);
    }
    peer_reads(&p, MODEL_LEN);
    EXPECT_EQ(p.read, MODEL_LEN);
    EXPECT_EQ(p.conn->state, TCP_CLOSE_WAIT);
    EXPECT(p.conn->work->reasm == NULL);
    tcp_world_end(p.world);
}

TEST(reasm_is_like_an_array_of_bytes) /* [RFC9293 SHLD-31] */
{
    uint64_t random = test_seed();

    for (int i = 0; i < 60; i++)
        run_against_model(&random, i % 2 == 0);
}

TEST(reasm_joins_what_touches)
{
    struct peer p = peer_of(TCP_ESTABLISHED);
    struct reasm *r;

    send_run(&p, 100, 100, false);
    send_run(&p, 300, 100, false);
    r = p.conn->work->reasm;
    EXPECT_EQ(r->count, 2);
    send_run(&p, 200, 50, false); /* behind the first */
    EXPECT_EQ(r->count, 2);
    send_run(&p, 280, 20, false); /* before the second */
    EXPECT_EQ(r->count, 2);
    send_run(&p, 240, 50, false); /* overlaps both */
    EXPECT_EQ(r->count, 1);
    EXPECT_EQ(r->bytes, 300);
    EXPECT_EQ(send_run(&p, 120, 80, false), WHY_TCP_OLD);
    send_run(&p, 50, 600, false); /* around all of it */
    EXPECT_EQ(r->count, 1);
    EXPECT_EQ(r->bytes, 600);
    send_run(&p, 0, 50, false);
    EXPECT_EQ(peer_reads(&p, 1000), 650);
}

TEST(reasm_has_a_cap_on_holes)
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    p.env->config.reassembly_holes = 4;
    for (uint32_t i = 1; i <= 4; i++)
        EXPECT_EQ(send_run(&p, 100 * i, 50, false), WHY_NONE);
    EXPECT_EQ(send_run(&p, 500, 50, false), WHY_TCP_REASSEMBLY);
    EXPECT_EQ(send_run(&p, 450, 50, false), WHY_NONE); /* makes no new one */
    EXPECT_EQ(send_run(&p, 50, 50, false), WHY_NONE);
    EXPECT_EQ(send_run(&p, 0, 50, false), WHY_NONE);
    EXPECT_EQ(peer_reads(&p, 1000), 150);
}

TEST(reasm_has_so_many_holes_at_most_whatever_is_configured)
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    p.env->config.reassembly_holes = UINT32_MAX;
    p.conn->recv_buffer_bytes = 1 << 24; /* what the pieces cost is not the limit here */
    for (uint32_t i = 1; i <= REASM_BLOCKS; i++)
        EXPECT_EQ(send_run(&p, 7 * i, 5, false), WHY_NONE);
    EXPECT_EQ(send_run(&p, 60000, 5, false), WHY_TCP_REASSEMBLY);
    for (uint32_t i = 0; i <= REASM_BLOCKS; i++)
        send_run(&p, 7 * i, 7, false);
    EXPECT_EQ(peer_reads(&p, 60000), 7 * (REASM_BLOCKS + 1));
}

TEST(reasm_keeps_what_was_first_when_segments_overlap)
{
    struct peer p = peer_of(TCP_ESTABLISHED);
    struct tcp_arrival forged = {0};
    uint8_t bytes[20];

    send_run(&p, 10, 5, false);
    tcp_arrival_fill(p.world, &forged, 999, 10, true); /* other bytes, from 8 to 18 */
    forged.seg.seq = seq_of(PEER_IRS + 1 + 8);
    forged.seg.ack = seq_of(PEER_ISS + 1);
    forged.seg.flags = TCP_ACK;
    forged.seg.wnd = 1000;
    EXPECT_EQ(tcp_input(p.conn, p.env, &forged.seg), WHY_NONE);
    tcp_arrival_done(p.world, &forged);
    send_run(&p, 0, 20, false);
    EXPECT_EQ(tcp_recv(p.conn, p.env, bytes, sizeof bytes), 20);
    tcp_world_check_bytes(bytes, 8, 0);
    tcp_world_check_bytes(bytes + 10, 5, 10);
}

TEST(reasm_knows_an_end_without_text)
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    EXPECT_EQ(send_run(&p, 10, 0, true), WHY_NONE);
    EXPECT(p.conn->work->reasm->fin_known);
    EXPECT_EQ(p.conn->work->reasm->count, 0);
    send_run(&p, 0, 10, false);
    EXPECT_EQ(p.conn->state, TCP_CLOSE_WAIT);
    EXPECT_EQ(peer_reads(&p, 100), 10);
}

TEST(reasm_drops_what_lies_behind_the_end)
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    send_run(&p, 20, 10, false);
    send_run(&p, 0, 10, true);
    EXPECT_EQ(p.conn->state, TCP_CLOSE_WAIT);
    EXPECT(p.conn->work->reasm == NULL);
    EXPECT_EQ(peer_reads(&p, 100), 10);
    EXPECT_EQ(peer_reads(&p, 100), 0);
}

TEST(reasm_changes_nothing_when_there_is_no_memory)
{
    struct peer p = peer_of(TCP_ESTABLISHED);

    p.world->alloc.fail_at = p.world->alloc.calls + 1;
    p.world->alloc.fails_from_then = true;
    EXPECT_EQ(send_run(&p, 10, 10, false), WHY_NO_MEMORY);
    EXPECT(p.conn->work->reasm == NULL);
    p.world->alloc.fail_at = 0;
    EXPECT_EQ(send_run(&p, 10, 10, false), WHY_NONE);
}
