/* test_works.c - the work of a connection that has ended serves the next one */
#include "lib/peer.h"
#include "lib/test.h"
#include "tcp/works.h"
#include <string.h>

/* It has sent and received a byte, and both sides have closed. */
static void converse(struct peer *p)
{
    peer_writes(p, 1);
    peer_sees(p, "P. 1:2(1) ack 1");
    peer_sends(p, "P. 1:2(1) ack 2");
    EXPECT_EQ(peer_reads(p, 1), 1);
    tcp_close(p->conn, p->env);
    peer_sees(p, "F. 2:2(0) ack 2");
    peer_sends(p, "F. 2:2(0) ack 3");
}

static struct peer peer_lending(void)
{
    return peer_with(TCP_ESTABLISHED, (struct peer_setup){.lends_frames = true});
}

TEST(works_bring_along_empty_places_and_nothing_else)
{
    struct peer p = peer_lending();
    struct tcp_work *work = p.conn->work;
    struct tcp_conn other;

    converse(&p);
    peer_skips(&p);
    tcp_conn_fini(p.conn, p.env);
    EXPECT_EQ(p.env->kept_count, 1);
    EXPECT(tcp_conn_init(&other, p.env) && tcp_work_attach(&other, p.env));
    EXPECT(other.work == work);
    EXPECT_EQ(p.env->kept_count, 0);
    EXPECT(work->sendq.spare != NULL && work->sendq.spare->len == 0);
    EXPECT(work->recvq.spare != NULL && work->recvq.spare->len == 0);
    EXPECT(work->scoreboard.spare != NULL);
    EXPECT_EQ(work->data_segs_in, 0);
    EXPECT_EQ(work->bytes_sent, 0);
    EXPECT_EQ(work->sent_at, 0);
    tcp_conn_fini(&other, p.env);
}

TEST(works_leave_bytes_alone_that_a_driver_still_has)
{
    struct peer p = peer_lending();
    struct tcp_work *work = p.conn->work;

    p.keeps_frames = true;
    converse(&p);
    peer_skips(&p);
    EXPECT(work->sendq.spare != NULL);
    tcp_conn_fini(p.conn, p.env);
    EXPECT_EQ(p.env->kept_count, 1);
    EXPECT(work->sendq.spare == NULL);
    EXPECT(work->recvq.spare != NULL);
}

TEST(works_with_something_in_them_go_back_at_once)
{
    struct peer p = peer_lending();

    peer_writes(&p, 1);
    peer_skips(&p);
    tcp_conn_fini(p.conn, p.env);
    EXPECT_EQ(p.env->kept_count, 0);
    EXPECT_EQ(p.env->works.used, 0);
}

TEST(works_do_not_wait_where_memory_is_little)
{
    struct peer p = peer_lending();

    converse(&p);
    peer_skips(&p);
    p.world->mem.limit = 256 * 1024;
    tcp_conn_fini(p.conn, p.env);
    EXPECT_EQ(p.env->kept_count, 1);
    works_trim(p.env);
    EXPECT_EQ(p.env->kept_count, 0);
    EXPECT_EQ(p.env->works.used, 0);

    p = peer_lending();
    converse(&p);
    peer_skips(&p);
    p.world->mem.limit = 128 * 1024;
    tcp_conn_fini(p.conn, p.env);
    EXPECT_EQ(p.env->kept_count, 0);
}

TEST(works_wait_in_a_limited_number)
{
    struct peer p = peer_of(TCP_CLOSED);
    struct tcp_conn conns[100];

    for (int i = 0; i < 100; i++)
        EXPECT(tcp_conn_init(&conns[i], p.env) && tcp_work_attach(&conns[i], p.env));
    for (int i = 0; i < 100; i++)
        tcp_conn_fini(&conns[i], p.env);
    EXPECT_EQ(p.env->kept_count, 64);
    EXPECT_EQ(p.env->works.used, 64);
}
