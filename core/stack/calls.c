/*
 * calls.c - the public functions that change a stack, and the hook that is told of them
 *
 * What they do stands in api.h's files. Without a hook, and that is how it nearly always is, a
 * public function is that and one comparison. tools/check_headers.py sees to it that no public
 * function that may change a stack goes past this file.
 */
#include "base/parts.h"
#include "stack/api.h"
#include "stack/stack.h"
#include <weir/call.h>

static const char *const names[WEIR_CALL_KIND_COUNT] = {
    [WEIR_CALL_CREATE] = "create",
    [WEIR_CALL_DESTROY] = "destroy",
    [WEIR_CALL_INPUT] = "input",
    [WEIR_CALL_ADVANCE] = "advance",
    [WEIR_CALL_OUTPUT] = "output",
    [WEIR_CALL_OUTPUT_DONE] = "output_done",
    [WEIR_CALL_DEADLINE] = "deadline",
    [WEIR_CALL_EVENT] = "event",
    [WEIR_CALL_NETIF_ADD] = "netif_add",
    [WEIR_CALL_NETIF_REMOVE] = "netif_remove",
    [WEIR_CALL_NETIF_SET_MTU] = "netif_set_mtu",
    [WEIR_CALL_ADDR_ADD] = "addr_add",
    [WEIR_CALL_ADDR_REMOVE] = "addr_remove",
    [WEIR_CALL_ROUTE_ADD] = "route_add",
    [WEIR_CALL_ROUTE_REMOVE] = "route_remove",
    [WEIR_CALL_SET] = "set",
    [WEIR_CALL_CONNECT] = "connect",
    [WEIR_CALL_LISTEN] = "listen",
    [WEIR_CALL_ACCEPT] = "accept",
    [WEIR_CALL_SEND] = "send",
    [WEIR_CALL_SEND_LENT] = "send_lent",
    [WEIR_CALL_RECV] = "recv",
    [WEIR_CALL_RECV_LENT] = "recv_lent",
    [WEIR_CALL_RECV_DONE] = "recv_done",
    [WEIR_CALL_SHUTDOWN] = "shutdown",
    [WEIR_CALL_CLOSE] = "close",
    [WEIR_CALL_ABORT] = "abort",
    [WEIR_CALL_UDP_OPEN] = "udp_open",
    [WEIR_CALL_UDP_SEND] = "udp_send",
    [WEIR_CALL_UDP_RECV] = "udp_recv",
    [WEIR_CALL_PING_OPEN] = "ping_open",
    [WEIR_CALL_PING_SEND] = "ping_send",
    [WEIR_CALL_PING_RECV] = "ping_recv",
    [WEIR_CALL_NEXT_ISN] = "next_isn",
    [WEIR_CALL_TCP_CONFIGURE] = "tcp_configure",
    [WEIR_CALL_FASTOPEN_KEY] = "fastopen_key",
    [WEIR_CALL_LISTENER_FASTOPEN_KEYS] = "listener_fastopen_keys",
    [WEIR_CALL_UDP_CONNECT] = "udp_connect",
    [WEIR_CALL_AUTH] = "auth",
    [WEIR_CALL_RECV_POST] = "recv_post",
    [WEIR_CALL_RECV_TAKE] = "recv_take",
};

const char *weir_call_name(enum weir_call_kind kind)
{
    return (size_t)kind < WEIR_CALL_KIND_COUNT ? names[kind] : "unknown";
}

/* Out of the way of what nobody listens to: it needs room and registers. */
#define COLD __attribute__((cold, noinline))

static bool is_told(const struct weir *s)
{
    return HAS_CALLS && s->config.on_call != NULL;
}

static void tell(struct weir *s, const struct weir_call *call)
{
    s->config.on_call(s->config.on_call_ctx, call);
}

static int64_t answer(struct weir *s, struct weir_call *call, int64_t result)
{
    call->is_over = true;
    call->result = result;
    tell(s, call);
    return result;
}

/* The bytes of an application, lent to the hook, which reads them only. */
static struct weir_slice slice_of(const void *bytes, size_t len)
{
    union {
        const void *read_only;
        uint8_t *bytes;
    } u = {bytes};

    return (struct weir_slice){u.bytes, len};
}

