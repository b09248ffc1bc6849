/*
 * wheel.c - which deadline comes next, of very many
 *
 * Ticks are microseconds, counted from below the earliest instant, so that they are not
 * negative. The number of a slot at level l is a tick without its lowest 7 l bits; its
 * place in the array, the lowest 8 bits of that. At each level the slots that have
 * entries are less than 256 after the one that contains wheel.tick, so no two slots have
 * the same place. Above level 0 they all begin after wheel.tick: an entry of the slot that
 * contains it would belong further down.
 */
#include "base/wheel.h"

#include "base/check.h"
#include "base/num.h"
#include <stddef.h>
#include <string.h>

enum {
    few = 4,             /* entries of a slot that may be moved in one go when it begins */
    first_lane_max = 64, /* entries of a slot before it uses other lanes */
    moved_at_a_time = 32 /* so many are worth a call ahead of their time */
};

static const uint64_t no_tick = UINT64_MAX;
static const uint64_t ns_per_tick = 1000;

/* Ticks begin at -origin, the last multiple of 1000 that is not after INT64_MIN. */
static const uint64_t origin = UINT64_C(9223372036854776000);

_Static_assert(WHEEL_SLOTS == 64 * WHEEL_WORDS, "a level's slots are the bits of some words");
_Static_assert(WHEEL_LEVELS *WHEEL_LEVEL_BITS >= 55, "2^64 ns are less than 2^55 us");

/* ---- ticks and slots ---- */

/* The last whole microsecond but one that ns_t can say; later ones have no room to round up. */
static const ns_t end_of_time = NEVER - NEVER % 1000 - 1000;

static uint64_t since_origin(ns_t at)
{
    return (uint64_t)ns_min(at, end_of_time) + origin;
}

static uint64_t tick_begun(ns_t now)
{
    return since_origin(now) / ns_per_tick;
}

static uint64_t tick_not_before(ns_t at)
{
    return (since_origin(at) + ns_per_tick - 1) / ns_per_tick;
}

static ns_t instant_of(uint64_t tick)
{
    return (ns_t)(tick * ns_per_tick - origin);
}

static unsigned shift_of(unsigned level)
{
    return level * WHEEL_LEVEL_BITS;
}

static unsigned place_of(unsigned level, uint64_t number)
{
    return level * WHEEL_SLOTS + (unsigned)(number % WHEEL_SLOTS);
}

/* How many slots of a level are between the present one and that of a tick. */
static uint64_t distance(const struct wheel *w, unsigned level, uint64_t tick)
{
    return (tick >> shift_of(level)) - (w->tick >> shift_of(level));
}

/* The lowest level that reaches a tick. */
static unsigned level_of(const struct wheel *w, uint64_t tick)
{
    uint64_t ticks = tick - w->tick;
    unsigned bits = 64 - (unsigned)__builtin_clzll(ticks | (WHEEL_SLOTS - 1));
    unsigned level = (bits - WHEEL_SLOT_BITS + WHEEL_LEVEL_BITS - 1) / WHEEL_LEVEL_BITS;

    /* Counted in whole slots it may be one too far. */
    return distance(w, level, tick) < WHEEL_SLOTS ? level : level + 1;
}

/* ---- putting entries in and out ---- */

/* From when on wheel_expire has something to do for a slot above level 0: ahead of its time. */
static uint64_t first_demand(const struct wheel *w, unsigned level, uint64_t number)
{
    return u64_max((number - 1) << shift_of(level), w->tick);
}

/* The bit of a slot, and the index of its word among those of all levels. */
static uint64_t bit_of(unsigned place)
{
    return UINT64_C(1) << place % 64;
}

static uint64_t *word_of(uint64_t words[][WHEEL_WORDS], unsigned place)
{
    return &words[place / WHEEL_SLOTS][place % WHEEL_SLOTS / 64];
}

static bool is_spread(const struct wheel *w, unsigned place)
{
    return w->spread[place / WHEEL_SLOTS][place % WHEEL_SLOTS / 64] & bit_of(place);
}

static unsigned lanes_of(const struct wheel *w, unsigned place)
{
    return is_spread(w, place) ? WHEEL_LANES : 1;
}

static void note_first(struct wheel *w, unsigned place)
{
    list_init(&w->slots[place]);
    *word_of(w->occupied, place) |= bit_of(place);
    w->occupied_levels |= UINT32_C(1) << place / WHEEL_SLOTS;
}

/* Only some levels have more lanes than the first, which are asked for there. */
static struct list *lane_at(struct wheel *w, unsigned place, unsigned lane)
{
    return lane == 0 ? &w->slots[place]
                     : &w->lanes[lane - 1][place - WHEEL_LANES_LEVEL * WHEEL_SLOTS];
}

static bool may_spread(unsigned place)
{
    return place / WHEEL_SLOTS - WHEEL_LANES_LEVEL < WHEEL_LANES_LEVELS;
}

