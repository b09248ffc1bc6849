/*
 * recorder.c - calls on a stack as records of a log
 *
 * A record is written where it stays: its longest possible length is asked for, and what was
 * needed is kept. A call is recorded before it is made, so that a log ends with the call that a
 * program did not survive.
 */
#include "replay/recorder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <weir/call.h>

#include "replay/digest.h"
#include "replay/fields.h"
#include "replay/log.h"
#include "replay/parts.h"

enum {
    CALL_ROOM = 8192, /* for all of a call but bytes and frames */
    FRAME_ROOM = 256 + RECORDER_HEAD,
    FASTOPEN_KEY_LEN = 16,
};

/* A frame that the stack has given and not got back. */
struct outstanding {
    const struct weir_frame *frame; /* NULL: a free slot */
    uint64_t number;
};

struct weir_recorder {
    struct log_sink sink;
    struct weir_allocator allocator; /* the stack's own */
    uint64_t allocs;                 /* that were asked for */
    uint64_t index;                  /* of the next record */
    weir_ns_t last_at;
    int error;
    struct outstanding *out; /* open addressing, out_room is a power of two */
    size_t out_room;
    size_t out_count;
    uint64_t out_next; /* the number of the next frame that the stack gives */
    uint64_t done_next;
};

/* ---- frames that are out ---- */

static size_t slot_of(const struct weir_recorder *r, const struct weir_frame *frame)
{
    return (size_t)(((uintptr_t)frame >> 4) * UINT32_C(2654435761)) & (r->out_room - 1);
}

static void put(struct weir_recorder *r, struct outstanding entry)
{
    size_t i = slot_of(r, entry.frame);

    while (r->out[i].frame != NULL)
        i = (i + 1) & (r->out_room - 1);
    r->out[i] = entry;
}

static bool grow(struct weir_recorder *r)
{
    struct outstanding *old = r->out;
    size_t old_room = r->out_room;

    r->out_room = old_room == 0 ? 256 : 2 * old_room;
    r->out = calloc(r->out_room, sizeof *r->out);
    if (r->out == NULL) {
        r->out = old;
        r->out_room = old_room;
        return false;
    }
    for (size_t i = 0; i < old_room; i++)
        if (old[i].frame != NULL)
            put(r, old[i]);
    free(old);
    return true;
}

/* Gives a frame its number. */
static void note_out(struct weir_recorder *r, const struct weir_frame *frame)
{
    if (2 * r->out_count >= r->out_room && !grow(r)) {
        r->error = ENOMEM;
        return;
    }
    put(r, (struct outstanding){frame, r->out_next++});
    r->out_count++;
}

/* Moves what stands behind an emptied slot to where it is found. */
static void close_gap(struct weir_recorder *r, size_t gap)
{
    size_t mask = r->out_room - 1;

    for (size_t i = (gap + 1) & mask; r->out[i].frame != NULL; i = (i + 1) & mask) {
        size_t wanted = slot_of(r, r->out[i].frame);
        if (((i - wanted) & mask) < ((i - gap) & mask))
            continue;
        r->out[gap] = r->out[i];
        r->out[i].frame = NULL;
        gap = i;
    }
}

/* The number of a frame that comes back; false: it was never given. */
static bool note_done(struct weir_recorder *r, const struct weir_frame *frame, uint64_t *number)
{
    for (size_t i = slot_of(r, frame); r->out_room > 0 && r->out[i].frame != NULL;
         i = (i + 1) & (r->out_room - 1)) {
        if (r->out[i].frame != frame)
            continue;
        *number = r->out[i].number;
        r->out[i].frame = NULL;
        r->out_count--;
        close_gap(r, i);
        return true;
    }
    return false;
}

/* ---- parts of records ---- */

static void put_number(struct writer *w, uint64_t value)
{
    log_put_number(w, value);
}

