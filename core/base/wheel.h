/*
 * wheel.h - which deadline comes next, of very many
 *
 * A hierarchical timing wheel (Varghese and Lauck 1987) with ticks of one microsecond.
 * A deadline counts as reached at the first whole microsecond that is not before it.
 *
 * A slot of level l is 128^l ticks wide and a level has 256 of them, so it reaches ahead
 * from 255 to 256 times its slots' width. An entry is put into the lowest level that
 * reaches it. Since a slot's entries all fit the level below as soon as the slot before
 * has begun, they are moved there during all of that slot, as many at a time as keeps pace with
 * it: however many deadlines fall close together, there is no pause when their slot comes. An entry moves
 * at most WHEEL_LEVELS - 1 times.
 *
 * Of very many entries each is somewhere else in memory, and a list says where the next one is only
 * when the one before it has come. So a slot with many has several lists, its lanes, and whoever
 * empties it goes along all of them at once.
 *
 * Entries come out in the order of their ticks. The order of those with the same tick
 * depends on what was armed and expired before, and when, but not on addresses.
 *
 * Time does not go back: an instant earlier than one already seen is taken for that one.
 */
#ifndef CORE_BASE_WHEEL_H
#define CORE_BASE_WHEEL_H

#include "base/list.h"
#include "base/ns.h"
#include "base/parts.h"
#include <stdbool.h>
#include <stdint.h>

enum {
    WHEEL_SLOT_BITS = HAS_SCALE ? 8 : 0,
    WHEEL_SLOTS = 1 << WHEEL_SLOT_BITS,
    WHEEL_WORDS = (WHEEL_SLOTS + 63) / 64,  /* with a bit for each slot of a level */
    WHEEL_LEVEL_BITS = WHEEL_SLOT_BITS - 1, /* a slot is half a turn of the level below */
    WHEEL_LEVELS = HAS_SCALE ? 8 : 1,       /* 55 bits: all microseconds that ns_t can say */
    WHEEL_LANES = HAS_SCALE ? 4 : 2,        /* lists of a slot that has many entries, at */
    WHEEL_LANES_LEVEL = HAS_SCALE ? 2 : 0,  /* levels from this one on, where nobody has been */
    WHEEL_LANES_LEVELS = HAS_SCALE ? 2 : 1, /* for long: deadlines in 30 ms to 9 minutes */
};

/* Zeroed memory is an entry that is not armed. */
struct wheel_entry {
    struct list link; /* NULL: not armed */
    ns_t at;
    uint32_t place; /* of its slot */
};

struct wheel {
    uint64_t tick;            /* all entries before it have been returned */
    uint64_t quiet_until;     /* before this tick no entry is due or to be moved */
    uint64_t coming_from;     /* before this tick no slot above level 0 begins that has entries */
    uint64_t settled;         /* up to this tick moving has kept pace with time */
    uint32_t count;           /* entries armed */
    uint32_t occupied_levels; /* bit l: some slot of level l has an entry */
    uint64_t occupied[WHEEL_LEVELS][WHEEL_WORDS];
    uint64_t spread[WHEEL_LEVELS][WHEEL_WORDS];    /* slots that use all their lanes */
    uint32_t counts[WHEEL_LEVELS * WHEEL_SLOTS];   /* entries of each slot */
    struct list slots[WHEEL_LEVELS * WHEEL_SLOTS]; /* valid where occupied: the first lane */
    /* The others, of the levels that have them; valid where spread. */
    struct list lanes[WHEEL_LANES - 1][WHEEL_LANES_LEVELS * WHEEL_SLOTS];
};

void wheel_init(struct wheel *w, ns_t now);

static inline void wheel_entry_init(struct wheel_entry *e)
{
    *e = (struct wheel_entry){{NULL, NULL}, NEVER, 0};
}

static inline bool wheel_is_armed(const struct wheel_entry *e)
{
    return e->link.next != NULL;
}

/* Arms e, or moves it if it is armed. What has passed is due at once; NEVER disarms. */
void wheel_arm(struct wheel *w, struct wheel_entry *e, ns_t at);

/* Harmless if e is not armed. */
void wheel_disarm(struct wheel *w, struct wheel_entry *e);

/*
 * The next entry that is due, disarmed; NULL when there is none. To be called until it is
 * NULL; then, or at any time, wheel_deadline says when to call it again.
 */
struct wheel_entry *wheel_expire(struct wheel *w, ns_t now);

/*
 * The earliest instant at which wheel_expire has something to do, never later than the
 * first deadline. It is earlier only when many entries are to be moved between levels:
 * then it may be an instant already past, and wheel_expire does a part of the work and
 * returns NULL. NEVER: nothing is armed.
 */
ns_t wheel_deadline(const struct wheel *w);

#endif
