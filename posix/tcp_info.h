/*
 * tcp_info.h - TCP_INFO in Linux's layout
 *
 * The machine's own header may be older than the programs that ask: members come at the end in
 * newer kernels, and a caller gets as many as it has room for.
 */
#ifndef POSIX_TCP_INFO_H
#define POSIX_TCP_INFO_H

#include <stdint.h>

struct sock;
struct weir_posix;

struct px_tcp_info {
    uint8_t state, ca_state, retransmits, probes, backoff, options;
    uint8_t wscale; /* the peer's in the low half, ours in the high one (or the other way round) */
    uint8_t app_limited_and_fastopen_fail;
    uint32_t rto_us, ato_us, snd_mss, rcv_mss;
    uint32_t unacked, sacked, lost, retrans, fackets;
    uint32_t last_data_sent_ms, last_ack_sent_ms, last_data_recv_ms, last_ack_recv_ms;
    uint32_t pmtu, rcv_ssthresh, rtt_us, rttvar_us, snd_ssthresh, snd_cwnd, advmss, reordering;
    uint32_t rcv_rtt_us, rcv_space;
    uint32_t total_retrans;
    uint64_t pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
    uint32_t segs_out, segs_in;
    uint32_t notsent_bytes, min_rtt_us, data_segs_in, data_segs_out;
    uint64_t delivery_rate;
    uint64_t busy_time_us, rwnd_limited_us, sndbuf_limited_us;
    uint32_t delivered, delivered_ce;
    uint64_t bytes_sent, bytes_retrans;
    uint32_t dsack_dups, reord_seen, rcv_ooopack, snd_wnd;
    uint32_t rcv_wnd, rehash;
    uint16_t total_rto, total_rto_recoveries;
    uint32_t total_rto_time_ms;
};

void tcp_info_fill(const struct weir_posix *px, const struct sock *s, struct px_tcp_info *info);

#endif
