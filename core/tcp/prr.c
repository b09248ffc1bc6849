/*
 * prr.c - proportional rate reduction [RFC9937]
 *
 * During an episode, what is in flight moves from where it was to ssthresh in about a round
 * trip: for what arrives, a share of it is sent. If losses have taken it below ssthresh, as much
 * is sent as arrives, and one segment more for each acknowledgement that shows progress.
 *
 * State: work.prr, cc.cwnd.
 */
#include "tcp/prr.h"
#include "base/num.h"
#include "tcp/conn.h"
#include "tcp/scoreboard.h"

void prr_begin(struct tcp_conn *c, const struct delivery *d)
{
    uint32_t unsacked = tcp_flight(c) - c->work->scoreboard.sacked_bytes;

    c->work->prr =
        (struct prr){.recover_fs = u32_max(unsacked + d->sacked_bytes + d->cum_bytes, 1)};
}

/* In whole segments: a fraction of one could not be sent, and would be sent too late. */
static uint64_t share(const struct prr *p, const struct cc *cc)
{
    uint64_t bytes = (uint64_t)p->delivered * cc->ssthresh / p->recover_fs;

    return (bytes + cc->mss - 1) / cc->mss * cc->mss;
}

/*
 * The first segment of an episode is sent at once, whatever the share comes to; and so is one when
 * nothing is in flight, because nothing would arrive any more.
 */
static uint32_t quota(const struct tcp_conn *c, const struct delivery *d, uint32_t pipe_bytes)
{
    const struct prr *p = &c->work->prr;
    const struct cc *cc = &c->work->cc;
    bool is_safe = d->cum_bytes > 0 && d->lost_bytes == 0; /* SafeACK */
    uint32_t quota_bytes;

    if (pipe_bytes > cc->ssthresh) {
        uint64_t due = share(p, cc);
        quota_bytes = due > p->out ? (uint32_t)(due - p->out) : 0;
    } else {
        quota_bytes = p->delivered > p->out ? p->delivered - p->out : 0;
        quota_bytes = u32_max(quota_bytes, d->delivered_bytes);
        if (is_safe)
            quota_bytes += cc->mss;
        quota_bytes = u32_min(cc->ssthresh - pipe_bytes, quota_bytes);
    }
    return p->out == 0 || pipe_bytes == 0 ? u32_max(quota_bytes, cc->mss) : quota_bytes;
}

void prr_on_ack(struct tcp_conn *c, const struct delivery *d, uint32_t pipe_bytes)
{
    struct prr *p = &c->work->prr;

    if (d->delivered_bytes == 0 && d->lost_bytes == 0)
        return;
    /* Without SACK a duplicate may be forged: no more arrives than was sent. */
    p->delivered = u32_min(p->delivered + d->delivered_bytes, p->recover_fs);
    c->work->cc.cwnd = pipe_bytes + quota(c, d, pipe_bytes);
}

void prr_on_sent(struct tcp_conn *c, uint32_t len)
{
    c->work->prr.out += len;
}
