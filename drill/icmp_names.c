/*
 * icmp_names.c - packetdrill's names for types and codes of ICMP
 */
#include "drill/icmp_names.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "wire/icmp4.h"
#include "wire/icmp6.h"

struct name {
    const char *text;
    uint8_t type;
    int code; /* -1: this is a type */
};

static const struct name names4[] = {
    {"echo_reply", ICMP4_ECHO_REPLY, -1},
    {"unreachable", ICMP4_UNREACHABLE, -1},
    {"source_quench", ICMP4_SOURCE_QUENCH, -1},
    {"redirect", ICMP4_REDIRECT, -1},
    {"echo_request", ICMP4_ECHO_REQUEST, -1},
    {"time_exceeded", ICMP4_TIME_EXCEEDED, -1},
    {"parameter_problem", ICMP4_PARAMETER_PROBLEM, -1},
    {"net_unreachable", ICMP4_UNREACHABLE, ICMP4_NET_UNREACHABLE},
    {"host_unreachable", ICMP4_UNREACHABLE, ICMP4_HOST_UNREACHABLE},
    {"protocol_unreachable", ICMP4_UNREACHABLE, ICMP4_PROTOCOL_UNREACHABLE},
    {"port_unreachable", ICMP4_UNREACHABLE, ICMP4_PORT_UNREACHABLE},
    {"frag_needed", ICMP4_UNREACHABLE, ICMP4_FRAGMENTATION_NEEDED},
    {"source_route_failed", ICMP4_UNREACHABLE, ICMP4_SOURCE_ROUTE_FAILED},
    {"net_unknown", ICMP4_UNREACHABLE, ICMP4_NET_UNKNOWN},
    {"host_unknown", ICMP4_UNREACHABLE, ICMP4_HOST_UNKNOWN},
    {"source_host_isolated", ICMP4_UNREACHABLE, ICMP4_HOST_ISOLATED},
    {"net_prohibited", ICMP4_UNREACHABLE, ICMP4_NET_PROHIBITED},
    {"host_prohibited", ICMP4_UNREACHABLE, ICMP4_HOST_PROHIBITED},
    {"net_unreachable_for_tos", ICMP4_UNREACHABLE, ICMP4_NET_UNREACHABLE_FOR_TOS},
    {"host_unreachable_for_tos", ICMP4_UNREACHABLE, ICMP4_HOST_UNREACHABLE_FOR_TOS},
    {"packet_filtered", ICMP4_UNREACHABLE, ICMP4_PROHIBITED},
    {"precedence_violation", ICMP4_UNREACHABLE, ICMP4_PRECEDENCE_VIOLATION},
    {"precedence_cutoff", ICMP4_UNREACHABLE, ICMP4_PRECEDENCE_CUTOFF},
    {NULL, 0, 0},
};

static const struct name names6[] = {
    {"unreachable", ICMP6_UNREACHABLE, -1},
    {"packet_too_big", ICMP6_PACKET_TOO_BIG, -1},
    {"time_exceeded", ICMP6_TIME_EXCEEDED, -1},
    {"parameter_problem", ICMP6_PARAMETER_PROBLEM, -1},
    {"echo_request", ICMP6_ECHO_REQUEST, -1},
    {"echo_reply", ICMP6_ECHO_REPLY, -1},
    {"net_unreachable", ICMP6_UNREACHABLE, 0},
    {"no_route", ICMP6_UNREACHABLE, 0},
    {"admin_prohibited", ICMP6_UNREACHABLE, 1},
    {"not_neighbour", ICMP6_UNREACHABLE, 2},
    {"address_unreachable", ICMP6_UNREACHABLE, 3},
    {"port_unreachable", ICMP6_UNREACHABLE, 4},
    {"exceeded_hop_limit", ICMP6_TIME_EXCEEDED, 0},
    {"exceeded_frag_time", ICMP6_TIME_EXCEEDED, 1},
    {"header_field", ICMP6_PARAMETER_PROBLEM, 0},
    {"unknown_next_header", ICMP6_PARAMETER_PROBLEM, 1},
    {"unknown_option", ICMP6_PARAMETER_PROBLEM, 2},
    {NULL, 0, 0},
};

/* type_3, code_1 */
static bool is_number(const char *text, const char *prefix, uint8_t *number)
{
    size_t len = strlen(prefix);
    char *end;
    long value;

    if (strncmp(text, prefix, len) != 0)
        return false;
    value = strtol(text + len, &end, 10);
    *number = (uint8_t)value;
    return end != text + len && *end == '\0' && value >= 0 && value <= UINT8_MAX;
}

static const struct name *find(const struct name *names, const char *text, bool is_code,
                               uint8_t type)
{
    while (names->text != NULL
           && (strcmp(names->text, text) != 0 || (names->code >= 0) != is_code
               || (is_code && names->type != type)))
        names++;
    return names->text != NULL ? names : NULL;
}

const char *drill_icmp_numbers(bool is_v6, const char *type, const char *code, uint8_t *type_out,
                               uint8_t *code_out)
{
    const struct name *names = is_v6 ? names6 : names4, *found;

    *code_out = 0;
    if (!is_number(type, "type_", type_out)) {
        found = find(names, type, false, 0);
        if (found == NULL)
            return type;
        *type_out = found->type;
    }
    if (code == NULL || is_number(code, "code_", code_out))
        return NULL;
    found = find(names, code, true, *type_out);
    if (found == NULL)
        return code;
    *code_out = (uint8_t)found->code;
    return NULL;
}
