/*
 * api.h - what the public functions do, without telling anybody
 *
 * calls.c has the public functions of these names: each does the same and tells the hook of
 * the configuration about it (weir/call.h). The public headers say what they do.
 */
#ifndef CORE_STACK_API_H
#define CORE_STACK_API_H

#include <stddef.h>
#include <stdint.h>
#include <weir/auth.h>
#include <weir/tcp.h>
#include <weir/udp.h>
#include <weir/weir.h>

/* ---- rx.c, tx.c, events.c ---- */

void api_input(struct weir *s, weir_netif_t id, struct weir_frame *frames, size_t count);
void api_advance(struct weir *s, weir_ns_t now);
size_t api_output(struct weir *s, weir_netif_t id, struct weir_frame **frames, size_t max);
void api_output_done(struct weir *s, struct weir_frame **frames, size_t count);
weir_ns_t api_deadline(struct weir *s);
bool api_event(struct weir *s, struct weir_event *event);

/* ---- api_net.c ---- */

int api_netif_add(struct weir *s, const struct weir_netif_config *config, weir_netif_t *netif);
int api_netif_remove(struct weir *s, weir_netif_t netif);
int api_netif_set_mtu(struct weir *s, weir_netif_t netif, uint32_t mtu);
int api_addr_add(struct weir *s, weir_netif_t id, const struct weir_prefix *addr);
int api_addr_remove(struct weir *s, weir_netif_t id, const struct weir_addr *addr);
int api_route_add(struct weir *s, const struct weir_prefix *prefix, const struct weir_addr *gateway,
                  weir_netif_t netif);
int api_route_remove(struct weir *s, const struct weir_prefix *prefix);

/* ---- api_tcp.c ---- */

int api_connect_with(struct weir *s, const struct weir_endpoint *local,
                     const struct weir_endpoint *remote, const struct weir_opt_value *opts,
                     size_t count, weir_conn_t *conn);
int api_listen_with(struct weir *s, const struct weir_endpoint *local, uint32_t backlog,
                    const struct weir_opt_value *opts, size_t count, weir_listener_t *listener);
int api_accept(struct weir *s, weir_listener_t listener, weir_conn_t *conn);
ptrdiff_t api_send(struct weir *s, weir_conn_t conn, const void *bytes, size_t len, unsigned flags);
ptrdiff_t api_send_lent(struct weir *s, weir_conn_t conn, struct weir_slice bytes, unsigned flags,
                        void (*release)(void *owner), void *owner);
ptrdiff_t api_recv(struct weir *s, weir_conn_t conn, void *bytes, size_t len);
ptrdiff_t api_recv_lent(struct weir *s, weir_conn_t conn, struct weir_slice *slices, size_t max,
                        size_t *count);
int api_recv_post(struct weir *s, weir_conn_t conn, void *bytes, size_t len);
ptrdiff_t api_recv_take(struct weir *s, weir_conn_t conn, void **bytes);
int api_recv_done(struct weir *s, weir_conn_t conn, size_t len);
int api_shutdown(struct weir *s, weir_conn_t conn);
int api_close(struct weir *s, weir_handle_t handle);
int api_abort(struct weir *s, weir_conn_t conn);
int api_set(struct weir *s, weir_handle_t handle, enum weir_opt opt, int64_t value);
void api_next_isn(struct weir *s, uint32_t isn);
int api_tcp_configure(struct weir *s, const struct weir_tcp_config *config);
void api_fastopen_key(struct weir *s, const uint8_t key[16]);
int api_listener_fastopen_keys(struct weir *s, weir_listener_t listener, const uint8_t (*keys)[16],
                               size_t count);

/* ---- api_udp.c ---- */

int api_udp_open_with(struct weir *s, const struct weir_endpoint *local,
                      const struct weir_endpoint *remote, const struct weir_opt_value *opts,
                      size_t count, weir_udp_t *udp);
int api_udp_connect(struct weir *s, weir_udp_t udp, const struct weir_endpoint *remote);
ptrdiff_t api_udp_send(struct weir *s, weir_udp_t udp, const struct weir_endpoint *to,
                       const void *bytes, size_t len);
ptrdiff_t api_udp_recv(struct weir *s, weir_udp_t udp, void *bytes, size_t len,
                       struct weir_endpoint *from, struct weir_endpoint *to);
int api_ping_open(struct weir *s, const struct weir_addr *to, weir_ping_t *ping);
ptrdiff_t api_ping_send(struct weir *s, weir_ping_t ping, uint16_t sequence, const void *bytes,
                        size_t len);
ptrdiff_t api_ping_recv(struct weir *s, weir_ping_t ping, void *bytes, size_t len,
                        struct weir_ping_reply *reply);

/* ---- api_auth.c ---- */

int api_auth_add(struct weir *s, weir_handle_t handle, const struct weir_auth_key *key);
int api_auth_remove(struct weir *s, weir_handle_t handle, const struct weir_auth_key *key);
int api_auth_ask(struct weir *s, weir_conn_t conn, uint8_t recv_id);

/* ---- calls.c ---- */

/* A stack has been made; it is about to end. */
void calls_tell_create(struct weir *s, weir_ns_t now);
void calls_tell_destroy(struct weir *s);

#endif
