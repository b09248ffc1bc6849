/*
 * test_super.c - segments that are joined on their way in, and cut on their way out
 */
#include "base/checksum.h"
#include "lib/test.h"
#include "lib/world.h"
#include "stack/stack.h"
#include "wire/tcp.h"
#include <string.h>

enum {
    SEGMENTS = 8,
    TEXT = 1448,
    CHANGED = 4, /* the segment that a case changes */
    IP4 = 20,
};

struct burst {
    struct world *w;
    struct world_pair p;
    struct weir_frame *sent[SEGMENTS];
    struct weir_frame frames[SEGMENTS];
    uint8_t *sent_text;
    size_t changed; /* the segment that is changed next */
    size_t released;
};

static void release(void *owner)
{
    ((struct burst *)owner)->released++;
}

/* A connection that sends so many full segments at once, and the last of them. */
static void burst_init(struct burst *b, bool is_v6, bool is_lent)
{
    uint8_t text[SEGMENTS * TEXT];

    *b = (struct burst){
        .changed = CHANGED,
        .w = world_make(&(struct world_setup){.is_v6 = is_v6, .mtu = is_v6 ? 1520 : 1500})};
    b->p = world_connect(b->w);
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = world_byte(0, i);
    EXPECT_EQ(weir_send(world_stack(b->w, 0), b->p.a, text, sizeof text, 0), sizeof text);
    b->w->stacks[0].sent = sizeof text;
    EXPECT_EQ(weir_output(world_stack(b->w, 0), b->w->stacks[0].netif, b->sent, SEGMENTS),
              SEGMENTS);
    for (size_t i = 0; i < SEGMENTS; i++) {
        b->frames[i] = *b->sent[i];
        b->frames[i].release = is_lent ? NULL : release;
        b->frames[i].owner = b;
    }
}

/* The first frame comes in as weir_input has it: how many of the others it takes along. */
static size_t joined(struct burst *b)
{
    struct weir *s = world_stack(b->w, 1);
    struct ip_packet packet;
    enum ip_verdict verdict =
        ip_input(&s->ip, netif_find(&s->ip, b->w->stacks[1].netif), &b->frames[0], &packet);

    EXPECT_EQ(verdict, IP_TRANSPORT);
    return rx_packet(s, verdict, &packet, &b->frames[1], SEGMENTS - 1);
}

/* The frames that were not taken along come in, and all go back to where they came from. */
static void burst_end(struct burst *b, size_t done)
{
    if (b->frames[0].release != NULL)
        b->frames[0].release(b->frames[0].owner);
    for (size_t i = 1; i <= done; i++)
        if (b->frames[i].release != NULL)
            b->frames[i].release(b->frames[i].owner);
    weir_input(world_stack(b->w, 1), b->w->stacks[1].netif, &b->frames[done + 1],
               SEGMENTS - 1 - done);
    (void)world_reads(b->w, 1, b->p.b);
    weir_output_done(world_stack(b->w, 0), b->sent, SEGMENTS);
}

static uint8_t *tcp_of(struct burst *b, size_t i)
{
    return b->frames[i].slices[0].bytes + IP4;
}

/* Changes a word of a TCP header, whose checksum stays right. */
enum { LATER = 0 }; /* the lowest bit that is not set */
static void change_tcp(struct burst *b, size_t at, uint16_t bits)
{
    uint8_t *tcp = tcp_of(b, b->changed);
    uint16_t was = (uint16_t)(tcp[at] << 8 | tcp[at + 1]);
    uint16_t is = (uint16_t)(bits == LATER ? was | (was + 1) : was ^ bits);
    uint16_t checksum = checksum_update16((uint16_t)(tcp[16] << 8 | tcp[17]), was, is);

    tcp[at] = (uint8_t)(is >> 8);
    tcp[at + 1] = (uint8_t)is;
    tcp[16] = (uint8_t)(checksum >> 8);
    tcp[17] = (uint8_t)checksum;
}

