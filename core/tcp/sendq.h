/*
 * sendq.h - bytes sent or to be sent, until they are acknowledged
 */
#ifndef CORE_TCP_SENDQ_H
#define CORE_TCP_SENDQ_H

#include "base/ns.h"
#include "base/seq.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/weir.h>

struct frame;
struct tcp_conn;
struct tcp_env;

/* An empty queue that goes on at snd.nxt, of cleared memory. */
void sendq_init(struct tcp_conn *c);
void sendq_clear(struct tcp_conn *c, struct tcp_env *env);
void sendq_fini(struct tcp_conn *c, struct tcp_env *env);

/* The number after the last byte: that of the FIN, if there is one. */
seq_t sendq_end(const struct tcp_conn *c);

/* Bytes that have not been sent even once. */
uint32_t sendq_unsent(const struct tcp_conn *c);

/* How many bytes the application may still queue. */
uint32_t sendq_room(const struct tcp_conn *c);

/* Tells an application that was refused a write, if there is enough room again. */
void sendq_wake(struct tcp_conn *c);

/* Tells one that counts for itself, if fewer bytes are queued than before. */
void sendq_wake_acked(struct tcp_conn *c, uint32_t bytes_before);

/* How long there have been bytes in the queue, now and before. */
ns_t sendq_busy_ns(const struct tcp_conn *c, const struct tcp_env *env);

/* Copies len bytes to the end; false, with nothing changed: no memory. */
bool sendq_copy(struct tcp_conn *c, struct tcp_env *env, const uint8_t *bytes, uint32_t len);

/* Puts lent bytes at the end; false: no memory, and release will not be called. */
bool sendq_lend(struct tcp_conn *c, struct tcp_env *env, struct weir_slice bytes,
                void (*release)(void *owner), void *owner);

/* What has been queued last ends a record: nothing that comes later shares a segment with it. */
void sendq_end_record(struct tcp_conn *c);

/* How many of the len bytes from seq on, which are in the queue, are before the end of a record. */
uint32_t sendq_record(struct tcp_conn *c, seq_t seq, uint32_t len);

/* The bytes before una are acknowledged. */
void sendq_drop(struct tcp_conn *c, struct tcp_env *env, seq_t una);

/* How many of the len bytes from seq on, which are in the queue, one frame can refer to. */
uint32_t sendq_reach(struct tcp_conn *c, seq_t seq, uint32_t len);

/* Are the last len bytes in one piece? */
bool sendq_is_in_tail(const struct tcp_conn *c, uint32_t len);

/* As sendq_refer for these. */
void sendq_refer_tail(struct tcp_conn *c, uint32_t len, struct frame *frame);

/*
 * Adds the len bytes from seq on to the frame, as references; it has slices for them.
 */
void sendq_refer(struct tcp_conn *c, seq_t seq, uint32_t len, struct frame *frame);

#endif
