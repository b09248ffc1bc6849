/*
 * weir/trace.h - what the stack does, as it does it
 *
 * A hook receives events in order. What it is given is lent for the call; it must not
 * call into the stack. Tracing changes nothing: a stack with a hook gives the same outputs.
 */
#ifndef WEIR_TRACE_H
#define WEIR_TRACE_H

#include <weir/tcp.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The kinds of events: name, and what members of struct weir_trace carry. */
#define WEIR_TRACE_KINDS(X)                                                                        \
    X(PACKET_IN, "a packet was taken in: packet, conn (0: nobody's)")                              \
    X(PACKET_OUT, "a packet was sent: packet, conn; retransmit")                                   \
    X(STATE, "a connection changes state: conn, from, to")                                         \
    X(DROP, "the packet last taken in goes no further: why")                                       \
    X(TIMER, "a deadline has passed: conn, timer (a name)")                                        \
    X(RTT, "a round trip was measured: conn, value (ns), srtt, rto")                               \
    X(CWND, "the congestion window or phase changes: conn, cwnd, ssthresh, text")                  \
    X(RECOVERY, "a recovery begins or ends: conn, text")                                           \
    X(APP, "the application calls: conn, text, value")

enum weir_trace_kind {
#define X(name, text) WEIR_TRACE_##name,
    WEIR_TRACE_KINDS(X)
#undef X
        WEIR_TRACE_KIND_COUNT,
};

/* "packet_in" */
WEIR_API const char *weir_trace_kind_name(enum weir_trace_kind kind);

struct weir_trace {
    enum weir_trace_kind kind;
    weir_ns_t at;
    weir_conn_t conn; /* 0: none. TIME-WAIT and half-open records have handles of their own */
    struct weir_endpoint local, remote; /* of the connection, if there is one */

    /*
     * PACKET_*: the IP packet without its link header; a super-segment is one packet. Of what is
     * sent, the transport's checksum may still be the pseudo-header's sum.
     */
    weir_netif_t netif;
    const struct weir_slice *slices;
    size_t slice_count;
    size_t packet_len;
    uint16_t gso_size; /* 0: an ordinary packet */
    bool retransmit;

    enum weir_tcp_state from, to; /* STATE; PACKET_*: from is the state it meets */
    size_t why;                   /* DROP: see weir/stats.h */
    const char *text;             /* TIMER, CWND, RECOVERY, APP */
    int64_t value;
    weir_ns_t srtt_ns, rto_ns;
    uint32_t cwnd, ssthresh;
};

typedef void (*weir_trace_hook)(void *ctx, const struct weir_trace *trace);

/* Sets the hook, or removes it with NULL. */
WEIR_API void weir_trace_set(struct weir *s, weir_trace_hook hook, void *ctx);

#ifdef __cplusplus
}
#endif

#endif
