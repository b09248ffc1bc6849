/*
 * weir/err.h - what a call answers when it cannot do what was asked
 *
 * Calls that can fail return 0 or a count on success and one of these negative
 * codes otherwise; each declaration lists the codes it may return. The names
 * follow errno where the meaning is the same, the values do not.
 */
#ifndef WEIR_ERR_H
#define WEIR_ERR_H

#include <weir/api.h>

#ifdef __cplusplus
extern "C" {
#endif

enum weir_err {
    WEIR_OK = 0,
    WEIR_EAGAIN = -1,        /* nothing to do right now: an event will say when to try again */
    WEIR_EINVAL = -2,        /* an argument has a value it must not have */
    WEIR_ENOMEM = -3,        /* the memory budget is used up */
    WEIR_ESTALE = -4,        /* the handle names nothing (any more), or another kind of thing */
    WEIR_ESTATE = -5,        /* not in this state (listening, connecting, closed) */
    WEIR_EPIPE = -6,         /* our side of the connection is closed for sending */
    WEIR_ENOTCONN = -7,      /* not connected (yet) */
    WEIR_EADDRINUSE = -8,    /* the local address and port are taken */
    WEIR_EADDRNOTAVAIL = -9, /* no such local address, or no port left */
    WEIR_ENETUNREACH = -10,  /* no route, or the network said so */
    WEIR_EHOSTUNREACH = -11, /* the host does not answer, or the network said so */
    WEIR_ECONNREFUSED = -12, /* the peer answered the SYN with a reset */
    WEIR_ECONNRESET = -13,   /* the peer reset the connection */
    WEIR_ECONNABORTED = -14, /* we aborted the connection */
    WEIR_ETIMEDOUT = -15,    /* the peer did not answer in time (R2, keep-alive) */
    WEIR_EMSGSIZE = -16,     /* a datagram is longer than the protocol can carry */
    WEIR_EPROTO = -17,       /* the peer or the network says the protocol is not spoken there */
    WEIR_EACCES = -18,       /* administratively prohibited */
    WEIR_ENOTSUP = -19,      /* this build or this object does not offer it */
};

/* A short English sentence for a code, without a full stop. Never NULL. Any thread. */
WEIR_API const char *weir_err_text(int err);

/* The code's name, e.g. "WEIR_EAGAIN". Never NULL. Any thread. */
WEIR_API const char *weir_err_name(int err);

#ifdef __cplusplus
}
#endif

#endif
