/*
 * config.c - the defaults, and whether a configuration makes sense
 *
 * Defaults are Linux's unless an RFC says MUST otherwise (docs/deviations.md).
 */
#include "stack/config.h"
#include "base/buf.h"
#include "base/num.h"
#include "base/parts.h"
#include "cc/cc.h"
#include "tcp/piece.h"

static const struct weir_config defaults = {
    .memory_limit = SIZE_MAX,
    .slab_bytes = 64 * 1024,
    .buffer_small = 256,
    .buffer_medium = 2048,
    .buffer_large = 16384,
    .timewaits = 262144,
    .syn_queue = 4096,
    .tcp =
        {
            .rto_initial_ns = 1 * WEIR_S,
            .rto_min_ns = 200 * WEIR_MS,
            .rto_max_ns = 120 * WEIR_S,
            .syn_retries = 6,
            .synack_retries = 5,
            .retries1 = 3,  /* [RFC9293 SHLD-10] */
            .retries2 = 15, /* [RFC9293 SHLD-11] */
            .msl_ns = 30 * WEIR_S,
            .fin_wait2_ns = 60 * WEIR_S,
            .keepalive_idle_ns = 7200 * WEIR_S, /* [RFC9293 MUST-28] */
            .keepalive_interval_ns = 75 * WEIR_S,
            .keepalive_probes = 9,
            .delack_min_ns = 40 * WEIR_MS,
            .delack_max_ns = 200 * WEIR_MS,
            .initial_window_segs = 10,
            .send_buffer_bytes = 256 * 1024,
            .send_buffer_max_bytes = 4 * 1024 * 1024,
            .recv_buffer_bytes = 256 * 1024,
            .recv_buffer_max_bytes = 6 * 1024 * 1024,
            .mss_min = 48,
            .window_scaling = true,
            .timestamps = HAS_TIMESTAMPS,
            .sack = true,
            .tail_loss_probe = true,
            .slow_start_after_idle = true,
            .mtu_probing = HAS_MTU_PROBING ? WEIR_MTU_PROBING_ON_BLACK_HOLE : WEIR_MTU_PROBING_OFF,
            .nagle = true,
            .orphans = 65536,
            .orphan_retries = 8,
            .syn_cookies = HAS_SYN_COOKIES ? WEIR_SYN_COOKIES_ON_OVERFLOW : WEIR_SYN_COOKIES_NEVER,
            .fastopen_servers = 256,
            .fastopen_off_ns = 3600 * WEIR_S,
            .abort_on_overflow = false,
            .timewait_reuse = true,
            .ecn = HAS_ECN ? WEIR_ECN_PASSIVE : WEIR_ECN_OFF,
            .challenge_acks_per_s = 10,
            .reassembly_holes = 8192,
            .port_first = 32768,
            .port_last = 60999,
        },
    .ip =
        {
            .ttl = 64,
            .neighbours = 1024,
            .neighbour_queue = 256,
            .fragments_bytes = 1024 * 1024,
            .fragments_per_source = 16,
            .fragments_ns = 30 * WEIR_S,
            .icmp_errors_per_s = 100,
            .icmp_errors_per_peer_s = 1,
            .echo_replies = true,
            .path_mtu_entries = 1024,
            .path_mtu_ns = 600 * WEIR_S,
        },
};

void weir_config_init(struct weir_config *config)
{
    *config = defaults;
    config->tcp.congestion_control = cc_at(0)->name;
}

enum {
    SLAB_MIN = 1024,
    BUFFER_MIN = 128,
    MSS_MIN_LEAST = 28,         /* a segment has room for options and eight bytes of text */
    INITIAL_WINDOW_MAX = 32768, /* that many of the largest segments fit 32 bits */
};

_Static_assert(BUFFER_MIN > BUF_SPACE + PIECE_SPACE, "text has room in any");

/* Twice as long is still an instant that can be told. */
#define DURATION_MAX_NS (INT64_MAX / 4)

static bool is_duration(weir_ns_t ns)
{
    return ns > 0 && ns <= DURATION_MAX_NS;
}

static bool are_buffers_valid(const struct weir_config *c)
{
    return c->slab_bytes >= SLAB_MIN && is_power_of_two(c->slab_bytes)
           && c->buffer_small >= BUFFER_MIN && c->buffer_small < c->buffer_medium
           && c->buffer_medium < c->buffer_large && c->buffer_large <= c->slab_bytes / 2;
}

static bool is_tcp_valid(const struct weir_tcp_config *t)
{
    return (unsigned)t->ecn < WEIR_ECN_MODES && (unsigned)t->mtu_probing < WEIR_MTU_PROBING_MODES
           && t->congestion_control != NULL && cc_find(t->congestion_control) != NULL
           && t->rto_min_ns > 0 && t->rto_initial_ns > 0 && t->rto_max_ns >= t->rto_min_ns
           && t->rto_max_ns >= t->rto_initial_ns && t->rto_max_ns <= INT32_MAX * WEIR_US
           && t->delack_min_ns > 0 && t->delack_max_ns >= t->delack_min_ns
           && t->delack_max_ns < 500 * WEIR_MS && /* [RFC9293 MUST-40] */
           is_duration(t->keepalive_idle_ns) && is_duration(t->keepalive_interval_ns)
           && t->keepalive_probes > 0 && is_duration(t->msl_ns) && is_duration(t->fin_wait2_ns)
           && t->initial_window_segs > 0 && t->initial_window_segs <= INITIAL_WINDOW_MAX
           && t->send_buffer_bytes > 0 && t->send_buffer_bytes <= INT32_MAX
           && t->recv_buffer_bytes > 0 && t->recv_buffer_bytes <= INT32_MAX
           && t->send_buffer_max_bytes <= INT32_MAX && t->recv_buffer_max_bytes <= INT32_MAX
           && t->mss_min >= MSS_MIN_LEAST && t->mss_min <= UINT16_MAX
           && t->syn_cookies <= WEIR_SYN_COOKIES_ALWAYS && t->fastopen_off_ns >= 0
           && t->fastopen_off_ns <= 24 * 3600 * WEIR_S && t->port_first > 0
           && t->port_last >= t->port_first;
}

bool config_is_valid(const struct weir_config *c)
{
    return c->allocator.alloc != NULL && c->allocator.free != NULL && are_buffers_valid(c)
           && is_tcp_valid(&c->tcp) && c->ip.ttl > 0 && c->ip.neighbours > 0
           && is_duration(c->ip.fragments_ns) && is_duration(c->ip.path_mtu_ns);
}

static bool is_tcp_offered(const struct weir_tcp_config *t)
{
    return (HAS_ECN || t->ecn == WEIR_ECN_OFF)
           && (HAS_MTU_PROBING || t->mtu_probing == WEIR_MTU_PROBING_OFF)
           && (HAS_SYN_COOKIES || t->syn_cookies == WEIR_SYN_COOKIES_NEVER)
           && (HAS_VALIDATION || t->slow_start_after_idle) && (HAS_PACING || !t->pacing)
           && (HAS_TIMESTAMPS || !t->timestamps);
}

bool config_is_offered(const struct weir_config *c)
{
    return is_tcp_offered(&c->tcp) && (HAS_AUTH || c->crypto == NULL)
           && (HAS_CALLS || c->on_call == NULL);
}
