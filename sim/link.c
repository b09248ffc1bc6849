/*
 * link.c - one direction of a link: a queue, a transmitter, a wire
 *
 * The transmitter is free at free_at. Whoever calls, the link first does what it would have done
 * by then (serve), at the instants at which it would have: a caller that comes late changes
 * nothing but when it learns of a frame.
 */
#include "sim/link.h"

#include "sim/damage.h"
#include "sim/loss.h"
#include "sim/queue.h"
#include "sim/view.h"
#include <stdlib.h>
#include <string.h>
#include <weir/err.h>

enum {
    DELAY_STEPS = 8, /* of the histogram, for each power of two */
    DELAY_SLOTS = 64 * DELAY_STEPS,
};

struct weir_sim_link {
    struct weir_sim_link_config config;
    struct queue_host host;
    struct queue *queue;
    struct packets *store;
    struct packet_list wire; /* by the time of arrival */
    struct loss loss;
    weir_ns_t free_at;
    weir_ns_t waiting_since; /* when the queue last stopped being empty */
    weir_ns_t last_at;       /* the latest arrival of one that is not reordered */
    uint64_t remainder;      /* of the last division by the rate */
    bool owns_store;
    uint32_t delays[DELAY_SLOTS];
};

/* ---- configuration ---- */

static bool shares_are_good(const struct weir_sim_link_config *c)
{
    const uint32_t shares[] = {c->loss.loss_ppm,    c->loss.good_ppm, c->loss.to_bad_ppm,
                               c->loss.to_good_ppm, c->duplicate_ppm, c->reorder_ppm,
                               c->corrupt_ppm,      c->truncate_ppm};

    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++)
        if (shares[i] > WEIR_SIM_ALL)
            return false;
    return true;
}

static bool durations_are_good(const struct weir_sim_link_config *c)
{
    const weir_ns_t durations[] = {c->delay_ns,         c->jitter_ns, c->reorder_ns,
                                   c->dark_every_ns,    c->dark_ns,   c->queue.target_ns,
                                   c->queue.interval_ns};

    for (size_t i = 0; i < sizeof durations / sizeof durations[0]; i++)
        if (durations[i] < 0 || durations[i] > 3600 * WEIR_S)
            return false;
    return true;
}

int link_check_config(const struct weir_sim_link_config *c)
{
    bool good = shares_are_good(c) && durations_are_good(c)
                && (unsigned)c->queue.kind < WEIR_SIM_QUEUE_KINDS
                && (unsigned)c->loss.kind <= WEIR_SIM_LOSS_LIST && c->queue.flows <= 65536
                && c->queue.quantum <= 1000000 && c->framing_bytes <= 65536
                && c->rate_bits_s <= UINT64_C(1000000000000)
                && c->loss.listed_count <= WEIR_SIM_LOSS_LISTED;

    return good ? 0 : WEIR_EINVAL;
}

int link_create(const struct weir_sim_link_config *config, uint64_t seed, struct packets *store,
                struct weir_sim_link **link)
{
    int err = link_check_config(config);
    struct weir_sim_link *l;

    if (err != 0)
        return err;
    l = calloc(1, sizeof *l);
    if (l == NULL)
        return WEIR_ENOMEM;
    l->config = *config;
    l->store = store;
    l->host.draw = draw_of(seed, 0);
    l->host.frames = config->frames;
    l->queue = queue_create(&config->queue, &l->host);
    if (l->queue == NULL) {
        free(l);
        return WEIR_ENOMEM;
    }
    *link = l;
    return 0;
}

int weir_sim_link_create(const struct weir_sim_link_config *config, uint64_t seed,
                         struct weir_sim_link **link)
{
    struct packets *store = packets_create();
    int err = store != NULL ? link_create(config, seed, store, link) : WEIR_ENOMEM;

    if (err == 0)
        (*link)->owns_store = true;
    else
        packets_destroy(&store);
    return err;
}

void weir_sim_link_destroy(struct weir_sim_link **link)
{
    struct weir_sim_link *l = *link;

    *link = NULL;
    if (l == NULL)
        return;
    packet_list_drop(&l->wire);
    queue_destroy(&l->queue);
    if (l->owns_store)
        packets_destroy(&l->store);
    free(l);
}

