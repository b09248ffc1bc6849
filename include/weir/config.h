/*
 * weir/config.h - what a stack is told when it is made
 *
 * weir_config_init fills in the defaults, which are Linux's unless an RFC says
 * MUST otherwise (docs/deviations.md); the caller then sets secret and, where
 * it likes, the rest. A configuration is copied by weir_create.
 */
#ifndef WEIR_CONFIG_H
#define WEIR_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/api.h>
#include <weir/time.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Where memory comes from: in slabs and tables, never per packet. alloc returns
 * NULL when there is none, which is an ordinary answer. align is a power of two;
 * free is told the size that alloc was asked for.
 */
struct weir_allocator {
    void *(*alloc)(void *ctx, size_t size, size_t align);
    void (*free)(void *ctx, void *memory, size_t size);
    void *ctx;
};

/*
 * An allocator over one block of memory, for devices without a heap. The arena
 * has to outlive the stack; memory must be aligned for pointers.
 */
struct weir_arena {
    uint8_t *memory;
    size_t len;
    size_t used;
    void *free_list;
};

WEIR_API struct weir_allocator weir_arena_init(struct weir_arena *arena, void *memory, size_t len);

/* When a SYN is answered by a cookie, that is, without remembering it [RFC4987 3.6]. */
enum weir_syn_cookies {
    WEIR_SYN_COOKIES_NEVER,
    WEIR_SYN_COOKIES_ON_OVERFLOW, /* when syn_queue or memory is used up */
    WEIR_SYN_COOKIES_ALWAYS,
};

/* Whether segments find out what the path takes, where ICMP may be filtered [RFC4821]. */
enum weir_mtu_probing {
    WEIR_MTU_PROBING_OFF,
    WEIR_MTU_PROBING_ON_BLACK_HOLE, /* after retries1 timeouts in a row */
    WEIR_MTU_PROBING_ALWAYS,        /* from a small size on, for every connection */
    WEIR_MTU_PROBING_MODES,
};

/*
 * Explicit congestion notification, with the numbers of Linux's net.ipv4.tcp_ecn: whether the peer
 * is asked for it, and whether it is granted. Classic is RFC 3168's; accurate is RFC 9768's,
 * which falls back to classic. A congestion control that cannot do without asks in any case.
 */
enum weir_ecn {
    WEIR_ECN_OFF,
    WEIR_ECN_ON,                   /* ask for and grant classic */
    WEIR_ECN_PASSIVE,              /* grant classic, do not ask */
    WEIR_ECN_ACCURATE,             /* ask for and grant accurate */
    WEIR_ECN_ACCURATE_ASK_CLASSIC, /* grant accurate, ask for classic */
    WEIR_ECN_ACCURATE_PASSIVE,     /* grant accurate, do not ask */
    WEIR_ECN_MODES,
};

/* TCP's defaults for new connections and its limits per stack. Durations in nanoseconds. */
struct weir_tcp_config {
    weir_ns_t rto_initial_ns;    /* 1 s [RFC6298 2.1] */
    weir_ns_t rto_min_ns;        /* 200 ms, as Linux */
    weir_ns_t rto_max_ns;        /* 120 s */
    uint32_t syn_retries;        /* 6: gives up 127 s after the first SYN */
    uint32_t synack_retries;     /* 5: gives up 63 s after the first SYN-ACK */
    uint32_t retries1;           /* 3: R1, after which the path is suspected [RFC9293 3.8.3] */
    uint32_t retries2;           /* 15: R2, after which the connection is given up */
    weir_ns_t msl_ns;            /* 30 s: TIME-WAIT lasts twice as long */
    weir_ns_t fin_wait2_ns;      /* 60 s: how long a closed connection waits for the peer's FIN */
    weir_ns_t keepalive_idle_ns; /* 2 h [RFC9293 MUST-28] */
    weir_ns_t keepalive_interval_ns; /* 75 s */
    uint32_t keepalive_probes;       /* 9 */
    weir_ns_t delack_min_ns;         /* 40 ms */
    weir_ns_t delack_max_ns;         /* 200 ms [RFC9293 MUST-40: below 0.5 s] */
    uint32_t initial_window_segs;    /* 10 [RFC6928] */
    uint32_t send_buffer_bytes;      /* 256 KiB: what weir_send queues, acknowledged or not; it */
    uint32_t send_buffer_max_bytes;  /* 4 MiB:   grows with cwnd up to this; 0: it does not grow */
    uint32_t recv_buffer_bytes;      /* 256 KiB: the receive window; it grows with what the */
    uint32_t
        recv_buffer_max_bytes;  /* 6 MiB:   application reads, up to this; 0: it does not grow */
    uint32_t mss_min;           /* 48: a peer's smaller MSS is raised to it */
    bool window_scaling;        /* true [RFC7323] */
    bool timestamps;            /* true [RFC7323] */
    bool sack;                  /* true [RFC2018]; without it, NewReno [RFC6582] */
    bool tail_loss_probe;       /* true, where SACK is agreed on [RFC8985 7] */
    bool slow_start_after_idle; /* true [RFC5681 4.1]; false: the window is validated [RFC7661] */
    bool pacing;                /* false: only algorithms that ask for it are paced */
    bool nagle;                 /* true [RFC9293 SHLD-7] */
    bool abort_on_overflow;     /* false: a full accept queue drops the last ACK, as Linux */
    bool timewait_reuse;        /* true: a new SYN may replace TIME-WAIT [RFC6191] */
    /* Both false: data in a SYN without a cookie, sent or taken. Only where nobody forges addresses
     * [RFC7413 1]. */
    bool fastopen_sends_no_cookie, fastopen_takes_no_cookie;
    enum weir_ecn ecn; /* WEIR_ECN_PASSIVE */
    const char
        *congestion_control; /* "cubic" [RFC9438]; weir_congestion_control_name has the others */
    bool cubic_as_linux; /* false: as RFC 9438 and 9406 say; true: as Linux, which ends slow start
                            sooner, then looks for more faster, in whole segments, and takes
                            ssthresh from cwnd after a timeout */
    uint32_t challenge_acks_per_s;  /* 10 for each connection [RFC5961 7] */
    uint32_t reassembly_holes;      /* 8192 for each connection, and no more: the rest is dropped */
    uint16_t port_first, port_last; /* 32768 to 60999: where ports are chosen from [RFC6056] */

