/*
 * world_tcp.c - whole stacks in memory: what tests do with them
 */
#include "lib/test.h"
#include "lib/world.h"
#include "stack/stack.h"
#include "wire/ip.h"
#include "wire/tcp.h"
#include <string.h>

enum {
    CHUNK = 65536,
};

struct weir *world_stack(struct world *w, size_t i)
{
    return w->stacks[i].stack;
}

struct weir_addr world_addr_of(size_t i, bool is_v6)
{
    struct weir_addr v6 = {{0x20, 0x01, 0x0d, 0xb8, [15] = (uint8_t)(i + 1)}};

    return is_v6 ? v6 : weir_addr_v4(198, 18, 0, (uint8_t)(i + 1));
}

struct weir_addr world_addr(const struct world *w, size_t i)
{
    return world_addr_of(i, w->setup.is_v6);
}

struct weir_endpoint world_endpoint(const struct world *w, size_t i, uint16_t port)
{
    return (struct weir_endpoint){.addr = world_addr(w, i), .port = port};
}

weir_listener_t world_listen(struct world *w, size_t i, uint16_t port, uint32_t backlog)
{
    struct weir_endpoint local = {.port = port};
    weir_listener_t listener = 0;

    EXPECT_EQ(weir_listen(world_stack(w, i), &local, backlog, &listener), WEIR_OK);
    EXPECT(listener != 0);
    return listener;
}

struct world_pair world_connect_to(struct world *w, weir_listener_t listener)
{
    struct world_pair p = {.listener = listener};
    struct weir_endpoint local, remote;

    EXPECT_EQ(weir_local(world_stack(w, 1), listener, &local), WEIR_OK);
    remote = world_endpoint(w, 1, local.port);
    EXPECT_EQ(weir_connect(world_stack(w, 0), NULL, &remote, &p.a), WEIR_OK);
    world_run(w, 4 * w->conditions.delay_ns + 1 * WEIR_MS);
    EXPECT_EQ(weir_accept(world_stack(w, 1), listener, &p.b), WEIR_OK);
    EXPECT_EQ(world_state(w, 0, p.a), WEIR_TCP_ESTABLISHED);
    EXPECT_EQ(world_state(w, 1, p.b), WEIR_TCP_ESTABLISHED);
    EXPECT_EQ(weir_local(world_stack(w, 0), p.a, &p.a_at), WEIR_OK);
    EXPECT_EQ(weir_local(world_stack(w, 1), p.b, &p.b_at), WEIR_OK);
    return p;
}

struct world_pair world_connect(struct world *w)
{
    return world_connect_to(w, world_listen(w, 1, WORLD_PORT, 8));
}

enum weir_tcp_state world_state(struct world *w, size_t i, weir_conn_t conn)
{
    struct weir_tcp_info info;

    EXPECT_EQ(weir_tcp_info(world_stack(w, i), conn, &info), WEIR_OK);
    return info.state;
}

uint8_t world_byte(size_t from, uint64_t offset)
{
    return (uint8_t)(offset * 31 % 251 + from);
}

size_t world_offers(struct world *w, size_t i, weir_conn_t conn, size_t len)
{
    static uint8_t bytes[CHUNK];
    size_t done = 0;

    while (done < len) {
        size_t n = len - done < sizeof bytes ? len - done : sizeof bytes;
        ptrdiff_t taken;
        for (size_t k = 0; k < n; k++)
            bytes[k] = world_byte(i, w->stacks[i].sent + k);
        taken = weir_send(world_stack(w, i), conn, bytes, n, 0);
        if (taken <= 0)
            break;
        EXPECT((size_t)taken <= n);
        w->stacks[i].sent += (uint64_t)taken;
        done += (size_t)taken;
    }
    return done;
}

void world_sends(struct world *w, size_t i, weir_conn_t conn, size_t len)
{
    EXPECT_EQ(world_offers(w, i, conn, len), len);
}

ptrdiff_t world_reads(struct world *w, size_t i, weir_conn_t conn)
{
    static uint8_t bytes[CHUNK];
    ptrdiff_t n;

    while ((n = weir_recv(world_stack(w, i), conn, bytes, sizeof bytes)) > 0) {
        for (ptrdiff_t k = 0; k < n; k++) {
            uint8_t wanted = world_byte(1 - i, w->stacks[i].read + (uint64_t)k);
            if (bytes[k] != wanted)
                FAIL("byte %llu is %u, not %u", (unsigned long long)w->stacks[i].read + (unsigned)k,
                     bytes[k], wanted);
        }
        w->stacks[i].read += (uint64_t)n;
    }
    EXPECT(w->stacks[i].read <= w->stacks[1 - i].sent);
    return n;
}

void world_drops(struct world *w, struct world_drop drop)
{
    for (size_t i = 0; i < WORLD_DROPS; i++) {
        if (w->drops[i].count != 0)
            continue;
        w->drops[i] = drop;
        return;
    }
    FAIL("too many rules");
}

static bool is_match(const struct world_seen *s, size_t from, uint16_t mask, uint16_t flags)
{
    return s->from == from && s->view.protocol == IP_PROTOCOL_TCP
           && (s->view.flags & mask) == flags;
}

size_t world_count(const struct world *w, size_t from, uint16_t mask, uint16_t flags)
{
    size_t count = 0;

    for (size_t i = 0; i < w->log_count; i++)
        count += is_match(&w->log[i], from, mask, flags);
    return count;
}

const struct world_seen *world_nth(const struct world *w, size_t from, uint16_t mask,
                                   uint16_t flags, size_t n)
{
    for (size_t i = 0; i < w->log_count; i++)
        if (is_match(&w->log[i], from, mask, flags) && n-- == 0)
            return &w->log[i];
    FAIL("there is no such segment");
}

const struct world_seen *world_last(const struct world *w, size_t from)
{
    for (size_t i = w->log_count; i > 0; i--)
        if (w->log[i - 1].from == from)
            return &w->log[i - 1];
    FAIL("nothing was sent");
}

void world_forgets(struct world *w)
{
    w->log_count = 0;
}

struct weir_stats world_stats(struct world *w, size_t i)
{
    struct weir_stats stats;

    weir_stats(world_stack(w, i), &stats);
    return stats;
}

uint64_t world_dropped(struct world *w, size_t i, const char *why)
{
    for (size_t n = 0; n < weir_why_count(); n++)
        if (strcmp(weir_why_name(n), why) == 0)
            return weir_dropped(world_stack(w, i), n);
    FAIL("no reason is called %s", why);
}

void world_expects_nothing_left(struct world *w, size_t i)
{
    struct weir_stats stats = world_stats(w, i);
    uint32_t at = 0;

    for (const struct conn *c; (c = pool_next(&world_stack(w, i)->conns, &at)) != NULL;)
        FAIL("a connection of stack %zu is left in %s", i,
             weir_tcp_state_name((enum weir_tcp_state)c->tcp.state));
    EXPECT_EQ(stats.connections, 0);
    EXPECT_EQ(stats.half_open, 0);
}
