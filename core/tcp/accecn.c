/*
 * accecn.c - accurate ECN's counters: ACE in the flags, and the option [RFC9768]
 *
 * Each end counts what arrives with which mark and tells it in every segment: of packets marked
 * CE the last three bits, in ACE, and of bytes of text 24 bits for each mark, in an option that
 * is there when one of them has moved. The sender works out how far the peer's counters have come.
 * State: conn.accecn, work.accecn, and through ecn.c the counts of packets in conn.ecn.
 */
#include "tcp/accecn.h"
#include "base/num.h"
#include "tcp/seg.h"
#include "tcp/segment.h"
#include "tcp/tstamp.h"
#include "wire/tcp.h"
#include "wire/tcp_options.h"

enum {
    ACE_SHIFT = 6, /* of TCP_ECE, the lowest of the three flags */
    ACE_MASK = 7,
    CEP_FIRST = 5, /* what the count of packets starts from [RFC9768 3.2.1] */
    DIV_ACE = 8,
    FIELD_LEN = 3,
    FIELD_MASK = 0xffffff,
    OPTION_HEAD = 2,
    MEAN_SHIFT = 3, /* of the moving average: an eighth of what is new */
    MEAN_UNIT = 64,
    MEAN_MAX = 4,      /* segments: what is acknowledged in larger steps is so for a reason */
    SAFETY_FACTOR = 2, /* [RFC9768 A.2.2] */
    UNACKED_MARKS = 2, /* so many are told of at once, with text that is not acknowledged */
    MARKS = 3,         /* and without [RFC9768 3.2.2.5.1] */
    SACK_BLOCKS = 2,   /* as many come before the option [RFC9768 3.2.3.3] */
    ALL_MARKED = 32,   /* segments, of which a queue would have left out one */
    CONTRADICTIONS = 3,
    TEXT_AGAIN = 3,
};

/* In what order a kind has its fields. */
static const uint8_t order_of[2][ACCECN_COUNTERS] = {
    {ACCECN_E0B, ACCECN_CEB, ACCECN_E1B}, /* TCP_OPTION_ACCECN0 */
    {ACCECN_E1B, ACCECN_CEB, ACCECN_E0B}, /* TCP_OPTION_ACCECN1 */
};

/* What the byte counters start from: not zero, so that zeroing is noticed [RFC9768 3.2.1]. */
static const uint8_t first_of[ACCECN_COUNTERS] = {1, 1, 0};

unsigned accecn_ace_of(uint16_t flags)
{
    return flags >> ACE_SHIFT & ACE_MASK;
}

uint16_t accecn_flags_of(unsigned ace)
{
    return (uint16_t)((ace & ACE_MASK) << ACE_SHIFT);
}

uint16_t accecn_flags_for(enum ip_ecn mark)
{
    static const uint8_t codes[] = {
        [IP_ECN_NOT_ECT] = 2,
        [IP_ECN_ECT1] = 3,
        [IP_ECN_ECT0] = 4,
        [IP_ECN_CE] = 6,
    };

    return accecn_flags_of(codes[mark]);
}

unsigned accecn_ace(const struct tcp_conn *c)
{
    return (CEP_FIRST + c->ecn.ce_in) & ACE_MASK;
}

/* ---- the handshake ---- */

void accecn_offer_option(struct tcp_options *options)
{
    static const uint8_t initial[] = {0, 0, 1, 0, 0, 0, 0, 0, 1};

    options->present |= TCP_HAS_ACCECN;
    options->accecn_kind = TCP_OPTION_ACCECN0;
    options->accecn = span_of(initial, sizeof initial);
    if (tcp_options_len(options) > TCP_OPTIONS_MAX)
        options->present &= (uint16_t)~TCP_HAS_ACCECN;
}

void accecn_start(struct tcp_conn *c, enum ip_ecn syn_mark)
{
    c->accecn = (struct accecn){.syn_mark = syn_mark & 3u, .owes_option = true};
    c->work->accecn = (struct accecn_work){.bytes_out_known = 1 << ACCECN_CEB};
}

/* SYN and SYN-ACK are sent without ECT, and nothing else may come of that. */
bool accecn_is_mangled(unsigned ace)
{
    return ace == 0 || ace == 3 || ace == 4 || ace == 6;
}

