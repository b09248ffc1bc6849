/*
 * box_strip.c - a firewall that knows only old TCP: options in SYNs become NOPs
 */
#include "sim/box.h"

enum {
    HEADER_LEN = 20,
    OPTION_END = 0,
    OPTION_NOP = 1,
    OPTION_MSS = 2,
    OPTION_WSCALE = 3,
    OPTION_SACK_PERMITTED = 4,
    OPTION_TIMESTAMPS = 8,
};

static uint32_t bit_of(uint8_t kind)
{
    switch (kind) {
    case OPTION_MSS: return WEIR_SIM_STRIP_MSS;
    case OPTION_WSCALE: return WEIR_SIM_STRIP_WSCALE;
    case OPTION_SACK_PERMITTED: return WEIR_SIM_STRIP_SACK;
    case OPTION_TIMESTAMPS: return WEIR_SIM_STRIP_TIMESTAMPS;
    default: return WEIR_SIM_STRIP_OTHERS;
    }
}

static void blank(struct view *v, size_t at, size_t len)
{
    for (size_t i = at; i < at + len; i++)
        box_set8(v, i, OPTION_NOP);
}

static void strip(struct box *box, struct view *v)
{
    uint32_t strips = box->config.strips != 0 ? box->config.strips : UINT32_MAX;

    for (size_t at = HEADER_LEN; at < v->header_len;) {
        uint8_t kind = v->l4[at];
        size_t len = kind == OPTION_NOP || at + 1 >= v->header_len ? 1 : v->l4[at + 1];
        if (kind == OPTION_END || len == 0 || at + len > v->header_len)
            return;
        if (kind != OPTION_NOP && (strips & bit_of(kind)))
            blank(v, at, len);
        at += len;
    }
}

static void pass(struct box *box, struct box_packet *it, struct packet_list *list)
{
    if (it->view.l4[13] & VIEW_SYN)
        strip(box, &it->view);
    packet_list_add(list, it->packet);
}

const struct box_ops box_strip = {
    .name = "strip",
    .size = sizeof(struct box),
    .pass = pass,
};
