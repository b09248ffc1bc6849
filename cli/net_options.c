/*
 * net_options.c - the options of every command that uses the network
 */
#include "cli/net_options.h"

#include <net/if.h>
#include <string.h>

#include "cli/say.h"

static const char *take_device(struct net_options *o, const char *value, bool tap)
{
    if (value[0] == 0 || strlen(value) >= IFNAMSIZ || strchr(value, '/') != NULL)
        return "the name of a device, of at most 15 characters";
    o->device = value;
    o->tap = tap;
    return NULL;
}

static const char *take_tun(void *target, const char *value)
{
    return take_device(target, value, false);
}

static const char *take_tap(void *target, const char *value)
{
    return take_device(target, value, true);
}

static const char *take_prefix(struct net_addresses *list, const char *value, const char *wanted)
{
    struct weir_prefix prefix;

    if (weir_prefix_parse(value, &prefix) != 0 || weir_addr_is_any(&prefix.addr))
        return wanted;
    if (list->count == NET_ADDRESSES_MAX)
        return "at most 16 addresses";
    list->of[list->count++] = prefix;
    return NULL;
}

static const char *take_address(void *target, const char *value)
{
    struct net_options *o = target;
    return take_prefix(&o->own, value, "an address and its prefix length, as 198.18.0.2/24");
}

static const char *take_peer(void *target, const char *value)
{
    struct net_options *o = target;
    return take_prefix(&o->peer, value, "an address and its prefix length, as 198.18.0.1/24");
}

static const char *take_gateway(void *target, const char *value)
{
    struct net_options *o = target;
    const char *wanted = "an address, as 198.18.0.1";

    return strchr(value, '/') != NULL ? wanted : take_prefix(&o->gateways, value, wanted);
}

static const char *take_mtu(void *target, const char *value)
{
    struct net_options *o = target;
    unsigned long long number;

    if (options_number(value, 576, 65535, &number) != 0)
        return "a number from 576 to 65535";
    o->mtu = (uint32_t)number;
    return NULL;
}

static const char *take_pcap(void *target, const char *value)
{
    struct net_options *o = target;

    if (value[0] == 0)
        return "the name of a file";
    o->pcap = value;
    return NULL;
}

static const char *take_record(void *target, const char *value)
{
    struct net_options *o = target;

    if (value[0] == 0)
        return "the name of a file";
    o->record = value;
    return NULL;
}

/* Options that only switch a member on. */
#define SWITCH(member)                                                                             \
    static const char *take_##member(void *target, const char *value)                              \
    {                                                                                              \
        (void)value;                                                                               \
        ((struct net_options *)target)->member = true;                                             \
        return NULL;                                                                               \
    }
SWITCH(no_setup)
SWITCH(no_offload)
SWITCH(trace)
SWITCH(json)
SWITCH(stats)
SWITCH(quiet)
SWITCH(verbose)

static const char *take_ipv4(void *target, const char *value)
{
    (void)value;
    ((struct net_options *)target)->family = 4;
    return NULL;
}

static const char *take_ipv6(void *target, const char *value)
{
    (void)value;
    ((struct net_options *)target)->family = 6;
    return NULL;
}

const struct option_spec net_option_specs[] = {
    {"tun", 0, "NAME", "open or create this TUN device (default: a new one)", take_tun},
    {"tap", 0, "NAME", "open or create this TAP device, with Ethernet frames", take_tap},
    {"address", 'a', "ADDR/LEN", "an address of ours, IPv4 or IPv6; may be repeated", take_address},
    {"peer", 'p', "ADDR/LEN", "give this address to the kernel's end; may be repeated", take_peer},
    {"gateway", 'g', "ADDR", "the way to everybody else; one for each family", take_gateway},
    {"mtu", 0, "N", "longest packet in bytes, on both ends of the device", take_mtu},
    {"no-setup", 0, NULL, "leave the kernel's end of the device alone", take_no_setup},
    {"no-offload", 0, NULL, "no segments longer than the MTU, no checksums left open",
     take_no_offload},
    {"pcap", 0, "FILE", "write what passes to a pcapng file", take_pcap},
    {"record", 0, "FILE", "record all that the stack is given, for weir replay", take_record},
    {"trace", 't', NULL, "a line for each segment and change of state, on stderr", take_trace},
    {"json", 0, NULL, "traces and results as lines of JSON", take_json},
    {"stats", 0, NULL, "print the stack's counters at the end", take_stats},
    {"quiet", 'q', NULL, "say nothing but errors and results", take_quiet},
    {"verbose", 'v', NULL, "say more; with --trace, also timers, round trips, windows",
     take_verbose},
    {0},
};

const struct option_spec net_family_specs[] = {
    {"ipv4", '4', NULL, "IPv4 only", take_ipv4},
    {"ipv6", '6', NULL, "IPv6 only", take_ipv6},
    {0},
};

/* Whether there is an address of ours of the same family. */
static bool has_family(const struct net_addresses *list, const struct weir_addr *addr)
{
    for (size_t i = 0; i < list->count; i++)
        if (weir_addr_is_v4(&list->of[i].addr) == weir_addr_is_v4(addr))
            return true;
    return false;
}

int net_options_check(const char *command, const struct net_options *options)
{
    char text[WEIR_ADDR_TEXT];
    const struct net_addresses *own = &options->own;

    if (options->peer.count > 0 && own->count == 0)
        return say_usage("%s: --peer needs an --address for our end", command);
    if (options->peer.count > 0 && options->no_setup)
        return say_usage("%s: --peer and --no-setup contradict each other", command);
    for (size_t i = 0; own->count > 0 && i < options->gateways.count; i++)
        if (!has_family(own, &options->gateways.of[i].addr))
            return say_usage("%s: there is no --address of the family of gateway %s", command,
                             weir_addr_text(&options->gateways.of[i].addr, text));
    for (size_t i = 0; i < own->count; i++)
        if (options->mtu != 0 && options->mtu < 1280 && !weir_addr_is_v4(&own->of[i].addr))
            return say_usage("%s: IPv6 needs an --mtu of at least 1280", command);
    return EXIT_OK;
}
