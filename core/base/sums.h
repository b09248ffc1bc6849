/*
 * sums.h - what the bytes of a buf add up to, block by block
 *
 * Bytes that are copied into a buf to be sent later are in the cache then, and so is a good time
 * to sum them up for the checksums to come. Which bytes a packet will take is not known yet, but
 * it can be foreseen: most often a full segment. So a buf is divided into blocks of that length,
 * whose sums are kept behind its bytes. Whoever asks for other bytes is given a sum made anew.
 */
#ifndef CORE_BASE_SUMS_H
#define CORE_BASE_SUMS_H

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

struct buf;
struct checksum_ops;

/*
 * Divides an own buf into blocks of block_len bytes from first on, if it has room for a few.
 * Otherwise there are no sums. Returns how many bytes may be copied there.
 */
uint32_t sums_begin(struct buf *b, uint8_t *first, uint32_t block_len);

/* Copies bytes to where they fit in a buf: behind those that were copied before. */
void sums_copy(struct buf *b, uint8_t *to, struct span bytes, const struct checksum_ops *ops);

/*
 * The sums of the blocks that begin at bytes, one after the other to the end of what was copied. NULL:
 * there are none, or they are not block_len long, or no block begins there. b may be NULL.
 */
const uint16_t *sums_from(const struct buf *b, const uint8_t *bytes, uint32_t block_len);

/* checksum_add of bytes in a buf, which may be NULL or one without sums. */
uint32_t sums_of(const struct buf *b, struct span bytes, const struct checksum_ops *ops);

#endif
