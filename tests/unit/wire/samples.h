/*
 * samples.h - packets as they are seen on networks, and bytes for tests
 *
 * The samples were made, checksums included, by a program that shares nothing with ours.
 */
#ifndef TESTS_UNIT_WIRE_SAMPLES_H
#define TESTS_UNIT_WIRE_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

enum { SAMPLE_MAX = 256 };

enum sample {
    SAMPLE_TCP4_SYN,
    SAMPLE_TCP4_DATA,
    SAMPLE_TCP6_DATA,
    SAMPLE_UDP4,
    SAMPLE_UDP6,
    SAMPLE_PING4,
    SAMPLE_TOO_BIG4,
    SAMPLE_PING6,
    SAMPLE_TOO_BIG6,
    SAMPLE_SOLICIT,
    SAMPLE_ADVERT,
    SAMPLE_ROUTER,
    SAMPLE_REDIRECT,
    SAMPLE_CHAIN6,
    SAMPLE_FRAGMENT6,
    SAMPLE_COUNT,
};

/* Writes the sample, an IP packet, into out, which has SAMPLE_MAX bytes. Returns its length. */
size_t sample_read(enum sample sample, uint8_t *out);

/* Writes the bytes that a text of hexadecimal digits and spaces says. Returns how many. */
size_t bytes_read(const char *hex, uint8_t *out);

/* A copy in memory of exactly len bytes, so that a sanitizer sees the byte too many. To be freed. */
uint8_t *bytes_copy(const void *bytes, size_t len);

void bytes_fill(uint8_t *out, size_t len, uint64_t *random);

#endif
