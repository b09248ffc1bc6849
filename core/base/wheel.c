/*
 * wheel.c - which deadline comes next, of very many
 *
 * Ticks are microseconds, counted from below the earliest instant, so that they are not
 * negative. The number of a slot is a tick without the bits that are within the slot; its
 * place among those of its level, the lowest bits of that. At each level the slots that have
 * entries are less than a turn after the one that contains wheel.tick, so no two slots have
 * the same place. Above level 0 they all begin after wheel.tick: an entry of the slot that
 * contains it would belong further down.
 */
#include "base/wheel.h"

#include "base/check.h"
#include "base/num.h"
#include <stddef.h>
#include <string.h>

enum {
    few = 4,              /* entries of a slot that may be moved in one go when it begins */
    moved_at_a_time = 32, /* so many are worth a call ahead of their time */
    lanes_max = 8,
};

struct level {
    uint8_t shift;     /* a slot is 2^shift ticks wide */
    uint8_t lane_bits; /* and has 2^lane_bits lists */
    uint16_t slots;
    uint16_t first_place, first_list;
};

/* Entries wait longest, and are in no cache when they are moved, where what is due in minutes is. */
static const struct level levels[WHEEL_LEVELS] = {
    {.shift = 0, .lane_bits = 0, .slots = 2048, .first_place = 0, .first_list = 0},
    {.shift = 10, .lane_bits = 2, .slots = 1024, .first_place = 2048, .first_list = 2048},
    {.shift = 19, .lane_bits = 3, .slots = 256, .first_place = 3072, .first_list = 6144},
    {.shift = 26, .lane_bits = 2, .slots = 256, .first_place = 3328, .first_list = 8192},
    {.shift = 33, .lane_bits = 0, .slots = 256, .first_place = 3584, .first_list = 9216},
    {.shift = 40, .lane_bits = 0, .slots = 256, .first_place = 3840, .first_list = 9472},
    {.shift = 47, .lane_bits = 0, .slots = 256, .first_place = 4096, .first_list = 9728},
};

static const uint64_t no_tick = UINT64_MAX;
static const uint16_t in_line = UINT16_MAX; /* the place of an entry that stands in no slot */
static const uint64_t ns_per_tick = 1000;

/* Ticks begin at -origin, the last multiple of 1000 that is not after INT64_MIN. */
static const uint64_t origin = UINT64_C(9223372036854776000);

_Static_assert(9728 + 256 == WHEEL_LISTS, "the last level has the last lists");
_Static_assert(4096 + 256 == WHEEL_PLACES, "and the last places");

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
    return tick == no_tick ? NEVER : (ns_t)(tick * ns_per_tick - origin);
}

/* The tick that time has come to: while all is quiet nobody keeps it up to date. */
static uint64_t present_tick(const struct wheel *w)
{
    return w->now < w->quiet_until_at ? u64_max(tick_begun(w->now), w->tick) : w->tick;
}

static void catch_up(struct wheel *w)
{
    if (w->tick_at == w->now)
        return;
    w->tick = present_tick(w);
    w->tick_at = w->now;
}

static unsigned shift_of(unsigned level)
{
    return levels[level].shift;
}

static unsigned place_of(unsigned level, uint64_t number)
{
    const struct level *l = &levels[level];

    return l->first_place + ((unsigned)number & (l->slots - 1u));
}

/* The first of a slot's lists. */
static unsigned list_of(unsigned level, unsigned place)
{
    const struct level *l = &levels[level];

    return l->first_list + ((place - l->first_place) << l->lane_bits);
}

static unsigned lanes_of(unsigned level)
{
    return 1u << levels[level].lane_bits;
}

/* The lowest level that reaches a tick, counted in whole slots after the present one. */
static unsigned level_of(const struct wheel *w, uint64_t tick)
{
    const struct level *l = levels;

    while ((tick >> l->shift) - (w->tick >> l->shift) >= l->slots)
        l++;
    return (unsigned)(l - levels);
}

