/*
 * world.c - nodes, links and the clock of a simulation
 *
 * Everything that happens is an event: a deadline of a stack, something on a link, a call that
 * was asked for. After each event the hosts it concerned have their turn: time, frames, events for
 * the application, and frames out, until there is nothing left to do at this instant.
 */
#include "sim/world.h"

#include "sim/device.h"
#include <stdlib.h>
#include <string.h>
#include <weir/err.h>

enum {
    DIGEST_LEN = 80,    /* of a frame: its headers, and with them the checksum of the rest */
    TURNS_MAX = 100000, /* of one node at one instant */
    BATCHES_MAX = 4000, /* of frames, in one such turn */
};

/* ---- frames out ---- */

static void digest_word(struct weir_sim *s, uint64_t word)
{
    s->stats.digest = (s->stats.digest ^ word) * UINT64_C(0x9fb21c651e98df25);
    s->stats.digest ^= s->stats.digest >> 32;
}

/* The words of the frame are read in one byte order, whatever the machine's is. */
static void digest_frame(struct weir_sim *s, const struct packet *p)
{
    size_t len = p->frame.len < DIGEST_LEN ? p->frame.len : DIGEST_LEN;

    digest_word(s, (uint64_t)s->now);
    digest_word(s, p->frame.len);
    for (size_t i = 0; i + 8 <= len; i += 8)
        digest_word(s, (uint64_t)view_get32(p->frame.bytes + i) << 32
                           | view_get32(p->frame.bytes + i + 4));
}

static void update_direction(struct weir_sim *s, uint32_t link, enum box_way way)
{
    agenda_set(&s->agenda, s->link_sources[link * 2 + way],
               weir_sim_link_deadline(s->links[link].ways[way]));
}

static void give_to_link(struct weir_sim *s, const struct world_port *port,
                         struct packet_list *list)
{
    struct packet *p;

    while ((p = packet_list_take(list)) != NULL)
        link_send(s->links[port->link].ways[port->way], p, s->now);
}

/* The boxes from number i on, in the order in which the packet meets them. */
static void through_boxes(struct weir_sim *s, const struct world_port *port, uint32_t i,
                          struct packet_list *list)
{
    struct world_link *l = &s->links[port->link];

    for (; i < l->box_count; i++) {
        uint32_t index = port->way == BOX_THERE ? i : l->box_count - 1 - i;
        struct packet_list out = {0};
        struct packet *p;
        while ((p = packet_list_take(list)) != NULL)
            box_pass(l->boxes[index], port->way, p, s->now, &out);
        *list = out;
    }
    give_to_link(s, port, list);
}

void sim_send(struct weir_sim *s, uint32_t node, uint8_t port, struct packet *p)
{
    struct packet_list list = {0};

    packet_list_add(&list, p);
    through_boxes(s, &s->nodes[node]->ports[port], 0, &list);
}

void sim_flush(struct weir_sim *s, uint32_t node, uint8_t port)
{
    const struct world_port *p = &s->nodes[node]->ports[port];
    struct world_link *l = &s->links[p->link];

    for (uint32_t i = 0; i < l->box_count; i++) {
        struct packet_list list = {0};
        box_flush(l->boxes[p->way == BOX_THERE ? i : l->box_count - 1 - i], p->way, &list);
        if (list.head != NULL)
            through_boxes(s, p, i + 1, &list);
    }
    update_direction(s, p->link, p->way);
}

static void tell_frame(struct weir_sim *s, uint32_t node, bool is_out, const struct packet *p)
{
    if (s->hooks.frame != NULL)
        s->hooks.frame(s->hooks.ctx, node + 1, is_out, p->is_copy, &p->frame);
}

/* A host's frame becomes packets, which are counted and sent. */
static void send_frame(struct weir_sim *s, uint32_t node, uint8_t port,
                       const struct weir_frame *frame)
{
    struct packet_list list = {0};
    struct packet *p;

    (void)device_send(frame, WEIR_LINK_IP, s->store, &list);
    while ((p = packet_list_take(&list)) != NULL) {
        s->stats.frames++;
        s->stats.bytes += p->frame.len;
        p->frame.sent_at = p->frame.at = s->now;
        digest_frame(s, p);
        tell_frame(s, node, true, p);
        sim_send(s, node, port, p);
    }
}

