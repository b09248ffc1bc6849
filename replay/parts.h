/*
 * parts.h - what records are made of, written and read
 *
 * Reading beyond the end, or what cannot be, makes the cursor fail.
 */
#ifndef REPLAY_PARTS_H
#define REPLAY_PARTS_H

#include <weir/weir.h>

#include "base/cursor.h"

/* addr and e may be NULL. */
void parts_put_addr(struct writer *w, const struct weir_addr *addr);
void parts_put_prefix(struct writer *w, const struct weir_prefix *prefix);
void parts_put_endpoint(struct writer *w, const struct weir_endpoint *e);
void parts_put_bytes(struct writer *w, const struct weir_slice *slice);

/* What a driver says of a frame, in either direction. */
void parts_put_metadata(struct writer *w, const struct weir_frame *f);

/* Into *addr, which is returned; NULL if there was none. */
const struct weir_addr *parts_take_addr(struct cursor *c, struct weir_addr *addr);
const struct weir_prefix *parts_take_prefix(struct cursor *c, struct weir_prefix *prefix);
const struct weir_endpoint *parts_take_endpoint(struct cursor *c, struct weir_endpoint *e);

/* Bytes of the log itself. */
struct span parts_take_bytes(struct cursor *c);

/* The same for a function that only reads, but takes a slice. */
struct weir_slice parts_slice_of(struct span s);

/* A frame without slices. */
void parts_take_metadata(struct cursor *c, struct weir_frame *f);

#endif
