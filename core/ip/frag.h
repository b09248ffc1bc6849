/*
 * frag.h - fragments: datagrams being put together, and taking them apart
 *
 * Reassembly copies each fragment's bytes into a buf, in order of offset, so that what a
 * datagram costs is what it holds. Fragments that overlap, in whatever way, end their
 * datagram [RFC5722 4, RFC8200 4.5]; Weir does the same for IPv4. Bytes, datagrams of one
 * source and fragments of one datagram are capped; the oldest datagram makes room.
 */
#ifndef CORE_IP_FRAG_H
#define CORE_IP_FRAG_H

#include "base/list.h"
#include "base/ns.h"
#include "base/pool.h"
#include "base/table.h"
#include "base/why.h"
#include "ip/timer.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/weir.h>

struct buf;
struct frame;
struct ip;
struct ip_packet;
struct ip_path;
struct netif;

enum {
    FRAG_PIECES_MAX = 128, /* of one datagram: 64 KiB at the smallest MTU of IPv4, 576, make 119 */
};

/* One fragment as it waits. */
struct frag_piece {
    struct list link;
    uint32_t offset;
    uint32_t len;
    struct buf *buf;
};

/* One datagram under reassembly. */
struct frag {
    struct list link; /* in frags.all, oldest first */
    struct weir_addr src, dst;
    uint32_t id;
    uint8_t protocol;    /* IPv4: part of the key */
    uint8_t next_header; /* IPv6: what the first fragment says comes after */
    uint8_t ttl, tos;    /* of the first fragment; ECN of all [RFC3168 5.3] */
    uint8_t ecn_seen;    /* a bit for each codepoint */
    bool is_group;
    bool has_first;
    bool len_known;      /* the last one is here */
    uint32_t len;        /* of the whole payload, if known */
    uint32_t have;       /* bytes here */
    uint32_t memory;     /* held for it */
    uint32_t hash;
    uint32_t pieces_count;
    struct netif *netif;
    struct list pieces;  /* in order of offset, without overlap */
    struct buf *quote;   /* the first fragment's beginning, for time exceeded */
    struct ip_timer timer;
};

struct frags {
    struct pool pool;   /* of struct frag */
    struct pool pieces; /* of struct frag_piece */
    struct table table;
    struct list all;
    size_t bytes;       /* held in all */
};

/* What the IP header or the fragment header says of a fragment. */
struct frag_info {
    uint32_t id;
    uint32_t offset; /* bytes */
    bool more;
    uint8_t next_header;
};

bool frag_init(struct ip *ip);
void frag_fini(struct ip *ip);

/*
 * A fragment has come. True if the datagram is whole: then *packet is it, and owns bufs.
 * Otherwise the fragment waits or was dropped, and *why says so.
 */
bool frag_input(struct ip *ip, struct ip_packet *packet, const struct frag_info *info,
                enum why *why);

/* Drops the datagrams that came by an interface. */
void frag_remove_netif(struct ip *ip, struct netif *netif);
void frag_expire(struct ip *ip, struct frag *f);

/*
 * Sends a packet, complete with its IP header, in pieces of at most mtu bytes. The bytes
 * are shared, not copied. Takes *frame, leaves NULL. Returns WHY_NONE if all of them went.
 */
enum why frag_send(struct ip *ip, struct ip_path *path, struct frame **frame, uint32_t mtu);

#endif
