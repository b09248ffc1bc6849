/*
 * demo_weir.h - an actor over a Weir stack
 */
#ifndef CLI_DEMO_WEIR_H
#define CLI_DEMO_WEIR_H

#include "cli/demo_actor.h"

struct weir_actor {
    struct actor actor; /* the first member: an actor is its weir_actor */
    struct weir *stack; /* NULL: none */
    weir_listener_t listener;
    weir_conn_t conn;
};

void weir_actor_init(struct weir_actor *a, struct weir *stack);

/* Events of other handles are left alone. */
void weir_actor_on_event(struct weir_actor *a, const struct weir_event *event);

#endif
