/*
 * weir/weir.h - a stack: a function of frames and time
 *
 * Frames and time go in; frames, events and the next deadline come out. The
 * library opens nothing, waits for nothing, reads no clock, draws no entropy,
 * has no mutable global and never calls back into the application, except for
 * the release functions and the trace hook that it was given, which must not
 * call into the stack. The same inputs give the same outputs, bit for bit.
 *
 * The life of a program:
 *
 *     weir_create; weir_netif_add; weir_addr_add; weir_route_add
 *     for ever:
 *         wait for frames, or until weir_deadline
 *         weir_input(frames), weir_advance(now)
 *         while weir_event: send, receive, accept, close
 *         while weir_output: give the frames to the driver, then weir_output_done
 *
 * Threads: a stack belongs to one thread at a time; different stacks share
 * nothing. Unless it says "any thread", a function is to be called by the
 * thread that has the stack.
 *
 * Handles are 64-bit numbers that are never reused; a stale one is answered
 * with WEIR_ESTALE and does no harm. 0 is never a handle.
 */
#ifndef WEIR_WEIR_H
#define WEIR_WEIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/addr.h>
#include <weir/api.h>
#include <weir/config.h>
#include <weir/err.h>
#include <weir/time.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir;

/*
 * What a library for a small device may be built without. Whoever asks for such a thing is
 * answered WEIR_ENOTSUP, if it is by a call that can fail.
 */
enum weir_part {
    WEIR_PART_IPV6,           /* its addresses; packets are dropped as of an unknown version */
    WEIR_PART_UDP,            /* endpoints and pingers; datagrams get "protocol unreachable" */
    WEIR_PART_FRAGMENTS,      /* of IP: sent and put together */
    WEIR_PART_ECN,            /* [RFC3168, RFC9768] */
    WEIR_PART_FASTOPEN,       /* [RFC7413] */
    WEIR_PART_SYN_COOKIES,    /* [RFC4987 3.6] */
    WEIR_PART_AUTH,           /* digests (weir/auth.h) */
    WEIR_PART_MTU_PROBING,    /* [RFC4821] */
    WEIR_PART_USER_TIMEOUT,   /* the option on the wire [RFC5482] */
    WEIR_PART_PACING,         /* and the delivery rate in weir_tcp_info */
    WEIR_PART_TUNING,         /* buffers that grow */
    WEIR_PART_SUPER_SEGMENTS, /* made and joined by the stack; those of a driver are taken in */
    WEIR_PART_SCALE,          /* what very many connections need to be fast */
    WEIR_PART_FAST_CHECKSUMS, /* more than 16 bits at a time */
    WEIR_PART_ICMP_ERRORS,    /* sent; those that come in are heeded */
    WEIR_PART_PATH_MTU,       /* discovery [RFC1191]; packets may be fragmented by routers */
    WEIR_PART_PREDICTION,     /* a short way for expected segments */
    WEIR_PART_VALIDATION,     /* of the congestion window [RFC7661] */
    WEIR_PART_TRACE,          /* the hooks of weir_trace_set and weir_icmp_set are not called */
    WEIR_PART_CALLS,          /* on_call of the configuration */
    WEIR_PART_POSTED_READS,   /* weir_recv_post */
    WEIR_PART_ROUTING,        /* loopback, ICMP redirects, more than eight routes */
    WEIR_PART_TIMESTAMPS,     /* of TCP, and PAWS [RFC7323 3, 5] */
    WEIR_PART_STATISTICS,     /* what TCP has done so far; else it stays 0 where it is told */
    WEIR_PART_COUNT,
};

/* Is it built in? Any thread. */
WEIR_API bool weir_has_part(enum weir_part part);

/*
 * Makes a stack whose clock stands at now. Returns 0 and the stack, or
 *   WEIR_EINVAL  the configuration contradicts itself or has no allocator
 *   WEIR_ENOTSUP it asks for a part that is not built in
 *   WEIR_ENOMEM  the allocator has not even the first slab
 */
WEIR_API int weir_create(const struct weir_config *config, weir_ns_t now, struct weir **stack);