/* All that leaves by one port. A stack that sends for ever is broken off. */
static bool take_output_of(struct weir_sim *s, uint32_t node, uint8_t port)
{
    struct world_node *n = s->nodes[node];
    struct weir_frame *frames[WORLD_BATCH];
    uint32_t batches = 0;
    size_t count;

    while ((count = weir_output(n->stack, n->ports[port].netif, frames, WORLD_BATCH)) > 0) {
        for (size_t i = 0; i < count; i++)
            send_frame(s, node, port, frames[i]);
        weir_output_done(n->stack, frames, count);
        if (++batches > BATCHES_MAX) {
            s->stats.spins++;
            break;
        }
    }
    if (batches > 0)
        sim_flush(s, node, port);
    return batches > 0;
}

static bool take_output(struct weir_sim *s, uint32_t node)
{
    bool any = false;

    for (uint8_t port = 0; port < s->nodes[node]->port_count; port++)
        any = take_output_of(s, node, port) || any;
    return any;
}

/* ---- turns ---- */

static bool take_events(struct weir_sim *s, uint32_t node)
{
    struct world_node *n = s->nodes[node];
    struct weir_event event;
    bool any = false;

    /* A hook may stop the node. */
    while (n->stack != NULL && weir_event(n->stack, &event)) {
        if (s->hooks.event != NULL)
            s->hooks.event(s->hooks.ctx, node + 1, &event);
        any = true;
    }
    return any;
}

static void touch(struct weir_sim *s, uint32_t node)
{
    if (s->nodes[node]->is_touched)
        return;
    s->nodes[node]->is_touched = true;
    s->touched[s->touched_count++] = node;
}

/* Both, whatever the first has found; an event may have ended the stack. */
static bool take_all(struct weir_sim *s, uint32_t node)
{
    bool had_events = take_events(s, node);
    bool had_output = s->nodes[node]->stack != NULL && take_output(s, node);

    return had_events || had_output;
}

static void turn(struct weir_sim *s, uint32_t node)
{
    struct world_node *n = s->nodes[node];
    uint64_t spins = s->stats.spins;
    int turns = 0;

    while (n->stack != NULL && take_all(s, node) && s->stats.spins == spins)
        if (++turns > TURNS_MAX) {
            s->stats.spins++;
            break;
        }
    agenda_set(&s->agenda, n->source, n->stack != NULL ? weir_deadline(n->stack) : WEIR_NEVER);
    if (s->hooks.turn != NULL && n->stack != NULL)
        s->hooks.turn(s->hooks.ctx, node + 1);
    n->is_touched = false;
}

/* Hooks may touch other nodes; one that has had its turn may so get another. */
static void take_turns(struct weir_sim *s)
{
    while (s->touched_count > 0)
        turn(s, s->touched[--s->touched_count]);
}

/* ---- frames in ---- */

/* A device with offloads has verified the checksum of what the network did not damage. */
static struct weir_frame frame_of(struct packet *p, const struct world_node *n)
{
    bool is_verified = (n->offloads & WEIR_OFFLOAD_CSUM) != 0 && !p->is_copy;

    return (struct weir_frame){
        .slices = {{p->frame.bytes, p->frame.len}},
        .len = p->frame.len,
        .slice_count = 1,
        .flags = is_verified ? WEIR_FRAME_CSUM_VALID : 0,
        .memory = p->room,
        .release = n->lends_frames ? NULL : weir_sim_frame_release,
        .owner = p,
    };
}

static void hand_in(struct weir_sim *s, uint32_t node, weir_netif_t netif, struct packet **packets,
                    size_t count)
{
    struct world_node *n = s->nodes[node];
    struct weir_frame frames[WORLD_BATCH];

    for (size_t i = 0; i < count; i++) {
        frames[i] = frame_of(packets[i], n);
        tell_frame(s, node, false, packets[i]);
    }
    s->stats.delivered += count;
    weir_advance(n->stack, s->now);
    weir_input(n->stack, netif, frames, count);
    for (size_t i = 0; n->lends_frames && i < count; i++)
        packet_put(packets[i]);
    touch(s, node);
}

static weir_netif_t netif_of(const struct world_node *n, uint32_t link)
{
    for (uint32_t i = 0; i < n->port_count; i++)
        if (n->ports[i].link == link)
            return n->ports[i].netif;
    return 0;
}

