/*
 * frag.c - fragments: datagrams being put together, and taking them apart
 */
#include "ip/frag.h"

#include "base/addr.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/num.h"
#include "ip/ip.h"
#include "ip/ip4.h"
#include "ip/ip6.h"
#include "wire/icmp4.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include <string.h>

enum {
    TABLE_SEGMENT = 1024,
    BY_SOURCE = 1, /* what makes the hash of a source different from that of a key */
    NEXT_HEADER_AT = 6,
};

bool frag_init(struct ip *ip)
{
    struct frags *all = &ip->frags;

    list_init(&all->all);
    return pool_init_handles(&all->pool, ip->mem, "reassembly", sizeof(struct frag), ip->slab_bytes)
           && pool_init(&all->pieces, ip->mem, "fragments", sizeof(struct frag_piece),
                        ip->slab_bytes)
           && table_init(&all->table, ip->mem, TABLE_SEGMENT);
}

/* ---- datagrams ---- */

static void let_go_of_pieces(struct ip *ip, struct frag *f)
{
    for (struct list *i; (i = list_take_first(&f->pieces)) != NULL;) {
        struct frag_piece *piece = container_of(i, struct frag_piece, link);

        buf_unref(ip->bufs, &piece->buf);
        pool_put(&ip->frags.pieces, piece);
    }
    ip->frags.bytes -= f->memory;
    f->memory = 0;
    f->pieces_count = 0;
    f->header_len = 0;
}

static void destroy(struct ip *ip, struct frag *f)
{
    uint32_t ref = pool_index(&ip->frags.pool, f);

    let_go_of_pieces(ip, f);
    ip_disarm(ip, &f->timer);
    list_remove(&f->link);
    table_remove(&ip->frags.table, f->hash, ref);
    table_remove(&ip->frags.table, f->source_hash, ref);
    pool_put(&ip->frags.pool, f);
}

void frag_fini(struct ip *ip)
{
    LIST_EACH_REMOVABLE(i, &ip->frags.all)
    destroy(ip, container_of(i, struct frag, link));
    table_fini(&ip->frags.table);
    pool_fini(&ip->frags.pieces);
    pool_fini(&ip->frags.pool);
}

void frag_remove_netif(struct ip *ip, struct netif *netif)
{
    LIST_EACH_REMOVABLE(i, &ip->frags.all)
    {
        struct frag *f = container_of(i, struct frag, link);

        if (f->netif == netif)
            destroy(ip, f);
    }
}

/* Nothing more of the datagram is wanted, but it is remembered until its time is up. */
static enum why kill(struct ip *ip, struct frag *f, enum why why)
{
    let_go_of_pieces(ip, f);
    f->is_dead = true;
    return why;
}

static uint32_t key_hash(const struct ip *ip, const struct ip_packet *packet,
                         const struct frag_info *info)
{
    return ip_hash(ip, &packet->src, &packet->dst, (uint64_t)info->id << 8 | info->protocol);
}

static uint32_t source_hash(const struct ip *ip, const struct weir_addr *src)
{
    return ip_hash(ip, src, NULL, BY_SOURCE);
}

static struct frag *find(const struct ip *ip, const struct ip_packet *packet,
                         const struct frag_info *info)
{
    struct table_iter it = table_find(&ip->frags.table, key_hash(ip, packet, info));

    for (uint32_t ref; table_next(&it, &ref);) {
        struct frag *f = pool_at(&ip->frags.pool, ref);

        if (f->id == info->id && f->protocol == info->protocol && addr_eq(&f->src, &packet->src)
            && addr_eq(&f->dst, &packet->dst))
            return f;
    }
    return NULL;
}

/* If the source has as many datagrams here as it may, the oldest of them makes room. */
static void make_room_of_source(struct ip *ip, const struct weir_addr *src)
{
    struct table_iter it = table_find(&ip->frags.table, source_hash(ip, src));
    struct frag *oldest = NULL;
    uint32_t count = 0;

    for (uint32_t ref; table_next(&it, &ref);) {
        struct frag *f = pool_at(&ip->frags.pool, ref);

        if (!addr_eq(&f->src, src))
            continue;
        count++;
        if (oldest == NULL || f->timer.entry.at < oldest->timer.entry.at)
            oldest = f;
    }
    if (oldest == NULL || count < ip->config.fragments_per_source)
        return;
    destroy(ip, oldest);
    ip_drop(ip, WHY_FRAG_FULL);
}

