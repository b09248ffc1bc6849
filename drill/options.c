/*
 * options.c - what a script says of its network and of its times
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drill/icmp_names.h"
#include "drill/run.h"

enum { MTU = 1500 };

/* Options of the original that mean nothing here. */
static const char *const ignored[] = {
    "ip_version", /* drill_options_families reads it */
    "speed",      "non_fatal",     "init_scripts",      "netmask_ip",        "verbose",
    "dry_run",    "wire_protocol", "tolerance_percent", "tcp_ts_tick_usecs", "tcp_ts_ecr_scaled",
    "define",     "udp_encaps",    "strict_segments",
};

static bool fail(const struct drill_option *o, struct drill_error *error, const char *what)
{
    error->at = o->at;
    (void)snprintf(error->text, sizeof error->text, "--%s: %s", o->name, what);
    return false;
}

/* A whole number from first to last; false: it is none. */
static bool read_number(const char *text, long first, long last, long *number)
{
    char *end;

    *number = strtol(text, &end, 10);
    return end != text && *end == '\0' && *number >= first && *number <= last;
}

static bool read_prefix(const char *text, struct weir_prefix *prefix, struct weir_addr *addr)
{
    char address[WEIR_ADDR_TEXT];
    size_t len = strcspn(text, "/");

    if (len >= sizeof address || weir_prefix_parse(text, prefix) != 0)
        return false;
    memcpy(address, text, len);
    address[len] = '\0';
    return weir_addr_parse(address, addr) == 0;
}

static bool read_option(const struct drill_option *o, struct drill_net *net,
                        struct drill_run_options *run, struct drill_error *error)
{
    struct weir_prefix prefix;
    struct weir_addr addr;
    long number;

    if (strcmp(o->name, "mtu") == 0) {
        if (!read_number(o->value, 576, 65535, &number))
            return fail(o, error, "a number from 576 to 65535 is expected");
        net->mtu = (uint32_t)number;
    } else if (strcmp(o->name, "mss") == 0) {
        if (!read_number(o->value, 1, 65535, &number))
            return fail(o, error, "a number from 1 to 65535 is expected");
        net->seg_bytes = (uint16_t)number;
    } else if (strcmp(o->name, "tolerance_usecs") == 0) {
        if (!read_number(o->value, 1, 1000000000, &number))
            return fail(o, error, "a number of microseconds is expected");
        run->tolerance_ns = number * WEIR_US;
    } else if (strcmp(o->name, "bind_port") == 0 || strcmp(o->name, "connect_port") == 0) {
        if (!read_number(o->value, 1, 65535, &number))
            return fail(o, error, "a port is expected");
        *(o->name[0] == 'b' ? &net->local_port : &net->remote_port) = (uint16_t)number;
    } else if (strcmp(o->name, "local_ip") == 0 || strcmp(o->name, "remote_ip") == 0
               || strcmp(o->name, "gateway_ip") == 0) {
        if (!read_prefix(o->value, &prefix, &addr))
            return fail(o, error, "an address is expected");
        if (weir_addr_is_v4(&addr) != weir_addr_is_v4(&net->remote))
            return true; /* meant for runs over the other family */
        if (o->name[0] == 'l')
            memcpy(&net->local.addr, &addr, sizeof addr);
        else
            *(o->name[0] == 'r' ? &net->remote : &net->gateway) = addr;
    } else {
        size_t i = 0;

        while (i < sizeof ignored / sizeof *ignored && strcmp(ignored[i], o->name) != 0)
            i++;
        if (i == sizeof ignored / sizeof *ignored)
            return fail(o, error, "there is no such option");
    }
    return true;
}

enum {
    OVER_IPV4 = 1 << DRILL_IPV4 | 1 << DRILL_MAPPED,
    OVER_IPV6 = 1 << DRILL_IPV6,
};

/* Where the ICMP messages that a script has are known, as drill_options_families. */
static unsigned families_of_messages(const struct drill_script *script, bool with_codes)
{
    unsigned families = OVER_IPV4 | OVER_IPV6;

    for (const struct drill_event *e = script->events; e != NULL; e = e->next) {
        const struct drill_packet *p = e->kind == DRILL_EVENT_PACKET ? e->packet : NULL;
        const char *icmp_code;
        bool is_of4, is_of6;
        uint8_t type, code;

        if (p == NULL || p->protocol != DRILL_ICMP || p->icmp_type == NULL)
            continue;
        icmp_code = with_codes ? p->icmp_code : NULL;
        is_of4 = drill_icmp_numbers(false, p->icmp_type, icmp_code, &type, &code) == NULL;
        is_of6 = drill_icmp_numbers(true, p->icmp_type, icmp_code, &type, &code) == NULL;
        if (is_of6 && !is_of4)
            families &= OVER_IPV6;
        else if (is_of4 && !is_of6)
            families &= OVER_IPV4;
    }
    return families;
}

/* A script that says which addresses there are says it of one family, or of both. */
static unsigned families_of_addresses(const struct drill_script *script)
{
    unsigned families = 0;

    for (const struct drill_option *o = script->options; o != NULL; o = o->next) {
        struct weir_prefix prefix;
        struct weir_addr addr;

        if ((strcmp(o->name, "local_ip") == 0 || strcmp(o->name, "remote_ip") == 0)
            && read_prefix(o->value, &prefix, &addr))
            families |= weir_addr_is_v4(&addr) ? OVER_IPV4 : OVER_IPV6;
    }
    return families != 0 ? families : OVER_IPV4 | OVER_IPV6;
}

/* What does not fit together is a mistake that is told where the message stands. */
static unsigned families_of_content(const struct drill_script *script)
{
    unsigned addresses = families_of_addresses(script);
    unsigned both = addresses & families_of_messages(script, true);

    return both != 0 ? both : addresses;
}

/*
 * It says nothing of families, but speaks of what IPv6 alone has. Codes do not count: one that is a
 * name of whoever runs the script (-D) makes no other script of it.
 */
static bool is_of_ipv6_alone(const struct drill_script *script)
{
    for (const struct drill_option *o = script->options; o != NULL; o = o->next)
        if (strcmp(o->name, "ip_version") == 0)
            return false;
    return families_of_messages(script, false) == OVER_IPV6;
}

unsigned drill_options_families(const struct drill_script *script, struct drill_error *error)
{
    static const char *const names[] = {"ipv4", "ipv6", "ipv4-mapped-ipv6"};
    unsigned families = 0;

    for (const struct drill_option *o = script->options; o != NULL; o = o->next) {
        unsigned i = 0;

        if (strcmp(o->name, "ip_version") != 0)
            continue;
        while (i < 3 && strcmp(names[i], o->value) != 0)
            i++;
        if (i == 3) {
            (void)fail(o, error, "ipv4, ipv6 or ipv4-mapped-ipv6 is expected");
            return 0;
        }
        families |= 1u << i;
    }
    return families != 0 ? families : families_of_content(script);
}

bool drill_options_read(const struct drill_script *script, struct drill_net *net,
                        struct drill_run_options *options, struct drill_error *error)
{
    if (is_of_ipv6_alone(script))
        net->mtu = MTU; /* its lengths are those of IPv6 */
    for (const struct drill_option *o = script->options; o != NULL; o = o->next) {
        if (!read_option(o, net, options, error))
            return false;
    }
    return true;
}
