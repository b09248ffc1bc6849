/*
 * weir/tcp.h - TCP for the application: the user calls of RFC 9293 3.9.1
 *
 *   OPEN      weir_connect, weir_listen and weir_accept
 *   SEND      weir_send, weir_send_lent
 *   RECEIVE   weir_recv, weir_recv_lent, weir_recv_post
 *   CLOSE     weir_shutdown, weir_close
 *   ABORT     weir_abort
 *   STATUS    weir_tcp_info
 */
#ifndef WEIR_TCP_H
#define WEIR_TCP_H

#include <weir/weir.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef weir_handle_t weir_conn_t;
typedef weir_handle_t weir_listener_t;

enum weir_tcp_state {
    WEIR_TCP_CLOSED,
    WEIR_TCP_LISTEN,
    WEIR_TCP_SYN_SENT,
    WEIR_TCP_SYN_RECEIVED,
    WEIR_TCP_ESTABLISHED,
    WEIR_TCP_FIN_WAIT_1,
    WEIR_TCP_FIN_WAIT_2,
    WEIR_TCP_CLOSE_WAIT,
    WEIR_TCP_CLOSING,
    WEIR_TCP_LAST_ACK,
    WEIR_TCP_TIME_WAIT,
    WEIR_TCP_STATES,
};

/* "SYN-SENT": the RFC's name. Never NULL. Any thread. */
WEIR_API const char *weir_tcp_state_name(enum weir_tcp_state state);

/*
 * Opens a connection to remote. local may be NULL, or have an address, a port, both
 * or neither; what is missing is chosen [RFC6724, RFC6056] and then kept. The handle
 * is usable at once: what is sent waits for the handshake, whose end is told by
 * WEIR_EVENT_CONNECTED or WEIR_EVENT_CLOSED. Connecting to one's own address and
 * port gives a connection with itself. Returns 0 and the handle, or
 *   WEIR_EINVAL         remote is a multicast, broadcast or unspecified address, or port 0
 *   WEIR_EADDRINUSE     this four-tuple exists
 *   WEIR_EADDRNOTAVAIL  local is not one of our addresses, or no port is free
 *   WEIR_ENETUNREACH    no route
 *   WEIR_ENOTSUP        remote has an IPv6 address, and the build has no IPv6
 *   WEIR_ENOMEM
 */
WEIR_API int weir_connect(struct weir *s, const struct weir_endpoint *local,
                          const struct weir_endpoint *remote, weir_conn_t *conn);

/*
 * Like weir_connect, but first sets count options, so that they hold from the SYN on. With
 * WEIR_OPT_FASTOPEN, what weir_send queues before the next weir_output goes with the SYN if the
 * server has given a cookie in an earlier connection; otherwise, and if anything goes wrong, it
 * follows the handshake. It may arrive twice then, if the server restarts [RFC7413 2.1]. Further
 * errors: those of weir_set.
 */
WEIR_API int weir_connect_with(struct weir *s, const struct weir_endpoint *local,
                               const struct weir_endpoint *remote,
                               const struct weir_opt_value *opts, size_t count, weir_conn_t *conn);

/*
 * Listens on local; the address :: means every address of both families. backlog
 * is how many complete connections may wait for weir_accept. Existing connections on
 * the port are not touched. Returns 0 and the handle, or
 *   WEIR_EINVAL         port 0, or a multicast address
 *   WEIR_EADDRINUSE     another listener has it
 *   WEIR_EADDRNOTAVAIL  not one of our addresses
 *   WEIR_ENOMEM
 */
WEIR_API int weir_listen(struct weir *s, const struct weir_endpoint *local, uint32_t backlog,
                         weir_listener_t *listener);

/*
 * Like weir_listen, but first sets count options. Further errors: those of weir_set.
 *   WEIR_EADDRINUSE     another listener has it, and not both have WEIR_OPT_SHARE_PORT
 */
WEIR_API int weir_listen_with(struct weir *s, const struct weir_endpoint *local, uint32_t backlog,
                              const struct weir_opt_value *opts, size_t count,
                              weir_listener_t *listener);

