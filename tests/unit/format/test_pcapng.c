/*
 * test_pcapng.c - captures written and read back, and captures that others might write
 */
#include "format/pcapng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/err.h>

#include "lib/test.h"

/* A file in memory. */
struct file {
    uint8_t bytes[8192];
    size_t len;
    size_t at;
    size_t room; /* 0: all of bytes */
};

static bool append(void *ctx, const void *bytes, size_t len)
{
    struct file *f = ctx;

    if (f->len + len > (f->room > 0 ? f->room : sizeof f->bytes))
        return false;
    memcpy(f->bytes + f->len, bytes, len);
    f->len += len;
    return true;
}

static ptrdiff_t take(void *ctx, void *bytes, size_t len)
{
    struct file *f = ctx;
    size_t left = f->len - f->at;

    if (len > left)
        len = left;
    memcpy(bytes, f->bytes + f->at, len);
    f->at += len;
    return (ptrdiff_t)len;
}

static ptrdiff_t take_nothing(void *ctx, void *bytes, size_t len)
{
    (void)ctx, (void)bytes, (void)len;
    return -1;
}

struct reading {
    struct pcapng_reader reader;
    struct pcapng_packet packet;
    uint8_t buffer[1024];
};

static void start(struct reading *r, struct file *f)
{
    pcapng_init_reader(&r->reader, take, f, r->buffer, sizeof r->buffer);
}

static void expect_packet(struct reading *r, const char *bytes, weir_ns_t at)
{
    int result = pcapng_parse_packet(&r->reader, &r->packet);

    if (result != 1)
        FAIL("%d: %s at %ju", result, r->reader.error ? r->reader.error : "the end",
             (uintmax_t)r->reader.error_at);
    EXPECT_EQ(r->packet.slice_count, 1);
    EXPECT_EQ(r->packet.slices[0].len, strlen(bytes));
    EXPECT_MEM(r->packet.slices[0].bytes, bytes, strlen(bytes));
    EXPECT_EQ(r->packet.at, at);
}

static void expect_end(struct reading *r)
{
    EXPECT_EQ(pcapng_parse_packet(&r->reader, &r->packet), 0);
}

static void expect_failure(struct file *f, const char *error, uint64_t at)
{
    struct reading r;
    int result;

    f->at = 0;
    start(&r, f);
    do
        result = pcapng_parse_packet(&r.reader, &r.packet);
    while (result == 1);
    EXPECT_EQ(result, WEIR_EPROTO);
    EXPECT_STR(r.reader.error, error);
    EXPECT_EQ(r.reader.error_at, at);
    EXPECT_EQ(pcapng_parse_packet(&r.reader, &r.packet), WEIR_EPROTO);
}

/* ---- what we write ---- */

static void write_packet(struct pcapng_writer *w, const char *bytes, const char *comment)
{
    struct weir_slice slices[2] = {{(uint8_t *)(uintptr_t)bytes, 3},
                                   {(uint8_t *)(uintptr_t)bytes + 3, strlen(bytes) - 3}};
    struct pcapng_packet packet = {.interface = 1,
                                   .at = 1700000000123456789,
                                   .direction = PCAPNG_OUTBOUND,
                                   .slices = slices,
                                   .slice_count = 2,
                                   .comment = comment,
                                   .comment_len = comment ? strlen(comment) : 0};

    EXPECT(pcapng_emit_packet(w, &packet));
}

static void write_capture(struct pcapng_writer *w, struct file *f)
{
    EXPECT(pcapng_emit_section(w, append, f, "weir"));
    EXPECT(pcapng_emit_interface(w, PCAPNG_LINK_ETHERNET, NULL));
    EXPECT(pcapng_emit_interface(w, PCAPNG_LINK_RAW, "tun0"));
    EXPECT_EQ(w->interface_count, 2);
    write_packet(w, "12345", "ESTABLISHED");
    write_packet(w, "12345678", NULL);
}

TEST(pcapng_reads_what_it_wrote)
{
    struct file f = {.len = 0};
    struct pcapng_writer w;
    struct reading r;

    write_capture(&w, &f);
    start(&r, &f);
    expect_packet(&r, "12345", 1700000000123456789);
    EXPECT_EQ(r.packet.interface, 1);
    EXPECT_EQ(r.packet.link, PCAPNG_LINK_RAW);
    EXPECT_EQ(r.packet.direction, PCAPNG_OUTBOUND);
    EXPECT_EQ(r.packet.original_len, 5);
    EXPECT_EQ(r.packet.comment_len, strlen("ESTABLISHED"));
    EXPECT_MEM(r.packet.comment, "ESTABLISHED", r.packet.comment_len);
    expect_packet(&r, "12345678", 1700000000123456789);
    EXPECT(r.packet.comment == NULL);
    expect_end(&r);
    expect_end(&r);
}

