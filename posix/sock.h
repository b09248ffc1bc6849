/*
 * sock.h - a socket
 */
#ifndef POSIX_SOCK_H
#define POSIX_SOCK_H

#include "posix/px.h"
#include <netinet/in.h>
#include <weir/tcp.h>
#include <weir/udp.h>

/* Where a stream socket is in its life; a datagram socket is CLOSED or CONNECTED. */
enum sock_phase {
    SOCK_CLOSED,     /* not connected: new, or connecting has failed, or disconnected */
    SOCK_CONNECTING, /* connect was called and has not reported an end yet */
    SOCK_CONNECTED,  /* and whatever came after it */
    SOCK_LISTENING,
};

enum sock_down {
    DOWN_READ = 1, /* shut down, or the peer's end has been received */
    DOWN_WRITE = 2,
    DOWN_BOTH = 3,
};

/* Urgent data [RFC6093]: one byte, as sockets have it. */
struct urgent {
    enum { URGENT_NONE, URGENT_AWAITED, URGENT_HERE, URGENT_READ } state;
    uint64_t at; /* where in the stream the byte is */
    uint8_t byte;
};

/* What a stream has queued, as Linux counts it: of sendmem.c. */
struct sendmem {
    uint64_t written; /* bytes, ever */
    uint64_t *ends;   /* where in the stream buffers end that are not acknowledged */
    size_t count, room;
    uint32_t limit;      /* as it has grown; 0: not yet looked at */
    uint32_t window_max; /* the largest the peer has had */
    bool has_begun;
    bool is_record_ended; /* nothing more goes into the last buffer */
    bool wants_room;      /* somebody was refused */
};

/* Errors to be read: of errqueue.c. */
struct errors {
    struct links all;
    size_t count;
};

/* Writes with MSG_ZEROCOPY whose end has not been told. */
struct zerocopy {
    uint64_t *ends; /* in the stream */
    size_t count, room;
    uint32_t next; /* number of the next write */
};

/* Options that sockets have and the stack has not, or has only with a handle. */
struct sock_opts {
    bool oob_inline, broadcast, linger_is_on, keepalive, fastopen_connect, udp_cork;
    bool freebind, recv_errors, recv_errors6, no_early_port, dont_route, zerocopy; /* of kept.c */
    int mark, mtu_discover, mtu_discover6;
    int fin_wait2_s;  /* stream: TCP_LINGER2; 0: as all */
    int window_clamp; /* stream: 0: none */
    uint64_t pacing_rate_max;
    bool recv_inq; /* stream: how much is left, with every message */
    bool recv_tos, recv_ttl, recv_pktinfo, recv_tclass, recv_hoplimit, recv_pktinfo6;
    int linger_s;
    int notsent_lowat;
    int peek_offset; /* negative: off */
    int send_buffer; /* as was asked, for the stack has none: of datagrams, or with
                        weir_px_send_memory; 0: never */
    uint32_t low_water;
    int priority;
    weir_ns_t recv_timeout_ns, send_timeout_ns; /* negative: none */
    uint8_t fastopen_keys[2][16];               /* of a listener */
    size_t fastopen_key_count;
    bool is_set[WEIR_OPT_COUNT]; /* the stack's options, for the handles the socket will have */
    int64_t values[WEIR_OPT_COUNT];
};

struct sock {
    struct file file; /* the first member */
    size_t number;    /* in px.socks */
    int domain;       /* AF_INET, AF_INET6 */
    int type;
    int protocol;
    enum sock_phase phase;
    weir_handle_t handle; /* connection, listener or endpoint; 0: none */

    bool is_bound;      /* has a local port */
    bool port_is_asked; /* by bind: it survives a disconnect */
    bool addr_is_asked;
    struct links bound;
    struct weir_endpoint local, remote;

    bool is_established; /* stream: the handshake is complete */
    bool has_ended;      /* stream: the connection is closed */
    bool is_deferred;    /* stream: connected to remote with the first write */
    bool peer_closed;    /* stream: its end was received */
    unsigned down;       /* enum sock_down */
    int error;           /* pending, an errno; SO_ERROR and the next call tell and forget it */
    int soft_error;
    uint64_t read_bytes; /* stream: how many have been read */
    uint32_t syn_bytes;  /* stream: how many were given for the SYN */
    struct urgent urgent;
    bool v6only, reuse_addr, reuse_port;
    uint32_t backlog;
    struct sock_opts opts;
    struct sendmem sendmem;
    struct errors errors;
    struct zerocopy zerocopy;
    struct key *keys;        /* of keys.c */
    struct pending *pending; /* of datagram.c: a datagram that is not complete */
};

static inline struct sock *sock_of(struct file *f)
{
    return (struct sock *)(void *)f;
}

