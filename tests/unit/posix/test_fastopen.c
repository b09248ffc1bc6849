/*
 * test_fastopen.c - connections that begin with data, where something is in the way [RFC7413]
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>

/* Needs unsigned long. */
#include <linux/sockios.h>

#include "lib/test.h"
#include "unit/posix/lab.h"

static void set(struct lab *lab, int fd, int level, int name, int value)
{
    EXPECT_EQ(weir_px_setsockopt(lab->px, fd, level, name, &value, sizeof value), 0);
}

static int server_at(struct lab *lab, struct sockaddr_in *at)
{
    int server = weir_px_socket(lab->px, AF_INET, SOCK_STREAM, 0);

    *at = lab_in("198.18.0.1", 80);
    set(lab, server, IPPROTO_TCP, TCP_FASTOPEN, 5);
    EXPECT_EQ(weir_px_bind(lab->px, server, (struct sockaddr *)at, sizeof *at), 0);
    EXPECT_EQ(weir_px_listen(lab->px, server, 5), 0);
    return server;
}

static ssize_t send_first(struct lab *lab, int fd, const struct sockaddr_in *at, const char *text,
                          int flags)
{
    return weir_px_sendto(lab->px, fd, text, strlen(text), MSG_FASTOPEN | flags,
                          (const struct sockaddr *)at, sizeof *at);
}

static void expect_text(struct lab *lab, int fd, const char *text)
{
    char bytes[64];

    EXPECT_EQ(weir_px_recv(lab->px, fd, bytes, sizeof bytes, 0), (ssize_t)strlen(text));
    EXPECT_MEM(bytes, text, strlen(text));
}

/* A first connection brings the cookie. */
static void get_cookie(struct lab *lab, int server, const struct sockaddr_in *at)
{
    int fd = weir_px_socket(lab->px, AF_INET, SOCK_STREAM, 0), b;

    EXPECT_EQ(send_first(lab, fd, at, "first", 0), 5);
    b = weir_px_accept(lab->px, server, NULL, NULL);
    expect_text(lab, b, "first");
    EXPECT_EQ(weir_px_close(lab->px, fd), 0);
    EXPECT_EQ(weir_px_close(lab->px, b), 0);
}

