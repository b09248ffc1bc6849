/*
 * check_endings.c - shutdown, close, linger and resets
 */
#include "posix/net.h"

static void say_state(const char *text, int fd)
{
    struct tcp_info info;
    socklen_t len = sizeof info;

    if (sys->getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0)
        say_seen("%s: state %d", text, info.tcpi_state);
}

/* The kernel may delay the acknowledgement of an end. */
static void wait_for_acknowledgement(void)
{
    for (int i = 0; i < 30; i++)
        net_moment();
}

static int error_of(int fd)
{
    socklen_t len = sizeof(int);
    int error = -1;

    sys->getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
    return error;
}

static void half_closed(void)
{
    char bytes[16];
    int fds[2];

    net_pair(fds);
    SAY(sys->shutdown(fds[0], SHUT_WR));
    net_say_ready("closed for writing", fds[0]);
    net_say_ready("its peer", fds[1]);
    wait_for_acknowledgement();
    say_state("closed for writing", fds[0]);
    say_state("its peer", fds[1]);
    SAY(sys->sendto(fds[0], "x", 1, 0, NULL, 0));
    SAY(sys->sendto(fds[0], "", 0, 0, NULL, 0));
    SAY(sys->recvfrom(fds[1], bytes, 1, 0, NULL, NULL));
    SAY(sys->recvfrom(fds[1], bytes, 1, 0, NULL, NULL));
    SAY(sys->sendto(fds[1], "still", 5, 0, NULL, 0));
    SAY(sys->recvfrom(fds[0], bytes, 16, 0, NULL, NULL));
    SAY(sys->shutdown(fds[0], SHUT_WR));
    SAY(sys->shutdown(fds[1], SHUT_WR));
    net_say_ready("both closed", fds[0]);
    net_say_ready("both closed", fds[1]);
    wait_for_acknowledgement();
    say_state("both closed", fds[0]);
    say_state("both closed", fds[1]);
    net_say_names(fds[0]);
    net_say_names(fds[1]);
    SAY(sys->recvfrom(fds[0], bytes, 1, 0, NULL, NULL));
    SAY(sys->recvfrom(fds[1], bytes, 1, 0, NULL, NULL));
    SAY(sys->sendto(fds[1], "x", 1, 0, NULL, 0));
    SAY(sys->shutdown(fds[0], SHUT_WR));
    SAY(sys->shutdown(fds[1], SHUT_RDWR));
    SAY(sys->close(fds[0]));
    SAY(sys->close(fds[1]));
    SAY(sys->close(fds[1]));
}

static void closed_for_reading(void)
{
    char bytes[16];
    int fds[2];

    net_pair(fds);
    SAY(sys->sendto(fds[1], "before", 6, 0, NULL, 0));
    net_moment();
    SAY(sys->shutdown(fds[0], SHUT_RD));
    net_say_ready("closed for reading", fds[0]);
    net_say_ready("its peer", fds[1]);
    SAY(sys->recvfrom(fds[0], bytes, 3, 0, NULL, NULL));
    SAY(sys->recvfrom(fds[0], bytes, 16, 0, NULL, NULL));
    SAY(sys->recvfrom(fds[0], bytes, 16, 0, NULL, NULL));
    SAY(sys->sendto(fds[1], "after", 5, 0, NULL, 0));
    net_moment();
    SAY(sys->recvfrom(fds[0], bytes, 16, 0, NULL, NULL));
    SAY(sys->recvfrom(fds[0], bytes, 16, 0, NULL, NULL));
    SAY(sys->sendto(fds[0], "x", 1, 0, NULL, 0));
    SAY(sys->shutdown(fds[0], SHUT_RDWR));
    net_say_ready("closed for both", fds[0]);
    sys->close(fds[0]);
    sys->close(fds[1]);
}

static void closed_with_unread_bytes(void)
{
    char bytes[16];
    int fds[2];

    net_pair(fds);
    sys->sendto(fds[0], "unread", 6, 0, NULL, 0);
    sys->sendto(fds[1], "here", 4, 0, NULL, 0);
    net_moment();
    SAY(sys->close(fds[1]));
    net_say_ready("reset", fds[0]);
    say_state("reset", fds[0]);
    SAY(sys->recvfrom(fds[0], bytes, 16, 0, NULL, NULL));
    SAY(sys->recvfrom(fds[0], bytes, 16, 0, NULL, NULL));
    SAY(sys->recvfrom(fds[0], bytes, 16, 0, NULL, NULL));
    SAY(sys->sendto(fds[0], "x", 1, 0, NULL, 0));
    net_say_ready("reset and told", fds[0]);
    net_say_names(fds[0]);
    SAY(sys->shutdown(fds[0], SHUT_RDWR));
    sys->close(fds[0]);
}

