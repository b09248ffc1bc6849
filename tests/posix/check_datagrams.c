/*
 * check_datagrams.c - UDP
 */
#include "posix/net.h"

#include <netinet/udp.h>

static int bound(void)
{
    int fd = sys->socket(AF_INET, SOCK_DGRAM, 0);
    union net_addr at = net_in("127.0.0.1", 0);

    sys->bind(fd, &at.any, sizeof at.in);
    return fd;
}

static void unconnected(void)
{
    int a = bound(), b = bound(), c = sys->socket(AF_INET, SOCK_DGRAM, 0);
    union net_addr to = net_name(a), from, zero = net_in("127.0.0.1", 0);
    socklen_t len = sizeof from;
    char bytes[64];

    net_say_names(a);
    net_say_names(c);
    net_say_ready("new", c);
    SAY(sys->sendto(b, "hello", 5, 0, &to.any, sizeof to.in));
    net_moment();
    net_say_ready("with a datagram", a);
    memset(&from, 0, sizeof from);
    SAY(sys->recvfrom(a, bytes, 3, MSG_PEEK, &from.any, &len));
    say_address("from", &from.storage, len);
    SAY(sys->recvfrom(a, bytes, 3, MSG_PEEK | MSG_TRUNC, NULL, NULL));
    SAY(sys->recvfrom(a, bytes, 3, MSG_TRUNC, NULL, NULL));
    SAY(sys->recvfrom(a, bytes, 3, MSG_DONTWAIT, NULL, NULL));
    SAY(sys->sendto(b, "", 0, 0, &to.any, sizeof to.in));
    net_say_ready("with an empty datagram", a);
    SAY(sys->recvfrom(a, bytes, 3, 0, NULL, NULL));
    SAY(sys->sendto(b, "x", 1, 0, NULL, 0));
    SAY(sys->sendto(b, "x", 1, 0, &to.any, 4));
    SAY(sys->sendto(b, "x", 1, 0, &zero.any, sizeof zero.in));
    SAY(sys->sendto(b, "x", 1, MSG_OOB, &to.any, sizeof to.in));
    SAY(sys->recvfrom(b, bytes, 1, MSG_OOB | MSG_DONTWAIT, NULL, NULL));
    SAY(sys->write(b, "x", 1));
    SAY(sys->sendto(c, "from nowhere", 12, 0, &to.any, sizeof to.in)); /* binds it */
    net_say_names(c);
    SAY(sys->read(a, bytes, sizeof bytes));
    SAY(sys->recvfrom(c, bytes, 1, MSG_DONTWAIT, NULL, NULL));
    SAY(sys->shutdown(c, SHUT_RDWR));
    net_say_ready("shut down", c);
    sys->close(a);
    sys->close(b);
    sys->close(c);
}

static void connected(void)
{
    int a = bound(), b = bound(), c = bound();
    union net_addr to = net_name(a), other = net_name(c), back = net_name(b), none;
    char bytes[64];

    memset(&none, 0, sizeof none);
    SAY(sys->connect(b, &to.any, 3));
    SAY(sys->connect(b, &to.any, sizeof to.in));
    net_say_names(b);
    SAY(sys->sendto(b, "to a", 4, 0, NULL, 0));
    SAY(sys->recvfrom(a, bytes, 64, 0, NULL, NULL));
    SAY(sys->sendto(b, "to c", 4, 0, &other.any, sizeof other.in));
    SAY(sys->recvfrom(c, bytes, 64, 0, NULL, NULL));
    SAY(sys->sendto(c, "not heard", 9, 0, &back.any, sizeof back.in));
    SAY(sys->sendto(a, "heard", 5, 0, &back.any, sizeof back.in));
    net_moment();
    SAY(sys->recvfrom(b, bytes, 64, 0, NULL, NULL));
    SAY(sys->recvfrom(b, bytes, 64, MSG_DONTWAIT, NULL, NULL));
    SAY(sys->connect(b, &other.any, sizeof other.in)); /* another one */
    SAY(sys->write(b, "to c", 4));
    SAY(sys->recvfrom(c, bytes, 64, 0, NULL, NULL));
    SAY(sys->connect(b, &none.any, sizeof none.in));
    net_say_names(b);
    SAY(sys->sendto(b, "x", 1, 0, NULL, 0));
    SAY(sys->sendto(a, "heard again", 11, 0, &back.any, sizeof back.in));
    net_moment();
    SAY(sys->recvfrom(b, bytes, 64, MSG_DONTWAIT, NULL, NULL));
    SAY(sys->connect(b, &to.any, sizeof to.in));
    SAY(sys->shutdown(b, SHUT_WR));
    SAY(sys->sendto(b, "x", 1, 0, NULL, 0));
    net_say_ready("shut down for writing", b);
    SAY(sys->shutdown(b, SHUT_RD));
    net_say_ready("shut down", b);
    SAY(sys->recvfrom(b, bytes, 1, 0, NULL, NULL));
    SAY(sys->recvfrom(b, bytes, 1, MSG_DONTWAIT, NULL, NULL));
    sys->close(a);
    sys->close(b);
    sys->close(c);
}

