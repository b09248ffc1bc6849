/*
 * test_frame.c - frames: headers downward, payload by reference, checksums last
 */
#include "base/frame.h"

#include "base/buf.h"
#include "base/checksum.h"
#include "base/mem.h"
#include "base/pool.h"
#include "lib/check_fails.h"
#include "lib/failing_alloc.h"
#include "lib/test.h"
#include <stdlib.h>
#include <string.h>

struct fixture {
    struct failing_alloc alloc;
    struct mem mem;
    struct bufs bufs;
    struct pool frames;
};

static struct fixture *setup(void)
{
    static const uint32_t sizes[BUF_CLASSES] = {256, 2048, 16384};
    struct fixture *f = calloc(1, sizeof *f);
    struct weir_allocator allocator;

    EXPECT(f != NULL);
    failing_alloc_init(&f->alloc);
    allocator = failing_alloc_allocator(&f->alloc);
    mem_init(&f->mem, &allocator, SIZE_MAX);
    EXPECT(bufs_init(&f->bufs, &f->mem, sizes, 64 * 1024));
    EXPECT(pool_init(&f->frames, &f->mem, "frames", sizeof(struct frame), 64 * 1024));
    return f;
}

static void teardown(struct fixture *f)
{
    for (size_t i = 0; i <= BUF_FOREIGN; i++)
        EXPECT_EQ(f->bufs.pools[i].used, 0);
    EXPECT_EQ(f->frames.used, 0);
    bufs_fini(&f->bufs);
    pool_fini(&f->frames);
    failing_alloc_fini(&f->alloc);
    free(f);
}

/* Adds a payload of so many bytes, each different from its neighbour. */
static void add(struct fixture *f, struct frame *frame, size_t len)
{
    struct buf *buf = buf_get(&f->bufs, len);
    uint8_t *bytes = buf->bytes;

    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i * 7 + len);
    EXPECT(frame_add(frame, bytes, len, &buf));
    EXPECT(buf == NULL);
}

TEST(frame_headers_grow_downward_and_move_the_checksum)
{
    struct fixture *f = setup();
    struct frame *frame = frame_get(&f->frames);

    EXPECT_EQ(frame->wire.slice_count, 1);
    EXPECT_EQ(frame->wire.len, 0);
    add(f, frame, 100);
    memset(frame_push(frame, 20), 1, 20);
    frame_need_checksum(frame, 16);
    EXPECT_EQ(frame->wire.csum_start, 0);
    EXPECT_EQ(frame->wire.header_len, 20);
    memset(frame_push(frame, 40), 2, 40);
    memset(frame_push(frame, 14), 3, 14);
    EXPECT_EQ(frame->wire.csum_start, 54);
    EXPECT_EQ(frame->wire.csum_offset, 16);
    EXPECT_EQ(frame->wire.header_len, 74);
    EXPECT_EQ(frame->wire.len, 174);
    EXPECT_EQ(frame->wire.slices[0].bytes[0], 3);
    EXPECT_EQ(frame->wire.slices[0].bytes[54], 1);

    frame_pull(frame, 14);
    EXPECT_EQ(frame->wire.csum_start, 40);
    EXPECT_EQ(frame->wire.slices[0].bytes[0], 2);
    EXPECT_EQ(frame->wire.len, 160);
    frame_put(&f->frames, &f->bufs, &frame);
    EXPECT(frame == NULL);
    teardown(f);
}

static void push_one(void *frame)
{
    frame_push(frame, 1);
}

static void pull_one(void *frame)
{
    frame_pull(frame, 1);
}

TEST(frame_headroom_has_an_end)
{
    struct fixture *f = setup();
    struct frame *frame = frame_get(&f->frames);

    frame_push(frame, FRAME_HEADROOM);
    EXPECT(check_fails(push_one, frame));
    frame_pull(frame, FRAME_HEADROOM);
    EXPECT(check_fails(pull_one, frame));
    frame_put(&f->frames, &f->bufs, &frame);
    teardown(f);
}

