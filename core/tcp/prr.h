/*
 * prr.h - proportional rate reduction [RFC9937]
 */
#ifndef CORE_TCP_PRR_H
#define CORE_TCP_PRR_H

#include <stdbool.h>
#include <stdint.h>

struct delivery;
struct tcp_conn;

struct prr {
    uint32_t recover_fs; /* what might be delivered during the episode, in bytes */
    uint32_t delivered;
    uint32_t out;
};

/* An episode begins with the acknowledgement that d tells of [RFC9937 6.1]. */
void prr_begin(struct tcp_conn *c, const struct delivery *d);

/*
 * An acknowledgement of the episode, the first included, has delivered something or shown that
 * something is lost: sets cwnd [RFC9937 6.2].
 */
void prr_on_ack(struct tcp_conn *c, const struct delivery *d, uint32_t pipe_bytes);

/* len bytes were sent [RFC9937 6.3]. */
void prr_on_sent(struct tcp_conn *c, uint32_t len);

#endif
