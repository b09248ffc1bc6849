/*
 * box_reseq.c - a firewall that hides initial sequence numbers: it adds a number to each, and
 * takes it away from what acknowledges them, SACK blocks among it
 */
#include "sim/box.h"

enum {
    SEQ_AT = 4,
    ACK_AT = 8,
    HEADER_LEN = 20,
    OPTION_NOP = 1,
    OPTION_SACK = 5,
};

static uint32_t shift(const struct box *box, enum box_way way)
{
    return (uint32_t)draw_mix(box->seed + (uint64_t)way);
}

static void shift_edge(struct view *v, size_t at, uint32_t by)
{
    uint32_t edge = view_get32(v->l4 + at) - by;

    for (size_t i = 0; i < 4; i++)
        box_set8(v, at + i, (uint8_t)(edge >> (24 - 8 * i)));
}

/* Blocks need not lie on even offsets. */
static void shift_sack(struct view *v, uint32_t by)
{
    for (size_t at = HEADER_LEN; at + 1 < v->header_len;) {
        size_t len = v->l4[at] == OPTION_NOP ? 1 : v->l4[at + 1];
        if (v->l4[at] == 0 || len == 0 || at + len > v->header_len)
            return;
        if (v->l4[at] == OPTION_SACK) {
            for (size_t i = at + 2; i + 4 <= at + len; i += 4)
                shift_edge(v, i, by);
        }
        at += len;
    }
}

static void pass(struct box *box, struct box_packet *it, struct packet_list *list)
{
    struct view *v = &it->view;
    enum box_way other = it->way == BOX_THERE ? BOX_BACK : BOX_THERE;

    box_set32(v, SEQ_AT, view_get32(v->l4 + SEQ_AT) + shift(box, it->way));
    if (v->l4[13] & VIEW_ACK) {
        box_set32(v, ACK_AT, view_get32(v->l4 + ACK_AT) - shift(box, other));
        shift_sack(v, shift(box, other));
    }
    packet_list_add(list, it->packet);
}

const struct box_ops box_reseq = {
    .name = "reseq",
    .size = sizeof(struct box),
    .pass = pass,
};
