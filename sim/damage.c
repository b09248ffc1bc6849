/*
 * damage.c - frames that arrive as they were not sent
 */
#include "sim/damage.h"

#include "sim/view.h"

void damage_corrupt(struct packet *p, enum weir_link frames, bool unnoticed, struct draw *draw)
{
    size_t from = view_link_len(frames, p->frame.bytes, p->frame.len);
    struct view v;

    if (from >= p->frame.len)
        return;
    p->frame.bytes[from + draw_below(draw, (uint32_t)(p->frame.len - from))] ^=
        (uint8_t)(1 << draw_below(draw, 8));
    if (unnoticed && view_parse(&v, frames, p->frame.bytes, p->frame.len))
        view_fix_checksums(&v);
}

void damage_truncate(struct packet *p, enum weir_link frames, struct draw *draw)
{
    size_t from = view_link_len(frames, p->frame.bytes, p->frame.len);

    if (from + 1 < p->frame.len)
        p->frame.len = from + 1 + draw_below(draw, (uint32_t)(p->frame.len - from - 1));
}