/* Makes room for so many bytes in all, at the cost of the oldest but keep. */
static bool make_room(struct ip *ip, size_t bytes, const struct frag *keep)
{
    while (ip->frags.bytes + bytes > ip->config.fragments_bytes) {
        struct list *oldest = list_first(&ip->frags.all);

        if (oldest == NULL || container_of(oldest, struct frag, link) == keep)
            return false;
        destroy(ip, container_of(oldest, struct frag, link));
        ip_drop(ip, WHY_FRAG_FULL);
    }
    return true;
}

static void charge(struct ip *ip, struct frag *f, size_t bytes)
{
    f->memory += (uint32_t)bytes; /* at most FRAG_PIECES_MAX bufs */
    ip->frags.bytes += bytes;
}

/* RFC 8200 gives 60 s, where IPv4 has 30. */
static ns_t timeout_of(const struct ip *ip, const struct weir_addr *src)
{
    ns_t ns = ip->config.fragments_ns;

    return addr_is_v4(src) ? ns : ns_after(ns, ns);
}

static struct frag *create(struct ip *ip, const struct ip_packet *packet,
                           const struct frag_info *info)
{
    struct frag *f;
    uint32_t ref;

    make_room_of_source(ip, &packet->src);
    if (!make_room(ip, sizeof *f, NULL))
        return NULL;
    f = pool_get_zeroed(&ip->frags.pool);
    if (f == NULL)
        return NULL;
    f->src = packet->src;
    f->dst = packet->dst;
    f->id = info->id;
    f->protocol = info->protocol;
    f->is_group = packet->is_group;
    f->netif = packet->netif;
    f->hash = key_hash(ip, packet, info);
    f->source_hash = source_hash(ip, &packet->src);
    f->timer.kind = IP_TIMER_FRAG;
    list_init(&f->pieces);
    ref = pool_index(&ip->frags.pool, f);
    if (!table_add(&ip->frags.table, f->hash, ref)) {
        pool_put(&ip->frags.pool, f);
        return NULL;
    }
    if (!table_add(&ip->frags.table, f->source_hash, ref)) {
        table_remove(&ip->frags.table, f->hash, ref);
        pool_put(&ip->frags.pool, f);
        return NULL;
    }
    list_add_last(&ip->frags.all, &f->link);
    ip_arm(ip, &f->timer, ns_after(ip->now, timeout_of(ip, &f->src)));
    charge(ip, f, sizeof *f);
    return f;
}

/* ---- pieces ---- */

/* Are the packet's bytes at an offset from its start these? */
static bool holds(const struct ip_packet *packet, size_t offset, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < packet->slice_count && len > 0; i++) {
        const struct weir_slice *s = &packet->slices[i];
        size_t n;

        if (offset >= s->len) {
            offset -= s->len;
            continue;
        }
        n = size_min(len, s->len - offset);
        if (memcmp(bytes, s->bytes + offset, n) != 0)
            return false;
        bytes += n;
        len -= n;
        offset = 0;
    }
    return len == 0;
}

/* Where a fragment goes among the pieces: before this link. Searched from the end. */
static struct list *place_of(struct frag *f, uint32_t offset)
{
    struct list *i = f->pieces.prev;

    while (i != &f->pieces && container_of(i, struct frag_piece, link)->offset >= offset)
        i = i->prev;
    return i->next;
}

enum fit {
    FIT_NEW,
    FIT_SAME,    /* it is here already */
    FIT_OVERLAP, /* a part of it is */
};

/* Compares a fragment with the pieces from its place on. */
static enum fit fit_of(const struct frag *f, struct list *place, const struct ip_packet *packet,
                       const struct frag_info *info)
{
    uint32_t end = info->offset + ip_packet_transport_len(packet);
    uint32_t at = info->offset;

    if (place->prev != &f->pieces) {
        const struct frag_piece *before = container_of(place->prev, struct frag_piece, link);

        if (before->offset + before->len > info->offset)
            return FIT_OVERLAP;
    }
    for (; place != &f->pieces && at < end; place = place->next) {
        const struct frag_piece *p = container_of(place, struct frag_piece, link);

        if (p->offset >= end)
            break;
        if (p->offset != at || p->offset + p->len > end
            || !holds(packet, packet->header_len + (at - info->offset), p->buf->bytes + p->at,
                      p->len))
            return FIT_OVERLAP;
        at += p->len;
    }
    if (at == info->offset)
        return FIT_NEW;
    return at == end ? FIT_SAME : FIT_OVERLAP;
}