static unsigned level_at(unsigned place)
{
    unsigned level = WHEEL_LEVELS - 1;

    while (place < levels[level].first_place)
        level--;
    return level;
}

/* ---- lists that are known by their last ---- */

static void append(struct list **last, struct list *link)
{
    link->prev = *last;
    link->next = link;
    if (*last != NULL) {
        link->next = (*last)->next;
        (*last)->next = link;
    }
    *last = link;
}

static void drop(struct list **last, struct list *link)
{
    struct list *prev = link->prev, *next = link->next;

    if (link == *last)
        *last = prev; /* NULL if it was the only one */
    else
        next->prev = prev;
    if (prev == NULL && *last != NULL)
        prev = *last; /* to which the first is next */
    if (prev != NULL)
        prev->next = next;
}

/* ---- putting entries in and out ---- */

/* From when on wheel_expire has something to do for a slot above level 0: ahead of its time. */
static uint64_t first_demand(const struct wheel *w, unsigned level, uint64_t number)
{
    return u64_max((number - 1) << shift_of(level), w->tick);
}

static void note_first(struct wheel *w, unsigned level, unsigned place)
{
    struct list **last = &w->last[list_of(level, place)];

    for (unsigned lane = 0; lane < lanes_of(level); lane++)
        last[lane] = NULL;
    w->occupied[place / 64] |= UINT64_C(1) << place % 64;
    w->words[level] |= UINT32_C(1) << (place - levels[level].first_place) / 64;
}

/* Returns from when on there is something to do for it. */
static uint64_t put_in(struct wheel *w, struct wheel_entry *e)
{
    uint64_t tick = u64_max(tick_not_before(e->at), w->tick);
    unsigned level = level_of(w, tick);
    uint64_t number = tick >> shift_of(level);
    unsigned place = place_of(level, number);
    uint32_t count = w->counts[place]++;
    unsigned list = list_of(level, place) + (count & (lanes_of(level) - 1));

    if (count == 0)
        note_first(w, level, place);
    e->place = (uint16_t)place;
    e->list = (uint16_t)list;
    append(&w->last[list], &e->link);
    if (level == 0)
        return tick;
    w->coming_from = u64_min(w->coming_from, number << shift_of(level));
    return first_demand(w, level, number);
}

static void note_empty(struct wheel *w, unsigned place)
{
    unsigned level = level_at(place);

    w->occupied[place / 64] &= ~(UINT64_C(1) << place % 64);
    if (w->occupied[place / 64] == 0)
        w->words[level] &= ~(UINT32_C(1) << (place - levels[level].first_place) / 64);
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
    if (e->place == in_line) {
        list_remove(&e->link);
        return;
    }
    count_down(w, e->place, 1);
    drop(&w->last[e->list], &e->link);
}

static struct wheel_entry *entry_of(struct list *link)
{
    return container_of(link, struct wheel_entry, link);
}

/* ---- moving entries down ---- */

/* The number of the first slot of a level that has an entry; the level has one. */
static uint64_t first_slot(const struct wheel *w, unsigned level)
{
    const struct level *l = &levels[level];
    const uint64_t *occupied = &w->occupied[l->first_place / 64];
    uint64_t present = w->tick >> l->shift;
    unsigned turn = (unsigned)present & (l->slots - 1u), i = turn / 64;
    uint64_t ahead = occupied[i] & UINT64_MAX << turn % 64;

    if (ahead == 0) {
        /* What follows, or else from the beginning, with what is before the present. */
        uint32_t further = w->words[level] & UINT32_MAX << i << 1;

        i = (unsigned)__builtin_ctz(further ? further : w->words[level]);
        ahead = occupied[i];
    }
    return present + ((i * 64 + (unsigned)__builtin_ctzll(ahead) - turn) & (l->slots - 1u));
}

/* The lowest level from the given one on that has an entry; WHEEL_LEVELS if none has. */
static unsigned next_level(const struct wheel *w, unsigned level)
{
    while (level < WHEEL_LEVELS && w->words[level] == 0)
        level++;
    return level;
}

