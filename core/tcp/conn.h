/*
 * conn.h - one connection: the RFC's Transmission Control Block [RFC9293 3.3.1]
 *
 * Variables have the RFC's names. What every connection needs at any time is in struct
 * tcp_conn, which is meant to be small; what only a busy one needs is in struct tcp_work,
 * which is attached when something happens and given back when the connection rests.
 * Inside all processing, work is there.
 *
 * Who assigns what:
 *   state               conn.c (tcp_set_state)
 *   snd, rcv            the files that RFC 9293's sections are in (docs/ARCHITECTURE.md)
 *   rtt                 rtt.c             ts        tstamp.c
 *   deadlines           timers.c
 *   sendq, recvq, reasm, scoreboard, recovery, sack, rack, tlp, prr, undo, rate, pace, cwv
 *                       the file of that name
 *   ecn                 ecn.c             accecn    accecn.c
 *   fastopen            fastopen.c        timeout_owed  uto.c
 *   tune, sizes of buffers                  tune.c
 *   user                choice.c          work      works.c, conn.c
 */
#ifndef CORE_TCP_CONN_H
#define CORE_TCP_CONN_H

#include "base/list.h"
#include "base/ns.h"
#include "base/parts.h"
#include "base/seq.h"
#include "base/wheel.h"
#include "cc/cc.h"
#include "tcp/cwv.h"
#include "tcp/ends.h"
#include "tcp/env.h"
#include "tcp/mtu_probe.h"
#include "tcp/pace.h"
#include "tcp/piece.h"
#include "tcp/prr.h"
#include "tcp/rack.h"
#include "tcp/rate.h"
#include "tcp/recovery.h"
#include "tcp/sack.h"
#include "tcp/scoreboard.h"
#include "tcp/tlp.h"
#include "tcp/undo.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/tcp.h>

enum tcp_state {
    TCP_CLOSED = WEIR_TCP_CLOSED,
    TCP_LISTEN = WEIR_TCP_LISTEN,
    TCP_SYN_SENT = WEIR_TCP_SYN_SENT,
    TCP_SYN_RECEIVED = WEIR_TCP_SYN_RECEIVED,
    TCP_ESTABLISHED = WEIR_TCP_ESTABLISHED,
    TCP_FIN_WAIT_1 = WEIR_TCP_FIN_WAIT_1,
    TCP_FIN_WAIT_2 = WEIR_TCP_FIN_WAIT_2,
    TCP_CLOSE_WAIT = WEIR_TCP_CLOSE_WAIT,
    TCP_CLOSING = WEIR_TCP_CLOSING,
    TCP_LAST_ACK = WEIR_TCP_LAST_ACK,
    TCP_TIME_WAIT = WEIR_TCP_TIME_WAIT,
};

/* What was agreed on in the handshake. */
struct tcp_agreed {
    uint16_t snd_mss;       /* what the peer can take: its MSS option */
    uint16_t rcv_mss;       /* what we announced */
    uint8_t snd_wscale : 4; /* how far to shift the windows we receive */
    uint8_t rcv_wscale : 4; /* how far to shift those we announce; 0 if not agreed on */
    bool wscale_ok : 1;
    bool timestamps_ok : 1;
    bool sack_ok : 1;
};

/* How marks are told of [RFC3168, RFC9768]: decided once, for both directions. */
enum ecn_mode {
    ECN_NONE,
    ECN_CLASSIC,
    ECN_ACCURATE,
};

/* What of it a connection that is half open has to remember. */
struct ecn_half {
    uint8_t mode : 2;     /* enum ecn_mode */
    uint8_t syn_mark : 2; /* enum ip_ecn: how the last SYN arrived */
    bool is_not_ect : 1;  /* a SYN without ECN has come, too */
    bool is_repeated : 1; /* more than one SYN has come */
    bool tells_apart : 1; /* the listener would have taken accurate ECN */
};

struct ecn {
    uint32_t ce_in;    /* packets that arrived marked CE */
    uint32_t ce_out;   /* packets of ours that did, as far as the peer tells */
    uint8_t mode : 2;  /* enum ecn_mode */
    uint8_t asked : 2; /* the same: what our SYN has asked for */
    bool plain_syn_sent : 1;
    bool is_not_ect : 1; /* what we send is not ECN-capable */
    bool echoes : 1;     /* marks have come: to be told of until CWR [RFC3168 6.1.3] */
    bool owes_cwr : 1;   /* cwnd was reduced [RFC3168 6.1.2] */
};