static void reset_told_by_send(void)
{
    struct linger linger = {1, 0};
    char bytes[16];
    int fds[2];

    net_pair(fds);
    SAY(sys->setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
    SAY(sys->close(fds[1]));
    net_moment();
    SAY(sys->sendto(fds[0], "x", 1, 0, NULL, 0));
    SAY(sys->sendto(fds[0], "x", 1, 0, NULL, 0));
    SAY(sys->recvfrom(fds[0], bytes, 16, 0, NULL, NULL));
    say_seen("error %d", error_of(fds[0]));
    sys->close(fds[0]);
}

static void reset_told_by_option(void)
{
    struct linger linger = {1, 0};
    char bytes[16];
    int fds[2];

    net_pair(fds);
    sys->setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    sys->close(fds[1]);
    net_moment();
    say_seen("error %d", error_of(fds[0]));
    say_seen("error %d", error_of(fds[0]));
    SAY(sys->recvfrom(fds[0], bytes, 16, 0, NULL, NULL));
    SAY(sys->sendto(fds[0], "x", 1, 0, NULL, 0));
    sys->close(fds[0]);
}

/* What is sent to a closed socket is answered by a reset, which meets an end already read. */
static void writing_to_the_closed(void)
{
    char bytes[16];
    int fds[2];

    net_pair(fds);
    SAY(sys->close(fds[1]));
    net_say_ready("peer closed", fds[0]);
    SAY(sys->sendto(fds[0], "x", 1, 0, NULL, 0));
    net_say_ready("peer reset", fds[0]);
    SAY(sys->recvfrom(fds[0], bytes, 16, 0, NULL, NULL));
    SAY(sys->sendto(fds[0], "x", 1, 0, NULL, 0));
    SAY(sys->sendto(fds[0], "x", 1, 0, NULL, 0));
    SAY(sys->recvfrom(fds[0], bytes, 16, 0, NULL, NULL));
    sys->close(fds[0]);
}

static void lingering(void)
{
    struct linger linger = {1, 5};
    char bytes[16];
    int fds[2];

    net_pair(fds);
    SAY(sys->setsockopt(fds[0], SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
    SAY(sys->sendto(fds[0], "last words", 10, 0, NULL, 0));
    SAY(sys->close(fds[0]));
    SAY(sys->recvfrom(fds[1], bytes, 16, 0, NULL, NULL));
    SAY(sys->recvfrom(fds[1], bytes, 16, 0, NULL, NULL));
    sys->close(fds[1]);
}

static void reset_before_accept(void)
{
    int listener = net_listener("127.0.0.1"), fd = sys->socket(AF_INET, SOCK_STREAM, 0), b;
    union net_addr to = net_name(listener);
    struct linger linger = {1, 0};
    char bytes[16];

    sys->connect(fd, &to.any, sizeof to.in);
    sys->setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    sys->close(fd);
    net_say_ready("listener", listener);
    net_block(listener, false);
    b = SAY_FD(sys->accept4(listener, NULL, NULL, 0));
    net_say_ready("accepted", b);
    SAY(sys->recvfrom(b, bytes, 1, MSG_DONTWAIT, NULL, NULL));
    SAY(sys->recvfrom(b, bytes, 1, MSG_DONTWAIT, NULL, NULL));
    sys->close(b);
    fd = sys->socket(AF_INET, SOCK_STREAM, 0);
    sys->connect(fd, &to.any, sizeof to.in);
    sys->sendto(fd, "bye", 3, 0, NULL, 0);
    sys->close(fd);
    net_moment();
    b = SAY_FD(sys->accept4(listener, NULL, NULL, 0));
    net_say_ready("accepted", b);
    net_say_names(b);
    SAY(sys->recvfrom(b, bytes, 16, 0, NULL, NULL));
    SAY(sys->recvfrom(b, bytes, 16, 0, NULL, NULL));
    sys->close(b);
    sys->close(listener);
}

void check_endings(void)
{
    half_closed();
    closed_for_reading();
    closed_with_unread_bytes();
    reset_told_by_send();
    reset_told_by_option();
    writing_to_the_closed();
    lingering();
    reset_before_accept();
}
