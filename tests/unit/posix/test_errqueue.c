/*
 * test_errqueue.c - the queue of errors: what a comparison with the kernel cannot show
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

/* Needs struct timespec. */
#include <linux/errqueue.h>

#include "lib/test.h"
#include "unit/posix/lab.h"

static void set(struct lab *lab, int fd, int level, int name, int value)
{
    EXPECT_EQ(weir_px_setsockopt(lab->px, fd, level, name, &value, sizeof value), 0);
}

/* The next message; false: there is none. */
static bool next_error(struct lab *lab, int fd, struct sock_extended_err *e)
{
    char control[256];
    struct msghdr msg = {.msg_control = control, .msg_controllen = sizeof control};

    if (weir_px_recvmsg(lab->px, fd, &msg, MSG_ERRQUEUE) < 0) {
        EXPECT_EQ(errno, EAGAIN);
        return false;
    }
    memcpy(e, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof *e);
    return true;
}

static bool next_writes(struct lab *lab, int fd, uint32_t first, uint32_t last)
{
    struct sock_extended_err e = {0};

    return next_error(lab, fd, &e) && e.ee_origin == SO_EE_ORIGIN_ZEROCOPY && e.ee_info == first
           && e.ee_data == last;
}

static short ready(struct lab *lab, int fd)
{
    struct pollfd p = {.fd = fd};

    EXPECT(weir_px_poll(lab->px, &p, 1, 0) >= 0);
    return p.revents;
}

/* Nobody's bytes are in use any more: who waits for his is told. */
TEST(writes_without_copies_end_with_their_connection)
{
    static char bytes[100000];
    struct linger hard = {1, 0};
    struct lab *lab = lab_make();
    struct sock_extended_err e;
    uint32_t count = 0;
    int fds[2];

    lab_pair(lab, fds);
    set(lab, fds[0], SOL_SOCKET, SO_ZEROCOPY, 1);
    while (weir_px_send(lab->px, fds[0], bytes, sizeof bytes, MSG_ZEROCOPY | MSG_DONTWAIT) > 0)
        count++;
    EXPECT(count > 1);
    while (next_error(lab, fds[0], &e)) /* of those that were acknowledged */
        EXPECT(e.ee_data + 1 < count);
    EXPECT_EQ(weir_px_setsockopt(lab->px, fds[1], SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
    EXPECT_EQ(weir_px_close(lab->px, fds[1]), 0);
    EXPECT(ready(lab, fds[0]) & POLLERR);
    EXPECT(next_error(lab, fds[0], &e));
    EXPECT_EQ(e.ee_data, count - 1);
}

/* They were copied: nobody has to wait. */
TEST(writes_without_copies_for_whose_ends_there_is_no_memory_are_over)
{
    struct lab *lab = lab_make();
    struct sock_extended_err e;
    uint32_t told = 0;
    int fds[2];

    lab_pair(lab, fds);
    set(lab, fds[0], SOL_SOCKET, SO_ZEROCOPY, 1);
    set(lab, fds[1], SOL_SOCKET, SO_RCVBUF, 2304);
    for (uint32_t i = 0; i < 20; i++) { /* the peer's window is soon full */
        lab_refuses_to_grow = i > 0;
        EXPECT_EQ(weir_px_send(lab->px, fds[0], &told, sizeof told, MSG_ZEROCOPY | MSG_MORE), 4);
    }
    EXPECT(ready(lab, fds[0]) & POLLERR);
    lab_refuses_to_grow = false;
    lab_pass(lab, WEIR_S);
    while (next_error(lab, fds[0], &e)) {
        EXPECT_EQ(e.ee_info, told);
        told = e.ee_data + 1;
    }
    EXPECT_EQ(told, 20);
}

/* A connection that never was has taken no bytes. */
TEST(a_first_write_without_copies_that_fails_has_no_number)
{
    struct sockaddr_in nobody = lab_in("127.0.0.1", 81), at = lab_in("127.0.0.1", 80);
    struct lab *lab = lab_make();
    struct sock_extended_err e;
    int fd = weir_px_socket(lab->px, AF_INET, SOCK_STREAM, 0);

    set(lab, fd, SOL_SOCKET, SO_ZEROCOPY, 1);
    EXPECT_ERRNO(weir_px_sendto(lab->px, fd, "data", 4, MSG_FASTOPEN | MSG_ZEROCOPY,
                                (struct sockaddr *)&nobody, sizeof nobody),
                 ECONNREFUSED);
    EXPECT(!next_error(lab, fd, &e));
    lab_server(lab, "127.0.0.1", 80);
    EXPECT_EQ(weir_px_connect(lab->px, fd, (struct sockaddr *)&at, sizeof at), 0);
    EXPECT_EQ(weir_px_send(lab->px, fd, "data", 4, MSG_ZEROCOPY), 4);
    EXPECT(next_writes(lab, fd, 0, 0));
}

static int with_errors(struct lab *lab, int count)
{
    struct sockaddr_in nobody = lab_in("127.0.0.1", 9);
    int fd = weir_px_socket(lab->px, AF_INET, SOCK_DGRAM, 0);

    set(lab, fd, IPPROTO_IP, IP_RECVERR, 1);
    for (int i = 0; i < count; i++)
        while (weir_px_sendto(lab->px, fd, "data", 4, 0, (struct sockaddr *)&nobody, sizeof nobody)
               < 0)
            EXPECT_EQ(errno, ECONNREFUSED); /* the one before is told, and forgotten */
    return fd;
}

TEST(who_wants_no_errors_any_more_has_none)
{
    struct lab *lab = lab_make();
    struct sock_extended_err e;
    int fd = with_errors(lab, 2);

    EXPECT(ready(lab, fd) & POLLERR);
    set(lab, fd, IPPROTO_IP, IP_RECVERR, 0);
    EXPECT(!next_error(lab, fd, &e));
    EXPECT_ERRNO(weir_px_recv(lab->px, fd, NULL, 0, MSG_DONTWAIT), ECONNREFUSED);
    EXPECT_EQ(ready(lab, fd), 0);
}

TEST(each_error_is_an_edge)
{
    struct lab *lab = lab_make();
    struct epoll_event event = {.events = EPOLLET};
    struct sock_extended_err e;
    int fd = with_errors(lab, 3), set_fd = weir_px_epoll_create1(lab->px, 0);

    EXPECT_EQ(weir_px_epoll_ctl(lab->px, set_fd, EPOLL_CTL_ADD, fd, &event), 0);
    for (int i = 0; i < 3; i++) {
        EXPECT_EQ(weir_px_epoll_wait(lab->px, set_fd, &event, 1, 0), 1);
        EXPECT(event.events & EPOLLERR);
        EXPECT(next_error(lab, fd, &e));
    }
    EXPECT_EQ(weir_px_epoll_wait(lab->px, set_fd, &event, 1, 0), 0);
}
