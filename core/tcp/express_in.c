/*
 * express_in.c - the usual segment, taken in in one go
 *
 * What express.c is to sending, this is to receiving: on a connection in which nothing is unusual,
 * nearly every segment brings a short text that is the next, or the FIN, acknowledges something new, or
 * both. What predict.c asks of a segment is asked here of what stands in the packet, and of the
 * connection that what is acknowledged has only to be counted out, and that the text has a place; then
 * there is nothing left that could go wrong. Each condition names what it stands for; what fails one of them
 * takes the long way, which knows all cases. tests/lib/both_ways.c goes both ways and compares
 * connections, byte by byte. State: none of its own.
 */
#include "tcp/express_in.h"
#include "base/count.h"
#include "base/hint.h"
#include "base/parts.h"
#include "tcp/ack.h"
#include "tcp/conn.h"
#include "tcp/ecn.h"
#include "tcp/input.h"
#include "tcp/recovery.h"
#include "tcp/recvq.h"
#include "tcp/taken.h"
#include "tcp/timers.h"
#include "tcp/tstamp.h"
#include "tcp/tune.h"
#include "tcp/window.h"
#include "wire/tcp.h"

/* Second, fourth and sixth: an acknowledgement, perhaps with the FIN, and nothing else. */
static bool is_plain(const struct tcp_conn *c, const struct express_seg *seg, uint16_t fin)
{
    return (seg->flags & ~(TCP_PSH | fin)) == TCP_ACK && ecn_is_silent(c, seg->flags, seg->tos);
}

/* First: it begins where the last one ended, and fits. */
static bool is_next(const struct tcp_conn *c, const struct express_seg *seg, uint32_t space)
{
    return seq_eq(seg->seq, c->rcv.nxt) && space <= window_remaining(c);
}

/* Timestamps where they are agreed on, and none older than what has been seen [RFC7323 5.3]. */
static bool has_plain_options(const struct tcp_conn *c, const struct express_seg *seg)
{
    return seg->has_timestamps == tstamp_is_agreed(&c->agreed)
           && (!seg->has_timestamps || seq_geq(seq_of(seg->ts_val), seq_of(c->ts.recent)));
}

/*
 * Fifth: what is acknowledged is under way, and it, the text or the FIN is new. The connection knows of nothing
 * that the acknowledgement could end or begin.
 */
static bool has_plain_ack(const struct tcp_conn *c, const struct express_seg *seg, uint32_t space)
{
    uint32_t acked_bytes = seq_len(c->snd.una, seg->ack);

    if (acked_bytes == 0)
        return space > 0;
    return acked_bytes <= tcp_flight(c) && (c->work->is_calm || recovery_is_calm(c));
}

/* Seventh: the piece where the text goes; NULL: it does not go to the end of the queue just so. */
static struct piece *place_for_text(const struct tcp_conn *c, struct tcp_env *env, uint32_t len)
{
    const struct tcp_work *w = c->work;

    if (w->reasm != NULL || taken_is_too_much(c, w->recvq.memory))
        return NULL;
    return recvq_piece_for(c, env, len);
}

/* [RFC7323 4.3 (2)] */
static void note_timestamp(struct tcp_conn *c, const struct tcp_env *env,
                           const struct express_seg *seg)
{
    if (seg->has_timestamps && seq_leq(seg->seq, c->rcv.acked))
        tstamp_start(c, env, seg->ts_val);
}

static void take_text(struct tcp_conn *c, struct tcp_env *env, const struct express_seg *seg,
                      struct piece *place)
{
    uint32_t len = (uint32_t)seg->text.len;

    count_add32(&c->work->data_segs_in, 1);
    recvq_add_to(c, place, seg->text);
    taken_advance(c, len);
    tune_on_text(c, env, len, seg->has_timestamps ? seg->ts_ecr : 0);
    taken_owe_ack(c, env, len, 1);
}

/* What of the fifth check is left when the acknowledgement has been taken. */
static void take_rest_of_ack(struct tcp_conn *c, struct tcp_env *env, const struct express_seg *seg)
{
    ack_take_window_of(c, (uint32_t)seg->wnd << c->agreed.snd_wscale, seg->seq, seg->ack);
    timers_on_received(c, env);
}

/* Not a part of who calls it, so that what it keeps in registers is all its own. */
APART WHOLE bool express_input(struct tcp_conn *c, struct tcp_env *env,
                               const struct express_seg *seg)
{
    uint32_t len = (uint32_t)seg->text.len;
    struct piece *place = NULL;

    if (!HAS_PREDICTION || !USUALLY(c->state == TCP_ESTABLISHED && c->work != NULL)
        || !USUALLY(is_plain(c, seg, 0)) || !USUALLY(is_next(c, seg, len))
        || !USUALLY(has_plain_options(c, seg)) || !USUALLY(has_plain_ack(c, seg, len)))
        return false;
    if (seg->text.len > 0) {
        place = place_for_text(c, env, len);
        if (!USUALLY(place != NULL))
            return false;
    }
    count_add32(&c->segs_in, 1);
    note_timestamp(c, env, seg);
    if (!seq_eq(seg->ack, c->snd.una))
        ack_take_calmly(c, env, seg->ack);
    take_rest_of_ack(c, env, seg);
    if (place != NULL)
        take_text(c, env, seg, place);
    return true;
}

/*
 * Seventh and eighth while the connection is being closed: text and FIN may come, there is somebody to
 * read them, and nothing out of order lies behind the end.
 */
static bool may_bring(const struct tcp_conn *c, const struct express_seg *seg, uint32_t space)
{
    return space == 0
           || (tcp_takes_text(c) && c->work->reasm == NULL
               && (seg->text.len == 0 || !c->is_orphan));
}

/* Fifth and eighth do more at the end. */
APART bool express_input_at_end(struct tcp_conn *c, struct tcp_env *env,
                                const struct express_seg *seg)
{
    uint32_t len = (uint32_t)seg->text.len, space = len + ((seg->flags & TCP_FIN) != 0);
    struct piece *place = NULL;

    if (!HAS_PREDICTION || !USUALLY(tcp_is_synchronized(c) && c->work != NULL)
        || !USUALLY(is_plain(c, seg, TCP_FIN)) || !USUALLY(is_next(c, seg, space))
        || !USUALLY(has_plain_options(c, seg)) || !USUALLY(has_plain_ack(c, seg, space))
        || !USUALLY(may_bring(c, seg, space)))
        return false;
    if (len > 0) {
        place = place_for_text(c, env, len);
        if (place == NULL)
            return false;
    }
    count_add32(&c->segs_in, 1);
    note_timestamp(c, env, seg);
    if (!seq_eq(seg->ack, c->snd.una))
        ack_take_at_end(c, env, seg->ack);
    take_rest_of_ack(c, env, seg);
    if (tcp_note_fin_acked(c, env))
        return true;
    if (place != NULL)
        take_text(c, env, seg, place);
    if (seg->flags & TCP_FIN)
        tcp_take_fin(c, env);
    return true;
}