void accecn_on_synack(struct tcp_conn *c, const struct tcp_seg *seg)
{
    c->accecn.syn_mark = ip_ecn_of(seg->tos) & 3u;
    c->accecn.owes_handshake_ack = true;
    if (c->state != TCP_SYN_SENT)
        return;
    c->accecn.syn_was_ce = accecn_ace_of(seg->flags) == 6;
    accecn_on_option(c, seg);
}

void accecn_go_deaf(struct tcp_conn *c)
{
    c->accecn.is_deaf = true;
}

/* ---- in: what the peer sends ---- */

static bool has_bit(unsigned bits, enum accecn_counter i)
{
    return (bits >> i & 1) != 0;
}

static void count_text(struct tcp_conn *c, enum ip_ecn mark, uint32_t len)
{
    struct accecn *a = &c->accecn;
    enum accecn_counter i = (enum accecn_counter)(mark - IP_ECN_ECT1);

    if (mark == IP_ECN_NOT_ECT || len == 0)
        return;
    c->accecn_bytes_in[i] += len;
    a->changed = (a->changed | 1u << i) & ((1u << ACCECN_COUNTERS) - 1);
    a->unsent = (a->unsent | 1u << i) & ((1u << ACCECN_COUNTERS) - 1);
    a->moved = true;
}

/* When it has to be told of at once [RFC9768 3.2.2.5.1]. */
static void owe_ack(struct tcp_conn *c, const struct tcp_seg *seg, bool is_ce)
{
    struct tcp_work *w = c->work;
    bool has_text = seg->len > 0 || w->rcv_unacked > 0;
    uint8_t marks = (uint8_t)(c->ecn.ce_in - w->accecn.ce_acked);

    if (is_ce && seg->len > 0 && !c->accecn.was_ce)
        w->ack_owed = true; /* the first mark after none */
    if (marks < (has_text ? UNACKED_MARKS : MARKS))
        return;
    w->accecn.acks_acks = !has_text && !w->ack_owed && w->dup_acks_owed == 0;
    w->ack_owed = true;
}

void accecn_on_segment(struct tcp_conn *c, const struct tcp_seg *seg)
{
    enum ip_ecn mark = ip_ecn_of(seg->tos);

    count_text(c, mark, seg->len);
    if (seg->len > 0)
        c->work->accecn.text_again = 0;
    owe_ack(c, seg, mark == IP_ECN_CE);
    c->accecn.was_ce = mark == IP_ECN_CE;
}

/* What is always sent again was acknowledged, with an option: does it not get through? */
void accecn_on_text_again(struct tcp_conn *c)
{
    if (++c->work->accecn.text_again < TEXT_AGAIN)
        return;
    c->work->accecn.text_again = 0;
    c->accecn.sends_no_options = true;
}

/* ---- in: what the peer tells ---- */

static uint32_t field_at(struct span option, size_t i)
{
    const uint8_t *b = option.bytes + i * FIELD_LEN;

    return (uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2];
}

/* There are three counters, however long the option is. */
static size_t field_count(struct span option)
{
    return size_min(option.len / FIELD_LEN, ACCECN_COUNTERS);
}

/* E0B or E1B that is zero was not the peer's [RFC9768 3.2.3.2.4]. */
void accecn_on_option(struct tcp_conn *c, const struct tcp_seg *seg)
{
    const uint8_t *order = order_of[seg->opt.accecn_kind == TCP_OPTION_ACCECN1];

    if (!(seg->opt.present & TCP_HAS_ACCECN))
        return;
    for (size_t i = 0; i < field_count(seg->opt.accecn); i++)
        if (order[i] != ACCECN_CEB && field_at(seg->opt.accecn, i) == 0)
            c->accecn.ignores_options = true;
}

/* The step from what was told last; 0 if this is the first. */
static uint32_t take_field(struct accecn_work *w, enum accecn_counter i, uint32_t value)
{
    uint32_t step = (value - w->bytes_out[i]) & FIELD_MASK;
    bool was_known = has_bit(w->bytes_out_known, i);

    w->bytes_out[i] = value;
    w->bytes_out_known |= (uint8_t)(1u << i);
    if (!was_known)
        return 0;
    w->delivered_bytes[i] += step;
    return step;
}

