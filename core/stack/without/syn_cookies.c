/*
 * syn_cookies.c - a stack without SYN cookies: no SYN is answered by one
 *
 * In place of: flood.c
 */
#include "stack/stack.h"

void flood_forget(struct weir *s)
{
}

void flood_note(struct weir *s, const struct arrival *a, struct listener *l,
                const struct tcp_halfopen *h, const struct frame *frame)
{
}

bool flood_rx(struct weir *s, struct netif *netif, const struct weir_frame *frame)
{
    return false;
}
