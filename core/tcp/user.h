/*
 * user.h - what the application asks of a connection [RFC9293 3.10.1 to 3.10.6]
 *
 * Error codes are those of weir/tcp.h. The stack has found the connection and made sure
 * that the application still owns it.
 */
#ifndef CORE_TCP_USER_H
#define CORE_TCP_USER_H

#include "base/seq.h"
#include "tcp/isn.h"
#include <stddef.h>
#include <stdint.h>
#include <weir/tcp.h>

struct tcp_conn;
struct tcp_env;

/* Active OPEN: c is closed and has its ends and options. WEIR_ENOMEM: no memory. */
int tcp_open(struct tcp_conn *c, struct tcp_env *env, struct isn isn, uint32_t mtu);

ptrdiff_t tcp_send(struct tcp_conn *c, struct tcp_env *env, const void *bytes, size_t len,
                   unsigned flags);
ptrdiff_t tcp_send_lent(struct tcp_conn *c, struct tcp_env *env, struct weir_slice bytes,
                        unsigned flags, void (*release)(void *owner), void *owner);

ptrdiff_t tcp_recv(struct tcp_conn *c, struct tcp_env *env, void *bytes, size_t len);
ptrdiff_t tcp_recv_lent(struct tcp_conn *c, struct weir_slice *slices, size_t max, size_t *count);
ptrdiff_t tcp_peek(const struct tcp_conn *c, size_t skip, void *bytes, size_t len);
int tcp_recv_post(struct tcp_conn *c, struct tcp_env *env, void *bytes, size_t len);
ptrdiff_t tcp_recv_take(struct tcp_conn *c, struct tcp_env *env, void **bytes);
int tcp_recv_done(struct tcp_conn *c, struct tcp_env *env, size_t len);

/* What waits in its queues. */
void tcp_queued(const struct tcp_conn *c, struct weir_tcp_queued *queued);

int tcp_shutdown(struct tcp_conn *c, struct tcp_env *env);

/* The application gives the connection up; it ends by itself or at once. */
void tcp_close(struct tcp_conn *c, struct tcp_env *env);
void tcp_abort(struct tcp_conn *c, struct tcp_env *env);

ptrdiff_t tcp_urgent(const struct tcp_conn *c);

int tcp_set(struct tcp_conn *c, struct tcp_env *env, enum weir_opt opt, int64_t value);
int tcp_get(const struct tcp_conn *c, enum weir_opt opt, int64_t *value);

/* What an option is that nobody has set. */
int tcp_default(const struct tcp_env *env, enum weir_opt opt, int64_t *value);

void tcp_info(const struct tcp_conn *c, const struct tcp_env *env, struct weir_tcp_info *info);

#endif
