/*
 * shrink.c - the smallest scenario that still fails
 *
 * One change after the other is tried on a copy, which is kept if it still fails: first whole
 * parts are taken away, then single values set back to nothing, then numbers halved. When a round
 * changes nothing any more, that is it.
 */
#include "sim/shrink.h"

#include "sim/chance.h"
#include <string.h>

enum {
    TRIES_MAX = 1000,
    WORK_MAX = 10000000, /* of all tries: some seconds */
    RATE_MIN = 10000,
};

struct shrinking {
    struct scenario *best;
    const char *kind; /* of failure */
    unsigned tries;
    uint64_t work;
    bool has_shrunk; /* in this round */
};

static bool has_patience(const struct shrinking *w)
{
    return w->tries < TRIES_MAX && w->work < WORK_MAX;
}

/* Takes *candidate: it is kept or ended. */
static bool try_it(struct shrinking *w, struct scenario *candidate)
{
    struct chance_result result;

    w->tries++;
    chance_try(candidate, &result);
    w->work += result.work;
    if (result.broken[0] == 0 || result.kind != w->kind) {
        scenario_fini(candidate);
        return false;
    }
    scenario_fini(w->best);
    *w->best = *candidate;
    w->has_shrunk = true;
    return true;
}

typedef void (*remover)(struct scenario *, uint32_t index);

static void remove_each(struct shrinking *w, const size_t *count, remover remove)
{
    struct scenario candidate;

    for (size_t i = *count; i-- > 0 && has_patience(w);) {
        if (i >= *count || !scenario_copy(w->best, &candidate))
            continue;
        remove(&candidate, (uint32_t)i);
        (void)try_it(w, &candidate);
    }
}

static void remove_parts(struct shrinking *w)
{
    remove_each(w, &w->best->flow_count, scenario_remove_flow);
    remove_each(w, &w->best->action_count, scenario_remove_action);
    remove_each(w, &w->best->box_count, scenario_remove_box);
    remove_each(w, &w->best->node_count, scenario_remove_node);
}

/* ---- values ---- */

static size_t width_of(const struct field *f)
{
    switch (f->type) {
    case FIELD_FLAG: return sizeof(bool);
    case FIELD_TEXT: return FIELD_TEXT_MAX;
    case FIELD_BYTES64:
    case FIELD_RATE:
    case FIELD_DURATION: return 8;
    default: return 4;
    }
}

static bool is_zero(const uint8_t *at, size_t len)
{
    while (len > 0 && at[len - 1] == 0)
        len--;
    return len == 0;
}

/* Halves a number, or sets anything back to nothing. False: there is nothing to do. */
static bool lessen(const struct field *f, uint8_t *base, bool halves)
{
    uint8_t *at = base + (f->tag_offset != 0 && !halves ? f->tag_offset : f->offset);
    size_t width = f->tag_offset != 0 && !halves ? 4 : width_of(f);
    bool is_number = f->type != FIELD_FLAG && f->type != FIELD_TEXT && f->type != FIELD_WORD
                     && f->type != FIELD_NUMBERS;
    uint64_t wide;
    uint32_t narrow;

    if (is_zero(at, width) || (halves && !is_number))
        return false;
    if (!halves) {
        memset(at, 0, width);
    } else if (width == 8) {
        memcpy(&wide, at, sizeof wide);
        wide /= 2;
        memcpy(at, &wide, sizeof wide);
    } else {
        memcpy(&narrow, at, sizeof narrow);
        narrow /= 2;
        memcpy(at, &narrow, sizeof narrow);
    }
    return true;
}

/* Where the values of one part stand in a scenario. */
typedef void *(*part)(struct scenario *, size_t index);

static void *node_part(struct scenario *s, size_t index)
{
    return index < s->node_count ? &s->nodes[index] : NULL;
}

static void *way_part(struct scenario *s, size_t index)
{
    return index < 2 * s->link_count ? &s->links[index / 2].ways[index % 2] : NULL;
}

static void *flow_part(struct scenario *s, size_t index)
{
    return index < s->flow_count ? &s->flows[index] : NULL;
}

/*
 * Whether it can be written down, and can be expected to end: a flow has a count and an end, and a
 * link is not so slow that it takes an hour.
 */
static bool is_sound(const struct scenario *s)
{
    for (size_t i = 0; i < s->flow_count; i++) {
        const struct scenario_flow *f = &s->flows[i];
        if (f->count == 0 || (f->bytes + f->back_bytes == 0 && f->kind == SCENARIO_BULK)
            || (f->read_rate != 0 && f->read_rate < RATE_MIN))
            return false;
    }
    for (size_t i = 0; i < 2 * s->link_count; i++) {
        uint64_t rate = s->links[i / 2].ways[i % 2].rate_bits_s;
        if (rate != 0 && rate < RATE_MIN)
            return false;
    }
    return true;
}

static void lessen_each(struct shrinking *w, const struct field *table, part part_of, bool halves)
{
    for (size_t i = 0; part_of(w->best, i) != NULL; i++)
        for (const struct field *f = table; f->name != NULL && has_patience(w); f++) {
            struct scenario candidate;
            if (!scenario_copy(w->best, &candidate))
                return;
            if (lessen(f, part_of(&candidate, i), halves) && is_sound(&candidate))
                (void)try_it(w, &candidate);
            else
                scenario_fini(&candidate);
        }
}

static void lessen_values(struct shrinking *w, bool halves)
{
    lessen_each(w, scenario_flow_fields, flow_part, halves);
    lessen_each(w, scenario_link_fields, way_part, halves);
    lessen_each(w, scenario_node_fields, node_part, halves);
}

bool shrink_scenario(struct scenario *s)
{
    struct shrinking w = {.best = s};
    struct chance_result result;

    chance_try(s, &result);
    if (result.broken[0] == 0)
        return false;
    w.kind = result.kind;
    do {
        w.has_shrunk = false;
        remove_parts(&w);
        lessen_values(&w, false);
        lessen_values(&w, true);
    } while (w.has_shrunk && has_patience(&w));
    return true;
}
