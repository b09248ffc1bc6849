/*
 * options.c - what the programs of the interop tests are told
 */
#include "interop/options.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind {
    SWITCH,
    NUMBER16,
    NUMBER32,
    NUMBER64,
    TEXT,
    TEXTS, /* several: the count follows */
};

struct spec {
    const char *name;
    enum kind kind;
    size_t offset;
    size_t count_offset;
};

#define AT(member) offsetof(struct options, member)

static const struct spec specs[] = {
    {"--count", NUMBER32, AT(count), 0},
    {"--together", SWITCH, AT(together), 0},
    {"--one-by-one", SWITCH, AT(one_by_one), 0},
    {"--rest", NUMBER32, AT(rest_ms), 0},
    {"--local-port", NUMBER16, AT(local_port), 0},
    {"--pause", NUMBER32, AT(pause_ms), 0},
    {"--timeout", NUMBER32, AT(timeout_s), 0},
    {"--expect", TEXT, AT(expect), 0},
    {"--send", NUMBER64, AT(plan.send_bytes), 0},
    {"--recv", NUMBER64, AT(plan.recv_bytes), 0},
    {"--window", NUMBER64, AT(plan.window), 0},
    {"--echo", SWITCH, AT(plan.echoes), 0},
    {"--echoed", SWITCH, AT(plan.echoed), 0},
    {"--keep-open", SWITCH, AT(plan.keeps_open), 0},
    {"--device", TEXT, AT(device), 0},
    {"--tap", SWITCH, AT(tap), 0},
    {"--no-offload", SWITCH, AT(no_offload), 0},
    {"--lent", SWITCH, AT(lent), 0},
    {"--nodelay", SWITCH, AT(nodelay), 0},
    {"--mtu", NUMBER32, AT(mtu), 0},
    {"--address", TEXTS, AT(own), AT(own_count)},
    {"--peer", TEXTS, AT(peer), AT(peer_count)},
    {"--gateway", TEXTS, AT(gateway), AT(gateway_count)},
    {"--keepalive", NUMBER32, AT(keepalive_ms), 0},
    {"--user-timeout", NUMBER32, AT(user_timeout_ms), 0},
    {"--datagrams", NUMBER32, AT(datagrams), 0},
    {"--md5", TEXT, AT(md5), 0},
    {"--fastopen", SWITCH, AT(fastopen), 0},
    {"--ecn", NUMBER32, AT(ecn), 0},
    {"--marks", TEXT, AT(marks), 0},
    {"--syn-queue", NUMBER32, AT(syn_queue), 0},
};

_Noreturn static void fail(const char *what, const char *which)
{
    fprintf(stderr, "%s: %s\n", what, which);
    exit(2);
}

static const struct spec *find(const char *name)
{
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        if (strcmp(specs[i].name, name) == 0)
            return &specs[i];
    }
    fail("no such option", name);
}

/* A number, or "any". */
static uint64_t number(const char *text, uint64_t max)
{
    char *end;
    unsigned long long value = strtoull(text, &end, 10);

    if (strcmp(text, "any") == 0)
        return max;
    if (*text == 0 || *end != 0 || value > max)
        fail("not a number", text);
    return value;
}

static void add_text(struct options *o, const struct spec *spec, const char *value)
{
    uint32_t *count = (uint32_t *)(void *)((char *)o + spec->count_offset);

    if (*count == OPTIONS_ADDRS)
        fail("too many of them", value);
    ((const char **)(void *)((char *)o + spec->offset))[(*count)++] = value;
}

static void set(struct options *o, const struct spec *spec, const char *value)
{
    void *target = (char *)o + spec->offset;

    switch (spec->kind) {
    case SWITCH: *(bool *)target = true; break;
    case NUMBER16: *(uint16_t *)target = (uint16_t)number(value, UINT16_MAX); break;
    case NUMBER32: *(uint32_t *)target = (uint32_t)number(value, UINT32_MAX); break;
    case NUMBER64: *(uint64_t *)target = number(value, UINT64_MAX); break;
    case TEXT: *(const char **)target = value; break;
    case TEXTS: add_text(o, spec, value); break;
    }
}

void options_parse(struct options *o, int argc, char **argv)
{
    *o = (struct options){.count = 1, .timeout_s = 60};
    if (argc < 3 || (strcmp(argv[1], "connect") != 0 && strcmp(argv[1], "listen") != 0))
        fail("usage", "PROGRAM connect|listen ENDPOINT [--OPTION [VALUE]]...");
    o->listens = strcmp(argv[1], "listen") == 0;
    o->plan.connects = !o->listens;
    o->endpoint = argv[2];
    for (int i = 3; i < argc; i++) {
        const struct spec *spec = find(argv[i]);

        if (spec->kind != SWITCH && ++i == argc)
            fail("a value is missing", spec->name);
        set(o, spec, argv[i]);
    }
}
