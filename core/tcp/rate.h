/*
 * rate.h - how fast data is delivered [draft-ietf-ccwg-bbr 4.1]
 *
 * What is sent takes a mark of how much had been delivered until then; when it arrives itself,
 * the difference is a sample of the delivery rate.
 */
#ifndef CORE_TCP_RATE_H
#define CORE_TCP_RATE_H

#include "base/ns.h"
#include "cc/cc.h"
#include <stdbool.h>
#include <stdint.h>

struct sent;
struct tcp_conn;
struct tcp_env;

/* How things stood when something was sent. */
struct rate_mark {
    uint64_t delivered_bytes;
    ns_t delivered_at;
    ns_t first_sent_at;
    uint32_t tx_in_flight_bytes; /* it included */
    uint32_t lost_bytes;         /* the low bits of rate.lost_bytes */
    bool is_app_limited;
};

struct rate {
    uint64_t delivered_bytes;
    uint64_t lost_bytes;
    ns_t delivered_at;
    ns_t first_sent_at;     /* of what the last sample was made from */
    uint64_t limited_until; /* what is sent before so much is delivered is app-limited; 0: no */

    uint64_t latest_bytes; /* the last sample */
    ns_t latest_ns;
    bool latest_is_app_limited;

    /* The sample of the acknowledgement that is being taken in. */
    bool has_newest;
    struct rate_mark newest;
    ns_t newest_sent_at;
};

/* In sent, whose bytes are in flight by now, how things stand. */
void rate_on_sent(struct tcp_conn *c, const struct tcp_env *env, struct sent *sent);

/* len bytes of sent have arrived. */
void rate_on_delivered(struct tcp_conn *c, const struct tcp_env *env, const struct sent *sent,
                       uint32_t len);

/* Bytes are marked lost, or not lost after all. */
void rate_on_lost(struct tcp_conn *c, uint32_t bytes);

/* The application has nothing more to send, and the window had room for more. */
void rate_on_app_limited(struct tcp_conn *c, uint32_t pipe_bytes);

/* The last sample in bytes per second; 0: there has been none. */
uint64_t rate_latest(const struct tcp_conn *c);

/* The acknowledgement is taken in: its sample. */
struct cc_rate rate_take_sample(struct tcp_conn *c, const struct tcp_env *env);

/*
 * Both for an acknowledgement that delivers bytes in order, of which last was sent last, after its
 * round trip was measured. *sample is the sample, unless nobody asks for it (NULL).
 */
void rate_on_acked_calmly(struct tcp_conn *c, const struct tcp_env *env, const struct sent *last,
                          uint32_t bytes, struct cc_rate *sample);

#endif
