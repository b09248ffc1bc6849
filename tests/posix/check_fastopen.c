/*
 * check_fastopen.c - connections that begin with data, with a cookie [RFC7413]
 *
 * The kernel gives cookies only where tcp_fastopen says so: compare.sh sees to that.
 */
#include "posix/net.h"
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { OWN_FILE = 5100 };

static int listener;
static union net_addr to;

static int error_of(int fd)
{
    socklen_t len = sizeof(int);
    int error = -1;

    sys->getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
    return error;
}

static void say_state(const char *text, int fd)
{
    int unsent = -1, unread = -1;

    say_seen("%s", text);
    net_say_ready("it", fd);
    SAY(sys->ioctl(fd, SIOCOUTQ, &unsent));
    SAY(sys->ioctl(fd, SIOCINQ, &unread));
    if (net_ready(fd, 0) & POLLHUP) /* what the kernel says then is what it begins to count at */
        unsent = 0;
    say_seen("    unsent %d, unread %d, SO_ERROR %d", unsent, unread, error_of(fd));
}

static void say_accepted(void)
{
    char bytes[64];
    ssize_t n;
    int fd;

    net_moment();
    fd = SAY_FD(sys->accept4(listener, NULL, NULL, SOCK_NONBLOCK));
    if (fd < 0)
        return;
    net_moment();
    n = say_result("recvfrom", sys->recvfrom(fd, bytes, sizeof bytes, 0, NULL, NULL));
    if (n > 0)
        say_bytes(bytes, n);
    sys->close(fd);
}

static int deferred(int flags)
{
    int fd = sys->socket(AF_INET, SOCK_STREAM | flags, 0), on = 1;

    SAY(sys->setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on));
    SAY(sys->connect(fd, &to.any, sizeof to.in));
    return fd;
}

static void get_cookie(void)
{
    int fd = sys->socket(AF_INET, SOCK_STREAM, 0);

    SAY(sys->sendto(fd, "first", 5, MSG_FASTOPEN, &to.any, sizeof to.in));
    say_accepted();
    sys->close(fd);
}

/* Nothing has been sent. */
static void not_yet(void)
{
    union net_addr peer, own = net_in("127.0.0.1", 0);
    socklen_t len = sizeof peer;
    int fd = deferred(SOCK_NONBLOCK), off = 0;
    char byte;

    say_state("deferred", fd);
    SAY(sys->connect(fd, &to.any, sizeof to.in));
    SAY(sys->getpeername(fd, &peer.any, &len));
    SAY(sys->bind(fd, &own.any, sizeof own.in));
    SAY(sys->listen(fd, 1));
    SAY(sys->setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &off, sizeof off));
    SAY(sys->recvfrom(fd, &byte, 1, 0, NULL, NULL));
    SAY(sys->sendto(fd, "x", 1, MSG_OOB | MSG_DONTWAIT, NULL, 0));
    say_accepted();
    sys->close(fd);
}

static void shut(int how)
{
    int fd = deferred(0);

    say_seen("shutdown %d", how);
    SAY(sys->shutdown(fd, how));
    say_state("afterwards", fd);
    SAY(sys->sendto(fd, "data", 4, 0, NULL, 0));
    SAY(sys->connect(fd, &to.any, sizeof to.in));
    SAY(sys->sendto(fd, "again", 5, 0, NULL, 0));
    say_accepted();
    sys->close(fd);
}

static void given_up(void)
{
    const struct sockaddr nothing = {.sa_family = AF_UNSPEC};
    int fd = deferred(0);

    SAY(sys->connect(fd, &nothing, sizeof nothing));
    say_state("afterwards", fd);
    SAY(sys->sendto(fd, "data", 4, 0, NULL, 0));
    sys->close(fd);
    fd = deferred(0);
    sys->close(fd);
}

static void made(int flags, int how, const char *text)
{
    int fd = deferred(flags);

    say_seen("made with %d, %d", flags, how);
    SAY(sys->sendto(fd, text, strlen(text), how, (how & MSG_FASTOPEN) ? &to.any : NULL,
                    (how & MSG_FASTOPEN) ? sizeof to.in : 0));
    net_moment();
    say_state("made", fd);
    SAY(sys->sendto(fd, "more", 4, 0, NULL, 0));
    say_accepted();
    sys->close(fd);
}

static void with_a_file(int flags)
{
    int file = memfd_create("fastopen", MFD_CLOEXEC), own = fcntl(file, F_DUPFD_CLOEXEC, OWN_FILE);
    int fd = deferred(flags);

    if (write(own, "contents", 8) != 8)
        say_seen("no file");
    lseek(own, 0, SEEK_SET);
    SAY(sys->sendfile(fd, own, NULL, 8));
    if (flags & SOCK_NONBLOCK) {
        net_moment();
        SAY(sys->sendfile(fd, own, NULL, 8));
    }
    say_state("afterwards", fd);
    say_accepted();
    sys->close(fd);
    close(file);
    close(own);
}

static void at_once(int flags)
{
    int fd = sys->socket(AF_INET, SOCK_STREAM | flags, 0);
    union net_addr peer;
    socklen_t len = sizeof peer;
    const struct sockaddr nothing = {.sa_family = AF_UNSPEC};

    say_seen("at once with %d", flags);
    SAY(sys->sendto(fd, "data", 4, MSG_FASTOPEN, &nothing, sizeof nothing));
    SAY(sys->sendto(fd, "data", 4, MSG_FASTOPEN, &to.any, sizeof to.in));
    net_moment();
    say_state("sent", fd);
    SAY(sys->getpeername(fd, &peer.any, &len));
    SAY(sys->sendto(fd, "more", 4, MSG_FASTOPEN, &to.any, sizeof to.in));
    SAY(sys->sendto(fd, "more", 4, MSG_FASTOPEN, &to.any, sizeof to.in));
    SAY(sys->shutdown(fd, SHUT_WR));
    say_accepted();
    net_moment();
    say_state("shut", fd);
    sys->close(fd);
}

static void nobody_there(void)
{
    int fd = deferred(0), again;

    again = listener;
    sys->close(again);
    net_moment();
    SAY(sys->sendto(fd, "data", 4, MSG_NOSIGNAL, NULL, 0));
    say_state("refused", fd);
    SAY(sys->sendto(fd, "data", 4, MSG_NOSIGNAL, NULL, 0));
    sys->close(fd);
    fd = deferred(SOCK_NONBLOCK);
    SAY(sys->sendto(fd, "data", 4, MSG_NOSIGNAL, NULL, 0));
    net_moment();
    say_state("refused", fd);
    SAY(sys->sendto(fd, "data", 4, MSG_NOSIGNAL, NULL, 0));
    sys->close(fd);
}

void check_fastopen(void)
{
    int queue = 5;

    listener = net_listener("127.0.0.1");
    to = net_name(listener);
    SAY(sys->setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof queue));
    get_cookie();
    not_yet();
    shut(SHUT_RD);
    shut(SHUT_WR);
    shut(SHUT_RDWR);
    given_up();
    made(0, 0, "data");
    made(0, 0, "");
    made(SOCK_NONBLOCK, 0, "data");
    made(SOCK_NONBLOCK, 0, "");
    made(0, MSG_FASTOPEN, "data");
    with_a_file(0);
    with_a_file(SOCK_NONBLOCK);
    at_once(0);
    at_once(SOCK_NONBLOCK);
    nobody_there();
}
