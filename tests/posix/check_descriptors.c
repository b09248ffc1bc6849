/*
 * check_descriptors.c - dup, fcntl, close
 */
#include "posix/net.h"

static void flags(void)
{
    int fd = sys->socket(AF_INET, SOCK_STREAM, 0), copy;

    SAY(sys->fcntl(fd, F_GETFL, 0));
    SAY(sys->fcntl(fd, F_SETFL, O_NONBLOCK));
    SAY(sys->fcntl(fd, F_GETFL, 0));
    SAY(sys->fcntl(fd, F_SETFL, O_RDONLY | O_CREAT | O_TRUNC));
    SAY(sys->fcntl(fd, F_GETFL, 0));
    SAY(sys->fcntl(fd, F_GETFD, 0));
    SAY(sys->fcntl(fd, F_SETFD, FD_CLOEXEC));
    SAY(sys->fcntl(fd, F_GETFD, 0));
    copy = SAY_FD(sys->dup(fd));
    SAY(sys->fcntl(copy, F_GETFD, 0));
    SAY(sys->fcntl(copy, F_SETFL, O_NONBLOCK));
    SAY(sys->fcntl(fd, F_GETFL, 0)); /* one description */
    SAY(sys->fcntl(fd, 12345, 0));
    SAY(sys->fcntl(99999, F_GETFL, 0));
    SAY(sys->fcntl(fd, F_DUPFD, -1));
    sys->close(copy);
    copy = SAY_FD(sys->fcntl(fd, F_DUPFD, 700));
    say_seen("at least 700: %d", copy >= 700);
    sys->close(copy);
    copy = SAY_FD(sys->fcntl(fd, F_DUPFD_CLOEXEC, 10));
    SAY(sys->fcntl(copy, F_GETFD, 0));
    sys->close(copy);
    SAY(sys->close(fd));
    SAY(sys->close(fd));
    SAY(sys->close(-1));
    SAY(sys->dup(fd));
}

static void copies(void)
{
    char bytes[16];
    int fds[2], copy, other;

    net_pair(fds);
    copy = SAY_FD(sys->dup(fds[0]));
    SAY(sys->close(fds[0]));
    SAY(sys->sendto(copy, "by copy", 7, 0, NULL, 0));
    SAY(sys->recvfrom(fds[1], bytes, 16, 0, NULL, NULL));
    say_bytes(bytes, 7);
    SAY(sys->recvfrom(fds[1], bytes, 16, MSG_DONTWAIT, NULL, NULL));
    SAY(sys->close(copy));
    SAY(sys->recvfrom(fds[1], bytes, 16, 0, NULL, NULL));
    other = sys->socket(AF_INET, SOCK_STREAM, 0);
    say_seen("in its place: %d", sys->dup2(fds[1], other) == other);
    say_seen("itself: %d", sys->dup2(fds[1], fds[1]) == fds[1]);
    SAY(sys->dup2(99999, other));
    SAY(sys->dup2(other, -1));
    SAY(sys->dup3(other, other, 0));
    SAY(sys->dup3(other, 900, 12345));
    say_seen("at 900: %d", sys->dup3(other, 900, O_CLOEXEC));
    SAY(sys->fcntl(900, F_GETFD, 0));
    SAY(sys->close(900));
    SAY(sys->close(other));
    SAY(sys->close(fds[1]));
}

static void lowest_first(void)
{
    int a = sys->socket(AF_INET, SOCK_STREAM, 0), b = sys->socket(AF_INET, SOCK_STREAM, 0), c;

    sys->close(a);
    c = sys->socket(AF_INET, SOCK_DGRAM, 0);
    say_seen("the lowest is used again: %d", c == a);
    sys->close(b);
    sys->close(c);
}

static void nonblocking(void)
{
    int on = 1, off = 0, fds[2];
    char byte;

    net_pair(fds);
    SAY(sys->ioctl(fds[0], 0x5421, &on)); /* FIONBIO */
    SAY(sys->fcntl(fds[0], F_GETFL, 0));
    SAY(sys->recvfrom(fds[0], &byte, 1, 0, NULL, NULL));
    SAY(sys->ioctl(fds[0], 0x5421, &off));
    SAY(sys->fcntl(fds[0], F_GETFL, 0));
    sys->close(fds[0]);
    sys->close(fds[1]);
}

void check_descriptors(void)
{
    flags();
    copies();
    lowest_first();
    nonblocking();
}
