/*
 * world.c - whole stacks in memory, in virtual time: stacks, the link, the clock
 */
#include "lib/world.h"

#include "base/be.h"
#include "base/checksum.h"
#include "lib/test.h"
#include "stack/stack.h"
#include "tcp/conn.h"
#include "wire/eth.h"
#include "wire/pkt.h"
#include <stdlib.h>
#include <string.h>

enum {
    BATCH = 16,
    STEPS_WITHOUT_TIME = 20000,
    FRAME_MAX = 66000,
};

/* A frame under way, or one that a device has kept. */
struct world_flight {
    struct world_flight *next;
    weir_ns_t at;
    uint64_t order;
    size_t to;
    size_t from;
    struct weir_frame meta; /* without slices */
    struct weir_frame *kept;
    size_t len;
    size_t headers_len;
    uint8_t bytes[];
};

static struct world *worlds;

/* ---- frames in ---- */

struct owner {
    struct world *world;
    uint8_t *bytes;
    size_t len;
};

static void release(void *ctx)
{
    struct owner *o = ctx;

    o->world->frames_out--;
    o->world->bytes_out -= o->len;
    free(o->bytes);
    free(o);
}

/* The headers in the first slice, the rest in slices of so many bytes. */
static void slice_up(const struct world *w, const struct world_flight *f, uint8_t *bytes,
                     struct weir_frame *frame)
{
    size_t piece = w->setup.slice_bytes, at = f->headers_len;

    frame->len = f->len;
    if (piece == 0 || f->headers_len == 0 || f->headers_len >= f->len) {
        frame->slices[0] = (struct weir_slice){bytes, f->len};
        frame->slice_count = 1;
        return;
    }
    frame->slices[0] = (struct weir_slice){bytes, at};
    frame->slice_count = 1;
    while (at < f->len) {
        bool is_last = frame->slice_count == WEIR_FRAME_SLICES - 1 || f->len - at <= piece;
        size_t n = is_last ? f->len - at : piece;
        frame->slices[frame->slice_count++] = (struct weir_slice){bytes + at, n};
        at += n;
    }
}

static void hand_in(struct world *w, const struct world_flight *f)
{
    struct weir_frame frame = f->meta;
    struct owner *o = NULL;
    uint8_t *bytes = malloc(f->len + (f->len == 0)); /* exactly as long: a read beyond is seen */

    memcpy(bytes, f->bytes, f->len);
    slice_up(w, f, bytes, &frame);
    frame.release = NULL;
    if (!w->setup.lends_frames) {
        o = malloc(sizeof *o);
        *o = (struct owner){w, bytes, f->len};
        frame.release = release;
        frame.owner = o;
        w->frames_out++;
        w->bytes_out += f->len;
    }
    weir_input(w->stacks[f->to].stack, w->stacks[f->to].netif, &frame, 1);
    if (w->setup.lends_frames)
        free(bytes);
}

/* ---- the link ---- */

static void put_in_order(struct world_flight **list, struct world_flight *f)
{
    while (*list != NULL
           && ((*list)->at < f->at || ((*list)->at == f->at && (*list)->order < f->order)))
        list = &(*list)->next;
    f->next = *list;
    *list = f;
}

static bool chance(struct world *w, uint32_t of_thousand)
{
    return of_thousand > 0 && test_random_below(&w->random, 1000) < of_thousand;
}

static struct world_flight *flight_of(const uint8_t *bytes, size_t len)
{
    struct world_flight *f = calloc(1, sizeof *f + len);

    f->len = len;
    memcpy(f->bytes, bytes, len);
    return f;
}

static void corrupt(struct world *w, struct world_flight *f, size_t link_len)
{
    size_t at = link_len + test_random_below(&w->random, (uint32_t)(f->len - link_len));

    f->bytes[at] ^= (uint8_t)(1u << test_random_below(&w->random, 8));
    f->meta.flags = 0;
    f->meta.gso = WEIR_GSO_NONE;
    f->headers_len = 0; /* who knows */
}