static void forward_all(struct weir_sim *s, uint32_t node, struct packet **packets, size_t count)
{
    for (size_t i = 0; i < count; i++)
        router_forward(s, node, packets[i]);
    for (uint8_t port = 0; port < s->nodes[node]->port_count; port++)
        sim_flush(s, node, port);
}

static void deliver(struct weir_sim *s, uint32_t link, enum box_way way)
{
    struct world_link *l = &s->links[link];
    uint32_t node = l->ends[way == BOX_THERE];
    struct world_node *n = s->nodes[node];
    struct packet *packets[WORLD_BATCH];
    size_t count = 0;

    while (count < WORLD_BATCH && (packets[count] = link_receive(l->ways[way], s->now)) != NULL)
        count++;
    update_direction(s, link, way);
    if (count == 0)
        return;
    if (n->is_router)
        forward_all(s, node, packets, count);
    else if (n->stack != NULL)
        hand_in(s, node, netif_of(n, link), packets, count);
    else
        for (size_t i = 0; i < count; i++)
            packet_put(packets[i]);
}

/* ---- the clock ---- */

static void call_due(struct weir_sim *s)
{
    while (agenda_first_call(&s->agenda) <= s->now) {
        struct agenda_call c = agenda_take_call(&s->agenda);
        c.call(c.ctx, c.argument);
    }
}

static void handle(struct weir_sim *s, uint32_t source)
{
    uint32_t what = s->source_of[source];

    if (what & SOURCE_NODE) {
        struct world_node *n = s->nodes[what & ~SOURCE_NODE];
        if (n->stack != NULL)
            weir_advance(n->stack, s->now);
        touch(s, what & ~SOURCE_NODE);
    } else {
        deliver(s, what / 2, (enum box_way)(what % 2));
    }
}

weir_ns_t weir_sim_next(struct weir_sim *s)
{
    uint32_t source;
    weir_ns_t at = agenda_first(&s->agenda, &source), call_at = agenda_first_call(&s->agenda);

    if (s->touched_count > 0)
        return s->now;
    return call_at < at ? call_at : at;
}

void weir_sim_run(struct weir_sim *s, weir_ns_t until)
{
    s->is_stopped = false;
    if (!routes_update(s))
        return;
    call_due(s);
    take_turns(s);
    while (!s->is_stopped) {
        uint32_t source = 0;
        weir_ns_t at = agenda_first(&s->agenda, &source), call_at = agenda_first_call(&s->agenda);
        weir_ns_t next = call_at < at ? call_at : at;
        if (next > until) {
            s->now = until > s->now ? until : s->now;
            return;
        }
        s->now = next > s->now ? next : s->now;
        s->stats.events++;
        if (at <= call_at)
            handle(s, source);
        else
            call_due(s);
        take_turns(s);
    }
}

void weir_sim_stop(struct weir_sim *s)
{
    s->is_stopped = true;
}

weir_ns_t weir_sim_now(const struct weir_sim *s)
{
    return s->now;
}

int weir_sim_at(struct weir_sim *s, weir_ns_t at, void (*call)(void *ctx, uint64_t argument),
                void *ctx, uint64_t argument)
{
    struct agenda_call c = {
        .at = at > s->now ? at : s->now, .call = call, .ctx = ctx, .argument = argument};

    return agenda_add_call(&s->agenda, &c) ? 0 : WEIR_ENOMEM;
}

void weir_sim_hooks(struct weir_sim *s, const struct weir_sim_hooks *hooks)
{
    s->hooks = *hooks;
}

void weir_sim_stats(const struct weir_sim *s, struct weir_sim_stats *stats)
{
    *stats = s->stats;
    stats->in_flight = packets_out(s->store);
}

/* ---- nodes ---- */

static void make_secret(struct weir_sim *s, uint32_t node, uint8_t secret[32])
{
    struct draw d = draw_of(s->seed, (uint64_t)node << 32 | s->nodes[node]->lives);

    for (size_t i = 0; i < 32; i++)
        secret[i] = (uint8_t)draw_u64(&d);
}

