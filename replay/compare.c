/*
 * compare.c - what came out then and now
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "replay/digest.h"
#include "replay/parts.h"
#include "replay/player.h"

bool player_differs_too_much(const struct replay *r)
{
    size_t max = r->setup.differences_max == 0 ? 1 : r->setup.differences_max;

    return r->totals.differences >= max;
}

static struct replay_difference difference_of(const struct replay *r)
{
    return (struct replay_difference){
        .call = r->call_index, .kind = r->call.kind, .at = r->totals.at};
}

static void tell(struct replay *r, const struct replay_difference *d)
{
    r->totals.differences++;
    if (r->setup.on_difference != NULL)
        r->setup.on_difference(r->setup.ctx, d);
}

static void compare_numbers(struct replay *r, const char *what, int64_t expected, int64_t seen)
{
    struct replay_difference d;

    if (expected == seen || player_differs_too_much(r))
        return;
    d = difference_of(r);
    (void)snprintf(d.expected, sizeof d.expected, "%s %" PRId64, what, expected);
    (void)snprintf(d.seen, sizeof d.seen, "%s %" PRId64, what, seen);
    tell(r, &d);
}

/* A result, which may be an error's code. */
static void compare_results(struct replay *r, int64_t expected, int64_t seen)
{
    struct replay_difference d;

    if (expected == seen || player_differs_too_much(r))
        return;
    d = difference_of(r);
    if (expected < 0 && expected >= INT16_MIN)
        (void)snprintf(d.expected, sizeof d.expected, "%s", weir_err_name((int)expected));
    else
        (void)snprintf(d.expected, sizeof d.expected, "%" PRId64, expected);
    if (seen < 0 && seen >= INT16_MIN)
        (void)snprintf(d.seen, sizeof d.seen, "%s", weir_err_name((int)seen));
    else
        (void)snprintf(d.seen, sizeof d.seen, "%" PRId64, seen);
    tell(r, &d);
}

/* Of a deadline, how long it is away. */
static void put_instant(char *text, size_t room, int64_t at, weir_ns_t now)
{
    if (at == WEIR_NEVER)
        (void)snprintf(text, room, "never");
    else
        (void)snprintf(text, room, "in %" PRId64 " ns", (int64_t)((uint64_t)at - (uint64_t)now));
}

static void compare_instants(struct replay *r, int64_t expected, int64_t seen)
{
    struct replay_difference d;

    if (expected == seen || player_differs_too_much(r))
        return;
    d = difference_of(r);
    put_instant(d.expected, sizeof d.expected, expected, r->totals.at);
    put_instant(d.seen, sizeof d.seen, seen, r->totals.at);
    tell(r, &d);
}

static void compare_handles(struct replay *r, uint64_t expected, uint64_t seen)
{
    struct replay_difference d;

    if (expected == seen || player_differs_too_much(r))
        return;
    d = difference_of(r);
    (void)snprintf(d.expected, sizeof d.expected, "handle %016" PRIx64, expected);
    (void)snprintf(d.seen, sizeof d.seen, "handle %016" PRIx64, seen);
    tell(r, &d);
}

static void compare_packets(struct replay *r, const struct replay_packet *expected,
                            const struct replay_packet *seen)
{
    struct replay_difference d;
    const char *what = "bytes of the payload";

    if (player_differs_too_much(r))
        return;
    d = difference_of(r);
    d.has_packets = true;
    d.link = replay_link(r, r->call.netif);
    d.packet_expected = *expected;
    d.packet_seen = *seen;
    if (!expected->is_there || !seen->is_there)
        what = expected->is_there ? "a frame" : "no frame";
    else if (expected->len != seen->len)
        what = "a frame of another length";
    else if (expected->gso_size != seen->gso_size)
        what = "another size of segments";
    else if (expected->head_len != seen->head_len
             || memcmp(expected->head, seen->head, seen->head_len) != 0)
        what = "other headers";
    (void)snprintf(d.expected, sizeof d.expected, "%s", what);
    (void)snprintf(d.seen, sizeof d.seen, "%s",
                   !seen->is_there       ? "no frame"
                   : !expected->is_there ? "a frame"
                                         : "this one");
    tell(r, &d);
}

/* ---- frames out ---- */

