/*
 * ping.c - echo requests and their replies, of both families
 */
#include "udp/ping.h"

#include "base/addr.h"
#include "base/be.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/checksum.h"
#include "base/num.h"
#include "base/span.h"
#include "udp/stored.h"
#include "udp/udp.h"
#include "wire/icmp4.h"
#include "wire/icmp6.h"
#include "wire/ip.h"
#include <string.h>
#include <weir/config.h>
#include <weir/err.h>

enum {
    PURPOSE = 0x70696e67, /* of the key derived from the secret */
    TABLE_SEGMENT = 1024,
    CHECKSUM_AT = 2,
    IN_HEADROOM = 64,
    ID_COUNT = 65536,
};

/* A reply that waits. */
struct answer {
    struct stored stored; /* must be the first member */
    struct weir_ping_reply reply;
};

bool ping_init(struct pings *pings, const struct udp_setup *setup)
{
    memset(pings, 0, sizeof *pings);
    pings->bufs = setup->bufs;
    pings->frames = setup->frames;
    pings->key = siphash_key_derive(setup->config->secret, PURPOSE);
    return pool_init_handles(&pings->pool, setup->mem, "pingers", sizeof(struct ping),
                             setup->config->slab_bytes)
           && table_init(&pings->table, setup->mem, TABLE_SEGMENT);
}

static void drop_queue(struct pings *pings, struct ping *ping)
{
    for (struct list *i; (i = list_take_first(&ping->queue)) != NULL;) {
        struct stored *s = container_of(i, struct stored, link);

        stored_free(pings->bufs, &s);
    }
}

void ping_fini(struct pings *pings)
{
    uint32_t i = 0;

    for (struct ping *p; (p = pool_next(&pings->pool, &i)) != NULL;)
        drop_queue(pings, p);
    table_fini(&pings->table);
    pool_fini(&pings->pool);
}

/* ---- the table ---- */

static uint32_t hash_of(const struct pings *pings, const struct weir_addr *remote, uint16_t id)
{
    uint8_t bytes[18];

    memcpy(bytes, remote->b, 16);
    bytes[16] = (uint8_t)(id >> 8);
    bytes[17] = (uint8_t)id;
    return (uint32_t)siphash13(pings->key, bytes, sizeof bytes);
}

struct ping *ping_find(const struct pings *pings, const struct weir_addr *remote, uint16_t id)
{
    struct table_iter it = table_find(&pings->table, hash_of(pings, remote, id));

    for (uint32_t ref; table_next(&it, &ref);) {
        struct ping *p = pool_at(&pings->pool, ref);

        if (p->id == id && weir_addr_eq(&p->remote, remote))
            return p;
    }
    return NULL;
}

uint64_t ping_handle(const struct pings *pings, const struct ping *ping)
{
    return pool_handle(&pings->pool, ping);
}

struct ping *ping_of(const struct pings *pings, uint64_t handle)
{
    return pool_find(&pings->pool, handle);
}

/* An identifier that nobody else uses with this peer; false: there is none. */
static bool choose_id(struct pings *pings, const struct weir_addr *remote, uint16_t *id)
{
    uint32_t offset = (uint32_t)siphash24(pings->key, remote->b, sizeof remote->b);

    for (uint32_t i = 0; i < ID_COUNT; i++) {
        *id = (uint16_t)(offset + pings->id_counter++);
        if (ping_find(pings, remote, *id) == NULL)
            return true;
    }
    return false;
}

int ping_open(struct pings *pings, const struct weir_addr *local, const struct weir_addr *remote,
              struct ping **ping)
{
    struct ping *p;
    uint16_t id;

    if (addr_is_any(remote) || addr_is_any(local) || addr_is_v4(local) != addr_is_v4(remote))
        return WEIR_EINVAL;
    if (!choose_id(pings, remote, &id))
        return WEIR_EADDRNOTAVAIL;
    p = pool_get_zeroed(&pings->pool);
    if (p == NULL)
        return WEIR_ENOMEM;
    p->local = *local;
    p->remote = *remote;
    p->id = id;
    p->hash = hash_of(pings, remote, id);
    list_init(&p->queue);
    list_init(&p->ready);
    if (!table_add(&pings->table, p->hash, pool_index(&pings->pool, p))) {
        pool_put(&pings->pool, p);
        return WEIR_ENOMEM;
    }
    *ping = p;
    return WEIR_OK;
}

void ping_close(struct pings *pings, struct ping **ping)
{
    struct ping *p = *ping;

    *ping = NULL;
    drop_queue(pings, p);
    table_remove(&pings->table, p->hash, pool_index(&pings->pool, p));
    pool_put(&pings->pool, p);
}

/* ---- replies ---- */