static void put_digest(struct writer *w, const struct weir_slice *slices, size_t count)
{
    uint64_t len = 0;

    for (size_t i = 0; i < count; i++)
        len += slices[i].len;
    put_number(w, len);
    if (len > 0)
        writer_put_be64(w, digest_slices(slices, count));
}

static void put_frame_in(struct writer *w, const struct weir_frame *f)
{
    parts_put_metadata(w, f);
    put_number(w, f->memory);
    writer_put_u8(w, f->release != NULL);
    writer_put_u8(w, f->slice_count);
    for (size_t i = 0; i < f->slice_count; i++)
        parts_put_bytes(w, &f->slices[i]);
}

static void put_frame_out(struct writer *w, const struct weir_frame *f)
{
    struct weir_slice head = f->slices[0];

    if (head.len > RECORDER_HEAD)
        head.len = RECORDER_HEAD;
    parts_put_metadata(w, f);
    parts_put_bytes(w, &head);
    writer_put_be64(w, digest_slices(f->slices, f->slice_count));
}

static void put_create(struct weir_recorder *r, struct writer *w, const struct weir_call *call)
{
    writer_put_be64(w, (uint64_t)call->at);
    writer_put_bytes(w, call->config->secret, sizeof call->config->secret);
    fields_emit(w, config_fields, call->config);
    r->last_at = call->at;
}

static void put_input(struct writer *w, const struct weir_call *call)
{
    put_number(w, call->netif);
    put_number(w, call->count);
    for (size_t i = 0; i < call->count; i++)
        put_frame_in(w, &call->frames[i]);
}

static void put_done(struct weir_recorder *r, struct writer *w, const struct weir_call *call)
{
    put_number(w, call->count);
    for (size_t i = 0; i < call->count; i++) {
        uint64_t number = 0;
        if (!note_done(r, call->frames_out[i], &number))
            r->error = EINVAL; /* against the rules of weir_output_done */
        log_put_signed(w, (int64_t)(number - r->done_next));
        r->done_next = number + 1;
    }
}

static void put_netif(struct writer *w, const struct weir_netif_config *config)
{
    const char *name = config->name != NULL ? config->name : "";
    size_t len = strnlen(name, 15);

    put_number(w, len);
    writer_put_bytes(w, name, len);
    writer_put_bytes(w, config->mac, sizeof config->mac);
    fields_emit(w, netif_config_fields, config);
}

static void put_opts(struct writer *w, const struct weir_call *call)
{
    put_number(w, call->count);
    for (size_t i = 0; i < call->count; i++) {
        put_number(w, (uint64_t)call->opts[i].opt);
        log_put_signed(w, call->opts[i].value);
    }
}