/*
 * Takes the oldest complete connection, which may have ended since. Returns 0 and its handle, or
 *   WEIR_EAGAIN  none: wait for WEIR_EVENT_ACCEPTABLE
 *   WEIR_ESTALE  no such listener
 */
WEIR_API int weir_accept(struct weir *s, weir_listener_t listener, weir_conn_t *conn);

enum weir_send_flags {
    /* More follows at once: a short segment waits until something is acknowledged, for 200 ms at
     * most, or until a write without this flag; then it is without PSH. */
    WEIR_SEND_MORE = 1,
    /* These bytes are urgent, up to the last [RFC9293 3.8.5]: not for new designs. */
    WEIR_SEND_URGENT = 2,
    /* No segment has the last of these bytes and any later one: they end with a PSH. */
    WEIR_SEND_END_OF_RECORD = 4,
};

/*
 * Queues up to len bytes for sending. Returns how many were taken, at least 1 (0 if
 * len is 0), or
 *   WEIR_EAGAIN  the send queue is full: wait for WEIR_EVENT_WRITABLE
 *   WEIR_EPIPE   our side is closed
 *   WEIR_ENOMEM  the memory budget is used up (an event will not follow)
 *   WEIR_ESTALE  no such connection
 *   the error that ended the connection, e.g. WEIR_ECONNRESET
 */
WEIR_API ptrdiff_t weir_send(struct weir *s, weir_conn_t conn, const void *bytes, size_t len,
                             unsigned flags);

/*
 * Sends without a copy: all len bytes are lent to the stack, which calls
 * release(owner) exactly once when no frame refers to them any more. Returns len, or
 * an error as above, in which case nothing was taken and release is not called. A
 * lent buffer is taken whole as soon as the send queue has any room.
 *   WEIR_EINVAL  release is NULL, or len is 0 or more than 2^30
 */
WEIR_API ptrdiff_t weir_send_lent(struct weir *s, weir_conn_t conn, struct weir_slice bytes,
                                  unsigned flags, void (*release)(void *owner), void *owner);

/*
 * Receives up to len bytes. Returns how many, or
 *   0            the peer has closed its side and all has been read
 *   WEIR_EAGAIN  nothing has arrived: wait for WEIR_EVENT_READABLE
 *   WEIR_ESTATE  a read is posted
 *   WEIR_ESTALE  no such connection
 *   the error that ended the connection, after the bytes that came before it
 */
WEIR_API ptrdiff_t weir_recv(struct weir *s, weir_conn_t conn, void *bytes, size_t len);

/*
 * Receives without a copy: fills in up to max slices with the bytes at the head of
 * the receive queue, without consuming them. They stay valid until weir_recv_done,
 * weir_recv, weir_recv_post or weir_close on this connection. Returns the count of bytes in the
 * slices, else as weir_recv; *count is the number of slices.
 */
WEIR_API ptrdiff_t weir_recv_lent(struct weir *s, weir_conn_t conn, struct weir_slice *slices,
                                  size_t max, size_t *count);

/*
 * Posts a read: lends the stack the len bytes (at most 2^30) that the next read is to fill, before
 * there is anything to read. What arrives in order is then put there at once, in the same pass in
 * which it is verified, where weir_recv would copy it a second time. What arrived before, or out of
 * order, is copied there. It counts as received and not read, as in the receive queue, and
 * WEIR_EVENT_READABLE and WEIR_EVENT_PEER_CLOSED tell of it as ever; weir_recv_take reads it.
 *
 * The buffer is the stack's until weir_recv_take, weir_close or weir_abort of this connection, or
 * weir_destroy, also if the connection ends before. It is written to only within calls on this stack,
 * and anywhere: what it holds beyond the bytes that weir_recv_take counts is undefined.
 * Meanwhile weir_recv, weir_recv_lent and weir_recv_done answer WEIR_ESTATE, and the
 * connection keeps the memory of one at work. Returns 0, or
 *   WEIR_EINVAL  bytes is NULL, or len is 0 or too much
 *   WEIR_ESTATE  a read is posted already
 *   WEIR_ENOMEM  the memory budget is used up
 *   WEIR_ESTALE  no such connection
 */