/* A queue that is long marks what may be marked. IPv4's checksum is that of the header. */
static void mark(struct world *w, struct world_flight *f, size_t link_len)
{
    uint8_t *ip = f->bytes + link_len;
    bool is_v6 = ip[0] >> 4 == 6;
    uint16_t old = (uint16_t)(ip[0] << 8 | ip[1]);
    uint8_t ce = is_v6 ? IP_ECN_CE << 4 : IP_ECN_CE;

    if (f->len < link_len + 20 || (ip[0] >> 4 != 4 && !is_v6) || (ip[1] & ce) == 0
        || !chance(w, w->conditions.mark))
        return;
    ip[1] |= ce;
    if (!is_v6) {
        uint32_t sum = (uint32_t)(uint16_t) ~(ip[10] << 8 | ip[11]) + (uint16_t)~old;
        sum += (uint32_t)(ip[0] << 8 | ip[1]); /* [RFC1624 3, equation 3] */
        sum = (sum & 0xffff) + (sum >> 16);
        sum = ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
        ip[10] = (uint8_t)(sum >> 8);
        ip[11] = (uint8_t)sum;
    }
}

static void depart(struct world *w, struct world_flight *f, size_t link_len)
{
    weir_ns_t delay_ns = w->conditions.delay_ns;

    if (w->conditions.jitter_ns > 0)
        delay_ns += (weir_ns_t)(test_random(&w->random) % (uint64_t)w->conditions.jitter_ns);
    f->at = w->now + delay_ns;
    f->order = ++w->order;
    if (f->len > link_len && link_len != SIZE_MAX)
        mark(w, f, link_len);
    if (f->len > link_len && link_len != SIZE_MAX && chance(w, w->conditions.corrupt))
        corrupt(w, f, link_len);
    put_in_order(&w->flight, f);
}

/* To everybody else. */
static void spread(struct world *w, const struct world_flight *f, size_t link_len)
{
    for (size_t i = 0; i < w->count; i++) {
        uint32_t copies = 1 + chance(w, w->conditions.duplicate);
        if (i == f->from || chance(w, w->conditions.loss))
            continue;
        for (; copies > 0; copies--) {
            struct world_flight *copy = malloc(sizeof *copy + f->len);
            memcpy(copy, f, sizeof *copy + f->len);
            copy->to = i;
            depart(w, copy, link_len);
        }
    }
}

/* ---- frames out: what they have to be ---- */

static size_t link_len_of(const struct world *w)
{
    return w->setup.link != WEIR_LINK_ETHERNET
               ? 0
               : (size_t)ETH_HEADER_LEN + (w->setup.vlan != 0 ? (size_t)ETH_VLAN_LEN : 0);
}

static void check_link_header(const struct world *w, const uint8_t *bytes, size_t len,
                              uint16_t *type)
{
    struct eth_header h;

    EXPECT_EQ(eth_parse(span_of(bytes, len), len, &h), WHY_NONE);
    EXPECT_EQ(h.vlan_count, w->setup.vlan != 0);
    if (w->setup.vlan != 0)
        EXPECT_EQ(eth_vlan_id(&h.vlans[0]), w->setup.vlan);
    *type = h.type;
}

static void complete_checksum(const struct weir_frame *meta, uint8_t *bytes, size_t len)
{
    size_t at = (size_t)meta->csum_start + meta->csum_offset;
    uint16_t checksum;

    EXPECT(at + 2 <= meta->header_len);
    checksum = checksum_fold(checksum_add(0, bytes + meta->csum_start, len - meta->csum_start));
    bytes[at] = (uint8_t)(checksum >> 8);
    bytes[at + 1] = (uint8_t)checksum;
}

static void check_gso(const struct world *w, const struct weir_frame *meta,
                      const struct packet_view *v, size_t link_len, size_t len)
{
    uint32_t most = w->setup.gso_max != 0 ? w->setup.gso_max : UINT16_MAX;

    EXPECT(meta->gso == (v->version == 4 ? WEIR_GSO_TCP4 : WEIR_GSO_TCP6));
    EXPECT(w->setup.offloads & (v->version == 4 ? WEIR_OFFLOAD_TSO4 : WEIR_OFFLOAD_TSO6));
    EXPECT(meta->flags & WEIR_FRAME_CSUM_PARTIAL);
    EXPECT_EQ(meta->csum_start, link_len + v->ip_len);
    EXPECT_EQ(meta->csum_offset, TCP_CHECKSUM_AT);
    EXPECT_EQ(meta->header_len, link_len + v->header_len);
    EXPECT(meta->gso_size > 0 && v->text_len > meta->gso_size);
    EXPECT(v->header_len + meta->gso_size <= w->setup.mtu);
    EXPECT(len - link_len <= most);
    EXPECT(!(v->flags & (TCP_SYN | TCP_RST)));
}