/* Makes a piece of what begins at offset at in the fragment; NULL: no room or memory. */
static struct frag_piece *make_piece(struct ip *ip, struct frag *f, const struct ip_packet *packet,
                                     uint32_t at)
{
    uint32_t left = ip_packet_transport_len(packet) - at;
    /* The very first piece brings the headers of its fragment along. */
    uint32_t before = at == 0 && !packet->is_later_fragment ? packet->header_len : 0;
    struct frag_piece *piece = pool_get(&ip->frags.pieces);
    struct buf *buf = buf_get(ip->bufs, before + left);

    if (piece == NULL || buf == NULL || buf->size <= before
        || !make_room(ip, buf->memory + sizeof *piece, f)) {
        buf_unref(ip->bufs, &buf);
        if (piece != NULL)
            pool_put(&ip->frags.pieces, piece);
        return NULL;
    }
    left = u32_min(left, buf->size - before);
    ip_packet_copy(packet, packet->header_len - before + at, buf->bytes, before + left);
    list_init(&piece->link);
    piece->len = left;
    piece->buf = buf;
    piece->at = before;
    charge(ip, f, buf->memory + sizeof *piece);
    return piece;
}

/* Adds a fragment that overlaps nothing, in as many pieces as its size needs. */
static enum why add_pieces(struct ip *ip, struct frag *f, const struct ip_packet *packet,
                           const struct frag_info *info, struct list *place)
{
    uint32_t len = ip_packet_transport_len(packet);

    for (uint32_t at = 0; at < len;) {
        struct frag_piece *piece;

        if (f->pieces_count == FRAG_PIECES_MAX)
            return kill(ip, f, WHY_FRAG_FULL);
        piece = make_piece(ip, f, packet, at);
        if (piece == NULL)
            return kill(ip, f, WHY_FRAG_FULL);
        piece->offset = info->offset + at;
        list_add_before(place, &piece->link);
        f->pieces_count++;
        f->have += piece->len;
        at += piece->len;
    }
    if (info->offset == 0) {
        f->header_len = packet->header_len;
        f->next_header = packet->protocol;
    }
    f->ecn_seen |= (uint8_t)(1 << ip_ecn_of(packet->tos));
    return WHY_NONE;
}

/* Does the fragment fit what is known of the datagram's length? Learns it from the last. */
static bool note_len(struct frag *f, const struct frag_info *info, uint32_t end)
{
    struct list *last = list_last(&f->pieces);
    const struct frag_piece *p;

    if (f->len_known)
        return info->more ? end < f->len : end == f->len;
    if (info->more)
        return true;
    if (last != NULL) {
        p = container_of(last, struct frag_piece, link);
        if (p->offset + p->len > end)
            return false;
    }
    f->len_known = true;
    f->len = end;
    return true;
}

/* ---- the whole ---- */

/* Congestion anywhere is congestion of the whole [RFC3168 5.3]. */
static uint8_t tos_of(const struct frag *f, uint8_t tos)
{
    return f->ecn_seen & 1 << IP_ECN_CE ? tos | IP_ECN_CE : tos;
}

/* Writes the header that the datagram would have had; returns its length, 0: it cannot be. */
static size_t emit_header4(const struct frag *f, struct span first, struct buf *out)
{
    struct ip4_header h;

    if (ip4_parse_quoted(first, &h) != WHY_NONE)
        return 0;
    h.payload_len = f->len;
    h.fragment_offset = 0;
    h.more_fragments = false;
    h.tos = tos_of(f, h.tos);
    return ip4_emit(&h, out->bytes, out->size);
}

static size_t emit_header6(const struct frag *f, struct span first, struct buf *out)
{
    struct ip6_header h;
    size_t len;

    if (ip6_parse_quoted(first, &h) != WHY_NONE || !h.has_fragment)
        return 0;
    h.payload_len = f->len;
    h.tos = tos_of(f, h.tos);
    h.extensions = span_take(h.extensions, h.fragment_header_at - IP6_HEADER_LEN);
    if (h.fragment_pointer_at == NEXT_HEADER_AT)
        h.next_header = h.protocol;
    len = ip6_emit(&h, out->bytes, out->size);
    /* The last header before the fragment header now leads to what came after it. */
    if (len > 0)
        out->bytes[h.fragment_pointer_at] = h.protocol;
    return len;
}

