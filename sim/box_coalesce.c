/*
 * box_coalesce.c - segments that follow one another at the same instant become one
 *
 * Joined are segments of one connection without flags but ACK and PSH, with the same options and
 * acknowledgement, the second of which begins where the first ends.
 */
#include "sim/box.h"

#include <string.h>

enum {
    SEQ_AT = 4,
    ACK_AT = 8,
    FLAGS_AT = 13,
    WINDOW_AT = 14,
    HEADER_LEN = 20,
};

static bool check(const struct weir_sim_box_config *config)
{
    return config->value > 0 && config->value <= 60000;
}

static size_t text_len(const struct view *v)
{
    return v->l4_len - v->header_len;
}

static bool is_same_flow(const struct view *a, const struct view *b)
{
    size_t len = a->version == 4 ? 8 : 32, at = a->version == 4 ? 12 : 8;

    return a->version == b->version && a->header_len == b->header_len
           && memcmp(a->ip + at, b->ip + at, len) == 0 && memcmp(a->l4, b->l4, 4) == 0
           && view_ecn(a) == view_ecn(b);
}

static bool can_join(const struct view *a, const struct view *b, uint32_t most)
{
    return is_same_flow(a, b) && view_is_intact(a) && view_is_intact(b) && text_len(a) > 0
           && text_len(b) > 0 && text_len(a) + text_len(b) <= most
           && ((a->l4[FLAGS_AT] | b->l4[FLAGS_AT]) & ~(VIEW_ACK | VIEW_PSH)) == 0
           && (a->l4[FLAGS_AT] & VIEW_PSH) == 0
           && view_get32(b->l4 + SEQ_AT) == (uint32_t)(view_get32(a->l4 + SEQ_AT) + text_len(a))
           && memcmp(a->l4 + ACK_AT, b->l4 + ACK_AT, 4) == 0
           && memcmp(a->l4 + WINDOW_AT, b->l4 + WINDOW_AT, 2) == 0
           && memcmp(a->l4 + HEADER_LEN, b->l4 + HEADER_LEN, a->header_len - HEADER_LEN) == 0;
}

static struct packet *join(const struct packet *p, const struct view *a, const struct view *b)
{
    size_t len = a->ip_len + text_len(b);
    struct packet *joined = packet_get(p->store, len);
    struct view v = *a;

    if (joined == NULL)
        return NULL;
    memcpy(joined->frame.bytes, a->ip, a->ip_len);
    memcpy(joined->frame.bytes + a->ip_len, b->l4 + b->header_len, text_len(b));
    joined->is_copy = p->is_copy;
    joined->is_corrupt = p->is_corrupt;
    v.ip = joined->frame.bytes;
    v.l4 = joined->frame.bytes + (a->l4 - a->ip);
    v.ip_len = len;
    v.l4_len = a->l4_len + text_len(b);
    v.l4[FLAGS_AT] |= b->l4[FLAGS_AT];
    view_set16(v.ip + (v.version == 4 ? 2 : 4), (uint32_t)(v.version == 4 ? len : len - 40));
    view_fix_checksums(&v);
    return joined;
}

static void flush(struct box *box, enum box_way way, struct packet_list *list)
{
    struct packet *p = box->held[way];

    box->held[way] = NULL;
    if (p != NULL)
        packet_list_add(list, p);
}

static void pass(struct box *box, struct box_packet *it, struct packet_list *list)
{
    struct packet *held = box->held[it->way], *joined = NULL;
    struct view v;

    if (held != NULL && view_parse(&v, WEIR_LINK_IP, held->frame.bytes, held->frame.len)
        && can_join(&v, &it->view, box->config.value))
        joined = join(held, &v, &it->view);
    if (joined != NULL) {
        packet_put(held);
        packet_put(it->packet);
        box->held[it->way] = joined;
        return;
    }
    flush(box, it->way, list);
    box->held[it->way] = it->packet;
}

const struct box_ops box_coalesce = {
    .name = "coalesce",
    .size = sizeof(struct box),
    .check = check,
    .pass = pass,
    .flush = flush,
};
