/*
 * express_in.h - the usual segment, taken in in one go
 */
#ifndef CORE_TCP_EXPRESS_IN_H
#define CORE_TCP_EXPRESS_IN_H

#include "base/seq.h"
#include "base/span.h"
#include <stdbool.h>
#include <stdint.h>

struct tcp_conn;
struct tcp_env;
struct tcp_seg;

/* What it says, if it has no options but timestamps. */
struct express_seg {
    seq_t seq, ack;
    struct span
        text; /* in one run; its frame is not worth keeping for it (tcp_seg_is_worth_keeping) */
    uint32_t ts_val, ts_ecr;
    bool has_timestamps;
    uint8_t tos;
    uint16_t flags;
    uint16_t wnd; /* as it stands there */
};

/*
 * Takes a segment in whose checksum is right, if it is one of those that nearly all are on a connection
 * at work: the next text, an acknowledgement of something new, or both, where nothing is unusual. False,
 * with nothing changed: it is another one, or there is no memory; tcp_input knows.
 */
bool express_input(struct tcp_conn *c, struct tcp_env *env, const struct express_seg *seg);

/* The same for a segment with the FIN, or on a connection of which one side has closed: it may be the last. */
bool express_input_at_end(struct tcp_conn *c, struct tcp_env *env, const struct express_seg *seg);

/*
 * The same for a connection in SYN-SENT: a SYN-ACK that grants all that a usual SYN has asked for, and
 * brings nothing else (express_syn.c).
 */
bool express_synack(struct tcp_conn *c, struct tcp_env *env, const struct tcp_seg *seg);

#endif
