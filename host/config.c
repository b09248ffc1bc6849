/*
 * config.c - what a stack on a real machine is made with
 */
#include <stddef.h>
#include <stdlib.h>
#include <weir/host.h>

#include "host/entropy.h"

static void *take(void *ctx, size_t size, size_t align)
{
    void *memory = NULL;

    (void)ctx;
    if (align <= _Alignof(max_align_t))
        return malloc(size);
    return posix_memalign(&memory, align, size) == 0 ? memory : NULL;
}

static void give_back(void *ctx, void *memory, size_t size)
{
    (void)ctx;
    (void)size;
    free(memory);
}

void weir_host_config(struct weir_config *config)
{
    weir_config_init(config);
    entropy_get(config->secret, sizeof config->secret);
    config->allocator = (struct weir_allocator){take, give_back, NULL};
}
