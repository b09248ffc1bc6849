/*
 * piece.h - a run of bytes in a queue
 *
 * Send queue, receive queue and reassembly are lists of pieces. A piece owns a reference
 * to the buf its bytes are in, and the bytes stay there until they are used up. One whose bytes
 * were copied lies in that buf itself, before them; the first one of a foreign buf lies behind it.
 */
#ifndef CORE_TCP_PIECE_H
#define CORE_TCP_PIECE_H

#include "base/buf.h"
#include "base/check.h"
#include "base/pool.h"
#include "base/span.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct piece {
    struct piece *next;
    struct buf *buf;
    uint8_t *bytes;
    uint32_t len;
    uint32_t room : 31;       /* bytes behind it in its buf that nobody else will write */
    uint32_t ends_record : 1; /* no segment goes beyond it; it has no room */
};

enum {
    PIECE_ROOM_MAX = INT32_MAX,
    PIECE_SPACE = 32, /* taken of a buf that it lies in, as with BUF_SPACE */
};

_Static_assert(sizeof(struct piece) <= PIECE_SPACE, "its bytes stand behind it");

struct pieces {
    struct piece *head;
    struct piece *tail;
};

/* A piece of bytes in *buf, whose reference it takes; NULL (and *buf untouched): no memory. */
struct piece *piece_get(struct pool *pool, struct buf **buf, uint8_t *bytes, uint32_t len);

/* The same for the first piece of a foreign buf, for which there is always memory. */
struct piece *piece_first(struct buf **buf, struct span bytes);

/*
 * A piece without bytes in a new buf that has room for len of them, or for as many as a buf can
 * have. NULL: no memory.
 */
struct piece *piece_new(struct bufs *bufs, size_t len);

/* The most room that a piece can have. */
uint32_t piece_room_max(const struct bufs *bufs);

/* All of it is room again, if it lies in a small buf that nobody else has; else false. */
bool piece_empty(struct piece *piece);

/* Its bytes are gone; the room behind them is as before, if there is any in a small buf; else false. */
bool piece_use_up(struct piece *piece);

/* Copies bytes into its room, of which there is enough. */
static inline void piece_fill(struct piece *piece, struct span bytes)
{
    CHECK(bytes.len <= piece->room);
    span_copy(piece->bytes + piece->len, bytes);
    piece->len += (uint32_t)bytes.len;
    piece->room = (piece->room - (uint32_t)bytes.len) & PIECE_ROOM_MAX;
}

void piece_put(struct pool *pool, struct bufs *bufs, struct piece **piece);

void pieces_append(struct pieces *list, struct piece *piece);

/* Moves all of from to the end of list. */
void pieces_join(struct pieces *list, struct pieces *from);

/* Takes the first len bytes away; len is not more than there are. Returns the memory let go. */
uint32_t pieces_drop(struct pieces *list, struct pool *pool, struct bufs *bufs, uint32_t len);

/* Gives all of them back; mostly there are none. */
void pieces_drop_all(struct pieces *list, struct pool *pool, struct bufs *bufs);
static inline void pieces_clear(struct pieces *list, struct pool *pool, struct bufs *bufs)
{
    if (list->head != NULL)
        pieces_drop_all(list, pool, bufs);
}

/* How many bytes there are in all, counted one piece after the other. */
uint32_t pieces_bytes(const struct pieces *list);

/* Copies up to len bytes into the room behind the last piece; returns how many. */
uint32_t pieces_fill_tail(struct pieces *list, const uint8_t *bytes, uint32_t len);

/*
 * Copies len bytes to the end of list, into new bufs, whose cost is added to *memory. False,
 * with nothing changed: no memory.
 */
bool pieces_copy(struct pieces *list, struct pool *pool, struct bufs *bufs, struct span bytes,
                 uint32_t *memory);

#endif
