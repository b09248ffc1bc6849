/*
 * udp.c - UDP endpoints
 *
 * The table has connected endpoints under both ends, the others under their port alone:
 * so many of one port as there are local addresses.
 */
#include "udp/udp.h"

#include "base/addr.h"
#include "base/be.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/checksum.h"
#include "base/num.h"
#include "udp/stored.h"
#include "wire/ip.h"
#include "wire/udp.h"
#include <string.h>
#include <weir/config.h>
#include <weir/err.h>

enum {
    PURPOSE = 0x756470, /* of the key derived from the secret */
    TABLE_SEGMENT = 1024,
    CHECKSUM_AT = 6,
    IN_HEADROOM = 64, /* a payload so short goes into the frame itself */
};

/* A datagram that waits. */
struct datagram {
    struct stored stored; /* must be the first member */
    struct weir_datagram about;
};

bool udp_init(struct udp *udp, const struct udp_setup *setup)
{
    memset(udp, 0, sizeof *udp);
    udp->bufs = setup->bufs;
    udp->frames = setup->frames;
    udp->key = siphash_key_derive(setup->config->secret, PURPOSE);
    udp->port_first = setup->config->tcp.port_first;
    udp->port_last = setup->config->tcp.port_last;
    return pool_init_handles(&udp->endpoints, setup->mem, "UDP endpoints",
                             sizeof(struct udp_endpoint), setup->config->slab_bytes)
           && table_init(&udp->table, setup->mem, TABLE_SEGMENT);
}

static void drop_queue(struct udp *udp, struct udp_endpoint *endpoint)
{
    for (struct list *i; (i = list_take_first(&endpoint->queue)) != NULL;) {
        struct stored *s = container_of(i, struct stored, link);

        stored_free(udp->bufs, &s);
    }
    endpoint->queue_bytes = 0;
    endpoint->queue_count = 0;
}

void udp_fini(struct udp *udp)
{
    uint32_t i = 0;

    for (struct udp_endpoint *e; (e = pool_next(&udp->endpoints, &i)) != NULL;)
        drop_queue(udp, e);
    table_fini(&udp->table);
    pool_fini(&udp->endpoints);
}

/* ---- the table ---- */

static void put_endpoint(uint8_t bytes[18], const struct weir_endpoint *endpoint)
{
    memcpy(bytes, endpoint->addr.b, 16);
    bytes[16] = (uint8_t)(endpoint->port >> 8);
    bytes[17] = (uint8_t)endpoint->port;
}

static uint32_t hash_of_pair(const struct udp *udp, const struct weir_endpoint *local,
                             const struct weir_endpoint *remote)
{
    uint8_t bytes[36];

    put_endpoint(bytes, local);
    put_endpoint(bytes + 18, remote);
    return (uint32_t)siphash13(udp->key, bytes, sizeof bytes);
}

static uint32_t hash_of_port(const struct udp *udp, uint16_t port)
{
    uint8_t bytes[2] = {(uint8_t)(port >> 8), (uint8_t)port};

    return (uint32_t)siphash13(udp->key, bytes, sizeof bytes);
}

static uint32_t hash_of(const struct udp *udp, const struct weir_endpoint *local,
                        const struct weir_endpoint *remote)
{
    return remote != NULL ? hash_of_pair(udp, local, remote) : hash_of_port(udp, local->port);
}

static bool has_addr_and_port(const struct weir_endpoint *a, const struct weir_endpoint *b)
{
    return a->port == b->port && weir_addr_eq(&a->addr, &b->addr);
}

/* An interface of 0 is any. */
static bool is_same_netif(const struct weir_endpoint *a, const struct weir_endpoint *b)
{
    return a->netif == 0 || b->netif == 0 || a->netif == b->netif;
}

