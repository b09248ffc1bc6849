/*
 * agenda.c - what happens next in a world: two binary heaps
 */
#include "sim/agenda.h"

#include <stdlib.h>

/* ---- sources ---- */

static bool comes_before(const struct agenda *a, uint32_t x, uint32_t y)
{
    return a->at[x] != a->at[y] ? a->at[x] < a->at[y] : x < y;
}

static void put(struct agenda *a, uint32_t i, uint32_t source)
{
    a->heap[i] = source;
    a->position[source] = i;
}

static void rise(struct agenda *a, uint32_t i)
{
    uint32_t source = a->heap[i];

    while (i > 0 && comes_before(a, source, a->heap[(i - 1) / 2])) {
        put(a, i, a->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    put(a, i, source);
}

static void sink(struct agenda *a, uint32_t i)
{
    uint32_t source = a->heap[i];

    for (uint32_t child; (child = 2 * i + 1) < a->count; i = child) {
        if (child + 1 < a->count && comes_before(a, a->heap[child + 1], a->heap[child]))
            child++;
        if (!comes_before(a, a->heap[child], source))
            break;
        put(a, i, a->heap[child]);
    }
    put(a, i, source);
}

static bool grow(void *array, size_t count, size_t size)
{
    void **at = array;
    void *more = realloc(*at, count * size);

    if (more != NULL)
        *at = more;
    return more != NULL;
}

bool agenda_add(struct agenda *a)
{
    uint32_t room = a->room == 0 ? 16 : 2 * a->room;

    if (a->count == a->room) {
        if (!grow(&a->at, room, sizeof a->at[0]) || !grow(&a->heap, room, sizeof a->heap[0])
            || !grow(&a->position, room, sizeof a->position[0]))
            return false;
        a->room = room;
    }
    a->at[a->count] = WEIR_NEVER;
    put(a, a->count, a->count);
    a->count++;
    return true;
}

void agenda_set(struct agenda *a, uint32_t source, weir_ns_t at)
{
    weir_ns_t before = a->at[source];

    if (at == before)
        return;
    a->at[source] = at;
    if (at < before)
        rise(a, a->position[source]);
    else
        sink(a, a->position[source]);
}

weir_ns_t agenda_first(const struct agenda *a, uint32_t *source)
{
    if (a->count == 0)
        return WEIR_NEVER;
    *source = a->heap[0];
    return a->at[a->heap[0]];
}

/* ---- calls ---- */

static bool call_comes_before(const struct agenda_call *x, const struct agenda_call *y)
{
    return x->at != y->at ? x->at < y->at : x->order < y->order;
}

bool agenda_add_call(struct agenda *a, const struct agenda_call *call)
{
    size_t i = a->call_count, room = a->call_room == 0 ? 16 : 2 * a->call_room;

    if (a->call_count == a->call_room) {
        if (!grow(&a->calls, room, sizeof a->calls[0]))
            return false;
        a->call_room = room;
    }
    a->call_count++;
    struct agenda_call added = *call;
    added.order = a->order++;
    for (; i > 0 && call_comes_before(&added, &a->calls[(i - 1) / 2]); i = (i - 1) / 2)
        a->calls[i] = a->calls[(i - 1) / 2];
    a->calls[i] = added;
    return true;
}

weir_ns_t agenda_first_call(const struct agenda *a)
{
    return a->call_count != 0 ? a->calls[0].at : WEIR_NEVER;
}

struct agenda_call agenda_take_call(struct agenda *a)
{
    struct agenda_call first = a->calls[0], last = a->calls[--a->call_count];
    size_t i = 0, child;

    for (; (child = 2 * i + 1) < a->call_count; i = child) {
        if (child + 1 < a->call_count && call_comes_before(&a->calls[child + 1], &a->calls[child]))
            child++;
        if (!call_comes_before(&a->calls[child], &last))
            break;
        a->calls[i] = a->calls[child];
    }
    a->calls[i] = last;
    return first;
}

void agenda_fini(struct agenda *a)
{
    free(a->at);
    free(a->heap);
    free(a->position);
    free(a->calls);
}
