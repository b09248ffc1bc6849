/*
 * icmp_names.h - packetdrill's names for types and codes of ICMP
 */
#ifndef DRILL_ICMP_NAMES_H
#define DRILL_ICMP_NAMES_H

#include <stdbool.h>
#include <stdint.h>

/*
 * "unreachable", "port_unreachable" (or NULL: 0); also type_3 and code_1. NULL, or what is
 * unknown.
 */
const char *drill_icmp_numbers(bool is_v6, const char *type, const char *code, uint8_t *type_out,
                               uint8_t *code_out);

#endif