TEST(pcapng_written_is_the_same_on_every_machine)
{
    static const uint8_t start_of_file[] = {0x0a, 0x0d, 0x0d, 0x0a, 40, 0, 0,    0,    0x4d, 0x3c,
                                            0x2b, 0x1a, 1,    0,    0,  0, 0xff, 0xff, 0xff, 0xff,
                                            0xff, 0xff, 0xff, 0xff, 4,  0, 4,    0,    'w',  'e',
                                            'i',  'r',  0,    0,    0,  0, 40,   0,    0,    0};
    struct file f = {.len = 0};
    struct pcapng_writer w;

    write_capture(&w, &f);
    EXPECT_MEM(f.bytes, start_of_file, sizeof start_of_file);
}

TEST(pcapng_cuts_a_packet_that_is_too_long_for_others)
{
    static uint8_t bytes[PCAPNG_PACKET_MAX + 100];
    struct weir_slice slices[2] = {{bytes, PCAPNG_PACKET_MAX - 1}, {bytes, 101}};
    struct pcapng_packet packet = {.slices = slices, .slice_count = 2};
    struct pcapng_writer w;
    struct pcapng_reader r;
    static uint8_t buffer[PCAPNG_READ_ROOM];
    FILE *file = tmpfile();

    EXPECT(file != NULL);
    EXPECT(pcapng_emit_section(&w, pcapng_write_file, file, NULL));
    EXPECT(pcapng_emit_interface(&w, PCAPNG_LINK_RAW, NULL));
    EXPECT(pcapng_emit_packet(&w, &packet));
    rewind(file);
    pcapng_init_reader(&r, pcapng_read_file, file, buffer, sizeof buffer);
    EXPECT_EQ(pcapng_parse_packet(&r, &packet), 1);
    EXPECT_EQ(packet.slices[0].len, PCAPNG_PACKET_MAX);
    EXPECT_EQ(packet.original_len, PCAPNG_PACKET_MAX + 100);
    EXPECT_EQ(pcapng_parse_packet(&r, &packet), 0);
    fclose(file);
}

TEST(pcapng_stops_writing_when_a_write_fails)
{
    struct file whole = {.len = 0};
    struct pcapng_writer w;

    write_capture(&w, &whole);
    for (size_t room = 1; room < whole.len; room++) {
        struct file f = {.room = room};
        struct pcapng_packet packet = {.slice_count = 0};

        if (!pcapng_emit_section(&w, append, &f, "weir"))
            EXPECT(!pcapng_emit_interface(&w, PCAPNG_LINK_ETHERNET, NULL));
        while (pcapng_emit_packet(&w, &packet))
            EXPECT(f.len <= room);
        EXPECT(w.failed);
    }
}

TEST(pcapng_written_is_what_tshark_reads)
{
    static const uint8_t udp[] = {0x45, 0,   0, 29, 0, 0, 0, 0, 64, 17, 0xf6, 0xce, 192, 0,  2,
                                  1,    192, 0, 2,  2, 0, 7, 0, 7,  0,  9,    0,    0,   'x'};
    struct weir_slice slice = {(uint8_t *)(uintptr_t)udp, sizeof udp};
    struct pcapng_packet packet = {.at = 1700000000123456789,
                                   .slices = &slice,
                                   .slice_count = 1,
                                   .direction = PCAPNG_INBOUND,
                                   .comment = "one\ntwo",
                                   .comment_len = 7};
    char path[] = "/tmp/weir-pcapng-XXXXXX", command[256], line[256] = "";
    struct pcapng_writer w;
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "wb"), *output;

    EXPECT(file != NULL);
    pcapng_emit_section(&w, pcapng_write_file, file, "weir");
    pcapng_emit_interface(&w, PCAPNG_LINK_RAW, "tun0");
    EXPECT(pcapng_emit_packet(&w, &packet));
    fclose(file);
    snprintf(command, sizeof command,
             "command -v tshark >/dev/null || { echo none; exit; }; tshark -r %s -T fields"
             " -e frame.time_epoch -e frame.packet_flags_direction -e udp.length"
             " -e frame.comment 2>&1 | grep -v 'Running as user'",
             path);
    output = popen(command, "r");
    EXPECT(output != NULL && fgets(line, sizeof line, output) != NULL);
    pclose(output);
    remove(path);
    if (strcmp(line, "none\n") == 0)
        printf("not tested: tshark is not installed\n");
    else
        EXPECT_STR(line, "1700000000.123456789\t0x00000001\t9\tone\\ntwo\n");
}

