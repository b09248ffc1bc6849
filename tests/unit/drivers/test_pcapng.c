/*
 * test_pcapng.c - drivers that write and read captures
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <weir/driver.h>

#include "format/pcapng.h"
#include "lib/test.h"

static char path[] = "/tmp/weir-drivers-XXXXXX";
static struct weir_driver_error error;
static size_t done_count;

static void on_done(void *ctx, struct weir_frame **frames, size_t count)
{
    (void)ctx, (void)frames;
    done_count += count;
}

static void new_path(void)
{
    int fd;

    memcpy(path + sizeof path - 7, "XXXXXX", 6);
    fd = mkstemp(path);
    EXPECT(fd >= 0);
    close(fd);
    done_count = 0;
}

/* A cable of one frame's depth, its first end with a tee. */
static struct weir_driver *tee_over(struct weir_driver **other, size_t depth)
{
    const struct weir_netif_config netif = {.name = "weir0", .mtu = 1500};
    struct weir_driver *ends[2], *tee;

    EXPECT_EQ(weir_memory_open(ends, &netif, depth), 0);
    tee = weir_pcapng_tee(&ends[0], path, &error);
    EXPECT(tee != NULL && ends[0] == NULL);
    tee->done = on_done;
    *other = ends[1];
    return tee;
}

static struct weir_frame frame_of(char *text)
{
    return (struct weir_frame){
        .slices = {{(uint8_t *)text, 1}, {(uint8_t *)text + 1, strlen(text) - 1}},
        .len = strlen(text),
        .slice_count = 2};
}

/* The packets of the capture as text: "<" received, ">" sent. */
static void expect_capture(const char *expected)
{
    static uint8_t buffer[PCAPNG_READ_ROOM];
    FILE *file = fopen(path, "rb");
    struct pcapng_packet packet;
    struct pcapng_reader reader;
    char text[256] = "";

    EXPECT(file != NULL);
    pcapng_init_reader(&reader, pcapng_read_file, file, buffer, sizeof buffer);
    while (pcapng_parse_packet(&reader, &packet) == 1) {
        strcat(text, packet.direction == PCAPNG_INBOUND ? "<" : ">");
        strncat(text, (const char *)packet.slices[0].bytes, packet.slices[0].len);
        EXPECT(llabs(packet.at / WEIR_S - (long long)time(NULL)) < 60);
    }
    fclose(file);
    EXPECT(reader.error == NULL);
    EXPECT_STR(text, expected);
}

TEST(tee_writes_what_passes_in_both_directions)
{
    char ping[] = "ping", pong[] = "pong";
    struct weir_frame out = frame_of(ping), back = frame_of(pong), in[4], *p = &out, *q = &back;
    struct weir_driver *tee, *other;

    new_path();
    tee = tee_over(&other, 4);
    EXPECT_STR(tee->name, "weir0");
    EXPECT_EQ(tee->netif.mtu, 1500);
    EXPECT_EQ(tee->ops->transmit(tee, &p, 1), 1);
    EXPECT_EQ(other->ops->receive(other, in, 4), 1);
    EXPECT_EQ(other->ops->transmit(other, &q, 1), 1);
    EXPECT_EQ(tee->ops->receive(tee, in, 4), 1);
    EXPECT_EQ(in[0].slices[0].bytes[0], 'p');
    expect_capture(">ping<pong"); /* already now */
    tee->ops->close(&tee);
    other->ops->close(&other);
    EXPECT(tee == NULL);
    EXPECT_EQ(done_count, 1);
    remove(path);
}

TEST(tee_writes_a_frame_once_that_is_offered_twice)
{
    char a[] = "aa", b[] = "bb", c[] = "cc";
    struct weir_frame frames[3] = {frame_of(a), frame_of(b), frame_of(c)}, in[4];
    struct weir_frame *offered[3] = {&frames[0], &frames[1], &frames[2]};
    struct weir_driver *tee, *other;

    new_path();
    tee = tee_over(&other, 1);
    EXPECT_EQ(tee->ops->transmit(tee, offered, 2), 1);
    EXPECT_EQ(tee->ops->transmit(tee, offered + 1, 1), 0);
    EXPECT_EQ(tee->ops->transmit(tee, offered + 1, 2), 0);
    for (int i = 1; i < 3; i++) {
        other->ops->receive(other, in, 4);
        other->ops->receive(other, in, 4);
        EXPECT_EQ(tee->ops->transmit(tee, offered + i, (size_t)(3 - i)), 1);
    }
    tee->ops->close(&tee);
    other->ops->close(&other);
    expect_capture(">aa>bb>cc");
    EXPECT_EQ(done_count, 3);
    remove(path);
}

TEST(tee_that_cannot_be_written_leaves_the_driver_alone)
{
    const struct weir_netif_config netif = {.mtu = 1500};
    struct weir_driver *ends[2];

    EXPECT_EQ(weir_memory_open(ends, &netif, 1), 0);
    EXPECT(weir_pcapng_tee(&ends[0], "/nowhere/at/all", &error) == NULL);
    EXPECT(ends[0] != NULL);
    EXPECT_EQ(error.err, WEIR_ENOTSUP);
    EXPECT_EQ(error.os, ENOENT);
    EXPECT_STR(error.text, "Cannot write /nowhere/at/all: No such file or directory.");
    ends[0]->ops->close(&ends[0]);
    ends[1]->ops->close(&ends[1]);
}

