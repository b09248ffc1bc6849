/*
 * rack.h - what is lost, told by time [RFC8985 6]
 */
#ifndef CORE_TCP_RACK_H
#define CORE_TCP_RACK_H

#include "base/ns.h"
#include "base/seq.h"
#include <stdbool.h>
#include <stdint.h>

struct delivery;
struct sent;
struct tcp_conn;
struct tcp_env;

struct rack {
    bool is_valid; /* something has arrived */
    uint32_t turn; /* of what was sent last of all that has arrived */
    seq_t end;     /* and where that ends */
    ns_t rtt_ns;   /* and how long it took */
    seq_t fack;    /* the highest number that is known to have arrived */
    bool fack_valid;
    bool reordering_seen;
    uint32_t reorderings;      /* acknowledgements that have told of it */
    uint32_t reordering_bytes; /* how far what was overtaken lay behind, at most */
    bool dsack_round_valid;
    seq_t dsack_round;
    uint8_t reo_wnd_mult; /* in quarters of the smallest round trip; 0 is 1 */
    uint8_t reo_wnd_persist;
    ns_t reo_at; /* when the next record will be lost if it has not arrived; NEVER */
};

/* How long what is late may be late [RFC8985 6.2, step 4]. */
ns_t rack_window_ns(const struct tcp_conn *c);

/* Some of sent, up to end, has arrived. */
void rack_on_delivered(struct tcp_conn *c, const struct tcp_env *env, const struct sent *sent,
                       seq_t end, struct delivery *d);

/*
 * Nothing that was sent after first, which nothing under way comes before, has ever arrived. If nothing behind
 * it is known to have arrived, nothing can be found to be lost.
 */
bool rack_is_calm(const struct tcp_conn *c, const struct sent *first);

/* That was so until what was sent up to end, of which sent is the last, arrived, rtt_ns after it was. */
void rack_on_delivered_calmly(struct tcp_conn *c, const struct sent *sent, ns_t rtt_ns, seq_t end);

/* What was sent again had arrived before: the window was too short [RFC8985 6.2, step 4]. */
void rack_on_dsack(struct tcp_conn *c);

/* A recovery was not needed: segments do overtake one another. */
void rack_on_spurious(struct tcp_conn *c);

/* A recovery has ended. */
void rack_on_recovered(struct tcp_conn *c);

/* Marks what is lost by now and sets reo_at [RFC8985 6.2, step 5]; true: something was. */
bool rack_detect(struct tcp_conn *c, const struct tcp_env *env);

/* The retransmission timer has fired: is this, which is not the first, lost, too? [RFC8985 6.3] */
bool rack_is_overdue(const struct tcp_conn *c, const struct tcp_env *env, const struct sent *sent);

void rack_check(const struct tcp_conn *c);

#endif
