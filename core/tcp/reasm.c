/*
 * reasm.c - text that arrived out of order
 *
 * Blocks are a sorted array: found by bisection, capped, and where one comes or goes the shorter
 * side moves, so that a segment's cost is bounded whatever a peer sends. Within a block, bytes are a
 * list of pieces to which both ends can be added. What is there stays: of overlapping
 * segments the first to arrive counts.
 *
 * State: work.reasm, attached when a segment is out of order and given back when none is.
 */
#include "tcp/reasm.h"
#include "base/check.h"
#include "base/mem.h"
#include "tcp/conn.h"
#include "tcp/recvq.h"
#include "tcp/seg.h"
#include <string.h>

enum { BLOCKS_FIRST = 16 };

void reasm_clear(struct tcp_conn *c, struct tcp_env *env)
{
    struct reasm *r = c->work->reasm;

    if (r == NULL)
        return;
    for (uint32_t i = 0; i < r->count; i++)
        pieces_clear(&reasm_at(r, i)->pieces, &env->pieces, env->bufs);
    mem_free(env->reasms.mem, r->blocks, r->capacity * sizeof *r->blocks);
    pool_put(&env->reasms, r);
    c->work->reasm = NULL;
}

uint32_t reasm_bytes(const struct tcp_conn *c)
{
    return c->work->reasm == NULL ? 0 : c->work->reasm->bytes;
}

static bool attach(struct tcp_conn *c, struct tcp_env *env)
{
    struct reasm *r = c->work->reasm;

    if (r != NULL)
        return true;
    r = pool_get(&env->reasms);
    if (r == NULL)
        return false;
    *r = (struct reasm){0};
    c->work->reasm = r;
    return true;
}

