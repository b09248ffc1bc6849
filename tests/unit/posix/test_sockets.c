/*
 * test_sockets.c - what stays with a socket while its connections come and go
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>

#include "lib/fake_crypto.h"
#include "lib/test.h"
#include "unit/posix/lab.h"

static void disconnect(struct lab *lab, int fd)
{
    const struct sockaddr nothing = {.sa_family = AF_UNSPEC};

    EXPECT_EQ(weir_px_connect(lab->px, fd, &nothing, sizeof nothing), 0);
}

static void connect_to(struct lab *lab, int fd, const char *addr, uint16_t port)
{
    struct sockaddr_in at = lab_in(addr, port);

    EXPECT_EQ(weir_px_connect(lab->px, fd, (struct sockaddr *)&at, sizeof at), 0);
}

static uint32_t own_address(struct lab *lab, int fd)
{
    struct sockaddr_in in;
    socklen_t len = sizeof in;

    EXPECT_EQ(weir_px_getsockname(lab->px, fd, (struct sockaddr *)&in, &len), 0);
    return ntohl(in.sin_addr.s_addr);
}

TEST(an_address_that_was_asked_for_stays_without_its_port)
{
    struct lab *lab = lab_make();
    int server = lab_server(lab, "198.18.0.1", 80),
        fd = weir_px_socket(lab->px, AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in own = lab_in("127.0.0.9", 0);

    EXPECT_EQ(weir_px_bind(lab->px, fd, (struct sockaddr *)&own, sizeof own), 0);
    for (int i = 0; i < 2; i++) {
        connect_to(lab, fd, "198.18.0.1", 80);
        EXPECT_EQ(own_address(lab, fd), 0x7f000009);
        EXPECT_EQ(weir_px_close(lab->px, weir_px_accept(lab->px, server, NULL, NULL)), 0);
        disconnect(lab, fd);
    }
    EXPECT_EQ(weir_px_listen(lab->px, fd, 1), 0);
    EXPECT_EQ(own_address(lab, fd), 0x7f000009);
}

/* As on Linux: the number is found first. */
TEST(a_connection_stays_in_the_queue_while_there_is_no_descriptor)
{
    struct lab *lab = lab_make();
    int server = lab_server(lab, "127.0.0.1", 80);
    int fd = weir_px_socket(lab->px, AF_INET, SOCK_STREAM, 0), last = -1, b;
    char byte;

    connect_to(lab, fd, "127.0.0.1", 80);
    for (int copy; (copy = weir_px_dup(lab->px, fd)) >= 0;)
        last = copy;
    EXPECT_EQ(errno, EMFILE);
    EXPECT_ERRNO(weir_px_accept(lab->px, server, NULL, NULL), EMFILE);
    EXPECT_ERRNO(weir_px_recv(lab->px, fd, &byte, 1, MSG_DONTWAIT), EAGAIN);
    EXPECT_EQ(weir_px_close(lab->px, last), 0);
    b = weir_px_accept(lab->px, server, NULL, NULL);
    EXPECT_EQ(b, last);
    EXPECT_EQ(weir_px_send(lab->px, b, "x", 1, 0), 1);
    EXPECT_EQ(weir_px_recv(lab->px, fd, &byte, 1, 0), 1);
    EXPECT_EQ(weir_px_close(lab->px, b), 0);

    /* Who finds nothing to accept keeps no number, either. */
    EXPECT_EQ(weir_px_fcntl(lab->px, server, F_SETFL, O_NONBLOCK), 0);
    EXPECT_ERRNO(weir_px_accept(lab->px, server, NULL, NULL), EAGAIN);
    EXPECT_EQ(weir_px_dup(lab->px, fd), last);
}

/* Where reads look ahead is nothing to a splice. */
TEST(a_splice_begins_at_the_first_byte_whatever_was_peeked_at)
{
    struct lab *lab = lab_make();
    int in[2], out[2], offset = 4;
    char bytes[16];

    lab_pair(lab, in);
    lab_pair(lab, out);
    EXPECT_EQ(weir_px_send(lab->px, in[0], "0123456789", 10, 0), 10);
    EXPECT_EQ(weir_px_setsockopt(lab->px, in[1], SOL_SOCKET, SO_PEEK_OFF, &offset, sizeof offset),
              0);
    EXPECT_EQ(weir_px_splice(lab->px, in[1], NULL, out[0], NULL, 3, 0), 3);
    EXPECT_EQ(weir_px_recv(lab->px, out[1], bytes, sizeof bytes, 0), 3);
    EXPECT_MEM(bytes, "012", 3);
    EXPECT_EQ(weir_px_recv(lab->px, in[1], bytes, sizeof bytes, MSG_PEEK), 6);
    EXPECT_MEM(bytes, "456789", 6);
}