/* Looks at a frame with its checksum completed. Notes it in the log. */
static void look(struct world *w, size_t from, const struct weir_frame *meta, uint8_t *bytes,
                 size_t len, struct world_seen *seen)
{
    size_t link_len = link_len_of(w);
    uint16_t type = 0;
    uint8_t *complete = NULL;

    memset(seen, 0, sizeof *seen);
    seen->at = w->now;
    seen->from = from;
    seen->len = len;
    seen->gso_size = meta->gso != WEIR_GSO_NONE ? meta->gso_size : 0;
    EXPECT(len > link_len);
    if (link_len > 0)
        check_link_header(w, bytes, len, &type);
    if (type == ETH_TYPE_ARP)
        return;
    EXPECT(meta->gso != WEIR_GSO_NONE || len - link_len <= w->setup.mtu);
    EXPECT(meta->header_len > 0 && meta->header_len <= len);
    if (meta->flags & WEIR_FRAME_CSUM_PARTIAL) {
        EXPECT(w->setup.offloads & WEIR_OFFLOAD_CSUM);
        complete = malloc(len);
        memcpy(complete, bytes, len);
        complete_checksum(meta, complete, len);
        bytes = complete;
    }
    packet_look(bytes + link_len, len - link_len, true, &seen->view);
    if (meta->gso != WEIR_GSO_NONE)
        check_gso(w, meta, &seen->view, link_len, len);
    else if (seen->view.protocol == IP_PROTOCOL_TCP)
        EXPECT(meta->header_len >= link_len + seen->view.header_len);
    free(complete);
}

static bool is_dropped(struct world *w, struct world_seen *seen)
{
    bool is_dropped = w->is_cut;

    for (size_t i = 0; i < WORLD_DROPS; i++) {
        struct world_drop *d = &w->drops[i];
        const struct packet_view *v = &seen->view;
        if (d->count == 0 || d->from != seen->from)
            continue;
        if (d->flags_mask != 0
            && (v->protocol != IP_PROTOCOL_TCP || (v->flags & d->flags_mask) != d->flags))
            continue;
        if (v->text_len < d->text_min)
            continue;
        d->matched++;
        if (d->matched >= d->nth && d->matched < d->nth + d->count)
            is_dropped = true;
    }
    return is_dropped;
}

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* As a device does it: sequence number, flags, lengths and checksums of each segment. */
static void cut(struct world *w, const struct world_flight *f, const struct packet_view *v,
                size_t link_len)
{
    size_t headers = link_len + v->header_len, part;

    for (size_t at = 0; at < v->text_len; at += part) {
        struct world_flight *s;
        uint8_t *ip, *tcp;
        bool is_last;
        uint32_t seq, sum;
        part = v->text_len - at < f->meta.gso_size ? v->text_len - at : f->meta.gso_size;
        is_last = at + part == v->text_len;
        s = flight_of(f->bytes, headers + part);
        memcpy(s->bytes + headers, f->bytes + headers + at, part);
        s->from = f->from;
        s->headers_len = headers;
        ip = s->bytes + link_len;
        tcp = ip + v->ip_len;
        seq = get32(tcp + 4) + (uint32_t)at;
        put16(tcp + 4, seq >> 16);
        put16(tcp + 6, seq);
        if (!is_last)
            tcp[13] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
        if (v->version == 4) {
            put16(ip + 2, (uint32_t)(s->len - link_len));
            put16(ip + 10, 0);
            put16(ip + 10, checksum_fold(checksum_add(0, ip, v->ip_len)));
        } else {
            put16(ip + 4, (uint32_t)(s->len - link_len - IP6_HEADER_LEN));
        }
        put16(tcp + TCP_CHECKSUM_AT, 0);
        sum = checksum_pseudo(&v->src.addr, &v->dst.addr, IP_PROTOCOL_TCP,
                              s->len - link_len - v->ip_len);
        put16(tcp + TCP_CHECKSUM_AT,
              checksum_fold(checksum_add(sum, tcp, s->len - link_len - v->ip_len)));
        spread(w, s, link_len);
        free(s);
    }
}

static void note_hash(struct world *w, size_t from, const uint8_t *bytes, size_t len)
{
    uint64_t h = w->stacks[from].hash ^ (uint64_t)w->now;

    for (size_t i = 0; i < len; i++)
        h = (h ^ bytes[i]) * UINT64_C(0x100000001b3);
    w->stacks[from].hash = h ^ len;
    w->stacks[from].frames_sent++;
}

