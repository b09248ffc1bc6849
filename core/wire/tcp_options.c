/*
 * tcp_options.c - TCP options
 *
 *   MSS [RFC9293 3.7.1], window scale and timestamps [RFC7323], SACK [RFC2018],
 *   MD5 [RFC2385], AO [RFC5925], user timeout [RFC5482], Fast Open [RFC7413],
 *   accurate ECN [RFC9768]
 *
 * All options but the first two kinds have a length after their kind [RFC9293 MUST-68], and
 * none need be aligned [RFC9293 MUST-64].
 */
#include "wire/tcp_options.h"

#include <string.h>

#include "base/be.h"
#include "base/parts.h"
#include "wire/tcp.h"

enum {
    HEAD_LEN = 2, /* kind and length */
    MSS_LEN = 2,  /* of the values, without these two */
    WINDOW_SCALE_LEN = 1,
    SACK_BLOCK_LEN = 8,
    TIMESTAMPS_LEN = 8,
    USER_TIMEOUT_LEN = 2,
    AO_MIN = 2,
    ACCECN_COUNTER_LEN = 3,
    ACCECN_MAX = 9,
    MAGIC_LEN = 2,
    FASTOPEN_MAGIC = 0xf989, /* [RFC7413 appendix A.1] */
};

/* MSS, SACK, timestamps and a window scale: all that nearly every SYN and SYN-ACK offers. */
enum {
    SYN_SET = TCP_HAS_MSS | TCP_HAS_SACK_PERMITTED | TCP_HAS_TIMESTAMPS | TCP_HAS_WINDOW_SCALE,
    SYN_LEN = 20,
    SYN_MSS_AT = 2,
    SYN_TIMESTAMPS_AT = 8,
    SYN_SCALE_AT = 19,
};

/* How these are laid out, with zeros for the values. */
static const uint8_t syn_form[SYN_LEN] = {TCP_OPTION_MSS,
                                          4,
                                          0,
                                          0,
                                          TCP_OPTION_SACK_PERMITTED,
                                          2,
                                          TCP_OPTION_TIMESTAMPS,
                                          10,
                                          0,
                                          0,
                                          0,
                                          0,
                                          0,
                                          0,
                                          0,
                                          0,
                                          1,
                                          TCP_OPTION_WINDOW_SCALE,
                                          3,
                                          0};

static uint16_t read_be16(const uint8_t *bytes)
{
    return be16_get(*(const be16_t *)(const void *)bytes);
}

static uint32_t read_be32(const uint8_t *bytes)
{
    return be32_get(*(const be32_t *)(const void *)bytes);
}

static void write_be16(uint8_t *bytes, uint16_t value)
{
    *(be16_t *)(void *)bytes = be16_of(value);
}

static void write_be32(uint8_t *bytes, uint32_t value)
{
    *(be32_t *)(void *)bytes = be32_of(value);
}

/* Is this an option to read: the first of its kind, with a length that fits the kind? */
static bool claim(struct tcp_options *out, enum tcp_option_bit bit, bool len_fits)
{
    if (!len_fits)
        out->malformed = true;
    if (!len_fits || (out->present & bit))
        return false;
    out->present |= (uint16_t)bit;
    return true;
}

static bool is_cookie_len(size_t len)
{
    return len == 0 || (len >= TCP_FASTOPEN_MIN && len <= TCP_FASTOPEN_MAX && len % 2 == 0);
}

static bool is_sack_len(size_t len)
{
    return len >= SACK_BLOCK_LEN && len % SACK_BLOCK_LEN == 0
           && len <= TCP_SACK_MAX * SACK_BLOCK_LEN;
}

static bool is_accecn_len(size_t len)
{
    return len <= ACCECN_MAX && len % ACCECN_COUNTER_LEN == 0;
}

/* What is left over is for extensions that there may be one day. */
static struct span whole_counters(struct span value)
{
    size_t len = value.len < ACCECN_MAX ? value.len : ACCECN_MAX;

    return span_take(value, len - len % ACCECN_COUNTER_LEN);
}

static void read_timestamps(const uint8_t *value, struct tcp_options *out)
{
    out->ts_val = read_be32(value);
    out->ts_ecr = read_be32(value + 4);
}

static void read_sack(struct span value, struct tcp_options *out)
{
    out->sack_count = (uint8_t)(value.len / SACK_BLOCK_LEN);
    for (size_t i = 0; i < out->sack_count; i++) {
        const uint8_t *block = value.bytes + i * SACK_BLOCK_LEN;

        out->sack[i] = (struct tcp_sack_block){read_be32(block), read_be32(block + 4)};
    }
}