/* Adds a buf of about so many bytes to the packet being made. NULL: no memory, no slice. */
static struct buf *add_buf(struct ip *ip, struct ip_packet *whole, size_t size)
{
    struct buf *buf;

    if (whole->slice_count == WEIR_FRAME_SLICES)
        return NULL;
    buf = buf_get(ip->bufs, size);
    if (buf == NULL)
        return NULL;
    whole->held[whole->held_count++] = buf;
    whole->slices[whole->slice_count++] = (struct weir_slice){buf->bytes, 0};
    return buf;
}

/* Appends bytes; left is how many there will be from here on. */
static bool append(struct ip *ip, struct ip_packet *whole, struct span bytes, size_t left)
{
    while (bytes.len > 0) {
        struct weir_slice *slice = &whole->slices[whole->slice_count - 1];
        struct buf *buf = whole->held[whole->held_count - 1];
        size_t n = size_min(bytes.len, buf->size - slice->len);

        memcpy(slice->bytes + slice->len, bytes.bytes, n);
        slice->len += n;
        left -= n;
        bytes = span_drop(bytes, n);
        if (bytes.len > 0 && add_buf(ip, whole, left) == NULL)
            return false;
    }
    return true;
}

/* Fills in slices and held with the datagram. */
static enum why build(struct ip *ip, const struct frag *f, struct ip_packet *whole)
{
    const struct frag_piece *first = container_of(list_first(&f->pieces), struct frag_piece, link);
    struct span headers = span_of(first->buf->bytes, f->header_len);
    struct buf *buf = add_buf(ip, whole, f->header_len + f->len);
    size_t left = f->len, header_len;

    if (buf == NULL)
        return WHY_NO_MEMORY;
    header_len =
        addr_is_v4(&f->src) ? emit_header4(f, headers, buf) : emit_header6(f, headers, buf);
    if (header_len == 0)
        return WHY_FRAG_MALFORMED;
    whole->slices[0].len = header_len;
    LIST_EACH (i, &f->pieces) {
        const struct frag_piece *p = container_of(i, struct frag_piece, link);

        if (!append(ip, whole, span_of(p->buf->bytes + p->at, p->len), left))
            return WHY_NO_MEMORY;
        left -= p->len;
    }
    whole->len = (uint32_t)header_len + f->len;
    return WHY_NONE;
}

/* All of it is here: *packet becomes the datagram. */
static enum why finish(struct ip *ip, struct frag *f, struct ip_packet *packet)
{
    struct ip_packet whole = {.netif = packet->netif, .is_group = packet->is_group};
    uint8_t ce_without_ect = 1 << IP_ECN_CE | 1 << IP_ECN_NOT_ECT;
    enum why why = WHY_FRAG_MALFORMED;

    if ((f->ecn_seen & ce_without_ect) != ce_without_ect)
        why = build(ip, f, &whole);
    destroy(ip, f);
    if (why == WHY_NONE)
        *packet = whole;
    else
        ip_packet_fini(ip, &whole);
    return why;
}

enum why frag_input(struct ip *ip, struct ip_packet *packet, const struct frag_info *info)
{
    uint32_t end = info->offset + ip_packet_transport_len(packet);
    struct frag *f = find(ip, packet, info);
    struct list *place;
    enum why why;

    if (f == NULL)
        f = create(ip, packet, info);
    if (f == NULL)
        return WHY_FRAG_FULL;
    if (f->is_dead)
        return WHY_FRAG_OVERLAP;

    place = place_of(f, info->offset);
    switch (fit_of(f, place, packet, info)) {
    case FIT_SAME: return WHY_FRAG_OVERLAP;
    case FIT_OVERLAP: return kill(ip, f, WHY_FRAG_OVERLAP);
    case FIT_NEW: break;
    }
    if (!note_len(f, info, end))
        return kill(ip, f, WHY_FRAG_OVERLAP);
    why = add_pieces(ip, f, packet, info, place);
    if (why != WHY_NONE)
        return why;
    if (f->len_known && f->have == f->len)
        return finish(ip, f, packet);
    packet->is_waiting = true;
    return WHY_NONE;
}

