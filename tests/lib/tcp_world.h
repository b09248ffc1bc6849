/*
 * tcp_world.h - what TCP connections need around them, in tests
 *
 * An environment with pools over an allocator that counts, a clock that stands still until
 * it is moved, and a fixed secret. After each test that passes, everything that was made in
 * it is finished, and all pools have to be full again.
 */
#ifndef TESTS_LIB_TCP_WORLD_H
#define TESTS_LIB_TCP_WORLD_H

#include "base/buf.h"
#include "base/frame.h"
#include "base/mem.h"
#include "lib/failing_alloc.h"
#include "tcp/conn.h"
#include "tcp/seg.h"

enum {
    TCP_WORLD_CONNS = 2,
    TCP_WORLD_FRAMES = 512,
};

/* A frame on its way, or with a driver that has not given it back. */
struct tcp_sent {
    struct frame *frame;
    ns_t at;
    bool is_resent;
};

struct tcp_sents {
    struct tcp_sent at[TCP_WORLD_FRAMES];
    size_t count;
};

struct tcp_world {
    struct tcp_world *next;
    struct failing_alloc alloc;
    struct mem mem;
    struct bufs bufs;
    struct pool frames;
    struct tracer tracer;
    struct tcp_env env;
    struct tcp_conn conns[TCP_WORLD_CONNS];
    size_t frames_in;      /* frames that were handed in and have not been released yet */
    size_t lent;           /* buffers of an application that have not been released yet */
    struct tcp_sents sent; /* by a connection, and not looked at yet */
    struct tcp_sents kept; /* by a driver that is slow */
};

/* A new world, in which it is 1000 s. Its connections are closed and have the defaults. */
struct tcp_world *tcp_world_make(void);

/* The documented defaults (weir/config.h). */
struct weir_tcp_config tcp_world_config(void);

/* Ends a world before the test does, with all the checks. */
void tcp_world_end(struct tcp_world *w);

void tcp_sents_add(struct tcp_sents *list, struct tcp_sent sent);

/* Takes the first; there is one. */
struct tcp_sent tcp_sents_take(struct tcp_sents *list);

/* Gives all of them back. */
void tcp_sents_clear(struct tcp_world *w, struct tcp_sents *list);

/* Copies a frame's bytes into one run; returns how many. bytes has room for any frame. */
size_t tcp_sent_flatten(const struct tcp_sent *sent, uint8_t *bytes, size_t room);

/* A segment that came in a frame, as a driver hands it over. */
struct tcp_arrival {
    struct tcp_seg seg;
    struct weir_frame frame;
    struct weir_slice text;
};

/*
 * Puts len bytes of text into a fresh frame, which the connection may keep if is_owned and has
 * to copy from if not. The text is a stream's, whose byte at offset i is tcp_world_byte(i).
 */
void tcp_arrival_fill(struct tcp_world *w, struct tcp_arrival *a, uint64_t offset, uint32_t len,
                      bool is_owned);

/* Ends the segment's life as the stack does; a frame that was only lent is gone then. */
void tcp_arrival_done(struct tcp_world *w, struct tcp_arrival *a);

/* The len bytes of a stream from offset on, lent: released by tcp_world_release(owner). */
void *tcp_world_lend(struct tcp_world *w, uint64_t offset, uint32_t len, struct weir_slice *bytes);
void tcp_world_release(void *owner);

uint8_t tcp_world_byte(uint64_t offset);

/* Fails the test unless bytes are the stream's from offset on. */
void tcp_world_check_bytes(const uint8_t *bytes, size_t len, uint64_t offset);

#endif