static void refused(void)
{
    int a = bound(), b = bound(), value = -1;
    union net_addr to = net_name(a);
    socklen_t len = sizeof value;
    char bytes[16];

    sys->close(a);
    SAY(sys->connect(b, &to.any, sizeof to.in));
    SAY(sys->sendto(b, "x", 1, 0, NULL, 0));
    net_say_ready("refused", b);
    SAY(sys->recvfrom(b, bytes, 1, MSG_DONTWAIT, NULL, NULL));
    SAY(sys->recvfrom(b, bytes, 1, MSG_DONTWAIT, NULL, NULL));
    SAY(sys->sendto(b, "x", 1, 0, NULL, 0));
    net_moment();
    SAY(sys->sendto(b, "x", 1, 0, NULL, 0));
    SAY(sys->sendto(b, "x", 1, 0, NULL, 0));
    net_moment();
    SAY(sys->getsockopt(b, SOL_SOCKET, SO_ERROR, &value, &len));
    say_seen("error %d", value);
    SAY(sys->getsockopt(b, SOL_SOCKET, SO_ERROR, &value, &len));
    say_seen("error %d", value);
    sys->close(b);
    b = bound();
    SAY(sys->sendto(b, "x", 1, 0, &to.any, sizeof to.in)); /* not connected: not told */
    net_moment();
    SAY(sys->recvfrom(b, bytes, 1, MSG_DONTWAIT, NULL, NULL));
    sys->close(b);
}

static void messages(void)
{
    int a = bound(), b = bound(), on = 1;
    union net_addr to = net_name(a), from;
    char one[8] = "one", two[8] = "two", control[256], x[4], y[8];
    struct iovec iov[2] = {{one, 3}, {two, 3}}, in[2] = {{x, 4}, {y, 8}};
    struct msghdr msg = {
        .msg_name = &to, .msg_namelen = sizeof to.in, .msg_iov = iov, .msg_iovlen = 2};
    struct mmsghdr many[3] = {{.msg_hdr = msg}, {.msg_hdr = msg}, {.msg_hdr = msg}};
    struct timespec soon = {0, 20000000};

    SAY(sys->setsockopt(a, IPPROTO_IP, IP_PKTINFO, &on, sizeof on));
    SAY(sys->setsockopt(a, IPPROTO_IP, IP_RECVTTL, &on, sizeof on));
    SAY(sys->setsockopt(a, IPPROTO_IP, IP_RECVTOS, &on, sizeof on));
    SAY(sys->sendmsg(b, &msg, 0));
    net_moment();
    memset(&from, 0, sizeof from);
    msg = (struct msghdr){.msg_name = &from,
                          .msg_namelen = sizeof from,
                          .msg_iov = in,
                          .msg_iovlen = 2,
                          .msg_control = control,
                          .msg_controllen = sizeof control};
    SAY(sys->recvmsg(a, &msg, 0));
    say_address("from", &from.storage, msg.msg_namelen);
    say_seen("flags %x, control %zu", (unsigned)msg.msg_flags, (size_t)msg.msg_controllen);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c != NULL; c = CMSG_NXTHDR(&msg, c))
        say_seen("    level %d, type %d, length %zu, first %d", c->cmsg_level, c->cmsg_type,
                 (size_t)c->cmsg_len, c->cmsg_type == IP_PKTINFO ? 0 : *CMSG_DATA(c));
    SAY(sys->sendmsg(b, &many[0].msg_hdr, 0));
    net_moment();
    msg = (struct msghdr){
        .msg_iov = in, .msg_iovlen = 1, .msg_control = control, .msg_controllen = 10};
    SAY(sys->recvmsg(a, &msg, 0));
    say_seen("flags %x, control %zu", (unsigned)msg.msg_flags, (size_t)msg.msg_controllen);
    SAY(sys->sendmmsg(b, many, 3, 0));
    say_seen("%u %u %u", many[0].msg_len, many[1].msg_len, many[2].msg_len);
    net_moment();
    for (int i = 0; i < 3; i++)
        many[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = in, .msg_iovlen = 2}};
    SAY(sys->recvmmsg(a, many, 2, 0, NULL));
    SAY(sys->recvmmsg(a, many, 3, MSG_WAITFORONE, NULL));
    SAY(sys->recvmmsg(a, many, 3, MSG_DONTWAIT, &soon));
    sys->close(a);
    sys->close(b);
}

static void sizes(void)
{
    static char bytes[70000];
    int a = bound(), b = bound(), value = -1;
    union net_addr to = net_name(a);

    SAY(sys->sendto(b, bytes, 65507, 0, &to.any, sizeof to.in));
    SAY(sys->sendto(b, bytes, 65508, 0, &to.any, sizeof to.in));
    SAY(sys->sendto(b, bytes, 70000, 0, &to.any, sizeof to.in));
    net_moment();
    SAY(sys->ioctl(a, 0x541b, &value));
    say_seen("%d", value);
    SAY(sys->recvfrom(a, bytes, sizeof bytes, 0, NULL, NULL));
    SAY(sys->ioctl(a, 0x541b, &value));
    say_seen("%d", value);
    sys->close(a);
    sys->close(b);
}