/*
 * Ends a stack: connections vanish without a word to the peer (weir_abort says
 * one), frames and buffers are released, all memory goes back. Frames taken from
 * weir_output must have been given back before. Takes *stack, leaves NULL.
 */
WEIR_API void weir_destroy(struct weir **stack);

/* ---- frames ---- */

struct weir_slice {
    uint8_t *bytes;
    size_t len;
};

#define WEIR_FRAME_SLICES 8

enum weir_gso {
    WEIR_GSO_NONE,
    WEIR_GSO_TCP4,
    WEIR_GSO_TCP6,
};

enum weir_frame_flags {
    WEIR_FRAME_CSUM_PARTIAL = 1, /* the checksum at csum_start + csum_offset is still to be made:
                                    it holds the pseudo-header's sum; in: nobody corrupted it */
    WEIR_FRAME_CSUM_VALID = 2,   /* in: the driver has verified the transport checksum */
    WEIR_FRAME_GSO_ECN = 4,      /* gso: the first segment alone carries CWR */
};

/*
 * A frame: an Ethernet frame or an IP packet, as the interface has it, in one or
 * more slices, with the metadata of a virtio-net header. The first slice of a
 * frame holds at least all its headers.
 *
 * With gso, the frame is a TCP segment of up to 64 KiB, to be cut (or joined) by
 * gso_size bytes of payload.
 *
 * Ownership, frames in: with release NULL the bytes are lent for the call, and
 * what must be kept is copied. Otherwise the stack may keep them and calls
 * release(owner) exactly once, when it is done, perhaps before the call returns.
 */
struct weir_frame {
    struct weir_slice slices[WEIR_FRAME_SLICES];
    size_t len; /* of all slices */
    uint8_t slice_count;
    uint8_t gso;   /* enum weir_gso */
    uint8_t flags; /* enum weir_frame_flags */
    uint16_t gso_size;
    uint16_t csum_start;  /* from the start of the frame */
    uint16_t csum_offset; /* from csum_start */
    uint16_t header_len;  /* gso: link, network and transport headers */
    uint32_t memory;      /* in: bytes held as long as the frame is kept; 0 means len */
    void (*release)(void *owner);
    void *owner;
};

/* ---- the five calls ---- */

/*
 * count frames have arrived at netif, at the time last given to weir_advance.
 * Sends nothing; what is owed to peers comes out of weir_output. Frames of an
 * interface that does not exist are released and ignored.
 */
WEIR_API void weir_input(struct weir *s, weir_netif_t netif, struct weir_frame *frames,
                         size_t count);

/* It is now (at least) now; deadlines that have passed do their work. A time
 * before the last one is taken as the last one. */
WEIR_API void weir_advance(struct weir *s, weir_ns_t now);

/*
 * The next frames to send on netif, at most max; returns how many. The frames
 * are the stack's and stay valid, whatever arrives meanwhile, until each has
 * been given back with weir_output_done, in any order.
 */
WEIR_API size_t weir_output(struct weir *s, weir_netif_t netif, struct weir_frame **frames,
                            size_t max);

/* The driver is done with frames that weir_output gave. */
WEIR_API void weir_output_done(struct weir *s, struct weir_frame **frames, size_t count);

/*
 * The instant at which weir_advance wants to be called next; not before the
 * time last given, WEIR_NEVER when nothing is pending. May be earlier than
 * strictly needed, never later. Does not speak of frames that wait for weir_output.
 */
WEIR_API weir_ns_t weir_deadline(struct weir *s);

/* Whether weir_output has something for netif (0: for any). */
WEIR_API bool weir_has_output(const struct weir *s, weir_netif_t netif);

typedef uint64_t weir_handle_t;

