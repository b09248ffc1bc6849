/*
 * store.h - memory, buffers and frames for the tests of this folder
 */
#ifndef TESTS_UNIT_UDP_STORE_H
#define TESTS_UNIT_UDP_STORE_H

#include "base/buf.h"
#include "base/frame.h"
#include "base/mem.h"
#include "base/pool.h"
#include "lib/failing_alloc.h"
#include "lib/test.h"
#include "udp/udp.h"

struct store {
    struct failing_alloc alloc;
    struct mem mem;
    struct bufs bufs;
    struct pool frames;
    struct weir_config config;
};

struct store *store_new(void);

/* What udp_init and ping_init want. */
struct udp_setup store_setup(struct store *s);

/* Checks that everything is back. Takes *s. */
void store_free(struct store **s);

struct weir_endpoint endpoint(const char *text);

/* So many bytes that differ from their neighbours; valid until the next call. */
uint8_t *pattern(size_t len);

/* A frame's bytes, its checksum finished; valid until the next call. Takes *frame. */
struct weir_slice flatten(struct store *s, struct frame **frame);

#endif
