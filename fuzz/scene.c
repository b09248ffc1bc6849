/*
 * scene.c - a stack, and what stands around it: what fuzz targets of whole stacks share
 */
#include "fuzz/scene.h"

#include "base/pool.h"
#include "fuzz/expect.h"
#include "stack/stack.h"
#include "wire/eth.h"
#include "wire/ip4.h"
#include "wire/ip6.h"

enum { ADVANCES_MAX = 100 };

/* ---- addresses and headers ---- */

struct weir_addr scene_addr(const struct scene *s, uint8_t last)
{
    struct weir_addr v6 = {{0x20, 0x01, 0x0d, 0xb8, [15] = last}};

    return s->is_v6 ? v6 : weir_addr_v4(198, 18, 0, last);
}

struct weir_endpoint scene_endpoint(const struct scene *s, uint8_t last, uint16_t port)
{
    return (struct weir_endpoint){.addr = scene_addr(s, last), .port = port};
}

size_t scene_link_len(const struct scene *s)
{
    return s->is_ethernet ? ETH_HEADER_LEN : 0;
}

static size_t put_link(const struct scene *s, uint8_t *at)
{
    struct eth_header h = {
        .dst = {{2, 0, 0, 0, 0, 1}},
        .src = {{2, 0, 0, 0, 0, 2}},
        .type = s->is_v6 ? ETH_TYPE_IP6 : ETH_TYPE_IP4,
    };

    return s->is_ethernet ? eth_emit(&h, at, ETH_HEADER_LEN) : 0;
}

static size_t put_ip(const struct scene *s, const struct scene_ip *ip, size_t len, uint8_t *at)
{
    struct ip4_header h4 = {.src = ip->from,
                            .dst = scene_addr(s, 1),
                            .payload_len = len,
                            .ttl = ip->ttl,
                            .tos = ip->tos,
                            .protocol = ip->protocol};
    struct ip6_header h6 = {.src = ip->from,
                            .dst = scene_addr(s, 1),
                            .payload_len = len,
                            .ttl = ip->ttl,
                            .tos = ip->tos,
                            .protocol = ip->protocol,
                            .next_header = ip->protocol};

    return s->is_v6 ? ip6_emit(&h6, at, IP6_HEADER_LEN) : ip4_emit(&h4, at, IP4_HEADER_LEN);
}

size_t scene_put_headers(const struct scene *s, const struct scene_ip *ip, size_t len, uint8_t *at)
{
    size_t link_len = put_link(s, at);

    return link_len + put_ip(s, ip, len, at + link_len);
}

/* ---- steps that need no more than the input ---- */

/* Who comes back when he is told to is not told to come back at once for ever. */
static void advance(struct scene *s)
{
    int calls = 0;

    do {
        weir_advance(s->stack, s->now);
        expect(++calls < ADVANCES_MAX);
    } while (weir_deadline(s->stack) <= s->now && s->memory.fail_in == 0);
}

uint8_t scene_step_time(struct scene *s, struct input *in)
{
    uint8_t how = take(in);
    weir_ns_t deadline = weir_deadline(s->stack);

    expect(deadline >= s->now);
    if (how < 128 && deadline != WEIR_NEVER)
        s->now = deadline;
    else if (how == 255 && s->now < INT64_MAX / 4)
        s->now *= 2;
    else if (s->now < INT64_MAX / 2)
        s->now += INT64_C(1000) << how % 32;
    advance(s);
    return how;
}

void scene_step_events(struct scene *s)
{
    struct weir_event e;

    for (int i = 0; i < 100 && weir_event(s->stack, &e); i++)
        expect(e.handle != 0 && e.bits != 0);
}

void scene_step_option(struct scene *s, struct input *in, weir_handle_t h)
{
    static const int64_t values[] = {0,      1,       2,      64,        536, 5000,
                                     100000, WEIR_MS, WEIR_S, INT64_MAX, -1};
    enum weir_opt opt = (enum weir_opt)(take(in) % (WEIR_OPT_COUNT + 1));
    int64_t value;

    (void)weir_set(s->stack, h, opt, values[take(in) % (sizeof values / sizeof values[0])]);
    (void)weir_get(s->stack, h, opt, &value);
}

/* ---- the driver ---- */

struct weir_frame **scene_output(struct scene *s, size_t max, size_t *count)
{
    struct weir_frame **at = s->kept + s->kept_count;
    size_t room = SCENE_KEPT - s->kept_count;

    *count = weir_output(s->stack, s->netif, at, max < room ? max : room);
    expect(*count <= max && *count <= room);
    s->kept_count += *count;
    return at;
}

void scene_give_back(struct scene *s, size_t at)
{
    weir_output_done(s->stack, &s->kept[at], 1);
    s->kept[at] = s->kept[--s->kept_count];
}

void scene_give_all_back(struct scene *s)
{
    weir_output_done(s->stack, s->kept, s->kept_count);
    s->kept_count = 0;
}

/* ---- in the beginning, after each step, and at the end ---- */

struct weir_prefix scene_prefix(const struct scene *s)
{
    return (struct weir_prefix){scene_addr(s, 1), s->is_v6 ? 64 : 120};
}

static void output_nothing(struct scene *s)
{
    size_t count;

    do {
        (void)scene_output(s, SCENE_KEPT, &count);
        scene_give_all_back(s);
    } while (count > 0);
}

void scene_settle(struct scene *s)
{
    for (int i = 0; i < 5; i++) { /* duplicate address detection */
        s->now += WEIR_S;
        weir_advance(s->stack, s->now);
        output_nothing(s);
    }
}

void scene_check(const struct scene *s)
{
    uint32_t i = 0;

    for (struct conn *c; (c = pool_next(&s->stack->conns, &i)) != NULL;)
        tcp_conn_check(&c->tcp);
    expect(weir_deadline(s->stack) >= s->now);
}

void scene_end(struct scene *s)
{
    scene_give_all_back(s);
    weir_destroy(&s->stack);
    expect(s->memory.blocks == 0 && s->frames == 0);
}