static void change_ip(struct burst *b, size_t at, uint16_t bits)
{
    uint8_t *ip = b->frames[CHANGED].slices[0].bytes;
    uint16_t was = (uint16_t)(ip[at] << 8 | ip[at + 1]), is = was ^ bits;
    uint16_t checksum = checksum_update16((uint16_t)(ip[10] << 8 | ip[11]), was, is);

    ip[at] = (uint8_t)(is >> 8);
    ip[at + 1] = (uint8_t)is;
    ip[10] = (uint8_t)(checksum >> 8);
    ip[11] = (uint8_t)checksum;
}

/* What is read to verify it is copied on the way; what the device has verified is kept. */
TEST(neighbours_are_kept_where_nothing_is_verified)
{
    for (int verified = 0; verified < 2; verified++) {
        struct burst b;
        burst_init(&b, false, false);
        for (size_t i = 1; verified && i < SEGMENTS; i++)
            b.frames[i].flags |= WEIR_FRAME_CSUM_VALID;
        EXPECT_EQ(joined(&b), SEGMENTS - 1);
        for (size_t i = 1; i < SEGMENTS; i++)
            EXPECT_EQ(b.frames[i].release == NULL, verified);
        burst_end(&b, SEGMENTS - 1);
        EXPECT_EQ(b.w->stacks[1].read, SEGMENTS * TEXT);
        world_run(b.w, WEIR_S);
        EXPECT_EQ(b.released, SEGMENTS);
    }
}

TEST(neighbours_are_joined_whether_lent_or_kept)
{
    for (int i = 0; i < 4; i++) {
        struct burst b;
        struct weir_tcp_info info;
        burst_init(&b, i & 1, i & 2);
        EXPECT_EQ(joined(&b), SEGMENTS - 1);
        EXPECT_EQ(weir_tcp_info(world_stack(b.w, 1), b.p.b, &info), WEIR_OK);
        EXPECT_EQ(info.data_segs_in, SEGMENTS);
        EXPECT_EQ(info.recv_queued, SEGMENTS * TEXT);
        burst_end(&b, SEGMENTS - 1);
        EXPECT_EQ(b.w->stacks[1].read, SEGMENTS * TEXT);
        EXPECT_EQ(b.released, i & 2 ? 0 : SEGMENTS);
        world_run(b.w, WEIR_S);
    }
}

/* Where IPv4's version would be stands a byte of this source address. */
TEST(a_super_segment_of_ipv6_is_cut_as_one_whatever_its_addresses_are)
{
    struct world *w = world_make(&(struct world_setup){.is_v6 = true, .mtu = 1500});
    struct weir_endpoint to = {.port = WORLD_PORT};
    struct weir_tcp_info info;
    static const uint8_t text[20000];
    weir_listener_t listener = world_listen(w, 1, WORLD_PORT, 1);
    weir_conn_t a, b;

    for (size_t i = 0; i < 2; i++) {
        struct weir_prefix p = {world_addr_of(i, true), 64};
        p.addr.b[2] ^= 1;
        p.addr.b[12] = 0x4e;
        EXPECT_EQ(weir_addr_add(world_stack(w, i), w->stacks[i].netif, &p), WEIR_OK);
        to.addr = p.addr;
    }
    EXPECT_EQ(weir_connect(world_stack(w, 0), NULL, &to, &a), WEIR_OK);
    world_settle(w);
    EXPECT_EQ(weir_accept(world_stack(w, 1), listener, &b), WEIR_OK);
    EXPECT_EQ(weir_send(world_stack(w, 0), a, text, sizeof text, 0), sizeof text);
    world_run(w, WEIR_S);
    EXPECT_EQ(weir_tcp_info(world_stack(w, 1), b, &info), WEIR_OK);
    EXPECT_EQ(info.bytes_received, sizeof text);
    EXPECT_EQ(info.dup_acks_in, 0);
}

