#include "base/sums.h"

#include "base/buf.h"
#include "base/checksum.h"
#include "base/mem.h"
#include "lib/failing_alloc.h"
#include "lib/test.h"

static struct failing_alloc heap;
static struct mem mem;
static struct bufs bufs;
static uint8_t text[20000];
static unsigned added; /* how often a sum was made anew */

static uint32_t count_add(uint32_t sum, const void *bytes, size_t len)
{
    added++;
    return checksum_add(sum, bytes, len);
}

static const struct checksum_ops ops = {count_add, checksum_copy};

static void set_up(void)
{
    static const uint32_t sizes[BUF_CLASSES] = {256, 2048, 16384};
    struct weir_allocator allocator;

    failing_alloc_init(&heap);
    allocator = failing_alloc_allocator(&heap);
    mem_init(&mem, &allocator, SIZE_MAX);
    EXPECT(bufs_init(&bufs, &mem, sizes, 65536));
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 7 + i / 256 + 1);
    added = 0;
}

static void tear_down(struct buf *b)
{
    buf_unref(&bufs, &b);
    for (int i = 0; i <= BUF_FOREIGN; i++)
        EXPECT_EQ(bufs.pools[i].used, 0);
    bufs_fini(&bufs);
    failing_alloc_fini(&heap);
}

static struct buf *filled(size_t size, uint32_t block_len, size_t len)
{
    struct buf *b = buf_get(&bufs, size);

    EXPECT(b != NULL);
    (void)sums_begin(b, b->bytes, block_len);
    sums_copy(b, b->bytes, span_of(text, len), &ops);
    EXPECT(memcmp(b->bytes, text, len) == 0);
    return b;
}

/* How many sums had to be made for bytes whose sum was right. */
static unsigned added_for(const struct buf *b, size_t from, size_t len)
{
    unsigned before = added;

    EXPECT_EQ(sums_of(b, span_of(b->bytes + from, len), &ops), checksum_add(0, text + from, len));
    return added - before;
}

TEST(sums_of_blocks_are_known)
{
    set_up();

    struct buf *b = filled(16000, 1448, 5000);

    EXPECT_EQ(b->size % 1448, 0);
    EXPECT(b->size > 10 * 1448);
    EXPECT_EQ(added_for(b, 0, 1448), 0);
    EXPECT_EQ(added_for(b, 1448, 2 * 1448), 0);
    EXPECT_EQ(added_for(b, 3 * 1448, 5000 - 3 * 1448), 0); /* as much as there is */
    EXPECT_EQ(added_for(b, 0, 5000), 0);
    EXPECT_EQ(added_for(b, 1, 1447), 1);
    EXPECT_EQ(added_for(b, 0, 1447), 1);
    EXPECT_EQ(added_for(b, 3 * 1448, 100), 1);
    tear_down(b);
}

TEST(sums_go_on_where_a_block_is_not_full)
{
    set_up();

    struct buf *b = filled(16000, 999, 10);

    for (size_t len = 10, more = 1; len + more <= b->size; len += more, more = more * 5 % 2003) {
        sums_copy(b, b->bytes + len, span_of(text + len, more), &ops);
        EXPECT_EQ(added_for(b, 0, len + more), 0);
        EXPECT_EQ(added_for(b, len / 999 * 999, len + more - len / 999 * 999), 0);
    }
    tear_down(b);
}

TEST(sums_are_not_kept_where_few_blocks_fit)
{
    set_up();

    struct buf *b = filled(1500, 1448, 1448);

    EXPECT(b->size > 1500);
    EXPECT_EQ(added_for(b, 0, 1448), 1);
    tear_down(b);
}

/* What stands behind the bytes stays inside the buf, however long the blocks are. */
TEST(sums_fit_whatever_the_block)
{
    static const uint32_t sizes[] = {208, 2000, 16000};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (uint32_t block_len = 1; block_len < 17000; block_len += 1 + block_len / 7) {
            set_up();

            struct buf *b = buf_get(&bufs, sizes[i]), *next = buf_get(&bufs, sizes[i]);
            uint32_t room = b->size;

            memset(next->bytes, 0xa5, next->size);
            (void)sums_begin(b, b->bytes, block_len);
            EXPECT(b->size > 0 && b->size <= room);
            sums_copy(b, b->bytes, span_of(text, b->size), &ops);
            EXPECT_EQ(added_for(b, 0, b->size), b->size == room);
            EXPECT(memcmp(b->bytes, text, b->size) == 0);
            for (uint32_t k = 0; k < next->size; k++)
                EXPECT_EQ(next->bytes[k], 0xa5);
            buf_unref(&bufs, &next);
            tear_down(b);
        }
}

TEST(sums_stand_one_after_the_other)
{
    struct buf *b;
    const uint16_t *sums;

    set_up();
    b = filled(16000, 1448, 8 * 1448);
    EXPECT(sums_from(NULL, b->bytes, 1448) == NULL);
    EXPECT(sums_from(b, b->bytes, 1440) == NULL);
    EXPECT(sums_from(b, b->bytes + 1, 1448) == NULL);
    sums = sums_from(b, b->bytes + 2896, 1448);
    EXPECT(sums != NULL);
    for (size_t i = 0; i < 6; i++)
        EXPECT_EQ(sums[i], checksum_add(0, text + 2896 + i * 1448, 1448));
    tear_down(b);
    set_up();
    b = filled(100, 1448, 100);
    EXPECT(sums_from(b, b->bytes, 1448) == NULL);
    tear_down(b);
}

TEST(sums_of_bytes_without_sums_are_made)
{
    set_up();

    struct buf *b = buf_get(&bufs, 1000);

    memcpy(b->bytes, text, 1000);
    EXPECT_EQ(added_for(b, 0, 1000), 1);
    EXPECT_EQ(sums_of(NULL, span_of(text, 77), &ops), checksum_add(0, text, 77));
    tear_down(b);
}
