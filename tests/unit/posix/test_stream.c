/*
 * test_stream.c - stream sockets: connections from their beginning to their end
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>

#include "lib/fake_crypto.h"
#include "lib/test.h"
#include "unit/posix/lab.h"

TEST(bytes_go_both_ways)
{
    static const char *const addrs[] = {"127.0.0.1", "::1", "::ffff:127.0.0.1", "198.18.0.1"};

    for (size_t i = 0; i < 4; i++) {
        struct lab *lab = lab_make();
        char bytes[16];
        int fds[2];

        lab_pair_over(lab, addrs[i], fds);
        EXPECT_EQ(weir_px_send(lab->px, fds[0], "question", 8, 0), 8);
        EXPECT_EQ(weir_px_recv(lab->px, fds[1], bytes, sizeof bytes, 0), 8);
        EXPECT_MEM(bytes, "question", 8);
        EXPECT_EQ(weir_px_write(lab->px, fds[1], "answer", 6), 6);
        EXPECT_EQ(weir_px_read(lab->px, fds[0], bytes, sizeof bytes), 6);
        EXPECT_MEM(bytes, "answer", 6);
        EXPECT_EQ(weir_px_close(lab->px, fds[1]), 0);
        EXPECT_EQ(weir_px_recv(lab->px, fds[0], bytes, sizeof bytes, 0), 0);
    }
}

static void sends_later(struct lab *lab, void *ctx)
{
    const int *fd = ctx;

    EXPECT_EQ(weir_px_send(lab->px, *fd, "late", 4, 0), 4);
}

TEST(a_read_waits_for_bytes)
{
    struct lab *lab = lab_make();
    weir_ns_t before;
    char bytes[8];
    int fds[2];

    lab_pair(lab, fds);
    before = lab->now;
    lab_at(lab, WEIR_S, sends_later, &fds[0]);
    EXPECT_EQ(weir_px_recv(lab->px, fds[1], bytes, sizeof bytes, 0), 4);
    EXPECT_EQ(lab->now - before, WEIR_S);
}

TEST(a_read_that_is_interrupted_says_so)
{
    struct lab *lab = lab_make();
    char bytes[8];
    int fds[2];

    lab_pair(lab, fds);
    lab->interrupts_after = 1;
    EXPECT_ERRNO(weir_px_recv(lab->px, fds[1], bytes, sizeof bytes, 0), EINTR);
}

TEST(nobody_listens)
{
    struct lab *lab = lab_make();
    int fd = weir_px_socket(lab->px, AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = lab_in("127.0.0.1", 9);

    EXPECT_ERRNO(weir_px_connect(lab->px, fd, (struct sockaddr *)&to, sizeof to), ECONNREFUSED);
}

TEST(a_full_send_buffer_blocks_until_the_peer_reads)
{
    struct lab *lab = lab_make();
    static char bytes[4096], got[1 << 20];
    size_t sent = 0, read = 0;
    int fds[2];
    ssize_t n;

    lab_pair(lab, fds);
    while ((n = weir_px_send(lab->px, fds[0], bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
        sent += (size_t)n;
    EXPECT_EQ(errno, EAGAIN);
    while (read < sent) {
        n = weir_px_recv(lab->px, fds[1], got, sizeof got, 0);
        EXPECT(n > 0);
        read += (size_t)n;
    }
    EXPECT_EQ(read, sent);
}

TEST(a_file_is_sent_and_a_socket_is_spliced_into_one)
{
    struct lab *lab = lab_make();
    static char bytes[65536];
    int64_t offset = 10;
    int fds[2];

    lab_pair(lab, fds);
    for (size_t i = 0; i < 5000; i++)
        lab->file.bytes[i] = (uint8_t)(i * 7);
    lab->file.len = 5000;
    EXPECT_EQ(weir_px_sendfile(lab->px, fds[0], 1000, &offset, 4000), 4000);
    EXPECT_EQ(offset, 4010);
    EXPECT_EQ(weir_px_sendfile(lab->px, fds[0], 1000, &offset, 4000), 990);
    EXPECT_EQ(weir_px_sendfile(lab->px, fds[0], 1000, &offset, 4000), 0);
    EXPECT_EQ(weir_px_recv(lab->px, fds[1], bytes, sizeof bytes, MSG_PEEK), 4990);
    EXPECT_MEM(bytes, lab->file.bytes + 10, 4990);

    EXPECT_EQ(weir_px_splice(lab->px, fds[1], NULL, 1000, NULL, 4990, 0), 4990);
    EXPECT_EQ(lab->file.len, 9990);
    EXPECT_MEM(lab->file.bytes + 5000, bytes, 4990);
    EXPECT_EQ(weir_px_fcntl(lab->px, fds[1], F_SETFL, O_NONBLOCK), 0);
    EXPECT_ERRNO(weir_px_splice(lab->px, fds[1], NULL, 1000, NULL, 1, 0), EAGAIN);
    EXPECT_ERRNO(weir_px_splice(lab->px, fds[1], &offset, 1000, NULL, 1, 0), EINVAL);
    EXPECT_ERRNO(weir_px_sendfile(lab->px, fds[0], fds[1], NULL, 1), EINVAL);
    EXPECT_ERRNO(weir_px_sendfile(lab->px, fds[0], 999, NULL, 1), EBADF);
}

TEST(a_socket_is_spliced_into_another)
{
    struct lab *lab = lab_make();
    int from[2], to[2];
    char bytes[8];

    lab_pair(lab, from);
    lab_pair(lab, to);
    EXPECT_EQ(weir_px_send(lab->px, from[0], "through", 7, 0), 7);
    EXPECT_EQ(weir_px_splice(lab->px, from[1], NULL, to[0], NULL, 100, 0), 7);
    EXPECT_EQ(weir_px_recv(lab->px, to[1], bytes, sizeof bytes, 0), 7);
    EXPECT_MEM(bytes, "through", 7);
    EXPECT_EQ(weir_px_shutdown(lab->px, from[0], SHUT_WR), 0);
    EXPECT_EQ(weir_px_splice(lab->px, from[1], NULL, to[0], NULL, 100, 0), 0);
}

/* ---- Fast Open ---- */

