/*
 * peer.h - a test holds a conversation with one connection
 *
 *   struct peer p = peer_of(TCP_ESTABLISHED);
 *
 *   peer_sends(&p, "P. 1:101(100) ack 1");
 *   peer_sees(&p, ". 1:1(0) ack 101");
 *
 * Segments are in packetdrill's notation (format/seg_text.h) with relative sequence numbers:
 * 0 is the SYN of either side. Both initial sequence numbers are just below the wrap. What the
 * text does not mention is the usual (peer_sends) or not compared (peer_sees). In front may stand the
 * mark of the packet, as in "[ce] . 1:1(0) ack 1": noecn, ect0, ect1 or ce. Text is always
 * the right part of the stream, and checksums are verified.
 *
 * The fixture is what the stack is to a connection: it holds half-open and TIME-WAIT
 * records, makes resets, releases frames. Invariants are checked after every step.
 */
#ifndef TESTS_LIB_PEER_H
#define TESTS_LIB_PEER_H

#include "base/frame.h"
#include "lib/tcp_world.h"
#include "tcp/conn.h"
#include "tcp/listen.h"
#include "tcp/timewait.h"
#include "tcp/user.h"

#define PEER_ISS 0xfffffffbu /* ours: the connection's */
#define PEER_IRS 0xfffffff9u /* the test's */

enum { PEER_MTU = 1500 };

/* What the handshake takes: the retransmission timeout is 300 ms after it. */
#define PEER_RTT_NS (100 * NS_MS)

struct peer_setup {
    const char *options; /* of the test's SYN; NULL: "mss 1460" */
    uint16_t window;     /* of all its segments that do not say; 0: 65535 */
    uint32_t mtu;        /* 0: 1500 */
    bool is_v6;
    bool lends_frames; /* what comes in has to be copied */
};

/* Who has the connection's ends. */
enum peer_stage {
    PEER_NOBODY,
    PEER_LISTENER,
    PEER_HALFOPEN,
    PEER_CONN,
    PEER_TIMEWAIT,
};

struct peer {
    struct tcp_world *world;
    struct tcp_conn *conn;
    struct tcp_env *env;
    struct peer_setup setup;
    struct tcp_tuple tuple;
    enum peer_stage stage;
    struct tcp_halfopen halfopen;
    struct tcp_timewait timewait;
    ns_t record_at;         /* the record's deadline */
    uint64_t written, read; /* bytes of the two streams so far */
    uint32_t gso_bytes;     /* what the device takes: see tcp_output */
    bool goes_by_steps;     /* no segment takes the short way (predict.h) */
    size_t expected;        /* segments that could have, or have */
    size_t calm;            /* of these, acknowledgements on a connection that is calm */
    size_t sent_short;      /* segments that went out the short way (express.h) */
    size_t taken_short;     /* and that came in on it (express_in.h) */
    size_t answered_short;  /* the same of SYN-ACKs (express_synack) */
    size_t compared;        /* of these, byte by byte (both_ways.h) */
    bool keeps_frames;      /* the driver is slow: what is seen goes to world->kept */

    /* Of the frame last seen. */
    ns_t seen_at;
    bool seen_resent;
    uint16_t seen_gso_size;
    uint8_t seen_mark; /* enum ip_ecn */
    uint32_t seen_ts_val, seen_ts_ecr;
    int seen_cookie_len; /* of the Fast Open option; -1: there was none */
    bool seen_cookie_is_experimental;
};

/* A connection in that state, with nothing left to say. */
struct peer peer_of(enum tcp_state state);
struct peer peer_with(enum tcp_state state, struct peer_setup setup);

/* The conversation from CLOSED to state; options may have been set before. */
void peer_brings_to(struct peer *p, enum tcp_state state);

/* OPEN, active. */
void peer_opens(struct peer *p);

/* The state, of a record or of the connection. */
enum tcp_state peer_state(const struct peer *p);

/* A segment arrives. Returns why it went no further. */
enum why peer_sends(struct peer *p, const char *text);

/* The next segment the connection sends is this one. */
void peer_sees(struct peer *p, const char *text);
void peer_sees_nothing(struct peer *p);

/* Takes the next segment, whatever it is; false: there is none. */
bool peer_skips_one(struct peer *p);

/* Takes whatever is sent, unseen; returns how many frames. */
size_t peer_skips(struct peer *p);

/* Time passes, and deadlines do their work. What is sent meanwhile is seen later. */
void peer_waits(struct peer *p, ns_t duration_ns);

/* Waits until something is sent: returns how long that takes; NEVER: nothing ever is. */
ns_t peer_waits_for_frame(struct peer *p);

/* The application writes the next len bytes of its stream; all of them fit. */
void peer_writes(struct peer *p, uint32_t len);
void peer_writes_flagged(struct peer *p, uint32_t len, unsigned flags);

/* The same in a lent buffer, which is counted in world->lent until it is released. */
void peer_lends(struct peer *p, uint32_t len);

/* The application reads, and finds the stream's bytes; returns what recv does. */
ptrdiff_t peer_reads(struct peer *p, uint32_t len);

/* Takes the events that have gathered. */
unsigned peer_takes_events(struct peer *p);

#endif
