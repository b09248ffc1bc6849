/*
 * replay.c - go through a recording
 */
#include "replay/replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay/player.h"

/* ---- ends ---- */

enum replay_status player_fail(struct replay *r, const char *what)
{
    (void)snprintf(r->error, sizeof r->error, "%s", what);
    r->status = REPLAY_FAILED;
    return r->status;
}

enum replay_status player_fail_memory(struct replay *r)
{
    return player_fail(r, "There is no memory for the replay.");
}

/* A record whose check is right and whose contents are not. */
enum replay_status player_fail_record(struct replay *r)
{
    char text[128];

    (void)snprintf(text, sizeof text, "Record %" PRIu64 " of the log makes no sense.",
                   r->call_index);
    return player_fail(r, text);
}

/* ---- memory of the stack ---- */

void *player_alloc(void *ctx, size_t size, size_t align)
{
    struct replay *r = ctx;
    uint64_t number = r->allocs++;
    void *memory = NULL;

    while (r->failure_next < r->failure_count && r->failures[r->failure_next] < number)
        r->failure_next++;
    if (r->failure_next < r->failure_count && r->failures[r->failure_next] == number)
        return NULL;
    if (align <= _Alignof(max_align_t))
        return malloc(size);
    return posix_memalign(&memory, align, size) == 0 ? memory : NULL;
}

void player_free(void *ctx, void *memory, size_t size)
{
    (void)ctx;
    (void)size;
    free(memory);
}

/* Room for one more in an array that grows. */
bool player_make_room(void **array, size_t *room, size_t count, size_t size)
{
    size_t wanted = *room == 0 ? 64 : 2 * *room;
    void *grown;

    if (count < *room)
        return true;
    grown = realloc(*array, wanted * size);
    if (grown == NULL)
        return false;
    *array = grown;
    *room = wanted;
    return true;
}

static bool add_failure(struct replay *r, uint64_t number)
{
    void *failures = r->failures;
    bool ok =
        r->failure_count < FAILURES_MAX
        && player_make_room(&failures, &r->failure_room, r->failure_count, sizeof *r->failures);

    r->failures = failures;
    if (ok)
        r->failures[r->failure_count++] = number;
    return ok;
}

/* ---- records ---- */

static enum replay_status take_info(struct replay *r, struct cursor *c)
{
    size_t len;

    r->totals.epoch_ns = log_take_signed(c);
    r->totals.word_bits = cursor_take_u8(c);
    len = c->left < sizeof r->totals.version - 1 ? c->left : sizeof r->totals.version - 1;
    memset(r->totals.version, 0, sizeof r->totals.version);
    cursor_take_bytes(c, r->totals.version, len);
    for (size_t i = 0; i < len; i++)
        if (r->totals.version[i] < ' ' || r->totals.version[i] > '~')
            r->totals.version[i] = '?';
    return c->failed ? player_fail_record(r) : REPLAY_GOES_ON;
}

static enum replay_status take_failure(struct replay *r, struct cursor *c)
{
    uint64_t number = log_take_number(c);

    if (c->failed)
        return player_fail_record(r);
    return add_failure(r, number) ? REPLAY_GOES_ON : player_fail_memory(r);
}

/* Whatever the allocator refused during a call stands between the call and its answer. */
static enum replay_status take_failures(struct replay *r)
{
    enum replay_status status = REPLAY_GOES_ON;
    struct log_record record;
    uint8_t kind;

    while (status == REPLAY_GOES_ON && log_peek(&r->log, &kind) && kind == LOG_ALLOC_FAILED) {
        if (log_next(&r->log, &record) != LOG_RECORD)
            return REPLAY_GOES_ON; /* the next step says so */
        status = take_failure(r, &record.body);
    }
    return status;
}

static enum replay_status end_of_log(struct replay *r, enum log_result result, size_t offset)
{
    switch (result) {
    case LOG_RECORD: return REPLAY_GOES_ON;
    case LOG_OVER: return REPLAY_OVER;
    case LOG_CUT: return REPLAY_CUT;
    case LOG_DAMAGED:
        (void)snprintf(r->error, sizeof r->error,
                       "The recording is damaged at byte %zu (record %" PRIu64
                       "): all before it has been replayed.",
                       offset, r->log.index);
        return REPLAY_FAILED;
    case LOG_FOREIGN: return player_fail(r, "This is not a recording of Weir's.");
    case LOG_NEWER: break;
    }
    return player_fail(r, "The recording has a format that this version of Weir does not know.");
}

static enum replay_status next_call(struct replay *r)
{
    struct log_record record;
    enum replay_status status;
    enum log_result result = log_next(&r->log, &record);

    if (result != LOG_RECORD)
        return end_of_log(r, result, record.offset);
    r->body = record.body;
    if (record.kind == LOG_INFO)
        return take_info(r, &r->body);
    if (record.kind == LOG_ALLOC_FAILED)
        return take_failure(r, &r->body);
    if (record.kind & LOG_ANSWER) {
        if ((record.kind & ~LOG_ANSWER) != (int)r->call.kind || r->is_answered || r->stack == NULL)
            return player_fail_record(r);
        r->is_answered = true;
        return player_compare(r);
    }
    r->call_index = r->log.index - 1;
    if (record.kind >= WEIR_CALL_KIND_COUNT)
        return player_fail_record(r);
    r->call.kind = (enum weir_call_kind)record.kind;
    r->is_answered = false;
    r->totals.calls++;
    status = take_failures(r);
    return status == REPLAY_GOES_ON ? player_make_call(r) : status;
}

enum replay_status replay_step(struct replay *r)
{
    if (r->status == REPLAY_GOES_ON)
        r->status = next_call(r);
    if (r->status == REPLAY_GOES_ON && r->totals.differences > 0 && player_differs_too_much(r))
        r->status = REPLAY_STOPPED;
    return r->status;
}

/* ---- the life of a replay ---- */

struct replay *replay_open(const struct replay_setup *setup)
{
    struct replay *r = calloc(1, sizeof *r);
    struct weir_slice *slices = calloc(SLICES_MAX, sizeof *slices);

    if (r == NULL || slices == NULL) {
        free(r);
        free(slices);
        return NULL;
    }
    r->setup = *setup;
    r->slices = slices;
    r->call.kind = WEIR_CALL_KIND_COUNT;
    r->status = end_of_log(r, log_open(&r->log, setup->log), 0);
    r->log.skips_checks = setup->skips_checks;
    return r;
}

void replay_close(struct replay **replay)
{
    struct replay *r = *replay;

    *replay = NULL;
    if (r == NULL)
        return;
    if (r->stack != NULL)
        player_destroy(r);
    while (r->held != NULL)
        player_release_held(r->held);
    free(r->failures);
    free(r->frames);
    free((void *)r->frames_out);
    free(r->slices);
    free(r->buffer);
    free((void *)r->out);
    free(r->handles);
    free(r);
}

const char *replay_error(const struct replay *r)
{
    return r->error;
}

const struct replay_totals *replay_totals(const struct replay *r)
{
    return &r->totals;
}

struct weir *replay_stack(const struct replay *r)
{
    return r->stack;
}

weir_handle_t replay_handle(const struct replay *r, size_t index)
{
    return index < r->handle_count ? r->handles[index] : 0;
}

enum weir_link replay_link(const struct replay *r, weir_netif_t netif)
{
    return (enum weir_link)r->links[netif % NETIFS_REMEMBERED];
}
