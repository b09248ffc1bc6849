/*
 * packet.c - frames on their way, and lists of them
 */
#include "sim/packet.h"

#include <stdlib.h>
#include <string.h>

enum {
    CLASSES = 3,
    BATCH_BYTES = 64 * 1024, /* one allocation of several packets */
};

static const uint32_t sizes[CLASSES] = {256, 1664, PACKET_MAX};

struct block {
    struct block *next;
};

struct packets {
    struct packet *spare[CLASSES];
    struct block *blocks;
    size_t out;
    bool is_ending;
};

struct packets *packets_create(void)
{
    return calloc(1, sizeof(struct packets));
}

static void end(struct packets *store)
{
    while (store->blocks != NULL) {
        struct block *b = store->blocks;
        store->blocks = b->next;
        free(b);
    }
    free(store);
}

void packets_destroy(struct packets **store)
{
    struct packets *s = *store;

    *store = NULL;
    if (s == NULL)
        return;
    s->is_ending = true;
    if (s->out == 0)
        end(s);
}

size_t packets_out(const struct packets *store)
{
    return store->out;
}

static size_t round_size(size_t size)
{
    return (size + 15) / 16 * 16;
}

/* As many packets of a class as fill a batch, at least one. */
static bool grow(struct packets *store, uint8_t class)
{
    size_t header = round_size(sizeof(struct packet)), each = header + round_size(sizes[class]);
    size_t count = each >= BATCH_BYTES ? 1 : BATCH_BYTES / each;
    size_t start = round_size(sizeof(struct block));
    struct block *b = malloc(start + count * each);
    uint8_t *bytes = (uint8_t *)b + start;

    if (b == NULL)
        return false;
    b->next = store->blocks;
    store->blocks = b;
    for (size_t i = 0; i < count; i++, bytes += each) {
        struct packet *p = (struct packet *)(void *)bytes;
        memset(p, 0, sizeof *p);
        p->frame.bytes = bytes + header;
        p->store = store;
        p->room = sizes[class];
        p->class = class;
        p->next = store->spare[class];
        store->spare[class] = p;
    }
    return true;
}

struct packet *packet_get(struct packets *store, size_t len)
{
    uint8_t class = 0;
    struct packet *p;

    if (len > PACKET_MAX)
        return NULL;
    while (sizes[class] < len)
        class ++;
    if (store->spare[class] == NULL && !grow(store, class))
        return NULL;
    p = store->spare[class];
    store->spare[class] = p->next;
    store->out++;
    p->next = p->prev = NULL;
    p->frame.len = len;
    p->is_copy = p->is_corrupt = false;
    return p;
}

void packet_put(struct packet *p)
{
    struct packets *store = p->store;

    p->next = store->spare[p->class];
    store->spare[p->class] = p;
    store->out--;
    if (store->is_ending && store->out == 0)
        end(store);
}

struct packet *packet_copy(const struct packet *p)
{
    struct packet *copy = packet_get(p->store, p->frame.len);

    if (copy == NULL)
        return NULL;
    memcpy(copy->frame.bytes, p->frame.bytes, p->frame.len);
    copy->frame.sent_at = p->frame.sent_at;
    copy->frame.at = p->frame.at;
    copy->queued_at = p->queued_at;
    copy->is_copy = true;
    copy->is_corrupt = p->is_corrupt;
    return copy;
}

void weir_sim_frame_release(void *frame)
{
    packet_put(frame);
}

/* ---- lists ---- */

static void count_in(struct packet_list *list, const struct packet *p)
{
    list->count++;
    list->bytes += (uint32_t)p->frame.len;
}

void packet_list_add(struct packet_list *list, struct packet *p)
{
    p->next = NULL;
    p->prev = list->tail;
    if (list->tail != NULL)
        list->tail->next = p;
    else
        list->head = p;
    list->tail = p;
    count_in(list, p);
}

void packet_list_add_sorted(struct packet_list *list, struct packet *p)
{
    struct packet *before = list->tail;

    while (before != NULL && before->frame.at > p->frame.at)
        before = before->prev;
    p->prev = before;
    p->next = before != NULL ? before->next : list->head;
    if (p->next != NULL)
        p->next->prev = p;
    else
        list->tail = p;
    if (before != NULL)
        before->next = p;
    else
        list->head = p;
    count_in(list, p);
}

struct packet *packet_list_take(struct packet_list *list)
{
    struct packet *p = list->head;

    if (p == NULL)
        return NULL;
    list->head = p->next;
    if (p->next != NULL)
        p->next->prev = NULL;
    else
        list->tail = NULL;
    list->count--;
    list->bytes -= (uint32_t)p->frame.len;
    p->next = NULL;
    return p;
}

void packet_list_drop(struct packet_list *list)
{
    struct packet *p;

    while ((p = packet_list_take(list)) != NULL)
        packet_put(p);
}