WEIR_API int weir_recv_post(struct weir *s, weir_conn_t conn, void *bytes, size_t len);

/*
 * Takes the posted buffer back, in any case, with what has arrived: it is the caller's again, and
 * so is *bytes set to it (bytes may be NULL). Returns how many bytes of it are filled, from the
 * beginning on, else as weir_recv: 0 at the end, WEIR_EAGAIN if nothing has arrived, or the error
 * that ended the connection. Further errors, with which *bytes is NULL:
 *   WEIR_ESTATE  no read is posted
 *   WEIR_ESTALE  no such connection (any more): the buffer has been the caller's since it was closed
 */
WEIR_API ptrdiff_t weir_recv_take(struct weir *s, weir_conn_t conn, void **bytes);

/*
 * Copies up to len bytes of the receive queue that come after the first skip, without consuming
 * them. Returns how many; with nothing there, as weir_recv.
 */
WEIR_API ptrdiff_t weir_peek(const struct weir *s, weir_conn_t conn, size_t skip, void *bytes,
                             size_t len);

/* What waits in a connection's queues, in bytes. 0, or WEIR_ESTALE. */
struct weir_tcp_queued {
    uint32_t recv_bytes;   /* to be read */
    uint32_t send_bytes;   /* sent and not acknowledged, or not sent */
    uint32_t unsent_bytes; /* of these, never sent */
    uint32_t send_room;    /* weir_send would take */
};
WEIR_API int weir_tcp_queued(const struct weir *s, weir_conn_t conn,
                             struct weir_tcp_queued *queued);

/* How many connections wait for weir_accept, or WEIR_ESTALE. */
WEIR_API ptrdiff_t weir_acceptable(const struct weir *s, weir_listener_t listener);

/*
 * A local port for a bind that leaves the choice to the stack [RFC6056]: one without a listener;
 * 0 if all have one. Another turn gives another port, until all have had theirs.
 */
WEIR_API uint16_t weir_tcp_port(const struct weir *s, uint32_t turn);

/*
 * Whether a connection uses this local port, at this address (or any, if local->addr is any),
 * also one that was closed and is in TIME-WAIT. Looks at every connection.
 */
WEIR_API bool weir_tcp_port_is_used(const struct weir *s, const struct weir_endpoint *local);

/* Consumes len bytes that weir_recv_lent showed. 0, WEIR_EINVAL (more than there are), WEIR_ESTATE (a read is
 * posted), WEIR_ESTALE. */
WEIR_API int weir_recv_done(struct weir *s, weir_conn_t conn, size_t len);

/*
 * Closes our side when everything queued has been sent: the peer will read an end,
 * and we can go on receiving. 0, or WEIR_ENOTCONN (never connected), WEIR_ESTALE.
 */
WEIR_API int weir_shutdown(struct weir *s, weir_conn_t conn);

/*
 * Gives up a handle: of a connection (what is queued is still sent and the close
 * completes in the background; with unread data in the receive queue, or with
 * WEIR_OPT_LINGER, the connection is reset [RFC9293 SHLD-3]), of a listener (what waits
 * to be accepted is reset), of a UDP endpoint or a pinger. No event of it follows.
 * 0, or WEIR_ESTALE.
 */
WEIR_API int weir_close(struct weir *s, weir_handle_t handle);

/* Sends a reset, drops what is queued, and gives up the handle. 0, or WEIR_ESTALE. */
WEIR_API int weir_abort(struct weir *s, weir_conn_t conn);

/* Its two ends; a listener has no remote one (WEIR_ENOTCONN). 0, or WEIR_ESTALE. */
WEIR_API int weir_local(const struct weir *s, weir_handle_t handle, struct weir_endpoint *endpoint);
WEIR_API int weir_remote(const struct weir *s, weir_handle_t handle,
                         struct weir_endpoint *endpoint);

/*
 * How far the urgent data reaches: the count of bytes up to and including the last
 * urgent one that are still to be read, 0 for none [RFC9293 MUST-33]. Or WEIR_ESTALE.
 */
