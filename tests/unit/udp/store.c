/*
 * store.c - memory, buffers and frames for the tests of this folder
 */
#include "unit/udp/store.h"

#include <stdlib.h>
#include <string.h>
#include <weir/err.h>

struct store *store_new(void)
{
    static const uint32_t sizes[BUF_CLASSES] = {256, 2048, 16384};
    struct store *s = calloc(1, sizeof *s);
    struct weir_allocator allocator;

    EXPECT(s != NULL);
    failing_alloc_init(&s->alloc);
    allocator = failing_alloc_allocator(&s->alloc);
    mem_init(&s->mem, &allocator, SIZE_MAX);
    for (size_t i = 0; i < sizeof s->config.secret; i++)
        s->config.secret[i] = (uint8_t)(i + 1);
    s->config.slab_bytes = 4096;
    s->config.tcp.port_first = 40000;
    s->config.tcp.port_last = 40099;
    EXPECT(bufs_init(&s->bufs, &s->mem, sizes, 64 * 1024));
    EXPECT(pool_init(&s->frames, &s->mem, "frames", sizeof(struct frame), 4096));
    return s;
}

struct udp_setup store_setup(struct store *s)
{
    return (struct udp_setup){&s->mem, &s->bufs, &s->frames, &s->config};
}

void store_free(struct store **s)
{
    struct store *store = *s;

    *s = NULL;
    for (size_t i = 0; i <= BUF_FOREIGN; i++)
        EXPECT_EQ(store->bufs.pools[i].used, 0);
    EXPECT_EQ(store->frames.used, 0);
    bufs_fini(&store->bufs);
    pool_fini(&store->frames);
    EXPECT_EQ(store->mem.used, 0);
    failing_alloc_fini(&store->alloc);
    free(store);
}

struct weir_endpoint endpoint(const char *text)
{
    struct weir_endpoint e;

    EXPECT_EQ(weir_endpoint_parse(text, &e), WEIR_OK);
    return e;
}

uint8_t *pattern(size_t len)
{
    static uint8_t bytes[70000];

    EXPECT(len <= sizeof bytes);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i ^ i >> 8);
    return bytes;
}

struct weir_slice flatten(struct store *s, struct frame **frame)
{
    static uint8_t bytes[70000];
    struct weir_slice flat = {bytes, 0};
    const struct weir_frame *w = &(*frame)->wire;

    frame_finish_checksum(*frame);
    for (size_t i = 0; i < w->slice_count; i++) {
        EXPECT(flat.len + w->slices[i].len <= sizeof bytes);
        memcpy(bytes + flat.len, w->slices[i].bytes, w->slices[i].len);
        flat.len += w->slices[i].len;
    }
    EXPECT_EQ(flat.len, w->len);
    frame_put(&s->frames, &s->bufs, frame);
    return flat;
}
