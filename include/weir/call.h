/*
 * weir/call.h - every call that changes a stack, as it is made
 *
 * A stack is a function of its configuration and of the calls made on it. A hook in the
 * configuration is told of each of them twice: before it is made, with its arguments, and when it
 * has answered, with what came out. Whoever writes that down can make the same calls again and
 * gets the same answers, bit for bit: weir/record.h does.
 *
 * What a hook is given is lent for the call of the hook, which must not call into the stack. It
 * changes nothing. Calls that take a const stack change nothing either, and are not told.
 */
#ifndef WEIR_CALL_H
#define WEIR_CALL_H

#include <stdbool.h>
#include <weir/auth.h>
#include <weir/tcp.h>
#include <weir/udp.h>
#include <weir/weir.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The kinds of calls: name, arguments, and what the answer has beside the result. A call
 * without a result is told once. Numbers of kinds do not change; new ones come at the end.
 */
#define WEIR_CALL_KINDS(X)                                                                         \
    X(CREATE, "config, at", "")                                                                    \
    X(DESTROY, "no result", "")                                                                    \
    X(INPUT, "netif, frames, count; no result", "")                                                \
    X(ADVANCE, "at; no result", "")                                                                \
    X(OUTPUT, "netif, count: at most", "result: how many frames; frames_out, count")               \
    X(OUTPUT_DONE, "frames_out, count; no result", "")                                             \
    X(DEADLINE, "", "result: the instant")                                                         \
    X(EVENT, "", "result: 0 or 1; event")                                                          \
    X(NETIF_ADD, "netif_config", "netif")                                                          \
    X(NETIF_REMOVE, "netif", "")                                                                   \
    X(NETIF_SET_MTU, "netif, number", "")                                                          \
    X(ADDR_ADD, "netif, prefix", "")                                                               \
    X(ADDR_REMOVE, "netif, addr", "")                                                              \
    X(ROUTE_ADD, "netif, prefix, addr (NULL: on the link)", "")                                    \
    X(ROUTE_REMOVE, "prefix", "")                                                                  \
    X(SET, "handle, opt, number", "")                                                              \
    X(CONNECT, "local (may be NULL), remote, opts, count", "opened")                               \
    X(LISTEN, "local, number: backlog, opts, count", "opened")                                     \
    X(ACCEPT, "handle", "opened")                                                                  \
    X(SEND, "handle, slices: one, flags", "")                                                      \
    X(SEND_LENT, "handle, slices: one, flags, has_release", "")                                    \
    X(RECV, "handle, len: at most", "slices: one")                                                 \
    X(RECV_LENT, "handle, count: at most", "slices, count")                                        \
    X(RECV_DONE, "handle, len", "")                                                                \
    X(SHUTDOWN, "handle", "")                                                                      \
    X(CLOSE, "handle", "")                                                                         \
    X(ABORT, "handle", "")                                                                         \
    X(UDP_OPEN, "local (may be NULL), remote (may be NULL), opts, count", "opened")                \
    X(UDP_SEND, "handle, remote (may be NULL), slices: one", "")                                   \
    X(UDP_RECV, "handle, len: at most", "slices: one; remote: from, local: to")                    \
    X(PING_OPEN, "addr", "opened")                                                                 \
    X(PING_SEND, "handle, number: sequence, slices: one", "")                                      \
    X(PING_RECV, "handle, len: at most", "slices: one; reply")                                     \
    X(NEXT_ISN, "number; no result", "")                                                           \
    X(TCP_CONFIGURE, "config: only tcp is looked at", "")                                          \
    X(FASTOPEN_KEY, "slices: one of 16 bytes; no result", "")                                      \
    X(UDP_CONNECT, "handle, remote (may be NULL)", "")                                             \
    X(AUTH, "handle, number: 0 adds, 1 removes, 2 asks; auth_key (0, 1), len: its ID (2)", "")     \
    X(RECV_POST, "handle, len", "")                                                                \
    X(RECV_TAKE, "handle", "slices: one")                                                          \
    X(LISTENER_FASTOPEN_KEYS, "handle, slices: one of 16 bytes for each key", "")

enum weir_call_kind {
#define X(name, arguments, answer) WEIR_CALL_##name,
    WEIR_CALL_KINDS(X)
#undef X
        WEIR_CALL_KIND_COUNT,
};

/* "connect". Never NULL. Any thread. */
WEIR_API const char *weir_call_name(enum weir_call_kind kind);

/* Only the members of the call's kind have a meaning. */
struct weir_call {
    enum weir_call_kind kind;
    bool is_over;   /* it has answered; the arguments are still there, where not overwritten */
    int64_t result; /* is_over: what the function returns */

    weir_ns_t at;
    const struct weir_config *config;
    weir_netif_t netif;
    const struct weir_netif_config *netif_config;
    const struct weir_prefix *prefix;
    const struct weir_addr *addr;

    const struct weir_frame *frames;      /* in */
    struct weir_frame *const *frames_out; /* out */
    size_t count;

    weir_handle_t handle;
    weir_handle_t opened; /* a new handle, if result is 0 */
    const struct weir_endpoint *local, *remote;
    const struct weir_opt_value *opts;
    enum weir_opt opt;
    int64_t number;
    const struct weir_slice *slices;
    size_t len;
    unsigned flags;
    bool has_release;
    const struct weir_event *event;
    const struct weir_ping_reply *reply;
    const struct weir_auth_key *auth_key;
};

#ifdef __cplusplus
}
#endif

#endif
