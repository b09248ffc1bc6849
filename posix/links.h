/*
 * links.h - a circular list whose links live in what is listed
 *
 * A link that is in no list points to itself: links_remove is harmless twice.
 */
#ifndef POSIX_LINKS_H
#define POSIX_LINKS_H

#include <stdbool.h>
#include <stddef.h>

struct links {
    struct links *next, *prev;
};

/* The struct of the given type whose member p points to. */
#define LINKED(p, type, member) ((type *)(void *)((char *)(p)-offsetof(type, member)))

static inline void links_init(struct links *l)
{
    l->next = l;
    l->prev = l;
}

static inline bool links_are_empty(const struct links *head)
{
    return head->next == head;
}

static inline bool links_are_linked(const struct links *link)
{
    return link->next != link;
}

static inline void links_add_last(struct links *head, struct links *link)
{
    link->next = head;
    link->prev = head->prev;
    head->prev->next = link;
    head->prev = link;
}

static inline void links_remove(struct links *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    links_init(link);
}

/* The first one, taken out; NULL: there is none. */
static inline struct links *links_take_first(struct links *head)
{
    struct links *link = head->next;

    if (link == head)
        return NULL;
    links_remove(link);
    return link;
}

#endif