void calls_tell_create(struct weir *s, weir_ns_t now)
{
    struct weir_call call = {.kind = WEIR_CALL_CREATE, .config = &s->config, .at = now};

    if (!is_told(s))
        return;
    tell(s, &call);
    answer(s, &call, WEIR_OK);
}

void calls_tell_destroy(struct weir *s)
{
    struct weir_call call = {.kind = WEIR_CALL_DESTROY};

    if (is_told(s))
        tell(s, &call);
}

/* ---- the five calls ---- */

COLD static void tell_input(struct weir *s, weir_netif_t netif, struct weir_frame *frames,
                            size_t count)
{
    struct weir_call call = {
        .kind = WEIR_CALL_INPUT, .netif = netif, .frames = frames, .count = count};

    tell(s, &call);
}

void weir_input(struct weir *s, weir_netif_t netif, struct weir_frame *frames, size_t count)
{
    if (is_told(s))
        tell_input(s, netif, frames, count);
    api_input(s, netif, frames, count);
}

COLD static void tell_advance(struct weir *s, weir_ns_t now)
{
    struct weir_call call = {.kind = WEIR_CALL_ADVANCE, .at = now};

    tell(s, &call);
}

void weir_advance(struct weir *s, weir_ns_t now)
{
    if (is_told(s))
        tell_advance(s, now);
    api_advance(s, now);
}

COLD static size_t output_told(struct weir *s, weir_netif_t netif, struct weir_frame **frames,
                               size_t max)
{
    struct weir_call call = {.kind = WEIR_CALL_OUTPUT, .netif = netif, .count = max};

    tell(s, &call);
    call.count = api_output(s, netif, frames, max);
    call.frames_out = frames;
    return (size_t)answer(s, &call, (int64_t)call.count);
}

size_t weir_output(struct weir *s, weir_netif_t netif, struct weir_frame **frames, size_t max)
{
    return is_told(s) ? output_told(s, netif, frames, max) : api_output(s, netif, frames, max);
}

COLD static void tell_output_done(struct weir *s, struct weir_frame **frames, size_t count)
{
    struct weir_call call = {.kind = WEIR_CALL_OUTPUT_DONE, .frames_out = frames, .count = count};

    tell(s, &call);
}

void weir_output_done(struct weir *s, struct weir_frame **frames, size_t count)
{
    if (is_told(s))
        tell_output_done(s, frames, count);
    api_output_done(s, frames, count);
}

weir_ns_t weir_deadline(struct weir *s)
{
    if (!is_told(s))
        return api_deadline(s);
    struct weir_call call = {.kind = WEIR_CALL_DEADLINE};
    tell(s, &call);
    return answer(s, &call, api_deadline(s));
}

COLD static bool event_told(struct weir *s, struct weir_event *event)
{
    struct weir_call call = {.kind = WEIR_CALL_EVENT, .event = event};

    tell(s, &call);
    return answer(s, &call, api_event(s, event)) != 0;
}

bool weir_event(struct weir *s, struct weir_event *event)
{
    return is_told(s) ? event_told(s, event) : api_event(s, event);
}

/* ---- interfaces, addresses, routes ---- */

int weir_netif_add(struct weir *s, const struct weir_netif_config *config, weir_netif_t *netif)
{
    if (!is_told(s))
        return api_netif_add(s, config, netif);
    struct weir_call call = {.kind = WEIR_CALL_NETIF_ADD, .netif_config = config};
    tell(s, &call);
    int err = api_netif_add(s, config, netif);
    call.netif = err == WEIR_OK ? *netif : 0;
    return (int)answer(s, &call, err);
}

int weir_netif_remove(struct weir *s, weir_netif_t netif)
{
    if (!is_told(s))
        return api_netif_remove(s, netif);
    struct weir_call call = {.kind = WEIR_CALL_NETIF_REMOVE, .netif = netif};
    tell(s, &call);
    return (int)answer(s, &call, api_netif_remove(s, netif));
}

int weir_netif_set_mtu(struct weir *s, weir_netif_t netif, uint32_t mtu)
{
    if (!is_told(s))
        return api_netif_set_mtu(s, netif, mtu);
    struct weir_call call = {.kind = WEIR_CALL_NETIF_SET_MTU, .netif = netif, .number = mtu};
    tell(s, &call);
    return (int)answer(s, &call, api_netif_set_mtu(s, netif, mtu));
}