TEST(tee_lets_frames_pass_when_the_disk_is_full)
{
    const struct weir_netif_config netif = {.mtu = 1500};
    char text[] = "text";
    struct weir_frame frame = frame_of(text), in[2], *offered = &frame;
    struct weir_driver *ends[2], *tee;
    char fifo[] = "/tmp/weir-drivers-fifo-XXXXXX";
    int reader;

    EXPECT(mkdtemp(fifo) != NULL);
    rmdir(fifo);
    EXPECT_EQ(mkfifo(fifo, 0600), 0);
    reader = open(fifo, O_RDONLY | O_NONBLOCK);
    EXPECT_EQ(weir_memory_open(ends, &netif, 2), 0);
    tee = weir_pcapng_tee(&ends[0], fifo, &error);
    EXPECT(tee != NULL);
    EXPECT_EQ(weir_pcapng_error(tee), 0);
    close(reader);
    signal(SIGPIPE, SIG_IGN);
    EXPECT_EQ(tee->ops->transmit(tee, &offered, 1), 1);
    EXPECT_EQ(weir_pcapng_error(tee), EPIPE);
    EXPECT_EQ(ends[1]->ops->receive(ends[1], in, 2), 1);
    EXPECT_EQ(tee->ops->transmit(tee, &offered, 1), 1);
    tee->ops->close(&tee);
    ends[1]->ops->close(&ends[1]);
    remove(fifo);
}

/* ---- the reader ---- */

/* Four packets, the last two 30 ms after the first; one of them we sent ourselves. */
static void write_capture(enum pcapng_link link)
{
    static const char *const texts[] = {"one", "sent", "two", "three"};
    static const weir_ns_t at[] = {5 * WEIR_S, 5 * WEIR_S, 5030 * WEIR_MS, 5030 * WEIR_MS};
    struct pcapng_writer w;
    FILE *file = fopen(path, "wb");

    EXPECT(file != NULL);
    pcapng_emit_section(&w, pcapng_write_file, file, NULL);
    pcapng_emit_interface(&w, link, NULL);
    for (size_t i = 0; i < 4; i++) {
        struct weir_slice slice = {(uint8_t *)(uintptr_t)texts[i], strlen(texts[i])};
        struct pcapng_packet packet = {.at = at[i],
                                       .slices = &slice,
                                       .slice_count = 1,
                                       .direction = i == 1 ? PCAPNG_OUTBOUND : PCAPNG_INBOUND};

        EXPECT(pcapng_emit_packet(&w, &packet));
    }
    fclose(file);
}

static void expect_frame(struct weir_driver *d, const char *text, int timeout_ms)
{
    struct pollfd ready = {.fd = d->fd, .events = POLLIN};
    struct weir_frame in[4];

    EXPECT_EQ(poll(&ready, 1, timeout_ms), 1);
    EXPECT_EQ(d->ops->receive(d, in, 4), 1);
    EXPECT_EQ(in[0].len, strlen(text));
    EXPECT_MEM(in[0].slices[0].bytes, text, strlen(text));
    EXPECT(in[0].release == NULL);
}

TEST(player_gives_what_was_received_with_the_pauses_between)
{
    struct timespec before, after;
    struct weir_frame in[4], out = {0}, *offered = &out;
    struct weir_driver *d;
    struct pollfd ready = {.events = POLLIN};

    new_path();
    write_capture(PCAPNG_LINK_ETHERNET);
    clock_gettime(CLOCK_MONOTONIC, &before);
    d = weir_pcapng_open(path, &error);
    EXPECT(d != NULL);
    EXPECT_EQ(d->netif.link, WEIR_LINK_ETHERNET);
    d->done = on_done;
    expect_frame(d, "one", 0);
    EXPECT_EQ(d->ops->receive(d, in, 4), 0);
    EXPECT_EQ(d->ops->transmit(d, &offered, 1), 1);
    EXPECT_EQ(done_count, 1);
    expect_frame(d, "two", 10000);
    clock_gettime(CLOCK_MONOTONIC, &after);
    EXPECT((after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000
           >= 29);
    expect_frame(d, "three", 1000);
    EXPECT_EQ(d->ops->receive(d, in, 4), 0);
    ready.fd = d->fd;
    EXPECT_EQ(poll(&ready, 1, 0), 0); /* nothing more to come */
    d->ops->close(&d);
    remove(path);
}

TEST(player_says_why_it_cannot_play)
{
    FILE *file;

    new_path();
    write_capture((enum pcapng_link)105);
    EXPECT(weir_pcapng_open(path, &error) == NULL);
    EXPECT_EQ(error.err, WEIR_ENOTSUP);
    EXPECT(strstr(error.text, "neither IP packets nor Ethernet frames (link type 105)") != NULL);
    EXPECT_EQ(truncate(path, 50), 0);
    EXPECT(weir_pcapng_open(path, &error) == NULL);
    EXPECT(strstr(error.text, "the file ends within a record, at byte 50") != NULL);
    file = fopen(path, "wb");
    fputs("#!/bin/sh", file);
    fclose(file);
    EXPECT(weir_pcapng_open(path, &error) == NULL);
    EXPECT(strstr(error.text, "neither a pcapng nor a pcap file") != NULL);
    remove(path);
    EXPECT(weir_pcapng_open(path, &error) == NULL);
    EXPECT_EQ(error.os, ENOENT);
}

TEST(player_ends_with_an_error_where_the_file_is_damaged)
{
    struct weir_frame in[4];
    struct weir_driver *d;

    new_path();
    write_capture(PCAPNG_LINK_RAW);
    EXPECT_EQ(truncate(path, 130), 0);
    d = weir_pcapng_open(path, &error);
    EXPECT(d != NULL);
    EXPECT_EQ(d->netif.link, WEIR_LINK_IP);
    expect_frame(d, "one", 0);
    EXPECT_EQ(d->ops->receive(d, in, 4), WEIR_EPROTO);
    EXPECT_EQ(d->ops->receive(d, in, 4), 0);
    d->ops->close(&d);
    remove(path);
}