static void put_call(struct weir_recorder *r, struct writer *w, const struct weir_call *call)
{
    switch (call->kind) {
    case WEIR_CALL_CREATE: put_create(r, w, call); break;
    case WEIR_CALL_DESTROY:
    case WEIR_CALL_DEADLINE:
    case WEIR_CALL_EVENT: break;
    case WEIR_CALL_INPUT: put_input(w, call); break;
    case WEIR_CALL_ADVANCE:
        log_put_signed(w, (int64_t)((uint64_t)call->at - (uint64_t)r->last_at));
        r->last_at = call->at;
        break;
    case WEIR_CALL_OUTPUT:
        put_number(w, call->netif);
        put_number(w, call->count);
        break;
    case WEIR_CALL_OUTPUT_DONE: put_done(r, w, call); break;
    case WEIR_CALL_NETIF_ADD: put_netif(w, call->netif_config); break;
    case WEIR_CALL_NETIF_REMOVE: put_number(w, call->netif); break;
    case WEIR_CALL_NETIF_SET_MTU:
        put_number(w, call->netif);
        put_number(w, (uint64_t)call->number);
        break;
    case WEIR_CALL_ADDR_ADD:
        put_number(w, call->netif);
        parts_put_prefix(w, call->prefix);
        break;
    case WEIR_CALL_ADDR_REMOVE:
        put_number(w, call->netif);
        parts_put_addr(w, call->addr);
        break;
    case WEIR_CALL_ROUTE_ADD:
        put_number(w, call->netif);
        parts_put_prefix(w, call->prefix);
        parts_put_addr(w, call->addr);
        break;
    case WEIR_CALL_ROUTE_REMOVE: parts_put_prefix(w, call->prefix); break;
    case WEIR_CALL_SET:
        writer_put_be64(w, call->handle);
        put_number(w, (uint64_t)call->opt);
        log_put_signed(w, call->number);
        break;
    case WEIR_CALL_CONNECT:
        parts_put_endpoint(w, call->local);
        parts_put_endpoint(w, call->remote);
        put_opts(w, call);
        break;
    case WEIR_CALL_LISTEN:
        parts_put_endpoint(w, call->local);
        put_number(w, (uint64_t)call->number);
        put_opts(w, call);
        break;
    case WEIR_CALL_SEND:
    case WEIR_CALL_SEND_LENT:
        writer_put_be64(w, call->handle);
        put_number(w, call->flags);
        if (call->kind == WEIR_CALL_SEND_LENT)
            writer_put_u8(w, call->has_release);
        put_number(w, call->slices->len);
        break;
    case WEIR_CALL_RECV:
    case WEIR_CALL_RECV_DONE:
    case WEIR_CALL_RECV_POST:
    case WEIR_CALL_UDP_RECV:
    case WEIR_CALL_PING_RECV:
        writer_put_be64(w, call->handle);
        put_number(w, call->len);
        break;
    case WEIR_CALL_RECV_LENT:
        writer_put_be64(w, call->handle);
        put_number(w, call->count);
        break;
    case WEIR_CALL_UDP_CONNECT:
        writer_put_be64(w, call->handle);
        parts_put_endpoint(w, call->remote);
        break;
    case WEIR_CALL_FASTOPEN_KEY:
        writer_put_bytes(w, call->slices[0].bytes, FASTOPEN_KEY_LEN);
        break;
    case WEIR_CALL_LISTENER_FASTOPEN_KEYS:
        writer_put_be64(w, call->handle);
        put_number(w, call->slices[0].len / FASTOPEN_KEY_LEN);
        writer_put_bytes(w, call->slices[0].bytes, call->slices[0].len);
        break;
    case WEIR_CALL_ACCEPT:
    case WEIR_CALL_SHUTDOWN:
    case WEIR_CALL_RECV_TAKE:
    case WEIR_CALL_CLOSE:
    case WEIR_CALL_ABORT: writer_put_be64(w, call->handle); break;
    case WEIR_CALL_UDP_OPEN:
        parts_put_endpoint(w, call->local);
        parts_put_endpoint(w, call->remote);
        break;
    case WEIR_CALL_UDP_SEND:
        writer_put_be64(w, call->handle);
        parts_put_endpoint(w, call->remote);
        parts_put_bytes(w, call->slices);
        break;
    case WEIR_CALL_PING_OPEN: parts_put_addr(w, call->addr); break;
    case WEIR_CALL_PING_SEND:
        writer_put_be64(w, call->handle);
        put_number(w, (uint64_t)call->number);
        parts_put_bytes(w, call->slices);
        break;
    case WEIR_CALL_NEXT_ISN: put_number(w, (uint64_t)call->number); break;
    case WEIR_CALL_TCP_CONFIGURE: fields_emit(w, config_fields, call->config); break;
    case WEIR_CALL_AUTH: /* keys do not go into a log: it ends here when it is replayed */
        writer_put_be64(w, call->handle);
        put_number(w, (uint64_t)call->number);
        break;
    case WEIR_CALL_KIND_COUNT: break;
    }
}

static void put_event(struct writer *w, const struct weir_event *event)
{
    writer_put_be64(w, event->handle);
    writer_put_be64(w, event->user);
    put_number(w, event->bits);
    log_put_signed(w, event->error);
}

