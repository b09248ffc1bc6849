/*
 * demo_actor.c - one end of a demonstration: what all actors have in common
 */
#include "cli/demo_actor.h"

#include <stddef.h>

#define LINE "What flows through a weir is held, counted, and let go on its way\n"
#define LINES LINE LINE LINE LINE

static const char lines[] = LINES LINES LINES LINES;

void actor_init(struct actor *a, const struct actor_ops *ops)
{
    *a = (struct actor){.ops = ops, .text = lines, .text_len = sizeof lines - 1};
}

uint32_t actor_next(const struct actor *a, const char **bytes)
{
    uint32_t at = (uint32_t)(a->sent % a->text_len);

    *bytes = a->text + at;
    return a->to_send < a->text_len - at ? a->to_send : a->text_len - at;
}