TEST(frame_has_room_for_so_many_slices)
{
    struct fixture *f = setup();
    struct frame *frame = frame_get(&f->frames);
    struct buf *buf;

    for (size_t i = 1; i < WEIR_FRAME_SLICES; i++)
        add(f, frame, 10);
    buf = buf_get(&f->bufs, 10);
    EXPECT(!frame_add(frame, buf->bytes, 10, &buf));
    EXPECT(buf != NULL);
    EXPECT_EQ(frame->wire.len, 10 * (WEIR_FRAME_SLICES - 1));
    buf_unref(&f->bufs, &buf);
    frame_put(&f->frames, &f->bufs, &frame);
    teardown(f);
}

TEST(frame_keeps_what_it_refers_to)
{
    struct fixture *f = setup();
    struct frame *frame = frame_get(&f->frames);
    struct buf *buf = buf_get(&f->bufs, 10), *ours = buf_ref(buf);
    struct buf *nobody = NULL;
    uint8_t bytes[4] = {0};

    EXPECT(frame_add(frame, buf->bytes, 10, &buf));
    EXPECT(frame_add(frame, bytes, sizeof bytes, &nobody));
    EXPECT(!buf_is_sole(ours));
    frame_put(&f->frames, &f->bufs, &frame);
    EXPECT(buf_is_sole(ours));
    buf_unref(&f->bufs, &ours);
    frame_put(&f->frames, &f->bufs, &frame); /* NULL is fine */
    teardown(f);
}

/* The checksum in a frame of these payloads, and what it should be. */
static void check_sum(const size_t *lens, size_t count, bool sum_is_known)
{
    struct fixture *f = setup();
    struct frame *frame = frame_get(&f->frames);
    static uint8_t flat[70000];
    size_t len = 0, before = 0;
    uint8_t *header;

    for (size_t i = 0; i < count; i++) {
        const struct weir_slice *s;

        add(f, frame, lens[i]);
        s = &frame->wire.slices[frame->wire.slice_count - 1];
        frame->payload_sum =
            checksum_join(frame->payload_sum, checksum_add(0, s->bytes, s->len), before);
        before += s->len;
    }
    frame->payload_sum_known = sum_is_known;
    header = frame_push(frame, 20);
    memset(header, 0x5a, 20);
    header[16] = 0x12; /* the sum of a pseudo-header */
    header[17] = 0x34;
    frame_need_checksum(frame, 16);
    memset(frame_push(frame, 33), 0x77, 33);
    frame_finish_checksum(frame);
    EXPECT(!(frame->wire.flags & WEIR_FRAME_CSUM_PARTIAL));

    for (size_t i = 0; i < frame->wire.slice_count; i++) {
        memcpy(flat + len, frame->wire.slices[i].bytes, frame->wire.slices[i].len);
        len += frame->wire.slices[i].len;
    }
    EXPECT(checksum_is_good(checksum_add(0x1234, flat + 33, len - 33)));
    frame_finish_checksum(frame); /* once is enough */
    EXPECT_MEM(frame->wire.slices[0].bytes, flat, 53);
    frame_put(&f->frames, &f->bufs, &frame);
    teardown(f);
}

