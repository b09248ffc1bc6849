/*
 * super_segments.c - a stack without super-segments: each segment is made, and taken in, by itself
 *
 * In place of: gro.c gso.c
 */
#include "stack/stack.h"

size_t gro_join(struct weir *s, const uint8_t *ip, struct tcp_seg *seg, const struct flow *flow,
                struct weir_frame *frames, size_t count)
{
    return 0;
}

size_t gso_cut(struct weir *s, const struct netif *netif, struct frame *whole,
               struct weir_frame **segments, size_t max)
{
    return 0;
}

bool gso_is_cut(const struct frame *whole)
{
    return true;
}
