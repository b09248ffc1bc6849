/*
 * input.h - what a fuzz target is given, byte by byte; zeros follow
 */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>

struct input {
    const uint8_t *bytes;
    size_t len;
};

static inline uint8_t take(struct input *in)
{
    uint8_t byte = in->len > 0 ? in->bytes[0] : 0;

    if (in->len > 0) {
        in->bytes++;
        in->len--;
    }
    return byte;
}

static inline uint16_t take16(struct input *in)
{
    uint16_t high = take(in);

    return (uint16_t)(high << 8 | take(in));
}

#endif