/* Its handshake is not over. */
static inline bool sock_is_opening(const struct sock *s)
{
    return s->phase == SOCK_CONNECTING && !s->is_established && !s->has_ended;
}

struct bytes;
struct key;
struct pending;

/* ---- socket.c ---- */

struct sock *sock_new(struct weir_posix *px, int domain, int type, int protocol);
void sock_free(struct weir_posix *px, struct sock *s);

/* Gives the socket a handle of the stack, whose events will find it. */
void sock_set_handle(struct weir_posix *px, struct sock *s, weir_handle_t handle);

/* The socket of a descriptor, referenced; NULL and *err: -EBADF or -ENOTSOCK. */
struct sock *sock_get(struct weir_posix *px, int fd, int *err);
void sock_put(struct weir_posix *px, struct sock *s);

/* The pending error as a negative errno, which is thereby told; 0: none. */
int sock_take_error(struct sock *s);

bool sock_is_nonblocking(const struct sock *s, int flags);

/* The instant until which a call with these flags may wait. */
weir_ns_t sock_recv_until(struct weir_posix *px, const struct sock *s, int flags);
weir_ns_t sock_send_until(struct weir_posix *px, const struct sock *s, int flags);

/* ---- sockopt.c ---- */

/*
 * The stack's options that were set on the socket, for a handle it is about to get: a listener has
 * more than others. Two more have room.
 */
enum { SOCK_LISTED_MAX = WEIR_OPT_COUNT + 2 };
size_t sock_list_options(const struct sock *s, struct weir_opt_value opts[SOCK_LISTED_MAX],
                         bool is_listener);

/* SO_PEEK_OFF follows what is peeked at and what is read. */
void sock_move_peek_offset(struct sock *s, ssize_t len, bool is_peek);

/* ---- sockopt_tcp.c ---- */

/* TCP_FASTOPEN_KEY of the socket becomes its listener's: 0, or a negative errno. */
int sock_apply_fastopen_keys(struct weir_posix *px, const struct sock *s, weir_handle_t listener);

/* ---- keys.c ---- */

/* TCP_MD5SIG and TCP_MD5SIG_EXT [RFC2385]: 0, or a negative errno. */
int keys_set(struct weir_posix *px, struct sock *s, const void *value, socklen_t len, bool is_ext);

/* The keys of the socket become those of its connection or listener. */
int keys_apply(struct weir_posix *px, const struct sock *s, weir_handle_t handle);
void keys_free(struct sock *s);

/* ---- ports.c ---- */

/* Takes a local port for the socket, which has none; port 0: one is chosen. 0 or -EADDRINUSE. */
int ports_bind(struct weir_posix *px, struct sock *s, const struct weir_endpoint *local);

/* The socket has the port in s->local from elsewhere: it was accepted, or the stack has chosen. */
void ports_add(struct weir_posix *px, struct sock *s);
void ports_remove(struct sock *s);

/* Nobody else listens where the socket would. */
bool ports_can_listen(struct weir_posix *px, const struct sock *s);

/* ---- addr.c ---- */

/* Reads an address to connect or to send to, or one to bind to: 0, -EINVAL, -EAFNOSUPPORT. */
int addr_parse(const struct sock *s, const struct sockaddr *addr, socklen_t len,
               struct weir_endpoint *endpoint);
int addr_parse_to_bind(const struct sock *s, const struct sockaddr *addr, socklen_t len,
                       struct weir_endpoint *endpoint);

/* Stores an endpoint as the socket's family has it, cut to *len. */
void addr_store(const struct sock *s, const struct weir_endpoint *endpoint, struct sockaddr *addr,
                socklen_t *len);

/* Any address of the socket's family. */
struct weir_addr addr_any(const struct sock *s);

/* The address of ourselves, of the family of an unspecified one: Linux takes that for this. */
struct weir_addr addr_loopback(const struct weir_addr *any);

/* ---- stream.c, stream_io.c ---- */

extern const struct file_ops stream_ops;

void stream_on_event(struct weir_posix *px, struct sock *s, const struct weir_event *event);
int stream_listen(struct weir_posix *px, struct sock *s, int backlog);

/* Waits until there is a connection: 0, or a negative errno. */
int stream_wait_to_accept(struct weir_posix *px, struct sock *s);

/* Takes it; the socket belongs to the caller. */
int stream_accept(struct weir_posix *px, const struct sock *listener, struct sock **accepted);
int stream_connect(struct weir_posix *px, struct sock *s, const struct weir_endpoint *to);

/* Goes on with a connect, or says why there is nothing to go on with. */
int stream_connect_again(struct weir_posix *px, struct sock *s);
int stream_disconnect(struct weir_posix *px, struct sock *s);
int stream_shutdown(struct weir_posix *px, struct sock *s, unsigned how);

