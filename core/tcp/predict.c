/*
 * predict.c - the segment that was expected
 *
 * Nearly every segment of a connection at work brings the next text, acknowledges something new,
 * or both, and says nothing else: the checks of input.c let it pass one after the other, and what
 * they look for is not there. Here they are asked all at once (header prediction, as in the BSDs
 * since 1990). Each condition names the check that it stands for; what fails one of them takes the
 * long way, which knows all cases. tests/unit/tcp/test_predict.c sends the same segments both ways
 * and compares what becomes of the connections. State: none.
 */
#include "tcp/predict.h"
#include "tcp/conn.h"
#include "tcp/ecn.h"
#include "tcp/seg.h"
#include "tcp/tstamp.h"
#include "tcp/window.h"
#include "wire/tcp.h"
#include "wire/tcp_options.h"

/* Second, fourth and sixth, and that there is an acknowledgement for the fifth. */
static bool has_plain_flags(const struct tcp_seg *seg)
{
    return (seg->flags & (TCP_SYN | TCP_RST | TCP_ACK | TCP_URG)) == TCP_ACK;
}

/* No SACK [RFC2018], no user timeout [RFC5482], no authentication [RFC5925]; not from the past [RFC7323 5.3]. */
static bool has_plain_options(const struct tcp_conn *c, const struct tcp_env *env,
                              const struct tcp_seg *seg)
{
    return seg->opt.present == (c->agreed.timestamps_ok ? TCP_HAS_TIMESTAMPS : 0)
           && !tstamp_is_old(c, env, seg);
}

/* First, and that nothing is to be trimmed before the seventh. */
static bool is_next(const struct tcp_conn *c, const struct tcp_seg *seg)
{
    return seq_eq(seg->seq, c->rcv.nxt) && tcp_seg_space(seg) <= window_remaining(c);
}

/*
 * Fifth: within what is under way. Without text and FIN, what acknowledges nothing new may be a
 * duplicate [RFC5681 2].
 */
static bool has_plain_ack(const struct tcp_conn *c, const struct tcp_seg *seg)
{
    uint32_t acked_bytes = seq_len(c->snd.una, seg->ack);

    return acked_bytes <= tcp_flight(c) && (acked_bytes > 0 || tcp_seg_space(seg) > 0);
}

/* A connection that rests gets its work first, and before ESTABLISHED the fifth check does more. */
bool predict_is_expected(const struct tcp_conn *c, const struct tcp_env *env,
                         const struct tcp_seg *seg)
{
    return tcp_is_synchronized(c) && c->work != NULL && has_plain_flags(seg) && is_next(c, seg)
           && has_plain_ack(c, seg) && has_plain_options(c, env, seg)
           && ecn_is_silent(c, seg->flags, seg->tos);
}