static struct replay_packet packet_of(const struct weir_frame *f)
{
    struct replay_packet p = {.is_there = true,
                              .len = f->len,
                              .gso_size = f->gso != WEIR_GSO_NONE ? f->gso_size : 0,
                              .digest = digest_slices(f->slices, f->slice_count)};

    p.head_len = f->slices[0].len < sizeof p.head ? f->slices[0].len : sizeof p.head;
    memcpy(p.head, f->slices[0].bytes, p.head_len);
    return p;
}

/* The metadata of a recorded frame, and what its packet is known by. */
static bool take_frame_out(struct cursor *c, struct weir_frame *f, struct replay_packet *p)
{
    struct span head;

    parts_take_metadata(c, f);
    head = parts_take_bytes(c);
    *p = (struct replay_packet){.is_there = true,
                                .len = f->len,
                                .gso_size = f->gso != WEIR_GSO_NONE ? f->gso_size : 0,
                                .digest = cursor_take_be64(c)};
    if (c->failed || head.len > sizeof p->head)
        return false;
    if (head.len > 0)
        memcpy(p->head, head.bytes, head.len);
    p->head_len = head.len;
    return true;
}

static bool is_same_metadata(const struct weir_frame *a, const struct weir_frame *b)
{
    return a->len == b->len && a->gso == b->gso && a->flags == b->flags
           && a->gso_size == b->gso_size && a->csum_start == b->csum_start
           && a->csum_offset == b->csum_offset && a->header_len == b->header_len;
}

static bool is_same_packet(const struct replay_packet *a, const struct replay_packet *b)
{
    return a->digest == b->digest && a->head_len == b->head_len
           && memcmp(a->head, b->head, a->head_len) == 0;
}

static enum replay_status compare_frame(struct replay *r, struct weir_frame *seen)
{
    struct weir_frame recorded;
    struct replay_packet expected, made = {0};

    if (!take_frame_out(&r->body, &recorded, &expected))
        return player_fail_record(r);
    if (seen == NULL && !player_keep_out(r, NULL)) /* it has a number nevertheless */
        return player_fail_memory(r);
    if (seen != NULL)
        made = packet_of(seen);
    if (seen == NULL || !is_same_metadata(&recorded, seen) || !is_same_packet(&expected, &made))
        compare_packets(r, &expected, &made);
    return REPLAY_GOES_ON;
}

/* Sent now, and not then. */
static void give_back_unexpected(struct replay *r, struct weir_frame **frames, size_t count)
{
    const struct replay_packet none = {0};

    for (size_t i = 0; i < count; i++) {
        struct replay_packet seen = packet_of(frames[i]);
        compare_packets(r, &none, &seen);
    }
    r->out_count -= count;
    weir_output_done(r->stack, frames, count);
}

static enum replay_status compare_output(struct replay *r, int64_t expected)
{
    struct weir_frame **frames = r->frames_out;
    size_t count = (size_t)expected;
    enum replay_status status = REPLAY_GOES_ON;

    if (expected < 0 || expected > FRAMES_MAX)
        return player_fail_record(r);
    for (size_t i = 0; i < count && status == REPLAY_GOES_ON; i++)
        status = compare_frame(r, i < r->call.count ? frames[i] : NULL);
    if (status == REPLAY_GOES_ON && r->call.count > count)
        give_back_unexpected(r, frames + count, r->call.count - count);
    return status;
}

/* ---- answers ---- */

static bool add_handle(struct replay *r, weir_handle_t handle)
{
    void *handles = r->handles;
    bool ok = player_make_room(&handles, &r->handle_room, r->handle_count, sizeof *r->handles);

    r->handles = handles;
    if (ok)
        r->handles[r->handle_count++] = handle;
    return ok;
}

static void compare_digest(struct replay *r, const struct weir_slice *slices, size_t count)
{
    uint64_t len = 0, expected_len = log_take_number(&r->body), expected = 0;

    for (size_t i = 0; i < count; i++)
        len += slices[i].len;
    if (expected_len > 0)
        expected = cursor_take_be64(&r->body);
    compare_numbers(r, "bytes", (int64_t)expected_len, (int64_t)len);
    if (len > 0 && len == expected_len)
        compare_numbers(r, "the digest of the bytes", (int64_t)expected,
                        (int64_t)digest_slices(slices, count));
}

