/*
 * trace.h - the core's end of the trace hook
 *
 * An event costs one comparison when nobody listens.
 */
#ifndef CORE_BASE_TRACE_H
#define CORE_BASE_TRACE_H

#include "base/parts.h"
#include <stdbool.h>
#include <weir/trace.h>

struct tracer {
    weir_trace_hook hook;
    void *ctx;
};

static inline bool trace_is_on(const struct tracer *t)
{
    return HAS_TRACE && t->hook != NULL;
}

static inline void trace_emit(const struct tracer *t, const struct weir_trace *event)
{
    if (trace_is_on(t))
        t->hook(t->ctx, event);
}

#endif
