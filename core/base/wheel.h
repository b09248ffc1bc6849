/*
 * wheel.h - which deadline comes next, of very many
 *
 * A hierarchical timing wheel (Varghese and Lauck 1987) with ticks of one microsecond.
 * A deadline counts as reached at the first whole microsecond that is not before it.
 *
 * A level is an array of slots, each as wide as half a turn of the level below. An entry is put into
 * the lowest level that reaches it, and since a slot's entries all fit the level below as soon as the slot before
 * has begun, they are moved there during all of that slot, as many at a time as keeps pace with
 * it: however many deadlines fall close together, there is no pause when their slot comes. The lowest two levels
 * have many slots, so that what is due within a second moves once, and within two minutes, twice:
 *
 *   level   slots   wide      reaches
 *     0     2048    1 us      2 ms
 *     1     1024    1 ms      1 s
 *     2      256    524 ms    134 s
 *     3      256    67 s      4.8 h
 *     4 to 6, 256 slots each: all instants there are
 *
 * Of very many entries each is somewhere else in memory, and a list says where the next one is only
 * when the one before it has come. So slots in which there may be many have several lists, their lanes:
 * entries are put into one after the other, and are taken out so, which keeps their order while all
 * lanes are waited for at once. Of a list the wheel has the last entry only, and that has the first.
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
    WHEEL_LEVELS = 7,
    WHEEL_PLACES = 2048 + 1024 + 5 * 256, /* slots of all levels */
    WHEEL_WORDS = WHEEL_PLACES / 64,      /* with a bit for each */
    WHEEL_LISTS = 2048 + 1024 * 4 + 256 * 8 + 256 * 4 + 3 * 256,
};

/* Zeroed memory is an entry that is not armed. */
struct wheel_entry {
    struct list link; /* prev of the first: NULL; next of the last: the first; NULL: not armed */
    ns_t at;
    uint16_t place; /* of its slot */
    uint16_t list;  /* which of the slot's it is in, counted among those of all slots */
    uint8_t owner;  /* 0, or what says to whoever takes it out what it is a part of */
};

#if WEIR_HAS_SCALE
struct wheel {
    ns_t now;             /* the latest instant seen */
    ns_t quiet_until_at;  /* before it no entry is due or to be moved */
    uint64_t tick;        /* all entries before it have been returned */
    ns_t tick_at;         /* up to then, as far as it was looked at while all was quiet */
    uint64_t coming_from; /* before this tick no slot above level 0 begins that has entries */
    uint64_t settled;     /* up to this tick moving has kept pace with time */
    uint32_t count;       /* entries armed */
    struct list line;     /* those of wheel_arm_in_line, in the order of their deadlines */
    uint32_t words[WHEEL_LEVELS];   /* bit i: the i-th of the level's words has a bit set */
    uint64_t occupied[WHEEL_WORDS]; /* bits of slots that have an entry */
    uint32_t counts[WHEEL_PLACES];  /* entries of each slot */
    struct list *last[WHEEL_LISTS]; /* valid where occupied; NULL: there is none */
};
#else
struct wheel {
    ns_t now; /* the latest instant seen */
    uint32_t count;
    struct list in_order; /* of deadlines */
};
#endif

void wheel_init(struct wheel *w, ns_t now);

static inline void wheel_entry_init(struct wheel_entry *e)
{
    *e = (struct wheel_entry){.at = NEVER};
}

static inline bool wheel_is_armed(const struct wheel_entry *e)
{
    return e->link.next != NULL;
}

/* Arms e, or moves it if it is armed. What has passed is due at once; NEVER disarms. */
void wheel_arm(struct wheel *w, struct wheel_entry *e, ns_t at);

/*
 * The same, at once, for a deadline that is not before any other that was armed like this, as where all
 * wait equally long; for one that is before, wheel_arm.
 */
void wheel_arm_in_line(struct wheel *w, struct wheel_entry *e, ns_t at);

/* Harmless if e is not armed. */
void wheel_disarm(struct wheel *w, struct wheel_entry *e);

/* wheel_expire, when there may be something to do. */
struct wheel_entry *wheel_take_due(struct wheel *w);

/*
 * The next entry that is due, disarmed; NULL when there is none. To be called until it is
 * NULL; then, or at any time, wheel_deadline says when to call it again.
 */
static inline struct wheel_entry *wheel_expire(struct wheel *w, ns_t now)
{
    w->now = ns_max(w->now, now);
#if WEIR_HAS_SCALE
    if (w->now < w->quiet_until_at)
        return NULL;
#endif
    return wheel_take_due(w);
}

/*
 * The earliest instant at which wheel_expire has something to do, never later than the
 * first deadline. It is earlier only when many entries are to be moved between levels:
 * then it may be an instant already past, and wheel_expire does a part of the work and
 * returns NULL. NEVER: nothing is armed.
 */
ns_t wheel_deadline(const struct wheel *w);

#endif
