/*
 * box_thin.c - a link that saves ACKs: of those that carry nothing else, one in several passes
 *
 * One that comes a while after the last passes too: nobody waits for another one behind it.
 */
#include "sim/box.h"

struct thin {
    struct box box;
    uint32_t count[2];
    weir_ns_t passed_at[2];
};

static const weir_ns_t pause_ns = 20 * WEIR_MS;

static bool check(const struct weir_sim_box_config *config)
{
    return config->value > 0;
}

static void pass(struct box *box, struct box_packet *it, struct packet_list *list)
{
    struct thin *t = (struct thin *)box;
    bool is_ack = it->view.l4[13] == VIEW_ACK && it->view.l4_len == it->view.header_len;

    if (is_ack && t->count[it->way]++ % box->config.value != 0
        && it->now - t->passed_at[it->way] < pause_ns) {
        packet_put(it->packet);
        return;
    }
    if (is_ack)
        t->passed_at[it->way] = it->now;
    packet_list_add(list, it->packet);
}

const struct box_ops box_thin = {
    .name = "thin",
    .size = sizeof(struct thin),
    .check = check,
    .pass = pass,
};
