/*
 * check_streams.c - sending and receiving with all their flags
 */
#include "posix/net.h"

static void basics(void)
{
    char bytes[64];
    int fds[2];
    struct msghdr no_places = {.msg_iovlen = 1};

    net_pair(fds);
    SAY(sys->recvfrom(fds[1], bytes, 10, MSG_DONTWAIT, NULL, NULL));
    SAY(sys->recvfrom(fds[1], bytes, 0, MSG_DONTWAIT, NULL, NULL));
    SAY(sys->read(fds[1], bytes, 0));
    SAY(sys->sendto(fds[0], "", 0, 0, NULL, 0));
    SAY(sys->sendto(fds[0], "hello world", 11, 0, NULL, 0));
    net_moment();
    SAY(sys->recvfrom(fds[1], bytes, 5, MSG_PEEK, NULL, NULL));
    SAY(sys->recvfrom(fds[1], bytes, 0, MSG_DONTWAIT, NULL, NULL));
    SAY(sys->recvfrom(fds[1], bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT, NULL, NULL));
    say_bytes(bytes, 11);
    SAY(sys->recvfrom(fds[1], bytes, 5, 0, NULL, NULL));
    say_bytes(bytes, 5);
    SAY(sys->recvfrom(fds[1], bytes, 3, MSG_TRUNC, NULL, NULL)); /* thrown away */
    SAY(sys->recvfrom(fds[1], bytes, sizeof bytes, 0, NULL, NULL));
    say_bytes(bytes, 3);
    SAY(sys->recvfrom(fds[1], bytes, sizeof bytes, MSG_TRUNC | MSG_DONTWAIT, NULL, NULL));
    SAY(sys->recvfrom(fds[1], bytes, 1, MSG_ERRQUEUE, NULL, NULL));
    SAY(sys->writev(fds[1], NULL, 1));
    SAY(sys->readv(fds[1], NULL, 1));
    SAY(sys->recvmsg(fds[1], &no_places, 0));
    SAY(sys->sendmsg(fds[1], &no_places, MSG_DONTWAIT));
    SAY(sys->recvfrom(99999, bytes, 1, 0, NULL, NULL));
    SAY(sys->sendto(99999, bytes, 1, 0, NULL, 0));
    sys->close(fds[0]);
    sys->close(fds[1]);
}

static void addresses(void)
{
    union net_addr from = net_in("127.0.0.1", 1), to = net_in("127.0.0.1", 9);
    socklen_t len = sizeof from;
    char byte;
    int fds[2];

    net_pair(fds);
    SAY(sys->sendto(fds[0], "x", 1, 0, &to.any, sizeof to.in)); /* the address is ignored */
    SAY(sys->recvfrom(fds[1], &byte, 1, 0, &from.any, &len));
    say_seen("length %u", len);
    SAY(sys->sendto(fds[0], "x", 1, 0, &to.any, 1000));
    sys->close(fds[0]);
    sys->close(fds[1]);
}

static void vectors(void)
{
    char a[4], b[4], c[8], one[] = "one", more[] = "twothree";
    struct iovec out[3] = {{one, 3}, {NULL, 0}, {more, 8}};
    struct iovec in[3] = {{a, 4}, {b, 4}, {c, 8}};
    struct iovec bad = {one, (size_t)-1};
    struct msghdr msg = {.msg_iov = in, .msg_iovlen = 3},
                  huge = {.msg_iov = in, .msg_iovlen = 1025};
    int fds[2];

    net_pair(fds);
    SAY(sys->writev(fds[0], out, 3));
    SAY(sys->writev(fds[0], out, 0));
    SAY(sys->writev(fds[0], out, -1));
    SAY(sys->writev(fds[0], out, 1025));
    SAY(sys->writev(fds[0], &bad, 1));
    net_moment();
    SAY(sys->readv(fds[1], in, 2));
    say_bytes(a, 4);
    say_bytes(b, 4);
    SAY(sys->readv(fds[1], in, 0));
    SAY(sys->readv(fds[1], in, -1));
    SAY(sys->recvmsg(fds[1], &huge, 0));
    SAY(sys->recvmsg(fds[1], &msg, 0));
    say_seen("name %u, control %zu, flags %x", msg.msg_namelen, (size_t)msg.msg_controllen,
             (unsigned)msg.msg_flags);
    say_bytes(a, 3);
    msg = (struct msghdr){.msg_iov = out, .msg_iovlen = 3};
    SAY(sys->sendmsg(fds[0], &msg, MSG_MORE));
    SAY(sys->sendmsg(fds[0], &msg, MSG_NOSIGNAL | MSG_DONTWAIT));
    net_moment();
    msg = (struct msghdr){.msg_iov = in, .msg_iovlen = 3};
    SAY(sys->recvmsg(fds[1], &msg, MSG_WAITALL));
    SAY(sys->recvmsg(fds[1], &msg, MSG_DONTWAIT));
    SAY(sys->recvmsg(fds[1], &msg, MSG_DONTWAIT));
    sys->close(fds[0]);
    sys->close(fds[1]);
}