    /* The handshake. */
    uint32_t orphans;        /* 65536 closed connections may still be at work; more are reset */
    uint32_t orphan_retries; /* 8: R2 of a closed connection, and so many unanswered or
                                zero-window probes at rto_max_ns */
    enum weir_mtu_probing mtu_probing; /* WEIR_MTU_PROBING_ON_BLACK_HOLE */
    enum weir_syn_cookies syn_cookies; /* WEIR_SYN_COOKIES_ON_OVERFLOW */
    uint32_t
        fastopen_servers; /* 256 whose cookies are kept [RFC7413 4.1.3]; the oldest makes room */
    weir_ns_t
        fastopen_off_ns; /* 1 h: nobody tries after the network swallowed one; 0: no such check */
};

/* IP's limits per stack. */
struct weir_ip_config {
    uint8_t ttl;                     /* 64 */
    uint32_t neighbours;             /* 1024: entries of the ARP and NDP cache */
    uint32_t neighbour_queue;        /* 256 packets wait for an address to be resolved */
    uint32_t fragments_bytes;        /* 1 MiB held for reassembly in all */
    uint32_t fragments_per_source;   /* 16 datagrams under reassembly for one source */
    weir_ns_t fragments_ns;          /* 30 s; IPv6: 60 s [RFC8200 4.5] */
    uint32_t icmp_errors_per_s;      /* 100 in all, and a burst of 50 */
    uint32_t icmp_errors_per_peer_s; /* 1 for each destination, and a burst of 6 */
    bool echo_replies;               /* true: answer pings */
    bool forward_source_routes;      /* always false: see docs/deviations.md */
    uint32_t path_mtu_entries;       /* 1024 */
    weir_ns_t path_mtu_ns;           /* 10 min, then a larger one is tried [RFC1191 6.3] */
};

/* Told of every call that changes the stack (weir/call.h). */
struct weir_call;
typedef void (*weir_call_hook)(void *ctx, const struct weir_call *call);

/* What a processor has that makes checksums faster. */
enum weir_cpu {
    WEIR_CPU_AVX2 = 1, /* x86-64: and the system saves its registers */
};

struct weir_crypto;

struct weir_config {
    uint8_t secret[32]; /* from which ISNs, ports and all random choices derive; keep it secret */
    struct weir_allocator allocator;  /* required */
    uint32_t cpu_features;            /* enum weir_cpu: 0 is right on any machine */
    size_t memory_limit;              /* bytes from the allocator at most; default: no limit */
    size_t slab_bytes;                /* 64 KiB: a power of two, at least 1 KiB */
    uint32_t buffer_small;            /* 256:   the three sizes of buffers, with their headers */
    uint32_t buffer_medium;           /* 2048 */
    uint32_t buffer_large;            /* 16384, at most slab_bytes / 2 */
    uint32_t connections;             /* 0: as many as memory holds */
    uint32_t timewaits;               /* 262144; the oldest makes room */
    uint32_t syn_queue;               /* 4096 half-open connections in the stack */
    const struct weir_crypto *crypto; /* NULL: no segments with digests (weir/auth.h); kept */
    struct weir_tcp_config tcp;
    struct weir_ip_config ip;
    weir_call_hook on_call; /* NULL: nobody is told */
    void *on_call_ctx;
};

/* Fills in every default; secret is zero, the allocator empty. */
WEIR_API void weir_config_init(struct weir_config *config);

/* The index-th congestion control's name, or NULL past the last. Any thread. */
WEIR_API const char *weir_congestion_control_name(size_t index);

#ifdef __cplusplus
}
#endif

#endif
