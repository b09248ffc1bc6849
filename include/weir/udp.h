/*
 * weir/udp.h - UDP endpoints and pings
 */
#ifndef WEIR_UDP_H
#define WEIR_UDP_H

#include <weir/weir.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef weir_handle_t weir_udp_t;
typedef weir_handle_t weir_ping_t;

/*
 * Opens an endpoint on local (address :: means all, port 0 means choose one; NULL: both); with
 * remote not NULL it sends to and receives from that endpoint alone. Returns 0 and the
 * handle, or WEIR_EINVAL, WEIR_EADDRINUSE, WEIR_EADDRNOTAVAIL, WEIR_ENETUNREACH, WEIR_ENOMEM,
 * WEIR_ENOTSUP (the build has no UDP).
 * Close it with weir_close (weir/tcp.h).
 */
WEIR_API int weir_udp_open(struct weir *s, const struct weir_endpoint *local,
                           const struct weir_endpoint *remote, weir_udp_t *udp);

/* Like weir_udp_open, but first sets count options. */
WEIR_API int weir_udp_open_with(struct weir *s, const struct weir_endpoint *local,
                                const struct weir_endpoint *remote,
                                const struct weir_opt_value *opts, size_t count, weir_udp_t *udp);

/*
 * Gives an endpoint a remote end, another one, or none (NULL); its port, its options and what it
 * has received stay. Its local address is chosen anew if it was not given when it was opened.
 * Returns 0, or an error as weir_udp_open or WEIR_ESTALE, and then nothing has changed.
 */
WEIR_API int weir_udp_connect(struct weir *s, weir_udp_t udp, const struct weir_endpoint *remote);

/*
 * Sends a datagram; to may be NULL if the endpoint has a remote. Returns len, or
 * WEIR_EMSGSIZE, WEIR_ENETUNREACH, WEIR_EADDRNOTAVAIL, WEIR_EINVAL (no address to send to),
 * WEIR_ENOTCONN (no destination), WEIR_ENOMEM, WEIR_ESTALE.
 */
WEIR_API ptrdiff_t weir_udp_send(struct weir *s, weir_udp_t udp, const struct weir_endpoint *to,
                                 const void *bytes, size_t len);

/*
 * Receives a datagram into bytes; from and to may be NULL. Returns its whole length, of
 * which at most len bytes were stored, or WEIR_EAGAIN, WEIR_ESTALE, or an error that the
 * network reported (WEIR_ECONNREFUSED, WEIR_EHOSTUNREACH), once.
 */
WEIR_API ptrdiff_t weir_udp_recv(struct weir *s, weir_udp_t udp, void *bytes, size_t len,
                                 struct weir_endpoint *from, struct weir_endpoint *to);

/* What is known of a datagram. */
struct weir_datagram {
    struct weir_endpoint from, to;
    size_t len; /* of the payload */
    weir_ns_t received_at;
    uint8_t ttl, tos;
};

/*
 * Copies up to len bytes of the next datagram, which stays; about may be NULL. Returns its whole
 * length, or WEIR_EAGAIN or WEIR_ESTALE.
 */
WEIR_API ptrdiff_t weir_udp_peek(const struct weir *s, weir_udp_t udp, void *bytes, size_t len,
                                 struct weir_datagram *about);

/* The error that weir_udp_recv will return next, or 0; WEIR_ESTALE. */
WEIR_API int weir_udp_error(const struct weir *s, weir_udp_t udp);

/*
 * Echo requests. A pinger sends to and hears from one address. Returns 0 and the handle,
 * or WEIR_EINVAL, WEIR_ENETUNREACH, WEIR_EADDRNOTAVAIL, WEIR_ENOMEM.
 */
WEIR_API int weir_ping_open(struct weir *s, const struct weir_addr *to, weir_ping_t *ping);

/* Sends one request with this sequence number and payload: len, or an error as weir_udp_send. */
WEIR_API ptrdiff_t weir_ping_send(struct weir *s, weir_ping_t ping, uint16_t sequence,
                                  const void *bytes, size_t len);

struct weir_ping_reply {
    uint16_t sequence;
    uint8_t ttl;
    weir_ns_t received_at;
    int error; /* 0: a reply; else what an ICMP error said of the request */
};

/* Receives one reply: its payload's length, WEIR_EAGAIN, or WEIR_ESTALE. */
WEIR_API ptrdiff_t weir_ping_recv(struct weir *s, weir_ping_t ping, void *bytes, size_t len,
                                  struct weir_ping_reply *reply);

#ifdef __cplusplus
}
#endif

#endif
