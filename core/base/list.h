/*
 * list.h - a circular, doubly linked list whose links live in what is listed
 *
 * The head and the links are the same struct. A link that is in no list points to
 * itself, so that list_remove is harmless twice and list_is_linked can be asked; a
 * link must be initialised before either.
 */
#ifndef CORE_BASE_LIST_H
#define CORE_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *prev;
};

/*
 * The struct of the given type whose member p points to. The comparison is never
 * evaluated; it makes the compiler refuse a p of another type than the member's.
 */
#define container_of(p, type, member)                                                              \
    ((type *)(void *)((char *)(p)-offsetof(type, member) + 0 * sizeof((p) == &((type *)0)->member)))

/* i visits each link; the list must not change meanwhile. */
#define LIST_EACH(i, head) for (struct list *i = (head)->next; i != (head); i = i->next)

/* i visits each link, and may be removed when it is visited. */
#define LIST_EACH_REMOVABLE(i, head)                                                               \
    for (struct list *i = (head)->next, *i##_next = i->next; i != (head);                          \
         i = i##_next, i##_next = i->next)

inline void list_init(struct list *l)
{
    l->next = l;
    l->prev = l;
}

inline bool list_is_empty(const struct list *head)
{
    return head->next == head;
}

static inline bool list_is_linked(const struct list *link)
{
    return link->next != link;
}

/* Puts link in front of where. */
static inline void list_add_before(struct list *where, struct list *link)
{
    link->next = where;
    link->prev = where->prev;
    where->prev->next = link;
    where->prev = link;
}

static inline void list_add_first(struct list *head, struct list *link)
{
    list_add_before(head->next, link);
}

static inline void list_add_last(struct list *head, struct list *link)
{
    list_add_before(head, link);
}

inline void list_remove(struct list *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    list_init(link);
}

/* NULL if there is none, like the three below. */
inline struct list *list_first(const struct list *head)
{
    return head->next == head ? NULL : head->next;
}

static inline struct list *list_last(const struct list *head)
{
    return head->prev == head ? NULL : head->prev;
}

static inline struct list *list_next(const struct list *head, const struct list *link)
{
    return link->next == head ? NULL : link->next;
}

/* Removes the first and returns it. */
inline struct list *list_take_first(struct list *head)
{
    struct list *first = list_first(head);

    if (first)
        list_remove(first);
    return first;
}

/* Moves all of from, in order, behind the last of to. */
static inline void list_join(struct list *to, struct list *from)
{
    if (list_is_empty(from))
        return;
    from->next->prev = to->prev;
    from->prev->next = to;
    to->prev->next = from->next;
    to->prev = from->prev;
    list_init(from);
}

#endif