/* What no socket has taken is still to be sent. */
TEST(an_offset_stands_behind_what_was_sent)
{
    struct lab *lab = lab_make();
    int64_t offset = 0;
    ssize_t sent;
    int fds[2];

    lab_pair(lab, fds);
    lab->file.len = sizeof lab->file.bytes;
    EXPECT_EQ(weir_px_fcntl(lab->px, fds[0], F_SETFL, O_NONBLOCK), 0);
    lab->has_no_memory = true;
    do {
        int64_t before = offset;

        sent = weir_px_sendfile(lab->px, fds[0], 1000, &offset, 1000);
        EXPECT_EQ(offset - before, sent > 0 ? sent : 0);
    } while (sent > 0);
    EXPECT_EQ(errno, ENOBUFS);
    lab->has_no_memory = false;
}

/* ---- keys of signatures [RFC2385] ---- */

static int set_key(struct lab *lab, int fd, const struct tcp_md5sig *sig)
{
    int err = weir_px_setsockopt(lab->px, fd, IPPROTO_TCP, TCP_MD5SIG_EXT, sig, sizeof *sig);

    return err == 0 ? 0 : errno;
}

static struct tcp_md5sig key_for(const char *peer, const char *key)
{
    struct tcp_md5sig sig = {.tcpm_keylen = (uint16_t)strlen(key)};
    struct sockaddr_in in = lab_in(peer, 0);

    memcpy(&sig.tcpm_addr, &in, sizeof in);
    memcpy(sig.tcpm_key, key, strlen(key));
    return sig;
}

static struct lab *lab_that_signs(void)
{
    struct weir_config config = lab_config();

    config.crypto = fake_crypto();
    return lab_make_with(&config);
}

TEST(keys_of_other_peers_come_and_go_during_a_connection)
{
    struct lab *lab = lab_that_signs();
    struct tcp_md5sig before = key_for("198.18.0.98", "before");
    struct tcp_md5sig since = key_for("198.18.0.99", "since"), late = key_for("127.0.0.1", "late");
    int fd = weir_px_socket(lab->px, AF_INET, SOCK_STREAM, 0);

    lab_server(lab, "127.0.0.1", 80);
    EXPECT_EQ(set_key(lab, fd, &before), 0);
    connect_to(lab, fd, "127.0.0.1", 80);
    EXPECT_EQ(set_key(lab, fd, &since), 0);
    before.tcpm_keylen = since.tcpm_keylen = 0;
    EXPECT_EQ(set_key(lab, fd, &before), 0);
    EXPECT_EQ(set_key(lab, fd, &since), 0);
    EXPECT_EQ(set_key(lab, fd, &since), ENOENT);

    /* A key that was refused is not kept for the next connection. */
    EXPECT_EQ(set_key(lab, fd, &late), EINVAL);
    late.tcpm_keylen = 0;
    EXPECT_EQ(set_key(lab, fd, &late), ENOENT);
}

TEST(a_prefix_of_a_mapped_address_is_one_of_ipv4)
{
    struct lab *lab = lab_that_signs();
    int fd = weir_px_socket(lab->px, AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 in6 = lab_in6("::ffff:198.18.0.0", 0);
    struct sockaddr_in6 other = lab_in6("::ffff:127.0.0.1", 80);
    struct tcp_md5sig sig = {
        .tcpm_flags = TCP_MD5SIG_FLAG_PREFIX, .tcpm_prefixlen = 33, .tcpm_keylen = 3};

    memcpy(&sig.tcpm_addr, &in6, sizeof in6);
    EXPECT_EQ(set_key(lab, fd, &sig), EINVAL);
    sig.tcpm_prefixlen = 24;
    EXPECT_EQ(set_key(lab, fd, &sig), 0);

    /* 127.0.0.1 is not in there: what goes to it is not signed. */
    lab_server(lab, "127.0.0.1", 80);
    EXPECT_EQ(weir_px_connect(lab->px, fd, (struct sockaddr *)&other, sizeof other), 0);
}
