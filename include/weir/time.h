/*
 * weir/time.h - time as the library knows it
 *
 * Nanoseconds on any clock that does not go back; where it starts does not
 * matter. The library reads no clock: every instant is handed to it.
 */
#ifndef WEIR_TIME_H
#define WEIR_TIME_H

#include <stdint.h>

typedef int64_t weir_ns_t;

#define WEIR_NEVER INT64_MAX
#define WEIR_US INT64_C(1000)
#define WEIR_MS INT64_C(1000000)
#define WEIR_S INT64_C(1000000000)

#endif