/* Moves some entries of a slot, which has as many, to lower levels: of each lane one after the other. */
static void move_down(struct wheel *w, unsigned level, unsigned place, uint32_t count)
{
    struct list **last = &w->last[list_of(level, place)], *next[lanes_max] = {NULL};
    unsigned lane_count = lanes_of(level), i;

    for (i = 0; i < lane_count; i++)
        next[i] = last[i] == NULL ? NULL : last[i]->next;
    count_down(w, place, count);
    for (i = 0; count > 0; i = (i + 1) & (lane_count - 1)) {
        struct list *link = next[i];

        if (link == NULL)
            continue;
        next[i] = link == last[i] ? NULL : link->next;
        __builtin_prefetch(next[i], 1);
        (void)put_in(w, entry_of(link)); /* how long all is quiet is worked out when time stops */
        count--;
    }
    for (i = 0; i < lane_count; i++) {
        if (next[i] == NULL) {
            last[i] = NULL;
            continue;
        }
        last[i]->next = next[i];
        next[i]->prev = NULL;
    }
}

/*
 * While a slot's entries are moved, the first of the next one's lanes are on their way, and the last of
 * those that follow, by which their first will be found.
 */
static void fetch_ahead(const struct wheel *w, unsigned level, uint64_t number)
{
    unsigned soon = place_of(level, number + 1), later = place_of(level, number + 2), lane;
    struct list *const *last = &w->last[list_of(level, soon)];

    for (lane = 0; w->counts[soon] > few && lane < lanes_of(level); lane++)
        if (last[lane] != NULL)
            __builtin_prefetch(last[lane]->next, 1);
    last = &w->last[list_of(level, later)];
    for (lane = 0; w->counts[later] > few && lane < lanes_of(level); lane++)
        __builtin_prefetch(last[lane], 1);
}

/*
 * How many of a slot's entries are to be moved now so that the last goes when the slot begins,
 * however often somebody comes by. Of each lane as many, so that the next that come find the same order.
 */
static uint32_t quota(const struct wheel *w, unsigned level, uint64_t number)
{
    uint64_t from = u64_max((number - 1) << shift_of(level), w->settled);
    uint64_t left = (number << shift_of(level)) - from, passed = w->tick - from;
    uint32_t count = w->counts[place_of(level, number)];

    uint32_t part = passed == 0 ? 0 : (uint32_t)div_ceil(count, left / passed);

    return u32_min((part + lanes_of(level) - 1) & ~(lanes_of(level) - 1), count);
}

/* Moves entries ahead of the time. */
static void settle(struct wheel *w)
{
    for (unsigned level = next_level(w, 1); level < WHEEL_LEVELS;
         level = next_level(w, level + 1)) {
        uint64_t number = first_slot(w, level);

        if (number == (w->tick >> shift_of(level)) + 1)
            move_down(w, level, place_of(level, number), quota(w, level, number));
    }
}

/* While the slot before a full one lasts: when some of its entries are to be moved. */
static uint64_t next_move(const struct wheel *w, unsigned level, uint64_t number)
{
    uint64_t from = u64_max((number - 1) << shift_of(level), present_tick(w));
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
    unsigned level, place;
};

static struct coming first_coming(const struct wheel *w)
{
    struct coming first = {no_tick, 0, 0};

    for (unsigned level = next_level(w, 1); level < WHEEL_LEVELS;
         level = next_level(w, level + 1)) {
        uint64_t number = first_slot(w, level);
        uint64_t tick = number << shift_of(level);

        if (tick < first.tick)
            first = (struct coming){tick, level, place_of(level, number)};
    }
    return first;
}

/* ---- the next deadline ---- */

static uint64_t first_due(const struct wheel *w)
{
    return w->words[0] != 0 ? first_slot(w, 0) : no_tick;
}

