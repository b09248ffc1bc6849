/*
 * recvq.h - bytes received in order, until the application reads them
 */
#ifndef CORE_TCP_RECVQ_H
#define CORE_TCP_RECVQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/weir.h>

struct pieces;
struct tcp_conn;
struct tcp_env;
struct tcp_seg;

void recvq_clear(struct tcp_conn *c, struct tcp_env *env);

/* Puts the segment's text at the end; false, with nothing changed: no memory. */
bool recvq_add(struct tcp_conn *c, struct tcp_env *env, struct tcp_seg *seg);

/* Puts what reassembly has put in order at the end. */
void recvq_join(struct tcp_conn *c, struct pieces *pieces, uint32_t bytes, uint32_t memory);

/* Copies up to len bytes after the first skip out, without consuming them; returns how many. */
uint32_t recvq_copy(const struct tcp_conn *c, uint32_t skip, uint8_t *bytes, uint32_t len);

/* Shows the bytes at the head in up to max slices; returns how many bytes, *count slices. */
uint32_t recvq_show(const struct tcp_conn *c, struct weir_slice *slices, size_t max, size_t *count);

/* Consumes len bytes, which are there. */
void recvq_drop(struct tcp_conn *c, struct tcp_env *env, uint32_t len);

#endif
