/*
 * box_split.c - segments become several small ones
 */
#include "sim/box.h"
#include "sim/device.h"

static bool check(const struct weir_sim_box_config *config)
{
    return config->value > 0;
}

static void pass(struct box *box, struct box_packet *it, struct packet_list *list)
{
    /* New checksums would hide that it is damaged. */
    if (view_is_intact(&it->view))
        (void)device_cut(it->packet, WEIR_LINK_IP, box->config.value, list);
    else
        packet_list_add(list, it->packet);
}

const struct box_ops box_split = {
    .name = "split",
    .size = sizeof(struct box),
    .check = check,
    .pass = pass,
};
