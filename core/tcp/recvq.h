/*
 * recvq.h - bytes received in order, until the application reads them
 */
#ifndef CORE_TCP_RECVQ_H
#define CORE_TCP_RECVQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/weir.h>

#include "tcp/conn.h"

struct tcp_seg;

/* Gives all of it back, when the connection gives its work back. */
void recvq_fini(struct tcp_conn *c, struct tcp_env *env);

/* Puts the segment's text at the end; false, with nothing changed: no memory. */
bool recvq_add(struct tcp_conn *c, struct tcp_env *env, struct tcp_seg *seg);

/*
 * In two steps, for a text that is short and lies in one run: the piece that has room for it at the end, a new
 * one if there is none that could have; NULL: it is to be added as any other, or there is no memory. Then the
 * text goes there, before anything else happens to the queue.
 */
struct piece *recvq_piece_for(const struct tcp_conn *c, struct tcp_env *env, uint32_t len);
void recvq_add_to(struct tcp_conn *c, struct piece *piece, struct span text);

/* Puts what reassembly has put in order at the end. */
void recvq_join(struct tcp_conn *c, struct pieces *pieces, uint32_t bytes, uint32_t memory);

/* Copies up to len bytes after the first skip out, without consuming them; returns how many. */
uint32_t recvq_copy(const struct tcp_conn *c, uint32_t skip, uint8_t *bytes, uint32_t len);

/* Copies up to len bytes of those that are there out and consumes them; not with a posted buffer. */
uint32_t recvq_read(struct tcp_conn *c, struct tcp_env *env, uint8_t *bytes, uint32_t len);

/* Shows the bytes at the head in up to max slices; returns how many bytes, *count slices. */
uint32_t recvq_show(const struct tcp_conn *c, struct weir_slice *slices, size_t max, size_t *count);

/* ---- a read that was posted: a buffer of the application's for the head of the queue ---- */

static inline bool recvq_has_posted(const struct recvq *q)
{
    return q->posted.bytes != NULL;
}

/* Fills the buffer with what is there, and as long as that is all, with what comes. */
void recvq_post(struct tcp_conn *c, struct tcp_env *env, uint8_t *bytes, uint32_t size);

/* Takes the buffer away from the queue, and what it could hold; returns how many bytes that is. */
uint32_t recvq_unpost(struct tcp_conn *c, struct tcp_env *env);

/*
 * Where the text that follows the segment's may be put before anybody has looked at the segment, and
 * how much there is room for. What is put there counts only once the segment has been added. NULL: nowhere.
 */
uint8_t *recvq_place(const struct tcp_conn *c, const struct tcp_seg *seg, uint32_t *room);

/* Consumes len bytes, which are there; not with a posted buffer. */
void recvq_drop(struct tcp_conn *c, struct tcp_env *env, uint32_t len);

#endif