static void in_pieces(void)
{
    static char bytes[65536];
    int a = bound(), b = bound(), c = bound(), on = 1, off = 0;
    union net_addr to = net_name(a), other = net_name(c);

    SAY(sys->sendto(b, "one ", 4, MSG_MORE, &to.any, sizeof to.in));
    SAY(sys->sendto(b, "datagram ", 9, MSG_MORE, &other.any, sizeof other.in));
    net_say_ready("nothing yet", a);
    SAY(sys->sendto(b, "of three", 8, 0, NULL, 0));
    net_moment();
    SAY(sys->recvfrom(a, bytes, 64, MSG_DONTWAIT, NULL, NULL));
    say_bytes(bytes, 21);
    SAY(sys->recvfrom(a, bytes, 64, MSG_DONTWAIT, NULL, NULL));
    SAY(sys->recvfrom(c, bytes, 64, MSG_DONTWAIT, NULL, NULL));
    SAY(sys->sendto(b, bytes, 60000, MSG_MORE, &to.any, sizeof to.in));
    SAY(sys->sendto(b, bytes, 60000, MSG_MORE, NULL, 0));
    SAY(sys->sendto(b, "x", 1, 0, NULL, 0)); /* the other one is forgotten */
    SAY(sys->connect(b, &to.any, sizeof to.in));
    SAY(sys->setsockopt(b, IPPROTO_UDP, UDP_CORK, &on, sizeof on));
    SAY(sys->write(b, "cor", 3));
    SAY(sys->write(b, "ked", 3));
    net_say_ready("nothing yet", a);
    SAY(sys->setsockopt(b, IPPROTO_UDP, UDP_CORK, &off, sizeof off));
    net_moment();
    SAY(sys->recvfrom(a, bytes, 64, MSG_DONTWAIT, NULL, NULL));
    say_bytes(bytes, 6);
    SAY(sys->setsockopt(b, IPPROTO_UDP, 12345, &on, sizeof on));
    SAY(sys->setsockopt(b, IPPROTO_TCP, 1, &on, sizeof on));
    sys->close(a);
    sys->close(b);
    sys->close(c);
}

static void sharing(void)
{
    int a = bound(), b = sys->socket(AF_INET, SOCK_DGRAM, 0);
    union net_addr at = net_name(a), broadcast = net_in("127.255.255.255", 9);

    SAY(sys->bind(b, &at.any, sizeof at.in));
    at.in.sin_addr.s_addr = htonl(INADDR_ANY);
    SAY(sys->bind(b, &at.any, sizeof at.in));
    at.in.sin_addr.s_addr = htonl(0x7f000002);
    SAY(sys->bind(b, &at.any, sizeof at.in));
    SAY(sys->bind(b, &at.any, sizeof at.in));
    SAY(sys->sendto(b, "x", 1, 0, &broadcast.any, sizeof broadcast.in));
    SAY(sys->connect(b, &broadcast.any, sizeof broadcast.in));
    sys->close(a);
    sys->close(b);
}

/* Which of two gets a peer's datagrams is not said, but it is always the same one. */
static void spread(void)
{
    enum { PEERS = 40 };
    union net_addr at = net_in("127.0.0.1", 0);
    int fds[2], third = sys->socket(AF_INET, SOCK_DGRAM, 0), got[2] = {0, 0}, on = 1, moved = 0;

    for (int i = 0; i < 2; i++) {
        fds[i] = sys->socket(AF_INET, SOCK_DGRAM, 0);
        SAY(sys->setsockopt(fds[i], SOL_SOCKET, SO_REUSEPORT, &on, sizeof on));
        SAY(sys->bind(fds[i], &at.any, sizeof at.in));
        at = net_name(fds[0]);
    }
    SAY(sys->bind(third, &at.any, sizeof at.in));
    for (int i = 0; i < PEERS; i++) {
        int from = sys->socket(AF_INET, SOCK_DGRAM, 0), to = -1;

        for (int k = 0; k < 3; k++) {
            char byte;

            sys->sendto(from, "x", 1, 0, &at.any, sizeof at.in);
            net_moment();
            for (int j = 0; j < 2; j++) {
                if (sys->recvfrom(fds[j], &byte, 1, MSG_DONTWAIT, NULL, NULL) != 1)
                    continue;
                moved += to >= 0 && to != j;
                to = j;
                got[j]++;
            }
        }
        sys->close(from);
    }
    say_seen("%d datagrams, both got some: %d, and those of %d peers moved", got[0] + got[1],
             got[0] > 0 && got[1] > 0, moved);
    sys->close(fds[0]);
    sys->close(fds[1]);
    sys->close(third);
}

void check_datagrams(void)
{
    unconnected();
    connected();
    refused();
    messages();
    sizes();
    in_pieces();
    sharing();
    spread();
}
