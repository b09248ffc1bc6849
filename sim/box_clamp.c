/*
 * box_clamp.c - a box that holds back senders by the window they are shown
 */
#include "sim/box.h"

enum {
    WINDOW_AT = 14,
};

static bool check(const struct weir_sim_box_config *config)
{
    return config->value > 0 && config->value <= UINT16_MAX;
}

static void pass(struct box *box, struct box_packet *it, struct packet_list *list)
{
    if (view_get16(it->view.l4 + WINDOW_AT) > box->config.value)
        box_set16(&it->view, WINDOW_AT, (uint16_t)box->config.value);
    packet_list_add(list, it->packet);
}

const struct box_ops box_clamp = {
    .name = "clamp",
    .size = sizeof(struct box),
    .check = check,
    .pass = pass,
};