/* How many bytes were marked CE; false: it is not told. A field that is left out has not moved. */
static bool take_option(struct tcp_conn *c, const struct tcp_seg *seg, uint32_t *d_ceb)
{
    struct accecn_work *w = &c->work->accecn;
    const uint8_t *order = order_of[seg->opt.accecn_kind == TCP_OPTION_ACCECN1];
    bool is_told = has_bit(w->bytes_out_known, ACCECN_CEB);

    *d_ceb = 0;
    if (!(seg->opt.present & TCP_HAS_ACCECN) || c->accecn.ignores_options)
        return false;
    for (size_t i = 0; i < field_count(seg->opt.accecn); i++) {
        uint32_t step = take_field(w, (enum accecn_counter)order[i], field_at(seg->opt.accecn, i));
        if (order[i] == ACCECN_CEB)
            *d_ceb = step;
    }
    return is_told && seg->opt.accecn.len > 0;
}

uint32_t accecn_safe_increment(uint32_t d, uint32_t acked_segs)
{
    if (acked_segs < d)
        return d;
    return acked_segs - (acked_segs - d) % DIV_ACE;
}

/*
 * The fewest that the bytes allow, if so many segments are acknowledged that their mean size tells
 * something; else the RFC's estimate, which goes for more where marked segments may be small.
 */
uint32_t accecn_likely_increment(uint32_t d, uint32_t safe, uint32_t d_ceb,
                                 const struct accecn_step *step)
{
    uint32_t segs = (uint32_t)div_ceil(d_ceb, step->mss);
    uint32_t fewest = segs <= d ? d : d + (uint32_t)round_up(segs - d, DIV_ACE);

    if (fewest >= safe)
        return safe;
    if (step->segs < 2 * DIV_ACE && (fewest > d || d_ceb / safe >= step->mss / SAFETY_FACTOR))
        return safe;
    return fewest;
}

/* Are ACKs so close to one another that a large step means that some were lost? */
static bool is_step_unusual(struct accecn_work *w, uint32_t acked_segs)
{
    uint32_t mean = w->acked_segs_mean;
    int64_t more = (int64_t)acked_segs * MEAN_UNIT - mean;

    if (acked_segs == 0)
        return false;
    w->acked_segs_mean =
        mean == 0 ? acked_segs * MEAN_UNIT : (uint32_t)(mean + more / (1 << MEAN_SHIFT));
    return mean != 0 && mean <= MEAN_MAX * MEAN_UNIT;
}

/* ACE may have come around, if ACKs are missing [RFC9768 3.2.2.5.2]. */
static uint32_t marked_segs(struct tcp_conn *c, uint32_t d, uint32_t acked_segs,
                            const uint32_t *ceb)
{
    uint32_t safe = accecn_safe_increment(d, acked_segs);
    struct accecn_step step = {.segs = acked_segs, .mss = c->work->cc.mss};
    bool is_unusual = is_step_unusual(&c->work->accecn, acked_segs);

    if (safe == d)
        return d;
    if (ceb != NULL)
        return accecn_likely_increment(d, safe, *ceb, &step);
    return is_unusual ? safe : d;
}

/* An ACK that delivers nothing and is not newer either has been overtaken [RFC9768 A.1]. */
static bool is_superseded(struct tcp_conn *c, const struct tcp_seg *seg, uint32_t delivered_bytes)
{
    struct accecn_work *w = &c->work->accecn;
    bool is_newer = tstamp_is_in(&c->agreed, seg)
                    && (!w->ts_known || seq_gt(seq_of(seg->opt.ts_val), seq_of(w->ts_seen)));

    if (delivered_bytes == 0 && !is_newer)
        return true;
    if (is_newer) {
        w->ts_seen = seg->opt.ts_val;
        w->ts_known = true;
    }
    return false;
}

/* Marked bytes and not one marked packet, time and again [RFC9768 3.2.3.2.5]. */
static bool is_contradiction(struct accecn_work *w, uint32_t segs, uint32_t acked_segs,
                             const uint32_t *ceb)
{
    if (ceb == NULL || acked_segs >= DIV_ACE)
        return false;
    if (*ceb > 0 && segs == 0)
        w->contradictions++;
    else
        w->contradictions = 0;
    return w->contradictions >= CONTRADICTIONS;
}

/*
 * Every single packet marked is nothing that a queue does: then nothing is sent ECN-capable any
 * more, and if what is sent so comes back marked as well, it is not heeded [RFC9768 3.2.2.3].
 */