/* The cookie is there: connect only says where to. */
static int deferred(struct lab *lab, const struct sockaddr_in *at, int type)
{
    int fd = weir_px_socket(lab->px, AF_INET, type, 0);

    set(lab, fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
    EXPECT_EQ(weir_px_connect(lab->px, fd, (const struct sockaddr *)at, sizeof *at), 0);
    EXPECT_EQ(weir_px_handle(lab->px, fd), 0);
    return fd;
}

TEST(a_listener_does_not_connect)
{
    struct lab *lab = lab_make();
    struct sockaddr_in at;
    int server = server_at(lab, &at), fd, b;

    EXPECT_ERRNO(send_first(lab, server, &at, "data", 0), EISCONN);
    fd = weir_px_socket(lab->px, AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(send_first(lab, fd, &at, "data", 0), 4);
    b = weir_px_accept(lab->px, server, NULL, NULL);
    expect_text(lab, b, "data");
}

/* The SYN could not be sent: the socket is as it was before connect. */
TEST(a_deferred_connect_that_cannot_be_made_has_failed)
{
    struct lab *lab = lab_make();
    struct sockaddr_in at;
    int server = server_at(lab, &at), fd, none = 0;
    struct weir_prefix prefix;
    struct pollfd p;

    get_cookie(lab, server, &at);
    fd = deferred(lab, &at, SOCK_STREAM);
    EXPECT_EQ(weir_prefix_parse("198.18.0.1/24", &prefix), WEIR_OK);
    EXPECT_EQ(weir_addr_remove(lab->stack, lab->loopback, &prefix.addr), WEIR_OK);
    EXPECT_EQ(weir_px_write(lab->px, fd, "data", 4), -1);
    EXPECT(errno != EAGAIN && errno != EINPROGRESS);
    p = (struct pollfd){.fd = fd, .events = POLLOUT};
    EXPECT_EQ(weir_px_poll(lab->px, &p, 1, 0), 1);
    EXPECT_EQ(p.revents, POLLOUT | POLLHUP);
    EXPECT_ERRNO(weir_px_send(lab->px, fd, "data", 4, MSG_NOSIGNAL), EPIPE);
    EXPECT_EQ(weir_px_close(lab->px, server), 0);
    server = lab_server(lab, "127.0.0.1", 80);
    at = lab_in("127.0.0.1", 80);
    set(lab, fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, none);
    EXPECT_EQ(weir_px_connect(lab->px, fd, (struct sockaddr *)&at, sizeof at), 0);
}

static void have_file(struct lab *lab)
{
    memcpy(lab->file.bytes, "contents", 8);
    lab->file.len = 8;
}

TEST(a_file_can_be_what_a_deferred_connect_waits_for)
{
    for (int type = 0; type < 2; type++) {
        struct lab *lab = lab_make();
        struct sockaddr_in at;
        int server = server_at(lab, &at), fd, b;

        get_cookie(lab, server, &at);
        have_file(lab);
        fd = deferred(lab, &at, SOCK_STREAM);
        if (type == 0)
            EXPECT_EQ(weir_px_sendfile(lab->px, fd, 1000, NULL, 8), 8);
        else
            EXPECT_EQ(weir_px_splice(lab->px, 1000, NULL, fd, NULL, 8, 0), 8);
        b = weir_px_accept(lab->px, server, NULL, NULL);
        expect_text(lab, b, "contents");
    }
}

TEST(a_file_begins_a_deferred_connect_without_waiting)
{
    struct lab *lab = lab_make();
    struct sockaddr_in at;
    int server = server_at(lab, &at), fd, b;

    get_cookie(lab, server, &at);
    have_file(lab);
    fd = deferred(lab, &at, SOCK_STREAM | SOCK_NONBLOCK);
    EXPECT_ERRNO(weir_px_sendfile(lab->px, fd, 1000, NULL, 8), EAGAIN);
    EXPECT_EQ(lab->file.pos, 0);
    lab_pass(lab, WEIR_S);
    EXPECT_EQ(weir_px_sendfile(lab->px, fd, 1000, NULL, 8), 8);
    b = weir_px_accept(lab->px, server, NULL, NULL);
    expect_text(lab, b, "contents");
}

/* What was taken is not asked for again. */
TEST(a_first_write_whose_time_is_up_says_what_it_has_queued)
{
    struct timeval tv = {2, 0};

    for (int is_interrupted = 0; is_interrupted < 2; is_interrupted++) {
        struct lab *lab = lab_make();
        struct sockaddr_in at = lab_in("127.0.0.1", 80);
        int server = weir_px_socket(lab->px, AF_INET, SOCK_STREAM, 0), fd, fill, b;

        EXPECT_EQ(weir_px_bind(lab->px, server, (struct sockaddr *)&at, sizeof at), 0);
        EXPECT_EQ(weir_px_listen(lab->px, server, 0), 0);
        fill = weir_px_socket(lab->px, AF_INET, SOCK_STREAM, 0);
        EXPECT_EQ(weir_px_connect(lab->px, fill, (struct sockaddr *)&at, sizeof at), 0);
        fd = weir_px_socket(lab->px, AF_INET, SOCK_STREAM, 0);
        EXPECT_EQ(weir_px_setsockopt(lab->px, fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv), 0);
        lab->interrupts_after = is_interrupted;
        EXPECT_EQ(send_first(lab, fd, &at, "data", 0), 4);
        EXPECT_EQ(weir_px_close(lab->px, weir_px_accept(lab->px, server, NULL, NULL)), 0);
        b = weir_px_accept(lab->px, server, NULL, NULL);
        expect_text(lab, b, "data");
        EXPECT_ERRNO(weir_px_recv(lab->px, b, &tv, 1, MSG_DONTWAIT), EAGAIN);
    }
}

TEST(nothing_counts_as_queued_before_there_is_a_connection)
{
    struct lab *lab = lab_make();
    struct sockaddr_in at;
    int server = server_at(lab, &at), fd, value = -1;

    get_cookie(lab, server, &at);
    at.sin_port = htons(81); /* the cookie is for all ports; here is nobody, and no answer yet */
    fd = weir_px_socket(lab->px, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    EXPECT(send_first(lab, fd, &at, "data", 0) > 0);
    EXPECT_EQ(weir_px_ioctl(lab->px, fd, SIOCOUTQ, &value), 0);
    EXPECT_EQ(value, 0);
}