enum weir_event_bits {
    WEIR_EVENT_CONNECTED = 1 << 0,   /* the handshake of an active open is complete */
    WEIR_EVENT_ACCEPTABLE = 1 << 1,  /* a listener has a connection for weir_accept */
    WEIR_EVENT_READABLE = 1 << 2,    /* there are bytes, a datagram, or an end to receive */
    WEIR_EVENT_WRITABLE = 1 << 3,    /* after WEIR_EAGAIN, the send queue has room again */
    WEIR_EVENT_PEER_CLOSED = 1 << 4, /* the peer's FIN has been received: the end will be read */
    WEIR_EVENT_CLOSED = 1 << 5,      /* the connection has ended; error says how:
                                        0 is a normal close [RFC9293 MUST-12] */
    WEIR_EVENT_URGENT = 1 << 6,      /* urgent data arrived or its end advanced [RFC9293 MUST-32] */
    WEIR_EVENT_SOFT_ERROR = 1 << 7,  /* the network complains, or R1 is reached; error says
                                        what; it may pass [RFC9293 MUST-47, SHLD-9] */
    WEIR_EVENT_SENT = 1 << 8,        /* all that was sent has been acknowledged (asked for with
                                        WEIR_OPT_NOTE_SENT) */
};

struct weir_event {
    weir_handle_t handle; /* of a connection, a listener, a UDP endpoint or a pinger */
    uint64_t user;        /* what WEIR_OPT_USER was set to */
    uint32_t bits;        /* enum weir_event_bits */
    int error;            /* with CLOSED and SOFT_ERROR: why (weir/err.h) */
};

/*
 * The next thing the application should know; false when there is none. News of
 * one handle gathers into one event until it is taken. An event tells of a change;
 * it is not repeated while the condition lasts.
 */
WEIR_API bool weir_event(struct weir *s, struct weir_event *event);

/* An ICMP message about a packet of ours that was believed. */
struct weir_icmp_error {
    weir_handle_t handle;    /* whose packet it was: of a connection or a UDP endpoint */
    uint64_t user;           /* what WEIR_OPT_USER of that was set to */
    struct weir_endpoint to; /* where the packet went */
    struct weir_addr from;   /* who says so */
    uint8_t type, code;      /* as on the wire; those of IPv4 if to.addr is IPv4 */
    uint32_t mtu;            /* of the next link, if the packet was too big for it; else 0 */
    int error;               /* the same as weir/err.h has it */
    const void *bytes;       /* UDP: what it quotes of the datagram */
    size_t len;
};
typedef void (*weir_icmp_hook)(void *ctx, const struct weir_icmp_error *error);

/*
 * Tells a hook of such messages, with more than events and weir_udp_error say; also of those to an
 * endpoint that is not connected. It is called from weir_input, before what follows from the
 * message, and must not call the stack. NULL: nobody.
 */
WEIR_API void weir_icmp_set(struct weir *s, weir_icmp_hook hook, void *ctx);

/* ---- interfaces, addresses, routes ---- */

enum weir_link {
    WEIR_LINK_IP,       /* frames are IP packets: TUN */
    WEIR_LINK_ETHERNET, /* frames have Ethernet headers: TAP, a NIC; ARP and NDP run */
};

enum weir_offload {
    WEIR_OFFLOAD_CSUM = 1, /* the driver completes checksums (WEIR_FRAME_CSUM_PARTIAL) */
    WEIR_OFFLOAD_TSO4 = 2, /* the driver takes WEIR_GSO_TCP4; needs CSUM */
    WEIR_OFFLOAD_TSO6 = 4,
};

struct weir_netif_config {
    const char *name; /* for texts; copied, cut at 15 characters */
    enum weir_link link;
    uint8_t mac[6];    /* WEIR_LINK_ETHERNET: unicast, not zero */
    uint16_t vlan;     /* 1 to 4094: all frames carry this 802.1Q tag; 0: none */
    uint32_t mtu;      /* of IP packets, 576 to 65535; IPv6 needs 1280 */
    uint32_t offloads; /* enum weir_offload */
    uint32_t gso_max;  /* longest super-segment's IP packet, default 65535 */
    bool loopback;     /* what is sent comes back in by itself; weir_output gives nothing */
    bool slaac;        /* solicit routers and take prefixes from them [RFC4862] */
};

