/*
 * closed.c - a segment for which there is no connection
 *
 * The reset is made from the segment alone, so that its sender, and nobody else, takes it
 * for an answer.
 */
#include "tcp/closed.h"
#include "tcp/seg.h"
#include "tcp/segment.h"

bool closed_reset(const struct tcp_tuple *tuple, const struct tcp_seg *seg, struct reply *reply)
{
    if (seg->flags & TCP_RST)
        return false;
    *reply = (struct reply){.tuple = tuple, .flags = TCP_RST};
    if (seg->flags & TCP_ACK) {
        reply->seq = seg->ack;
    } else {
        reply->flags |= TCP_ACK;
        reply->ack = seq_add(seg->seq, tcp_seg_space(seg));
    }
    return true;
}