static int fastopen_server(struct lab *lab, struct sockaddr_in *at)
{
    int server = weir_px_socket(lab->px, AF_INET, SOCK_STREAM, 0), queue = 5;

    *at = lab_in("198.18.0.1", 80);
    EXPECT_EQ(weir_px_setsockopt(lab->px, server, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof queue),
              0);
    EXPECT_EQ(weir_px_bind(lab->px, server, (struct sockaddr *)at, sizeof *at), 0);
    EXPECT_EQ(weir_px_listen(lab->px, server, 5), 0);
    return server;
}

static uint8_t fastopen_fail_of(struct lab *lab, int fd)
{
    uint8_t info[104];
    socklen_t len = sizeof info;

    EXPECT_EQ(weir_px_getsockopt(lab->px, fd, IPPROTO_TCP, TCP_INFO, info, &len), 0);
    return info[7];
}

TEST(a_first_fast_open_gets_a_cookie_and_the_next_sends_with_the_syn) /* [RFC7413 4.1] */
{
    struct lab *lab = lab_make();
    struct sockaddr_in at;
    int server = fastopen_server(lab, &at), fd, b;
    char bytes[32];

    /* Without a cookie, and without waiting, nothing is sent. */
    fd = weir_px_socket(lab->px, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    EXPECT_ERRNO(
        weir_px_sendto(lab->px, fd, "early", 5, MSG_FASTOPEN, (struct sockaddr *)&at, sizeof at),
        EINPROGRESS);
    EXPECT_EQ(weir_px_send(lab->px, fd, "late", 4, 0), 4);
    EXPECT(fastopen_fail_of(lab, fd) != 0);
    b = weir_px_accept(lab->px, server, NULL, NULL);
    EXPECT_EQ(weir_px_recv(lab->px, b, bytes, sizeof bytes, 0), 4);
    EXPECT_EQ(weir_px_close(lab->px, b), 0);
    EXPECT_EQ(weir_px_close(lab->px, fd), 0);

    fd = weir_px_socket(lab->px, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    EXPECT_EQ(weir_px_sendto(lab->px, fd, "with the SYN", 12, MSG_FASTOPEN, (struct sockaddr *)&at,
                             sizeof at),
              12);
    EXPECT_EQ(fastopen_fail_of(lab, fd), 0);
    b = weir_px_accept(lab->px, server, NULL, NULL);
    EXPECT_EQ(weir_px_recv(lab->px, b, bytes, sizeof bytes, 0), 12);
    /* The first call after the handshake finds that the attempt has succeeded. */
    EXPECT_EQ(
        weir_px_sendto(lab->px, fd, "again", 5, MSG_FASTOPEN, (struct sockaddr *)&at, sizeof at),
        5);
    EXPECT_ERRNO(
        weir_px_sendto(lab->px, fd, "again", 5, MSG_FASTOPEN, (struct sockaddr *)&at, sizeof at),
        EISCONN);
}

TEST(a_connect_that_is_deferred_is_made_by_the_first_write)
{
    struct lab *lab = lab_make();
    struct sockaddr_in at;
    int server = fastopen_server(lab, &at), fd, b, on = 1;
    char bytes[32];

    for (int i = 0; i < 2; i++) {
        fd = weir_px_socket(lab->px, AF_INET, SOCK_STREAM, 0);
        EXPECT_EQ(
            weir_px_setsockopt(lab->px, fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on), 0);
        EXPECT_EQ(weir_px_connect(lab->px, fd, (struct sockaddr *)&at, sizeof at), 0);
        if (i == 1) { /* now there is a cookie: nothing was sent yet */
            struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};
            EXPECT_EQ(weir_px_handle(lab->px, fd), 0);
            EXPECT_EQ(weir_px_poll(lab->px, &p, 1, 0), 1);
            EXPECT_EQ(p.revents, POLLOUT);
            EXPECT_ERRNO(weir_px_connect(lab->px, fd, (struct sockaddr *)&at, sizeof at), EISCONN);
        }
        EXPECT_EQ(weir_px_write(lab->px, fd, "deferred", 8), 8);
        b = weir_px_accept(lab->px, server, NULL, NULL);
        EXPECT_EQ(weir_px_recv(lab->px, b, bytes, sizeof bytes, 0), 8);
        EXPECT_EQ(weir_px_close(lab->px, b), 0);
        EXPECT_EQ(weir_px_close(lab->px, fd), 0);
    }
}

/* ---- the end of patience ---- */

TEST(a_listener_without_room_makes_a_connect_time_out)
{
    struct lab *lab = lab_make();
    int server = weir_px_socket(lab->px, AF_INET, SOCK_STREAM, 0), fds[3], retries = 2;
    struct sockaddr_in at = lab_in("127.0.0.1", 80);
    weir_ns_t before;

    EXPECT_EQ(weir_px_bind(lab->px, server, (struct sockaddr *)&at, sizeof at), 0);
    EXPECT_EQ(weir_px_listen(lab->px, server, 0), 0);
    for (int i = 0; i < 2; i++) {
        fds[i] = weir_px_socket(lab->px, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        weir_px_connect(lab->px, fds[i], (struct sockaddr *)&at, sizeof at);
    }
    fds[2] = weir_px_socket(lab->px, AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(
        weir_px_setsockopt(lab->px, fds[2], IPPROTO_TCP, TCP_SYNCNT, &retries, sizeof retries), 0);
    before = lab->now;
    EXPECT_ERRNO(weir_px_connect(lab->px, fds[2], (struct sockaddr *)&at, sizeof at), ETIMEDOUT);
    EXPECT_EQ(lab->now - before, 7 * WEIR_S); /* 1 + 2 + 4 */
}

TEST(a_connect_waits_as_long_as_sends_may)
{
    struct lab *lab = lab_make();
    int server = weir_px_socket(lab->px, AF_INET, SOCK_STREAM, 0), fd;
    struct sockaddr_in at = lab_in("127.0.0.1", 80);
    struct timeval tv = {2, 500000};
    weir_ns_t before;

    EXPECT_EQ(weir_px_bind(lab->px, server, (struct sockaddr *)&at, sizeof at), 0);
    EXPECT_EQ(weir_px_listen(lab->px, server, 0), 0);
    for (int i = 0; i < 2; i++) {
        fd = weir_px_socket(lab->px, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        weir_px_connect(lab->px, fd, (struct sockaddr *)&at, sizeof at);
    }
    fd = weir_px_socket(lab->px, AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(weir_px_setsockopt(lab->px, fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv), 0);
    before = lab->now;
    EXPECT_ERRNO(weir_px_connect(lab->px, fd, (struct sockaddr *)&at, sizeof at), EINPROGRESS);
    EXPECT_EQ(lab->now - before, 2500 * WEIR_MS);
    lab->interrupts_after = 1;
    EXPECT_ERRNO(weir_px_connect(lab->px, fd, (struct sockaddr *)&at, sizeof at), EINTR);
}

TEST(a_broken_pipe_is_signalled_unless_asked_not_to)
{
    struct lab *lab = lab_make();
    int fds[2];

    lab_pair(lab, fds);
    EXPECT_EQ(weir_px_shutdown(lab->px, fds[0], SHUT_WR), 0);
    EXPECT_ERRNO(weir_px_send(lab->px, fds[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    EXPECT_EQ(lab->signals, 0);
    EXPECT_ERRNO(weir_px_write(lab->px, fds[0], "x", 1), EPIPE);
    EXPECT_EQ(lab->signals, 1);
}

TEST(a_close_that_lingers_waits_for_the_peer_and_not_for_ever)
{
    struct lab *lab = lab_make();
    struct linger linger = {1, 3};
    static char bytes[1 << 20];
    weir_ns_t before;
    int fds[2];

    lab_pair(lab, fds);
    while (weir_px_send(lab->px, fds[0], bytes, sizeof bytes, MSG_DONTWAIT) > 0)
        ;
    EXPECT_EQ(weir_px_setsockopt(lab->px, fds[0], SOL_SOCKET, SO_LINGER, &linger, sizeof linger),
              0);
    before = lab->now;
    EXPECT_EQ(weir_px_close(lab->px, fds[0]), 0); /* nobody reads */
    EXPECT_EQ(lab->now - before, 3 * WEIR_S);
}

static void set_key(struct lab *lab, int fd, const char *peer, const char *key, int error)
{
    struct tcp_md5sig sig = {.tcpm_keylen = (uint16_t)strlen(key)};
    struct sockaddr_in in = lab_in(peer, 0);
    int err;

    memcpy(&sig.tcpm_addr, &in, sizeof in);
    memcpy(sig.tcpm_key, key, strlen(key));
    err = weir_px_setsockopt(lab->px, fd, IPPROTO_TCP, TCP_MD5SIG, &sig, sizeof sig);
    EXPECT_EQ(err, error == 0 ? 0 : -1);
    EXPECT(err == 0 || errno == error);
}

TEST(a_signature_key_makes_strangers_of_those_who_lack_it) /* [RFC2385] */
{
    struct weir_config config = lab_config();
    struct sockaddr_in at = lab_in("198.18.0.1", 179);
    struct timeval tv = {3, 0};
    struct lab *lab;
    int server, fd;

    config.crypto = fake_crypto();
    lab = lab_make_with(&config);
    server = weir_px_socket(lab->px, AF_INET, SOCK_STREAM, 0);
    set_key(lab, server, "198.18.0.1", "secret", 0);
    EXPECT_EQ(weir_px_bind(lab->px, server, (struct sockaddr *)&at, sizeof at), 0);
    EXPECT_EQ(weir_px_listen(lab->px, server, 5), 0);

    fd = weir_px_socket(lab->px, AF_INET, SOCK_STREAM, 0);
    set_key(lab, fd, "198.18.0.1", "secret", 0);
    set_key(lab, fd, "198.18.0.99", "another", 0);
    EXPECT_EQ(weir_px_connect(lab->px, fd, (struct sockaddr *)&at, sizeof at), 0);

    for (int i = 0; i < 2; i++) { /* a wrong key, and none */
        fd = weir_px_socket(lab->px, AF_INET, SOCK_STREAM, 0);
        if (i == 0)
            set_key(lab, fd, "198.18.0.1", "wrong", 0);
        EXPECT_EQ(weir_px_setsockopt(lab->px, fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv), 0);
        EXPECT_ERRNO(weir_px_connect(lab->px, fd, (struct sockaddr *)&at, sizeof at), EINPROGRESS);
    }
}

TEST(a_signature_key_is_refused_if_it_cannot_be_used)
{
    struct lab *lab = lab_make();
    int fd = weir_px_socket(lab->px, AF_INET, SOCK_STREAM, 0);
    struct tcp_md5sig sig = {.tcpm_keylen = 81};
    struct sockaddr_in6 six = lab_in6("::1", 0);
    struct sockaddr_in four = lab_in("127.0.0.1", 0);

    set_key(lab, fd, "127.0.0.1", "secret", 0);
    EXPECT_ERRNO(weir_px_listen(lab->px, fd, 1), ENOPROTOOPT); /* this stack has no cryptography */
    set_key(lab, fd, "127.0.0.1", "", 0);
    set_key(lab, fd, "127.0.0.1", "", ENOENT);
    memcpy(&sig.tcpm_addr, &four, sizeof four);
    EXPECT_ERRNO(weir_px_setsockopt(lab->px, fd, IPPROTO_TCP, TCP_MD5SIG, &sig, 8), EINVAL);
    EXPECT_ERRNO(weir_px_setsockopt(lab->px, fd, IPPROTO_TCP, TCP_MD5SIG, &sig, sizeof sig),
                 EINVAL);
    sig.tcpm_keylen = 6;
    memcpy(&sig.tcpm_addr, &six, sizeof six);
    EXPECT_ERRNO(weir_px_setsockopt(lab->px, fd, IPPROTO_TCP, TCP_MD5SIG, &sig, sizeof sig),
                 EINVAL);
    EXPECT_EQ(weir_px_listen(lab->px, fd, 1), 0);
}
