/*
 * cookie.c - SYN cookies [RFC4987 3.6]
 *
 * When there is no room for another half-open connection, what would be in its record goes
 * to the peer and comes back with the acknowledgement:
 *
 *   ISN        hash(ends) + the peer's ISN + period * 2^24
 *              + (hash(ends, the peer's ISN, period) + MSS) mod 2^24
 *   timestamp  the clock, its last six bits being the peer's window scale (15: none), whether
 *              SACK may be used, and whether RFC 3168's ECN may
 *
 * The hashes are keyed, the period is 64 s long, MSS is an index in a table: of 2^32 numbers 16
 * are good at a time. The ISN grows with time and with the peer's, so that connections of the
 * same ends follow one another. Without timestamps window scale, SACK and ECN are not offered.
 * No state.
 */
#include "tcp/cookie.h"
#include "tcp/ecn.h"
#include "tcp/isn.h"
#include "tcp/options.h"
#include "tcp/seg.h"
#include "tcp/tstamp.h"
#include "wire/tcp_options.h"

enum {
    PERIODS = 2, /* this one and the last */
    LOW_BITS = 24,
    LOW_MASK = (1 << LOW_BITS) - 1,
    NO_WINDOW_SCALE = 15,
    SACK_BIT = 1 << 4,
    ECN_BIT = 1 << 5,
    TIMESTAMP_MASK = 63,
};

#define PERIOD_NS (COOKIE_LIFE_NS / PERIODS)

/* What most peers announce, and something for the others. */
static const uint16_t mss_table[] = {48, 216, 536, 1220, 1360, 1440, 1460, 8940};

enum { MSS_COUNT = sizeof mss_table / sizeof mss_table[0] };

static uint32_t mss_index(uint16_t mss)
{
    uint32_t i = MSS_COUNT - 1;

    while (i > 0 && mss_table[i] > mss)
        i--;
    return i;
}

static uint32_t period_of(const struct tcp_env *env)
{
    return (uint32_t)((uint64_t)env->now / PERIOD_NS);
}

/* The two hashes: of the ends, and of this SYN. */
static uint32_t base_of(uint64_t ends, seq_t irs)
{
    return (uint32_t)ends + irs.raw;
}

static uint64_t hash_of(const struct tcp_env *env, uint64_t ends, seq_t irs, uint32_t period)
{
    uint64_t words[2] = {ends, (uint64_t)irs.raw << 32 | period};

    return siphash24_words(env->cookie_key, words, 2);
}

static uint32_t low_of(uint64_t hash)
{
    return (uint32_t)hash & LOW_MASK;
}

static uint32_t option_bits(const struct tcp_agreed *a, bool is_classic_ecn)
{
    return (a->wscale_ok ? a->snd_wscale : NO_WINDOW_SCALE) | (a->sack_ok ? SACK_BIT : 0)
           | (is_classic_ecn ? ECN_BIT : 0);
}

/* The clock does not run ahead for it: the next timestamp may come at once. */
static uint32_t timestamp_with(uint32_t clock, uint32_t bits)
{
    uint32_t with_bits = (clock & ~(uint32_t)TIMESTAMP_MASK) | bits;

    return with_bits > clock ? with_bits - (TIMESTAMP_MASK + 1) : with_bits;
}

struct cookie cookie_of(const struct tcp_env *env, uint64_t ends, seq_t irs,
                        const struct tcp_agreed *agreed, bool is_classic_ecn)
{
    uint32_t period = period_of(env);
    uint64_t hash = hash_of(env, ends, irs, period);
    uint32_t low = low_of(hash) + mss_index(agreed->snd_mss);

    return (struct cookie){
        .iss = seq_of(base_of(ends, irs) + (period << LOW_BITS) + (low & LOW_MASK)),
        .ts_val = timestamp_with(tstamp_clock(env->now, 0), option_bits(agreed, is_classic_ecn))
                  + tstamp_offset_of(ends),
        .noise = (uint32_t)(hash >> 32),
    };
}

void cookie_make(struct tcp_halfopen *h, const struct tcp_env *env, uint64_t ends)
{
    struct cookie cookie = cookie_of(env, ends, h->irs, &h->agreed, h->ecn.mode == ECN_CLASSIC);

    h->iss = cookie.iss;
    if (h->agreed.timestamps_ok) { /* the offset makes the clock say it, this once */
        h->ts_offset = cookie.ts_val - tstamp_clock(env->now, 0);
        return;
    }
    h->agreed.wscale_ok = false;
    h->agreed.rcv_wscale = 0;
    h->agreed.sack_ok = false;
    if (h->ecn.mode == ECN_CLASSIC) /* accurate ECN shows in the acknowledgement */
        h->ecn.mode = ECN_NONE;
}

static bool read_mss(const struct tcp_env *env, uint64_t ends, seq_t irs, seq_t iss, uint16_t *mss)
{
    uint32_t sum = iss.raw - base_of(ends, irs);
    uint32_t age = (period_of(env) - (sum >> LOW_BITS)) & (UINT32_MAX >> LOW_BITS);
    uint32_t index;

    if (age >= PERIODS)
        return false;
    index = (sum - low_of(hash_of(env, ends, irs, period_of(env) - age))) & LOW_MASK;
    if (index >= MSS_COUNT)
        return false;
    *mss = mss_table[index];
    return true;
}

/* The options of the SYN, as far as they have come back, and what it asked for. */
static void recall_options(const struct tcp_env *env, uint64_t ends, const struct tcp_seg *ack,
                           struct tcp_options *syn, bool *classic_ecn)
{
    uint32_t bits;

    if (!(ack->opt.present & TCP_HAS_TIMESTAMPS) || !env->config.timestamps)
        return;
    syn->present |= TCP_HAS_TIMESTAMPS;
    bits = (ack->opt.ts_ecr - tstamp_offset_of(ends)) & TIMESTAMP_MASK;
    if ((bits & NO_WINDOW_SCALE) != NO_WINDOW_SCALE) {
        syn->present |= TCP_HAS_WINDOW_SCALE;
        syn->window_scale = bits & NO_WINDOW_SCALE;
    }
    if (bits & SACK_BIT)
        syn->present |= TCP_HAS_SACK_PERMITTED;
    *classic_ecn = (bits & ECN_BIT) != 0;
}

bool cookie_check(const struct tcp_env *env, const struct tcp_conn *model,
                  const struct tcp_tuple *tuple, const struct tcp_seg *ack, uint32_t mtu,
                  struct tcp_halfopen *h)
{
    struct tcp_seg syn = {.seq = seq_sub(ack->seq, 1), .wnd = ack->wnd};
    struct isn isn = {.seq = seq_sub(ack->ack, 1)};
    uint64_t ends = isn_ends(env, tuple);
    bool classic_ecn = false;

    if (!read_mss(env, ends, syn.seq, isn.seq, &syn.opt.mss))
        return false;
    syn.opt.present = TCP_HAS_MSS;
    syn.opt.ts_val = ack->opt.ts_val;
    recall_options(env, ends, ack, &syn.opt, &classic_ecn);
    isn.ts_offset = tstamp_offset_of(ends);
    halfopen_init(h, env, model, tuple, &syn, isn, mtu);
    h->ecn = classic_ecn ? (struct ecn_half){.mode = ECN_CLASSIC}
                         : ecn_half_of_ack(env, tcp_cc(model), ack);
    return true;
}
