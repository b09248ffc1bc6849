/*
 * piece.c - lists of runs of bytes
 */
#include "tcp/piece.h"
#include "base/check.h"

_Static_assert(sizeof(struct piece) <= BUF_ROOM, "the first piece of a foreign buf fits behind it");

static void begin(struct piece *p, struct buf **buf, uint8_t *bytes, uint32_t len)
{
    *p = (struct piece){.buf = *buf, .bytes = bytes, .len = len};
    *buf = NULL;
}

struct piece *piece_get(struct pool *pool, struct buf **buf, uint8_t *bytes, uint32_t len)
{
    struct piece *p = buf_take_room(*buf);

    if (p == NULL)
        p = pool_get(pool);
    if (p != NULL)
        begin(p, buf, bytes, len);
    return p;
}

struct piece *piece_first(struct buf **buf, struct span bytes)
{
    struct piece *p = buf_take_room(*buf);

    CHECK(p != NULL);
    begin(p, buf, (uint8_t *)(uintptr_t)bytes.bytes, (uint32_t)bytes.len);
    return p;
}

/* Lies at the beginning of its buf, the rest of which is room. */
static struct piece *begin_inside(struct buf *buf)
{
    struct piece *p = (void *)buf->bytes;

    *p = (struct piece){
        .buf = buf,
        .bytes = buf->bytes + PIECE_SPACE,
        .room = (buf->size - PIECE_SPACE) & PIECE_ROOM_MAX,
    };
    return p;
}

struct piece *piece_new(struct bufs *bufs, size_t len)
{
    struct buf *buf = buf_get(bufs, PIECE_SPACE + len);

    return buf == NULL ? NULL : begin_inside(buf);
}

uint32_t piece_room_max(const struct bufs *bufs)
{
    return bufs_largest(bufs) - PIECE_SPACE;
}

/* At the beginning of its buf's bytes, or in the room behind a foreign one. */
static bool is_inside(const struct piece *piece)
{
    return (const uint8_t *)piece == (const uint8_t *)piece->buf + BUF_SPACE;
}

bool piece_use_up(struct piece *piece)
{
    if (!is_inside(piece) || !buf_is_small(piece->buf) || piece->room == 0)
        return false;
    piece->bytes += piece->len;
    piece->len = 0;
    return true;
}

bool piece_empty(struct piece *piece)
{
    if (!is_inside(piece) || !buf_is_small(piece->buf) || !buf_is_sole(piece->buf))
        return false;
    piece->bytes = piece->buf->bytes + PIECE_SPACE;
    piece->len = 0;
    piece->room = (piece->buf->size - PIECE_SPACE) & PIECE_ROOM_MAX;
    piece->ends_record = false;
    return true;
}

void piece_put(struct pool *pool, struct bufs *bufs, struct piece **piece)
{
    struct piece *p = *piece;
    struct buf *buf = p->buf;

    *piece = NULL;
    if (!is_inside(p))
        pool_put(pool, p);
    buf_unref(bufs, &buf);
}

void pieces_append(struct pieces *list, struct piece *piece)
{
    piece->next = NULL;
    if (list->tail == NULL)
        list->head = piece;
    else
        list->tail->next = piece;
    list->tail = piece;
}

void pieces_join(struct pieces *list, struct pieces *from)
{
    if (from->head == NULL)
        return;
    if (list->tail == NULL)
        list->head = from->head;
    else
        list->tail->next = from->head;
    list->tail = from->tail;
    *from = (struct pieces){NULL, NULL};
}

static uint32_t drop_head(struct pieces *list, struct pool *pool, struct bufs *bufs)
{
    struct piece *head = list->head;
    uint32_t memory = head->buf->memory;

    list->head = head->next;
    if (list->head == NULL)
        list->tail = NULL;
    piece_put(pool, bufs, &head);
    return memory;
}

uint32_t pieces_drop(struct pieces *list, struct pool *pool, struct bufs *bufs, uint32_t len)
{
    uint32_t memory = 0;

    while (len > 0) {
        struct piece *head = list->head;

        CHECK(head != NULL);
        if (len < head->len) {
            head->bytes += len;
            head->len -= len;
            break;
        }
        len -= head->len;
        memory += drop_head(list, pool, bufs);
    }
    return memory;
}

void pieces_drop_all(struct pieces *list, struct pool *pool, struct bufs *bufs)
{
    while (list->head != NULL)
        drop_head(list, pool, bufs);
}

uint32_t pieces_bytes(const struct pieces *list)
{
    uint32_t bytes = 0;

    for (const struct piece *p = list->head; p != NULL; p = p->next)
        bytes += p->len;
    return bytes;
}

uint32_t pieces_fill_tail(struct pieces *list, const uint8_t *bytes, uint32_t len)
{
    struct piece *tail = list->tail;

    if (tail == NULL || tail->room == 0 || len == 0)
        return 0;
    if (len > tail->room)
        len = tail->room;
    piece_fill(tail, span_of(bytes, len));
    return len;
}

bool pieces_copy(struct pieces *list, struct pool *pool, struct bufs *bufs, struct span bytes,
                 uint32_t *memory)
{
    struct pieces copied = {NULL, NULL};
    uint32_t cost = 0;

    while (bytes.len > 0) {
        struct piece *p = piece_new(bufs, bytes.len);
        if (p == NULL) {
            pieces_clear(&copied, pool, bufs);
            return false;
        }
        cost += p->buf->memory;
        pieces_append(&copied, p);
        bytes = span_drop(bytes, pieces_fill_tail(&copied, bytes.bytes, (uint32_t)bytes.len));
    }
    pieces_join(list, &copied);
    *memory += cost;
    return true;
}