static struct udp_endpoint *find_connected(const struct udp *udp, const struct weir_endpoint *local,
                                           const struct weir_endpoint *remote)
{
    struct table_iter it = table_find(&udp->table, hash_of_pair(udp, local, remote));

    for (uint32_t ref; table_next(&it, &ref);) {
        struct udp_endpoint *e = pool_at(&udp->endpoints, ref);

        if (e->is_connected && has_addr_and_port(&e->local, local)
            && has_addr_and_port(&e->remote, remote) && is_same_netif(&e->local, local)
            && is_same_netif(&e->remote, remote))
            return e;
    }
    return NULL;
}

/* How well an endpoint's address fits a destination: 0 not at all, 3 exactly. */
static int fit_of(const struct weir_addr *bound, bool v6only, const struct weir_addr *addr)
{
    if (weir_addr_eq(bound, addr))
        return 3;
    if (!addr_is_any(bound))
        return 0;
    if (weir_addr_is_v4(bound))
        return addr_is_v4(addr) ? 2 : 0;
    return v6only && addr_is_v4(addr) ? 0 : 1;
}

/*
 * Of those that share a port, the one that weighs most for a pair of ends has its datagrams: when
 * one comes or goes, only what it has moves.
 */
static uint32_t weight_of(const struct udp *udp, const struct weir_endpoint *local,
                          const struct weir_endpoint *remote, uint32_t ref)
{
    uint32_t mixed = (hash_of_pair(udp, local, remote) ^ ref * 0x9e3779b1u) * 0x85ebca6bu;

    return mixed ^ mixed >> 15;
}

static bool is_heavier(const struct udp *udp, const struct udp_endpoint *e,
                       const struct udp_endpoint *best, const struct weir_endpoint *local,
                       const struct weir_endpoint *remote)
{
    return e->shares_port && best->shares_port
           && weight_of(udp, local, remote, pool_index(&udp->endpoints, e))
                  > weight_of(udp, local, remote, pool_index(&udp->endpoints, best));
}

static struct udp_endpoint *find_open(const struct udp *udp, const struct weir_endpoint *local,
                                      const struct weir_endpoint *remote)
{
    struct table_iter it = table_find(&udp->table, hash_of_port(udp, local->port));
    struct udp_endpoint *best = NULL;
    int best_fit = 0;

    for (uint32_t ref; table_next(&it, &ref);) {
        struct udp_endpoint *e = pool_at(&udp->endpoints, ref);
        int fit = fit_of(&e->local.addr, e->v6only, &local->addr);

        if (e->is_connected || e->local.port != local->port || fit == 0 || fit < best_fit
            || !is_same_netif(&e->local, local)
            || (fit == best_fit && !is_heavier(udp, e, best, local, remote)))
            continue;
        best = e;
        best_fit = fit;
    }
    return best;
}

struct udp_endpoint *udp_find(const struct udp *udp, const struct weir_endpoint *local,
                              const struct weir_endpoint *remote)
{
    struct udp_endpoint *e = find_connected(udp, local, remote);

    return e != NULL ? e : find_open(udp, local, remote);
}

uint64_t udp_handle(const struct udp *udp, const struct udp_endpoint *endpoint)
{
    return pool_handle(&udp->endpoints, endpoint);
}

struct udp_endpoint *udp_endpoint_of(const struct udp *udp, uint64_t handle)
{
    return pool_find(&udp->endpoints, handle);
}

/* ---- opening and closing ---- */

/* Would both hear some datagram that neither has more right to? */
static bool overlaps(const struct udp_endpoint *e, const struct weir_endpoint *local, bool v6only)
{
    bool either = fit_of(&e->local.addr, e->v6only, &local->addr) != 0
                  || fit_of(&local->addr, v6only, &e->local.addr) != 0;

    return e->local.port == local->port && either && is_same_netif(&e->local, local);
}

static bool is_heard(const struct udp *udp, const struct weir_endpoint *local,
                     struct udp_rules rules)
{
    struct table_iter it = table_find(&udp->table, hash_of_port(udp, local->port));

    for (uint32_t ref; table_next(&it, &ref);) {
        const struct udp_endpoint *e = pool_at(&udp->endpoints, ref);

        if (!e->is_connected && overlaps(e, local, rules.v6only)
            && !(e->shares_port && rules.shares_port))
            return true;
    }
    return false;
}

