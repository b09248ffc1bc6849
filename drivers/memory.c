/*
 * memory.c - two drivers back to back
 *
 * A frame that one end sends waits in a slot until the other end receives it, as the
 * same bytes. A long one may then be kept by the receiving stack; a short one, or one
 * too many, is lent until that end receives again. The sender gets a frame back in one of
 * its own or the other end's calls, never while a stack is at work: a stack that
 * releases a frame only marks the slot.
 *
 *   queued   sent, not received        at most depth together
 *   lent     valid until the receiver calls receive again
 *   kept     the receiving stack will release it; at most depth
 *   spent    to be given back to the sender in the next call
 *
 * Both ends live in one block, which goes when both are closed and no slot is kept.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/driver.h>

enum {
    KEEP_MIN = 512, /* shorter frames are cheaper to copy than to keep */
    BATCH = 64,     /* frames that are given back at a time */
};

struct slot {
    struct direction *direction;
    struct weir_frame *frame; /* NULL: the slot is free, or its frame was given back */
    struct slot *next;
};

/* First in, first out. */
struct slots {
    struct slot *head;
    struct slot *tail;
};

/* What one end sends to the other. */
struct direction {
    struct pair *pair;
    struct weir_driver *sender;
    struct slot *all; /* 2 * depth */
    struct slot *free;
    struct slots queued, lent, spent;
    size_t under_way; /* queued and lent */
    size_t kept;
};

struct end {
    struct weir_driver driver; /* the first member: a driver is its end */
    struct direction *out, *in;
    bool closed;
};

struct pair {
    size_t depth;
    struct end ends[2];
    struct direction directions[2];
    struct slot slots[];
};

static struct end *end_of(struct weir_driver *d)
{
    return (struct end *)d;
}

static void add(struct slots *slots, struct slot *slot)
{
    slot->next = NULL;
    if (slots->head == NULL)
        slots->head = slot;
    else
        slots->tail->next = slot;
    slots->tail = slot;
}

static void free_when_unused(struct pair *pair)
{
    if (pair->ends[0].closed && pair->ends[1].closed && pair->directions[0].kept == 0
        && pair->directions[1].kept == 0)
        free(pair);
}

/* Frames on their way back to their sender. */
struct batch {
    struct weir_frame *frames[BATCH];
    size_t count;
};

static void send_back(const struct direction *d, struct batch *b)
{
    if (b->count > 0 && d->sender->done != NULL)
        d->sender->done(d->sender->done_ctx, b->frames, b->count);
    b->count = 0;
}

static void give_back(const struct direction *d, struct slot *slot, struct batch *b)
{
    if (slot->frame == NULL)
        return;
    if (b->count == BATCH)
        send_back(d, b);
    b->frames[b->count++] = slot->frame;
    slot->frame = NULL;
}

/* The slots are free then, to be used again first, as they are in the cache. Returns how many. */
static size_t give_back_all(struct direction *d, struct slots *slots)
{
    struct batch b;
    size_t count = 0;

    b.count = 0;
    for (struct slot *slot = slots->head; slot != NULL; slot = slot->next, count++)
        give_back(d, slot, &b);
    if (count > 0) {
        slots->tail->next = d->free;
        d->free = slots->head;
        slots->head = NULL;
    }
    send_back(d, &b);
    return count;
}

static void give_back_spent(struct pair *pair)
{
    for (size_t i = 0; i < 2; i++)
        if (pair->directions[i].spent.head != NULL)
            give_back_all(&pair->directions[i], &pair->directions[i].spent);
}

/* The receiving stack lets go of a frame it kept. */
static void release(void *owner)
{
    struct slot *slot = owner;
    struct direction *d = slot->direction;

    add(&d->spent, slot);
    d->kept--;
    if (d->kept == 0)
        free_when_unused(d->pair);
}

/* The frame as the receiver sees it. Most have headers and text: further slices are rarely copied. */
static void show(struct weir_frame *frame, const struct weir_frame *sent)
{
    enum { SLICES_LEN = offsetof(struct weir_frame, len) };

    frame->slices[0] = sent->slices[0];
    frame->slices[1] = sent->slices[1];
    for (size_t i = 2; i < sent->slice_count; i++)
        frame->slices[i] = sent->slices[i];
    memcpy(&frame->len, &sent->len, sizeof *frame - SLICES_LEN);
    frame->memory = 0;
}

/* A long one may be kept, if the receiver may keep any; a short one is valid until the next call. */
static bool deliver(struct direction *d, struct slot *slot, struct weir_frame *frame, bool may_keep)
{
    show(frame, slot->frame);
    if (frame->len >= KEEP_MIN && may_keep) {
        frame->release = release;
        frame->owner = slot;
        return true;
    }
    frame->release = NULL;
    frame->owner = NULL;
    add(&d->lent, slot);
    return false;
}

