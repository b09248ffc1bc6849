#include "base/buf.h"

#include "base/mem.h"
#include "lib/check_fails.h"
#include "lib/failing_alloc.h"
#include "lib/test.h"
#include <string.h>

static struct failing_alloc heap;
static struct mem mem;
static struct bufs bufs;
static const uint32_t sizes[BUF_CLASSES] = {256, 2048, 16384};

static void set_up(void)
{
    struct weir_allocator allocator;

    failing_alloc_init(&heap);
    allocator = failing_alloc_allocator(&heap);
    mem_init(&mem, &allocator, SIZE_MAX);
    EXPECT(bufs_init(&bufs, &mem, sizes, 65536));
}

static void tear_down(void)
{
    for (int i = 0; i <= BUF_FOREIGN; i++)
        EXPECT_EQ(bufs.pools[i].used, 0);
    bufs_fini(&bufs);
    failing_alloc_fini(&heap);
}

TEST(buf_comes_from_the_smallest_class_that_fits)
{
    set_up();

    uint32_t small_room = 256 - BUF_SPACE;
    static const uint8_t classes[] = {0, 0, 1, 1, 2, 2};
    const size_t wanted[] = {0, small_room, small_room + 1, 1514 + 128, 4000, 100000};

    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        struct buf *b = buf_get(&bufs, wanted[i]);

        EXPECT(b != NULL);
        EXPECT_EQ(b->class, classes[i]);
        EXPECT_EQ(b->refs, 1);
        EXPECT(b->size >= wanted[i] || b->size == bufs_largest(&bufs));
        EXPECT(b->memory >= b->size);
        EXPECT(b->memory <= sizes[b->class]);
        memset(b->bytes, 0xff, b->size);
        buf_unref(&bufs, &b);
        EXPECT(b == NULL);
    }
    tear_down();
}

/* Four large ones in a slab of 64 KiB, not three. */
TEST(buf_sizes_fill_their_slabs)
{
    set_up();
    EXPECT_EQ(bufs.pools[0].slab_objects, 255);
    EXPECT_EQ(bufs.pools[0].object_size, 256);
    EXPECT_EQ(bufs.pools[1].slab_objects, 32);
    EXPECT(bufs.pools[1].object_size >= 2032);
    EXPECT_EQ(bufs.pools[2].slab_objects, 4);
    EXPECT(bufs.pools[2].object_size >= 16336);
    tear_down();
}

TEST(buf_sizes_that_cannot_be_are_refused)
{
    static const uint32_t too_small[BUF_CLASSES] = {16, 2048, 16384};
    static const uint32_t too_large[BUF_CLASSES] = {256, 2048, 70000};
    static const uint32_t descending[BUF_CLASSES] = {2048, 256, 16384};
    static const uint32_t nothing[BUF_CLASSES] = {0, 2048, 16384};
    static const uint32_t tiny[BUF_CLASSES] = {128, 256, 512};

    set_up();
    EXPECT(!bufs_init(&bufs, &mem, too_small, 65536));
    EXPECT(!bufs_init(&bufs, &mem, too_large, 65536));
    EXPECT(!bufs_init(&bufs, &mem, descending, 65536));
    EXPECT(!bufs_init(&bufs, &mem, nothing, 65536));
    EXPECT(!bufs_init(&bufs, &mem, sizes, 4096));
    EXPECT(!bufs_init(&bufs, &mem, sizes, 65535));
    EXPECT(bufs_init(&bufs, &mem, tiny, 1024));
    EXPECT_EQ(bufs.pools[2].slab_objects, 2);
    tear_down();
}

TEST(buf_lives_until_its_last_reference_goes)
{
    set_up();

    struct buf *b = buf_get(&bufs, 100);
    struct buf *second = buf_ref(b);

    EXPECT(second == b);
    EXPECT(!buf_is_sole(b));
    buf_unref(&bufs, &b);
    EXPECT(b == NULL);
    EXPECT(buf_is_sole(second));
    EXPECT_EQ(bufs.pools[0].used, 1);
    buf_unref(&bufs, &second);
    EXPECT_EQ(bufs.pools[0].used, 0);
    buf_unref(&bufs, &second); /* NULL by now */
    tear_down();
}

static void count_release(void *owner)
{
    ++*(int *)owner;
}

TEST(buf_foreign_tells_its_owner_once)
{
    uint8_t bytes[10] = {1, 2, 3};
    int released = 0;

    set_up();

    struct buf *b = buf_wrap(&bufs, bytes, sizeof bytes, 4096, count_release, &released);
    struct buf *second = buf_ref(b);

    EXPECT(b->bytes == bytes);
    EXPECT_EQ(b->size, sizeof bytes);
    EXPECT(b->memory >= 4096);
    buf_unref(&bufs, &b);
    EXPECT_EQ(released, 0);
    buf_unref(&bufs, &second);
    EXPECT_EQ(released, 1);
    tear_down();
}

TEST(buf_foreign_has_room_for_one)
{
    uint8_t bytes[10] = {0};

    set_up();

    struct buf *b = buf_wrap(&bufs, bytes, sizeof bytes, 0, NULL, NULL);
    struct buf *own = buf_get(&bufs, 10);
    uint8_t *room = buf_take_room(b);

    EXPECT(room != NULL);
    memset(room, 0xee, BUF_ROOM);
    EXPECT(b->bytes == bytes && b->refs == 1);
    EXPECT(buf_take_room(b) == NULL);
    EXPECT(buf_take_room(own) == NULL);
    buf_unref(&bufs, &b);
    buf_unref(&bufs, &own);
    tear_down();
}

TEST(buf_foreign_may_have_an_owner_who_does_not_care)
{
    static uint8_t constant[10];

    set_up();

    struct buf *b = buf_wrap(&bufs, constant, sizeof constant, 0, NULL, NULL);

    buf_unref(&bufs, &b);
    tear_down();
}

TEST(buf_is_null_without_memory)
{
    int released = 0;

    set_up();
    heap.fail_at = 1;
    heap.fails_from_then = true;
    for (size_t size = 1; size <= 65536; size *= 4)
        EXPECT(buf_get(&bufs, size) == NULL);
    EXPECT(buf_wrap(&bufs, &released, 1, 1, count_release, &released) == NULL);
    EXPECT_EQ(released, 0);
    tear_down();
}

static void ref_once_more(void *b)
{
    (void)buf_ref(b);
}

TEST(buf_references_are_counted_or_checked)
{
    set_up();

    struct buf *b = buf_get(&bufs, 1);

    b->refs = UINT32_MAX;
    EXPECT(check_fails(ref_once_more, b));
    b->refs = 0;
    EXPECT(check_fails(ref_once_more, b));
    b->refs = 1;
    buf_unref(&bufs, &b);
    tear_down();
}