static void transmit(struct world *w, size_t from, const struct weir_frame *frame)
{
    static uint8_t bytes[FRAME_MAX];
    struct world_seen seen;
    struct world_flight *f;
    size_t len = 0, link_len = link_len_of(w);

    for (size_t i = 0; i < frame->slice_count; i++) {
        EXPECT(len + frame->slices[i].len <= sizeof bytes);
        memcpy(bytes + len, frame->slices[i].bytes, frame->slices[i].len);
        len += frame->slices[i].len;
    }
    EXPECT_EQ(len, frame->len);
    note_hash(w, from, bytes, len);
    look(w, from, frame, bytes, len, &seen);
    seen.lost = is_dropped(w, &seen);
    if (w->log_count < WORLD_LOG)
        w->log[w->log_count++] = seen;
    if (seen.lost)
        return;
    f = flight_of(bytes, len);
    f->from = from;
    f->meta = *frame;
    /* What ICMP, NDP and ARP say is all header. */
    if (seen.view.protocol == IP_PROTOCOL_TCP || seen.view.protocol == IP_PROTOCOL_UDP)
        f->headers_len = link_len + seen.view.header_len;
    if (f->meta.gso != WEIR_GSO_NONE && (w->setup.cuts_segments || w->conditions.corrupt > 0)) {
        cut(w, f, &seen.view, link_len);
        free(f);
        return;
    }
    if ((f->meta.flags & WEIR_FRAME_CSUM_PARTIAL)
        && (w->setup.cuts_segments || w->conditions.corrupt > 0)) {
        complete_checksum(&f->meta, f->bytes, len);
        f->meta.flags = 0;
    }
    if (w->setup.marks_valid && !(f->meta.flags & WEIR_FRAME_CSUM_PARTIAL))
        f->meta.flags |= WEIR_FRAME_CSUM_VALID;
    spread(w, f, seen.view.is_ip ? link_len : SIZE_MAX);
    free(f);
}

/* ---- devices ---- */

static void keep(struct world *w, size_t i, struct weir_frame *frame)
{
    struct world_flight *k = calloc(1, sizeof *k);

    k->from = i;
    k->kept = frame;
    k->at = w->keeps_frames ? WEIR_NEVER : w->now + w->setup.keeps_ns;
    k->order = ++w->order;
    put_in_order(&w->kept, k);
}

static void give_back(struct world *w, struct world_flight **link)
{
    struct world_flight *k = *link;

    *link = k->next;
    weir_output_done(w->stacks[k->from].stack, &k->kept, 1);
    EXPECT(k->kept == NULL);
    free(k);
}

void world_gives_back(struct world *w, bool newest_first)
{
    while (w->kept != NULL) {
        struct world_flight **link = &w->kept;
        while (newest_first && (*link)->next != NULL)
            link = &(*link)->next;
        give_back(w, link);
    }
}

static bool take_output(struct world *w, size_t i, weir_netif_t netif)
{
    struct world_stack *s = &w->stacks[i];
    struct weir_frame *frames[BATCH];
    size_t count = weir_output(s->stack, netif, frames, BATCH);

    EXPECT(count <= BATCH);
    for (size_t n = 0; n < count; n++) {
        if (netif == s->netif)
            transmit(w, i, frames[n]);
        keep(w, i, frames[n]);
    }
    while (!w->keeps_frames && w->kept != NULL && w->kept->at <= w->now)
        give_back(w, &w->kept);
    return count > 0;
}

/* ---- events and invariants ---- */

static struct world_news *news_of(struct world_stack *s, weir_handle_t handle)
{
    for (size_t i = 0; i < s->news_count && i < WORLD_NEWS; i++)
        if (s->news[i].handle == handle)
            return &s->news[i];
    struct world_news *n = &s->news[s->news_count++ % WORLD_NEWS];
    *n = (struct world_news){.handle = handle};
    return n;
}

static void collect_events(struct world *w, struct world_stack *s)
{
    struct weir_event e;

    while (!w->leaves_events && weir_event(s->stack, &e)) {
        struct world_news *n = news_of(s, e.handle);
        EXPECT(e.handle != 0 && e.bits != 0);
        n->bits |= e.bits;
        n->error = e.error != 0 ? e.error : n->error;
        n->user = e.user;
        n->events++;
    }
}