static uint64_t first_of(const struct wheel *w, unsigned level, unsigned place)
{
    struct list *const *last = &w->last[list_of(level, place)], *link;
    uint64_t first = no_tick;

    for (unsigned lane = 0; lane < lanes_of(level); lane++)
        for (link = last[lane]; link != NULL; link = link->prev)
            first = u64_min(first, tick_not_before(entry_of(link)->at));
    return first;
}

/* Deadlines in line are as they were given, and not whole ticks. */
static ns_t first_in_line(const struct wheel *w)
{
    return list_is_empty(&w->line) ? NEVER : entry_of(w->line.next)->at;
}

static bool is_line_due(const struct wheel *w)
{
    return !list_is_empty(&w->line) && entry_of(w->line.next)->at <= w->now;
}

/* Of a slot above level 0 that has a few entries, they say when; one with many is moved before. */
ns_t wheel_deadline(const struct wheel *w)
{
    uint64_t first = first_due(w);

    for (unsigned level = next_level(w, 1); level < WHEEL_LEVELS;
         level = next_level(w, level + 1)) {
        uint64_t number = first_slot(w, level);
        if (has_few(w, level, number))
            first = u64_min(first, first_of(w, level, place_of(level, number)));
        else
            first = u64_min(first, next_move(w, level, number));
    }
    return ns_min(instant_of(first), first_in_line(w));
}

/* ---- the interface ---- */

void wheel_init(struct wheel *w, ns_t now)
{
    list_init(&w->line);
    w->now = now;
    w->quiet_until_at = NEVER;
    w->tick_at = now;
    w->tick = tick_begun(now);
    w->coming_from = no_tick;
    w->settled = w->tick;
    w->count = 0;
    memset(w->words, 0, sizeof w->words);
    memset(w->occupied, 0, sizeof w->occupied);
    memset(w->counts, 0, sizeof w->counts);
}

void wheel_disarm(struct wheel *w, struct wheel_entry *e)
{
    if (!wheel_is_armed(e))
        return;
    take_out(w, e);
    e->link.next = NULL;
    e->at = NEVER;
    w->count--;
}

void wheel_arm(struct wheel *w, struct wheel_entry *e, ns_t at)
{
    wheel_disarm(w, e);
    if (at == NEVER)
        return;
    e->at = at;
    catch_up(w);
    w->quiet_until_at = ns_min(w->quiet_until_at, instant_of(put_in(w, e)));
    w->count++;
}

/* Whether that may be the last in line, where e itself does not count. */
static bool is_last_in_line(const struct wheel *w, const struct wheel_entry *e, ns_t at)
{
    struct list *last = w->line.prev == &e->link ? e->link.prev : w->line.prev;

    return at != NEVER && (last == &w->line || entry_of(last)->at <= at);
}

void wheel_arm_in_line(struct wheel *w, struct wheel_entry *e, ns_t at)
{
    if (!is_last_in_line(w, e, at)) {
        wheel_arm(w, e, at);
        return;
    }
    wheel_disarm(w, e);
    e->at = at;
    e->place = in_line;
    list_add_last(&w->line, &e->link);
    w->quiet_until_at = ns_min(w->quiet_until_at, at);
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
        fetch_ahead(w, coming.level, coming.tick >> shift_of(coming.level));
        move_down(w, coming.level, coming.place, w->counts[coming.place]);
        due = first_due(w);
    }
    return due;
}

struct wheel_entry *wheel_take_due(struct wheel *w)
{
    uint64_t target = u64_max(tick_begun(w->now), w->tick), due;
    struct wheel_entry *e;

    if (is_line_due(w)) {
        e = entry_of(w->line.next);
        wheel_disarm(w, e);
        return e;
    }
    due = find_due(w, target);
    if (due <= target) {
        w->tick = due;
        e = entry_of(w->last[place_of(0, w->tick)]->next);
        wheel_disarm(w, e);
        return e;
    }
    w->tick = target;
    settle(w);
    w->settled = target;
    w->quiet_until_at = ns_min(instant_of(find_quiet_end(w)), first_in_line(w));
    return NULL;
}