static int add_netif(struct weir_sim *s, uint32_t node, uint8_t port)
{
    struct world_node *n = s->nodes[node];
    struct world_port *p = &n->ports[port];
    uint32_t mtu = weir_sim_link_config(s->links[p->link].ways[p->way])->mtu;
    struct weir_netif_config config = {.name = n->name,
                                       .link = WEIR_LINK_IP,
                                       .mtu = mtu != 0 ? mtu : WORLD_MTU,
                                       .offloads = n->offloads};
    int err = weir_netif_add(n->stack, &config, &p->netif);

    for (int is_v6 = 0; port == 0 && err == 0 && is_v6 < 2; is_v6++) {
        struct weir_prefix addr = {weir_sim_addr(s, node + 1, is_v6), 128};
        if (!is_v6 || config.mtu >= 1280)
            err = weir_addr_add(n->stack, p->netif, &addr);
    }
    return err;
}

/* A stack with all interfaces that the node has. */
static int start_stack(struct weir_sim *s, uint32_t node)
{
    struct world_node *n = s->nodes[node];
    int err;

    n->lives++;
    make_secret(s, node, n->config.secret);
    err = weir_create(&n->config, s->now, &n->stack);
    for (uint8_t port = 0; err == 0 && port < n->port_count; port++)
        err = add_netif(s, node, port);
    if (err != 0)
        weir_destroy(&n->stack);
    else
        routes_tell(s, node);
    return err;
}

/* Its number is known to the agenda. */
static bool add_source(struct weir_sim *s, uint32_t what)
{
    uint32_t source = s->agenda.count;
    size_t room = s->source_room == 0 ? 16 : 2 * s->source_room;

    if (source == s->source_room) {
        uint32_t *more = realloc(s->source_of, room * sizeof *more);
        if (more == NULL)
            return false;
        s->source_of = more;
        s->source_room = room;
    }
    s->source_of[source] = what;
    return agenda_add(&s->agenda);
}

static bool add_node_room(struct weir_sim *s)
{
    size_t count = s->node_count + 1;
    struct world_node **nodes = realloc(s->nodes, count * sizeof(struct world_node *));
    uint32_t *touched;

    if (nodes != NULL)
        s->nodes = nodes;
    touched = realloc(s->touched, count * sizeof *touched);
    if (touched != NULL)
        s->touched = touched;
    return nodes != NULL && touched != NULL && count <= WORLD_NODES;
}

static void fill_node(struct world_node *n, const struct weir_sim_node_config *config)
{
    size_t len = config->name != NULL ? strnlen(config->name, sizeof n->name - 1) : 0;

    if (len > 0)
        memcpy(n->name, config->name, len);
    n->is_router = config->is_router;
    n->lends_frames = config->lends_frames;
    n->is_silent = config->is_silent;
    n->offloads = config->offloads;
    if (config->config != NULL)
        n->config = *config->config;
    else
        weir_config_init(&n->config);
    if (n->config.allocator.alloc == NULL)
        n->config.allocator = memory_allocator(&n->memory);
}

int weir_sim_node_add(struct weir_sim *s, const struct weir_sim_node_config *config,
                      weir_sim_node_t *node)
{
    struct world_node *n = add_node_room(s) ? calloc(1, sizeof *n) : NULL;
    uint32_t index = (uint32_t)s->node_count;
    int err = 0;

    if (n == NULL)
        return WEIR_ENOMEM;
    fill_node(n, config);
    n->source = s->agenda.count;
    s->nodes[index] = n;
    if (!n->is_router)
        err = start_stack(s, index);
    if (err == 0 && !add_source(s, SOURCE_NODE | index)) {
        weir_destroy(&n->stack);
        err = WEIR_ENOMEM;
    }
    if (err != 0) {
        free(n);
        return err;
    }
    s->node_count++;
    s->routes_are_stale = true;
    *node = index + 1;
    return 0;
}

struct weir *weir_sim_stack(struct weir_sim *s, weir_sim_node_t node)
{
    struct world_node *n;

    if (node == 0 || node > s->node_count)
        return NULL;
    n = s->nodes[node - 1];
    if (n->stack == NULL || !routes_update(s))
        return NULL;
    /* Calls happen now, however long ago the stack was last told the time. */
    if (!n->is_touched)
        weir_advance(n->stack, s->now);
    touch(s, node - 1);
    return n->stack;
}

const struct weir *weir_sim_peek(const struct weir_sim *s, weir_sim_node_t node)
{
    return node != 0 && node <= s->node_count ? s->nodes[node - 1]->stack : NULL;
}

