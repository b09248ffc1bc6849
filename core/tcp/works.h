/*
 * works.h - the work of busy connections, from a pool and back
 */
#ifndef CORE_TCP_WORKS_H
#define CORE_TCP_WORKS_H

struct tcp_conn;
struct tcp_env;
struct tcp_work;

/* Cleared, but for empty places that it may bring along. NULL: no memory. */
struct tcp_work *works_get(struct tcp_env *env);

/* Gives back a connection's work, with all that is in it. */
void works_put(struct tcp_conn *c, struct tcp_env *env);

/* The same at the end of the connection: it may wait for the next one. */
void works_put_last(struct tcp_conn *c, struct tcp_env *env);

/* Gives back those that wait. */
void works_trim(struct tcp_env *env);

#endif
