/*
 * tcp_world.c - what TCP connections need around them, in tests
 *
 * Worlds are on the heap, because pools must not move, and in a list, so that they can be
 * checked after the test.
 */
#include "lib/tcp_world.h"

#include "base/check.h"
#include "base/checksum.h"
#include "lib/fake_crypto.h"
#include "lib/test.h"
#include "tcp/reasm.h"
#include "tcp/works.h"
#include <stdlib.h>
#include <string.h>

enum {
    SLAB_BYTES = 16 * 1024, /* small, so that there are many allocations that can fail */
    HEADERS_LEN = 40,       /* before the text of a frame that comes in */
};

static struct tcp_world *worlds;

struct weir_tcp_config tcp_world_config(void)
{
    return (struct weir_tcp_config){
        .rto_initial_ns = 1 * NS_S,
        .rto_min_ns = 200 * NS_MS,
        .rto_max_ns = 120 * NS_S,
        .syn_retries = 6,
        .synack_retries = 5,
        .retries1 = 3,
        .retries2 = 15,
        .orphan_retries = 8,
        .msl_ns = 30 * NS_S,
        .fin_wait2_ns = 60 * NS_S,
        .keepalive_idle_ns = 7200 * NS_S,
        .keepalive_interval_ns = 75 * NS_S,
        .keepalive_probes = 9,
        .delack_min_ns = 40 * NS_MS,
        .delack_max_ns = 200 * NS_MS,
        .initial_window_segs = 10,
        .send_buffer_bytes = 256 * 1024,
        .send_buffer_max_bytes = 4 * 1024 * 1024,
        .recv_buffer_bytes = 256 * 1024,
        .recv_buffer_max_bytes = 6 * 1024 * 1024,
        .mss_min = 48,
        .window_scaling = true,
        .timestamps = true,
        .sack = true,
        .tail_loss_probe = true,
        .slow_start_after_idle = true,
        .mtu_probing = WEIR_MTU_PROBING_ON_BLACK_HOLE,
        .nagle = true,
        .timewait_reuse = true,
        .ecn = WEIR_ECN_PASSIVE,
        .congestion_control = "reno",
        .challenge_acks_per_s = 10,
        .reassembly_holes = 8192,
        .fastopen_servers = 4,
        .fastopen_off_ns = 3600 * NS_S,
        .port_first = 32768,
        .port_last = 60999,
    };
}

static void init_pools(struct tcp_world *w)
{
    static const uint32_t sizes[BUF_CLASSES] = {256, 2048, 8192};
    struct weir_allocator allocator = failing_alloc_allocator(&w->alloc);

    mem_init(&w->mem, &allocator, SIZE_MAX);
    CHECK(bufs_init(&w->bufs, &w->mem, sizes, SLAB_BYTES));
    CHECK(pool_init(&w->frames, &w->mem, "frames", sizeof(struct frame), SLAB_BYTES));
    CHECK(pool_init(&w->env.works, &w->mem, "works", sizeof(struct tcp_work), SLAB_BYTES));
    CHECK(pool_init(&w->env.pieces, &w->mem, "pieces", sizeof(struct piece), SLAB_BYTES));
    CHECK(pool_init(&w->env.sents, &w->mem, "sents", sizeof(struct sent), SLAB_BYTES));
    CHECK(pool_init(&w->env.reasms, &w->mem, "reasms", sizeof(struct reasm), SLAB_BYTES));
    CHECK(pool_init_handles(&w->env.wide_ends, &w->mem, "ends", sizeof(struct wide_ends),
                            SLAB_BYTES));
    CHECK(choices_init(&w->env.choices, &w->mem, SLAB_BYTES, (struct siphash_key){5, 6}));
    CHECK(auths_init(&w->env.auth, &w->mem, SLAB_BYTES, fake_crypto()));
    CHECK(fastopen_init(&w->env.fastopen, &w->mem, SLAB_BYTES, (struct siphash_key){1, 2},
                        (struct siphash_key){3, 4}));
}

struct tcp_world *tcp_world_make(void)
{
    static const uint8_t secret[32] = "the secret of all tests";
    struct tcp_world *w = calloc(1, sizeof *w);

    if (w == NULL)
        FAIL("really out of memory");
    failing_alloc_init(&w->alloc);
    init_pools(w);
    w->env.now = 1000 * NS_S;
    w->env.config = tcp_world_config();
    w->env.frames = &w->frames;
    w->env.bufs = &w->bufs;
    w->env.checksum = checksum_ops_for(0);
    w->env.tracer = &w->tracer;
    rng_init(&w->env.rng, secret, 0);
    w->env.isn_key = siphash_key_derive(secret, 1);
    w->env.port_key = siphash_key_derive(secret, 3);
    for (size_t i = 0; i < TCP_WORLD_CONNS; i++)
        CHECK(tcp_conn_init(&w->conns[i], &w->env));
    w->next = worlds;
    worlds = w;
    return w;
}

static void check_and_fini(struct pool *pool)
{
    EXPECT_EQ(pool->used, 0);
    pool_fini(pool);
}

void tcp_sents_add(struct tcp_sents *list, struct tcp_sent sent)
{
    EXPECT(list->count < TCP_WORLD_FRAMES);
    list->at[list->count++] = sent;
}

