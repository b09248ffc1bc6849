/*
 * box_bleach.c - a router that clears the ECN field
 */
#include "sim/box.h"

static void pass(struct box *box, struct box_packet *it, struct packet_list *list)
{
    (void)box;
    if (view_ecn(&it->view) != VIEW_NOT_ECT)
        view_set_ecn(&it->view, VIEW_NOT_ECT);
    packet_list_add(list, it->packet);
}

const struct box_ops box_bleach = {
    .name = "bleach",
    .size = sizeof(struct box),
    .pass = pass,
};
