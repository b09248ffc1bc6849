/*
 * frag.h - fragments: datagrams being put together, and taking them apart
 *
 * Reassembly copies each fragment's bytes into a buf, in order of offset, so that what a
 * datagram costs is what it holds. Fragments that overlap end their datagram, in IPv4 too
 * [RFC5722 4, RFC8200 4.5]; one that comes twice is only dropped. Bytes, datagrams of one
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
struct ip_send;
struct netif;

enum {
    FRAG_PIECES_MAX = 128, /* of one datagram: 64 KiB at the smallest MTU of IPv4, 576, make 119 */
};

/* One fragment as it waits, or a part of one that is larger than a buf. */
struct frag_piece {
    struct list link;
    uint32_t offset;
    uint32_t len;
    struct buf *buf; /* its bytes; for offset 0 after the headers of the fragment */
    uint32_t at;     /* where in the buf they begin */
};

/* One datagram under reassembly. */
struct frag {
    struct list link; /* in frags.all, oldest first */
    struct weir_addr src, dst;
    uint32_t id;
    uint8_t protocol; /* IPv4: part of the key; IPv6: 0 */
    uint8_t ecn_seen; /* a bit for each codepoint [RFC3168 5.3] */
    bool is_group;
    bool is_dead;    /* overlap: what still comes of it is dropped until the timeout */
    bool len_known;  /* the last one is here */
    uint32_t len;    /* of the whole payload, if known */
    uint32_t have;   /* bytes here */
    uint32_t memory; /* held for it */
    uint32_t hash, source_hash;
    uint32_t pieces_count;
    uint32_t header_len; /* of the first fragment, if it is here */
    uint8_t next_header; /* what it says comes after */
    struct netif *netif;
    struct list pieces; /* in order of offset, without overlap */
    struct ip_timer timer;
};

struct frags {
    struct pool pool;   /* of struct frag */
    struct pool pieces; /* of struct frag_piece */
    struct table table; /* each datagram twice: by its key and by its source */
    struct list all;
    size_t bytes; /* held in all */
};

/* What the IP header or the fragment header says of a fragment. */
struct frag_info {
    uint32_t id;
    uint32_t offset; /* bytes */
    bool more;
    uint8_t protocol; /* IPv4: part of the key; IPv6: 0 */
};

bool frag_init(struct ip *ip);
void frag_fini(struct ip *ip);

/*
 * A fragment has come; packet->header_len bytes precede its data. If that makes the
 * datagram whole, *packet becomes it: a packet with one header and no sign of fragments,
 * to be parsed again, which owns bufs. If not, packet->is_waiting is set. Returns WHY_NONE,
 * or the reason for which the fragment was dropped.
 */
enum why frag_input(struct ip *ip, struct ip_packet *packet, const struct frag_info *info);

/* Drops the datagrams that came by an interface. */
void frag_remove_netif(struct ip *ip, struct netif *netif);
void frag_expire(struct ip *ip, struct frag *f);

/*
 * Sends the transport's frame in fragments of at most path->mtu bytes, each with its IP
 * header. The bytes are shared, not copied. Takes *frame, leaves NULL. Either all
 * fragments went on their way, which is WHY_NONE, or none did.
 */
enum why frag_send(struct ip *ip, struct ip_path *path, const struct ip_send *how,
                   struct frame **frame);

#endif