static bool is_taken(const struct udp *udp, const struct weir_endpoint *local,
                     const struct weir_endpoint *remote, struct udp_rules rules)
{
    return remote != NULL ? find_connected(udp, local, remote) != NULL
                          : is_heard(udp, local, rules);
}

/*
 * A port that is neither guessed nor soon used again: an offset that depends on who talks
 * to whom, and a counter [RFC6056 3.3.3]. A port on which another endpoint hears everybody
 * is not given to a connected one, because it would hear its answers.
 */
static int choose_port(struct udp *udp, struct weir_endpoint *local,
                       const struct weir_endpoint *remote, struct udp_rules rules)
{
    static const struct weir_endpoint nobody;
    uint32_t range = (uint32_t)(udp->port_last - udp->port_first) + 1;
    uint8_t bytes[36];
    uint32_t offset;

    put_endpoint(bytes, local);
    put_endpoint(bytes + 18, remote != NULL ? remote : &nobody);
    offset = (uint32_t)siphash24(udp->key, bytes, sizeof bytes) % range;
    rules.shares_port = false; /* it is to have one of its own */
    for (uint32_t i = 0; i < range; i++) {
        local->port = (uint16_t)(udp->port_first + (offset + udp->port_counter++) % range);
        if (!is_taken(udp, local, remote, rules) && !is_heard(udp, local, rules))
            return WEIR_OK;
    }
    return WEIR_EADDRNOTAVAIL;
}

static struct udp_endpoint *create(struct udp *udp, const struct weir_endpoint *local,
                                   const struct weir_endpoint *remote)
{
    struct udp_endpoint *e = pool_get_zeroed(&udp->endpoints);

    if (e == NULL)
        return NULL;
    e->local = *local;
    e->bound = local->addr;
    e->is_connected = remote != NULL;
    if (remote != NULL)
        e->remote = *remote;
    e->recv_buffer_bytes = UDP_QUEUE_BYTES;
    e->hash = hash_of(udp, local, remote);
    list_init(&e->queue);
    list_init(&e->ready);
    if (table_add(&udp->table, e->hash, pool_index(&udp->endpoints, e)))
        return e;
    pool_put(&udp->endpoints, e);
    return NULL;
}

static bool is_possible_pair(const struct weir_endpoint *local, const struct weir_endpoint *remote)
{
    if (remote == NULL)
        return true;
    return remote->port != 0 && !addr_is_any(&remote->addr) && !addr_is_any(&local->addr)
           && addr_is_v4(&local->addr) == addr_is_v4(&remote->addr);
}

int udp_open(struct udp *udp, const struct weir_endpoint *local, const struct weir_endpoint *remote,
             struct udp_rules rules, struct udp_endpoint **endpoint)
{
    struct weir_endpoint chosen = *local;
    int err = WEIR_OK;

    if (!is_possible_pair(local, remote))
        return WEIR_EINVAL;
    if (chosen.port == 0)
        err = choose_port(udp, &chosen, remote, rules);
    else if (is_taken(udp, &chosen, remote, rules))
        err = WEIR_EADDRINUSE;
    if (err != WEIR_OK)
        return err;
    *endpoint = create(udp, &chosen, remote);
    if (*endpoint == NULL)
        return WEIR_ENOMEM;
    (*endpoint)->v6only = rules.v6only;
    (*endpoint)->shares_port = rules.shares_port;
    return WEIR_OK;
}

/* The new place is taken before the old one is left. */
int udp_connect(struct udp *udp, struct udp_endpoint *e, const struct weir_addr *local,
                const struct weir_endpoint *remote)
{
    static const struct weir_endpoint nobody;
    struct weir_endpoint from = {.addr = *local, .port = e->local.port, .netif = e->local.netif};
    const struct udp_endpoint *other;
    uint32_t hash = hash_of(udp, &from, remote), ref = pool_index(&udp->endpoints, e);

    if (!is_possible_pair(&from, remote))
        return WEIR_EINVAL;
    other = remote != NULL ? find_connected(udp, &from, remote) : NULL;
    if (other != NULL && other != e)
        return WEIR_EADDRINUSE;
    if (!table_add(&udp->table, hash, ref))
        return WEIR_ENOMEM;
    table_remove(&udp->table, e->hash, ref);
    e->hash = hash;
    e->local = from;
    e->is_connected = remote != NULL;
    e->remote = remote != NULL ? *remote : nobody;
    return WEIR_OK;
}

