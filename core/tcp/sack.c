/*
 * sack.c - selective acknowledgement [RFC2018], with duplicates [RFC2883]
 *
 * As a receiver: the block that grew last comes first, then those that grew before it, so that
 * each is said several times; before them, once, what has arrived twice. As a sender: blocks that
 * make no sense are passed over.
 *
 * State: work.sack.
 */
#include "tcp/sack.h"
#include "base/count.h"
#include "base/num.h"
#include "tcp/conn.h"
#include "tcp/reasm.h"
#include "tcp/scoreboard.h"
#include "tcp/seg.h"
#include "tcp/tstamp.h"
#include "wire/tcp_options.h"

enum {
    BLOCK_LEN = 8,
    OPTION_LEN = 4, /* kind and length, after two NOPs */
};

/* ---- as a receiver ---- */

static const struct reasm_block *block_with(const struct tcp_conn *c, seq_t seq)
{
    return c->work->reasm == NULL ? NULL : reasm_find(c->work->reasm, seq);
}

void sack_on_kept(struct tcp_conn *c, seq_t seq)
{
    struct sack *s = &c->work->sack;
    seq_t kept[SACK_RECENT] = {seq};
    uint8_t count = 1;

    for (uint8_t i = 0; i < s->recent_count && count < SACK_RECENT; i++) {
        const struct reasm_block *block = block_with(c, s->recent[i]);
        if (block != NULL && block != block_with(c, seq))
            kept[count++] = s->recent[i];
    }
    s->recent_count = count;
    for (uint8_t i = 0; i < count; i++)
        s->recent[i] = kept[i];
}

void sack_on_duplicate(struct tcp_conn *c, seq_t start, seq_t end)
{
    struct sack *s = &c->work->sack;

    if (!c->agreed.sack_ok || s->has_dsack || !seq_lt(start, end))
        return;
    s->has_dsack = true;
    s->dsack_start = start;
    s->dsack_end = end;
}

static void add(struct tcp_options *o, uint8_t room, seq_t left, seq_t right)
{
    if (o->sack_count < room)
        o->sack[o->sack_count++] = (struct tcp_sack_block){left.raw, right.raw};
}

static void add_block(struct tcp_options *o, uint8_t room, uint8_t from,
                      const struct reasm_block *block)
{
    if (block == NULL)
        return;
    for (uint8_t i = from; i < o->sack_count; i++)
        if (o->sack[i].left == block->start.raw)
            return;
    add(o, room, block->start, block->end);
}

/* Right after a duplicate comes the block that it is in, if it is in one [RFC2883 4]. */
void sack_of_segment(const struct tcp_conn *c, struct tcp_options *options)
{
    const struct sack *s = &c->work->sack;
    const struct reasm *reasm = c->work->reasm;
    uint8_t room, from = 0;

    if (!c->agreed.sack_ok || (reasm == NULL && !s->has_dsack))
        return;
    room = tcp_options_sack_room(options);
    if (room == 0)
        return;
    options->sack_count = 0;
    if (s->has_dsack) {
        add(options, room, s->dsack_start, s->dsack_end);
        from = options->sack_count;
        add_block(options, room, from, block_with(c, s->dsack_start));
    }
    for (uint8_t i = 0; i < s->recent_count; i++)
        add_block(options, room, from, block_with(c, s->recent[i]));
    for (uint32_t i = 0; reasm != NULL && i < reasm->count && options->sack_count < room; i++)
        add_block(options, room, from, reasm_at(reasm, i));
    if (options->sack_count > 0)
        options->present |= TCP_HAS_SACK;
}

void sack_on_sent(struct tcp_conn *c)
{
    c->work->sack.has_dsack = false;
}

uint32_t sack_len(const struct tcp_conn *c)
{
    const struct tcp_work *w = c->work;
    uint32_t most = tstamp_is_agreed(&c->agreed) ? TCP_SACK_MAX - 1 : TCP_SACK_MAX;
    uint32_t blocks = w->sack.has_dsack;

    if (!c->agreed.sack_ok || (w->reasm == NULL && !w->sack.has_dsack))
        return 0;
    if (w->reasm != NULL)
        blocks += w->reasm->count;
    return blocks == 0 ? 0 : OPTION_LEN + BLOCK_LEN * u32_min(blocks, most);
}

/* ---- as a sender ---- */

/* The first block tells of a duplicate if it is acknowledged, or within the second [RFC2883 4]. */
static bool is_dsack(const struct tcp_seg *seg)
{
    const struct tcp_options *o = &seg->opt;
    seq_t left = seq_of(o->sack[0].left), right = seq_of(o->sack[0].right);

    if (seq_leq(right, seg->ack))
        return true;
    return o->sack_count > 1 && seq_geq(left, seq_of(o->sack[1].left))
           && seq_leq(right, seq_of(o->sack[1].right));
}

/* One that tells of what was never sent, or of what is long past, does not count. */
static void take_dsack(struct tcp_conn *c, const struct tcp_seg *seg, struct delivery *d)
{
    seq_t left = seq_of(seg->opt.sack[0].left), right = seq_of(seg->opt.sack[0].right);

    if (!seq_lt(left, right) || seq_gt(right, c->snd.nxt)
        || seq_lt(left, seq_sub(c->snd.una, c->snd.wnd_max)))
        return;
    d->has_dsack = true;
    d->dsack_start = left;
    d->dsack_end = right;
    count_add32(&c->work->dsacks_in, 1);
}

void sack_take(struct tcp_conn *c, struct tcp_env *env, const struct tcp_seg *seg,
               struct delivery *d)
{
    uint8_t i = 0;

    if (!c->agreed.sack_ok || !(seg->opt.present & TCP_HAS_SACK))
        return;
    if (is_dsack(seg)) {
        take_dsack(c, seg, d);
        i = 1;
    }
    for (; i < seg->opt.sack_count; i++) {
        seq_t left = seq_of(seg->opt.sack[i].left), right = seq_of(seg->opt.sack[i].right);
        if (!seq_lt(left, right) || seq_leq(right, c->snd.una) || seq_gt(right, c->snd.nxt))
            continue;
        d->has_sack = true;
        scoreboard_on_sacked(c, env, seq_max(left, c->snd.una), right, d);
    }
}