int weir_sim_link_set(struct weir_sim_link *l, const struct weir_sim_link_config *config)
{
    struct weir_sim_queue_config queue = config->queue;
    int err = link_check_config(config);

    if (err != 0)
        return err;
    queue.kind = l->config.queue.kind;
    if (config->rate_bits_s != l->config.rate_bits_s)
        l->remainder = 0;
    l->config = *config;
    l->config.queue = queue;
    l->host.frames = config->frames;
    queue_set(l->queue, &queue);
    return 0;
}

const struct weir_sim_link_config *weir_sim_link_config(const struct weir_sim_link *l)
{
    return &l->config;
}

/* ---- the wire ---- */

static bool is_dark(const struct weir_sim_link_config *c, weir_ns_t at)
{
    if (c->is_down)
        return true;
    return c->dark_every_ns > 0 && at % c->dark_every_ns >= c->dark_every_ns - c->dark_ns;
}

/* When a frame that is on the wire at `at` arrives. */
static weir_ns_t arrival(struct weir_sim_link *l, weir_ns_t at)
{
    const struct weir_sim_link_config *c = &l->config;

    at += c->delay_ns;
    if (draw_share(&l->host.draw, c->reorder_ppm)) {
        l->host.stats.reordered++;
        return at + c->reorder_ns;
    }
    if (c->jitter_ns == 0)
        return at;
    at += (weir_ns_t)draw_below64(&l->host.draw, (uint64_t)c->jitter_ns + 1);
    if (!c->jitter_reorders && at < l->last_at)
        at = l->last_at;
    l->last_at = at;
    return at;
}

/* Two bits could make up for each other in the checksum, and nobody would notice. */
static void damage(struct weir_sim_link *l, struct packet *p)
{
    const struct weir_sim_link_config *c = &l->config;

    if (draw_share(&l->host.draw, c->corrupt_ppm) && !p->is_corrupt) {
        damage_corrupt(p, c->frames, c->corrupt_unnoticed, &l->host.draw);
        l->host.stats.corrupted++;
        p->is_copy = p->is_corrupt = true;
    }
    if (draw_share(&l->host.draw, c->truncate_ppm)) {
        damage_truncate(p, c->frames, &l->host.draw);
        l->host.stats.truncated++;
        p->is_copy = true;
    }
}

static void put_on_wire(struct weir_sim_link *l, struct packet *p, weir_ns_t at)
{
    struct packet *copy = NULL;

    if (loss_next(&l->loss, &l->config.loss, &l->host.draw) || is_dark(&l->config, at)) {
        l->host.stats.lost++;
        packet_put(p);
        return;
    }
    if (draw_share(&l->host.draw, l->config.duplicate_ppm))
        copy = packet_copy(p);
    damage(l, p);
    p->frame.at = arrival(l, at);
    packet_list_add_sorted(&l->wire, p);
    if (copy == NULL)
        return;
    l->host.stats.duplicated++;
    copy->frame.at = arrival(l, at);
    packet_list_add_sorted(&l->wire, copy);
}

/* ---- the transmitter ---- */

static uint64_t sending_ns(struct weir_sim_link *l, const struct packet *p)
{
    uint64_t bits = (uint64_t)(p->frame.len + l->config.framing_bytes) * 8;
    uint64_t work = bits * (uint64_t)WEIR_S + l->remainder;

    l->remainder = work % l->config.rate_bits_s;
    return work / l->config.rate_bits_s;
}

/* The slots are powers of two and eighths of them. */
static size_t delay_slot(weir_ns_t delay_ns)
{
    uint64_t n = (uint64_t)delay_ns;
    size_t power = 0;

    while (n >= 2 * DELAY_STEPS) {
        n >>= 1;
        power++;
    }
    return power * DELAY_STEPS + (size_t)n;
}

static void note_queued(struct weir_sim_link *l, weir_ns_t delay_ns)
{
    struct weir_sim_link_stats *s = &l->host.stats;

    s->queued++;
    s->queue_delay_ns = delay_ns;
    s->queue_delay_sum_ns += delay_ns;
    if (delay_ns > s->queue_delay_max_ns)
        s->queue_delay_max_ns = delay_ns;
    l->delays[delay_slot(delay_ns)]++;
}