struct tcp_sent tcp_sents_take(struct tcp_sents *list)
{
    struct tcp_sent first = list->at[0];

    EXPECT(list->count > 0);
    list->count--;
    memmove(&list->at[0], &list->at[1], list->count * sizeof first);
    return first;
}

void tcp_sents_clear(struct tcp_world *w, struct tcp_sents *list)
{
    for (size_t i = 0; i < list->count; i++)
        frame_put(&w->frames, &w->bufs, &list->at[i].frame);
    list->count = 0;
}

size_t tcp_sent_flatten(const struct tcp_sent *sent, uint8_t *bytes, size_t room)
{
    const struct weir_frame *wire = &sent->frame->wire;
    size_t len = 0;

    EXPECT(wire->len <= room);
    for (size_t i = 0; i < wire->slice_count; i++) {
        memcpy(bytes + len, wire->slices[i].bytes, wire->slices[i].len);
        len += wire->slices[i].len;
    }
    EXPECT_EQ(len, wire->len);
    return len;
}

static void end_world(struct tcp_world *w)
{
    tcp_sents_clear(w, &w->sent);
    tcp_sents_clear(w, &w->kept);
    for (size_t i = 0; i < TCP_WORLD_CONNS; i++)
        tcp_conn_fini(&w->conns[i], &w->env);
    EXPECT_EQ(w->frames_in, 0);
    EXPECT_EQ(w->lent, 0);
    works_trim(&w->env);
    check_and_fini(&w->env.works);
    check_and_fini(&w->env.pieces);
    check_and_fini(&w->env.sents);
    check_and_fini(&w->env.reasms);
    check_and_fini(&w->env.wide_ends);
    fastopen_fini(&w->env.fastopen);
    EXPECT_EQ(w->env.choices.first.owners, 0);
    EXPECT_EQ(w->env.choices.others.used, 0);
    choices_fini(&w->env.choices);
    check_and_fini(&w->env.auth.auths);
    check_and_fini(&w->env.auth.keys);
    check_and_fini(&w->frames);
    for (size_t i = 0; i <= BUF_FOREIGN; i++)
        EXPECT_EQ(w->bufs.pools[i].used, 0);
    bufs_fini(&w->bufs);
    failing_alloc_fini(&w->alloc);
    free(w);
}

void tcp_world_end(struct tcp_world *w)
{
    struct tcp_world **at = &worlds;

    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    end_world(w);
}

AFTER_EACH_TEST(all_pools_are_full_again)
{
    while (worlds != NULL)
        tcp_world_end(worlds);
}

/* ---- frames that come in ---- */

uint8_t tcp_world_byte(uint64_t offset)
{
    return (uint8_t)(offset * 7 + (offset >> 8) * 13 + 1);
}

void tcp_world_check_bytes(const uint8_t *bytes, size_t len, uint64_t offset)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != tcp_world_byte(offset + i))
            FAIL("byte %llu of the stream is %u, not %u", (unsigned long long)(offset + i),
                 bytes[i], tcp_world_byte(offset + i));
}

/* Bytes, and where it is counted that they are in use. */
struct owned {
    size_t *count;
    uint8_t bytes[];
};

static struct owned *make_owned(size_t *count, size_t len)
{
    struct owned *o = malloc(sizeof *o + len);

    if (o == NULL)
        FAIL("really out of memory");
    o->count = count;
    ++*count;
    return o;
}

static void fill(uint8_t *bytes, uint32_t len, uint64_t offset)
{
    for (uint32_t i = 0; i < len; i++)
        bytes[i] = tcp_world_byte(offset + i);
}

void tcp_world_release(void *owner)
{
    struct owned *o = owner;

    --*o->count;
    free(o);
}

void *tcp_world_lend(struct tcp_world *w, uint64_t offset, uint32_t len, struct weir_slice *bytes)
{
    struct owned *o = make_owned(&w->lent, len);

    fill(o->bytes, len, offset);
    *bytes = (struct weir_slice){o->bytes, len};
    return o;
}

void tcp_arrival_fill(struct tcp_world *w, struct tcp_arrival *a, uint64_t offset, uint32_t len,
                      bool is_owned)
{
    struct owned *o = make_owned(&w->frames_in, HEADERS_LEN + len);

    memset(o->bytes, 0xee, HEADERS_LEN);
    fill(o->bytes + HEADERS_LEN, len, offset);
    a->text = (struct weir_slice){o->bytes, HEADERS_LEN + len};
    a->frame = (struct weir_frame){
        .slices = {a->text},
        .slice_count = 1,
        .len = a->text.len,
        .release = is_owned ? tcp_world_release : NULL,
        .owner = o,
    };
    a->seg.len = len;
    a->seg.segs = 1;
    a->seg.frame = &a->frame;
    a->seg.text = &a->text;
    a->seg.text_count = 1;
    a->seg.text_skip = HEADERS_LEN;
}

void tcp_arrival_done(struct tcp_world *w, struct tcp_arrival *a)
{
    bool is_kept = a->seg.text_buf != NULL; /* its buf releases it */

    tcp_seg_done(&a->seg, &w->env);
    if (!is_kept)
        tcp_world_release(a->frame.owner);
}