weir_ns_t weir_sim_deadline(const struct weir_sim *s, weir_sim_node_t node)
{
    if (node == 0 || node > s->node_count)
        return WEIR_NEVER;
    return s->agenda.at[s->nodes[node - 1]->source];
}

struct weir_addr weir_sim_addr(const struct weir_sim *s, weir_sim_node_t node, bool is_v6)
{
    struct weir_addr addr = {{0xfd}};

    (void)s;
    if (!is_v6)
        return weir_addr_v4(10, 0, (uint8_t)(node >> 8), (uint8_t)node);
    addr.b[14] = (uint8_t)(node >> 8);
    addr.b[15] = (uint8_t)node;
    return addr;
}

int64_t sim_find(const struct weir_sim *s, const uint8_t *addr, bool is_v6)
{
    uint32_t node = is_v6 ? view_get16(addr + 14) : view_get16(addr + 2);
    struct weir_addr is = weir_sim_addr(s, node, is_v6);

    if (node == 0 || node > s->node_count
        || memcmp(is_v6 ? is.b : is.b + 12, addr, is_v6 ? 16 : 4) != 0)
        return -1;
    return (int64_t)node - 1;
}

const char *weir_sim_node_name(const struct weir_sim *s, weir_sim_node_t node)
{
    return node != 0 && node <= s->node_count ? s->nodes[node - 1]->name : "";
}

void weir_sim_node_stop(struct weir_sim *s, weir_sim_node_t node)
{
    if (node == 0 || node > s->node_count || s->nodes[node - 1]->stack == NULL)
        return;
    weir_destroy(&s->nodes[node - 1]->stack);
    agenda_set(&s->agenda, s->nodes[node - 1]->source, WEIR_NEVER);
}

int weir_sim_node_start(struct weir_sim *s, weir_sim_node_t node)
{
    int err;

    if (node == 0 || node > s->node_count || s->nodes[node - 1]->is_router
        || s->nodes[node - 1]->stack != NULL)
        return WEIR_ESTATE;
    err = start_stack(s, node - 1);
    if (err == 0)
        touch(s, node - 1);
    return err;
}

/* ---- links ---- */

static bool add_link_room(struct weir_sim *s)
{
    size_t count = s->link_count + 1;
    struct world_link *links = realloc(s->links, count * sizeof *links);
    uint32_t *sources;

    if (links != NULL)
        s->links = links;
    sources = realloc(s->link_sources, count * 2 * sizeof *sources);
    if (sources != NULL)
        s->link_sources = sources;
    return links != NULL && sources != NULL;
}

static int make_ways(struct weir_sim *s, struct world_link *l,
                     const struct weir_sim_link_config *there,
                     const struct weir_sim_link_config *back)
{
    uint64_t seed = draw_mix(s->seed ^ (s->link_count + 1) << 20);
    int err = link_create(there, seed, s->store, &l->ways[BOX_THERE]);

    if (err == 0)
        err = link_create(back, seed + 1, s->store, &l->ways[BOX_BACK]);
    if (err != 0)
        weir_sim_link_destroy(&l->ways[BOX_THERE]);
    return err;
}

static int add_port(struct weir_sim *s, uint32_t node, uint32_t link, enum box_way way)
{
    struct world_node *n = s->nodes[node];
    uint8_t port = (uint8_t)n->port_count;

    n->ports[port] = (struct world_port){.link = link, .way = way};
    n->port_count++;
    return n->stack != NULL ? add_netif(s, node, port) : 0;
}

