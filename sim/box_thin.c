/*
 * box_thin.c - a link that saves ACKs: of those that leave at the same instant, only some pass
 *
 * An acknowledgement that carries nothing else makes room for the next one of its connection that
 * comes right behind it, up to value - 1 times in a row.
 */
#include "sim/box.h"

enum {
    SACK_LESS_LEN = 32, /* of a header with timestamps: with more, there is news in it */
};

struct thin {
    struct box box;
    uint32_t dropped[2]; /* in a row */
};

static bool check(const struct weir_sim_box_config *config)
{
    return config->value > 0;
}

static void flush(struct box *box, enum box_way way, struct packet_list *list)
{
    struct thin *t = (struct thin *)box;

    t->dropped[way] = 0;
    if (box->held[way] != NULL)
        packet_list_add(list, box->held[way]);
    box->held[way] = NULL;
}

static bool is_ack(const struct view *v)
{
    return v->l4[13] == VIEW_ACK && v->l4_len == v->header_len && v->header_len <= SACK_LESS_LEN;
}

static bool is_same_connection(const struct packet *p, const struct view *b)
{
    struct view a;

    return view_parse(&a, WEIR_LINK_IP, p->frame.bytes, p->frame.len) && a.version == b->version
           && view_flow(&a) == view_flow(b);
}

static void pass(struct box *box, struct box_packet *it, struct packet_list *list)
{
    struct thin *t = (struct thin *)box;
    struct packet *held = box->held[it->way];

    if (held != NULL && is_ack(&it->view) && t->dropped[it->way] + 1 < box->config.value
        && is_same_connection(held, &it->view)) {
        packet_put(held);
        t->dropped[it->way]++;
        box->held[it->way] = it->packet;
        return;
    }
    flush(box, it->way, list);
    if (is_ack(&it->view))
        box->held[it->way] = it->packet;
    else
        packet_list_add(list, it->packet);
}

const struct box_ops box_thin = {
    .name = "thin",
    .size = sizeof(struct thin),
    .check = check,
    .pass = pass,
    .flush = flush,
};