static bool is_marked_always(struct tcp_conn *c, uint32_t segs, uint32_t acked_segs, seq_t first)
{
    struct accecn_work *w = &c->work->accecn;

    if (w->is_plain && segs > 0 && seq_geq(first, w->plain_from))
        c->accecn.is_deaf = true;
    if (acked_segs == 0 || w->is_unmarked)
        return w->is_plain;
    w->is_unmarked = segs < acked_segs;
    w->marked_segs += segs;
    if (w->is_unmarked || w->marked_segs < ALL_MARKED)
        return false;
    w->is_unmarked = true; /* it is settled */
    w->is_plain = true;
    w->plain_from = c->snd.nxt;
    return true;
}

/* Without the option, marked bytes are as many as marked packets suggest [RFC9768 A.3]. */
static uint32_t marked_bytes(uint32_t segs, uint32_t acked_segs, uint32_t delivered_bytes,
                             const uint32_t *ceb)
{
    if (ceb != NULL)
        return u32_min(*ceb, delivered_bytes);
    if (segs >= acked_segs)
        return delivered_bytes;
    return (uint32_t)((uint64_t)delivered_bytes * segs / acked_segs);
}

struct accecn_news accecn_take(struct tcp_conn *c, const struct tcp_seg *seg,
                               uint32_t delivered_bytes)
{
    struct accecn_news news = {0};
    uint32_t acked_segs = (uint32_t)div_ceil(delivered_bytes, c->work->cc.mss);
    uint32_t d = (accecn_ace_of(seg->flags) - CEP_FIRST - c->ecn.ce_out) & ACE_MASK;
    seq_t first = seq_sub(seg->ack, delivered_bytes);
    uint32_t d_ceb;
    const uint32_t *ceb;

    if (c->accecn.is_deaf || is_superseded(c, seg, delivered_bytes))
        return news;
    ceb = take_option(c, seg, &d_ceb) ? &d_ceb : NULL;
    news.segs = marked_segs(c, d, acked_segs, ceb);
    news.bytes = marked_bytes(news.segs, acked_segs, delivered_bytes, ceb);
    news.has_ece = news.segs > 0;
    news.is_mangled = is_contradiction(&c->work->accecn, news.segs, acked_segs, ceb)
                      || is_marked_always(c, news.segs, acked_segs, first);
    return news;
}

void accecn_info(const struct tcp_conn *c, struct weir_tcp_info *info)
{
    const uint32_t *in = c->accecn_bytes_in;

    info->received_ect1_bytes = in[ACCECN_E1B];
    info->received_ect0_bytes = in[ACCECN_E0B];
    info->received_ce_bytes = in[ACCECN_CEB];
    if (c->work == NULL)
        return;
    info->delivered_ect1_bytes = c->work->accecn.delivered_bytes[ACCECN_E1B];
    info->delivered_ect0_bytes = c->work->accecn.delivered_bytes[ACCECN_E0B];
    info->delivered_ce_bytes = c->work->accecn.delivered_bytes[ACCECN_CEB];
}

/* ---- out ---- */

/* On every ACK since which a counter has moved, and on the first text [RFC9768 3.2.3.3]. */
bool accecn_wants_option(const struct tcp_conn *c, bool has_text)
{
    const struct accecn *a = &c->accecn;

    if (a->sends_no_options)
        return false;
    return a->moved || a->owes_handshake_ack || (a->owes_option && has_text);
}

/* How many fields of that kind it takes until all of these counters are there. */
static size_t fields_for(const uint8_t *order, unsigned counters)
{
    size_t count = 0;

    for (size_t i = 0; i < ACCECN_COUNTERS; i++)
        if (has_bit(counters, (enum accecn_counter)order[i]))
            count = i + 1;
    return count;
}

/* All, as long as none has moved: the peer looks whether they are zero. */
static unsigned counters_of(const struct accecn *a)
{
    return a->changed != 0 ? a->changed : (1u << ACCECN_COUNTERS) - 1;
}

/* With EE1B first where ECT(0) never came. */
static size_t kind_of(const struct accecn *a)
{
    return has_bit(a->changed, ACCECN_E1B) && !has_bit(a->changed, ACCECN_E0B);
}

uint32_t accecn_option_len(const struct tcp_conn *c)
{
    const uint8_t *order = order_of[kind_of(&c->accecn)];
    size_t len = OPTION_HEAD + fields_for(order, counters_of(&c->accecn)) * FIELD_LEN;

    return (uint32_t)round_up(len, 4);
}

