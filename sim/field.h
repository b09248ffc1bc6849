/*
 * field.h - values with names, as scenario files have them: "delay 10ms", "loss 0.1%"
 *
 * A table says which names there are, of which type, and where in a struct the value goes. The
 * same table reads and writes: what is written is read back as the same values.
 */
#ifndef SIM_FIELD_H
#define SIM_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum field_type {
    FIELD_FLAG,     /* bool; the name alone */
    FIELD_COUNT,    /* uint32_t */
    FIELD_BYTES,    /* uint32_t: 1500, 64KiB, 1MB */
    FIELD_BYTES64,  /* uint64_t */
    FIELD_DURATION, /* weir_ns_t: 10ms, 1.5s, 2min */
    FIELD_RATE,     /* uint64_t, bits a second: 10mbit, 56kbit */
    FIELD_SHARE,    /* uint32_t, parts in a million: 1%, 50ppm */
    FIELD_WORD,     /* an enum; words says which */
    FIELD_TEXT,     /* char[FIELD_TEXT_MAX]; words says which, if it is not NULL */
    FIELD_NUMBERS,  /* struct field_numbers at offset: 1,5,9 */
};

enum {
    FIELD_TEXT_MAX = 16,
    FIELD_WORD_MAX = 256,
    FIELD_ERROR_MAX = 200,
};

struct field {
    const char *name; /* NULL ends a table */
    enum field_type type;
    uint16_t offset;
    /* FIELD_WORD, FIELD_TEXT: the index-th that there is, or NULL past the last. */
    const char *(*words)(size_t index);
    /* If tag_offset is not 0: this value belongs to the variant whose enum there is tag. */
    uint16_t tag_offset;
    uint16_t tag;
    uint16_t count_offset; /* FIELD_NUMBERS: a uint32_t */
    uint16_t count_max;
};

const struct field *field_find(const struct field *table, const char *name);

/*
 * Reads a value into the struct at target. NULL, or what was expected ("a duration such as 10ms").
 * value is ignored for a flag.
 */
const char *field_parse(const struct field *f, void *target, const char *value, char *error);

/* Writes " name value" for all fields in which the struct differs from the other. */
size_t field_emit(const struct field *table, const void *target, const void *other, char *text,
                  size_t room);

/* The value types by themselves; false: it is none. */
bool field_parse_duration(const char *text, int64_t *ns);
bool field_parse_number(const char *text, uint64_t most, uint64_t *number);

/* "1.5s": the value in the largest unit that needs no rounding. */
size_t field_duration_text(int64_t ns, char *text, size_t room);

#endif
