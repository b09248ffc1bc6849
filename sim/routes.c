/*
 * routes.c - which way packets take: the fewest links, unless somebody chose
 */
#include "sim/world.h"

#include <stdlib.h>
#include <string.h>

static uint32_t other_end(const struct world_link *l, uint32_t node)
{
    return l->ends[l->ends[0] == node];
}

/*
 * Breadth first from the destination: each node that is reached learns the port towards whoever
 * reached it. Of equal ways the one over the first link wins.
 */
static void find_ways_to(struct weir_sim *s, uint32_t to, uint32_t *queue)
{
    size_t head = 0, tail = 0;

    for (size_t i = 0; i < s->node_count; i++)
        s->nodes[i]->way_to[to] = NO_PORT;
    queue[tail++] = to;
    while (head < tail) {
        uint32_t node = queue[head++];
        const struct world_node *n = s->nodes[node];
        /* Hosts do not forward. */
        if (!n->is_router && node != to)
            continue;
        for (uint32_t i = 0; i < n->port_count; i++) {
            uint32_t link = n->ports[i].link;
            uint32_t next = other_end(&s->links[link], node);
            struct world_node *m = s->nodes[next];
            if (next == to || m->way_to[to] != NO_PORT)
                continue;
            for (uint8_t port = 0; port < m->port_count; port++)
                if (m->ports[port].link == link)
                    m->way_to[to] = port;
            queue[tail++] = next;
        }
    }
}

static bool make_room(struct weir_sim *s)
{
    for (size_t i = 0; i < s->node_count; i++) {
        struct world_node *n = s->nodes[i];
        uint8_t *more;
        if (n->way_room >= s->node_count)
            continue;
        more = realloc(n->way_to, s->node_count);
        if (more == NULL)
            return false;
        n->way_to = more;
        n->way_room = s->node_count;
    }
    return true;
}

static void choose(struct weir_sim *s)
{
    for (size_t i = 0; i < s->node_count; i++) {
        struct world_node *n = s->nodes[i];
        for (size_t c = 0; c < n->choice_count; c++)
            n->way_to[n->choices[c].to] = n->choices[c].port;
    }
}

static void tell_route(struct weir_sim *s, struct world_node *n, uint32_t to, bool is_v6)
{
    struct weir_prefix prefix = {weir_sim_addr(s, to + 1, is_v6), 128};

    (void)weir_route_add(n->stack, &prefix, NULL, n->ports[n->way_to[to]].netif);
}

/* With one link everything is behind it; else each host has a route of its own. */
void routes_tell(struct weir_sim *s, uint32_t node)
{
    struct world_node *n = s->nodes[node];
    struct weir_prefix all4 = {{{0}}, 96}, all6 = {{{0}}, 0};

    if (n->stack == NULL || n->port_count == 0 || n->way_room < s->node_count)
        return;
    all4.addr.b[10] = all4.addr.b[11] = 0xff;
    if (n->port_count == 1) {
        (void)weir_route_add(n->stack, &all4, NULL, n->ports[0].netif);
        (void)weir_route_add(n->stack, &all6, NULL, n->ports[0].netif);
        return;
    }
    for (uint32_t to = 0; to < s->node_count; to++) {
        if (to == node || n->way_to[to] == NO_PORT)
            continue;
        tell_route(s, n, to, false);
        tell_route(s, n, to, true);
    }
}

bool routes_update(struct weir_sim *s)
{
    uint32_t *queue;

    if (!s->routes_are_stale)
        return true;
    queue = malloc((s->node_count + 1) * sizeof *queue);
    if (queue == NULL || !make_room(s)) {
        free(queue);
        return false;
    }
    for (uint32_t to = 0; to < s->node_count; to++)
        find_ways_to(s, to, queue);
    free(queue);
    choose(s);
    for (uint32_t i = 0; i < s->node_count; i++)
        routes_tell(s, i);
    s->routes_are_stale = false;
    return true;
}

uint8_t routes_port(const struct weir_sim *s, uint32_t node, uint32_t to)
{
    const struct world_node *n = s->nodes[node];

    return to < n->way_room ? n->way_to[to] : NO_PORT;
}

int weir_sim_route(struct weir_sim *s, weir_sim_node_t node, weir_sim_node_t to,
                   weir_sim_link_t link)
{
    struct world_node *n;
    struct world_choice *more;
    uint8_t port = 0;

    if (node == 0 || node > s->node_count || to == 0 || to > s->node_count || node == to)
        return WEIR_EINVAL;
    n = s->nodes[node - 1];
    while (port < n->port_count && n->ports[port].link + 1 != link)
        port++;
    if (port == n->port_count)
        return WEIR_EINVAL;
    more = realloc(n->choices, (n->choice_count + 1) * sizeof *more);
    if (more == NULL)
        return WEIR_ENOMEM;
    n->choices = more;
    more[n->choice_count++] = (struct world_choice){to - 1, port};
    s->routes_are_stale = true;
    return 0;
}

/* Follows the way; calls note for each direction on it. False: it does not lead there. */
static bool follow(struct weir_sim *s, uint32_t from, uint32_t to,
                   void (*note)(void *ctx, const struct world_port *, uint32_t node), void *ctx)
{
    if (from >= s->node_count || to >= s->node_count || !routes_update(s))
        return false;
    for (size_t steps = 0; from != to; steps++) {
        uint8_t port = routes_port(s, from, to);
        if (port == NO_PORT || steps == s->node_count)
            return false;
        if (note != NULL)
            note(ctx, &s->nodes[from]->ports[port], from);
        from = other_end(&s->links[s->nodes[from]->ports[port].link], from);
    }
    return true;
}

bool weir_sim_has_way(struct weir_sim *s, weir_sim_node_t from, weir_sim_node_t to)
{
    return follow(s, from - 1, to - 1, NULL, NULL);
}

struct narrowest {
    struct weir_sim *sim;
    uint64_t rate;
    weir_sim_link_t link;
    weir_sim_node_t sender;
};

static void note_rate(void *ctx, const struct world_port *port, uint32_t node)
{
    struct narrowest *n = ctx;
    uint64_t rate = weir_sim_link_config(n->sim->links[port->link].ways[port->way])->rate_bits_s;

    if (rate == 0 || (n->rate != 0 && rate >= n->rate))
        return;
    n->rate = rate;
    n->link = port->link + 1;
    n->sender = node + 1;
}

weir_sim_link_t weir_sim_bottleneck(struct weir_sim *s, weir_sim_node_t from, weir_sim_node_t to,
                                    weir_sim_node_t *sender)
{
    struct narrowest n = {.sim = s};

    if (!follow(s, from - 1, to - 1, note_rate, &n))
        return 0;
    *sender = n.sender;
    return n.link;
}
