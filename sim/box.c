/*
 * box.c - the middleboxes there are, and what they share
 */
#include "sim/box.h"

#include "base/checksum.h"
#include <stdlib.h>

enum {
    CHECKSUM_AT = 16,
};

static const struct box_ops *const kinds[WEIR_SIM_BOX_KINDS] = {
    [WEIR_SIM_NAT] = &box_nat,     [WEIR_SIM_STRIP] = &box_strip,
    [WEIR_SIM_RESEQ] = &box_reseq, [WEIR_SIM_CLAMP] = &box_clamp,
    [WEIR_SIM_SPLIT] = &box_split, [WEIR_SIM_COALESCE] = &box_coalesce,
    [WEIR_SIM_THIN] = &box_thin,   [WEIR_SIM_BLEACH] = &box_bleach,
};

const char *weir_sim_box_name(size_t kind)
{
    return kind < WEIR_SIM_BOX_KINDS ? kinds[kind]->name : NULL;
}

struct box *box_create(const struct weir_sim_box_config *config, uint64_t seed)
{
    struct box *box;

    if ((unsigned)config->kind >= WEIR_SIM_BOX_KINDS)
        return NULL;
    if (kinds[config->kind]->check != NULL && !kinds[config->kind]->check(config))
        return NULL;
    box = calloc(1, kinds[config->kind]->size);
    if (box == NULL)
        return NULL;
    box->ops = kinds[config->kind];
    box->config = *config;
    box->seed = seed;
    return box;
}

void box_destroy(struct box **box)
{
    struct box *b = *box;

    *box = NULL;
    for (int way = 0; way < 2; way++)
        if (b->held[way] != NULL)
            packet_put(b->held[way]);
    free(b);
}

void box_pass(struct box *box, enum box_way way, struct packet *p, weir_ns_t now,
              struct packet_list *list)
{
    struct box_packet it = {.packet = p, .way = way, .now = now};

    if (view_parse(&it.view, WEIR_LINK_IP, p->frame.bytes, p->frame.len)
        && it.view.protocol == VIEW_TCP)
        box->ops->pass(box, &it, list);
    else
        packet_list_add(list, p);
}

void box_flush(struct box *box, enum box_way way, struct packet_list *list)
{
    if (box->ops->flush != NULL)
        box->ops->flush(box, way, list);
}

void box_set16(struct view *v, size_t at, uint16_t value)
{
    uint16_t old_value = view_get16(v->l4 + at);
    uint16_t checksum = view_get16(v->l4 + CHECKSUM_AT);

    if (old_value == value)
        return;
    view_set16(v->l4 + at, value);
    view_set16(v->l4 + CHECKSUM_AT, checksum_update16(checksum, old_value, value));
}

void box_set32(struct view *v, size_t at, uint32_t value)
{
    box_set16(v, at, (uint16_t)(value >> 16));
    box_set16(v, at + 2, (uint16_t)value);
}

void box_set8(struct view *v, size_t at, uint8_t value)
{
    size_t word = at & ~(size_t)1;
    uint16_t both = view_get16(v->l4 + word);

    box_set16(v, word,
              (uint16_t)(at == word ? (both & 0xff) | value << 8 : (both & 0xff00) | value));
}
