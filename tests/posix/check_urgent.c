/*
 * check_urgent.c - out-of-band bytes
 */
#include "posix/net.h"

static int at_mark(int fd)
{
    int value = -1;

    sys->ioctl(fd, 0x8905, &value);
    return value;
}

static int unread(int fd)
{
    int value = -1;

    sys->ioctl(fd, 0x541b, &value);
    return value;
}

static void apart(void)
{
    char bytes[16];
    int fds[2];

    net_pair(fds);
    SAY(sys->recvfrom(fds[1], bytes, 1, MSG_OOB, NULL, NULL));
    SAY(sys->sendto(fds[0], "abc", 3, 0, NULL, 0));
    SAY(sys->sendto(fds[0], "xU", 2, MSG_OOB, NULL, 0));
    SAY(sys->sendto(fds[0], "def", 3, 0, NULL, 0));
    net_say_ready("with urgent byte", fds[1]);
    say_seen("unread %d, mark %d", unread(fds[1]), at_mark(fds[1]));
    SAY(sys->recvfrom(fds[1], bytes, 1, MSG_OOB | MSG_PEEK, NULL, NULL));
    say_bytes(bytes, 1);
    SAY(sys->recvfrom(fds[1], bytes, 16, MSG_OOB, NULL, NULL));
    say_bytes(bytes, 1);
    SAY(sys->recvfrom(fds[1], bytes, 16, MSG_OOB, NULL, NULL));
    net_say_ready("urgent byte read", fds[1]);
    SAY(sys->recvfrom(fds[1], bytes, 16, 0, NULL, NULL));
    say_bytes(bytes, 4);
    say_seen("unread %d, mark %d", unread(fds[1]), at_mark(fds[1]));
    SAY(sys->recvfrom(fds[1], bytes, 16, 0, NULL, NULL));
    say_bytes(bytes, 3);
    say_seen("unread %d, mark %d", unread(fds[1]), at_mark(fds[1]));
    SAY(sys->recvfrom(fds[1], bytes, 1, MSG_OOB, NULL, NULL));
    sys->close(fds[0]);
    sys->close(fds[1]);
}

static void passed_by(void)
{
    char bytes[16];
    int fds[2];

    net_pair(fds);
    sys->sendto(fds[0], "aU", 2, MSG_OOB, NULL, 0);
    sys->sendto(fds[0], "b", 1, 0, NULL, 0);
    net_moment();
    SAY(sys->recvfrom(fds[1], bytes, 16, MSG_PEEK, NULL, NULL));
    SAY(sys->recvfrom(fds[1], bytes, 16, 0, NULL, NULL));
    say_seen("unread %d, mark %d", unread(fds[1]), at_mark(fds[1]));
    SAY(sys->recvfrom(fds[1], bytes, 16, MSG_PEEK, NULL, NULL));
    say_bytes(bytes, 1);
    SAY(sys->recvfrom(fds[1], bytes, 16, 0, NULL, NULL));
    say_bytes(bytes, 1);
    SAY(sys->recvfrom(fds[1], bytes, 1, MSG_OOB, NULL, NULL));
    net_say_ready("urgent byte lost", fds[1]);
    sys->close(fds[0]);
    sys->close(fds[1]);
}

static void inline_with_the_rest(void)
{
    char bytes[16];
    int on = 1, fds[2];

    net_pair(fds);
    SAY(sys->setsockopt(fds[1], SOL_SOCKET, SO_OOBINLINE, &on, sizeof on));
    sys->sendto(fds[0], "aU", 2, MSG_OOB, NULL, 0);
    sys->sendto(fds[0], "b", 1, 0, NULL, 0);
    net_say_ready("inline", fds[1]);
    say_seen("unread %d, mark %d", unread(fds[1]), at_mark(fds[1]));
    SAY(sys->recvfrom(fds[1], bytes, 1, MSG_OOB, NULL, NULL));
    SAY(sys->recvfrom(fds[1], bytes, 16, 0, NULL, NULL));
    say_bytes(bytes, 1);
    say_seen("unread %d, mark %d", unread(fds[1]), at_mark(fds[1]));
    SAY(sys->recvfrom(fds[1], bytes, 16, 0, NULL, NULL));
    say_bytes(bytes, 2);
    say_seen("unread %d, mark %d", unread(fds[1]), at_mark(fds[1]));
    net_say_ready("inline, read", fds[1]);
    sys->close(fds[0]);
    sys->close(fds[1]);
}

static void alone(void)
{
    char bytes[16];
    int fds[2];

    net_pair(fds);
    sys->sendto(fds[0], "U", 1, MSG_OOB, NULL, 0);
    net_say_ready("only urgent", fds[1]);
    say_seen("unread %d, mark %d", unread(fds[1]), at_mark(fds[1]));
    SAY(sys->recvfrom(fds[1], bytes, 16, MSG_DONTWAIT, NULL, NULL));
    SAY(sys->recvfrom(fds[1], bytes, 16, MSG_OOB, NULL, NULL));
    sys->shutdown(fds[0], SHUT_WR);
    net_moment();
    SAY(sys->recvfrom(fds[1], bytes, 16, MSG_DONTWAIT, NULL, NULL));
    sys->close(fds[0]);
    sys->close(fds[1]);
}

static void twice(void)
{
    char bytes[16];
    int fds[2];

    net_pair(fds);
    sys->sendto(fds[0], "aU", 2, MSG_OOB, NULL, 0);
    net_moment();
    sys->sendto(fds[0], "bV", 2, MSG_OOB, NULL, 0);
    net_moment();
    SAY(sys->recvfrom(fds[1], bytes, 1, MSG_OOB, NULL, NULL));
    say_bytes(bytes, 1);
    SAY(sys->recvfrom(fds[1], bytes, 16, 0, NULL, NULL));
    say_bytes(bytes, 3);
    sys->close(fds[0]);
    sys->close(fds[1]);
}

void check_urgent(void)
{
    apart();
    passed_by();
    inline_with_the_rest();
    alone();
    twice();
}
