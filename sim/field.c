/*
 * field.c - values with names, as scenario files have them
 */
#include "sim/field.h"

#include "format/text.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct unit {
    const char *name;
    uint64_t factor;
};

/* The largest comes first: it is the one that is written. */
static const struct unit durations[] = {
    {"min", UINT64_C(60000000000)},
    {"s", 1000000000},
    {"ms", 1000000},
    {"us", 1000},
    {"ns", 1},
    {NULL, 0},
};
static const struct unit rates[] = {
    {"gbit", 1000000000}, {"mbit", 1000000}, {"kbit", 1000}, {"bit", 1}, {NULL, 0},
};
static const struct unit sizes[] = {
    {"GiB", UINT64_C(1) << 30},
    {"GB", 1000000000},
    {"MiB", 1 << 20},
    {"MB", 1000000},
    {"KiB", 1024},
    {"kB", 1000},
    {"B", 1},
    {"", 1},
    {NULL, 0},
};
static const struct unit shares[] = {{"%", 10000}, {"ppm", 1}, {NULL, 0}};

const struct field *field_find(const struct field *table, const char *name)
{
    for (; table->name != NULL; table++)
        if (strcmp(table->name, name) == 0)
            return table;
    return NULL;
}

/* ---- numbers with units ---- */

static const struct unit *find_unit(const struct unit *units, const char *name)
{
    for (; units->name != NULL; units++)
        if (strcmp(units->name, name) == 0)
            return units;
    return NULL;
}

/* Whole digits, perhaps a point and more of them, and a unit; what a unit cannot hold is cut off. */
static bool parse_scaled(const char *text, const struct unit *units, uint64_t most, uint64_t *value)
{
    size_t whole = strspn(text, "0123456789"), rest = 0;
    const struct unit *unit;
    uint64_t n = 0, part = 0, scale = 1;

    if (whole == 0 || whole > 15)
        return false;
    for (size_t i = 0; i < whole; i++)
        n = n * 10 + (uint64_t)(text[i] - '0');
    if (text[whole] == '.') {
        rest = strspn(text + whole + 1, "0123456789");
        if (rest == 0 || rest > 9)
            return false;
        for (size_t i = 0; i < rest; i++, scale *= 10)
            part = part * 10 + (uint64_t)(text[whole + 1 + i] - '0');
        rest++;
    }
    unit = find_unit(units, text + whole + rest);
    if (unit == NULL || n > most / unit->factor)
        return false;
    /* part is below scale, at most 10^9, and the factor below 10^11: no product overflows. */
    *value =
        n * unit->factor + part * (unit->factor / scale) + part * (unit->factor % scale) / scale;
    return *value <= most;
}

static void put_scaled(struct text *t, uint64_t value, const struct unit *units)
{
    while (units[1].name != NULL && units[1].name[0] != 0
           && (value == 0 || value % units->factor != 0))
        units++;
    text_putf(t, "%" PRIu64 "%s", value / units->factor, units->name);
}

bool field_parse_number(const char *text, uint64_t most, uint64_t *number)
{
    static const struct unit none[] = {{"", 1}, {NULL, 0}};

    return strchr(text, '.') == NULL && parse_scaled(text, none, most, number);
}

bool field_parse_duration(const char *text, int64_t *ns)
{
    uint64_t value;

    if (!parse_scaled(text, durations, UINT64_C(86400) * 365 * 1000000000, &value))
        return false;
    *ns = (int64_t)value;
    return true;
}

size_t field_duration_text(int64_t ns, char *text, size_t room)
{
    struct text t = text_of(text, room);

    put_scaled(&t, (uint64_t)ns, durations);
    return t.len;
}

/* ---- reading ---- */

static void store_enum(void *target, uint32_t value)
{
    memcpy(target, &value, sizeof value);
}

static const char *say(char *error, const char *expected, const struct field *f)
{
    struct text t = text_of(error, FIELD_ERROR_MAX);

    text_put(&t, expected);
    if (f->words == NULL)
        return error;
    for (size_t i = 0; f->words(i) != NULL; i++) {
        text_put(&t, i == 0 ? "" : f->words(i + 1) == NULL ? " or " : ", ");
        text_put(&t, f->words(i));
    }
    return error;
}

static const char *parse_word(const struct field *f, uint8_t *at, const char *value, char *error)
{
    for (uint32_t i = 0; f->words(i) != NULL; i++)
        if (strcmp(f->words(i), value) == 0) {
            store_enum(at, i);
            return NULL;
        }
    return say(error, "", f);
}

static const char *parse_text(const struct field *f, uint8_t *at, const char *value, char *error)
{
    bool known = f->words == NULL;

    for (size_t i = 0; f->words != NULL && f->words(i) != NULL; i++)
        known = known || strcmp(f->words(i), value) == 0;
    if (!known || strlen(value) >= FIELD_TEXT_MAX)
        return say(error, known ? "a shorter name" : "", f);
    memset(at, 0, FIELD_TEXT_MAX);
    memcpy(at, value, strlen(value));
    return NULL;
}