static void spread(struct wheel *w, unsigned place)
{
    for (unsigned lane = 1; lane < WHEEL_LANES; lane++)
        list_init(lane_at(w, place, lane));
    *word_of(w->spread, place) |= bit_of(place);
}

/* The list that gets the next entry of a slot with so many. */
static struct list *lane_for(struct wheel *w, unsigned place, uint32_t count)
{
    if (count == 0)
        note_first(w, place);
    if (count < first_lane_max || !may_spread(place))
        return &w->slots[place];
    if (!is_spread(w, place))
        spread(w, place);
    return lane_at(w, place, count % WHEEL_LANES);
}

/* Returns from when on there is something to do for it. */
static uint64_t put_in(struct wheel *w, struct wheel_entry *e)
{
    uint64_t tick = u64_max(tick_not_before(e->at), w->tick);
    unsigned level = level_of(w, tick);
    uint64_t number = tick >> shift_of(level);

    e->place = place_of(level, number);
    list_add_last(lane_for(w, e->place, w->counts[e->place]++), &e->link);
    if (level == 0)
        return tick;
    w->coming_from = u64_min(w->coming_from, number << shift_of(level));
    return first_demand(w, level, number);
}

static void note_empty(struct wheel *w, unsigned place)
{
    unsigned level = place / WHEEL_SLOTS;

    *word_of(w->occupied, place) &= ~bit_of(place);
    *word_of(w->spread, place) &= ~bit_of(place);
    for (unsigned i = 0; i < WHEEL_WORDS; i++)
        if (w->occupied[level][i] != 0)
            return;
    w->occupied_levels &= ~(UINT32_C(1) << level);
}

static void count_down(struct wheel *w, unsigned place, uint32_t count)
{
    CHECK(w->counts[place] >= count);
    w->counts[place] -= count;
    if (w->counts[place] == 0)
        note_empty(w, place);
}

static void take_out(struct wheel *w, struct wheel_entry *e)
{
    list_remove(&e->link);
    count_down(w, e->place, 1);
}

static struct wheel_entry *entry_of(struct list *link)
{
    return container_of(link, struct wheel_entry, link);
}

/* ---- moving entries down ---- */

/* The number of the first slot of a level that has an entry; the level has one. */
static uint64_t first_slot(const struct wheel *w, unsigned level)
{
    uint64_t present = w->tick >> shift_of(level);
    unsigned turn = (unsigned)(present % WHEEL_SLOTS), i = turn / 64;
    uint64_t ahead = w->occupied[level][i] & UINT64_MAX << turn % 64;

    while (ahead == 0) { /* around, and to what the first word has before the present */
        i = (i + 1) % WHEEL_WORDS;
        ahead = w->occupied[level][i];
    }
    return present + (i * 64 + (unsigned)__builtin_ctzll(ahead) - turn) % WHEEL_SLOTS;
}

/* The lowest level from the given one on that has an entry; WHEEL_LEVELS if none has. */
static unsigned next_level(const struct wheel *w, unsigned level)
{
    uint32_t levels = w->occupied_levels >> level;

    return levels ? level + (unsigned)__builtin_ctz(levels) : WHEEL_LEVELS;
}

/* Moves some entries of a slot, which has as many, to lower levels: of each lane one after the other. */
static void move_down(struct wheel *w, unsigned place, uint32_t count)
{
    struct list *lanes[WHEEL_LANES], *next[WHEEL_LANES];
    unsigned lane_count = lanes_of(w, place), i;

    for (i = 0; i < lane_count; i++) {
        lanes[i] = lane_at(w, place, i);
        next[i] = lanes[i]->next;
        __builtin_prefetch(next[i]);
    }
    count_down(w, place, count);
    for (i = 0; count > 0; i = i + 1 < lane_count ? i + 1 : 0) {
        struct list *link = next[i];

        if (link == lanes[i])
            continue;
        next[i] = link->next;
        __builtin_prefetch(next[i]);
        (void)put_in(w, entry_of(link)); /* how long all is quiet is worked out when time stops */
        count--;
    }
    for (i = 0; i < lane_count; i++) {
        lanes[i]->next = next[i];
        next[i]->prev = lanes[i];
    }
}

/*
 * How many of a slot's entries are to be moved now so that the last goes when the slot begins,
 * however often somebody comes by.
 */
static uint32_t quota(const struct wheel *w, unsigned level, uint64_t number)
{
    uint64_t from = u64_max((number - 1) << shift_of(level), w->settled);
    uint64_t left = (number << shift_of(level)) - from, passed = w->tick - from;
    uint32_t count = w->counts[place_of(level, number)];

    return passed == 0 ? 0 : (uint32_t)div_ceil(count, left / passed);
}

/* Moves entries ahead of the time. */
static void settle(struct wheel *w)
{
    for (unsigned level = next_level(w, 1); level < WHEEL_LEVELS;
         level = next_level(w, level + 1)) {
        uint64_t number = first_slot(w, level);

        if (number == (w->tick >> shift_of(level)) + 1)
            move_down(w, place_of(level, number), quota(w, level, number));
    }
}

