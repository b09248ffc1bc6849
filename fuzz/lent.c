/*
 * lent.c - what a fuzz target lends, which has to be back at the end
 */
#include "fuzz/lent.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz/expect.h"

static void *allocate(void *ctx, size_t size, size_t align)
{
    struct lent_memory *m = ctx;
    void *memory = NULL;

    if (m->fail_in > 0 && --m->fail_in == 0)
        return NULL;
    expect(posix_memalign(&memory, align < sizeof(void *) ? sizeof(void *) : align, size) == 0);
    memset(memory, 0xa5, size);
    m->blocks++;
    return memory;
}

static void give_back(void *ctx, void *memory, size_t size)
{
    struct lent_memory *m = ctx;

    (void)size;
    m->blocks--;
    free(memory);
}

struct weir_allocator lent_allocator(struct lent_memory *m)
{
    return (struct weir_allocator){allocate, give_back, m};
}

uint8_t *lent_copy(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len);

    expect(copy != NULL || len == 0);
    if (len > 0)
        memcpy(copy, bytes, len);
    return copy;
}

struct lender *lender_begin(size_t *outstanding)
{
    struct lender *l = calloc(1, sizeof *l);

    expect(l != NULL);
    l->outstanding = outstanding;
    ++*outstanding;
    return l;
}

void lender_release(void *lender)
{
    struct lender *l = lender;

    --*l->outstanding;
    for (size_t i = 0; i < l->count; i++)
        free(l->bytes[i]);
    free(l);
}
