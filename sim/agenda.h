/*
 * agenda.h - what happens next in a world
 *
 * A number of sources, each with one instant; and calls, each once. The earliest comes first;
 * of those at the same instant, the source with the lowest number, and calls in the order they
 * were asked for.
 */
#ifndef SIM_AGENDA_H
#define SIM_AGENDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/time.h>

struct agenda_call {
    weir_ns_t at;
    uint64_t order;
    void (*call)(void *ctx, uint64_t argument);
    void *ctx;
    uint64_t argument;
};

struct agenda {
    weir_ns_t *at;      /* of each source */
    uint32_t *heap;     /* sources, the earliest first */
    uint32_t *position; /* of each source in the heap */
    uint32_t count, room;
    struct agenda_call *calls; /* a heap */
    size_t call_count, call_room;
    uint64_t order;
};

void agenda_fini(struct agenda *a);

/* Adds a source that waits for nothing; its number is how many there were. False: no memory. */
bool agenda_add(struct agenda *a);
void agenda_set(struct agenda *a, uint32_t source, weir_ns_t at);

/* The first source and its instant; WEIR_NEVER: none waits. */
weir_ns_t agenda_first(const struct agenda *a, uint32_t *source);

bool agenda_add_call(struct agenda *a, const struct agenda_call *call);
weir_ns_t agenda_first_call(const struct agenda *a);
struct agenda_call agenda_take_call(struct agenda *a); /* there is one */

#endif
