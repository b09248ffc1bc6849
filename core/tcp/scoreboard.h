/*
 * scoreboard.h - what is under way, and what has become of it
 *
 * Each record stands for bytes that were sent together: one segment, or several of the same
 * instant. Records lie in the order of the sequence numbers, without gaps from snd.una to
 * snd.nxt. A record is in flight, lost (and to be sent again), or selectively acknowledged;
 * neighbours of the last kind are one record.
 *
 * What a peer can make us do is bounded: a record is found by bisection, at most once marked
 * in each way, and there are at most SCOREBOARD_RECORDS of them; a block that would need one
 * more counts only as far as it covers whole records.
 */
#ifndef CORE_TCP_SCOREBOARD_H
#define CORE_TCP_SCOREBOARD_H

#include "base/list.h"
#include "base/ns.h"
#include "base/seq.h"
#include "tcp/rate.h"
#include <stdbool.h>
#include <stdint.h>

struct tcp_conn;
struct tcp_env;

enum {
    SCOREBOARD_RECORDS = 16384, /* at most; a power of two */
    SCOREBOARD_SEGS = 64,       /* at most in one record, unless they are acknowledged */
    SCOREBOARD_FEW = 4,         /* places of a connection that has little under way */
};

enum sent_state {
    SENT_IN_FLIGHT,
    SENT_LOST,
    SENT_SACKED,
};

struct sent {
    struct list link; /* in flight: in the order of sending; lost: in the order of the marks */
    seq_t start;
    seq_t end;
    ns_t sent_at;  /* the last time */
    uint32_t turn; /* counts sendings, where the clock cannot tell them apart */
    struct rate_mark mark;
    uint16_t segs; /* how many segments; saturates */
    uint8_t state; /* enum sent_state */
    bool is_alone; /* nothing joins it */
    uint8_t resends;
};

struct scoreboard {
    struct sent **order; /* a ring of capacity places, a power of two */
    uint32_t capacity;
    uint32_t head; /* the place of the record that begins at snd.una */
    uint32_t count;
    struct sent *spare;               /* for what is sent next: mostly one that was let go */
    struct sent *few[SCOREBOARD_FEW]; /* the places, as long as these are enough */
    struct list in_flight;
    struct list lost;
    uint32_t in_flight_bytes;
    uint32_t resent_bytes; /* of these, not for the first time */
    uint32_t lost_bytes;
    uint32_t sacked_bytes;
    uint32_t sacked_segs;
    uint32_t turn;
};

/* What one acknowledgement says has arrived. */
struct delivery {
    uint32_t flight_before_bytes;
    uint32_t pipe_before_bytes;
    uint32_t cum_bytes;       /* how far snd.una has moved */
    uint32_t delivered_bytes; /* not known of before, acknowledged in either way */
    uint32_t sacked_bytes;    /* of these, selectively */
    uint32_t lost_bytes;      /* newly marked lost */
    uint32_t ce_bytes;        /* of delivered_bytes, marked on the way */
    bool has_ece;             /* the peer tells of marks */
    ns_t rtt_ns;              /* 0: not measured */
    ns_t newest_rtt_ns;       /* of what was sent last; the same, if only one was measured */
    ns_t first_sent_at;       /* of what is delivered and was sent once: the oldest */
    ns_t last_sent_at;        /* and the newest; NEVER: there is none */
    bool is_duplicate;        /* as RFC 5681 2 has it */
    bool has_sack;
    bool has_echo; /* of a timestamp */
    uint32_t echo;
    bool has_dsack;
    seq_t dsack_start, dsack_end;
    bool resent_acked;       /* cumulatively, something that had been sent again */
    bool is_earlier_copy;    /* what is being delivered was sent again after what the echo is of */
    ns_t needless_at;        /* when that was, if the echo is of the time before [RFC3522]; or 0 */
    bool original_delivered; /* something sent once, before the last timeout */
    bool is_reordered;       /* something that was overtaken */
};

/* Nothing is under way; what was there is cleared memory. */
void scoreboard_init(struct tcp_conn *c);
void scoreboard_clear(struct tcp_conn *c, struct tcp_env *env);
void scoreboard_fini(struct tcp_conn *c, struct tcp_env *env);

/* Makes sure that there is room for what is sent next; false: no memory. */
bool scoreboard_reserve(struct tcp_conn *c, struct tcp_env *env);

/* Room for new data: false until some of what is under way is acknowledged. */
bool scoreboard_is_full(const struct tcp_conn *c);

/* New data has been sent: the bytes up to end, in segs segments. There is room (reserve). */
void scoreboard_on_sent(struct tcp_conn *c, struct tcp_env *env, seq_t start, seq_t end,
                        uint32_t segs);

/* What was sent last stays by itself, so that its loss can be told from any other's. */
void scoreboard_keep_apart(struct tcp_conn *c);

/* [start, end) has been sent again; it is not acknowledged. */
void scoreboard_on_resent(struct tcp_conn *c, struct tcp_env *env, seq_t start, seq_t end);

/* Everything before una has arrived. */
void scoreboard_on_acked(struct tcp_conn *c, struct tcp_env *env, seq_t una, struct delivery *d);

/*
 * Where something is under way, all of it was sent once, and nothing of it is known to be lost or not, and
 * all before una has arrived: it is not under way any more.
 */
void scoreboard_drop_calmly(struct tcp_conn *c, struct tcp_env *env, seq_t una);

/* The record that has what stands before end, which is under way; records are in the order of sending. */
const struct sent *scoreboard_last_before(const struct tcp_conn *c, seq_t end);

/* [start, end) has arrived, within what is under way. */
void scoreboard_on_sacked(struct tcp_conn *c, struct tcp_env *env, seq_t start, seq_t end,
                          struct delivery *d);

void scoreboard_mark_lost(struct tcp_conn *c, const struct tcp_env *env, struct sent *sent);

/* It could not pass, however empty the queues: nothing is counted as lost [RFC8201 5.4]. */
void scoreboard_mark_too_big(struct tcp_conn *c, struct sent *sent);

/* Marks the first len bytes lost, whatever was known of them [RFC6582 3.2]. */
void scoreboard_mark_first_lost(struct tcp_conn *c, struct tcp_env *env, uint32_t len);

/* The peer has thrown away what it had selectively acknowledged [RFC2018 8]. */
void scoreboard_forget_sacks(struct tcp_conn *c, const struct tcp_env *env);

/* Nothing was lost: what is marked and was not sent again yet is in flight. */
void scoreboard_unmark_lost(struct tcp_conn *c);

/* The record that begins at snd.una; NULL: nothing is under way. */
struct sent *scoreboard_first(const struct tcp_conn *c);

/* The last record that is not acknowledged; NULL. */
struct sent *scoreboard_last_unacked(const struct tcp_conn *c);

/* What was sent first of what is in flight, and the one after; NULL. */
struct sent *scoreboard_oldest(const struct tcp_conn *c);
struct sent *scoreboard_next_oldest(const struct tcp_conn *c, const struct sent *sent);

/* What is to be sent again next; NULL. */
struct sent *scoreboard_first_lost(const struct tcp_conn *c);

void scoreboard_check(const struct tcp_conn *c);

#endif
