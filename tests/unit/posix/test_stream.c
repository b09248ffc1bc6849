/*
 * test_stream.c - stream sockets: connections from their beginning to their end
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

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
    EXPECT_ERRNO(weir_px_splice(lab->px, fds[1], NULL, 1000, NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
    EXPECT_ERRNO(weir_px_splice(lab->px, fds[1], &offset, 1000, NULL, 1, 0), ESPIPE);
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