static bool take_fastopen(struct tcp_options *out, struct span cookie, bool is_experimental)
{
    if (!HAS_FASTOPEN || !claim(out, TCP_HAS_FASTOPEN, is_cookie_len(cookie.len)))
        return false;
    out->fastopen = cookie;
    out->fastopen_is_experimental = is_experimental;
    return true;
}

/* The options of few connections. Returns false if the option is skipped. */
static bool take_rare(struct tcp_options *out, uint8_t kind, struct span value)
{
    switch (kind) {
    case TCP_OPTION_MD5:
        if (!HAS_AUTH || !claim(out, TCP_HAS_MD5, value.len == TCP_MD5_LEN))
            return false;
        out->md5 = value;
        return true;
    case TCP_OPTION_AO:
        if (!HAS_AUTH || !claim(out, TCP_HAS_AO, value.len >= AO_MIN))
            return false;
        out->ao = value;
        return true;
    case TCP_OPTION_USER_TIMEOUT:
        if (!HAS_USER_TIMEOUT || !claim(out, TCP_HAS_USER_TIMEOUT, value.len == USER_TIMEOUT_LEN))
            return false;
        out->user_timeout = read_be16(value.bytes);
        return true;
    case TCP_OPTION_ACCECN0:
    case TCP_OPTION_ACCECN1:
        if (!HAS_ECN || !claim(out, TCP_HAS_ACCECN, true))
            return false;
        out->accecn = whole_counters(value); /* of any length [RFC9768 3.2.3] */
        out->accecn_kind = kind;
        return true;
    case TCP_OPTION_FASTOPEN: return take_fastopen(out, value, false);
    case TCP_OPTION_EXPERIMENT:
        return value.len >= MAGIC_LEN && read_be16(value.bytes) == FASTOPEN_MAGIC
               && take_fastopen(out, span_drop(value, MAGIC_LEN), true);
    default: return false; /* [RFC9293 MUST-6] */
    }
}

static bool take(struct tcp_options *out, uint8_t kind, struct span value)
{
    switch (kind) {
    case TCP_OPTION_MSS: /* [RFC9293 MUST-4] */
        if (!claim(out, TCP_HAS_MSS, value.len == MSS_LEN))
            return false;
        out->mss = read_be16(value.bytes);
        return true;
    case TCP_OPTION_WINDOW_SCALE:
        if (!claim(out, TCP_HAS_WINDOW_SCALE, value.len == WINDOW_SCALE_LEN))
            return false;
        out->window_scale = value.bytes[0];
        return true;
    case TCP_OPTION_SACK_PERMITTED: return claim(out, TCP_HAS_SACK_PERMITTED, value.len == 0);
    case TCP_OPTION_SACK:
        if (!claim(out, TCP_HAS_SACK, is_sack_len(value.len)))
            return false;
        read_sack(value, out);
        return true;
    case TCP_OPTION_TIMESTAMPS:
        if (!HAS_TIMESTAMPS || !claim(out, TCP_HAS_TIMESTAMPS, value.len == TIMESTAMPS_LEN))
            return false;
        read_timestamps(value.bytes, out);
        return true;
    default: return take_rare(out, kind, value);
    }
}

/* All but the blocks of SACK, of which there are as many as are counted. */
static void clear(struct tcp_options *out)
{
    out->present = 0;
    out->malformed = false;
    out->skipped_count = 0;
    out->window_scale = 0;
    out->sack_count = 0;
    out->mss = 0;
    out->ts_val = 0;
    out->ts_ecr = 0;
    out->user_timeout = 0;
    out->accecn_kind = 0;
    out->fastopen_is_experimental = false;
    out->fastopen = span_none();
    out->accecn = span_none();
    out->md5 = span_none();
    out->ao = span_none();
}

/* Is it what we would say? Others may have the same options in another order. */
static bool is_syn_form(const uint8_t *at)
{
    return memcmp(at, syn_form, SYN_MSS_AT) == 0
           && memcmp(at + 4, syn_form + 4, SYN_TIMESTAMPS_AT - 4) == 0
           && memcmp(at + 16, syn_form + 16, SYN_SCALE_AT - 16) == 0;
}

static void read_syn_form(const uint8_t *at, struct tcp_options *out)
{
    out->present = SYN_SET;
    out->mss = read_be16(at + SYN_MSS_AT);
    read_timestamps(at + SYN_TIMESTAMPS_AT, out);
    out->window_scale = at[SYN_SCALE_AT];
}

static void write_syn_form(const struct tcp_options *o, uint8_t *out)
{
    memcpy(out, syn_form, SYN_LEN);
    write_be16(out + SYN_MSS_AT, o->mss);
    write_be32(out + SYN_TIMESTAMPS_AT, o->ts_val);
    write_be32(out + SYN_TIMESTAMPS_AT + 4, o->ts_ecr);
    out[SYN_SCALE_AT] = o->window_scale;
}