int weir_addr_add(struct weir *s, weir_netif_t netif, const struct weir_prefix *addr)
{
    if (!is_told(s))
        return api_addr_add(s, netif, addr);
    struct weir_call call = {.kind = WEIR_CALL_ADDR_ADD, .netif = netif, .prefix = addr};
    tell(s, &call);
    return (int)answer(s, &call, api_addr_add(s, netif, addr));
}

int weir_addr_remove(struct weir *s, weir_netif_t netif, const struct weir_addr *addr)
{
    if (!is_told(s))
        return api_addr_remove(s, netif, addr);
    struct weir_call call = {.kind = WEIR_CALL_ADDR_REMOVE, .netif = netif, .addr = addr};
    tell(s, &call);
    return (int)answer(s, &call, api_addr_remove(s, netif, addr));
}

int weir_route_add(struct weir *s, const struct weir_prefix *prefix,
                   const struct weir_addr *gateway, weir_netif_t netif)
{
    if (!is_told(s))
        return api_route_add(s, prefix, gateway, netif);
    struct weir_call call = {
        .kind = WEIR_CALL_ROUTE_ADD, .prefix = prefix, .addr = gateway, .netif = netif};
    tell(s, &call);
    return (int)answer(s, &call, api_route_add(s, prefix, gateway, netif));
}

int weir_route_remove(struct weir *s, const struct weir_prefix *prefix)
{
    if (!is_told(s))
        return api_route_remove(s, prefix);
    struct weir_call call = {.kind = WEIR_CALL_ROUTE_REMOVE, .prefix = prefix};
    tell(s, &call);
    return (int)answer(s, &call, api_route_remove(s, prefix));
}

/* ---- TCP ---- */

int weir_connect_with(struct weir *s, const struct weir_endpoint *local,
                      const struct weir_endpoint *remote, const struct weir_opt_value *opts,
                      size_t count, weir_conn_t *conn)
{
    if (!is_told(s))
        return api_connect_with(s, local, remote, opts, count, conn);
    struct weir_call call = {
        .kind = WEIR_CALL_CONNECT, .local = local, .remote = remote, .opts = opts, .count = count};
    tell(s, &call);
    int err = api_connect_with(s, local, remote, opts, count, conn);
    call.opened = err == WEIR_OK ? *conn : 0;
    return (int)answer(s, &call, err);
}

int weir_connect(struct weir *s, const struct weir_endpoint *local,
                 const struct weir_endpoint *remote, weir_conn_t *conn)
{
    return weir_connect_with(s, local, remote, NULL, 0, conn);
}

int weir_listen_with(struct weir *s, const struct weir_endpoint *local, uint32_t backlog,
                     const struct weir_opt_value *opts, size_t count, weir_listener_t *listener)
{
    if (!is_told(s))
        return api_listen_with(s, local, backlog, opts, count, listener);
    struct weir_call call = {
        .kind = WEIR_CALL_LISTEN, .local = local, .number = backlog, .opts = opts, .count = count};
    tell(s, &call);
    int err = api_listen_with(s, local, backlog, opts, count, listener);
    call.opened = err == WEIR_OK ? *listener : 0;
    return (int)answer(s, &call, err);
}

int weir_listen(struct weir *s, const struct weir_endpoint *local, uint32_t backlog,
                weir_listener_t *listener)
{
    return weir_listen_with(s, local, backlog, NULL, 0, listener);
}

int weir_accept(struct weir *s, weir_listener_t listener, weir_conn_t *conn)
{
    if (!is_told(s))
        return api_accept(s, listener, conn);
    struct weir_call call = {.kind = WEIR_CALL_ACCEPT, .handle = listener};
    tell(s, &call);
    int err = api_accept(s, listener, conn);
    call.opened = err == WEIR_OK ? *conn : 0;
    return (int)answer(s, &call, err);
}

COLD static ptrdiff_t send_told(struct weir *s, weir_conn_t conn, const void *bytes, size_t len,
                                unsigned flags)
{
    struct weir_slice slice = slice_of(bytes, len);
    struct weir_call call = {
        .kind = WEIR_CALL_SEND, .handle = conn, .slices = &slice, .flags = flags};

    tell(s, &call);
    return (ptrdiff_t)answer(s, &call, api_send(s, conn, bytes, len, flags));
}

