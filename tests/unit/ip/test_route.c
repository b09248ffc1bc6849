/*
 * test_route.c - the longest prefix wins, whatever else there is
 */
#include "unit/ip/world.h"

#include "base/addr.h"
#include <stdlib.h>
#include <string.h>
#include <weir/err.h>

enum { MODEL_ROUTES = 400 };

/* A list that is searched from end to end. */
struct model {
    struct weir_prefix prefixes[MODEL_ROUTES];
    struct weir_addr gateways[MODEL_ROUTES];
    size_t count;
};

static const struct weir_addr *model_find(const struct model *m, const struct weir_addr *dst)
{
    const struct weir_addr *best = NULL;
    uint8_t best_len = 0;

    for (size_t i = 0; i < m->count; i++)
        if (prefix_has(&m->prefixes[i], dst) && (best == NULL || m->prefixes[i].len >= best_len)) {
            best = &m->gateways[i];
            best_len = m->prefixes[i].len;
        }
    return best;
}

/* Few different bits, so that prefixes nest and destinations hit. */
static struct weir_addr random_addr(uint64_t *seed, bool is_v4)
{
    struct weir_addr a = is_v4 ? weir_addr_v4(0, 0, 0, 0) : (struct weir_addr){{0x20, 0x01}};

    for (int i = is_v4 ? 12 : 2; i < 16; i++)
        a.b[i] = (uint8_t)(test_random_below(seed, 3) << test_random_below(seed, 8));
    if (is_v4)
        a.b[12] = (uint8_t)(1 + a.b[12] % 100);
    return a;
}

static void add_random(struct world *w, struct model *m, uint64_t *seed)
{
    bool is_v4 = test_random_below(seed, 2) == 0;
    struct weir_prefix p = {.addr = random_addr(seed, is_v4)};
    struct weir_addr gateway = random_addr(seed, is_v4);
    size_t i = 0;

    p.len = (uint8_t)(is_v4 ? 96 + test_random_below(seed, 33) : test_random_below(seed, 129));
    EXPECT_EQ(route_add(&w->ip, &p, &gateway, w->tun->id), WEIR_OK);
    p.addr = addr_mask(p.addr, p.len);
    while (i < m->count
           && (m->prefixes[i].len != p.len || !weir_addr_eq(&m->prefixes[i].addr, &p.addr)))
        i++;
    m->prefixes[i] = p;
    m->gateways[i] = gateway;
    if (i == m->count)
        m->count++;
}

static void remove_random(struct world *w, struct model *m, uint64_t *seed)
{
    size_t i = test_random_below(seed, (uint32_t)m->count);

    EXPECT_EQ(route_remove(&w->ip, &m->prefixes[i]), WEIR_OK);
    m->count--;
    m->prefixes[i] = m->prefixes[m->count];
    m->gateways[i] = m->gateways[m->count];
}

static void compare(struct world *w, const struct model *m, uint64_t *seed)
{
    struct weir_addr dst = random_addr(seed, test_random_below(seed, 2) == 0);
    const struct weir_addr *expected = model_find(m, &dst);
    const struct route *found = route_find(&w->ip, &dst, NULL);

    EXPECT((found != NULL) == (expected != NULL));
    if (found != NULL)
        EXPECT(weir_addr_eq(&found->gateway, expected));
}

TEST(longest_prefix_as_a_naive_search_finds_it)
{
    struct world *w = world_new();
    struct model *m = calloc(1, sizeof *m);
    uint64_t seed = test_seed();

    w->tun = world_add_tun(w);
    for (int round = 0; round < 2000; round++) {
        if (m->count < MODEL_ROUTES && test_random_below(&seed, 3) != 0)
            add_random(w, m, &seed);
        else if (m->count > 0)
            remove_random(w, m, &seed);
        for (int i = 0; i < 5; i++)
            compare(w, m, &seed);
    }
    EXPECT_EQ(w->ip.routes.pool.used, m->count);
    free(m);
    world_free(&w);
}