WEIR_API ptrdiff_t weir_urgent(const struct weir *s, weir_conn_t conn);

/* What became of data in the SYN [RFC7413]. */
enum weir_fastopen {
    WEIR_FASTOPEN_NONE,     /* not tried */
    WEIR_FASTOPEN_ASKED,    /* there was no cookie, or nothing to send with it; one was asked for */
    WEIR_FASTOPEN_SENT,     /* with the SYN; no answer yet */
    WEIR_FASTOPEN_TAKEN,    /* the peer has acknowledged all of it */
    WEIR_FASTOPEN_REFUSED,  /* the peer has acknowledged the SYN alone, or a part */
    WEIR_FASTOPEN_LOST,     /* no answer came: the SYN was sent again without it */
    WEIR_FASTOPEN_ACCEPTED, /* passive: the connection began with the peer's SYN and its data */
    WEIR_FASTOPEN_OPENED,   /* passive: the same, but there was no data */
};

/* How the two ends tell each other of marks. */
enum weir_tcp_ecn {
    WEIR_TCP_ECN_NONE,
    WEIR_TCP_ECN_CLASSIC,  /* [RFC3168] */
    WEIR_TCP_ECN_ACCURATE, /* [RFC9768] */
};

/* What congestion control and loss recovery are doing. The numbers are those of Linux's TCP_CA_. */
enum weir_tcp_recovery {
    WEIR_TCP_OPEN,     /* nothing unusual */
    WEIR_TCP_DISORDER, /* something has arrived out of order, and may be lost */
    WEIR_TCP_CWR,      /* the window shrinks because the peer tells of marks [RFC3168] */
    WEIR_TCP_RECOVERY, /* something is lost, and acknowledgements keep coming */
    WEIR_TCP_LOSS,     /* the retransmission timer has fired */
};

/* Why nothing is sent now. */
enum weir_tcp_blocked {
    WEIR_TCP_BLOCKED_APP,    /* there is nothing to send */
    WEIR_TCP_BLOCKED_BUFFER, /* nor any room for more, which the application waits for */
    WEIR_TCP_BLOCKED_PEER,   /* the peer's window */
    WEIR_TCP_BLOCKED_CWND,   /* the congestion window */
    WEIR_TCP_BLOCKED_PACING, /* it is not yet time */
    WEIR_TCP_BLOCKED_NOT,    /* something is about to be sent */
};

/*
 * How many bytes may go with the SYN of a connection that was just opened with WEIR_OPT_FASTOPEN,
 * before the next weir_output: 0 if there is no cookie to send. Or WEIR_ESTALE.
 */
WEIR_API ptrdiff_t weir_fastopen_room(const struct weir *s, weir_conn_t conn);