/* ---- what others write ---- */

/* Numbers in either byte order, for files made here. */
static bool big;

static void put16(struct file *f, uint16_t v)
{
    uint8_t bytes[2] = {(uint8_t)(big ? v >> 8 : v), (uint8_t)(big ? v : v >> 8)};

    EXPECT(append(f, bytes, 2));
}

static void put32(struct file *f, uint32_t v)
{
    put16(f, (uint16_t)(big ? v >> 16 : v));
    put16(f, (uint16_t)(big ? v : v >> 16));
}

static void put_bytes(struct file *f, const char *bytes)
{
    EXPECT(append(f, bytes, strlen(bytes)));
    while (f->len % 4 != 0)
        EXPECT(append(f, "", 1));
}

static size_t begin(struct file *f, uint32_t type)
{
    size_t at = f->len;

    put32(f, type);
    put32(f, 0);
    return at;
}

static void end(struct file *f, size_t at)
{
    size_t len = f->len;
    uint32_t total = (uint32_t)(len - at + 4);

    f->len = at + 4;
    put32(f, total);
    f->len = len;
    put32(f, total);
}

static void put_section(struct file *f)
{
    size_t at = begin(f, 0x0a0d0d0a);

    put32(f, 0x1a2b3c4d);
    put16(f, 1);
    put16(f, 0);
    put32(f, UINT32_MAX);
    put32(f, UINT32_MAX);
    end(f, at);
}

/* tsresol -1: not said. */
static void put_interface(struct file *f, uint16_t link, uint32_t snaplen, int tsresol)
{
    size_t at = begin(f, 1);

    put16(f, link);
    put16(f, 0);
    put32(f, snaplen);
    if (tsresol >= 0) {
        char resolution[2] = {(char)tsresol, 0};

        put16(f, 9);
        put16(f, 1);
        put_bytes(f, tsresol == 0 ? "" : resolution);
        if (tsresol == 0)
            put32(f, 0);
    }
    end(f, at);
}

static void put_packet(struct file *f, uint64_t units, const char *bytes)
{
    size_t at = begin(f, 6);

    put32(f, 0);
    put32(f, (uint32_t)(units >> 32));
    put32(f, (uint32_t)units);
    put32(f, (uint32_t)strlen(bytes));
    put32(f, (uint32_t)strlen(bytes));
    put_bytes(f, bytes);
    end(f, at);
}

TEST(pcapng_reads_both_byte_orders_one_section_after_the_other)
{
    struct file f = {.len = 0};
    struct reading r;

    for (int i = 0; i < 4; i++) {
        big = i % 2 == 1;
        put_section(&f);
        put_interface(&f, PCAPNG_LINK_ETHERNET, 0, -1);
        put_packet(&f, 1700000000123456, "abcdefg");
    }
    start(&r, &f);
    for (int i = 0; i < 4; i++) {
        expect_packet(&r, "abcdefg", 1700000000123456000);
        EXPECT_EQ(r.packet.link, PCAPNG_LINK_ETHERNET);
    }
    expect_end(&r);
}

TEST(pcapng_understands_every_unit_of_time)
{
    static const struct {
        int tsresol;
        uint64_t units;
        weir_ns_t at;
    } rows[] = {
        {-1, 5000001, 5000001000},
        {3, 5001, 5001000000},
        {9, 5000000001, 5000000001},
        {12, 5000000001999, 5000000001},
        {0x80 | 1, 3, 1500000000},
        {0x80 | 32, UINT64_C(5) << 32 | UINT32_C(1) << 31, 5500000000},
        {0x80 | 40, (UINT64_C(5) << 40) + (UINT64_C(1) << 38), 5250000000},
        {9, UINT64_MAX, 0}, /* beyond the year 2262 */
        {0x80 | 127, 1, 0}, /* nobody counts so finely */
        {99, 1, 0},
    };

    big = false;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct file f = {.len = 0};
        struct reading r;

        put_section(&f);
        put_interface(&f, PCAPNG_LINK_RAW, 0, rows[i].tsresol);
        put_packet(&f, rows[i].units, "x");
        start(&r, &f);
        expect_packet(&r, "x", rows[i].at);
    }
}