ptrdiff_t weir_send(struct weir *s, weir_conn_t conn, const void *bytes, size_t len, unsigned flags)
{
    return is_told(s) ? send_told(s, conn, bytes, len, flags)
                      : api_send(s, conn, bytes, len, flags);
}

ptrdiff_t weir_send_lent(struct weir *s, weir_conn_t conn, struct weir_slice bytes, unsigned flags,
                         void (*release)(void *owner), void *owner)
{
    if (!is_told(s))
        return api_send_lent(s, conn, bytes, flags, release, owner);
    struct weir_call call = {.kind = WEIR_CALL_SEND_LENT,
                             .handle = conn,
                             .slices = &bytes,
                             .flags = flags,
                             .has_release = release != NULL};
    tell(s, &call);
    return (ptrdiff_t)answer(s, &call, api_send_lent(s, conn, bytes, flags, release, owner));
}

/* What has been received stands in the application's memory. */
static ptrdiff_t answer_received(struct weir *s, struct weir_call *call, void *bytes,
                                 ptrdiff_t result)
{
    size_t got = result > 0 ? (size_t)result : 0;
    struct weir_slice slice = slice_of(bytes, got < call->len ? got : call->len);

    call->slices = &slice;
    return (ptrdiff_t)answer(s, call, result);
}

COLD static ptrdiff_t recv_told(struct weir *s, weir_conn_t conn, void *bytes, size_t len)
{
    struct weir_call call = {.kind = WEIR_CALL_RECV, .handle = conn, .len = len};

    tell(s, &call);
    return answer_received(s, &call, bytes, api_recv(s, conn, bytes, len));
}

ptrdiff_t weir_recv(struct weir *s, weir_conn_t conn, void *bytes, size_t len)
{
    return is_told(s) ? recv_told(s, conn, bytes, len) : api_recv(s, conn, bytes, len);
}

ptrdiff_t weir_recv_lent(struct weir *s, weir_conn_t conn, struct weir_slice *slices, size_t max,
                         size_t *count)
{
    if (!is_told(s))
        return api_recv_lent(s, conn, slices, max, count);
    struct weir_call call = {.kind = WEIR_CALL_RECV_LENT, .handle = conn, .count = max};
    tell(s, &call);
    ptrdiff_t result = api_recv_lent(s, conn, slices, max, count);
    call.slices = slices;
    call.count = *count;
    return (ptrdiff_t)answer(s, &call, result);
}

int weir_recv_post(struct weir *s, weir_conn_t conn, void *bytes, size_t len)
{
    if (!is_told(s))
        return api_recv_post(s, conn, bytes, len);
    struct weir_call call = {.kind = WEIR_CALL_RECV_POST, .handle = conn, .len = len};
    tell(s, &call);
    return (int)answer(s, &call, api_recv_post(s, conn, bytes, len));
}

ptrdiff_t weir_recv_take(struct weir *s, weir_conn_t conn, void **bytes)
{
    void *posted;

    if (bytes == NULL)
        bytes = &posted;
    if (!is_told(s))
        return api_recv_take(s, conn, bytes);
    struct weir_call call = {.kind = WEIR_CALL_RECV_TAKE, .handle = conn, .len = SIZE_MAX};
    tell(s, &call);
    ptrdiff_t result = api_recv_take(s, conn, bytes);
    return answer_received(s, &call, *bytes, result);
}

int weir_recv_done(struct weir *s, weir_conn_t conn, size_t len)
{
    if (!is_told(s))
        return api_recv_done(s, conn, len);
    struct weir_call call = {.kind = WEIR_CALL_RECV_DONE, .handle = conn, .len = len};
    tell(s, &call);
    return (int)answer(s, &call, api_recv_done(s, conn, len));
}

int weir_shutdown(struct weir *s, weir_conn_t conn)
{
    if (!is_told(s))
        return api_shutdown(s, conn);
    struct weir_call call = {.kind = WEIR_CALL_SHUTDOWN, .handle = conn};
    tell(s, &call);
    return (int)answer(s, &call, api_shutdown(s, conn));
}