/* STATUS. Sequence numbers are raw; windows are bytes, scaled. */
struct weir_tcp_info {
    enum weir_tcp_state state;
    int error; /* what ended the connection */
    uint32_t iss, irs;
    uint32_t snd_una, snd_nxt, snd_wnd, rcv_nxt, rcv_wnd;
    uint32_t snd_mss, rcv_mss, pmtu;
    uint32_t
        rcv_seg_bytes; /* a full segment of the peer, by the largest since it last was at rest */
    uint8_t snd_wscale, rcv_wscale;
    bool wscale_ok, timestamps_ok, sack_ok;
    uint32_t cwnd, ssthresh; /* bytes; ssthresh UINT32_MAX: not yet known */
    weir_ns_t srtt_ns, rttvar_ns, rtt_min_ns, rto_ns;     /* srtt 0: no sample yet */
    uint32_t flight_bytes;                                /* sent and not acknowledged */
    uint32_t send_queued, recv_queued, reassembly_queued; /* bytes */
    uint32_t backoff; /* times the retransmission timer fired in a row */
    bool in_recovery; /* recovery is not OPEN or DISORDER */
    enum weir_tcp_recovery recovery;
    uint32_t pipe_bytes;            /* of flight_bytes, still in the network */
    uint32_t sacked_bytes;          /* selectively acknowledged */
    uint32_t lost_bytes;            /* lost, and not yet sent again */
    uint32_t resent_bytes;          /* of pipe_bytes, sent again */
    bool reordering_seen;           /* by this connection, on its path */
    uint32_t reorderings;           /* acknowledgements that told of it */
    uint32_t reordering_bytes;      /* how far behind what it overtook something came, at most */
    weir_ns_t reordering_window_ns; /* how long what is late may be late [RFC8985 6.2] */
    uint32_t dsacks_in;             /* reports of segments that arrived twice */
    uint32_t undone;                /* recoveries and timeouts that were not needed */
    const char *congestion_control;
    const char *cc_phase;             /* in the algorithm's words, or NULL */
    uint64_t pacing_rate;             /* bytes per second; 0: not paced */
    uint64_t delivery_rate;           /* bytes per second, the last sample; 0: none yet */
    bool delivery_rate_app_limited;   /* of that sample */
    uint64_t delivered_bytes;         /* since the connection was last at rest */
    enum weir_tcp_blocked blocked_by; /* now */
    enum weir_fastopen fastopen;
    enum weir_tcp_ecn ecn;
    bool ecn_capable;                   /* text is sent so that it can be marked */
    uint32_t received_ce, delivered_ce; /* segments marked: that came; of ours, as the peer tells */
    /* Bytes of text that came with each mark, and, with accurate ECN, of ours that arrived so since
     * the connection last was at rest. */
    uint32_t received_ect1_bytes, received_ect0_bytes, received_ce_bytes;
    uint32_t delivered_ect1_bytes, delivered_ect0_bytes, delivered_ce_bytes;
    uint64_t bytes_sent, bytes_acked, bytes_received, bytes_retransmitted;
    uint64_t segs_out, segs_in, data_segs_out, data_segs_in, retransmits, dup_acks_in;
    weir_ns_t last_sent_at, last_received_at, last_data_received_at;
    weir_ns_t busy_ns; /* time in which something was queued or under way */
    weir_ns_t blocked_by_app_ns, blocked_by_buffer_ns, blocked_by_peer_ns; /* time spent so */
    weir_ns_t blocked_by_cwnd_ns, blocked_by_pacing_ns;
};

WEIR_API int weir_tcp_info(const struct weir *s, weir_conn_t conn, struct weir_tcp_info *info);

/*
 * Changes TCP's defaults and limits, as sysctl does for a kernel: for connections and listeners
 * made from now on, and for those there are wherever they have no option of their own. Returns
 * 0, or WEIR_EINVAL (it contradicts itself) or WEIR_ENOTSUP (it asks for a part that is not built
 * in), which leave everything as it was.
 */
WEIR_API int weir_tcp_configure(struct weir *s, const struct weir_tcp_config *config);

/* What they are now; valid until they are changed. */
WEIR_API const struct weir_tcp_config *weir_tcp_config(const struct weir *s);

/* An option as a new connection has it: 0, or WEIR_ENOTSUP. */
WEIR_API int weir_default(const struct weir *s, enum weir_opt opt, int64_t *value);

/*
 * From now on the cookies of Fast Open [RFC7413] are made with this key; those made with the one
 * before stay good, and are replaced when they come; those of an earlier one are not: calling it every
 * few hours limits what a stolen cookie is worth. Servers that share an address share keys. Until it is called, the key
 * derives from the stack's secret.
 */
WEIR_API void weir_fastopen_key(struct weir *s, const uint8_t key[16]);

/*
 * The same for one listener, which from then on does not care for the stack's: cookies are made with
 * the first key, and those made with the second, if count is 2, are good as well; count 0: the stack's
 * key again. 0, or WEIR_EINVAL (more than two), WEIR_ESTALE, WEIR_ENOTSUP (no Fast Open).
 */
WEIR_API int weir_listener_fastopen_keys(struct weir *s, weir_listener_t listener,
                                         const uint8_t (*keys)[16], size_t count);

/* Advice for a test or a demonstration: the next connection of this stack starts with
 * this ISN instead of RFC 6528's. For the life of one connection only. */
WEIR_API void weir_tcp_next_isn(struct weir *s, uint32_t isn);

#ifdef __cplusplus
}
#endif

#endif