enum why ping_input(struct pings *pings, struct ping *ping, const struct weir_ping_reply *reply,
                    const struct weir_slice *slices, size_t slice_count)
{
    struct stored *s;
    struct answer *a;

    if (ping->queue_count >= PING_QUEUE_COUNT || ping->queue_bytes >= PING_QUEUE_BYTES)
        return WHY_UDP_QUEUE;
    s = stored_make(pings->bufs, sizeof *a, slices, slice_count);
    if (s == NULL)
        return WHY_NO_MEMORY;
    a = (void *)s;
    a->reply = *reply;
    list_add_last(&ping->queue, &s->link);
    ping->queue_count++;
    ping->queue_bytes += s->memory;
    return WHY_NONE;
}

/* Reads identifier and sequence number of a request that we sent. */
static bool read_request(bool is_v4, struct span transport, uint16_t *id, uint16_t *sequence)
{
    struct icmp_message m;
    uint8_t request = is_v4 ? ICMP4_ECHO_REQUEST : ICMP6_ECHO_REQUEST;

    if (icmp_parse(transport, transport.len, &m) != WHY_NONE || m.type != request)
        return false;
    *id = icmp_echo_id(&m);
    *sequence = icmp_echo_seq(&m);
    return true;
}

bool ping_on_error(struct pings *pings, const struct weir_addr *remote, const uint8_t *transport,
                   size_t len, const struct weir_ping_reply *reply, struct ping **ping)
{
    struct weir_ping_reply told = *reply;
    uint16_t id;

    *ping = NULL;
    if (!read_request(addr_is_v4(remote), span_of(transport, len), &id, &told.sequence))
        return false;
    *ping = ping_find(pings, remote, id);
    return *ping != NULL && ping_input(pings, *ping, &told, NULL, 0) == WHY_NONE;
}

bool ping_is_readable(const struct ping *ping)
{
    return ping->queue_count > 0;
}

ptrdiff_t ping_recv(struct pings *pings, struct ping *ping, void *bytes, size_t len,
                    struct weir_ping_reply *reply)
{
    struct list *first = list_take_first(&ping->queue);
    struct stored *s;
    ptrdiff_t whole;

    if (first == NULL)
        return WEIR_EAGAIN;
    s = container_of(first, struct stored, link);
    stored_copy(s, bytes, len);
    if (reply != NULL)
        *reply = ((const struct answer *)(const void *)s)->reply;
    whole = (ptrdiff_t)s->len;
    ping->queue_count--;
    ping->queue_bytes -= s->memory;
    stored_free(pings->bufs, &s);
    return whole;
}

/* ---- requests ---- */

static int add_payload(struct pings *pings, struct frame *frame, const uint8_t *bytes, size_t len)
{
    for (size_t done = 0; done < len;) {
        struct buf *buf = buf_get(pings->bufs, len - done);
        size_t n;

        if (buf == NULL)
            return WEIR_ENOMEM;
        n = size_min(buf->size, len - done);
        memcpy(buf->bytes, bytes + done, n);
        if (!frame_add(frame, buf->bytes, n, &buf)) {
            buf_unref(pings->bufs, &buf);
            return WEIR_EMSGSIZE;
        }
        done += n;
    }
    return WEIR_OK;
}

static void push_header(struct frame *frame, const struct ping *ping, uint16_t sequence, size_t len)
{
    bool is_v4 = addr_is_v4(&ping->remote);
    struct icmp_message m = {.type = is_v4 ? ICMP4_ECHO_REQUEST : ICMP6_ECHO_REQUEST,
                             .word = icmp_word_of_echo(ping->id, sequence)};
    uint8_t *header = frame_push(frame, ICMP_HEADER_LEN);
    uint32_t pseudo = 0;
    be16_t preset;

    CHECK(icmp_emit(&m, 0, header, ICMP_HEADER_LEN) == ICMP_HEADER_LEN);
    if (!is_v4)
        pseudo =
            checksum_pseudo(&ping->local, &ping->remote, IP_PROTOCOL_ICMP6, ICMP_HEADER_LEN + len);
    preset = be16_of((uint16_t)checksum_reduce(pseudo));
    memcpy(header + CHECKSUM_AT, &preset, sizeof preset);
    frame_need_checksum(frame, CHECKSUM_AT);
    frame_finish_checksum(frame);
}

int ping_output(struct pings *pings, const struct ping *ping, uint16_t sequence, const void *bytes,
                size_t len, struct frame **frame)
{
    struct frame *f;
    int err = WEIR_OK;

    if (len > PING_PAYLOAD_MAX)
        return WEIR_EMSGSIZE;
    f = frame_get(pings->frames);
    if (f == NULL)
        return WEIR_ENOMEM;
    if (len > IN_HEADROOM)
        err = add_payload(pings, f, bytes, len);
    else if (len > 0)
        memcpy(frame_push(f, len), bytes, len);
    if (err != WEIR_OK) {
        frame_put(pings->frames, pings->bufs, &f);
        return err;
    }
    push_header(f, ping, sequence, len);
    *frame = f;
    return WEIR_OK;
}