/*
 * Adds an interface. Returns 0 and its number, or WEIR_EINVAL, WEIR_ENOMEM, WEIR_ENOTSUP
 * (slaac without IPv6). An
 * Ethernet interface gives itself the link-local IPv6 address of RFC 7217 if
 * its MTU allows IPv6.
 */
WEIR_API int weir_netif_add(struct weir *s, const struct weir_netif_config *config,
                            weir_netif_t *netif);

/* Removes an interface with its addresses and routes; what waits in it is released.
 * Connections over it live on, in case it comes back. WEIR_EINVAL: no such interface. */
WEIR_API int weir_netif_remove(struct weir *s, weir_netif_t netif);

/* Changes the MTU: 0, or WEIR_EINVAL. Connections follow. */
WEIR_API int weir_netif_set_mtu(struct weir *s, weir_netif_t netif, uint32_t mtu);

/*
 * Gives an interface an address; prefix says what is on the link. On Ethernet an
 * IPv6 address is tentative until duplicate address detection is done [RFC4862 5.4],
 * and an IPv4 one is announced [RFC5227 2.3]. Returns 0, or WEIR_EINVAL,
 * WEIR_EADDRINUSE, WEIR_ENOMEM, WEIR_ENOTSUP (an IPv6 address without IPv6).
 */
WEIR_API int weir_addr_add(struct weir *s, weir_netif_t netif, const struct weir_prefix *addr);
WEIR_API int weir_addr_remove(struct weir *s, weir_netif_t netif, const struct weir_addr *addr);

enum weir_addr_state {
    WEIR_ADDR_TENTATIVE, /* duplicate address detection is running */
    WEIR_ADDR_PREFERRED,
    WEIR_ADDR_DEPRECATED, /* its preferred lifetime is over: no new connections from it */
    WEIR_ADDR_DUPLICATE,  /* somebody else has it: not used */
};

struct weir_addr_info {
    weir_netif_t netif;
    struct weir_prefix addr;
    enum weir_addr_state state;
    bool from_slaac;
};

/* The index-th address of the stack; false past the last. */
WEIR_API bool weir_addr_at(const struct weir *s, size_t index, struct weir_addr_info *info);

/*
 * Adds or replaces a route: the longest prefix wins. gateway NULL: the prefix is
 * on the link. Returns 0, or WEIR_EINVAL, WEIR_ENOMEM.
 */
WEIR_API int weir_route_add(struct weir *s, const struct weir_prefix *prefix,
                            const struct weir_addr *gateway, weir_netif_t netif);
WEIR_API int weir_route_remove(struct weir *s, const struct weir_prefix *prefix);

/* ---- all handles ---- */

/*
 * Options of a connection, a listener (inherited by what it accepts) or a UDP
 * endpoint. Values are integers; durations are nanoseconds, sizes bytes,
 * switches 0 or 1.
 */
