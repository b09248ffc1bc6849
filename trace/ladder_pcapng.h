/*
 * ladder_pcapng.h - a ladder's packets as a capture, with the states as packet comments
 */
#ifndef TRACE_LADDER_PCAPNG_H
#define TRACE_LADDER_PCAPNG_H

#include <stdbool.h>
#include <stdio.h>

#include "trace/ladder.h"

/*
 * Writes every segment once, at the time when it was sent; epoch_ns is what of 1970 the
 * ladder's clock calls 0. What happens between segments stands in the comment of the next one,
 * or of the last. False if writing failed.
 */
bool ladder_pcapng_emit(const struct ladder *l, weir_ns_t epoch_ns, FILE *out);

#endif