void udp_close(struct udp *udp, struct udp_endpoint **endpoint)
{
    struct udp_endpoint *e = *endpoint;

    *endpoint = NULL;
    drop_queue(udp, e);
    table_remove(&udp->table, e->hash, pool_index(&udp->endpoints, e));
    pool_put(&udp->endpoints, e);
}

/* ---- datagrams in ---- */

/* Cuts what is not the datagram's off the slices. */
static void trim(struct udp_arrival *a, size_t len)
{
    size_t left = len;

    a->len = len;
    for (size_t i = 0; i < a->slice_count; i++) {
        a->slices[i].len = size_min(a->slices[i].len, left);
        left -= a->slices[i].len;
    }
}

static bool has_good_checksum(const struct udp_arrival *a)
{
    uint32_t sum = checksum_pseudo(&a->from.addr, &a->to.addr, IP_PROTOCOL_UDP, a->len);
    size_t done = 0;

    for (size_t i = 0; i < a->slice_count; i++) {
        sum = checksum_join(sum, checksum_add(0, a->slices[i].bytes, a->slices[i].len), done);
        done += a->slices[i].len;
    }
    return checksum_is_good(sum);
}

enum why udp_take_header(struct udp_arrival *arrival, const struct weir_slice *slices,
                         size_t slice_count, bool checksum_known)
{
    struct udp_header h;
    size_t len = 0;
    enum why why;

    for (size_t i = 0; i < slice_count; i++) {
        arrival->slices[i] = slices[i];
        len += slices[i].len;
    }
    arrival->slice_count = slice_count;
    why = udp_parse(span_of(slices[0].bytes, slices[0].len), len, &h);
    if (why != WHY_NONE)
        return why;
    trim(arrival, UDP_HEADER_LEN + h.payload_len);

    /* IPv4 may go without a checksum, IPv6 may not [RFC768, RFC8200 8.1]. */
    if (h.checksum == 0) {
        if (!addr_is_v4(&arrival->from.addr))
            return WHY_UDP_CHECKSUM;
    } else if (!checksum_known && !has_good_checksum(arrival)) {
        return WHY_UDP_CHECKSUM;
    }
    arrival->from.port = h.src_port;
    arrival->to.port = h.dst_port;
    arrival->slices[0].bytes += UDP_HEADER_LEN;
    arrival->slices[0].len -= UDP_HEADER_LEN;
    arrival->len -= UDP_HEADER_LEN;
    return WHY_NONE;
}

enum why udp_input(struct udp *udp, struct udp_endpoint *endpoint,
                   const struct udp_arrival *arrival)
{
    struct stored *s;
    struct datagram *d;

    if (endpoint->queue_count >= UDP_QUEUE_COUNT
        || endpoint->queue_bytes >= endpoint->recv_buffer_bytes)
        return WHY_UDP_QUEUE;
    s = stored_make(udp->bufs, sizeof *d, arrival->slices, arrival->slice_count);
    if (s == NULL)
        return WHY_NO_MEMORY;
    d = (void *)s;
    d->about = (struct weir_datagram){
        .from = arrival->from,
        .to = arrival->to,
        .len = s->len,
        .received_at = arrival->at,
        .ttl = arrival->ttl,
        .tos = arrival->tos,
    };
    list_add_last(&endpoint->queue, &s->link);
    endpoint->queue_count++;
    endpoint->queue_bytes += s->memory;
    return WHY_NONE;
}

void udp_on_error(struct udp_endpoint *endpoint, int error)
{
    endpoint->error = error;
}

bool udp_is_readable(const struct udp_endpoint *endpoint)
{
    return endpoint->error != 0 || endpoint->queue_count > 0;
}

