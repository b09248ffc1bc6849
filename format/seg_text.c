/*
 * seg_text.c - TCP segments in packetdrill's notation
 *
 * A struct seg_text has the options as the header has them, so that reading and writing
 * need one look-up each: bytes to words in emit_option, words to bytes in take_option.
 */
#include "format/seg_text.h"

#include <ctype.h>
#include <string.h>

#include "base/be.h"
#include "base/cursor.h"
#include "format/text.h"
#include "wire/tcp_options.h"

/* In the order in which they are written. */
static const struct {
    char letter;
    uint16_t flag;
} flag_letters[] = {
    {'F', TCP_FIN}, {'S', TCP_SYN}, {'R', TCP_RST}, {'P', TCP_PSH}, {'.', TCP_ACK},
    {'U', TCP_URG}, {'E', TCP_ECE}, {'W', TCP_CWR}, {'A', TCP_AE},
};

enum {
    FLAG_COUNT = sizeof flag_letters / sizeof *flag_letters,
    FASTOPEN_MAGIC = 0xf989, /* [RFC7413 4.1.1] */
    ACCECN_COUNTERS = 3,
};

static const char accecn_words[2][ACCECN_COUNTERS][4] = {
    {"e0b", "ceb", "e1b"}, /* TCP_OPTION_ACCECN0 */
    {"e1b", "ceb", "e0b"}, /* TCP_OPTION_ACCECN1 */
};

/* ---- struct to text ---- */

static void emit_flags(struct text *t, uint16_t flags)
{
    if ((flags & TCP_FLAGS) == 0)
        text_put_char(t, '-');
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        if (flags & flag_letters[i].flag)
            text_put_char(t, flag_letters[i].letter);
    }
}

static void emit_named_hex(struct text *t, const char *name, struct span value)
{
    text_put(t, name);
    if (value.len > 0)
        text_put_char(t, ' ');
    text_put_hex(t, value.bytes, value.len);
}

static void emit_sack(struct text *t, struct cursor c, uint32_t origin)
{
    text_put(t, "sack");
    while (!cursor_is_at_end(&c)) {
        uint32_t left = cursor_take_be32(&c) - origin;
        uint32_t right = cursor_take_be32(&c) - origin;

        text_putf(t, " %u:%u", left, right);
    }
}

static uint32_t take_u24(struct cursor *c)
{
    uint32_t high = cursor_take_u8(c);

    return high << 16 | cursor_take_be16(c);
}

static void emit_accecn(struct text *t, struct cursor c, uint8_t kind)
{
    text_put(t, "ECN");
    for (size_t i = 0; i < ACCECN_COUNTERS && !cursor_is_at_end(&c); i++)
        text_putf(t, " %s %u", accecn_words[kind == TCP_OPTION_ACCECN1][i], take_u24(&c));
}

static bool is_fastopen_experiment(struct span value)
{
    struct cursor c = cursor_of(value);

    return cursor_take_be16(&c) == FASTOPEN_MAGIC;
}

/* Has the value of an option the length that the kind's name stands for? */
static bool has_named_len(uint8_t kind, struct span value)
{
    switch (kind) {
    case TCP_OPTION_MSS: return value.len == 2;
    case TCP_OPTION_WINDOW_SCALE: return value.len == 1;
    case TCP_OPTION_SACK_PERMITTED: return value.len == 0;
    case TCP_OPTION_SACK: return value.len > 0 && value.len % 8 == 0;
    case TCP_OPTION_TIMESTAMPS: return value.len == 8;
    case TCP_OPTION_MD5:
    case TCP_OPTION_FASTOPEN: return true;
    case TCP_OPTION_ACCECN0: return value.len % 3 == 0 && value.len <= 9;
    case TCP_OPTION_ACCECN1: return value.len % 3 == 0 && value.len <= 9 && value.len > 0;
    case TCP_OPTION_EXPERIMENT: return is_fastopen_experiment(value);
    default: return false;
    }
}