uint32_t world_news(struct world *w, size_t i, weir_handle_t handle, int *error)
{
    struct world_news *n;
    uint32_t bits;

    collect_events(w, &w->stacks[i]);
    n = news_of(&w->stacks[i], handle);
    bits = n->bits;
    if (error != NULL)
        *error = n->error;
    n->bits = 0;
    n->error = 0;
    return bits;
}

void world_check(struct world *w)
{
    for (size_t i = 0; i < w->count; i++) {
        struct weir *s = w->stacks[i].stack;
        uint32_t at = 0;
        if (s == NULL || w->skips_checks)
            continue;
        for (struct conn *c; (c = pool_next(&s->conns, &at)) != NULL;) {
            tcp_conn_check(&c->tcp);
            EXPECT(!c->flow.is_queued || !c->tcp.is_orphan);
            EXPECT(!c->tcp.is_orphan || c->tcp.state != TCP_CLOSED || c->tcp.work != NULL);
        }
    }
}

/* ---- time ---- */

static bool pump_once(struct world *w)
{
    bool moved = false;

    for (size_t i = 0; i < w->count; i++) {
        struct world_stack *s = &w->stacks[i];
        if (s->stack == NULL)
            continue;
        moved = take_output(w, i, s->netif) || moved;
        for (size_t n = 0; n < s->more_count; n++)
            moved = take_output(w, i, s->more[n]) || moved;
        moved = moved || (!w->keeps_frames && weir_has_output(s->stack, 0));
        collect_events(w, s);
    }
    return moved;
}

void world_pump(struct world *w)
{
    for (int i = 0; pump_once(w); i++)
        if (i > STEPS_WITHOUT_TIME)
            FAIL("output without an end");
    world_check(w);
}

static weir_ns_t next_instant(struct world *w)
{
    weir_ns_t at = WEIR_NEVER;

    for (size_t i = 0; i < w->count; i++) {
        weir_ns_t due = w->stacks[i].stack != NULL ? weir_deadline(w->stacks[i].stack) : WEIR_NEVER;
        EXPECT(due >= w->now);
        at = due < at ? due : at;
    }
    if (w->flight != NULL && w->flight->at < at)
        at = w->flight->at;
    if (w->kept != NULL && w->kept->at < at)
        at = w->kept->at;
    return at;
}

static void deliver_due(struct world *w)
{
    while (w->kept != NULL && w->kept->at <= w->now)
        give_back(w, &w->kept);
    while (w->flight != NULL && w->flight->at <= w->now) {
        struct world_flight *f = w->flight;
        w->flight = f->next;
        if (w->stacks[f->to].stack != NULL)
            hand_in(w, f);
        free(f);
    }
}

static void step_to(struct world *w, weir_ns_t at)
{
    w->now = at > w->now ? at : w->now;
    for (size_t i = 0; i < w->count; i++)
        if (w->stacks[i].stack != NULL)
            weir_advance(w->stacks[i].stack, w->now);
    deliver_due(w);
    world_pump(w);
    if (w->app != NULL && w->stacks[0].stack != NULL) {
        w->app(w, w->ctx);
        world_pump(w);
    }
}

void world_run(struct world *w, weir_ns_t duration_ns)
{
    weir_ns_t end = w->now + duration_ns, next;
    int without_time = 0;

    world_pump(w);
    while ((next = next_instant(w)) <= end) {
        without_time = next > w->now ? 0 : without_time + 1;
        if (without_time > STEPS_WITHOUT_TIME)
            FAIL("time stands still");
        step_to(w, next);
    }
    step_to(w, end);
}

void world_settle(struct world *w)
{
    world_run(w, 1 * WEIR_MS);
}

bool world_run_dry(struct world *w, weir_ns_t at_most_ns)
{
    weir_ns_t end = w->now + at_most_ns, next;
    int without_time = 0;

    world_pump(w);
    while ((next = next_instant(w)) != WEIR_NEVER) {
        if (next > end)
            return false;
        without_time = next > w->now ? 0 : without_time + 1;
        if (without_time > STEPS_WITHOUT_TIME)
            FAIL("time stands still");
        step_to(w, next);
    }
    return true;
}

/* ---- by hand ---- */

void world_injects_bytes(struct world *w, size_t i, const uint8_t *bytes, size_t len)
{
    struct world_flight *f = flight_of(bytes, len);

    f->to = i;
    hand_in(w, f);
    free(f);
    world_pump(w);
}