/* The bytes of text that came with a mark, in the order of enum ip_ecn from ECT(1) on. */
enum accecn_counter {
    ACCECN_E1B,
    ACCECN_E0B,
    ACCECN_CEB,
    ACCECN_COUNTERS,
};

/*
 * Accurate ECN [RFC9768]. ACE's counters are those of struct ecn, and five; those of bytes are apart,
 * as the rest is small.
 */
struct accecn {
    uint8_t syn_mark : 2;        /* enum ip_ecn: how the peer's SYN or SYN-ACK arrived */
    bool syn_was_ce : 1;         /* ours was marked, says the peer */
    bool is_deaf : 1;            /* what the peer tells is not to be believed */
    bool owes_handshake_ack : 1; /* the next ACK tells syn_mark [RFC9768 3.2.2.1] */
    bool was_ce : 1;             /* the last packet that came in */
    bool ignores_options : 1;    /* the peer's are not right [RFC9768 3.2.3.2.4] */
    bool sends_no_options : 1;   /* ours do not get through [RFC9768 3.2.3.2.2] */
    uint8_t changed : 3;         /* counters that have ever moved: bits of accecn_counter */
    uint8_t unsent : 3;          /* that have moved since the last option */
    bool moved : 1;              /* one of them has since the last ACK */
    bool owes_option : 1;        /* the first text that we send carries one */
};

/* What of the two only a busy connection needs. */
enum { ECN_PAST_MAX = 8 };
struct ecn_work {
    seq_t cwr_end; /* up to there the peer has been told by CWR, if is_told */
    bool is_told;
    uint8_t past_count;
    struct ecn_past { /* an acknowledgement that DCTCP owes, from before marks began or ended */
        seq_t ack;
        bool echoes;
    } past[ECN_PAST_MAX];
};

struct accecn_work {
    uint32_t bytes_out[ACCECN_COUNTERS];       /* as the peer has last told; 24 bits */
    uint32_t delivered_bytes[ACCECN_COUNTERS]; /* the sum of its steps */
    uint32_t acked_segs_mean;                  /* newly acknowledged by an ACK, in 1/64 */
    uint32_t marked_segs;                      /* in a row, from the beginning on */
    seq_t plain_from;        /* where what is not ECN-capable begins, if is_plain */
    uint32_t ts_seen;        /* of the last ACK that was looked at */
    uint8_t ce_acked;        /* ecn.ce_in when the last ACK was sent */
    uint8_t text_again;      /* segments in a row that had come before */
    uint8_t contradictions;  /* in a row: bytes marked, but no packets */
    uint8_t bytes_out_known; /* bits of accecn_counter */
    bool ts_known;
    bool is_unmarked; /* marked_segs has ended */
    bool is_plain;    /* all was marked, which no queue does */
    bool acks_acks;   /* the ACK that is owed answers ACKs that were marked */
};

enum tcp_timer {
    TIMER_LOSS, /* what is under way, or a window of zero: see loss_timer */
    TIMER_DELACK,
    TIMER_KEEPALIVE,
    TIMER_CLOSE, /* FIN-WAIT-2 of a connection that the application has given up */
    TIMER_CORK,  /* a corked segment, or one held back by silly-window avoidance */
    TIMER_PACE,  /* the next segment of a paced connection */
    TIMER_REST,  /* nothing has happened for a while: give work back */
    TIMER_COUNT,
};

/* What TIMER_LOSS stands for: the first of the middle three, or the last. */
enum loss_timer {
    LOSS_NONE,
    LOSS_RTO,   /* retransmission [RFC6298] */
    LOSS_REO,   /* the end of the reordering window [RFC8985 6] */
    LOSS_TLP,   /* the probe at the tail [RFC8985 7] */
    LOSS_PROBE, /* the zero-window probe */
};

struct rtt {
    uint32_t srtt_us; /* 0: no sample yet */
    uint32_t rttvar_us;
    uint32_t rto_us; /* without backoff */
    uint32_t min_us; /* UINT32_MAX: no sample yet */
};