static void emit_option(struct text *t, uint8_t kind, struct span value, uint32_t sack_origin)
{
    struct cursor c = cursor_of(value);

    if (!has_named_len(kind, value)) {
        text_putf(t, "opt %u", kind);
        emit_named_hex(t, "", value);
        return;
    }
    switch (kind) {
    case TCP_OPTION_MSS: text_putf(t, "mss %u", cursor_take_be16(&c)); break;
    case TCP_OPTION_WINDOW_SCALE: text_putf(t, "wscale %u", cursor_take_u8(&c)); break;
    case TCP_OPTION_SACK_PERMITTED: text_put(t, "sackOK"); break;
    case TCP_OPTION_SACK: emit_sack(t, c, sack_origin); break;
    case TCP_OPTION_TIMESTAMPS:
        text_putf(t, "TS val %u", cursor_take_be32(&c));
        text_putf(t, " ecr %u", cursor_take_be32(&c));
        break;
    case TCP_OPTION_MD5: emit_named_hex(t, "md5", value); break;
    case TCP_OPTION_FASTOPEN: emit_named_hex(t, "FO", value); break;
    case TCP_OPTION_EXPERIMENT: emit_named_hex(t, "FOEXP", span_drop(value, 2)); break;
    default: emit_accecn(t, c, kind); break;
    }
}

static void emit_options(struct text *t, struct span options, uint32_t sack_origin)
{
    struct cursor c = cursor_of(options);

    while (!cursor_is_at_end(&c)) {
        struct span rest = cursor_rest(&c);
        uint8_t kind = cursor_take_u8(&c);
        uint8_t len;

        if (rest.len < options.len)
            text_put_char(t, ',');
        if (kind == TCP_OPTION_END || kind == TCP_OPTION_NOP) {
            text_put(t, kind == TCP_OPTION_NOP ? "nop" : "eol");
            continue;
        }
        len = cursor_take_u8(&c);
        if (len < 2 || len > rest.len) {
            emit_named_hex(t, "raw", rest);
            return;
        }
        emit_option(t, kind, cursor_take_span(&c, len - 2u), sack_origin);
    }
}

size_t seg_text_emit(const struct seg_text *seg, const struct seg_origin *origin, char *text,
                     size_t room)
{
    struct seg_origin zero = origin != NULL ? *origin : (struct seg_origin){0, 0};
    uint32_t first = seg->seq - zero.seq;
    struct text t = text_of(text, room);

    emit_flags(&t, seg->flags);
    text_putf(&t, " %u:%u(%u)", first, first + seg->len, seg->len);
    if (seg->says & SEG_SAYS_ACK)
        text_putf(&t, " ack %u", seg->ack - zero.ack);
    if (seg->says & SEG_SAYS_WINDOW)
        text_putf(&t, " win %u", seg->window);
    if (seg->says & SEG_SAYS_URGENT)
        text_putf(&t, " urg %u", seg->urgent);
    if (!(seg->says & SEG_SAYS_OPTIONS)) {
        text_put(&t, " <...>");
    } else if (seg->options_len > 0) {
        text_put(&t, " <");
        emit_options(&t, span_of(seg->options, seg->options_len), zero.ack);
        text_put_char(&t, '>');
    }
    return t.len;
}

/* ---- text to struct ---- */

struct scan {
    const char *text;
    const char *at;
    const char *error; /* the first one; from then on nothing matches */
};

static bool fail(struct scan *s, const char *error)
{
    if (s->error == NULL)
        s->error = error;
    return false;
}

static void skip_blanks(struct scan *s)
{
    while (*s->at == ' ' || *s->at == '\t')
        s->at++;
}

/* Takes a character, after blanks, if it stands there. */
static bool take_char(struct scan *s, char c)
{
    skip_blanks(s);
    if (s->error != NULL || *s->at != c)
        return false;
    s->at++;
    return true;
}

static bool want_char(struct scan *s, char c, const char *error)
{
    return take_char(s, c) || fail(s, error);
}

/* Takes a word, after blanks, if it stands there and ends there. */
static bool take_word(struct scan *s, const char *word)
{
    size_t len = strlen(word);

    skip_blanks(s);
    if (s->error != NULL || strncmp(s->at, word, len) != 0 || isalnum((unsigned char)s->at[len]))
        return false;
    s->at += len;
    return true;
}

static bool want_word(struct scan *s, const char *word, const char *error)
{
    return take_word(s, word) || fail(s, error);
}

static bool is_digit(const struct scan *s)
{
    return *s->at >= '0' && *s->at <= '9';
}

static bool want_number(struct scan *s, uint32_t max, uint32_t *number)
{
    uint64_t value = 0;
    const char *start;

    skip_blanks(s);
    start = s->at;
    while (s->error == NULL && is_digit(s) && value <= max)
        value = value * 10 + (uint64_t)(*s->at++ - '0');
    if (s->error == NULL && value > max) {
        s->at = start;
        return fail(s, "the number is too large");
    }
    *number = (uint32_t)value;
    return s->at > start || fail(s, "a number is expected");
}