/* Segments of two pieces, in rows of different lengths and in turn. */
TEST(frames_are_taken_and_given_back_together)
{
    enum { COUNT = 100 };
    struct fixture *f = setup();
    struct weir_frame *frames[2 * COUNT], *mixed[2 * COUNT];
    struct buf *bufs_of[2];

    for (size_t i = 0; i < 2; i++) {
        struct frame_row row = {.headers_len = 40, .flags = WEIR_FRAME_CSUM_PARTIAL};
        row.csum_start = 20;
        row.csum_offset = 16;
        row.buf = bufs_of[i] = buf_get(&f->bufs, COUNT * 10);
        row.payload = (struct weir_slice){row.buf->bytes, 10};
        buf_ref_many(row.buf, COUNT);
        EXPECT_EQ(frame_get_row(&f->frames, &row, frames + i * COUNT, COUNT), COUNT);
    }
    for (size_t i = 0; i < 2 * COUNT; i++) {
        const struct weir_frame *w = frames[i];
        EXPECT_EQ(w->len, 50);
        EXPECT_EQ(w->slice_count, 2);
        EXPECT_EQ(w->gso, WEIR_GSO_NONE);
        EXPECT_EQ(w->flags, WEIR_FRAME_CSUM_PARTIAL);
        EXPECT_EQ(w->csum_start, 20);
        EXPECT_EQ(w->csum_offset, 16);
        EXPECT_EQ(w->header_len, 40);
        EXPECT_EQ(w->slices[0].len, 40);
        EXPECT(w->slices[1].bytes == bufs_of[i / COUNT]->bytes + i % COUNT * 10);
        EXPECT_EQ(w->slices[1].len, 10);
        EXPECT(w->release == NULL);
    }
    for (size_t i = 0; i < COUNT; i++) {
        mixed[2 * i] = frames[i];
        mixed[2 * i + 1] = frames[i < COUNT / 2 ? COUNT + i : 2 * COUNT - 1 - (i - COUNT / 2)];
    }
    frame_put_many(&f->frames, &f->bufs, mixed, 2 * COUNT);
    for (size_t i = 0; i < 2 * COUNT; i++)
        EXPECT(mixed[i] == NULL);
    for (size_t i = 0; i < 2; i++) {
        EXPECT_EQ(bufs_of[i]->refs, 1);
        buf_unref(&f->bufs, &bufs_of[i]);
    }
    EXPECT_EQ(f->frames.used, 0);
    teardown(f);
}

TEST(a_row_of_frames_is_as_long_as_there_is_memory)
{
    enum { COUNT = 2000 };
    struct fixture *f = setup();
    uint8_t text[1];
    struct frame_row row = {.headers_len = 40, .payload = {text, 0}};
    static struct weir_frame *frames[COUNT];
    size_t count;

    f->alloc.fail_at = f->alloc.calls + 2;
    count = frame_get_row(&f->frames, &row, frames, COUNT);
    EXPECT(count > 0 && count < COUNT);
    EXPECT_EQ(f->frames.used, count);
    frame_put_many(&f->frames, &f->bufs, frames, count);
    EXPECT_EQ(f->frames.used, 0);
    teardown(f);
}

TEST(frame_checksum_covers_all_slices)
{
    static const size_t even[] = {100, 1000, 16000}, odd[] = {1, 101, 3, 999, 10001};

    for (int known = 0; known < 2; known++) {
        check_sum(even, 0, known);
        check_sum(even, 1, known);
        check_sum(even, 3, known);
        check_sum(odd, 1, known);
        check_sum(odd, 5, known);
    }
}

TEST(frame_checksum_of_zero_is_sent_as_ones) /* [RFC768] */
{
    struct fixture *f = setup();
    struct frame *frame = frame_get(&f->frames);
    uint8_t *header = frame_push(frame, 8);

    memset(header, 0, 8);
    header[0] = header[1] = 0xff;
    frame_need_checksum(frame, 6);
    frame_finish_checksum(frame);
    EXPECT_EQ(header[6], 0xff);
    EXPECT_EQ(header[7], 0xff);
    frame_put(&f->frames, &f->bufs, &frame);
    teardown(f);
}

TEST(frame_without_memory_is_none)
{
    struct fixture *f = setup();

    f->alloc.fail_at = f->alloc.calls + 1;
    EXPECT(frame_get(&f->frames) == NULL);
    teardown(f);
}

TEST(frames_come_out_as_they_went_in)
{
    struct fixture *f = setup();
    struct frame *in[5];
    struct frames queue = {0};

    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < 5; i++) {
            struct frame *frame = in[i] = frame_get(&f->frames);

            frames_add(&queue, &frame);
            EXPECT(frame == NULL);
            EXPECT_EQ(queue.count, i + 1);
        }
        for (size_t i = 0; i < 5; i++) {
            struct frame *frame = frames_take(&queue);

            EXPECT(frame == in[i]);
            frame_put(&f->frames, &f->bufs, &frame);
        }
        EXPECT(frames_take(&queue) == NULL);
        EXPECT(queue.head == NULL && queue.tail == NULL);
    }
    teardown(f);
}