void world_injects(struct world *w, size_t i, const struct packet *p)
{
    static uint8_t bytes[FRAME_MAX];
    struct eth_header h = {
        .dst = {{2, 0, 0, 0, 0, (uint8_t)(i + 1)}},
        .src = {{2, 0, 0, 0, 9, 9}},
        .type = p->bytes[0] >> 4 == 4 ? ETH_TYPE_IP4 : ETH_TYPE_IP6,
        .vlan_count = w->setup.vlan != 0,
        .vlans = {{ETH_TYPE_VLAN, w->setup.vlan}},
    };
    size_t link_len = link_len_of(w);

    if (link_len > 0)
        EXPECT_EQ(eth_emit(&h, bytes, sizeof bytes), link_len);
    memcpy(bytes + link_len, p->bytes, p->len);
    world_injects_bytes(w, i, bytes, link_len + p->len);
}

/* ---- beginning and end ---- */

struct weir_config world_config(void)
{
    struct weir_config config;

    weir_config_init(&config);
    return config;
}

static void add_addresses(struct world *w, size_t i)
{
    struct world_stack *s = &w->stacks[i];

    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct weir_prefix p = {world_addr_of(i, is_v6), is_v6 ? 64 : 96 + 24};
        if (!is_v6 || (w->setup.mtu >= 1280 && weir_has_part(WEIR_PART_IPV6)))
            EXPECT_EQ(weir_addr_add(s->stack, s->netif, &p), WEIR_OK);
    }
}

static void make_stack(struct world *w, size_t i)
{
    struct world_stack *s = &w->stacks[i];
    struct weir_netif_config netif = {
        .name = "net",
        .link = w->setup.link,
        .mac = {2, 0, 0, 0, 0, (uint8_t)(i + 1)},
        .vlan = w->setup.vlan,
        .mtu = w->setup.mtu,
        .offloads = w->setup.offloads,
        .gso_max = w->setup.gso_max,
    };

    s->config = w->setup.config != NULL ? *w->setup.config : world_config();
    memset(s->config.secret, (int)(i + 1 + w->setup.seed % 200), sizeof s->config.secret);
    failing_alloc_init(&s->alloc);
    s->config.allocator = failing_alloc_allocator(&s->alloc);
    if (w->setup.watch != NULL)
        w->setup.watch(w->setup.watch_ctx, i, &s->config);
    EXPECT_EQ(weir_create(&s->config, w->now, &s->stack), WEIR_OK);
    EXPECT_EQ(weir_netif_add(s->stack, &netif, &s->netif), WEIR_OK);
    if (!w->setup.without_addresses)
        add_addresses(w, i);
}

struct world *world_make(const struct world_setup *setup)
{
    struct world *w = calloc(1, sizeof *w);
    weir_ns_t jitter_ns;

    w->setup = *setup;
    w->next = worlds;
    worlds = w;
    if (w->setup.mtu == 0)
        w->setup.mtu = 1500;
    w->count = setup->stacks != 0 ? setup->stacks : 2;
    w->now = 1000 * WEIR_S;
    w->random = test_seed() ^ (setup->seed * UINT64_C(0x9e3779b97f4a7c15));
    for (size_t i = 0; i < w->count; i++)
        make_stack(w, i);
    world_traces(w);
    w->conditions.delay_ns =
        setup->conditions.delay_ns != 0 ? setup->conditions.delay_ns : 1 * WEIR_US;
    jitter_ns = w->conditions.delay_ns;
    if (setup->link == WEIR_LINK_ETHERNET)
        world_run(w, 4 * WEIR_S);
    w->conditions = setup->conditions;
    w->conditions.delay_ns = jitter_ns;
    w->started_at = w->now;
    world_forgets(w);
    return w;
}

static void free_all(struct world_flight **list)
{
    while (*list != NULL) {
        struct world_flight *f = *list;
        *list = f->next;
        free(f);
    }
}

void world_end(struct world *w)
{
    struct world **link = &worlds;

    while (*link != w)
        link = &(*link)->next;
    *link = w->next;
    world_gives_back(w, false);
    free_all(&w->flight);
    for (size_t i = 0; i < w->count; i++)
        weir_destroy(&w->stacks[i].stack);
    for (size_t i = 0; i < w->count; i++)
        failing_alloc_fini(&w->stacks[i].alloc);
    EXPECT_EQ(w->frames_out, 0);
    free(w);
}

AFTER_EACH_TEST(worlds_give_everything_back)
{
    while (worlds != NULL)
        world_end(worlds);
}