/* Only what was taken: an application may offer the same bytes many times. */
static void put_sent(struct writer *w, const struct weir_call *call)
{
    struct weir_slice taken = call->slices[0];

    taken.len = call->result > 0 ? (size_t)call->result : 0;
    parts_put_bytes(w, &taken);
}

static void put_answer(struct weir_recorder *r, struct writer *w, const struct weir_call *call)
{
    log_put_signed(w, call->result);
    switch (call->kind) {
    case WEIR_CALL_OUTPUT:
        for (size_t i = 0; i < call->count; i++) {
            put_frame_out(w, call->frames_out[i]);
            note_out(r, call->frames_out[i]);
        }
        break;
    case WEIR_CALL_EVENT:
        if (call->result != 0)
            put_event(w, call->event);
        break;
    case WEIR_CALL_NETIF_ADD: put_number(w, call->netif); break;
    case WEIR_CALL_SEND:
    case WEIR_CALL_SEND_LENT: put_sent(w, call); break;
    case WEIR_CALL_CONNECT:
    case WEIR_CALL_LISTEN:
    case WEIR_CALL_ACCEPT:
    case WEIR_CALL_UDP_OPEN:
    case WEIR_CALL_PING_OPEN: writer_put_be64(w, call->opened); break;
    case WEIR_CALL_RECV:
    case WEIR_CALL_RECV_TAKE: put_digest(w, call->slices, 1); break;
    case WEIR_CALL_RECV_LENT: put_digest(w, call->slices, call->count); break;
    case WEIR_CALL_UDP_RECV:
        put_digest(w, call->slices, 1);
        parts_put_endpoint(w, call->result >= 0 ? call->remote : NULL);
        parts_put_endpoint(w, call->result >= 0 ? call->local : NULL);
        break;
    case WEIR_CALL_PING_RECV:
        put_digest(w, call->slices, 1);
        if (call->result >= 0) {
            put_number(w, call->reply->sequence);
            put_number(w, call->reply->ttl);
            log_put_signed(w, call->reply->received_at);
            log_put_signed(w, call->reply->error);
        }
        break;
    default: break; /* the result is all there is */
    }
}

/* ---- records ---- */

/* Whether the record of a call has the bytes of its slice. */
static bool is_bytes_of(const struct weir_call *call)
{
    switch (call->kind) {
    case WEIR_CALL_SEND:
    case WEIR_CALL_SEND_LENT: return call->is_over;
    case WEIR_CALL_UDP_SEND:
    case WEIR_CALL_PING_SEND: return !call->is_over;
    default: return false;
    }
}

/* The longest that the record of a call can be. */
static size_t room_for(const struct weir_call *call)
{
    size_t room = CALL_ROOM;

    if (call->kind == WEIR_CALL_INPUT || call->kind == WEIR_CALL_OUTPUT
        || call->kind == WEIR_CALL_OUTPUT_DONE)
        room += call->is_over || call->kind != WEIR_CALL_OUTPUT ? call->count * FRAME_ROOM : 0;
    if (call->opts != NULL)
        room += call->count * 2 * LOG_LONGEST;
    for (size_t i = 0; call->kind == WEIR_CALL_INPUT && i < call->count; i++)
        for (size_t k = 0; k < call->frames[i].slice_count; k++)
            room += call->frames[i].slices[k].len;
    if (is_bytes_of(call))
        room += call->slices->len;
    return room;
}

/* Memory for a record; NULL: nothing is recorded any more. */
static uint8_t *begin(struct weir_recorder *r, struct writer *w, size_t room, uint8_t kind)
{
    uint8_t *start = r->error == 0 ? r->sink.room(r->sink.ctx, room) : NULL;

    if (start == NULL) {
        r->error = r->error != 0 ? r->error : r->sink.error(r->sink.ctx);
        return NULL;
    }
    *w = writer_of(start, room);
    log_begin(w, kind);
    return start;
}