void tcp_options_parse(struct span options, struct tcp_options *out)
{
    const uint8_t *at = options.bytes;
    size_t left = options.len;

    clear(out);
    if (HAS_TIMESTAMPS && left == TCP_TIMESTAMPS_LEN && read_be32(at) == TCP_TIMESTAMPS_START) {
        out->present = TCP_HAS_TIMESTAMPS;
        read_timestamps(at + 4, out);
        return;
    }
    if (HAS_TIMESTAMPS && left == SYN_LEN && is_syn_form(at)) {
        read_syn_form(at, out);
        return;
    }
    while (left > 0 && *at != TCP_OPTION_END) { /* [RFC9293 MUST-4] */
        size_t len = 1;

        if (*at != TCP_OPTION_NOP) {
            /* [RFC9293 MUST-7] */
            if (left < HEAD_LEN || at[1] < HEAD_LEN || at[1] > left) {
                out->malformed = true;
                return;
            }
            len = at[1];
            if (!take(out, at[0], span_of(at + HEAD_LEN, len - HEAD_LEN)))
                out->skipped_count++;
        }
        at += len;
        left -= len;
    }
}

/* Lays options out one after another; counts only, without out or beyond its end. */
struct layout {
    uint8_t *out;
    size_t at;
};

static void add_nops_to(struct layout *l, size_t at)
{
    for (; l->at < at; l->at++) {
        if (l->out != NULL && l->at < TCP_OPTIONS_MAX)
            l->out[l->at] = TCP_OPTION_NOP;
    }
}

static void add_nops(struct layout *l)
{
    add_nops_to(l, (l->at + 3) / 4 * 4);
}

/* Where the option's value of len bytes is to be written, or NULL. */
static uint8_t *add(struct layout *l, uint8_t kind, size_t len)
{
    size_t at = l->at;

    l->at += HEAD_LEN + len;
    if (l->out == NULL || l->at > TCP_OPTIONS_MAX)
        return NULL;
    l->out[at] = kind;
    l->out[at + 1] = (uint8_t)(HEAD_LEN + len);
    return l->out + at + HEAD_LEN;
}

/* The same after as many NOPs as make the option end with a whole word. */
static uint8_t *add_aligned(struct layout *l, uint8_t kind, size_t len)
{
    size_t end = (l->at + HEAD_LEN + len + 3) / 4 * 4;

    add_nops_to(l, end - len - HEAD_LEN);
    return add(l, kind, len);
}

static void add_span(struct layout *l, uint8_t kind, struct span value)
{
    uint8_t *to = add(l, kind, value.len);

    if (to != NULL && value.len > 0)
        memcpy(to, value.bytes, value.len);
}

static void add_timestamps(struct layout *l, const struct tcp_options *o)
{
    uint8_t *to;

    if (o->present & TCP_HAS_SACK_PERMITTED) {
        /* It takes the place of the NOPs. */
        add_nops(l);
        add(l, TCP_OPTION_SACK_PERMITTED, 0);
    }
    to = add_aligned(l, TCP_OPTION_TIMESTAMPS, TIMESTAMPS_LEN);
    if (to != NULL) {
        write_be32(to, o->ts_val);
        write_be32(to + 4, o->ts_ecr);
    }
}

static void add_sack(struct layout *l, const struct tcp_options *o, uint8_t count)
{
    uint8_t *to = add_aligned(l, TCP_OPTION_SACK, (size_t)count * SACK_BLOCK_LEN);

    for (size_t i = 0; to != NULL && i < count; i++) {
        write_be32(to + i * SACK_BLOCK_LEN, o->sack[i].left);
        write_be32(to + i * SACK_BLOCK_LEN + 4, o->sack[i].right);
    }
}

static void add_fastopen(struct layout *l, const struct tcp_options *o)
{
    uint8_t *to;

    if (!o->fastopen_is_experimental) {
        add_span(l, TCP_OPTION_FASTOPEN, o->fastopen);
        return;
    }
    to = add(l, TCP_OPTION_EXPERIMENT, MAGIC_LEN + o->fastopen.len);
    if (to == NULL)
        return;
    write_be16(to, FASTOPEN_MAGIC);
    if (o->fastopen.len > 0)
        memcpy(to + MAGIC_LEN, o->fastopen.bytes, o->fastopen.len);
}

static void add_mss(struct layout *l, uint16_t mss)
{
    uint8_t *to = add(l, TCP_OPTION_MSS, MSS_LEN);

    if (to != NULL)
        write_be16(to, mss);
}

