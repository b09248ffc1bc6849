/*
 * cubic_curve.h - the cube that CUBIC's window follows, and its root [RFC9438 4.2]
 *
 * Windows are in bytes, so C is multiplied by mss. Times are in units of 2^-10 s, with C = 410 / 1024.
 */
#ifndef CORE_CC_CUBIC_CURVE_H
#define CORE_CC_CUBIC_CURVE_H

#include "base/ns.h"
#include <stdint.h>

/* At most about 17 minutes: later, only that it is late matters. */
uint32_t cubic_curve_units(ns_t t_ns);

/* K = cbrt((W_max - cwnd_epoch) / C) [RFC9438 4.2, figure 2]; mss is at most 65535. */
uint32_t cubic_curve_k(uint32_t rise_bytes, uint32_t mss);

/*
 * C * (t - K)^3 without its sign [RFC9438 4.2, figure 1].
 *
 * The distance from W_max is one of whole segments, as in Linux: what is sent is whole segments, too,
 * and a window that came back to W_max but for a fraction of one would not be used to the full.
 */
uint64_t cubic_curve_distance(uint32_t t, uint32_t k, uint32_t mss);

#endif