/* While the slot before a full one lasts: when some of its entries are to be moved. */
static uint64_t next_move(const struct wheel *w, unsigned level, uint64_t number)
{
    uint64_t from = u64_max((number - 1) << shift_of(level), w->tick);
    uint64_t left = (number << shift_of(level)) - from;
    uint32_t count = w->counts[place_of(level, number)];

    return from + u64_max(left / div_ceil(count, moved_at_a_time), 1);
}

static bool has_few(const struct wheel *w, unsigned level, uint64_t number)
{
    return w->counts[place_of(level, number)] <= few;
}

/* Until then time goes on without any work. */
static uint64_t find_quiet_end(const struct wheel *w)
{
    uint64_t end = no_tick;

    for (unsigned level = next_level(w, 0); level < WHEEL_LEVELS;
         level = next_level(w, level + 1)) {
        uint64_t number = first_slot(w, level);
        bool waits = level == 0 || has_few(w, level, number);
        end = u64_min(end, waits ? number << shift_of(level) : next_move(w, level, number));
    }
    return end;
}

/* The slot above level 0 that begins first. */
struct coming {
    uint64_t tick; /* no_tick: there is none */
    unsigned place;
};

static struct coming first_coming(const struct wheel *w)
{
    struct coming first = {no_tick, 0};

    for (unsigned level = next_level(w, 1); level < WHEEL_LEVELS;
         level = next_level(w, level + 1)) {
        uint64_t number = first_slot(w, level);
        uint64_t tick = number << shift_of(level);

        if (tick < first.tick)
            first = (struct coming){tick, place_of(level, number)};
    }
    return first;
}

/* ---- the next deadline ---- */

static uint64_t first_due(const struct wheel *w)
{
    return w->occupied_levels & 1 ? first_slot(w, 0) : no_tick;
}

static uint64_t first_of(const struct wheel *w, unsigned place)
{
    uint64_t first = no_tick;

    for (unsigned lane = 0; lane < lanes_of(w, place); lane++)
        LIST_EACH (link, lane_at((struct wheel *)(uintptr_t)w, place, lane))
            first = u64_min(first, tick_not_before(entry_of(link)->at));
    return first;
}

/* Of a slot above level 0 that has a few entries, they say when; one with many is moved before. */
ns_t wheel_deadline(const struct wheel *w)
{
    uint64_t first = first_due(w);

    for (unsigned level = next_level(w, 1); level < WHEEL_LEVELS;
         level = next_level(w, level + 1)) {
        uint64_t number = first_slot(w, level);
        if (has_few(w, level, number))
            first = u64_min(first, first_of(w, place_of(level, number)));
        else
            first = u64_min(first, next_move(w, level, number));
    }
    return first == no_tick ? NEVER : instant_of(first);
}

/* ---- the interface ---- */

void wheel_init(struct wheel *w, ns_t now)
{
    w->tick = tick_begun(now);
    w->quiet_until = no_tick;
    w->coming_from = no_tick;
    w->settled = w->tick;
    w->count = 0;
    w->occupied_levels = 0;
    memset(w->counts, 0, sizeof w->counts);
    memset(w->occupied, 0, sizeof w->occupied);
    memset(w->spread, 0, sizeof w->spread);
}

void wheel_disarm(struct wheel *w, struct wheel_entry *e)
{
    if (!wheel_is_armed(e))
        return;
    take_out(w, e);
    wheel_entry_init(e);
    w->count--;
}

void wheel_arm(struct wheel *w, struct wheel_entry *e, ns_t at)
{
    wheel_disarm(w, e);
    if (at == NEVER)
        return;
    e->at = at;
    w->quiet_until = u64_min(w->quiet_until, put_in(w, e));
    w->count++;
}

/* The first tick with something due until then, after what begins before is moved; or a later one. */
static uint64_t find_due(struct wheel *w, uint64_t target)
{
    uint64_t due = first_due(w);

    while (w->coming_from <= u64_min(due, target)) {
        struct coming coming = first_coming(w);

        w->coming_from = coming.tick;
        if (coming.tick > u64_min(due, target))
            break;
        w->tick = coming.tick;
        move_down(w, coming.place, w->counts[coming.place]);
        due = first_due(w);
    }
    return due;
}

struct wheel_entry *wheel_expire(struct wheel *w, ns_t now)
{
    uint64_t target = u64_max(tick_begun(now), w->tick), due;
    struct wheel_entry *e;

    if (target < w->quiet_until) {
        w->tick = target;
        return NULL;
    }
    due = find_due(w, target);
    if (due <= target) {
        w->tick = due;
        e = entry_of(w->slots[place_of(0, w->tick)].next);
        wheel_disarm(w, e);
        return e;
    }
    w->tick = target;
    settle(w);
    w->settled = target;
    w->quiet_until = find_quiet_end(w);
    return NULL;
}
