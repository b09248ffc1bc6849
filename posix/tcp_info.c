/*
 * tcp_info.c - TCP_INFO in Linux's layout
 */
#include "posix/tcp_info.h"

#include <limits.h>
#include <netinet/tcp.h>
#include <string.h>

#include "posix/sock.h"

_Static_assert(offsetof(struct px_tcp_info, rto_us) == offsetof(struct tcp_info, tcpi_rto),
               "as the kernel has it");
_Static_assert(offsetof(struct px_tcp_info, total_retrans)
                   == offsetof(struct tcp_info, tcpi_total_retrans),
               "as the kernel has it");

enum {
    SSTHRESH_UNKNOWN = 0x7fffffff,
    RCV_MSS_FIRST = 536,
    REORDERING = 3, /* duplicate acknowledgements that stand for a loss [RFC5681 3.2] */
    REORDERING_MAX = 300,
};

/* The kernel's numbers of states. */
static uint8_t state_of(enum weir_tcp_state state)
{
    switch (state) {
    case WEIR_TCP_CLOSED: return TCP_CLOSE;
    case WEIR_TCP_LISTEN: return TCP_LISTEN;
    case WEIR_TCP_SYN_SENT: return TCP_SYN_SENT;
    case WEIR_TCP_SYN_RECEIVED: return TCP_SYN_RECV;
    case WEIR_TCP_ESTABLISHED: return TCP_ESTABLISHED;
    case WEIR_TCP_FIN_WAIT_1: return TCP_FIN_WAIT1;
    case WEIR_TCP_FIN_WAIT_2: return TCP_FIN_WAIT2;
    case WEIR_TCP_CLOSE_WAIT: return TCP_CLOSE_WAIT;
    case WEIR_TCP_CLOSING: return TCP_CLOSING;
    case WEIR_TCP_LAST_ACK: return TCP_LAST_ACK;
    case WEIR_TCP_TIME_WAIT: return TCP_CLOSE; /* the socket has left it to a record */
    case WEIR_TCP_STATES: break;
    }
    return TCP_CLOSE;
}

static uint32_t us_of(weir_ns_t ns)
{
    return ns / WEIR_US > UINT32_MAX ? UINT32_MAX : (uint32_t)(ns / WEIR_US);
}

static uint32_t ms_since(weir_ns_t at, weir_ns_t now)
{
    weir_ns_t ms = (now - at) / WEIR_MS;

    return ms < 0 ? 0 : ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}

static uint32_t segs_of(uint64_t bytes, uint32_t mss)
{
    return mss == 0 ? 0 : (uint32_t)((bytes + mss - 1) / mss);
}

/* Linux does not distinguish what is lost from what is lost and under way again. */
static uint32_t lost_bytes_of(const struct weir_tcp_info *t)
{
    bool has_lost = t->recovery == WEIR_TCP_RECOVERY || t->recovery == WEIR_TCP_LOSS;

    return t->lost_bytes + (has_lost ? t->resent_bytes : 0);
}

/* What was sent with a SYN whose data the peer has not taken is sent again to Linux; to Weir it is new. */
static uint32_t resent_bytes_of(const struct sock *s, const struct weir_tcp_info *t)
{
    uint64_t left = s->syn_bytes > t->bytes_acked ? s->syn_bytes - t->bytes_acked : 0;

    return t->fastopen == WEIR_FASTOPEN_REFUSED && left > t->resent_bytes ? (uint32_t)left
                                                                          : t->resent_bytes;
}

static uint32_t reordering_of(const struct weir_tcp_info *t)
{
    uint32_t segs = segs_of(t->reordering_bytes, t->snd_mss);

    return segs < REORDERING ? REORDERING : segs < REORDERING_MAX ? segs : REORDERING_MAX;
}

/* Linux counts the SYN; data that went with it is one with it. */
static bool is_syn_delivered(const struct weir_tcp_info *t)
{
    return t->state != WEIR_TCP_CLOSED && t->state != WEIR_TCP_SYN_SENT
           && t->state != WEIR_TCP_SYN_RECEIVED;
}

static uint8_t options_of(const struct weir_tcp_info *t)
{
    bool has_syn_data = t->fastopen == WEIR_FASTOPEN_TAKEN || t->fastopen == WEIR_FASTOPEN_ACCEPTED;

    return (uint8_t)((t->timestamps_ok ? TCPI_OPT_TIMESTAMPS : 0) | (t->sack_ok ? TCPI_OPT_SACK : 0)
                     | (t->wscale_ok ? TCPI_OPT_WSCALE : 0)
                     | (t->ecn != WEIR_TCP_ECN_NONE ? TCPI_OPT_ECN : 0)
                     | (has_syn_data ? TCPI_OPT_SYN_DATA : 0));
}

/* Members that begin a byte with the lower bits on little-endian machines, and else the others. */
static uint8_t wscale_of(const struct weir_tcp_info *t)
{
    struct tcp_info layout;
    uint8_t byte;

    memset(&layout, 0, sizeof layout);
    layout.tcpi_snd_wscale = t->snd_wscale & 15u;
    layout.tcpi_rcv_wscale = t->rcv_wscale & 15u;
    memcpy(&byte, (const uint8_t *)&layout + offsetof(struct px_tcp_info, wscale), 1);
    return byte;
}

/* Why data in the SYN did not arrive: TFO_COOKIE_UNAVAILABLE, TFO_DATA_NOT_ACKED, TFO_SYN_RETRANSMITTED. */
static unsigned fastopen_fail_of(enum weir_fastopen fastopen)
{
    switch (fastopen) {
    case WEIR_FASTOPEN_ASKED: return 1;
    case WEIR_FASTOPEN_REFUSED: return 2;
    case WEIR_FASTOPEN_LOST: return 3;
    case WEIR_FASTOPEN_NONE:
    case WEIR_FASTOPEN_SENT:
    case WEIR_FASTOPEN_TAKEN:
    case WEIR_FASTOPEN_ACCEPTED:
    case WEIR_FASTOPEN_OPENED: break;
    }
    return 0;
}