/* Is there room, also for the first SACK blocks? Those that have none are left out. */
static bool has_room(struct tcp_options *options, uint32_t len_max)
{
    struct tcp_options with = *options;
    uint8_t blocks = options->present & TCP_HAS_SACK ? options->sack_count : 0;

    with.present &= (uint16_t)~TCP_HAS_SACK;
    if (blocks > 0) {
        with.sack_count = (uint8_t)u32_min(tcp_options_sack_room(&with), blocks);
        if (with.sack_count < u32_min(blocks, SACK_BLOCKS))
            return false;
        with.present |= TCP_HAS_SACK;
    }
    if (tcp_options_len(&with) > len_max)
        return false;
    *options = with;
    return true;
}

static void put_fields(const struct tcp_conn *c, const uint8_t *order, size_t count, uint8_t *bytes)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t value = c->accecn_bytes_in[order[i]] + first_of[order[i]];
        bytes[i * FIELD_LEN] = (uint8_t)(value >> 16);
        bytes[i * FIELD_LEN + 1] = (uint8_t)(value >> 8);
        bytes[i * FIELD_LEN + 2] = (uint8_t)value;
    }
}

/* As many fields as there is room for, if what has moved since the last option is in them. */
static bool add_kind(const struct tcp_conn *c, size_t kind, struct tcp_options *options,
                     uint8_t *bytes, uint32_t len_max)
{
    const struct accecn *a = &c->accecn;
    const uint8_t *order = order_of[kind];
    size_t least = fields_for(order, a->unsent);

    for (size_t count = fields_for(order, counters_of(a)); count > 0 && count >= least; count--) {
        struct tcp_options with = *options;
        with.present |= TCP_HAS_ACCECN;
        with.accecn_kind = (uint8_t)(kind == 0 ? TCP_OPTION_ACCECN0 : TCP_OPTION_ACCECN1);
        with.accecn = span_of(bytes, count * FIELD_LEN);
        if (!has_room(&with, len_max))
            continue;
        put_fields(c, order, count, bytes);
        *options = with;
        return true;
    }
    return false;
}

static void add_option(struct tcp_conn *c, const struct segment *segment,
                       struct tcp_options *options, uint8_t *bytes, uint32_t option_room)
{
    struct accecn *a = &c->accecn;
    uint32_t len_max = u32_min((uint32_t)tcp_options_len(options) + option_room, TCP_OPTIONS_MAX);
    size_t kind = kind_of(a);

    if (!accecn_wants_option(c, segment->len > 0) || segment->is_resent)
        return;
    if (!add_kind(c, kind, options, bytes, len_max)
        && !add_kind(c, 1 - kind, options, bytes, len_max))
        return;
    a->unsent = 0;
    if (segment->len > 0)
        a->owes_option = false;
}

/* The first text that had an option is lost: perhaps because of it [RFC9768 3.2.3.2.2]. */
static void note_lost_option(struct tcp_conn *c, const struct segment *segment)
{
    if (segment->is_resent && seq_eq(segment->seq, seq_add(c->snd.iss, 1))
        && !c->accecn.owes_option)
        c->accecn.sends_no_options = true;
}

uint16_t accecn_dress(struct tcp_conn *c, const struct segment *segment,
                      struct tcp_options *options, uint8_t *bytes, uint32_t option_room)
{
    struct accecn *a = &c->accecn;
    unsigned ace = accecn_ace(c);
    bool is_pure = segment->len == 0 && !(segment->flags & TCP_FIN);

    note_lost_option(c, segment);
    if (c->work->accecn.acks_acks && is_pure)
        options->present &= (uint16_t)~TCP_HAS_SACK; /* no duplicate [RFC9768 3.2.2.5.1] */
    add_option(c, segment, options, bytes, option_room);
    if (a->owes_handshake_ack && is_pure && !(options->present & TCP_HAS_SACK))
        ace = accecn_ace_of(accecn_flags_for((enum ip_ecn)a->syn_mark));
    a->owes_handshake_ack = false;
    a->moved = false;
    c->work->accecn.ce_acked = (uint8_t)c->ecn.ce_in;
    c->work->accecn.acks_acks = false;
    return accecn_flags_of(ace);
}
