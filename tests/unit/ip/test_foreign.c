/*
 * test_foreign.c - addresses that are said to be as foreign as one another are
 */
#include "base/addr.h"
#include "ip/foreign.h"
#include "unit/ip/world.h"
#include <string.h>

static struct weir_addr addr_of(uint32_t number)
{
    return weir_addr_v4((uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8),
                        (uint8_t)number);
}

/* May a packet come from there, and by which route does the answer go? */
static const struct route *route_of(struct world *w, uint32_t number, bool *is_foreign)
{
    struct weir_addr a = addr_of(number);

    *is_foreign = !addr_is_any(&a) && !addr_is_multicast(&a) && !addr_is_loopback(&a)
                  && number >> 28 != 15 && addrs_classify(&w->ip, w->eth, &a) == ADDRS_FOREIGN
                  && addrs_classify(&w->ip, w->tun, &a) == ADDRS_FOREIGN;
    return route_find(&w->ip, &a, NULL);
}

static void compare(struct world *w, uint32_t number, uint64_t *seed)
{
    struct weir_addr a = addr_of(number);
    struct foreign f;
    bool is_foreign, other_is;
    const struct route *route = route_of(w, number, &is_foreign);
    uint32_t width;

    EXPECT_EQ(foreign_find(&w->ip, &a, &f), is_foreign);
    if (!is_foreign)
        return;
    EXPECT(foreign_has(&f, number));
    width = f.last - f.first;
    for (int i = 0; i < 8; i++) {
        uint32_t other = i == 0   ? f.first
                         : i == 1 ? f.last
                                  : f.first + (uint32_t)(test_random(seed) % (width + UINT64_C(1)));
        EXPECT(route_of(w, other, &other_is) == route);
        EXPECT(other_is);
    }
    EXPECT(!foreign_has(&f, f.last + 1) && !foreign_has(&f, f.first - 1));
}

/* Near one another, so that prefixes nest. */
static uint32_t random_number(uint64_t *seed)
{
    uint32_t number = (uint32_t)test_random(seed);

    if (test_random_below(seed, 4) != 0)
        number = UINT32_C(0xc0000200) + (number >> test_random_below(seed, 32) & 0x3ff);
    return number;
}

TEST(foreign_addresses_are_those_between_ours_and_their_routes)
{
    uint64_t seed = test_seed();

    for (int round = 0; round < 20; round++) {
        struct world *w = world_of_two();
        for (int i = 0; i < round; i++) {
            struct weir_prefix p = {addr_of(random_number(&seed)),
                                    (uint8_t)(96 + test_random_below(&seed, 33))};
            struct weir_addr gateway = weir_addr_v4(10, 0, 0, 2);
            EXPECT_EQ(route_add(&w->ip, &p, &gateway, w->tun->id), 0);
        }
        for (int i = 0; i < 300; i++)
            compare(w, random_number(&seed), &seed);
        compare(w, 0, &seed);
        compare(w, UINT32_MAX, &seed);
        world_free(&w);
    }
}
