/*
 * flow.c - what goes over a connection of the interop tests, and whether it arrived
 *
 * Streams are windows into one table of random bytes that repeats; its length is no
 * multiple of anything a stack cuts data into, so that a piece out of its place shows.
 */
#include "interop/flow.h"

#include <string.h>

enum { TABLE_LEN = (1 << 20) - 3 };

static uint8_t table[TABLE_LEN];

static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static void fill_table(void)
{
    for (size_t i = 0; i < TABLE_LEN; i++)
        table[i] = (uint8_t)mix(i);
}

/* The bytes of a stream at offset, and how many there are before the table ends. */
static size_t stream_at(uint64_t stream, uint64_t offset, const uint8_t **bytes)
{
    size_t at = (size_t)((mix(stream) % TABLE_LEN + offset) % TABLE_LEN);

    *bytes = table + at;
    return TABLE_LEN - at;
}

static uint64_t stream_of(const struct flow *f, bool of_connector)
{
    return (uint64_t)f->id << 1 | (of_connector ? 0 : 1);
}

static size_t at_most(size_t len, uint64_t max)
{
    return len < max ? len : (size_t)max;
}

void flow_init(struct flow *f, const struct flow_plan *plan, uint32_t id)
{
    if (table[0] == 0 && table[1] == 0)
        fill_table();
    memset(f, 0, sizeof *f);
    f->plan = plan;
    f->id = id;
    memcpy(f->header, "WEIR", 4);
    for (int i = 0; i < 4; i++)
        f->header[4 + i] = (uint8_t)(id >> 8 * (3 - i));
}

static void take_header(struct flow *f)
{
    if (memcmp(f->header, "WEIR", 4) != 0) {
        f->wrong = "the connection begins with something else";
        return;
    }
    f->id = 0;
    for (int i = 0; i < 4; i++)
        f->id = f->id << 8 | f->header[4 + i];
}

static bool knows_id(const struct flow *f)
{
    return f->header_len == sizeof f->header;
}

/* How many bytes of its stream a flow may send in all, as things stand. */
static uint64_t send_limit(const struct flow *f)
{
    uint64_t limit = f->plan->echoes ? f->received : f->plan->send_bytes;

    if (f->plan->window != 0 && f->received + f->plan->window < limit)
        limit = f->received + f->plan->window;
    return limit;
}

size_t flow_next(const struct flow *f, const uint8_t **bytes)
{
    uint64_t limit = send_limit(f);
    size_t len;

    if (!knows_id(f)) {
        *bytes = f->header + f->header_len;
        return f->plan->connects ? sizeof f->header - f->header_len : 0;
    }
    len = stream_at(stream_of(f, f->plan->connects != f->plan->echoes), f->sent, bytes);
    return at_most(len, limit - f->sent);
}

void flow_on_sent(struct flow *f, size_t len)
{
    if (knows_id(f))
        f->sent += len;
    else
        f->header_len += len;
}

bool flow_wants_end(const struct flow *f)
{
    bool all_sent = f->plan->echoes ? f->end_received && f->sent == f->received
                                    : f->sent == f->plan->send_bytes;

    if (f->end_sent || !knows_id(f) || !all_sent)
        return false;
    return !f->plan->keeps_open || f->end_received;
}

void flow_on_end_sent(struct flow *f)
{
    f->end_sent = true;
}

void flow_on_received(struct flow *f, const uint8_t *bytes, size_t len)
{
    bool from_connector = f->plan->connects == f->plan->echoed;

    while (len > 0 && !f->plan->connects && !knows_id(f)) {
        f->header[f->header_len++] = *bytes++;
        len--;
        if (knows_id(f))
            take_header(f);
    }
    while (len > 0 && f->wrong == NULL) {
        const uint8_t *wanted;
        size_t part = at_most(stream_at(stream_of(f, from_connector), f->received, &wanted), len);

        if (f->received + part > f->plan->recv_bytes)
            f->wrong = "more arrived than was sent";
        else if (memcmp(bytes, wanted, part) != 0)
            f->wrong = "other bytes arrived than were sent";
        f->received += part;
        bytes += part;
        len -= part;
    }
}

void flow_on_end(struct flow *f)
{
    f->end_received = true;
    if (f->plan->recv_bytes == FLOW_ANY || f->wrong != NULL)
        return;
    if (f->received < f->plan->recv_bytes)
        f->wrong = "the end came before all was received";
}

bool flow_is_over(const struct flow *f)
{
    return f->wrong != NULL || (f->end_sent && f->end_received);
}