static void reclaim_lent(struct direction *d)
{
    if (d->lent.head != NULL)
        d->under_way -= give_back_all(d, &d->lent);
}

static ptrdiff_t receive(struct weir_driver *driver, struct weir_frame *frames, size_t max)
{
    struct direction *in = end_of(driver)->in;
    struct slot *slot, *next;
    size_t count = 0, kept = 0, kept_max;

    give_back_spent(in->pair);
    reclaim_lent(in);
    kept_max = in->pair->depth - in->kept;
    for (slot = in->queued.head; slot != NULL && count < max; slot = next) {
        next = slot->next;
        kept += deliver(in, slot, &frames[count++], kept < kept_max);
    }
    in->queued.head = slot;
    in->kept += kept;
    in->under_way -= kept;
    return (ptrdiff_t)count;
}

static bool other_is_closed(const struct end *end)
{
    return end_of(end->in->sender)->closed;
}

/* At least one frame, and no more than there are slots free, which are in a row already. */
static void queue(struct direction *d, struct weir_frame **frames, size_t count)
{
    struct slots row = {d->free, d->free};

    for (size_t i = 0; i < count; i++) {
        row.tail = d->free;
        row.tail->frame = frames[i];
        d->free = row.tail->next;
    }
    row.tail->next = NULL;
    if (d->queued.head == NULL)
        d->queued.head = row.head;
    else
        d->queued.tail->next = row.head;
    d->queued.tail = row.tail;
    d->under_way += count;
}

static ptrdiff_t transmit(struct weir_driver *driver, struct weir_frame **frames, size_t count)
{
    struct end *end = end_of(driver);
    struct direction *out = end->out;
    size_t room;

    give_back_spent(out->pair);
    if (other_is_closed(end)) { /* as with a cable that was pulled */
        if (driver->done != NULL)
            driver->done(driver->done_ctx, frames, count);
        return (ptrdiff_t)count;
    }
    room = out->pair->depth - out->under_way;
    count = count < room ? count : room;
    if (count > 0)
        queue(out, frames, count);
    return (ptrdiff_t)count;
}

/* What both ends have closed can be read by nobody: also what is kept goes back. */
static void give_back_kept(struct direction *d)
{
    struct batch b;

    b.count = 0;
    for (size_t i = 0; i < 2 * d->pair->depth; i++)
        give_back(d, &d->all[i], &b);
    send_back(d, &b);
}

static void close_end(struct weir_driver **driver)
{
    struct end *end = end_of(*driver);
    struct pair *pair = end->out->pair;

    *driver = NULL;
    give_back_spent(pair);
    give_back_all(end->out, &end->out->queued);
    give_back_all(end->in, &end->in->queued);
    reclaim_lent(end->in);
    end->closed = true;
    if (other_is_closed(end)) {
        reclaim_lent(end->out);
        give_back_kept(end->out);
        give_back_kept(end->in);
    }
    free_when_unused(pair);
}

static const struct weir_driver_ops ops = {receive, transmit, close_end};

static void init_direction(struct pair *pair, size_t i)
{
    struct direction *d = &pair->directions[i];

    d->pair = pair;
    d->sender = &pair->ends[i].driver;
    d->all = &pair->slots[i * 2 * pair->depth];
    for (size_t k = 0; k < 2 * pair->depth; k++) {
        d->all[k].direction = d;
        d->all[k].next = d->free;
        d->free = &d->all[k];
    }
}

static void init_end(struct pair *pair, size_t i, const struct weir_netif_config *netif)
{
    struct end *end = &pair->ends[i];
    struct weir_driver *d = &end->driver;

    end->out = &pair->directions[i];
    end->in = &pair->directions[1 - i];
    d->ops = &ops;
    d->netif = *netif;
    d->netif.mac[5] ^= (uint8_t)i; /* each end needs an address of its own */
    d->fd = -1;
    snprintf(d->name, sizeof d->name, "%s", netif->name != NULL ? netif->name : "memory");
    d->netif.name = d->name;
}

int weir_memory_open(struct weir_driver *ends[2], const struct weir_netif_config *netif,
                     size_t depth)
{
    struct pair *pair;

    if (depth == 0 || depth > UINT32_MAX / (4 * sizeof(struct slot)))
        return WEIR_EINVAL;
    pair = calloc(1, sizeof *pair + 4 * depth * sizeof pair->slots[0]);
    if (pair == NULL)
        return WEIR_ENOMEM;
    pair->depth = depth;
    for (size_t i = 0; i < 2; i++) {
        init_direction(pair, i);
        init_end(pair, i, netif);
        ends[i] = &pair->ends[i].driver;
    }
    return 0;
}
