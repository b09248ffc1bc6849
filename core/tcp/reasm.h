/*
 * reasm.h - text that arrived out of order [RFC9293 SHLD-31]
 */
#ifndef CORE_TCP_REASM_H
#define CORE_TCP_REASM_H

#include "base/seq.h"
#include "base/why.h"
#include "tcp/piece.h"
#include <stdbool.h>
#include <stdint.h>

struct tcp_conn;
struct tcp_env;
struct tcp_seg;

enum {
    REASM_BLOCKS = 8192, /* most runs without holes; the configuration may say fewer */
};

/* A run of bytes without a hole. */
struct reasm_block {
    seq_t start;
    seq_t end;
    struct pieces pieces;
};

/*
 * In order, and never touching one another: count of them from blocks[first] on, in an array that
 * grows and has room at both ends.
 */
struct reasm {
    struct reasm_block *blocks;
    uint32_t capacity;
    uint32_t first;
    uint32_t count;
    uint32_t bytes;
    uint32_t memory;
    bool fin_known; /* the stream ends at fin */
    seq_t fin;
};

void reasm_clear(struct tcp_conn *c, struct tcp_env *env);

/*
 * Keeps a segment that begins after rcv.nxt. WHY_NONE; WHY_TCP_OLD: all of it is there;
 * WHY_TCP_REASSEMBLY: too many holes; WHY_NO_MEMORY.
 */
enum why reasm_add(struct tcp_conn *c, struct tcp_env *env, struct tcp_seg *seg);

/*
 * Moves what has become continuous at rcv.nxt to the receive queue, and returns how many
 * bytes that were; *fin: the stream ends there.
 */
uint32_t reasm_take(struct tcp_conn *c, struct tcp_env *env, bool *fin);

static inline struct reasm_block *reasm_at(const struct reasm *r, uint32_t i)
{
    return &r->blocks[r->first + i];
}

/* The block that seq is in, or NULL. */
const struct reasm_block *reasm_find(const struct reasm *r, seq_t seq);

/* Bytes held. */
uint32_t reasm_bytes(const struct tcp_conn *c);

void reasm_check(const struct tcp_conn *c);

#endif