/* The index of the first block that ends after seq; count if there is none. */
static uint32_t first_ending_after(const struct reasm *r, seq_t seq)
{
    uint32_t low = 0, high = r->count;

    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (seq_gt(reasm_at(r, middle)->end, seq))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

const struct reasm_block *reasm_find(const struct reasm *r, seq_t seq)
{
    uint32_t i = first_ending_after(r, seq);

    return i < r->count && seq_leq(reasm_at(r, i)->start, seq) ? reasm_at(r, i) : NULL;
}

/* Makes the array twice as large, with what there is in the middle; false: no memory. */
static bool grow(struct reasm *r, struct tcp_env *env)
{
    uint32_t capacity = r->capacity == 0 ? BLOCKS_FIRST : 2 * r->capacity;
    uint32_t first = (capacity - r->count) / 2;
    struct reasm_block *blocks =
        mem_alloc(env->reasms.mem, capacity * sizeof *blocks, _Alignof(struct reasm_block));

    if (blocks == NULL)
        return false;
    if (r->count > 0)
        memcpy(blocks + first, reasm_at(r, 0), r->count * sizeof *blocks);
    mem_free(env->reasms.mem, r->blocks, r->capacity * sizeof *blocks);
    r->blocks = blocks;
    r->capacity = capacity;
    r->first = first;
    return true;
}

/* Makes sure that another block can be inserted. */
static bool has_place(struct reasm *r, struct tcp_env *env)
{
    return r->count < r->capacity || grow(r, env);
}

static void move(struct reasm *r, uint32_t to, uint32_t from, uint32_t count)
{
    memmove(&r->blocks[to], &r->blocks[from], count * sizeof r->blocks[0]);
}

/* There is a place. Where the shorter side has no room to move, the other moves. */
static void insert(struct reasm *r, uint32_t i, struct reasm_block block)
{
    uint32_t behind = r->count - i;
    bool has_room_behind = r->first + r->count < r->capacity;

    if (!has_room_behind || (i < behind && r->first > 0)) {
        move(r, r->first - 1, r->first, i);
        r->first--;
    } else {
        move(r, r->first + i + 1, r->first + i, behind);
    }
    *reasm_at(r, i) = block;
    r->count++;
}

static void remove_at(struct reasm *r, uint32_t i)
{
    uint32_t behind = r->count - i - 1;

    if (i < behind) {
        move(r, r->first + 1, r->first, i);
        r->first++;
    } else {
        move(r, r->first + i, r->first + i + 1, behind);
    }
    r->count--;
}

/* Joins block i + 1 to block i, whose end is where it starts. */
static void join_next(struct reasm *r, uint32_t i)
{
    reasm_at(r, i)->end = reasm_at(r, i + 1)->end;
    pieces_join(&reasm_at(r, i)->pieces, &reasm_at(r, i + 1)->pieces);
    remove_at(r, i + 1);
}

/*
 * Keeps len bytes at offset, which begin at start and lie before block i and after the one
 * before it.
 */
static enum why keep(struct tcp_conn *c, struct tcp_env *env, struct tcp_seg *seg, seq_t start,
                     seq_t end, uint32_t i)
{
    struct reasm *r = c->work->reasm;
    bool after = i > 0 && seq_eq(reasm_at(r, i - 1)->end, start);
    bool before = i < r->count && seq_eq(reasm_at(r, i)->start, end);
    uint32_t cap =
        env->config.reassembly_holes < REASM_BLOCKS ? env->config.reassembly_holes : REASM_BLOCKS;
    uint32_t offset = seq_len(seg->seq, start);
    uint32_t len = seq_len(start, end);
    struct pieces fresh = {NULL, NULL};
    struct pieces *to = after ? &reasm_at(r, i - 1)->pieces : &fresh;

    if (!after && !before && r->count >= cap)
        return WHY_TCP_REASSEMBLY;
    if (!after && !before && !has_place(r, env))
        return WHY_NO_MEMORY;
    if (!tcp_seg_take_text(seg, env, offset, len, to, &r->memory))
        return WHY_NO_MEMORY;
    r->bytes += len;
    if (after) {
        reasm_at(r, i - 1)->end = end;
        if (before)
            join_next(r, i - 1);
    } else if (before) {
        pieces_join(&fresh, &reasm_at(r, i)->pieces);
        reasm_at(r, i)->pieces = fresh;
        reasm_at(r, i)->start = start;
    } else {
        insert(r, i, (struct reasm_block){start, end, fresh});
    }
    return WHY_NONE;
}

/* Each turn passes a block or ends, and a block passed is joined: bounded by REASM_BLOCKS. */
static enum why keep_gaps(struct tcp_conn *c, struct tcp_env *env, struct tcp_seg *seg)
{
    struct reasm *r = c->work->reasm;
    seq_t at = seg->seq, end = seq_add(seg->seq, seg->len);
    enum why why = WHY_TCP_OLD;

    while (seq_lt(at, end)) {
        uint32_t i = first_ending_after(r, at);
        bool is_last = i == r->count || seq_geq(reasm_at(r, i)->start, end);
        seq_t gap_end = is_last ? end : reasm_at(r, i)->start;
        seq_t next = is_last ? end : reasm_at(r, i)->end;

        if (!is_last)
            sack_on_duplicate(c, seq_max(at, gap_end), seq_min(next, end));
        if (seq_lt(at, gap_end)) {
            why = keep(c, env, seg, at, gap_end, i);
            if (why != WHY_NONE)
                return why;
        }
        at = next;
    }
    return why;
}

static void release_if_empty(struct tcp_conn *c, struct tcp_env *env)
{
    if (c->work->reasm->count == 0 && !c->work->reasm->fin_known)
        reasm_clear(c, env);
}

enum why reasm_add(struct tcp_conn *c, struct tcp_env *env, struct tcp_seg *seg)
{
    enum why why;

    if (!attach(c, env))
        return WHY_NO_MEMORY;
    why = keep_gaps(c, env, seg);
    if (why == WHY_NONE || why == WHY_TCP_OLD)
        sack_on_kept(c, seg->seq);
    if ((seg->flags & TCP_FIN) && (why == WHY_NONE || why == WHY_TCP_OLD)
        && !c->work->reasm->fin_known) {
        c->work->reasm->fin_known = true;
        c->work->reasm->fin = seq_add(seg->seq, seg->len);
        why = WHY_NONE;
    }
    release_if_empty(c, env);
    return why;
}

/* Gives back the beginning of block 0 that has arrived a second time, in order. */
static void drop_old(struct tcp_conn *c, struct tcp_env *env)
{
    struct reasm *r = c->work->reasm;

    while (r->count > 0 && seq_lt(reasm_at(r, 0)->start, c->rcv.nxt)) {
        struct reasm_block *b = reasm_at(r, 0);
        seq_t to = seq_min(b->end, c->rcv.nxt);
        uint32_t len = seq_len(b->start, to);

        r->memory -= pieces_drop(&b->pieces, &env->pieces, env->bufs, len);
        r->bytes -= len;
        b->start = to;
        if (!seq_eq(b->start, b->end))
            break;
        remove_at(r, 0);
    }
}

static uint32_t memory_of(const struct pieces *pieces)
{
    uint32_t memory = 0;

    for (const struct piece *p = pieces->head; p != NULL; p = p->next)
        memory += p->buf->memory;
    return memory;
}

uint32_t reasm_take(struct tcp_conn *c, struct tcp_env *env, bool *fin)
{
    struct reasm *r = c->work->reasm;
    uint32_t len = 0;

    *fin = false;
    if (r == NULL)
        return 0;
    drop_old(c, env);
    if (r->count > 0 && seq_eq(reasm_at(r, 0)->start, c->rcv.nxt)) {
        uint32_t memory = memory_of(&reasm_at(r, 0)->pieces);
        len = seq_len(reasm_at(r, 0)->start, reasm_at(r, 0)->end);
        recvq_join(c, &reasm_at(r, 0)->pieces, len, memory);
        r->bytes -= len;
        r->memory -= memory;
        remove_at(r, 0);
    }
    if (r->fin_known && seq_eq(r->fin, seq_add(c->rcv.nxt, len))) {
        *fin = true;
        r->fin_known = false;
    } else if (r->fin_known && seq_lt(r->fin, seq_add(c->rcv.nxt, len))) {
        r->fin_known = false; /* the stream goes on behind it: the peer contradicts itself */
    }
    release_if_empty(c, env);
    return len;
}

void reasm_check(const struct tcp_conn *c)
{
    const struct reasm *r = c->work->reasm;
    uint32_t bytes = 0;

    if (r == NULL)
        return;
    CHECK(r->count > 0 || r->fin_known);
    CHECK(r->count <= REASM_BLOCKS);
    for (uint32_t i = 0; i < r->count; i++) {
        CHECK(seq_lt(reasm_at(r, i)->start, reasm_at(r, i)->end));
        CHECK(i == 0 ? seq_gt(reasm_at(r, i)->start, c->rcv.nxt)
                     : seq_gt(reasm_at(r, i)->start, reasm_at(r, i - 1)->end));
        CHECK(pieces_bytes(&reasm_at(r, i)->pieces)
              == seq_len(reasm_at(r, i)->start, reasm_at(r, i)->end));
        bytes += pieces_bytes(&reasm_at(r, i)->pieces);
    }
    CHECK(bytes == r->bytes);
}
