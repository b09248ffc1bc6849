/*
 * box_nat.c - a NAT that translates ports, and forgets them now and then
 *
 * Ports of the inside (the link's first node) from 4096 on change their low 12 bits by a
 * pattern. When ports are bound anew, the pattern changes, and nothing comes in for a port until
 * something has gone out from it.
 */
#include "sim/box.h"

#include <string.h>

enum {
    FIRST_PORT = 4096,
    SOURCE_AT = 0,
    DESTINATION_AT = 2,
};

struct nat {
    struct box box;
    uint64_t period; /* counted from 0 */
    uint16_t pattern;
    uint8_t is_bound[65536 / 8]; /* by the inside port */
    uint16_t inside_of[65536];   /* by the outside port, for ever; 0: none yet */
};

static void follow_time(struct nat *n, weir_ns_t now)
{
    uint64_t period = n->box.config.every_ns > 0 ? (uint64_t)(now / n->box.config.every_ns) : 0;

    if (period == n->period && n->pattern != 0)
        return;
    n->period = period;
    n->pattern = (uint16_t)(draw_mix(n->box.seed + period) % (FIRST_PORT - 1) + 1);
    memset(n->is_bound, 0, sizeof n->is_bound);
}

static void pass(struct box *box, struct box_packet *it, struct packet_list *list)
{
    struct nat *n = (struct nat *)box;
    size_t at = it->way == BOX_THERE ? SOURCE_AT : DESTINATION_AT;
    uint16_t shown = view_get16(it->view.l4 + at), changed;

    follow_time(n, it->now);
    changed = (uint16_t)(shown ^ n->pattern);
    if (shown < FIRST_PORT) {
        packet_list_add(list, it->packet);
        return;
    }
    if (it->way == BOX_THERE) {
        n->is_bound[shown / 8] |= (uint8_t)(1 << shown % 8);
        n->inside_of[changed] = shown;
    } else if ((n->is_bound[changed / 8] >> changed % 8 & 1) == 0) {
        packet_put(it->packet);
        return;
    }
    box_set16(&it->view, at, changed);
    packet_list_add(list, it->packet);
}

static uint16_t real_port(const struct box *box, uint16_t port)
{
    return ((const struct nat *)box)->inside_of[port];
}

const struct box_ops box_nat = {
    .name = "nat",
    .size = sizeof(struct nat),
    .pass = pass,
    .real_port = real_port,
};