/* ---- time ---- */

/* Tells the sender, if its first fragment is here [RFC1122 3.3.2, RFC8200 4.5]. */
static void report(struct ip *ip, const struct frag *f)
{
    static const struct icmp_complaint complaint = {
        .kind = ICMP_ERROR_TIME_EXCEEDED, .code = ICMP4_REASSEMBLY_EXCEEDED, /* the same in IPv6 */
    };
    const struct frag_piece *first;
    struct ip_packet about;

    if (f->header_len == 0)
        return;
    first = container_of(list_first(&f->pieces), struct frag_piece, link);
    about = (struct ip_packet){
        .netif = f->netif,
        .src = f->src,
        .dst = f->dst,
        .protocol = f->next_header,
        .is_group = f->is_group,
        .header_len = f->header_len,
        .len = f->header_len + first->len,
        .slice_count = 1,
        .slices = {{first->buf->bytes, f->header_len + first->len}},
    };
    icmp_send_error(ip, &about, &complaint);
}

void frag_expire(struct ip *ip, struct frag *f)
{
    if (!f->is_dead) {
        ip_drop(ip, WHY_FRAG_TIMEOUT);
        report(ip, f);
    }
    destroy(ip, f);
}

/* ---- taking apart ---- */

/* Adds a reference to a part of a slice. */
static bool share(struct frame *to, const struct frame *from, size_t slice, size_t at, size_t len)
{
    struct buf *held = from->held[slice];

    if (held != NULL)
        buf_ref(held);
    return frame_add(to, from->wire.slices[slice].bytes + at, len, &held);
}

/* Adds len bytes from an offset in the frame; the headers are copied, the rest is shared. */
static void take_part(struct frame *to, const struct frame *from, size_t offset, size_t len)
{
    for (size_t i = 0; i < from->wire.slice_count && len > 0; i++) {
        const struct weir_slice *s = &from->wire.slices[i];
        size_t n;

        if (offset >= s->len) {
            offset -= s->len;
            continue;
        }
        n = size_min(len, s->len - offset);
        if (i == 0)
            memcpy(frame_push(to, n), s->bytes + offset, n);
        else
            /* A part has no more slices than the whole. */
            CHECK(share(to, from, i, offset, n));
        len -= n;
        offset = 0;
    }
}

static size_t headers_len(const struct ip_send *how)
{
    return addr_is_v4(&how->dst) ? (size_t)IP4_HEADER_LEN
                                 : (size_t)IP6_HEADER_LEN + IP6_FRAGMENT_LEN;
}

/* Makes all fragments; false: out of memory. */
static bool cut(struct ip *ip, const struct ip_path *path, const struct ip_send *how,
                const struct frame *whole, struct frames *parts)
{
    size_t most = (path->mtu - headers_len(how)) & ~(size_t)7;
    struct ip_fragment fragment = {.id = ip_next_id(ip, path, 1)};

    for (size_t at = 0; at < whole->wire.len; at += most) {
        struct frame *part = frame_get(ip->frames);
        size_t len = size_min(most, whole->wire.len - at);

        if (part == NULL)
            return false;
        take_part(part, whole, at, len);
        fragment.offset = (uint32_t)at;
        fragment.more = at + len < whole->wire.len;
        if (addr_is_v4(&how->dst))
            ip4_push(ip, path, how, &fragment, part);
        else
            ip6_push(ip, path, how, &fragment, part);
        frames_add(parts, &part);
    }
    return true;
}

enum why frag_send(struct ip *ip, struct ip_path *path, const struct ip_send *how,
                   struct frame **frame)
{
    struct frames parts = {0};
    enum why why = WHY_NONE;
    struct frame *part;

    /* The checksum is in the first fragment and covers them all. */
    frame_finish_checksum(*frame);
    if (!cut(ip, path, how, *frame, &parts)) {
        while ((part = frames_take(&parts)) != NULL)
            frame_put(ip->frames, ip->bufs, &part);
        return ip_drop_frame(ip, frame, WHY_NO_MEMORY);
    }
    while ((part = frames_take(&parts)) != NULL) {
        enum why one;

        ip_trace_out(ip, path->netif, part, how->trace);
        one = ip_transmit(ip, path, &part);
        if (one != WHY_NONE)
            why = one;
    }
    frame_put(ip->frames, ip->bufs, frame);
    return why;
}
