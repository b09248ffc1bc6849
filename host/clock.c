/*
 * clock.c - the machine's monotonic clock
 */
#include <time.h>
#include <weir/host.h>

weir_ns_t weir_host_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (weir_ns_t)t.tv_sec * WEIR_S + t.tv_nsec;
}