int weir_close(struct weir *s, weir_handle_t handle)
{
    if (!is_told(s))
        return api_close(s, handle);
    struct weir_call call = {.kind = WEIR_CALL_CLOSE, .handle = handle};
    tell(s, &call);
    return (int)answer(s, &call, api_close(s, handle));
}

int weir_abort(struct weir *s, weir_conn_t conn)
{
    if (!is_told(s))
        return api_abort(s, conn);
    struct weir_call call = {.kind = WEIR_CALL_ABORT, .handle = conn};
    tell(s, &call);
    return (int)answer(s, &call, api_abort(s, conn));
}

int weir_set(struct weir *s, weir_handle_t handle, enum weir_opt opt, int64_t value)
{
    if (!is_told(s))
        return api_set(s, handle, opt, value);
    struct weir_call call = {.kind = WEIR_CALL_SET, .handle = handle, .opt = opt, .number = value};
    tell(s, &call);
    return (int)answer(s, &call, api_set(s, handle, opt, value));
}

void weir_tcp_next_isn(struct weir *s, uint32_t isn)
{
    if (is_told(s)) {
        struct weir_call call = {.kind = WEIR_CALL_NEXT_ISN, .number = isn};
        tell(s, &call);
    }
    api_next_isn(s, isn);
}

int weir_tcp_configure(struct weir *s, const struct weir_tcp_config *config)
{
    if (!is_told(s))
        return api_tcp_configure(s, config);
    struct weir_config whole = s->config;
    struct weir_call call = {.kind = WEIR_CALL_TCP_CONFIGURE, .config = &whole};
    whole.tcp = *config;
    tell(s, &call);
    return (int)answer(s, &call, api_tcp_configure(s, config));
}

void weir_fastopen_key(struct weir *s, const uint8_t key[16])
{
    if (is_told(s)) {
        struct weir_slice slice = slice_of(key, 16);
        struct weir_call call = {.kind = WEIR_CALL_FASTOPEN_KEY, .slices = &slice};
        tell(s, &call);
    }
    api_fastopen_key(s, key);
}

int weir_listener_fastopen_keys(struct weir *s, weir_listener_t listener, const uint8_t (*keys)[16],
                                size_t count)
{
    if (!is_told(s))
        return api_listener_fastopen_keys(s, listener, keys, count);
    struct weir_slice slice = slice_of(keys, 16 * count);
    struct weir_call call = {
        .kind = WEIR_CALL_LISTENER_FASTOPEN_KEYS, .handle = listener, .slices = &slice};
    tell(s, &call);
    return (int)answer(s, &call, api_listener_fastopen_keys(s, listener, keys, count));
}

enum { AUTH_ADD, AUTH_REMOVE, AUTH_ASK };

int weir_auth_add(struct weir *s, weir_handle_t handle, const struct weir_auth_key *key)
{
    if (!is_told(s))
        return api_auth_add(s, handle, key);
    struct weir_call call = {
        .kind = WEIR_CALL_AUTH, .handle = handle, .number = AUTH_ADD, .auth_key = key};
    tell(s, &call);
    return (int)answer(s, &call, api_auth_add(s, handle, key));
}

int weir_auth_remove(struct weir *s, weir_handle_t handle, const struct weir_auth_key *key)
{
    if (!is_told(s))
        return api_auth_remove(s, handle, key);
    struct weir_call call = {
        .kind = WEIR_CALL_AUTH, .handle = handle, .number = AUTH_REMOVE, .auth_key = key};
    tell(s, &call);
    return (int)answer(s, &call, api_auth_remove(s, handle, key));
}

int weir_auth_ask(struct weir *s, weir_conn_t conn, uint8_t recv_id)
{
    if (!is_told(s))
        return api_auth_ask(s, conn, recv_id);
    struct weir_call call = {
        .kind = WEIR_CALL_AUTH, .handle = conn, .number = AUTH_ASK, .len = recv_id};
    tell(s, &call);
    return (int)answer(s, &call, api_auth_ask(s, conn, recv_id));
}

/* ---- UDP and pings ---- */