/* As the compiler of this machine, and so its kernel, has them: from one end or the other. */
static uint8_t limits_of(const struct weir_tcp_info *t)
{
    struct {
        unsigned app_limited : 1, fastopen_fail : 2;
    } layout;
    uint8_t byte;

    memset(&layout, 0, sizeof layout); /* also the bits that have no name */
    layout.app_limited = t->delivery_rate_app_limited;
    layout.fastopen_fail = fastopen_fail_of(t->fastopen) & 3u;
    memcpy(&byte, &layout, 1);
    return byte;
}

static void fill_counters(const struct weir_tcp_info *t, struct px_tcp_info *info)
{
    info->total_retrans = (uint32_t)t->retransmits;
    info->bytes_acked = t->bytes_acked;
    info->bytes_received = t->bytes_received;
    info->segs_out = (uint32_t)t->segs_out;
    info->segs_in = (uint32_t)t->segs_in;
    info->data_segs_in = (uint32_t)t->data_segs_in;
    info->data_segs_out = (uint32_t)t->data_segs_out;
    info->bytes_sent = t->bytes_sent;
    info->bytes_retrans = t->bytes_retransmitted;
    info->delivered_ce = t->delivered_ce;
    info->busy_time_us = (uint64_t)(t->busy_ns / WEIR_US);
    info->rwnd_limited_us = (uint64_t)(t->blocked_by_peer_ns / WEIR_US);
    info->sndbuf_limited_us = (uint64_t)(t->blocked_by_buffer_ns / WEIR_US);
}

/* By the largest segment that has come; until then it is thought to be small. */
static uint32_t rcv_mss_of(const struct weir_tcp_info *t)
{
    uint32_t seen = t->rcv_seg_bytes > RCV_MSS_FIRST ? t->rcv_seg_bytes : RCV_MSS_FIRST;

    return seen < t->rcv_mss ? seen : t->rcv_mss;
}

static void fill_connection(const struct weir_posix *px, const struct sock *s,
                            struct px_tcp_info *info)
{
    struct weir_tcp_queued queued = {0};
    struct weir_tcp_info t;
    weir_ns_t now = px->config.hook.now(px->config.hook.ctx);

    if (weir_tcp_info(px->stack, s->handle, &t) != WEIR_OK)
        return;
    weir_tcp_queued(px->stack, s->handle, &queued);
    info->state = state_of(t.state);
    info->ca_state = (uint8_t)t.recovery;
    info->retransmits = info->backoff = (uint8_t)(t.backoff > UINT8_MAX ? UINT8_MAX : t.backoff);
    info->options = options_of(&t);
    info->wscale = wscale_of(&t);
    info->rto_us = us_of(t.rto_ns);
    info->snd_mss = t.snd_mss;
    info->rcv_mss = rcv_mss_of(&t);
    info->advmss = t.rcv_mss;
    info->sacked = segs_of(t.sacked_bytes, t.snd_mss);
    info->lost = segs_of(lost_bytes_of(&t), t.snd_mss);
    info->retrans = segs_of(resent_bytes_of(s, &t), t.snd_mss);
    info->reordering = reordering_of(&t);
    info->pacing_rate = t.pacing_rate == 0 ? UINT64_MAX : t.pacing_rate;
    info->delivery_rate = t.delivery_rate;
    info->app_limited_and_fastopen_fail = limits_of(&t);
    info->delivered = segs_of(t.delivered_bytes, t.snd_mss) + is_syn_delivered(&t);
    info->dsack_dups = t.dsacks_in;
    info->reord_seen = t.reorderings;
    info->unacked = segs_of(t.flight_bytes, t.snd_mss);
    info->last_data_sent_ms = ms_since(t.last_sent_at, now);
    info->last_data_recv_ms = ms_since(t.last_data_received_at, now);
    info->last_ack_recv_ms = ms_since(t.last_received_at, now);
    info->pmtu = t.pmtu;
    info->rtt_us = us_of(t.srtt_ns);
    info->rttvar_us = us_of(t.rttvar_ns);
    info->min_rtt_us = t.rtt_min_ns == 0 ? UINT32_MAX : us_of(t.rtt_min_ns);
    info->snd_ssthresh =
        t.ssthresh == UINT32_MAX ? SSTHRESH_UNKNOWN : segs_of(t.ssthresh, t.snd_mss);
    info->snd_cwnd = t.snd_mss == 0 ? 0 : t.cwnd / t.snd_mss;
    info->notsent_bytes = queued.unsent_bytes;
    info->snd_wnd = t.snd_wnd;
    info->rcv_wnd = t.rcv_wnd;
    fill_counters(&t, info);
}

void tcp_info_fill(const struct weir_posix *px, const struct sock *s, struct px_tcp_info *info)
{
    memset(info, 0, sizeof *info);
    info->state = TCP_CLOSE;
    info->reordering = REORDERING;
    info->snd_ssthresh = s->phase == SOCK_LISTENING ? 0 : SSTHRESH_UNKNOWN;
    info->max_pacing_rate = s->opts.pacing_rate_max;
    if (s->phase == SOCK_LISTENING) {
        info->state = TCP_LISTEN;
        info->unacked = (uint32_t)weir_acceptable(px->stack, s->handle);
        info->sacked = s->backlog;
    } else if (s->handle != 0) {
        fill_connection(px, s, info);
    }
}