static bool want_u16(struct scan *s, uint16_t *number)
{
    uint32_t value = 0;
    bool ok = want_number(s, UINT16_MAX, &value);

    *number = (uint16_t)value;
    return ok;
}

/* The flag that a letter stands for; 0 if none. */
static uint16_t flag_of(char letter)
{
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        if (flag_letters[i].letter == letter)
            return flag_letters[i].flag;
    }
    return 0;
}

/* The three bits of the ACE counter: AE, CWR, ECE [RFC9768 3.1.1]. */
static uint16_t flags_of_ace(char digit)
{
    int ace = digit - '0';

    return (uint16_t)((ace & 4 ? TCP_AE : 0) | (ace & 2 ? TCP_CWR : 0) | (ace & 1 ? TCP_ECE : 0));
}

/* Does a letter or a digit say what has been said already? */
static bool is_repeated(uint16_t seen, bool seen_digit, uint16_t flags, bool digit)
{
    const uint16_t ace = TCP_AE | TCP_CWR | TCP_ECE;

    if (seen_digit && (digit || (flags & ace)))
        return true;
    return (seen & (digit ? ace : flags)) != 0;
}

static bool take_flags(struct scan *s, struct seg_text *seg)
{
    bool seen_digit = false;

    if (take_char(s, '-'))
        return true;
    if (*s->at == '\0')
        return fail(s, "flags are expected");
    for (; *s->at != ' ' && *s->at != '\t' && *s->at != '\0'; s->at++) {
        bool digit = *s->at >= '0' && *s->at <= '7';
        uint16_t flags = digit ? flags_of_ace(*s->at) : flag_of(*s->at);

        if (!digit && flags == 0)
            return fail(s, "this is not a flag: F S R P . U E W A, a digit, or - for none");
        if (is_repeated(seg->flags, seen_digit, flags, digit))
            return fail(s, "the flag is there twice");
        seg->flags |= flags;
        seen_digit = seen_digit || digit;
    }
    return true;
}