TEST(route_of_one_family_is_none_for_the_other)
{
    struct world *w = world_new();
    struct weir_addr v4 = addr("198.51.100.1"), v6 = addr("2001:db8::1");

    w->tun = world_add_tun(w);
    add_route(w, "::/0", NULL, w->tun);
    EXPECT(route_find(&w->ip, &v4, NULL) == NULL);
    EXPECT(route_find(&w->ip, &v6, NULL) != NULL);
    add_route(w, "0.0.0.0/0", NULL, w->tun);
    EXPECT(route_find(&w->ip, &v4, NULL) != NULL);
    world_free(&w);
}

TEST(route_added_again_is_replaced)
{
    struct world *w = world_of_two();
    struct weir_addr dst = addr("198.51.100.1");
    uint32_t epoch = w->ip.epoch;

    add_route(w, "198.51.100.0/24", "192.0.2.2", w->eth);
    EXPECT(w->ip.epoch != epoch);
    epoch = w->ip.epoch;
    add_route(w, "198.51.100.0/24", "10.0.0.2", w->tun);
    EXPECT(w->ip.epoch != epoch);
    EXPECT(route_find(&w->ip, &dst, NULL)->netif == w->tun);
    EXPECT(route_find(&w->ip, &dst, w->eth) == NULL);
    world_free(&w);
}

TEST(route_arguments_are_checked)
{
    struct world *w = world_of_two();
    struct weir_prefix p = prefix("198.51.100.0/24");
    struct weir_addr bad[] = {addr("0.0.0.0"), addr("224.0.0.1"), addr("255.255.255.255"),
                              addr("2001:db8::1")};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        EXPECT_EQ(route_add(&w->ip, &p, &bad[i], w->eth->id), WEIR_EINVAL);
    EXPECT_EQ(route_add(&w->ip, &p, NULL, 77), WEIR_EINVAL);
    EXPECT_EQ(route_add(&w->ip, &p, NULL, 0), WEIR_EINVAL);
    EXPECT_EQ(route_remove(&w->ip, &p), WEIR_EINVAL);
    p.len = 129;
    EXPECT_EQ(route_add(&w->ip, &p, NULL, w->eth->id), WEIR_EINVAL);
    p.len = 50;
    EXPECT_EQ(route_add(&w->ip, &p, NULL, w->eth->id), WEIR_EINVAL);
    /* A connected route is not the caller's to remove. */
    p = prefix("192.0.2.0/24");
    EXPECT_EQ(route_remove(&w->ip, &p), WEIR_EINVAL);
    world_free(&w);
}

TEST(router_that_does_not_answer_is_avoided) /* [RFC4861 6.3.6] */
{
    struct world *w = world_of_two();
    struct weir_addr routers[] = {addr("fe80::2"), addr("fe80::3")};
    struct weir_addr dst = addr("2001:db8:1::1"), used;
    struct neigh_news news = {.may_create = true};
    struct eth_addr some = mac(2);

    news.mac = &some;
    for (size_t i = 0; i < 2; i++) {
        struct route_spec spec = {.prefix = {{{0}}, 0},
                                  .gateway = &routers[i],
                                  .origin = ROUTE_ROUTER,
                                  .netif = w->eth,
                                  .until = NEVER};

        EXPECT_EQ(route_learn(&w->ip, &spec), WEIR_OK);
        neigh_hear(&w->ip, w->eth, &routers[i], &news);
    }
    used = route_find(&w->ip, &dst, NULL)->gateway;
    neigh_find(&w->ip, w->eth, &used)->state = NEIGH_FAILED;
    EXPECT(!weir_addr_eq(&route_find(&w->ip, &dst, NULL)->gateway, &used));
    world_free(&w);
}

TEST(routes_from_others_are_capped_and_expire)
{
    struct world *w = world_of_two();
    int learnt = 0;

    for (unsigned i = 0; i < 200; i++) {
        struct route_spec spec = {.prefix = prefix("2001:db8::/64"),
                                  .origin = ROUTE_ROUTER,
                                  .netif = w->eth,
                                  .until = w->ip.now + 100 * NS_S};

        spec.prefix.addr.b[7] = (uint8_t)i;
        learnt += route_learn(&w->ip, &spec) == WEIR_OK;
    }
    EXPECT_EQ(learnt, ROUTE_ADVERTISED_MAX);
    world_wait(w, 100 * NS_S);
    EXPECT_EQ(w->ip.routes.advertised, 0);
    world_free(&w);
}