static weir_ns_t next_start(const struct weir_sim_link *l)
{
    if (l->queue->packets == 0)
        return WEIR_NEVER;
    return l->free_at > l->waiting_since ? l->free_at : l->waiting_since;
}

/* Sends what the transmitter gets round to by now. */
static void serve(struct weir_sim_link *l, weir_ns_t now)
{
    weir_ns_t start;

    while ((start = next_start(l)) <= now) {
        struct packet *p = l->queue->ops->dequeue(l->queue, start);
        if (p == NULL)
            return;
        note_queued(l, start - p->queued_at);
        /* A rate taken away leaves a queue that goes at once. */
        l->free_at = start + (l->config.rate_bits_s != 0 ? (weir_ns_t)sending_ns(l, p) : 0);
        l->host.stats.busy_ns += l->free_at - start;
        put_on_wire(l, p, l->free_at);
    }
}

static bool is_too_long(const struct weir_sim_link *l, const struct packet *p)
{
    if (l->config.mtu == 0)
        return false;
    return p->frame.len - view_link_len(l->config.frames, p->frame.bytes, p->frame.len)
           > l->config.mtu;
}

void link_send(struct weir_sim_link *l, struct packet *p, weir_ns_t now)
{
    serve(l, now);
    l->host.stats.frames_in++;
    l->host.stats.bytes_in += p->frame.len;
    p->frame.sent_at = now;
    if (is_too_long(l, p)) {
        l->host.stats.dropped_mtu++;
        packet_put(p);
        return;
    }
    if (l->config.rate_bits_s == 0 && l->queue->packets == 0) {
        put_on_wire(l, p, now > l->free_at ? now : l->free_at);
        return;
    }
    if (l->queue->packets == 0)
        l->waiting_since = now;
    l->queue->ops->enqueue(l->queue, p, now);
    serve(l, now);
}

struct packet *link_receive(struct weir_sim_link *l, weir_ns_t now)
{
    struct packet *p;

    serve(l, now);
    if (l->wire.head == NULL || l->wire.head->frame.at > now)
        return NULL;
    p = packet_list_take(&l->wire);
    l->host.stats.frames_out++;
    l->host.stats.bytes_out += p->frame.len;
    return p;
}

/* ---- for callers with bytes ---- */

void weir_sim_link_send(struct weir_sim_link *l, const void *bytes, size_t len, weir_ns_t now)
{
    struct packet *p = packet_get(l->store, len);

    if (p == NULL) {
        l->host.stats.frames_in++;
        l->host.stats.dropped_mtu++;
        return;
    }
    if (len > 0)
        memcpy(p->frame.bytes, bytes, len);
    link_send(l, p, now);
}

weir_ns_t weir_sim_link_deadline(const struct weir_sim_link *l)
{
    weir_ns_t at = next_start(l);

    return l->wire.head != NULL && l->wire.head->frame.at < at ? l->wire.head->frame.at : at;
}

struct weir_sim_frame *weir_sim_link_receive(struct weir_sim_link *l, weir_ns_t now)
{
    struct packet *p = link_receive(l, now);

    return p != NULL ? &p->frame : NULL;
}

void weir_sim_link_stats(const struct weir_sim_link *l, struct weir_sim_link_stats *stats)
{
    *stats = l->host.stats;
    stats->queue_packets = l->queue->packets;
    stats->queue_bytes = l->queue->bytes;
}

weir_ns_t weir_sim_link_delay_at(const struct weir_sim_link *l, uint32_t permille)
{
    uint64_t rank = (l->host.stats.queued * permille + 999) / 1000, seen = 0;

    for (size_t i = 0; i < DELAY_SLOTS && l->host.stats.queued > 0; i++) {
        seen += l->delays[i];
        if (seen < rank)
            continue;
        size_t power = i < 2 * DELAY_STEPS ? 0 : i / DELAY_STEPS - 1;
        return (weir_ns_t)((uint64_t)(i - power * DELAY_STEPS) << power);
    }
    return 0;
}