struct tstamp {
    uint32_t offset; /* ours: the clock in milliseconds plus this */
    uint32_t recent; /* TS.Recent [RFC7323 4.3] */
    uint32_t
        recent_s; /* when it was set, in seconds: it lives for 24 days; before, the first SYN's */
};

/* Bytes sent or to be sent: [snd.una, end), without SYN and FIN. */
struct sendq {
    struct pieces pieces;
    seq_t start; /* sequence number of the first byte */
    uint32_t bytes;
    uint32_t memory;     /* what the pieces cost */
    struct piece *spare; /* empty, for the next short write; not in memory; or NULL */
    struct piece *hint;  /* a piece, and the number of its first byte: where sending stands */
    seq_t hint_seq;
    bool has_records; /* the last of them ends at record_end */
    seq_t record_end;
    ns_t busy_since_at; /* if there are bytes */
    ns_t busy_ns;       /* before that, how long there were any */
};

/* The application's buffer for what it reads next; what fills it is the head of the queue. */
struct posted {
    uint8_t *bytes; /* NULL: there is none */
    uint32_t size;
    uint32_t filled;
};

/* Bytes received in order and not yet read. */
struct recvq {
    struct posted posted;
    struct pieces pieces;
    uint32_t bytes; /* in both */
    uint32_t memory;
    struct piece *spare; /* empty, for the next short text; not in memory; or NULL */
};

/* How fast the application reads (tune.c). */
struct tune {
    ns_t rtt_ns;   /* as the receiver sees it; 0: not measured yet */
    ns_t round_at; /* when read_bytes began to count; 0: not yet */
    uint32_t read_bytes;
    uint32_t space_bytes; /* the most that has been read in a round trip */
    uint32_t cost;        /* memory for a byte of text, in sixteenths; 0: not known */
    bool is_timed;        /* from timed_at until timed_end is received */
    seq_t timed_end;
    ns_t timed_at;
};

struct reasm;
struct route_entry;

/* Why nothing is sent now. */
enum tcp_blocked {
    BLOCKED_BY_APP,
    BLOCKED_BY_BUFFER,
    BLOCKED_BY_PEER,
    BLOCKED_BY_CWND,
    BLOCKED_BY_PACING,
    BLOCKED_BY_NOTHING,
};

/* The stack's entry for a deadline. */
struct alarm {
    struct wheel_entry entry;
    struct flow *flow; /* whose deadline it is */
};

/*
 * What a busy connection needs. Where there are very many of them it is in no cache when a segment comes or
 * goes: what nearly all segments look at stands together in front, line by line, and what few do is behind it.
 */
struct tcp_work {
    struct tcp_conn *conn; /* whose it is */
    ns_t deadline_at[TIMER_COUNT];

    ns_t alarm_at; /* no deadline is before it (timers_choose_alarm) */
    ns_t rto_at;   /* of the retransmission timer, behind the others that TIMER_LOSS stands for */
    enum loss_timer loss_timer;
    uint32_t backoff;    /* times TIMER_LOSS fired in a row: doubles its interval */
    uint32_t unanswered; /* the same, but any sign of life from the peer resets it: R1, R2 */
    uint32_t keepalive_unanswered;
    bool is_calm; /* express_is_calm was true, and tcp_disturb has not been called since */

    /* What is owed to the peer: counted, so that a batch of segments gets all its ACKs. */
    bool ack_owed; /* at once */
    bool rst_owed;
    bool
        rst_answers; /* a segment that acknowledges rst_seq: it looks as if there were no connection */
    bool keepalive_owed;    /* a keep-alive probe is to be sent */
    bool probe_owed;        /* a zero-window probe is to be sent */
    uint32_t dup_acks_owed; /* one for each segment out of order */

    /* What was sent last, and how what comes next is. */
    bool push_all;         /* the cork or the silly window has lasted long enough */
    bool more_follows;     /* the last write said so, and nothing has been acknowledged since */
    bool is_unpushed;      /* the last write said so: its end is no place to push */
    bool small_sent;       /* the last segment was not full, and ends at small_end [Minshall] */
    bool is_syn_text_next; /* what went with the SYN goes again: it is no news that it is short */
    bool is_restarted;     /* the pause since sent_at has been noted */
    bool cwnd_limited;     /* in the round trip that ends when cwnd_round is acknowledged */
    bool is_interactive;   /* what we send carries our ACKs */
    bool device_sums;      /* where it goes the device makes the checksums (the stack's) */
    uint8_t blocked_by;
    seq_t small_end;
    seq_t cwnd_round;
    ns_t sent_at; /* the last segment with data */

