/*
 * fuzz_replay_log.c - any bytes as a recording
 *
 * Checks are not looked at, so that the bytes reach the records and the calls made for them. Twice
 * the same recording is twice the same replay.
 */
#include <stdlib.h>

#include "replay/replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { STEPS_MAX = 10000 };

struct outcome {
    enum replay_status status;
    struct replay_totals totals;
    uint64_t bytes;
};

static void on_frame(void *ctx, const struct replay_frame *f)
{
    struct outcome *o = ctx;

    for (size_t i = 0; i < f->frame->slice_count; i++)
        for (size_t k = 0; k < f->frame->slices[i].len; k++)
            o->bytes = o->bytes * 31 + f->frame->slices[i].bytes[k];
}

static struct outcome run(const uint8_t *bytes, size_t len)
{
    struct outcome o = {0};
    struct replay_setup setup = {
        .log = span_of(bytes, len),
        .skips_checks = true,
        .memory_limit = 4u << 20,
        .differences_max = 1000,
        .on_frame = on_frame,
        .ctx = &o,
    };
    struct replay *r = replay_open(&setup);

    if (r == NULL)
        abort();
    for (int i = 0; i < STEPS_MAX && o.status == REPLAY_GOES_ON; i++)
        o.status = replay_step(r);
    o.totals = *replay_totals(r);
    replay_close(&r);
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct outcome first = run(bytes, len), second = run(bytes, len);

    if (first.status != second.status || first.bytes != second.bytes
        || first.totals.calls != second.totals.calls
        || first.totals.differences != second.totals.differences)
        abort();
    return 0;
}