static void compare_received(struct replay *r)
{
    struct weir_slice slice = {r->buffer, r->call.len};

    compare_digest(r, &slice, 1);
}

static void compare_taken(struct replay *r)
{
    struct weir_slice slice = {NULL, (size_t)r->call.result};

    if (r->taken != NULL)
        slice.bytes = r->taken->bytes;
    compare_digest(r, &slice, 1);
}

static void compare_endpoint(struct replay *r, const char *what, const struct weir_endpoint *seen)
{
    char expected_text[WEIR_ADDR_TEXT], seen_text[WEIR_ADDR_TEXT];
    struct weir_endpoint storage;
    const struct weir_endpoint *expected = parts_take_endpoint(&r->body, &storage);
    struct replay_difference d;

    if (expected == NULL || r->call.result < 0 || player_differs_too_much(r)
        || (weir_addr_eq(&expected->addr, &seen->addr) && expected->port == seen->port
            && expected->netif == seen->netif))
        return;
    d = difference_of(r);
    (void)snprintf(d.expected, sizeof d.expected, "%s %s", what,
                   weir_endpoint_text(expected, expected_text));
    (void)snprintf(d.seen, sizeof d.seen, "%s %s", what, weir_endpoint_text(seen, seen_text));
    tell(r, &d);
}

static void compare_event(struct replay *r)
{
    compare_handles(r, cursor_take_be64(&r->body), r->event.handle);
    compare_numbers(r, "user", (int64_t)cursor_take_be64(&r->body), (int64_t)r->event.user);
    compare_numbers(r, "event bits", (int64_t)log_take_number(&r->body), r->event.bits);
    compare_results(r, log_take_signed(&r->body), r->event.error);
}

static void compare_reply(struct replay *r)
{
    compare_numbers(r, "sequence", (int64_t)log_take_number(&r->body), r->reply.sequence);
    compare_numbers(r, "ttl", (int64_t)log_take_number(&r->body), r->reply.ttl);
    compare_instants(r, log_take_signed(&r->body), r->reply.received_at);
    compare_results(r, log_take_signed(&r->body), r->reply.error);
}

enum replay_status player_compare(struct replay *r)
{
    int64_t expected = log_take_signed(&r->body);
    bool both = r->call.result >= 0 && expected >= 0;

    if (r->call.kind == WEIR_CALL_OUTPUT)
        return compare_output(r, expected);
    if (r->call.kind == WEIR_CALL_DEADLINE)
        compare_instants(r, expected, r->call.result);
    else
        compare_results(r, expected, r->call.result);
    switch (r->call.kind) {
    case WEIR_CALL_EVENT:
        if (expected != 0 && r->call.result != 0)
            compare_event(r);
        break;
    case WEIR_CALL_NETIF_ADD:
        if (both)
            compare_numbers(r, "interface", (int64_t)log_take_number(&r->body), r->call.netif);
        break;
    case WEIR_CALL_CONNECT:
    case WEIR_CALL_LISTEN:
    case WEIR_CALL_ACCEPT:
    case WEIR_CALL_UDP_OPEN:
    case WEIR_CALL_PING_OPEN:
        if (both)
            compare_handles(r, cursor_take_be64(&r->body), r->call.opened);
        if (r->call.result == 0 && !add_handle(r, r->call.opened))
            return player_fail_memory(r);
        break;
    case WEIR_CALL_RECV:
        if (both)
            compare_received(r);
        break;
    case WEIR_CALL_RECV_TAKE:
        if (both)
            compare_taken(r);
        break;
    case WEIR_CALL_RECV_LENT:
        if (both)
            compare_digest(r, r->slices, r->call.count);
        break;
    case WEIR_CALL_UDP_RECV:
        if (both) {
            compare_received(r);
            compare_endpoint(r, "from", &r->remote);
            compare_endpoint(r, "to", &r->local);
        }
        break;
    case WEIR_CALL_PING_RECV:
        if (both) {
            compare_received(r);
            compare_reply(r);
        }
        break;
    default: break; /* the result is all there is */
    }
    return r->body.failed ? player_fail_record(r) : REPLAY_GOES_ON;
}