    /* Delayed acknowledgement. */
    ns_t delack_ns; /* how long the next one may be delayed; 0: no data yet */
    ns_t
        data_received_at; /* or when the connection was established; 0: it has been at rest since */
    uint32_t quick_acks;  /* so many ACKs are still sent at once */
    uint32_t rcv_unacked; /* bytes received since the last ACK was sent */
    uint32_t rcv_seg_max; /* what a full segment of the peer has been so far */
    uint32_t pseudo_sum;  /* of the pseudo-header without its length; 0: not made yet */

    /* For STATUS: what else is worth knowing about a connection at work. */
    uint32_t data_segs_in, data_segs_out;
    uint64_t bytes_sent;
    ns_t blocked_since_at;

    /* The stack's. */
    struct list ready;         /* its turn to send */
    struct route_entry *route; /* where its segments go, if it is still the one of that turn */
    uint64_t route_turn;
    uint64_t handle;            /* its name; 0: not asked for yet */
    struct alarm alarm;         /* when tcp_deadline is */
    uint64_t pending_of;        /* the listener among whose Fast Open requests it counts */
    struct tcp_work *next_kept; /* while it is nobody's (works.c) */

    struct sendq sendq;
    struct scoreboard scoreboard;
    struct recvq recvq;
    struct reasm *reasm; /* NULL: nothing is out of order */
    struct recovery recovery;
    struct tlp tlp;
    struct rack rack;
    struct rate rate;
    struct cwv cwv;
    struct prr prr;
    struct tune tune;
    ns_t rtt_min_at; /* when the smallest round trip was measured */
    ns_t blocked_ns[BLOCKED_BY_NOTHING];
    struct cc cc;

    struct sack sack;
    struct ecn_work ecn;
    struct mtu_probe mtu_probe;
    struct undo undo;
    struct pace pace;
    struct accecn_work accecn;
    ns_t syn_sent_at; /* 0: not, or more than once */
    ns_t unanswered_since_at;
    ns_t challenge_at; /* the second whose challenge ACKs are counted [RFC5961 7] */
    uint32_t challenge_tokens;
    seq_t rst_seq;
    seq_t snd_up, rcv_up; /* SND.UP, RCV.UP: while snd_urgent, rcv_urgent */
    uint64_t bytes_retransmitted;
    uint32_t dup_acks_in;
    uint32_t dsacks_in; /* as many segments had been sent again for nothing */
    uint32_t undone;    /* recoveries that were not needed */
    struct {
        bool is_given, is_experimental;
        uint8_t cookie[8];
    } renewed; /* the cookie for a client whose key is not the newest */
};

/* Of its bytes, those in front that nearly all segments look at, and that calls of the application do. */
enum {
    TCP_WORK_HOT = offsetof(struct tcp_work, tune),
    TCP_WORK_QUEUES = offsetof(struct tcp_work, recovery),
};

struct tcp_conn {
    struct tcp_ends ends;
    uint32_t auth; /* of env.auth; 0: segments have no digests */
    struct tcp_work *work;
    const struct tcp_user *user; /* shared with others (choice.h) */

    struct {
        seq_t una, nxt;
        seq_t wl1, wl2;
        seq_t iss;
        uint32_t wnd;
        uint32_t wnd_max;
    } snd;

    struct {
        seq_t nxt;
        seq_t irs;
        seq_t acked;  /* the last acknowledgement sent [RFC7323: Last.ACK.sent] */
        uint32_t wnd; /* announced, from acked on */
    } rcv;

    uint8_t state;     /* enum tcp_state */
    uint8_t cc;        /* its algorithm, as cc_number has it (tcp_cc) */
    int8_t error;      /* why it ended (weir/err.h) */
    int8_t soft_error; /* what the network says, with WEIR_EVENT_SOFT_ERROR */
    uint16_t pmtu;     /* what the path is said to take */
    uint16_t mtu_low;  /* what has been seen to pass, if it is probed for; 0: it is not */
    struct tcp_agreed agreed;
    struct accecn accecn;
    struct tstamp ts;
    struct rtt rtt;
    struct ecn ecn;
    uint32_t accecn_bytes_in[ACCECN_COUNTERS]; /* without the ones that E1B and E0B start from */
    uint32_t send_buffer_bytes, recv_buffer_bytes; /* as large as they have become (tune.c) */
    uint32_t ssthresh;                             /* kept while at rest */
    uint32_t received_s;                           /* when the last segment came in, in seconds */

