/*
 * infer.h - the state of an end that does not tell: what its segments give away
 *
 * A small copy of RFC 9293's state machine, fed with what the end sends and what reaches
 * it. It knows what can be known from outside: that a call of close was made is seen
 * only when the FIN leaves, and what is lost within the host is not seen at all.
 */
#ifndef TRACE_INFER_H
#define TRACE_INFER_H

#include <stdbool.h>
#include <stdint.h>
#include <weir/tcp.h>

#include "base/seq.h"
#include "format/seg_text.h"

struct infer {
    enum weir_tcp_state state;
    seq_t snd_nxt;  /* valid if it has sent something */
    seq_t rcv_nxt;  /* valid if something has reached it */
    seq_t peer_fin; /* the number after the peer's FIN; valid with peer_fin_seen */
    bool has_sent;
    bool has_received;
    bool peer_fin_seen; /* it may have come ahead of data that is missing */
    bool peer_fin_taken;
};

/* first_sent is the first segment that the end will send, NULL if none: it says where it began. */
void infer_init(struct infer *end, const struct seg_text *first_sent);

void infer_sent(struct infer *end, const struct seg_text *seg);
void infer_received(struct infer *end, const struct seg_text *seg);

#endif