static void end(struct weir_recorder *r, struct writer *w, uint8_t *start)
{
    if (r->error != 0)
        return;
    log_finish(w, start, r->index++);
    r->sink.used(r->sink.ctx, (size_t)(w->at - start));
}

static void on_call(void *ctx, const struct weir_call *call)
{
    struct weir_recorder *r = ctx;
    struct writer w;
    uint8_t kind = (uint8_t)((unsigned)call->kind | (call->is_over ? LOG_ANSWER : 0));
    uint8_t *start = begin(r, &w, room_for(call), kind);

    if (start == NULL)
        return;
    if (call->is_over)
        put_answer(r, &w, call);
    else
        put_call(r, &w, call);
    end(r, &w, start);
}

static void record_number(struct weir_recorder *r, uint8_t kind, uint64_t number)
{
    struct writer w;
    uint8_t *start = begin(r, &w, LOG_FRAMING + LOG_LONGEST, kind);

    if (start == NULL)
        return;
    log_put_number(&w, number);
    end(r, &w, start);
}

/* ---- the allocator's answers are inputs, too ---- */

static void *on_alloc(void *ctx, size_t size, size_t align)
{
    struct weir_recorder *r = ctx;
    void *memory = r->allocator.alloc(r->allocator.ctx, size, align);

    if (memory == NULL)
        record_number(r, LOG_ALLOC_FAILED, r->allocs);
    r->allocs++;
    return memory;
}

static void on_free(void *ctx, void *memory, size_t size)
{
    struct weir_recorder *r = ctx;

    r->allocator.free(r->allocator.ctx, memory, size);
}

/* ---- the life of a recorder ---- */

static void begin_log(struct weir_recorder *r, weir_ns_t epoch_ns)
{
    static const char version[] = "weir " WEIR_VERSION;
    uint8_t *at = r->sink.room(r->sink.ctx, LOG_HEADER);
    struct writer w;

    if (at != NULL) {
        w = writer_of(at, LOG_HEADER);
        log_emit_header(&w);
        r->sink.used(r->sink.ctx, LOG_HEADER);
    }
    at = begin(r, &w, CALL_ROOM, LOG_INFO);
    if (at == NULL)
        return;
    log_put_signed(&w, epoch_ns);
    writer_put_u8(&w, (uint8_t)(8 * sizeof(void *)));
    writer_put_bytes(&w, version, sizeof version - 1);
    end(r, &w, at);
}

struct weir_recorder *recorder_open(const struct log_sink *sink, weir_ns_t epoch_ns)
{
    struct weir_recorder *r = calloc(1, sizeof *r);

    if (r == NULL) {
        sink->close(sink->ctx);
        return NULL;
    }
    r->sink = *sink;
    begin_log(r, epoch_ns);
    if (r->error == 0)
        return r;
    errno = weir_recorder_close(&r);
    return NULL;
}

struct weir_recorder *weir_recorder_open(const char *path)
{
    struct log_sink sink;
    struct timespec now;

    if (!file_sink_open(&sink, path))
        return NULL;
    clock_gettime(CLOCK_REALTIME, &now);
    return recorder_open(&sink, (weir_ns_t)now.tv_sec * WEIR_S + now.tv_nsec);
}

void weir_recorder_watch(struct weir_recorder *r, struct weir_config *config)
{
    r->allocator = config->allocator;
    config->allocator = (struct weir_allocator){on_alloc, on_free, r};
    config->on_call = on_call;
    config->on_call_ctx = r;
}

int weir_recorder_error(const struct weir_recorder *r)
{
    return r->error;
}

int weir_recorder_close(struct weir_recorder **recorder)
{
    struct weir_recorder *r = *recorder;
    int error;

    *recorder = NULL;
    if (r == NULL)
        return 0;
    record_number(r, LOG_END, r->index);
    error = r->error;
    r->sink.close(r->sink.ctx);
    free(r->out);
    free(r);
    return error;
}
