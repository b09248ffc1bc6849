/*
 * test_sendmem.c - send buffers counted as Linux counts them
 *
 * What a script can show is in tests/conform/sockets: here is what it cannot.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "lib/test.h"
#include "unit/posix/lab.h"

enum { LARGEST = 1 << 20 };

static struct lab *lab_that_counts(int fds[2])
{
    const struct weir_px_send_memory memory = {.counts_overhead = true, .largest_bytes = LARGEST};
    struct lab *lab = lab_make();

    weir_px_send_memory(lab->px, &memory);
    lab_pair(lab, fds);
    EXPECT_EQ(weir_px_fcntl(lab->px, fds[0], F_SETFL, O_NONBLOCK), 0);
    return lab;
}

static int buffer_of(struct lab *lab, int fd)
{
    int value = 0;
    socklen_t len = sizeof value;

    EXPECT_EQ(weir_px_getsockopt(lab->px, fd, SOL_SOCKET, SO_SNDBUF, &value, &len), 0);
    return value;
}

static void set_buffer(struct lab *lab, int fd, int value)
{
    EXPECT_EQ(weir_px_setsockopt(lab->px, fd, SOL_SOCKET, SO_SNDBUF, &value, sizeof value), 0);
}

/* Until no more is taken; how much that was. */
static size_t fill(struct lab *lab, int fd, size_t at_once, int flags)
{
    static char bytes[LARGEST];
    size_t sum = 0;
    ssize_t sent;

    while ((sent = weir_px_send(lab->px, fd, bytes, at_once, flags)) > 0)
        sum += (size_t)sent;
    EXPECT_EQ(errno, EAGAIN);
    return sum;
}

static size_t empty(struct lab *lab, int fd)
{
    static char bytes[LARGEST];
    size_t sum = 0;
    ssize_t got;

    while ((got = weir_px_recv(lab->px, fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
        sum += (size_t)got;
        lab_pass(lab, WEIR_S);
    }
    return sum;
}

TEST(a_send_buffer_is_shown_as_it_was_doubled)
{
    int fds[2];
    struct lab *lab = lab_that_counts(fds);

    set_buffer(lab, fds[0], 10000);
    EXPECT_EQ(buffer_of(lab, fds[0]), 20000);
    set_buffer(lab, fds[0], 1);
    EXPECT_EQ(buffer_of(lab, fds[0]), 4608);
}

/* Each record is a buffer of its own, and costs as much as one. */
TEST(small_records_cost_more_than_their_bytes)
{
    int fds[2];
    struct lab *lab = lab_that_counts(fds);
    int recv_bytes = 2304;

    EXPECT_EQ(
        weir_px_setsockopt(lab->px, fds[1], SOL_SOCKET, SO_RCVBUF, &recv_bytes, sizeof recv_bytes),
        0);
    fill(lab, fds[0], 50000, 0); /* the peer's window is shut: everything stays here */
    set_buffer(lab, fds[0], 100000);
    EXPECT(fill(lab, fds[0], 10, MSG_EOR) < 1000);
}

TEST(everything_arrives_however_it_was_counted)
{
    static const size_t sizes[] = {1, 1460, 5000, LARGEST};

    for (size_t i = 0; i < 4; i++) {
        int fds[2];
        struct lab *lab = lab_that_counts(fds);
        size_t sum, got;

        set_buffer(lab, fds[0], 30000);
        sum = fill(lab, fds[0], sizes[i], 0);
        EXPECT(sum >= 30000);
        got = empty(lab, fds[1]);
        EXPECT_EQ(got, sum);
        sum = fill(lab, fds[0], sizes[i], 0);
        EXPECT_EQ(empty(lab, fds[1]), sum);
    }
}

static void reads_all(struct lab *lab, void *ctx)
{
    static char bytes[LARGEST];
    const int *fd = ctx;

    EXPECT(weir_px_recv(lab->px, *fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0);
}

/* What cannot be counted is taken. */
TEST(a_write_does_not_wait_for_memory_to_count_it)
{
    int fds[2];
    struct lab *lab = lab_that_counts(fds);

    lab_refuses_to_grow = true;
    EXPECT_EQ(weir_px_send(lab->px, fds[0], "data", 4, 0), 4);
    EXPECT_EQ(empty(lab, fds[1]), 4);
}

TEST(who_polls_for_room_is_woken)
{
    int fds[2];
    struct lab *lab = lab_that_counts(fds);
    struct pollfd poll = {.events = POLLOUT};

    set_buffer(lab, fds[0], 30000);
    fill(lab, fds[0], LARGEST, 0);
    poll.fd = fds[0];
    EXPECT_EQ(weir_px_poll(lab->px, &poll, 1, 0), 0);
    for (int i = 1; i < 8; i++)
        lab_at(lab, i * WEIR_S, reads_all, &fds[1]);
    EXPECT_EQ(weir_px_poll(lab->px, &poll, 1, 60000), 1);
    EXPECT_EQ(poll.revents, POLLOUT);
}

TEST(a_larger_buffer_lets_a_write_go_on)
{
    int fds[2];
    struct lab *lab = lab_that_counts(fds);

    set_buffer(lab, fds[0], 5000);
    fill(lab, fds[0], LARGEST, 0);
    set_buffer(lab, fds[0], 200000);
    EXPECT(weir_px_send(lab->px, fds[0], "more", 4, 0) == 4);
}