TEST(pcapng_adds_the_interfaces_offset_to_its_times)
{
    struct file f = {.len = 0};
    struct reading r;
    size_t at;

    big = true;
    put_section(&f);
    at = begin(&f, 1);
    put32(&f, PCAPNG_LINK_RAW << 16);
    put32(&f, 0);
    put32(&f, 14 << 16 | 8);
    put32(&f, 0);
    put32(&f, 100);
    end(&f, at);
    put_packet(&f, 1000000, "x");
    start(&r, &f);
    expect_packet(&r, "x", 101 * WEIR_S);
}

TEST(pcapng_skips_what_it_does_not_know)
{
    struct file f = {.len = 0};
    struct reading r;
    size_t at;

    big = false;
    put_section(&f);
    at = begin(&f, 0x0bad);
    for (int i = 0; i < 500; i++) /* longer than the buffer */
        put32(&f, 0xdeadbeef);
    end(&f, at);
    put_interface(&f, PCAPNG_LINK_RAW, 0, -1);
    at = begin(&f, 6);
    for (int i = 0; i < 3; i++)
        put32(&f, 0);
    put32(&f, 1);
    put32(&f, 9);
    put_bytes(&f, "x");
    put32(&f, 3 << 16 | 2988); /* a custom option */
    put_bytes(&f, "abc");
    put32(&f, 5 << 16 | 1);
    put_bytes(&f, "hello");
    put32(&f, 4 << 16 | 2);
    put32(&f, 1);
    end(&f, at);
    start(&r, &f);
    expect_packet(&r, "x", 0);
    EXPECT_EQ(r.packet.original_len, 9);
    EXPECT_EQ(r.packet.direction, PCAPNG_INBOUND);
    EXPECT_EQ(r.packet.comment_len, 5);
    EXPECT_MEM(r.packet.comment, "hello", 5);
    expect_end(&r);
}

TEST(pcapng_reads_simple_and_obsolete_packets)
{
    struct file f = {.len = 0};
    struct reading r;
    size_t at;

    big = true;
    put_section(&f);
    put_interface(&f, PCAPNG_LINK_RAW, 4, -1);
    at = begin(&f, 3);
    put32(&f, 100);
    put_bytes(&f, "abcd");
    end(&f, at);
    at = begin(&f, 2);
    put16(&f, 0);
    put16(&f, 77); /* drops */
    put32(&f, 0);
    put32(&f, 5);
    put32(&f, 2);
    put32(&f, 2);
    put_bytes(&f, "xy");
    end(&f, at);
    start(&r, &f);
    expect_packet(&r, "abcd", 0);
    EXPECT_EQ(r.packet.original_len, 100);
    expect_packet(&r, "xy", 5000);
    expect_end(&r);
}

static void put_pcap(struct file *f, uint32_t magic, uint32_t link)
{
    put32(f, magic);
    put16(f, 2);
    put16(f, 4);
    put32(f, 0);
    put32(f, 0);
    put32(f, 65535);
    put32(f, link);
    put32(f, 5);
    put32(f, 7);
    put32(f, 3);
    put32(f, 4);
    EXPECT(append(f, "abc", 3));
}

TEST(pcapng_reads_classic_pcap_of_both_orders_and_both_units)
{
    for (int i = 0; i < 4; i++) {
        struct file f = {.len = 0};
        struct reading r;

        big = i & 1;
        put_pcap(&f, i & 2 ? 0xa1b23c4d : 0xa1b2c3d4, i & 2 ? 12 : 1);
        start(&r, &f);
        expect_packet(&r, "abc", 5 * WEIR_S + (i & 2 ? 7 : 7000));
        EXPECT_EQ(r.packet.link, i & 2 ? PCAPNG_LINK_RAW : PCAPNG_LINK_ETHERNET);
        EXPECT_EQ(r.packet.original_len, 4);
        expect_end(&r);
    }
}

TEST(pcapng_an_empty_file_has_no_packets)
{
    struct file f = {.len = 0};
    struct reading r;

    start(&r, &f);
    expect_end(&r);
}