int weir_udp_open_with(struct weir *s, const struct weir_endpoint *local,
                       const struct weir_endpoint *remote, const struct weir_opt_value *opts,
                       size_t count, weir_udp_t *udp)
{
    if (!is_told(s))
        return api_udp_open_with(s, local, remote, opts, count, udp);
    struct weir_call call = {
        .kind = WEIR_CALL_UDP_OPEN, .local = local, .remote = remote, .opts = opts, .count = count};
    tell(s, &call);
    int err = api_udp_open_with(s, local, remote, opts, count, udp);
    call.opened = err == WEIR_OK ? *udp : 0;
    return (int)answer(s, &call, err);
}

int weir_udp_open(struct weir *s, const struct weir_endpoint *local,
                  const struct weir_endpoint *remote, weir_udp_t *udp)
{
    return weir_udp_open_with(s, local, remote, NULL, 0, udp);
}

int weir_udp_connect(struct weir *s, weir_udp_t udp, const struct weir_endpoint *remote)
{
    if (!is_told(s))
        return api_udp_connect(s, udp, remote);
    struct weir_call call = {.kind = WEIR_CALL_UDP_CONNECT, .handle = udp, .remote = remote};
    tell(s, &call);
    return (int)answer(s, &call, api_udp_connect(s, udp, remote));
}

ptrdiff_t weir_udp_send(struct weir *s, weir_udp_t udp, const struct weir_endpoint *to,
                        const void *bytes, size_t len)
{
    if (!is_told(s))
        return api_udp_send(s, udp, to, bytes, len);
    struct weir_slice slice = slice_of(bytes, len);
    struct weir_call call = {
        .kind = WEIR_CALL_UDP_SEND, .handle = udp, .remote = to, .slices = &slice};
    tell(s, &call);
    return (ptrdiff_t)answer(s, &call, api_udp_send(s, udp, to, bytes, len));
}

ptrdiff_t weir_udp_recv(struct weir *s, weir_udp_t udp, void *bytes, size_t len,
                        struct weir_endpoint *from, struct weir_endpoint *to)
{
    if (!is_told(s))
        return api_udp_recv(s, udp, bytes, len, from, to);
    struct weir_endpoint remote = {0}, local = {0};
    struct weir_call call = {
        .kind = WEIR_CALL_UDP_RECV, .handle = udp, .len = len, .remote = &remote, .local = &local};
    tell(s, &call);
    ptrdiff_t result = api_udp_recv(s, udp, bytes, len, &remote, &local);
    if (from != NULL && result >= 0)
        *from = remote;
    if (to != NULL && result >= 0)
        *to = local;
    return answer_received(s, &call, bytes, result);
}

int weir_ping_open(struct weir *s, const struct weir_addr *to, weir_ping_t *ping)
{
    if (!is_told(s))
        return api_ping_open(s, to, ping);
    struct weir_call call = {.kind = WEIR_CALL_PING_OPEN, .addr = to};
    tell(s, &call);
    int err = api_ping_open(s, to, ping);
    call.opened = err == WEIR_OK ? *ping : 0;
    return (int)answer(s, &call, err);
}

ptrdiff_t weir_ping_send(struct weir *s, weir_ping_t ping, uint16_t sequence, const void *bytes,
                         size_t len)
{
    if (!is_told(s))
        return api_ping_send(s, ping, sequence, bytes, len);
    struct weir_slice slice = slice_of(bytes, len);
    struct weir_call call = {
        .kind = WEIR_CALL_PING_SEND, .handle = ping, .number = sequence, .slices = &slice};
    tell(s, &call);
    return (ptrdiff_t)answer(s, &call, api_ping_send(s, ping, sequence, bytes, len));
}

ptrdiff_t weir_ping_recv(struct weir *s, weir_ping_t ping, void *bytes, size_t len,
                         struct weir_ping_reply *reply)
{
    if (!is_told(s))
        return api_ping_recv(s, ping, bytes, len, reply);
    struct weir_ping_reply received = {0};
    struct weir_call call = {
        .kind = WEIR_CALL_PING_RECV, .handle = ping, .len = len, .reply = &received};
    tell(s, &call);
    ptrdiff_t result = api_ping_recv(s, ping, bytes, len, &received);
    if (reply != NULL && result >= 0)
        *reply = received;
    return answer_received(s, &call, bytes, result);
}
