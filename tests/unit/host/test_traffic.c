/*
 * test_traffic.c - hosts with a stack that has something to say
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include <weir/host.h>
#include <weir/stats.h>
#include <weir/tcp.h>
#include <weir/udp.h>

#include "lib/test.h"

static struct weir_prefix prefix(const char *text)
{
    struct weir_prefix p;

    EXPECT_EQ(weir_prefix_parse(text, &p), 0);
    return p;
}

static struct weir_endpoint endpoint(const char *text)
{
    struct weir_endpoint e;

    EXPECT_EQ(weir_endpoint_parse(text, &e), 0);
    return e;
}

static struct weir_host *host_with(struct weir_driver **driver, const char *addr)
{
    struct weir_prefix p = prefix(addr);
    struct weir_config config;
    struct weir_host *host;
    weir_netif_t netif;

    weir_host_config(&config);
    EXPECT_EQ(weir_host_create(&config, &host), 0);
    EXPECT_EQ(weir_host_attach(host, driver, &netif), 0);
    EXPECT(*driver == NULL);
    EXPECT_EQ(weir_addr_add(weir_host_stack(host), netif, &p), 0);
    return host;
}

/* ---- two hosts in one thread ---- */

enum { LEN = 300000 };

/* One end of a connection over which LEN bytes go each way. */
struct end {
    struct weir_host *host;
    weir_listener_t listener;
    weir_conn_t conn;
    size_t sent, received;
    bool ended, closed;
};

static uint8_t byte_at(size_t i)
{
    return (uint8_t)(i * 31 >> 3);
}

static void send_more(struct end *e, struct weir *s)
{
    while (e->sent < LEN) {
        uint8_t bytes[5000];
        size_t len = LEN - e->sent < sizeof bytes ? LEN - e->sent : sizeof bytes;
        ptrdiff_t taken;

        for (size_t i = 0; i < len; i++)
            bytes[i] = byte_at(e->sent + i);
        taken = weir_send(s, e->conn, bytes, len, 0);
        if (taken == WEIR_EAGAIN)
            return;
        EXPECT(taken > 0);
        e->sent += (size_t)taken;
    }
    weir_shutdown(s, e->conn);
}

static void receive_more(struct end *e, struct weir *s)
{
    uint8_t bytes[5000];
    ptrdiff_t len;

    while ((len = weir_recv(s, e->conn, bytes, sizeof bytes)) > 0) {
        for (ptrdiff_t i = 0; i < len; i++)
            EXPECT_EQ(bytes[i], byte_at(e->received + (size_t)i));
        e->received += (size_t)len;
    }
    if (len == 0)
        e->ended = true;
    else
        EXPECT_EQ(len, WEIR_EAGAIN);
}

static void on_event(void *ctx, struct weir *s, const struct weir_event *event)
{
    struct end *e = ctx;

    EXPECT(s == weir_host_stack(e->host));
    if (event->bits & WEIR_EVENT_ACCEPTABLE) {
        EXPECT_EQ(weir_accept(s, e->listener, &e->conn), 0);
        send_more(e, s);
    }
    if (event->bits & (WEIR_EVENT_CONNECTED | WEIR_EVENT_WRITABLE))
        send_more(e, s);
    if (event->bits & (WEIR_EVENT_READABLE | WEIR_EVENT_PEER_CLOSED))
        receive_more(e, s);
    if (event->bits & WEIR_EVENT_CLOSED) {
        EXPECT_EQ(event->error, 0);
        e->closed = true;
    }
}

TEST(hosts_of_one_thread_talk_over_the_memory_driver)
{
    const struct weir_netif_config netif = {.link = WEIR_LINK_IP,
                                            .mtu = 1500,
                                            .offloads = WEIR_OFFLOAD_CSUM | WEIR_OFFLOAD_TSO4
                                                        | WEIR_OFFLOAD_TSO6,
                                            .gso_max = 65535};
    struct weir_endpoint to = endpoint("192.0.2.2:80");
    struct weir_driver *cable[2];
    struct end client = {0}, server = {0};
    weir_ns_t before = weir_host_now();

    EXPECT_EQ(weir_memory_open(cable, &netif, 32), 0);
    client.host = host_with(&cable[0], "192.0.2.1/24");
    server.host = host_with(&cable[1], "192.0.2.2/24");
    weir_host_set_events(client.host, on_event, &client);
    weir_host_set_events(server.host, on_event, &server);
    EXPECT_EQ(weir_listen(weir_host_stack(server.host), &to, 5, &server.listener), 0);
    EXPECT_EQ(weir_connect(weir_host_stack(client.host), NULL, &to, &client.conn), 0);

    while (!client.ended || !server.ended) {
        EXPECT_EQ(weir_host_step(client.host, 0), 0);
        EXPECT_EQ(weir_host_step(server.host, 0), 0);
        EXPECT(weir_host_now() - before < 20 * WEIR_S);
    }
    EXPECT_EQ(client.received, LEN);
    EXPECT_EQ(server.received, LEN);
    weir_host_destroy(&client.host);
    weir_host_destroy(&server.host);
}

