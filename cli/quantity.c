/*
 * quantity.c - numbers with units, as people write them
 */
#include "cli/quantity.h"

#include <ctype.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <strings.h>

struct unit {
    const char *name;
    double factor;
};

/* The number times its unit; NAN if it is none. units ends with a unit without a name. */
static double read(const char *text, const struct unit *units)
{
    char *end;
    double number;

    if (!isdigit((unsigned char)text[0]) && text[0] != '.')
        return NAN;
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        return NAN;
    number = strtod(text, &end);
    if (end == text)
        return NAN;
    for (; units->name != NULL; units++)
        if (strcasecmp(end, units->name) == 0)
            return number * units->factor;
    return NAN;
}

int quantity_time(const char *text, weir_ns_t *value)
{
    static const struct unit units[] = {{"", 1e9},   {"s", 1e9}, {"ms", 1e6},
                                        {"us", 1e3}, {"ns", 1},  {NULL, 0}};
    double ns = read(text, units);

    if (!(ns >= 0 && ns <= 86400e9))
        return -1;
    *value = (weir_ns_t)llround(ns);
    return 0;
}

int quantity_rate(const char *text, uint64_t *value)
{
    static const struct unit units[] = {
        {"bit", 1}, {"kbit", 1e3}, {"mbit", 1e6}, {"gbit", 1e9}, {NULL, 0}};
    double rate = read(text, units);

    if (!(rate >= 1 && rate <= 1e12))
        return -1;
    *value = (uint64_t)llround(rate);
    return 0;
}

int quantity_share(const char *text, uint32_t *value)
{
    static const struct unit units[] = {{"%", 1e4}, {"", 1e6}, {NULL, 0}};
    double share = read(text, units);

    if (!(share >= 0 && share <= 1e6))
        return -1;
    *value = (uint32_t)lround(share);
    return 0;
}

int quantity_bytes(const char *text, uint32_t *value)
{
    static const struct unit units[] = {{"", 1},        {"b", 1},        {"k", 1024}, {"kb", 1024},
                                        {"m", 1048576}, {"mb", 1048576}, {NULL, 0}};
    double bytes = read(text, units);

    if (!(bytes >= 1 && bytes <= UINT32_MAX))
        return -1;
    *value = (uint32_t)llround(bytes);
    return 0;
}