ssize_t stream_send(struct weir_posix *px, struct sock *s, struct bytes *from, int flags);
ssize_t stream_recv(struct weir_posix *px, struct sock *s, struct bytes *to, int flags);

/* MSG_PEEK from the first byte on, whatever SO_PEEK_OFF says. */
ssize_t stream_peek(struct weir_posix *px, struct sock *s, struct bytes *to, int flags);

/* Connects and sends at once [RFC7413]: MSG_FASTOPEN, or the first write after a deferred connect. */
ssize_t stream_send_fastopen(struct weir_posix *px, struct sock *s, const struct weir_endpoint *to,
                             struct bytes *from, int flags);

/* How many bytes can be read now; when they have been, the peer's end counts as one. */
int stream_left(const struct weir_posix *px, const struct sock *s);

/* Bytes to be read before the urgent one, if it is in the stream; else UINT32_MAX. */
uint32_t stream_before_urgent(const struct sock *s);

/* What WEIR_EVENT_WRITABLE is wanted for, beside what it was before. */
enum stream_wants { STREAM_ROOM = 1, STREAM_ACKED = 2 };
void stream_want(struct weir_posix *px, const struct sock *s, enum stream_wants what);

/* ---- errqueue.c ---- */

void errqueue_init(struct sock *s);
void errqueue_forget(struct sock *s);

/* Nobody wants to read what is in it. */
void errqueue_clear(struct sock *s);
void errqueue_on_icmp(struct weir_posix *px, struct sock *s, const struct weir_icmp_error *icmp);

/* Something was written with MSG_ZEROCOPY; something was acknowledged. */
void errqueue_note_write(struct weir_posix *px, struct sock *s);
void errqueue_on_acked(struct weir_posix *px, struct sock *s);

bool errqueue_has_any(const struct sock *s);
ssize_t errqueue_recv(struct weir_posix *px, struct sock *s, struct msghdr *msg, struct bytes *to);

/* ---- sendmem.c ---- */

/* How many of so many bytes may be queued now; sendmem_note has to say what became of them. */
size_t sendmem_take(struct weir_posix *px, struct sock *s, size_t len);
void sendmem_note(struct sock *s, size_t len, bool ends_record);

/* With weir_px_send_memory alone: there is room worth waking somebody for. */
bool sendmem_is_writable(struct weir_posix *px, struct sock *s);

/* Somebody waits for room, until sendmem_on_acked says that it is there. */
void sendmem_want_room(struct weir_posix *px, struct sock *s);
bool sendmem_on_acked(struct weir_posix *px, struct sock *s);

/* What SO_SNDBUF shows. */
uint32_t sendmem_limit(const struct weir_posix *px, const struct sock *s);
void sendmem_forget(struct sock *s);

/* ---- datagram.c ---- */

extern const struct file_ops datagram_ops;

void datagram_on_event(struct weir_posix *px, struct sock *s, const struct weir_event *event);
int datagram_bind(struct weir_posix *px, struct sock *s, const struct weir_endpoint *local);
int datagram_connect(struct weir_posix *px, struct sock *s, const struct weir_endpoint *to);
int datagram_disconnect(struct weir_posix *px, struct sock *s);
int datagram_shutdown(struct weir_posix *px, struct sock *s, unsigned how);

/* Sends what MSG_MORE and UDP_CORK have held back; drops it. */
int datagram_uncork(struct weir_posix *px, struct sock *s);
void datagram_forget_pending(struct sock *s);

ssize_t datagram_send(struct weir_posix *px, struct sock *s, const struct msghdr *msg,
                      struct bytes *from, int flags);
ssize_t datagram_recv(struct weir_posix *px, struct sock *s, struct msghdr *msg, struct bytes *to,
                      int flags);

/* ---- control.c ---- */

/* Stores the control messages that the socket has asked for. */
void control_put(const struct sock *s, struct msghdr *msg, const struct weir_datagram *about);

/* TCP_CM_INQ: so many bytes can still be read; at the peer's end there is one. */
void control_put_inq(struct msghdr *msg, int left);

/* The one of an error; offender NULL: it is not of the network. */
struct sock_extended_err;
void control_put_error(const struct sock *s, struct msghdr *msg,
                       const struct sock_extended_err *said, const struct weir_addr *offender);

/* ---- bytes.c ---- */

/* Where an iovec stands. */
struct bytes {
    const struct iovec *iov;
    size_t count;
    size_t done; /* of the first one */
    size_t left; /* in all */
};

/* 0; -EFAULT; -EINVAL, -EMSGSIZE: too many, or too long together. */
int bytes_init(struct bytes *b, const struct iovec *iov, size_t count);

/* The next stretch, at most max long; it is passed. */
struct iovec bytes_take(struct bytes *b, size_t max);

/* Goes len back within what was taken last. */
void bytes_give_back(struct bytes *b, size_t len);

#endif