static ptrdiff_t take_error(struct udp_endpoint *endpoint)
{
    int error = endpoint->error;

    endpoint->error = 0;
    return error;
}

ptrdiff_t udp_recv(struct udp *udp, struct udp_endpoint *endpoint, void *bytes, size_t len,
                   struct weir_endpoint *from, struct weir_endpoint *to)
{
    struct list *first;
    struct stored *s;
    struct datagram *d;
    ptrdiff_t whole;

    if (endpoint->error != 0)
        return take_error(endpoint);
    first = list_take_first(&endpoint->queue);
    if (first == NULL)
        return WEIR_EAGAIN;
    s = container_of(first, struct stored, link);
    d = (void *)s;
    stored_copy(s, bytes, len);
    if (from != NULL)
        *from = d->about.from;
    if (to != NULL)
        *to = d->about.to;
    whole = (ptrdiff_t)s->len;
    endpoint->queue_count--;
    endpoint->queue_bytes -= s->memory;
    stored_free(udp->bufs, &s);
    return whole;
}

ptrdiff_t udp_peek(const struct udp_endpoint *endpoint, void *bytes, size_t len,
                   struct weir_datagram *about)
{
    const struct datagram *d;

    if (list_is_empty(&endpoint->queue))
        return WEIR_EAGAIN;
    d = (const void *)container_of(endpoint->queue.next, struct stored, link);
    stored_copy(&d->stored, bytes, len);
    if (about != NULL)
        *about = d->about;
    return (ptrdiff_t)d->stored.len;
}

/* ---- datagrams out ---- */

/* Copies the payload, a buf at a time, and sums it up in passing. */
static int add_payload(struct udp *udp, struct frame *frame, const uint8_t *bytes, size_t len)
{
    for (size_t done = 0; done < len;) {
        struct buf *buf = buf_get(udp->bufs, len - done);
        size_t n;

        if (buf == NULL)
            return WEIR_ENOMEM;
        n = size_min(buf->size, len - done);
        frame->payload_sum =
            checksum_join(frame->payload_sum, checksum_copy(buf->bytes, bytes + done, n), done);
        if (!frame_add(frame, buf->bytes, n, &buf)) {
            buf_unref(udp->bufs, &buf);
            return WEIR_EMSGSIZE;
        }
        done += n;
    }
    frame->payload_sum_known = true;
    return WEIR_OK;
}

static void push_header(struct frame *frame, const struct udp_send *send)
{
    uint32_t pseudo = checksum_pseudo(&send->from.addr, &send->to.addr, IP_PROTOCOL_UDP,
                                      UDP_HEADER_LEN + send->len);
    struct udp_header h = {
        .src_port = send->from.port,
        .dst_port = send->to.port,
        .checksum = (uint16_t)checksum_reduce(pseudo),
        .payload_len = send->len,
    };
    size_t len = udp_emit(&h, frame_push(frame, UDP_HEADER_LEN), UDP_HEADER_LEN);

    CHECK(len == UDP_HEADER_LEN);
    frame_need_checksum(frame, CHECKSUM_AT);
}

int udp_output(struct udp *udp, const struct udp_send *send, struct frame **frame)
{
    size_t most = addr_is_v4(&send->to.addr) ? UDP_PAYLOAD_MAX4 : UDP_PAYLOAD_MAX6;
    struct frame *f;
    int err = WEIR_OK;

    /* Without jumbograms the IPv6 payload has to fit 16 bits as well. */
    if (send->len > most)
        return WEIR_EMSGSIZE;
    f = frame_get(udp->frames);
    if (f == NULL)
        return WEIR_ENOMEM;
    if (send->len > IN_HEADROOM)
        err = add_payload(udp, f, send->bytes, send->len);
    else if (send->len > 0)
        memcpy(frame_push(f, send->len), send->bytes, send->len);
    if (err != WEIR_OK) {
        frame_put(udp->frames, udp->bufs, &f);
        return err;
    }
    push_header(f, send);
    *frame = f;
    return WEIR_OK;
}
