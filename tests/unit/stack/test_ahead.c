/*
 * test_ahead.c - what frames need is looked for before they are taken in, and nothing else changes
 *
 * Two stacks that have so many flows that looking ahead is worth it get the same frames, one of them in
 * batches, the other one by one, which leaves nothing to look ahead to.
 */
#include "lib/test.h"
#include "lib/world.h"
#include "stack/stack.h"
#include "wire/tcp.h"
#include <string.h>

enum { FLOWS = 4200, BATCH = 40, ROOM = 160, FIRST_PORT = 1000, PEER_ISN = 0x7ffffff0 };

struct two {
    struct world *batches, *singles;
    struct weir_frame frames[2][BATCH];
    uint8_t bytes[2][BATCH][ROOM];
    size_t count;
    uint64_t state;
};

static struct world *world_of(struct two *t, size_t i)
{
    return i == 0 ? t->batches : t->singles;
}

static void give(struct two *t)
{
    weir_input(world_stack(t->batches, 0), t->batches->stacks[0].netif, t->frames[0], t->count);
    for (size_t i = 0; i < t->count; i++)
        weir_input(world_stack(t->singles, 0), t->singles->stacks[0].netif, &t->frames[1][i], 1);
    t->count = 0;
    for (size_t i = 0; i < 2; i++)
        world_run(world_of(t, i), NS_MS);
    EXPECT_EQ(t->batches->stacks[0].hash, t->singles->stacks[0].hash);
}

static void add(struct two *t, const struct packet *p)
{
    for (size_t i = 0; i < 2; i++) {
        struct weir_frame *f = &t->frames[i][t->count];

        memcpy(t->bytes[i][t->count], p->bytes, p->len);
        memset(f, 0, sizeof *f);
        f->slices[0] = (struct weir_slice){t->bytes[i][t->count], p->len};
        f->slice_count = 1;
        f->len = p->len;
    }
    if (++t->count == BATCH)
        give(t);
}

static void make(struct two *t, struct packet *p, uint32_t client, const struct packet_tcp *tcp)
{
    struct packet_ip ip = {
        .src = world_endpoint(t->batches, 3, (uint16_t)(FIRST_PORT + client)),
        .dst = world_endpoint(t->batches, 0, WORLD_PORT),
    };

    packet_make_tcp(p, &ip, tcp);
}

/* Any of the flows goes on, a byte comes twice, or something has become of the frame. */
static void add_something(struct two *t, uint32_t isn)
{
    static struct packet p;
    struct packet_tcp tcp = {
        .flags = TCP_ACK,
        .seq = PEER_ISN + 1u,
        .ack = isn + 1u,
        .text = (const uint8_t *)"x",
        .len = test_random_below(&t->state, 2),
    };

    make(t, &p, test_random_below(&t->state, FLOWS + 100), &tcp);
    if (test_random_below(&t->state, 6) == 0)
        p.bytes[test_random_below(&t->state, (uint32_t)p.len)] ^= 4;
    if (test_random_below(&t->state, 9) == 0)
        p.len = test_random_below(&t->state, (uint32_t)p.len);
    add(t, &p);
}

static void compare(struct two *t)
{
    for (size_t why = 0; why < WHY_COUNT; why++)
        EXPECT_EQ(weir_dropped(world_stack(t->batches, 0), why),
                  weir_dropped(world_stack(t->singles, 0), why));
    EXPECT_EQ(world_stack(t->batches, 0)->conns.used, world_stack(t->singles, 0)->conns.used);
    EXPECT(world_stack(t->batches, 0)->conns.used > FLOWS / 8);
}

static void talk(struct two *t, bool is_v6)
{
    static struct packet p;
    struct weir_config config = world_config();
    struct world_setup setup = {.config = &config, .is_v6 = is_v6};
    struct packet_tcp syn = {.flags = TCP_SYN, .seq = PEER_ISN};
    enum { ISN = 0x7ffffffe };

    config.syn_queue = FLOWS;
    *t = (struct two){.state = test_seed()};
    for (size_t i = 0; i < 2; i++) {
        struct world *w = world_make(&setup);
        w->skips_checks = true;
        (void)world_listen(w, 0, WORLD_PORT, FLOWS);
        *(i == 0 ? &t->batches : &t->singles) = w;
    }
    for (uint32_t client = 0; client < FLOWS; client++) {
        for (size_t i = 0; i < 2; i++)
            weir_tcp_next_isn(world_stack(world_of(t, i), 0), ISN);
        make(t, &p, client, &syn);
        add(t, &p);
        give(t);
    }
    for (int i = 0; i < 2000; i++)
        add_something(t, ISN);
    compare(t);
    world_end(t->batches);
    world_end(t->singles);
}

TEST(ahead_of_frames_nothing_is_decided)
{
    static struct two t;

    talk(&t, false);
    talk(&t, true);
}
