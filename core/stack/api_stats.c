/*
 * api_stats.c - counters, reasons, and the trace hook
 */
#include "stack/stack.h"
#include <weir/trace.h>

void weir_stats(const struct weir *s, struct weir_stats *stats)
{
    const struct tcp_counts *t = &s->tcp.counts;

    *stats = (struct weir_stats){
        .frames_in = s->frames_in,
        .bytes_in = s->bytes_in,
        .frames_out = s->frames_out,
        .bytes_out = s->bytes_out,
        .tcp_segs_in = t->segs_in,
        .tcp_segs_out = t->segs_out,
        .tcp_retransmits = t->retransmits,
        .tcp_resets_out = t->resets_out,
        .tcp_challenge_acks = t->challenge_acks,
        .tcp_cookies_sent = t->cookies_sent,
        .tcp_cookies_taken = t->cookies_taken,
        .tcp_active_opens = t->active_opens,
        .tcp_passive_opens = t->passive_opens,
        .tcp_failed_opens = t->failed_opens,
        .tcp_timeouts = t->timeouts,
        .udp_in = s->udp_in,
        .udp_out = s->udp_out,
        .icmp_in = s->ip.icmp_in,
        .icmp_out = s->ip.icmp_out,
        .memory_bytes = s->mem.used + s->mem.kept_bytes,
        .memory_peak_bytes = s->mem.peak,
        .memory_limit_bytes = s->mem.limit,
        .connections = s->conns.used,
        .half_open = s->halfopens.used,
        .timewaits = s->timewaits.used,
        .listeners = s->listeners.used,
        .udp_endpoints = s->udp.endpoints.used,
        .neighbours = s->ip.neighs.used,
    };
}

struct reason {
    const char *name;
    const char *text;
};

static const struct reason reasons[] = {
#define X(name, id, text) {id, text},
    WHY_LIST(X)
#undef X
};

size_t weir_why_count(void)
{
    return WHY_COUNT;
}

const char *weir_why_name(size_t why)
{
    return why < WHY_COUNT ? reasons[why].name : "unknown";
}

const char *weir_why_text(size_t why)
{
    return why < WHY_COUNT ? reasons[why].text : "no such reason";
}

uint64_t weir_dropped(const struct weir *s, size_t why)
{
    return why < WHY_COUNT ? s->dropped[why] : 0;
}

static const char *const state_names[WEIR_TCP_STATES] = {
    [WEIR_TCP_CLOSED] = "CLOSED",           [WEIR_TCP_LISTEN] = "LISTEN",
    [WEIR_TCP_SYN_SENT] = "SYN-SENT",       [WEIR_TCP_SYN_RECEIVED] = "SYN-RECEIVED",
    [WEIR_TCP_ESTABLISHED] = "ESTABLISHED", [WEIR_TCP_FIN_WAIT_1] = "FIN-WAIT-1",
    [WEIR_TCP_FIN_WAIT_2] = "FIN-WAIT-2",   [WEIR_TCP_CLOSE_WAIT] = "CLOSE-WAIT",
    [WEIR_TCP_CLOSING] = "CLOSING",         [WEIR_TCP_LAST_ACK] = "LAST-ACK",
    [WEIR_TCP_TIME_WAIT] = "TIME-WAIT",
};

const char *weir_tcp_state_name(enum weir_tcp_state state)
{
    return (size_t)state < WEIR_TCP_STATES ? state_names[state] : "unknown";
}

static const char *const kind_names[WEIR_TRACE_KIND_COUNT] = {
    [WEIR_TRACE_PACKET_IN] = "packet_in",
    [WEIR_TRACE_PACKET_OUT] = "packet_out",
    [WEIR_TRACE_STATE] = "state",
    [WEIR_TRACE_DROP] = "drop",
    [WEIR_TRACE_TIMER] = "timer",
    [WEIR_TRACE_RTT] = "rtt",
    [WEIR_TRACE_CWND] = "cwnd",
    [WEIR_TRACE_RECOVERY] = "recovery",
    [WEIR_TRACE_APP] = "app",
};

const char *weir_trace_kind_name(enum weir_trace_kind kind)
{
    return (size_t)kind < WEIR_TRACE_KIND_COUNT ? kind_names[kind] : "unknown";
}

void weir_trace_set(struct weir *s, weir_trace_hook hook, void *ctx)
{
    s->tracer = (struct tracer){hook, ctx};
}