TEST(what_is_different_is_not_joined)
{
    static const struct {
        bool of_ip;
        size_t at;
        uint16_t bits;
        size_t joined;
    } cases[] = {
        {true, 0, 0x0003, CHANGED - 1},   /* congestion experienced */
        {true, 8, 0x0100, CHANGED - 1},   /* TTL */
        {false, 14, 0x0100, CHANGED - 1}, /* window */
        {false, 26, LATER, CHANGED - 1},  /* timestamp; an earlier one would be an old segment */
        {false, 12, 0x0040, CHANGED - 1}, /* ECE */
        {false, 12, 0x0008, CHANGED},     /* PSH ends a burst, and belongs to it */
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct burst b;
        size_t count;
        burst_init(&b, false, i % 2);
        if (cases[i].of_ip)
            change_ip(&b, cases[i].at, cases[i].bits);
        else
            change_tcp(&b, cases[i].at, cases[i].bits);
        count = joined(&b);
        EXPECT_EQ(count, cases[i].joined);
        burst_end(&b, count);
        EXPECT_EQ(b.w->stacks[1].read, SEGMENTS * TEXT);
        world_run(b.w, WEIR_S);
    }
}

TEST(what_is_damaged_or_missing_ends_what_is_joined)
{
    for (int i = 0; i < 3; i++) {
        struct burst b;
        size_t count;
        burst_init(&b, false, i < 2); /* what is kept would outlive its sender */
        if (i == 0) {
            b.sent_text = b.frames[CHANGED].slices[1].bytes;
            b.sent_text[100] ^= 1;
        } else if (i == 1) {
            b.frames[CHANGED].slices[0].bytes[10] ^= 1;
        } else {
            struct weir_frame third = b.frames[CHANGED];
            b.frames[CHANGED] = b.frames[CHANGED + 1];
            b.frames[CHANGED + 1] = third;
        }
        count = joined(&b);
        EXPECT_EQ(count, CHANGED - 1);
        burst_end(&b, count);
        EXPECT_EQ(world_dropped(b.w, 1, "tcp_checksum"), i == 0);
        EXPECT_EQ(world_dropped(b.w, 1, "ip_checksum"), i == 1);
        if (i == 0) /* the byte is the sender's own, who sends it again */
            b.sent_text[100] ^= 1;
        EXPECT_EQ(b.w->stacks[1].read, (size_t)(i == 2 ? SEGMENTS : CHANGED) * TEXT);
        world_run(b.w, WEIR_S);
        (void)world_reads(b.w, 1, b.p.b);
        EXPECT_EQ(b.w->stacks[1].read, SEGMENTS * TEXT);
        EXPECT_EQ(b.released, i < 2 ? 0 : SEGMENTS);
    }
}

/* How many were joined is counted, and a batch may be as long as a driver likes. */
TEST(very_many_neighbours_are_joined_as_far_as_they_are_counted)
{
    enum { COUNT = UINT16_MAX + 1, LEN = 41 };
    static struct weir_frame frames[COUNT];
    static uint8_t bytes[COUNT][LEN];
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);
    struct packet_ip ip = {.src = p.a_at, .dst = p.b_at};
    struct weir_tcp_info info;
    uint64_t segs_in;
    struct packet made;

    EXPECT_EQ(weir_tcp_info(world_stack(w, 1), p.b, &info), WEIR_OK);
    segs_in = info.segs_in;
    for (uint32_t i = 0; i < COUNT; i++) {
        struct packet_tcp tcp = {.flags = TCP_ACK,
                                 .seq = info.rcv_nxt + i,
                                 .ack = info.snd_nxt,
                                 .text = (const uint8_t *)"x",
                                 .len = 1};
        packet_make_tcp(&made, &ip, &tcp);
        EXPECT_EQ(made.len, LEN);
        memcpy(bytes[i], made.bytes, LEN);
        frames[i] = (struct weir_frame){.slices = {{bytes[i], LEN}}, .slice_count = 1, .len = LEN};
    }
    weir_input(world_stack(w, 1), w->stacks[1].netif, frames, COUNT);
    EXPECT_EQ(weir_tcp_info(world_stack(w, 1), p.b, &info), WEIR_OK);
    EXPECT_EQ(info.segs_in - segs_in, COUNT);
    EXPECT(info.bytes_received > UINT16_MAX / 2);
}