static void waiting_for_all(void)
{
    struct timeval tv = {0, 30000};
    char bytes[16];
    int fds[2];

    net_pair(fds);
    SAY(sys->setsockopt(fds[1], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
    SAY(sys->recvfrom(fds[1], bytes, 16, 0, NULL, NULL)); /* in vain */
    sys->sendto(fds[0], "some", 4, 0, NULL, 0);
    SAY(sys->recvfrom(fds[1], bytes, 16, MSG_WAITALL | MSG_PEEK, NULL, NULL));
    SAY(sys->recvfrom(fds[1], bytes, 16, MSG_WAITALL, NULL, NULL));
    sys->sendto(fds[0], "some", 4, 0, NULL, 0);
    net_moment();
    SAY(sys->recvfrom(fds[1], bytes, 16, MSG_WAITALL | MSG_DONTWAIT, NULL, NULL));
    sys->sendto(fds[0], "more", 4, 0, NULL, 0);
    sys->shutdown(fds[0], SHUT_WR);
    SAY(sys->recvfrom(fds[1], bytes, 16, MSG_WAITALL, NULL, NULL));
    SAY(sys->recvfrom(fds[1], bytes, 16, MSG_WAITALL, NULL, NULL));
    sys->close(fds[0]);
    sys->close(fds[1]);
}

static void low_water(void)
{
    struct timeval tv = {0, 30000};
    int low = 6, fds[2];
    char bytes[16];

    net_pair(fds);
    SAY(sys->setsockopt(fds[1], SOL_SOCKET, SO_RCVLOWAT, &low, sizeof low));
    SAY(sys->setsockopt(fds[1], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
    sys->sendto(fds[0], "four", 4, 0, NULL, 0);
    net_say_ready("4 of 6", fds[1]);
    SAY(sys->recvfrom(fds[1], bytes, 2, 0, NULL, NULL));
    SAY(sys->recvfrom(fds[1], bytes, 16, 0, NULL, NULL));
    sys->sendto(fds[0], "sixsix", 6, 0, NULL, 0);
    net_say_ready("6 of 6", fds[1]);
    SAY(sys->recvfrom(fds[1], bytes, 16, 0, NULL, NULL));
    sys->close(fds[0]);
    sys->close(fds[1]);
}

static void peek_offset(void)
{
    int offset = 0, fds[2];
    socklen_t len = sizeof offset;
    char bytes[16];

    net_pair(fds);
    SAY(sys->getsockopt(fds[1], SOL_SOCKET, SO_PEEK_OFF, &offset, &len));
    say_seen("offset %d", offset);
    offset = 2;
    SAY(sys->setsockopt(fds[1], SOL_SOCKET, SO_PEEK_OFF, &offset, sizeof offset));
    sys->sendto(fds[0], "abcdefgh", 8, 0, NULL, 0);
    net_moment();
    SAY(sys->recvfrom(fds[1], bytes, 3, MSG_PEEK, NULL, NULL));
    say_bytes(bytes, 3);
    SAY(sys->recvfrom(fds[1], bytes, 2, MSG_PEEK, NULL, NULL));
    say_bytes(bytes, 2);
    SAY(sys->recvfrom(fds[1], bytes, 4, 0, NULL, NULL));
    say_bytes(bytes, 4);
    SAY(sys->getsockopt(fds[1], SOL_SOCKET, SO_PEEK_OFF, &offset, &len));
    say_seen("offset %d", offset);
    SAY(sys->recvfrom(fds[1], bytes, 2, MSG_PEEK, NULL, NULL));
    say_bytes(bytes, 1);
    SAY(sys->recvfrom(fds[1], bytes, 2, MSG_PEEK | MSG_DONTWAIT, NULL, NULL));
    sys->close(fds[0]);
    sys->close(fds[1]);
}

/* How much there is room for is not compared: only that it ends, and begins again. */
static void filling(void)
{
    static char bytes[65536];
    struct timeval tv = {0, 30000};
    int fds[2], rounds;
    ssize_t n;

    net_pair(fds);
    while ((n = sys->sendto(fds[0], bytes, sizeof bytes, MSG_DONTWAIT, NULL, 0)) > 0)
        ;
    SAY(n);
    do { /* until the buffers do not grow any more */
        for (int i = 0; i < 20; i++)
            net_moment();
        rounds = 0;
        while ((n = sys->sendto(fds[0], bytes, sizeof bytes, MSG_DONTWAIT, NULL, 0)) > 0)
            rounds++;
    } while (rounds > 0);
    net_say_ready("full", fds[0]);
    SAY(sys->setsockopt(fds[0], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv));
    SAY(sys->sendto(fds[0], bytes, 1, 0, NULL, 0));
    do {
        while ((n = sys->recvfrom(fds[1], bytes, sizeof bytes, MSG_DONTWAIT, NULL, NULL)) > 0)
            ;
        net_moment();
    } while (!(net_ready(fds[0], POLLOUT) & POLLOUT));
    net_say_ready("with room", fds[0]);
    SAY(sys->sendto(fds[0], bytes, 1, 0, NULL, 0));
    sys->close(fds[0]);
    sys->close(fds[1]);
}

static void counting(void)
{
    int value = -1, fds[2], fd = sys->socket(AF_INET, SOCK_STREAM, 0), listener;
    char bytes[16];

    SAY(sys->ioctl(fd, 0x541b, &value)); /* FIONREAD */
    say_seen("%d", value);
    SAY(sys->ioctl(fd, 0x5411, &value)); /* TIOCOUTQ */
    say_seen("%d", value);
    SAY(sys->ioctl(fd, 0x8905, &value)); /* SIOCATMARK */
    say_seen("%d", value);
    SAY(sys->ioctl(fd, 0x1234, &value));
    SAY(sys->ioctl(99999, 0x541b, &value));
    listener = net_listener("127.0.0.1");
    SAY(sys->ioctl(listener, 0x541b, &value));
    SAY(sys->ioctl(listener, 0x5411, &value));
    net_pair(fds);
    sys->sendto(fds[0], "count me", 8, 0, NULL, 0);
    net_moment();
    SAY(sys->ioctl(fds[1], 0x541b, &value));
    say_seen("%d", value);
    SAY(sys->ioctl(fds[0], 0x5411, &value));
    say_seen("%d", value);
    SAY(sys->ioctl(fds[0], 0x894b, &value)); /* SIOCOUTQNSD */
    say_seen("%d", value);
    sys->recvfrom(fds[1], bytes, 3, 0, NULL, NULL);
    SAY(sys->ioctl(fds[1], 0x541b, &value));
    say_seen("%d", value);
    sys->close(fds[0]);
    net_moment();
    SAY(sys->ioctl(fds[1], 0x541b, &value));
    say_seen("%d", value);
    sys->recvfrom(fds[1], bytes, 16, 0, NULL, NULL);
    SAY(sys->ioctl(fds[1], 0x541b, &value));
    say_seen("%d", value);
    sys->close(fds[1]);
    sys->close(listener);
    sys->close(fd);
}

void check_streams(void)
{
    basics();
    addresses();
    vectors();
    waiting_for_all();
    low_water();
    peek_offset();
    filling();
    counting();
}
