/*
 * works.h - the work of busy connections, from a pool and back
 */
#ifndef CORE_TCP_WORKS_H
#define CORE_TCP_WORKS_H

#include "base/hint.h"
#include "base/parts.h"
#include "tcp/conn.h"
#include <stdbool.h>

/* Cleared, but for empty places that it may bring along. NULL: no memory. */
struct tcp_work *works_get(struct tcp_env *env);

/* Gives back a connection's work, with all that is in it. */
void works_put(struct tcp_conn *c, struct tcp_env *env);

/* The same at the end of the connection: it may wait for the next one. */
void works_put_last(struct tcp_conn *c, struct tcp_env *env);

/* Gives back those that wait. */
void works_trim(struct tcp_env *env);

/* So many are at work that what one needs is not in the cache when its turn comes. */
static inline bool works_are_many(const struct tcp_env *env)
{
    enum { many = 256 };

    return HAS_SCALE && env->works.used >= many;
}

/* Starts to fetch what nearly all segments look at; w may be NULL. */
static inline void works_fetch(const struct tcp_work *w)
{
    if (w != NULL)
        hint_fetch(w, TCP_WORK_HOT);
}

/* The same of what the application's calls do, which read and write: the queues are the end of it. */
static inline void works_fetch_queues(const struct tcp_work *w)
{
    if (w != NULL)
        hint_fetch(w, TCP_WORK_QUEUES);
}

#endif
