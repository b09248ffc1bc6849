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

/* The compiler's function also knows whether the system saves the registers. */
static uint32_t cpu_features(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2"))
        return WEIR_CPU_AVX2;
#endif
    return 0;
}

void weir_host_config(struct weir_config *config)
{
    weir_config_init(config);
    config->cpu_features = cpu_features();
    entropy_get(config->secret, sizeof config->secret);
    config->allocator = (struct weir_allocator){take, give_back, NULL};
}
