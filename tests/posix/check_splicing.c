/*
 * check_splicing.c - sendfile and splice
 */
#include "posix/net.h"

#include <sys/mman.h>
#include <unistd.h>

enum { FIRST_OWN = 5000 };

/* Files and pipes are the kernel's in both runs, with numbers that Weir gives to no socket. */
static int own(int fd)
{
    int number = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_OWN);

    close(fd);
    return number;
}

static int file_of(const char *text)
{
    int fd = own(memfd_create("splicing", MFD_CLOEXEC));

    if (write(fd, text, strlen(text)) < 0 || lseek(fd, 0, SEEK_SET) != 0)
        say_seen("the file cannot be made");
    return fd;
}

static void make_pipe(int ends[2])
{
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        say_seen("the pipe cannot be made");
    ends[0] = own(ends[0]);
    ends[1] = own(ends[1]);
}

static void say_received(int fd)
{
    char bytes[64];
    ssize_t n;

    net_moment();
    n = sys->recvfrom(fd, bytes, sizeof bytes, MSG_DONTWAIT, NULL, NULL);
    say_result("recvfrom", n);
    if (n > 0)
        say_bytes(bytes, n);
}

static void files(void)
{
    int file = file_of("0123456789"), fresh = sys->socket(AF_INET, SOCK_STREAM, 0), fds[2];
    int64_t at = 3, beyond = 100, before = -1;

    net_pair(fds);
    SAY(sys->sendfile(fds[0], file, NULL, 4));
    say_received(fds[1]);
    SAY(sys->sendfile(fds[0], file, NULL, 100));
    say_received(fds[1]);
    SAY(sys->sendfile(fds[0], file, NULL, 100));
    SAY(sys->sendfile(fds[0], file, &at, 5));
    say_seen("offset %d", (int)at);
    say_received(fds[1]);
    SAY(sys->sendfile(fds[0], file, &beyond, 5));
    say_seen("offset %d", (int)beyond);
    SAY(sys->sendfile(fds[0], file, &before, 5));
    at = 0;
    SAY(sys->sendfile(fds[0], file, &at, 0));
    SAY(sys->sendfile(fds[0], fds[1], NULL, 5));
    SAY(sys->sendfile(fds[0], 99999, NULL, 5));
    SAY(sys->sendfile(fresh, file, &at, 5));
    sys->shutdown(fds[0], SHUT_WR);
    at = 0;
    SAY(sys->sendfile(fds[0], file, &at, 5));
    say_seen("offset %d", (int)at);
    say_received(fds[1]);
    sys->close(fds[0]);
    sys->close(fds[1]);
    sys->close(fresh);
    close(file);
}

static void pipes(void)
{
    int ends[2], fds[2];
    struct timeval soon = {0, 30000};
    int64_t at = 0;
    char bytes[64];

    net_pair(fds);
    make_pipe(ends);
    sys->setsockopt(fds[1], SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
    SAY(write(ends[1], "through a pipe", 14));
    SAY(sys->splice(ends[0], NULL, fds[0], NULL, 7, 0));
    say_received(fds[1]);
    SAY(sys->splice(ends[0], NULL, fds[0], NULL, 100, SPLICE_F_MORE | SPLICE_F_NONBLOCK));
    SAY(sys->splice(ends[0], NULL, fds[0], NULL, 100, SPLICE_F_NONBLOCK));
    SAY(sys->splice(ends[0], NULL, fds[0], NULL, 0, 0));
    SAY(sys->sendto(fds[0], "!", 1, 0, NULL, 0));
    say_received(fds[1]);

    SAY(sys->splice(fds[1], NULL, ends[1], NULL, 10, SPLICE_F_NONBLOCK));
    SAY(sys->sendto(fds[0], "and back", 8, 0, NULL, 0));
    net_moment();
    SAY(sys->splice(fds[1], NULL, ends[1], NULL, 3, 0));
    SAY(sys->splice(fds[1], NULL, ends[1], NULL, 100, 0));
    SAY(read(ends[0], bytes, sizeof bytes));
    say_bytes(bytes, 8);

    SAY(sys->splice(fds[1], &at, ends[1], NULL, 3, 0));
    SAY(sys->splice(ends[0], NULL, fds[0], &at, 3, 0));
    SAY(sys->splice(fds[1], NULL, ends[1], NULL, 3, 0x1000));
    SAY(sys->splice(99999, NULL, fds[0], NULL, 3, 0));
    SAY(sys->sendto(fds[0], "x", 1, 0, NULL, 0));
    SAY(sys->splice(fds[1], NULL, 99999, NULL, 3, 0));
    sys->close(fds[0]);
    net_moment();
    SAY(sys->splice(fds[1], NULL, ends[1], NULL, 10, 0));
    SAY(write(ends[1], "lost", 4));
    SAY(sys->splice(ends[0], NULL, fds[1], NULL, 10, 0));
    net_moment();
    SAY(write(ends[1], "too late", 8));
    SAY(sys->splice(ends[0], NULL, fds[1], NULL, 10, SPLICE_F_NONBLOCK));
    sys->close(fds[1]);
    close(ends[0]);
    close(ends[1]);
}

static void between_sockets(void)
{
    int a[2], b[2];

    net_pair(a);
    net_pair(b);
    SAY(sys->sendto(a[0], "relay", 5, 0, NULL, 0));
    net_moment();
    SAY(sys->splice(a[1], NULL, b[0], NULL, 5, SPLICE_F_NONBLOCK));
    for (int i = 0; i < 2; i++) {
        sys->close(a[i]);
        sys->close(b[i]);
    }
}

void check_splicing(void)
{
    files();
    pipes();
    between_sockets();
}