static bool take_sequence(struct scan *s, const struct seg_origin *zero, struct seg_text *seg)
{
    uint32_t first, end;
    const char *end_at;

    if (!want_number(s, UINT32_MAX, &first)
        || !want_char(s, ':', "a colon and the number after the last byte are expected"))
        return false;
    skip_blanks(s);
    end_at = s->at;
    if (!want_number(s, UINT32_MAX, &end)
        || !want_char(s, '(', "the number of bytes in parentheses is expected")
        || !want_number(s, UINT32_MAX, &seg->len)
        || !want_char(s, ')', "a closing parenthesis is expected"))
        return false;
    if (first + seg->len != end) {
        s->at = end_at;
        return fail(s, "the numbers and the length contradict each other");
    }
    seg->seq = first + zero->seq;
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Bytes in hexadecimal, or none. */
static bool take_hex(struct scan *s, struct writer *w)
{
    skip_blanks(s);
    for (; hex_digit(*s->at) >= 0; s->at += 2) {
        if (hex_digit(s->at[1]) < 0)
            return fail(s, "a byte has two hexadecimal digits");
        writer_put_u8(w, (uint8_t)(hex_digit(s->at[0]) << 4 | hex_digit(s->at[1])));
    }
    return true;
}

static bool take_mss(struct scan *s, struct writer *w)
{
    uint16_t mss;

    if (!want_u16(s, &mss))
        return false;
    writer_put_be16(w, mss);
    return true;
}

static bool take_wscale(struct scan *s, struct writer *w)
{
    uint32_t shift;

    if (!want_number(s, UINT8_MAX, &shift))
        return false;
    writer_put_u8(w, (uint8_t)shift);
    return true;
}

static bool take_sack(struct scan *s, struct writer *w, uint32_t origin)
{
    uint32_t left, right;

    do {
        if (!want_number(s, UINT32_MAX, &left)
            || !want_char(s, ':', "a colon and the block's end are expected")
            || !want_number(s, UINT32_MAX, &right))
            return false;
        writer_put_be32(w, left + origin);
        writer_put_be32(w, right + origin);
        skip_blanks(s);
    } while (is_digit(s));
    return true;
}

static bool take_timestamps(struct scan *s, struct writer *w)
{
    uint32_t val, ecr;

    if (!want_word(s, "val", "val is expected") || !want_number(s, UINT32_MAX, &val)
        || !want_word(s, "ecr", "ecr is expected") || !want_number(s, UINT32_MAX, &ecr))
        return false;
    writer_put_be32(w, val);
    writer_put_be32(w, ecr);
    return true;
}

/* The counters' order says which of the two kinds it is. */
static bool take_accecn(struct scan *s, struct writer *w, uint8_t *kind)
{
    const char *start;
    uint32_t count;
    bool second;

    skip_blanks(s);
    start = s->at;
    second = take_word(s, "e1b");
    s->at = start;
    *kind = second ? TCP_OPTION_ACCECN1 : TCP_OPTION_ACCECN0;
    for (size_t i = 0; i < ACCECN_COUNTERS && take_word(s, accecn_words[second][i]); i++) {
        if (!want_number(s, 0xffffff, &count))
            return false;
        writer_put_u8(w, (uint8_t)(count >> 16));
        writer_put_be16(w, (uint16_t)count);
    }
    return true;
}

static bool take_unnamed(struct scan *s, struct writer *w, uint8_t *kind)
{
    uint32_t number;

    if (!want_number(s, UINT8_MAX, &number))
        return false;
    if (number == TCP_OPTION_END || number == TCP_OPTION_NOP)
        return fail(s, "this kind is written eol or nop");
    *kind = (uint8_t)number;
    return take_hex(s, w);
}

/* The value of an option that has a length, after its name. Sets *kind; false without a match. */
static bool take_valued_option(struct scan *s, struct writer *w, uint32_t origin, uint8_t *kind)
{
    static const struct {
        const char *name;
        uint8_t kind;
    } names[] = {
        {"mss", TCP_OPTION_MSS},
        {"wscale", TCP_OPTION_WINDOW_SCALE},
        {"sackOK", TCP_OPTION_SACK_PERMITTED},
        {"sack", TCP_OPTION_SACK},
        {"TS", TCP_OPTION_TIMESTAMPS},
        {"md5", TCP_OPTION_MD5},
        {"FO", TCP_OPTION_FASTOPEN},
        {"FOEXP", TCP_OPTION_EXPERIMENT},
        {"ECN", TCP_OPTION_ACCECN0},
        {"opt", 0},
    };
    size_t i = 0;

    while (i < sizeof names / sizeof *names && !take_word(s, names[i].name))
        i++;
    if (i == sizeof names / sizeof *names)
        return fail(s, "an option is expected");
    *kind = names[i].kind;
    switch (*kind) {
    case TCP_OPTION_MSS: return take_mss(s, w);
    case TCP_OPTION_WINDOW_SCALE: return take_wscale(s, w);
    case TCP_OPTION_SACK_PERMITTED: return true;
    case TCP_OPTION_SACK: return take_sack(s, w, origin);
    case TCP_OPTION_TIMESTAMPS: return take_timestamps(s, w);
    case TCP_OPTION_ACCECN0: return take_accecn(s, w, kind);
    case 0: return take_unnamed(s, w, kind);
    case TCP_OPTION_EXPERIMENT: writer_put_be16(w, FASTOPEN_MAGIC); return take_hex(s, w);
    default: return take_hex(s, w);
    }
}

static bool take_option(struct scan *s, struct writer *w, uint32_t origin)
{
    uint8_t *head;
    uint8_t kind = 0;
    size_t before;

    if (take_word(s, "nop") || take_word(s, "eol")) {
        writer_put_u8(w, s->at[-1] == 'p' ? TCP_OPTION_NOP : TCP_OPTION_END);
        return true;
    }
    if (take_word(s, "raw"))
        return take_hex(s, w);
    before = w->written;
    head = writer_take(w, 2);
    if (!take_valued_option(s, w, origin, &kind))
        return false;
    if (head != NULL && !w->failed) {
        head[0] = kind;
        head[1] = (uint8_t)(w->written - before);
    }
    return true;
}

static bool take_options(struct scan *s, const struct seg_origin *zero, struct seg_text *seg)
{
    struct writer w = writer_of(seg->options, sizeof seg->options);
    const char *start = s->at;

    if (take_char(s, '.')) {
        seg->says &= (uint8_t)~SEG_SAYS_OPTIONS;
        for (int dots = 1; dots < 3; dots++) {
            if (!want_char(s, '.', "<...> is expected"))
                return false;
        }
        return want_char(s, '>', "a closing > is expected");
    }
    do {
        if (!take_option(s, &w, zero->ack))
            return false;
    } while (take_char(s, ','));
    if (!want_char(s, '>', "a comma or a closing > is expected"))
        return false;
    if (w.failed) {
        s->at = start;
        return fail(s, "the options are longer than 40 bytes");
    }
    seg->options_len = (uint8_t)w.written;
    return true;
}

/* What may follow the sequence numbers, in this order. */
static bool take_rest(struct scan *s, const struct seg_origin *zero, struct seg_text *seg)
{
    if (take_word(s, "ack")) {
        seg->says |= SEG_SAYS_ACK;
        if (!want_number(s, UINT32_MAX, &seg->ack))
            return false;
        seg->ack += zero->ack;
    }
    if (take_word(s, "win")) {
        seg->says |= SEG_SAYS_WINDOW;
        if (!want_u16(s, &seg->window))
            return false;
    }
    if (take_word(s, "urg")) {
        seg->says |= SEG_SAYS_URGENT;
        if (!want_u16(s, &seg->urgent))
            return false;
    }
    if (take_char(s, '<') && !take_options(s, zero, seg))
        return false;
    skip_blanks(s);
    return *s->at == '\0' || fail(s, "ack, win, urg, options or the end is expected");
}

bool seg_text_parse(const char *text, const struct seg_origin *origin, struct seg_text *seg,
                    struct seg_error *error)
{
    struct seg_origin zero = origin != NULL ? *origin : (struct seg_origin){0, 0};
    struct scan s = {text, text, NULL};

    memset(seg, 0, sizeof *seg);
    seg->says = SEG_SAYS_OPTIONS;
    if (take_flags(&s, seg) && take_sequence(&s, &zero, seg) && take_rest(&s, &zero, seg))
        return true;
    if (error != NULL)
        *error = (struct seg_error){(size_t)(s.at - text), s.error};
    return false;
}

/* ---- comparison and headers ---- */

/* The same bytes in a header, which is padded to whole words with zeros. */
static bool same_options(const struct seg_text *a, const struct seg_text *b)
{
    uint8_t padded[2][TCP_OPTIONS_MAX] = {{0}};

    memcpy(padded[0], a->options, a->options_len);
    memcpy(padded[1], b->options, b->options_len);
    return (a->options_len + 3) / 4 == (b->options_len + 3) / 4
           && memcmp(padded[0], padded[1], TCP_OPTIONS_MAX) == 0;
}

const char *seg_text_differs(const struct seg_text *want, const struct seg_text *seen)
{
    if (want->flags != seen->flags)
        return "flags";
    if (want->seq != seen->seq)
        return "seq";
    if (want->len != seen->len)
        return "len";
    if ((want->says & SEG_SAYS_ACK) && want->ack != seen->ack)
        return "ack";
    if ((want->says & SEG_SAYS_WINDOW) && want->window != seen->window)
        return "win";
    if ((want->says & SEG_SAYS_URGENT) && want->urgent != seen->urgent)
        return "urg";
    if ((want->says & SEG_SAYS_OPTIONS) && !same_options(want, seen))
        return "options";
    return NULL;
}

struct seg_text seg_text_of(const struct tcp_header *header)
{
    struct seg_text seg = {
        .seq = header->seq,
        .ack = header->ack,
        .len = (uint32_t)header->payload_len,
        .flags = header->flags & TCP_FLAGS,
        .window = header->window,
        .urgent = header->urgent,
        .says = SEG_SAYS_WINDOW | SEG_SAYS_OPTIONS,
        .options_len = (uint8_t)span_take(header->options, TCP_OPTIONS_MAX).len,
    };

    if (header->flags & TCP_ACK)
        seg.says |= SEG_SAYS_ACK;
    if (header->flags & TCP_URG)
        seg.says |= SEG_SAYS_URGENT;
    if (seg.options_len > 0)
        memcpy(seg.options, header->options.bytes, seg.options_len);
    return seg;
}

struct tcp_header seg_text_header(const struct seg_text *seg)
{
    return (struct tcp_header){
        .seq = seg->seq,
        .ack = seg->ack,
        .flags = seg->flags,
        .window = seg->window,
        .urgent = seg->urgent,
        .header_len = (uint8_t)(TCP_HEADER_LEN + ((seg->options_len + 3u) & ~3u)),
        .options = span_of(seg->options, seg->options_len),
        .payload_len = seg->len,
    };
}