static const char *parse_numbers(const struct field *f, uint8_t *base, const char *value)
{
    uint64_t *to = (uint64_t *)(void *)(base + f->offset);
    uint32_t count = 0;
    char word[24];

    while (*value != 0) {
        size_t len = strcspn(value, ",");
        if (len >= sizeof word || count == f->count_max)
            return "at most 32 numbers such as 1,5,9";
        memcpy(word, value, len);
        word[len] = 0;
        if (!field_parse_number(word, UINT64_C(1) << 48, &to[count]) || to[count] == 0)
            return "numbers from 1 such as 1,5,9";
        count++;
        value += len + (value[len] == ',');
    }
    memcpy(base + f->count_offset, &count, sizeof count);
    return count > 0 ? NULL : "numbers from 1 such as 1,5,9";
}

static const char *parse_scaled_field(const struct field *f, uint8_t *at, const char *value)
{
    uint64_t n = 0;
    int64_t ns = 0;
    bool is_wide = f->type == FIELD_BYTES64 || f->type == FIELD_RATE;
    const uint64_t most = is_wide ? UINT64_C(1) << 50 : UINT32_MAX;

    switch (f->type) {
    case FIELD_COUNT:
        if (!field_parse_number(value, most, &n))
            return "a whole number";
        break;
    case FIELD_BYTES:
    case FIELD_BYTES64:
        if (!parse_scaled(value, sizes, most, &n))
            return "a number of bytes such as 1500, 64KiB or 10MB";
        break;
    case FIELD_RATE:
        if (!parse_scaled(value, rates, most, &n))
            return "a rate such as 56kbit, 10mbit or 1gbit";
        break;
    case FIELD_SHARE:
        if (!parse_scaled(value, shares, 1000000, &n))
            return "a share such as 1%, 0.01% or 50ppm";
        break;
    default:
        if (!field_parse_duration(value, &ns))
            return "a duration such as 10ms, 1.5s or 2min";
        memcpy(at, &ns, sizeof ns);
        return NULL;
    }
    uint32_t narrow = (uint32_t)n;
    if (is_wide)
        memcpy(at, &n, sizeof n);
    else
        memcpy(at, &narrow, sizeof narrow);
    return NULL;
}

static const char *parse_value(const struct field *f, uint8_t *base, const char *value, char *error)
{
    uint8_t *at = base + f->offset;

    switch (f->type) {
    case FIELD_FLAG: *(bool *)(void *)at = true; return NULL;
    case FIELD_WORD: return parse_word(f, at, value, error);
    case FIELD_TEXT: return parse_text(f, at, value, error);
    case FIELD_NUMBERS: return parse_numbers(f, base, value);
    default: return parse_scaled_field(f, at, value);
    }
}

const char *field_parse(const struct field *f, void *target, const char *value, char *error)
{
    const char *expected = parse_value(f, target, value, error);

    if (expected == NULL && f->tag_offset != 0)
        store_enum((uint8_t *)target + f->tag_offset, f->tag);
    return expected;
}

/* ---- writing ---- */

static uint32_t load32(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof value);
    return value;
}

static uint64_t load64(const uint8_t *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof value);
    return value;
}

static size_t size_of(const struct field *f)
{
    switch (f->type) {
    case FIELD_FLAG: return sizeof(bool);
    case FIELD_TEXT: return FIELD_TEXT_MAX;
    case FIELD_BYTES64:
    case FIELD_DURATION:
    case FIELD_RATE: return 8;
    case FIELD_NUMBERS: return 8 * (size_t)f->count_max;
    default: return 4;
    }
}

static bool differs(const struct field *f, const uint8_t *a, const uint8_t *b)
{
    if (f->tag_offset != 0 && load32(a + f->tag_offset) != f->tag)
        return false;
    if (f->tag_offset != 0 && load32(b + f->tag_offset) != f->tag)
        return true;
    return memcmp(a + f->offset, b + f->offset, size_of(f)) != 0;
}

static void put_numbers(struct text *t, const struct field *f, const uint8_t *base)
{
    uint32_t count = load32(base + f->count_offset);

    for (uint32_t i = 0; i < count; i++)
        text_putf(t, "%s%" PRIu64, i == 0 ? "" : ",", load64(base + f->offset + 8 * (size_t)i));
}

static void put_value(struct text *t, const struct field *f, const uint8_t *base)
{
    const uint8_t *at = base + f->offset;

    switch (f->type) {
    case FIELD_FLAG: break;
    case FIELD_COUNT: text_putf(t, "%" PRIu32, load32(at)); break;
    case FIELD_BYTES: put_scaled(t, load32(at), sizes); break;
    case FIELD_BYTES64: put_scaled(t, load64(at), sizes); break;
    case FIELD_DURATION: put_scaled(t, load64(at), durations); break;
    case FIELD_RATE: put_scaled(t, load64(at), rates); break;
    case FIELD_SHARE: put_scaled(t, load32(at), shares); break;
    case FIELD_WORD: text_put(t, f->words(load32(at))); break;
    case FIELD_TEXT: text_put(t, (const char *)at); break;
    case FIELD_NUMBERS: put_numbers(t, f, base); break;
    }
}

/* Of a flag, only that it is set can be said. */
size_t field_emit(const struct field *table, const void *target, const void *other, char *text,
                  size_t room)
{
    struct text t = text_of(text, room);

    for (; table->name != NULL; table++) {
        const uint8_t *base = target;
        if (!differs(table, base, other)
            || (table->type == FIELD_FLAG && !*(const bool *)(const void *)(base + table->offset)))
            continue;
        text_putf(&t, " %s", table->name);
        if (table->type != FIELD_FLAG)
            text_put_char(&t, ' ');
        put_value(&t, table, base);
    }
    return t.len;
}
