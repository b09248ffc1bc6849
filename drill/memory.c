/*
 * memory.c - memory that is given back all at once
 */
#include "drill/memory.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 8192 };

struct drill_block {
    struct drill_block *next;
    size_t used, room;
    alignas(max_align_t) unsigned char bytes[];
};

void *drill_memory_get(struct drill_memory *m, size_t size)
{
    struct drill_block *block = m->blocks;
    size_t whole = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    size_t room = whole > BLOCK_BYTES ? whole : BLOCK_BYTES;
    void *memory;

    if (block == NULL || block->room - block->used < whole) {
        block = calloc(1, sizeof *block + room);
        if (block == NULL)
            return NULL;
        block->room = room;
        block->next = m->blocks;
        m->blocks = block;
    }
    memory = block->bytes + block->used;
    block->used += whole;
    return memory;
}

char *drill_memory_copy(struct drill_memory *m, const char *text, size_t len)
{
    char *copy = drill_memory_get(m, len + 1);

    if (copy != NULL && len > 0)
        memcpy(copy, text, len);
    return copy;
}

void drill_memory_fini(struct drill_memory *m)
{
    while (m->blocks != NULL) {
        struct drill_block *block = m->blocks;

        m->blocks = block->next;
        free(block);
    }
}
