/*
 * device.c - what the hardware of a node does with a frame that its stack sends
 */
#include "sim/device.h"

#include "base/checksum.h"
#include "sim/view.h"
#include <string.h>

static void gather(const struct weir_frame *frame, uint8_t *to)
{
    for (size_t i = 0; i < frame->slice_count; i++) {
        memcpy(to, frame->slices[i].bytes, frame->slices[i].len);
        to += frame->slices[i].len;
    }
}

/* The field holds the pseudo-header's sum, which is part of what is summed up. */
static void complete(struct packet *p, const struct weir_frame *frame)
{
    size_t field = (size_t)frame->csum_start + frame->csum_offset;
    uint16_t sum;

    if (field + 2 > p->frame.len)
        return;
    sum = checksum_fold(
        checksum_add(0, p->frame.bytes + frame->csum_start, p->frame.len - frame->csum_start));
    view_set16(p->frame.bytes + field, sum);
}

/* Sequence number, length and flags of the piece that starts at `from`; then all sums. */
static void finish_piece(struct view *v, size_t from, bool is_first, bool is_last, uint16_t index)
{
    view_set32(v->l4 + 4, view_get32(v->l4 + 4) + (uint32_t)from);
    if (!is_last)
        v->l4[13] &= (uint8_t) ~(VIEW_FIN | VIEW_PSH);
    if (!is_first)
        v->l4[13] &= (uint8_t)~VIEW_CWR;
    if (v->version == 4) {
        view_set16(v->ip + 2, (uint32_t)v->ip_len);
        view_set16(v->ip + 4, (uint32_t)view_get16(v->ip + 4) + index);
    } else {
        view_set16(v->ip + 4, (uint32_t)v->ip_len - 40);
    }
    view_fix_checksums(v);
}

static bool cut_piece(struct packet *p, const struct view *v, size_t from, size_t most,
                      struct packet_list *list)
{
    size_t headers = (size_t)(v->l4 - p->frame.bytes) + v->header_len;
    size_t text = v->l4_len - v->header_len, len = text - from < most ? text - from : most;
    struct packet *piece = packet_get(p->store, headers + len);
    struct view w = *v;

    if (piece == NULL)
        return false;
    memcpy(piece->frame.bytes, p->frame.bytes, headers);
    memcpy(piece->frame.bytes + headers, v->l4 + v->header_len + from, len);
    piece->is_copy = p->is_copy;
    piece->is_corrupt = p->is_corrupt;
    w.ip = piece->frame.bytes + (v->ip - p->frame.bytes);
    w.l4 = piece->frame.bytes + (v->l4 - p->frame.bytes);
    w.ip_len = v->ip_len - text + len;
    w.l4_len = v->header_len + len;
    finish_piece(&w, from, from == 0, from + len == text, (uint16_t)(from / most));
    packet_list_add(list, piece);
    return true;
}

bool device_cut(struct packet *p, enum weir_link link, size_t len, struct packet_list *list)
{
    struct view v;
    bool all = true;
    size_t text;

    if (len == 0 || !view_parse(&v, link, p->frame.bytes, p->frame.len) || v.protocol != VIEW_TCP
        || v.l4_len - v.header_len <= len || (v.l4[13] & (VIEW_SYN | VIEW_URG)) != 0) {
        packet_list_add(list, p);
        return true;
    }
    text = v.l4_len - v.header_len;
    for (size_t from = 0; from < text; from += len)
        all = cut_piece(p, &v, from, len, list) && all;
    packet_put(p);
    return all;
}

bool device_send(const struct weir_frame *frame, enum weir_link link, struct packets *store,
                 struct packet_list *list)
{
    struct packet *p = packet_get(store, frame->len);

    if (p == NULL)
        return false;
    gather(frame, p->frame.bytes);
    if (frame->gso != WEIR_GSO_NONE)
        return device_cut(p, link, frame->gso_size, list);
    if (frame->flags & WEIR_FRAME_CSUM_PARTIAL)
        complete(p, frame);
    packet_list_add(list, p);
    return true;
}