TEST(pcapng_refuses_what_is_no_capture)
{
    struct file f = {.len = 0};
    struct reading r;

    put_bytes(&f, "GIF89a");
    start(&r, &f);
    EXPECT_EQ(pcapng_parse_packet(&r.reader, &r.packet), WEIR_ENOTSUP);
    EXPECT_STR(r.reader.error, "this is neither a pcapng nor a pcap file");
}

TEST(pcapng_passes_on_that_a_file_cannot_be_read)
{
    struct reading r;

    pcapng_init_reader(&r.reader, take_nothing, NULL, r.buffer, sizeof r.buffer);
    EXPECT_EQ(pcapng_parse_packet(&r.reader, &r.packet), WEIR_EPROTO);
    EXPECT_STR(r.reader.error, "the file cannot be read");
}

TEST(pcapng_every_cut_of_a_file_is_noticed)
{
    struct file whole = {.len = 0};
    struct pcapng_writer w;
    size_t ends = 0;

    write_capture(&w, &whole);
    for (size_t len = 0; len < whole.len; len++) {
        struct file f = whole;
        struct reading r;
        int result;

        f.len = len;
        start(&r, &f);
        do
            result = pcapng_parse_packet(&r.reader, &r.packet);
        while (result == 1);
        ends += result == 0;
        if (result < 0 && r.reader.started)
            EXPECT_EQ(r.reader.error_at, len);
    }
    EXPECT_EQ(ends, 5); /* an empty file, and after each whole block */
}

TEST(pcapng_lengths_that_cannot_be_are_refused_where_they_stand)
{
    struct file good = {.len = 0}, f;
    static const char impossible[] = "a block has an impossible length";

    big = false;
    put_section(&good);                           /* 28 bytes */
    put_interface(&good, PCAPNG_LINK_RAW, 0, -1); /* 20 bytes */
    put_packet(&good, 0, "abcdefgh");             /* 40 bytes */

    f = good;
    f.bytes[4] = 8;
    expect_failure(&f, impossible, 4);
    f = good;
    f.bytes[8] = 0;
    expect_failure(&f, "a section has no byte-order mark", 8);
    f = good;
    f.bytes[28 + 4] = 22;
    expect_failure(&f, impossible, 28 + 4);
    f = good;
    f.bytes[28 + 7] = 0x7f;
    expect_failure(&f, impossible, 28 + 4);
    f = good;
    f.bytes[28 + 16] = 24;
    expect_failure(&f, "the two lengths of a block differ", 28 + 16);
    f = good;
    f.bytes[48 + 8] = 1;
    expect_failure(&f, "a packet names an interface that was not described", 48 + 8 + 20);
    f = good;
    f.bytes[48 + 20] = 9;
    expect_failure(&f, "a packet is longer than its block", 48 + 8 + 20);
    f = good;
    f.bytes[48 + 23] = 0xff;
    expect_failure(&f, "a packet is longer than its block", 48 + 8 + 20);
    f = good;
    f.bytes[48 + 20] = 4; /* the rest is now an option with a length of 26,727 */
    expect_failure(&f, "an option is longer than its block", 48 + 8 + 24);
}

TEST(pcapng_blocks_that_are_too_short_or_too_long_are_refused)
{
    struct file f = {.len = 0};
    size_t at, head;

    big = false;
    put_section(&f);
    head = f.len;
    at = begin(&f, 1);
    put32(&f, 0);
    end(&f, at);
    expect_failure(&f, "an interface block is too short", head + 8);

    f.len = head;
    at = begin(&f, 6);
    put32(&f, 0);
    end(&f, at);
    expect_failure(&f, "a packet block is too short", head + 8);

    f.len = head;
    at = begin(&f, 3);
    put32(&f, 0);
    end(&f, at);
    expect_failure(&f, "a simple packet block is too short or has no interface", head + 8);

    f.len = head;
    at = begin(&f, 6);
    for (int i = 0; i < 300; i++)
        put32(&f, 0);
    end(&f, at);
    expect_failure(&f, "a packet block is longer than what is read at once", head + 8);

    f.len = head;
    for (int i = 0; i <= PCAPNG_INTERFACES; i++)
        put_interface(&f, 1, 0, -1);
    expect_failure(&f, "there are more than 64 interfaces", head + 64 * 20 + 8);
}