enum weir_opt {
    WEIR_OPT_USER,               /* a number that comes back in events; default 0 */
    WEIR_OPT_NODELAY,            /* 1: Nagle off [RFC9293 MUST-17] */
    WEIR_OPT_CORK,               /* 1: only full segments, until 0 or 200 ms have passed */
    WEIR_OPT_KEEPALIVE,          /* 1: probe an idle peer; default 0 [RFC9293 MUST-24, MUST-25] */
    WEIR_OPT_KEEPALIVE_IDLE,     /* ns of silence before the first probe [RFC9293 MUST-27] */
    WEIR_OPT_KEEPALIVE_INTERVAL, /* ns between probes */
    WEIR_OPT_KEEPALIVE_PROBES,   /* so many unanswered probes end the connection */
    WEIR_OPT_USER_TIMEOUT,       /* ns after which unacknowledged data ends the connection: R2 as
                                    a time [RFC9293 MUST-21]; 0: by tcp.retries2 */
    WEIR_OPT_SYN_RETRIES,        /* R2 of the SYN */
    WEIR_OPT_SEND_BUFFER,        /* bytes; what is set stays: without, the two of TCP grow */
    WEIR_OPT_RECV_BUFFER,        /* bytes */
    WEIR_OPT_MSS,                /* the largest segment to send or to ask for; before connecting */
    WEIR_OPT_QUICKACK,           /* 1: acknowledge at once; 0: not, not even the
                                    first segments, as else happens */
    WEIR_OPT_TTL,                /* 1 to 255 [RFC9293 MUST-49] */
    WEIR_OPT_TOS,            /* DiffServ field, changeable at any time [RFC9293 MUST-48, SHLD-21]:
                                    the lowest two bits are ECN's, which TCP sets itself */
    WEIR_OPT_SOFT_ERRORS,    /* 0: no WEIR_EVENT_SOFT_ERROR [RFC9293 SHLD-20] */
    WEIR_OPT_NOTE_SENT,      /* 1: WEIR_EVENT_SENT when the send queue has drained */
    WEIR_OPT_LINGER,         /* 1: weir_close resets the connection instead of closing it */
    WEIR_OPT_DEFER_ACCEPT,   /* listener: ns for which a connection without data is not yet
                                    complete; 0: none, as Linux's TCP_DEFER_ACCEPT */
    WEIR_OPT_SHARE_PORT,     /* with weir_listen_with and weir_udp_open_with: others that have it
                                    may have the same address and port; connections, and a peer's
                                    datagrams, are spread over them by their four-tuple */
    WEIR_OPT_FASTOPEN,       /* 1: what is sent before the SYN goes out may go with it; with
                                    weir_connect_with [RFC7413] */
    WEIR_OPT_FASTOPEN_QUEUE, /* listener: so many connections with data in the SYN may be
                                    waiting for the end of their handshakes; 0: none [RFC7413] */
    WEIR_OPT_BACKLOG,        /* listener: how many connections may wait for weir_accept */
    WEIR_OPT_V6ONLY,         /* listener or UDP endpoint on ::, 1: not for IPv4; with
                                    weir_listen_with and weir_udp_open_with */
    WEIR_OPT_NOTE_WRITABLE,  /* 1: WEIR_EVENT_WRITABLE when a third of the send buffer is
                                    free, as after WEIR_EAGAIN; 2: when anything of it has been
                                    acknowledged, for who counts for himself what is queued; 3:
                                    both. The event takes its number away */
    WEIR_OPT_CONGESTION_CONTROL, /* the number of weir_congestion_control_name, at any time */
    WEIR_OPT_ADVERTISE_TIMEOUT,  /* ns, up to 32767 min: told to the peer, whose own is followed
                                    unless WEIR_OPT_USER_TIMEOUT is set [RFC5482]; 0: neither */
    WEIR_OPT_NOTSENT_LOWAT,      /* bytes: so much that was not sent yet may be queued; 0: as much
                                    as the buffer holds */
    WEIR_OPT_MIN_TTL,            /* 0 to 255: segments that have come further are dropped
                                    (tcp_min_ttl) [RFC5082] */
    WEIR_OPT_MAX_PACING_RATE,    /* bytes per second, rounded up to KiB: faster than that nothing
                                    is sent, whatever the window; 0: no limit */
    WEIR_OPT_FIN_WAIT_2,         /* ns that a closed connection waits for the peer's end at most,
                                    in whole seconds; 0: tcp.fin_wait2_ns */
    WEIR_OPT_FASTOPEN_NO_COOKIE, /* 1: data in the SYN needs no cookie; before connecting, or on a
                                    listener */
    WEIR_OPT_COUNT,
};

/* Several options, for calls that set them from the beginning. */
struct weir_opt_value {
    enum weir_opt opt;
    int64_t value;
};

/*
 * Set and get an option. Return 0, or
 *   WEIR_EINVAL  the value is out of range
 *   WEIR_ENOTSUP this kind of handle, or this build, does not have the option
 *   WEIR_ESTATE  too late for it
 *   WEIR_ENOMEM  no memory
 *   WEIR_ESTALE  no such handle
 */
WEIR_API int weir_set(struct weir *s, weir_handle_t handle, enum weir_opt opt, int64_t value);
WEIR_API int weir_get(const struct weir *s, weir_handle_t handle, enum weir_opt opt,
                      int64_t *value);

#ifdef __cplusplus
}
#endif

#endif