    uint64_t bytes_acked, bytes_received;
    uint32_t segs_in, segs_out, retransmits;

    uint16_t events;     /* enum weir_event_bits: for the stack to collect */
    bool is_passive : 1; /* it began with a listener [RFC9293 MUST-11] */
    bool is_orphan : 1;  /* the application has given it up */
    bool fin_queued : 1; /* our side is closed: a FIN follows the send queue */
    bool fin_received : 1;
    bool wants_writable : 1;  /* the application was refused a write */
    bool wants_acked : 1;     /* it counts for itself what is queued */
    bool snd_urgent : 1;      /* SND.UP is ahead of snd.una */
    bool rcv_urgent : 1;      /* RCV.UP is ahead of what was read */
    bool path_is_suspect : 1; /* R1: for the stack to collect */
    uint8_t fastopen : 3;     /* enum weir_fastopen */
    bool timeout_owed : 1;    /* the user timeout option is to be sent */
};

/*
 * Something may be unusual from now on (express_is_calm): for all that changes a connection, which has
 * work, but for the short ways and calls that only send or read.
 */
static inline void tcp_disturb(struct tcp_conn *c)
{
    if (HAS_PREDICTION)
        c->work->is_calm = false;
}

/* ---- conn.c ---- */

/* A closed connection with the stack's defaults. False: no memory; it may be given back all the same. */
bool tcp_conn_init(struct tcp_conn *c, struct tcp_env *env);

/* The same as another that was never opened, whose options it shares. */
void tcp_conn_init_like(struct tcp_conn *c, const struct tcp_conn *model);

/* Gives everything back. */
void tcp_conn_fini(struct tcp_conn *c, struct tcp_env *env);

void tcp_set_state(struct tcp_conn *c, struct tcp_env *env, enum tcp_state state);

/* The connection ends: nothing more is sent, and the application is told why. */
void tcp_end(struct tcp_conn *c, struct tcp_env *env, int error);

/* The same in LAST-ACK, when our FIN is acknowledged: there is nothing left that could be dropped. */
void tcp_end_acked(struct tcp_conn *c, struct tcp_env *env);

/* Makes sure that work is attached; false: no memory. */
bool tcp_work_attach(struct tcp_conn *c, struct tcp_env *env);

/* The same for one that has none and is established next (tcp_established), which begins the rest. */
bool tcp_work_attach_first(struct tcp_conn *c, struct tcp_env *env);

/* Gives work back, if there is nothing in it that would be missed. */
void tcp_work_detach(struct tcp_conn *c, struct tcp_env *env);
bool tcp_can_rest(const struct tcp_conn *c);

/* Invariants, for tests, simulation and fuzzing: fails a CHECK if one does not hold. */
void tcp_conn_check(const struct tcp_conn *c);

static inline const struct cc_ops *tcp_cc(const struct tcp_conn *c)
{
    return cc_registry[c->cc];
}

/* Sent and not acknowledged. */
static inline uint32_t tcp_flight(const struct tcp_conn *c)
{
    return seq_len(c->snd.una, c->snd.nxt);
}

/* Whether our FIN has been sent, and acknowledged: it is the number after the send queue. */
bool tcp_fin_sent(const struct tcp_conn *c);
bool tcp_fin_acked(const struct tcp_conn *c);

/* The peer may send text, and it may be read. */
static inline bool tcp_takes_text(const struct tcp_conn *c)
{
    return c->state == TCP_ESTABLISHED || c->state == TCP_FIN_WAIT_1 || c->state == TCP_FIN_WAIT_2;
}

static inline bool tcp_is_synchronized(const struct tcp_conn *c)
{
    return c->state >= TCP_ESTABLISHED;
}

/* A connection's trace event, with its ends filled in. */
struct weir_trace tcp_trace_of(const struct tcp_conn *c, const struct tcp_env *env,
                               enum weir_trace_kind kind);

#endif
