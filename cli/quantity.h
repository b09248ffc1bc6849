/*
 * quantity.h - numbers with units, as people write them
 *
 * A unit follows its number without a blank; capital letters are as good as small ones.
 * Each returns 0, or -1 and leaves *value alone.
 */
#ifndef CLI_QUANTITY_H
#define CLI_QUANTITY_H

#include <stdint.h>
#include <weir/time.h>

/* "50ms", "1.5s", "100us", "20ns"; seconds without a unit. At most a day. */
int quantity_time(const char *text, weir_ns_t *value);

/* "100mbit", "1.5gbit", "64kbit", "9600bit": bits a second, powers of ten. */
int quantity_rate(const char *text, uint64_t *value);

/* "1%", "0.05%", "0.01" (of one): parts per million. */
int quantity_share(const char *text, uint32_t *value);

/* "64k", "1m": bytes, powers of 1024. */
int quantity_bytes(const char *text, uint32_t *value);

#endif