TEST(segments_with_the_same_ecn_counter_are_joined) /* [RFC9768 3.2.2] */
{
    struct burst b;

    burst_init(&b, false, true);
    for (b.changed = 0; b.changed < SEGMENTS; b.changed++)
        change_tcp(&b, 12, 0x0140); /* AE and ECE: 5, which is where it begins */
    EXPECT_EQ(joined(&b), SEGMENTS - 1);
    burst_end(&b, SEGMENTS - 1);
    EXPECT_EQ(b.w->stacks[1].read, SEGMENTS * TEXT);
    world_run(b.w, WEIR_S);
}

/* ---- cutting ---- */

enum {
    CUT_TEXT = 9 * TEXT + 300, /* within the initial window */
    CUT_FRAMES = 16,
    CUT_BYTES = 1600,
};

struct cuttings {
    size_t count;
    size_t lens[CUT_FRAMES];
    uint8_t bytes[CUT_FRAMES][CUT_BYTES];
};

static void keep_cutting(struct cuttings *c, const struct weir_frame *frame)
{
    uint8_t *to;

    EXPECT(c->count < CUT_FRAMES && frame->len <= CUT_BYTES);
    to = c->bytes[c->count];
    for (size_t i = 0; i < frame->slice_count; i++) {
        memcpy(to, frame->slices[i].bytes, frame->slices[i].len);
        to += frame->slices[i].len;
    }
    c->lens[c->count++] = frame->len;
}

/* One write, in frames of which at most so many are asked for at a time; all of it arrives. */
static void cut_by(struct cuttings *c, const struct world_setup *setup, size_t max)
{
    struct world *w = world_make(setup);
    struct world_pair p = world_connect(w);
    struct weir_frame *frames[CUT_FRAMES];
    uint8_t text[CUT_TEXT];
    size_t count;

    for (size_t i = 0; i < CUT_TEXT; i++)
        text[i] = world_byte(0, i);
    EXPECT_EQ(weir_send(world_stack(w, 0), p.a, text, CUT_TEXT, 0), CUT_TEXT);
    w->stacks[0].sent = CUT_TEXT;
    c->count = 0;
    while ((count = weir_output(world_stack(w, 0), w->stacks[0].netif, frames, max)) > 0) {
        EXPECT(count <= max);
        for (size_t i = 0; i < count; i++) {
            struct weir_frame in = *frames[i];
            keep_cutting(c, frames[i]);
            in.release = NULL;
            weir_input(world_stack(w, 1), w->stacks[1].netif, &in, 1);
        }
        weir_output_done(world_stack(w, 0), frames, count);
        for (size_t i = 0; i < count; i++)
            EXPECT(frames[i] == NULL);
    }
    world_run(w, WEIR_S);
    EXPECT_EQ(world_reads(w, 1, p.b), WEIR_EAGAIN);
    EXPECT_EQ(w->stacks[1].read, CUT_TEXT);
    EXPECT_EQ(world_dropped(w, 1, "tcp_checksum"), 0);
}

TEST(a_super_segment_is_cut_the_same_however_many_are_asked_for)
{
    static struct cuttings whole, parts;
    static const size_t most[] = {1, 2, 5, 6, 7, 9};

    for (int kind = 0; kind < 4; kind++) {
        struct world_setup setup = {.is_v6 = kind & 1,
                                    .offloads = kind & 2 ? WEIR_OFFLOAD_CSUM : 0};
        cut_by(&whole, &setup, CUT_FRAMES);
        EXPECT_EQ(whole.count, 10);
        for (size_t i = 0; i < sizeof most / sizeof most[0]; i++) {
            cut_by(&parts, &setup, most[i]);
            EXPECT_EQ(parts.count, whole.count);
            for (size_t k = 0; k < parts.count; k++)
                if (parts.lens[k] != whole.lens[k]
                    || memcmp(parts.bytes[k], whole.bytes[k], parts.lens[k]) != 0)
                    FAIL("kind %d, at most %zu: frame %zu is another", kind, most[i], k);
        }
    }
}
