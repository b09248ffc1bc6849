/*
 * weir/stats.h - counters of a stack
 *
 * Every packet that goes no further has a reason, from one list; each has a name, a
 * sentence and a counter.
 */
#ifndef WEIR_STATS_H
#define WEIR_STATS_H

#include <weir/weir.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_stats {
    uint64_t frames_in, bytes_in, frames_out, bytes_out;
    uint64_t tcp_segs_in, tcp_segs_out, tcp_retransmits, tcp_resets_out, tcp_challenge_acks;
    uint64_t tcp_cookies_sent, tcp_cookies_taken; /* SYN cookies, and those that came back */
    uint64_t tcp_active_opens, tcp_passive_opens, tcp_failed_opens, tcp_timeouts;
    uint64_t udp_in, udp_out, icmp_in, icmp_out;
    size_t memory_bytes, memory_peak_bytes, memory_limit_bytes;
    uint32_t connections, half_open, timewaits, listeners, udp_endpoints, neighbours;
};

WEIR_API void weir_stats(const struct weir *s, struct weir_stats *stats);

/* The number of reasons; their names ("tcp_bad_checksum") and sentences. Any thread. */
WEIR_API size_t weir_why_count(void);
WEIR_API const char *weir_why_name(size_t why);
WEIR_API const char *weir_why_text(size_t why);

/* How many packets went no further for this reason. */
WEIR_API uint64_t weir_dropped(const struct weir *s, size_t why);

#ifdef __cplusplus
}
#endif

#endif