/* One thread did not run for a while: what came meanwhile is taken in before timers fire. */
TEST(host_that_was_held_up_repeats_nothing_that_was_acknowledged)
{
    const struct weir_netif_config netif = {.link = WEIR_LINK_IP, .mtu = 1500};
    const struct timespec held_up = {.tv_nsec = 400 * WEIR_MS}; /* longer than the timeout */
    struct weir_endpoint to = endpoint("192.0.2.2:80");
    struct weir_driver *cable[2];
    struct weir_host *client, *server;
    struct weir_stats stats;
    weir_listener_t listener;
    weir_conn_t conn;
    uint8_t bytes[1000] = {0};

    EXPECT_EQ(weir_memory_open(cable, &netif, 32), 0);
    client = host_with(&cable[0], "192.0.2.1/24");
    server = host_with(&cable[1], "192.0.2.2/24");
    EXPECT_EQ(weir_listen(weir_host_stack(server), &to, 5, &listener), 0);
    EXPECT_EQ(weir_connect(weir_host_stack(client), NULL, &to, &conn), 0);
    for (int i = 0; i < 3; i++) {
        EXPECT_EQ(weir_host_step(client, 0), 0);
        EXPECT_EQ(weir_host_step(server, 0), 0);
    }
    EXPECT_EQ(weir_send(weir_host_stack(client), conn, bytes, sizeof bytes, 0), sizeof bytes);
    EXPECT_EQ(weir_host_step(client, 0), 0);
    EXPECT_EQ(weir_host_step(server, 0), 0);
    EXPECT_EQ(weir_accept(weir_host_stack(server), listener, &conn), 0);
    EXPECT_EQ(weir_recv(weir_host_stack(server), conn, bytes, sizeof bytes), sizeof bytes);
    EXPECT_EQ(nanosleep(&held_up, NULL), 0);
    EXPECT_EQ(weir_host_step(client, 0), 0);

    weir_stats(weir_host_stack(client), &stats);
    EXPECT_EQ(stats.tcp_retransmits, 0);
    weir_host_destroy(&client);
    weir_host_destroy(&server);
}

/* ---- a driver that blocks ---- */

/* A driver over a socket, whose other end the test has. */
struct wire {
    struct weir_driver driver;
    uint8_t bytes[2000];
    ptrdiff_t failure; /* what receive and transmit return, if not 0 */
    int closed_count;
};

static struct wire wire;
static int far_end;

static ptrdiff_t wire_receive(struct weir_driver *d, struct weir_frame *frames, size_t max)
{
    ssize_t len = recv(d->fd, wire.bytes, sizeof wire.bytes, MSG_DONTWAIT);

    if (wire.failure != 0)
        return wire.failure;
    if (max == 0 || len <= 0)
        return 0;
    frames[0] = (struct weir_frame){
        .slices = {{wire.bytes, (size_t)len}}, .slice_count = 1, .len = (size_t)len};
    return 1;
}

static ptrdiff_t wire_transmit(struct weir_driver *d, struct weir_frame **frames, size_t count)
{
    size_t taken = 0;

    if (wire.failure != 0)
        return wire.failure;
    while (taken < count) {
        struct iovec parts[WEIR_FRAME_SLICES];
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = frames[taken]->slice_count};

        for (size_t i = 0; i < frames[taken]->slice_count; i++)
            parts[i] = (struct iovec){frames[taken]->slices[i].bytes, frames[taken]->slices[i].len};
        if (sendmsg(d->fd, &message, MSG_DONTWAIT) < 0)
            break;
        taken++;
    }
    if (taken > 0)
        d->done(d->done_ctx, frames, taken);
    return (ptrdiff_t)taken;
}

static void wire_close(struct weir_driver **d)
{
    wire.closed_count++;
    close((*d)->fd);
    *d = NULL;
}

static struct weir_host *host_on_wire(void)
{
    static const struct weir_driver_ops ops = {wire_receive, wire_transmit, wire_close};
    struct weir_driver *d = &wire.driver;
    int ends[2], small = 1;

