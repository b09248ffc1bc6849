/*
 * log.c - the file of a recording: records, one after the other, each with a check
 */
#include "replay/log.h"

#include <string.h>

#include "replay/digest.h"

/* As PNG's: shows a transfer that took the file for text, and that this is none. */
static const uint8_t magic[8] = {0x8d, 'W', 'E', 'I', 'R', '\r', '\n', 0x1a};

enum {
    CHECK_LEN = 4,
    LENGTH_LEN = 4,
};

/* ---- numbers ---- */

void log_put_number(struct writer *w, uint64_t value)
{
    while (value >= 0x80) {
        writer_put_u8(w, (uint8_t)(value | 0x80));
        value >>= 7;
    }
    writer_put_u8(w, (uint8_t)value);
}

/* 0, -1, 1, -2, 2: small numbers of either sign stay short. */
void log_put_signed(struct writer *w, int64_t value)
{
    uint64_t bits = (uint64_t)value;

    log_put_number(w, value < 0 ? ~(bits << 1) : bits << 1);
}

uint64_t log_take_number(struct cursor *c)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = cursor_take_u8(c);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    c->failed = true;
    return 0;
}

int64_t log_take_signed(struct cursor *c)
{
    uint64_t bits = log_take_number(c);

    return (int64_t)(bits & 1 ? ~(bits >> 1) : bits >> 1);
}

uint64_t log_take_up_to(struct cursor *c, uint64_t last)
{
    uint64_t value = log_take_number(c);

    if (value <= last)
        return value;
    c->failed = true;
    return 0;
}

/* ---- writing ---- */

void log_emit_header(struct writer *w)
{
    writer_put_bytes(w, magic, sizeof magic);
    writer_put_be32(w, LOG_VERSION);
    writer_put_be32(w, 0);
}

void log_begin(struct writer *w, uint8_t kind)
{
    writer_put_be32(w, 0);
    writer_put_u8(w, kind);
}

static uint32_t check_of(const uint8_t *bytes, size_t len, uint64_t index)
{
    struct digest d;

    digest_init(&d, index);
    digest_add(&d, bytes, len);
    return (uint32_t)digest_get(&d);
}

void log_finish(struct writer *w, uint8_t *start, uint64_t index)
{
    size_t len = (size_t)(w->at - start) - LENGTH_LEN; /* kind and body */
    be32_t length = be32_of((uint32_t)len);

    writer_put_be32(w, check_of(start + LENGTH_LEN, len, index));
    memcpy(start, &length, sizeof length);
}

/* ---- reading ---- */

enum log_result log_open(struct log_reader *r, struct span file)
{
    uint8_t first[sizeof magic];

    *r = (struct log_reader){.rest = cursor_of(file), .len = file.len};
    cursor_take_bytes(&r->rest, first, sizeof first);
    if (r->rest.failed || memcmp(first, magic, sizeof magic) != 0)
        return LOG_FOREIGN;
    if (cursor_take_be32(&r->rest) != LOG_VERSION)
        return r->rest.failed ? LOG_CUT : LOG_NEWER;
    (void)cursor_take_be32(&r->rest);
    return r->rest.failed ? LOG_CUT : LOG_RECORD;
}

enum log_result log_next(struct log_reader *r, struct log_record *record)
{
    struct cursor c = r->rest;
    uint32_t length = cursor_take_be32(&c);
    struct span bytes;
    uint32_t check;

    record->offset = r->len - r->rest.left;
    if (r->is_over)
        return LOG_OVER;
    if (c.failed || length == 0)
        return LOG_CUT;
    bytes = cursor_take_span(&c, length);
    check = cursor_take_be32(&c);
    if (c.failed)
        return LOG_CUT;
    if (!r->skips_checks && check != check_of(bytes.bytes, bytes.len, r->index))
        return LOG_DAMAGED;
    record->kind = bytes.bytes[0];
    record->body = cursor_of(span_drop(bytes, 1));
    if (record->kind == LOG_END) {
        r->is_over = true;
        return LOG_OVER;
    }
    r->rest = c;
    r->index++;
    return LOG_RECORD;
}

bool log_peek(const struct log_reader *r, uint8_t *kind)
{
    struct cursor c = r->rest;

    if (r->is_over || cursor_take_be32(&c) == 0)
        return false;
    *kind = cursor_take_u8(&c);
    return !c.failed;
}