int weir_sim_link_add(struct weir_sim *s, weir_sim_node_t a, weir_sim_node_t b,
                      const struct weir_sim_link_config *there,
                      const struct weir_sim_link_config *back, weir_sim_link_t *link)
{
    uint32_t index = (uint32_t)s->link_count;
    struct world_link *l;
    int err;

    if (a == 0 || b == 0 || a == b || a > s->node_count || b > s->node_count
        || s->nodes[a - 1]->port_count == WORLD_NODE_LINKS
        || s->nodes[b - 1]->port_count == WORLD_NODE_LINKS || there->frames != WEIR_LINK_IP
        || back->frames != WEIR_LINK_IP)
        return WEIR_EINVAL;
    if (!add_link_room(s))
        return WEIR_ENOMEM;
    l = &s->links[index];
    memset(l, 0, sizeof *l);
    l->ends[0] = a - 1;
    l->ends[1] = b - 1;
    err = make_ways(s, l, there, back);
    if (err != 0)
        return err;
    s->link_count++;
    s->routes_are_stale = true;
    for (uint32_t way = 0; way < 2; way++) {
        s->link_sources[index * 2 + way] = s->agenda.count;
        if (!add_source(s, index * 2 + way))
            return WEIR_ENOMEM;
    }
    *link = index + 1;
    err = add_port(s, a - 1, index, BOX_THERE);
    return err != 0 ? err : add_port(s, b - 1, index, BOX_BACK);
}

struct weir_sim_link *weir_sim_direction(struct weir_sim *s, weir_sim_link_t link,
                                         weir_sim_node_t from)
{
    struct world_link *l;

    if (link == 0 || link > s->link_count)
        return NULL;
    l = &s->links[link - 1];
    if (l->ends[0] + 1 == from)
        return l->ways[BOX_THERE];
    return l->ends[1] + 1 == from ? l->ways[BOX_BACK] : NULL;
}

int weir_sim_box_add(struct weir_sim *s, weir_sim_link_t link,
                     const struct weir_sim_box_config *config)
{
    struct world_link *l;
    struct box *box;

    if (link == 0 || link > s->link_count || s->links[link - 1].box_count == WORLD_LINK_BOXES)
        return WEIR_EINVAL;
    l = &s->links[link - 1];
    box = box_create(config, draw_mix(s->seed + link * 64 + l->box_count));
    if (box == NULL)
        return WEIR_EINVAL;
    l->boxes[l->box_count++] = box;
    return 0;
}

static const struct box *nat_that_shows(const struct weir_sim *s, uint16_t port,
                                        const struct box *but)
{
    for (size_t i = 0; i < s->link_count; i++)
        for (uint32_t b = 0; b < s->links[i].box_count; b++) {
            const struct box *box = s->links[i].boxes[b];
            if (box != but && box->ops->real_port != NULL && box->ops->real_port(box, port) != 0)
                return box;
        }
    return NULL;
}

/* A NAT may stand behind another, which knows what this one shows; two in a row are enough. */
uint16_t weir_sim_real_port(const struct weir_sim *s, uint16_t port)
{
    const struct box *box = NULL;

    for (int i = 0; i < 2; i++) {
        const struct box *next = nat_that_shows(s, port, box);
        if (next == NULL)
            break;
        port = next->ops->real_port(next, port);
        box = next;
    }
    return port;
}

/* ---- beginning and end ---- */

int weir_sim_create(uint64_t seed, struct weir_sim **sim)
{
    struct weir_sim *s = calloc(1, sizeof *s);

    if (s == NULL)
        return WEIR_ENOMEM;
    s->seed = seed;
    s->store = packets_create();
    if (s->store == NULL) {
        free(s);
        return WEIR_ENOMEM;
    }
    *sim = s;
    return 0;
}

static void end_link(struct world_link *l)
{
    weir_sim_link_destroy(&l->ways[0]);
    weir_sim_link_destroy(&l->ways[1]);
    for (uint32_t b = 0; b < l->box_count; b++)
        box_destroy(&l->boxes[b]);
}

static size_t end_node(struct world_node *n)
{
    size_t blocks;

    weir_destroy(&n->stack);
    blocks = n->memory.blocks;
    free(n->way_to);
    free(n->choices);
    free(n);
    return blocks;
}

size_t weir_sim_destroy(struct weir_sim **sim)
{
    struct weir_sim *s = *sim;
    size_t lost = 0;

    *sim = NULL;
    if (s == NULL)
        return 0;
    for (size_t i = 0; i < s->link_count; i++)
        end_link(&s->links[i]);
    for (size_t i = 0; i < s->node_count; i++)
        lost += end_node(s->nodes[i]);
    /* A packet that is still out was not given back by a stack. */
    lost += packets_out(s->store);
    packets_destroy(&s->store);
    agenda_fini(&s->agenda);
    free(s->nodes);
    free(s->links);
    free(s->source_of);
    free(s->link_sources);
    free(s->touched);
    free(s);
    return lost;
}