    memset(&wire, 0, sizeof wire);
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    EXPECT_EQ(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
    far_end = ends[1];
    wire.driver = (struct weir_driver){
        .ops = &ops, .fd = ends[0], .netif = {.name = "wire", .link = WEIR_LINK_IP, .mtu = 1500}};
    return host_with(&d, "192.0.2.1/24");
}

/* The next datagram's number, or -1 if none is there. */
static int next_number(void)
{
    uint8_t bytes[2000];
    ssize_t len = recv(far_end, bytes, sizeof bytes, MSG_DONTWAIT);
    int number;

    if (len < 0)
        return -1;
    EXPECT_EQ(len, 28 + 1000);
    memcpy(&number, bytes + 28, sizeof number);
    return number;
}

TEST(host_waits_for_a_driver_that_is_blocked_and_loses_nothing)
{
    enum { COUNT = 150 };
    struct weir_endpoint any = endpoint("192.0.2.1:7"), to = endpoint("192.0.2.2:7");
    struct weir_host *host = host_on_wire();
    uint8_t bytes[1000] = {0};
    weir_ns_t before;
    weir_udp_t udp;
    int sent = 0;

    EXPECT_EQ(weir_udp_open(weir_host_stack(host), &any, &to, &udp), 0);
    while (sent < COUNT) {
        memcpy(bytes, &sent, sizeof sent);
        if (weir_udp_send(weir_host_stack(host), udp, NULL, bytes, sizeof bytes) != sizeof bytes)
            break;
        sent++;
    }
    EXPECT(sent > 10);
    EXPECT_EQ(weir_host_step(host, 0), 0);

    /* Blocked: it waits although the stack has more to send. */
    before = weir_host_now();
    EXPECT_EQ(weir_host_step(host, 20 * WEIR_MS), 0);
    EXPECT(weir_host_now() - before >= 20 * WEIR_MS);

    for (int number = 0; number < sent; number++) {
        int got = next_number();

        for (int i = 0; got < 0 && i < 100; i++) {
            EXPECT_EQ(weir_host_step(host, 10 * WEIR_MS), 0);
            got = next_number();
        }
        EXPECT_EQ(got, number);
    }
    EXPECT_EQ(next_number(), -1);
    weir_host_destroy(&host);
    EXPECT_EQ(wire.closed_count, 1);
    close(far_end);
}

TEST(host_gives_back_what_a_blocked_driver_has_not_taken)
{
    struct weir_endpoint any = endpoint("192.0.2.1:7"), to = endpoint("192.0.2.2:7");
    struct weir_host *host = host_on_wire();
    uint8_t bytes[1000] = {0};
    weir_udp_t udp;

    EXPECT_EQ(weir_udp_open(weir_host_stack(host), &any, &to, &udp), 0);
    for (int i = 0; i < 100; i++)
        weir_udp_send(weir_host_stack(host), udp, NULL, bytes, sizeof bytes);
    EXPECT_EQ(weir_host_step(host, 0), 0);
    weir_host_destroy(&host); /* the stack is whole, or it would say so */
    close(far_end);
}

TEST(host_goes_on_without_a_driver_that_failed)
{
    struct weir_endpoint any = endpoint("192.0.2.1:7"), to = endpoint("192.0.2.2:7");
    struct weir_host *host;
    weir_udp_t udp;

    for (int sends = 0; sends < 2; sends++) {
        host = host_on_wire();
        EXPECT_EQ(weir_udp_open(weir_host_stack(host), &any, &to, &udp), 0);
        wire.failure = WEIR_ESTALE;
        if (sends)
            EXPECT_EQ(weir_udp_send(weir_host_stack(host), udp, NULL, "x", 1), 1);
        else
            EXPECT_EQ(send(far_end, "x", 1, 0), 1);
        EXPECT_EQ(weir_host_step(host, WEIR_S), WEIR_ESTALE);
        EXPECT_EQ(wire.closed_count, 1);
        EXPECT_EQ(weir_host_step(host, WEIR_MS), 0);
        weir_host_destroy(&host);
        EXPECT_EQ(wire.closed_count, 1);
        close(far_end);
    }
}

TEST(host_leaves_events_in_the_stack_if_nobody_wants_them)
{
    struct weir_endpoint to = endpoint("192.0.2.1:80");
    struct weir_host *host = host_on_wire();
    struct weir *s = weir_host_stack(host);
    struct weir_event event;
    weir_conn_t conn;

    EXPECT_EQ(weir_connect(s, NULL, &to, &conn), 0); /* to ourselves, where nobody listens */
    for (int i = 0; i < 3; i++)
        EXPECT_EQ(weir_host_step(host, 5 * WEIR_MS), 0);
    EXPECT(weir_event(s, &event));
    EXPECT(event.handle == conn && (event.bits & WEIR_EVENT_CLOSED));
    EXPECT_EQ(event.error, WEIR_ECONNREFUSED);
    weir_host_destroy(&host);
    close(far_end);
}