static void add_window_scale(struct layout *l, uint8_t scale)
{
    uint8_t *to = add_aligned(l, TCP_OPTION_WINDOW_SCALE, WINDOW_SCALE_LEN);

    if (to != NULL)
        *to = scale;
}

static void add_user_timeout(struct layout *l, uint16_t timeout)
{
    uint8_t *to = add_aligned(l, TCP_OPTION_USER_TIMEOUT, USER_TIMEOUT_LEN);

    if (to != NULL)
        write_be16(to, timeout);
}

static void add_authentication(struct layout *l, const struct tcp_options *o)
{
    if (o->present & TCP_HAS_MD5) {
        add_nops_to(l, 2);
        add_span(l, TCP_OPTION_MD5, o->md5);
    }
    if (o->present & TCP_HAS_AO) {
        add_span(l, TCP_OPTION_AO, o->ao);
        add_nops(l);
    }
}

/*
 * The one place that knows the order. Nothing follows an end-of-options here, so there
 * is no padding that could be other than zero. Returns the length.
 */
static size_t lay_out(const struct tcp_options *o, uint8_t sack_count, uint8_t *out)
{
    struct layout l = {out, 0};

    if (HAS_AUTH)
        add_authentication(&l, o);
    if (o->present & TCP_HAS_MSS)
        add_mss(&l, o->mss);
    if (HAS_TIMESTAMPS && (o->present & TCP_HAS_TIMESTAMPS))
        add_timestamps(&l, o);
    if (HAS_ECN && (o->present & TCP_HAS_ACCECN))
        add_span(&l, o->accecn_kind, o->accecn);
    if ((o->present & (TCP_HAS_SACK_PERMITTED | TCP_HAS_TIMESTAMPS)) == TCP_HAS_SACK_PERMITTED)
        add_aligned(&l, TCP_OPTION_SACK_PERMITTED, 0);
    if (o->present & TCP_HAS_WINDOW_SCALE)
        add_window_scale(&l, o->window_scale);
    if (sack_count > 0)
        add_sack(&l, o, sack_count);
    if (HAS_FASTOPEN && (o->present & TCP_HAS_FASTOPEN))
        add_fastopen(&l, o);
    if (HAS_USER_TIMEOUT && (o->present & TCP_HAS_USER_TIMEOUT))
        add_user_timeout(&l, o->user_timeout);
    add_nops(&l);
    return l.at;
}

static uint8_t sack_count_of(const struct tcp_options *o)
{
    return o->present & TCP_HAS_SACK ? o->sack_count : 0;
}

/* Could these have been received? */
static bool values_fit(const struct tcp_options *o)
{
    if ((o->present & TCP_HAS_SACK) && (o->sack_count == 0 || o->sack_count > TCP_SACK_MAX))
        return false;
    if (HAS_FASTOPEN && (o->present & TCP_HAS_FASTOPEN) && !is_cookie_len(o->fastopen.len))
        return false;
    if (HAS_ECN && (o->present & TCP_HAS_ACCECN) && !is_accecn_len(o->accecn.len))
        return false;
    if (HAS_AUTH && (o->present & TCP_HAS_MD5) && o->md5.len != TCP_MD5_LEN)
        return false;
    return !HAS_AUTH || !(o->present & TCP_HAS_AO) || o->ao.len >= AO_MIN;
}

bool tcp_options_emit(const struct tcp_options *options, uint8_t *out, size_t *len)
{
    if (HAS_TIMESTAMPS && options->present == TCP_HAS_TIMESTAMPS) {
        write_be32(out, TCP_TIMESTAMPS_START);
        write_be32(out + 4, options->ts_val);
        write_be32(out + 8, options->ts_ecr);
        *len = TCP_TIMESTAMPS_LEN;
        return true;
    }
    if (HAS_TIMESTAMPS && options->present == SYN_SET) {
        write_syn_form(options, out);
        *len = SYN_LEN;
        return true;
    }
    if (!values_fit(options))
        return false;
    *len = lay_out(options, sack_count_of(options), out);
    return *len <= TCP_OPTIONS_MAX;
}

size_t tcp_options_len(const struct tcp_options *options)
{
    if (HAS_TIMESTAMPS && options->present == TCP_HAS_TIMESTAMPS)
        return TCP_TIMESTAMPS_LEN;
    if (HAS_TIMESTAMPS && options->present == SYN_SET)
        return SYN_LEN;
    return lay_out(options, sack_count_of(options), NULL);
}

uint8_t tcp_options_sack_room(const struct tcp_options *options)
{
    uint8_t count = TCP_SACK_MAX;

    while (count > 0 && lay_out(options, count, NULL) > TCP_OPTIONS_MAX)
        count--;
    return count;
}
