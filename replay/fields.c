/*
 * fields.c - structs as lists of named numbers
 */
#include "replay/fields.h"

#include <string.h>

#include "replay/log.h"

#define MEMBER(type, member, kind)                                                                 \
    {                                                                                              \
#member, offsetof(struct type, member), sizeof((struct type *)0)->member, kind             \
    }
#define CONFIG(member) MEMBER(weir_config, member, FIELD_NUMBER)
#define CONFIG_BOOL(member) MEMBER(weir_config, member, FIELD_BOOL)
#define CONFIG_SIZE(member) MEMBER(weir_config, member, FIELD_SIZE)

const struct field config_fields[] = {
    CONFIG_SIZE(memory_limit),
    CONFIG_SIZE(slab_bytes),
    CONFIG(buffer_small),
    CONFIG(buffer_medium),
    CONFIG(buffer_large),
    CONFIG(connections),
    CONFIG(timewaits),
    CONFIG(syn_queue),
    CONFIG(tcp.rto_initial_ns),
    CONFIG(tcp.rto_min_ns),
    CONFIG(tcp.rto_max_ns),
    CONFIG(tcp.syn_retries),
    CONFIG(tcp.synack_retries),
    CONFIG(tcp.retries1),
    CONFIG(tcp.retries2),
    CONFIG(tcp.msl_ns),
    CONFIG(tcp.fin_wait2_ns),
    CONFIG(tcp.keepalive_idle_ns),
    CONFIG(tcp.keepalive_interval_ns),
    CONFIG(tcp.keepalive_probes),
    CONFIG(tcp.delack_min_ns),
    CONFIG(tcp.delack_max_ns),
    CONFIG(tcp.initial_window_segs),
    CONFIG(tcp.send_buffer_bytes),
    CONFIG(tcp.recv_buffer_bytes),
    CONFIG(tcp.mss_min),
    CONFIG_BOOL(tcp.window_scaling),
    CONFIG_BOOL(tcp.timestamps),
    CONFIG_BOOL(tcp.nagle),
    CONFIG_BOOL(tcp.abort_on_overflow),
    CONFIG_BOOL(tcp.timewait_reuse),
    MEMBER(weir_config, tcp.congestion_control, FIELD_CC),
    CONFIG_BOOL(tcp.cubic_as_linux),
    CONFIG(tcp.challenge_acks_per_s),
    CONFIG(tcp.reassembly_holes),
    CONFIG(tcp.port_first),
    CONFIG(tcp.port_last),
    CONFIG(tcp.orphans),
    CONFIG(tcp.orphan_retries),
    CONFIG(tcp.syn_cookies),
    CONFIG_BOOL(tcp.sack),
    CONFIG_BOOL(tcp.tail_loss_probe),
    CONFIG_BOOL(tcp.slow_start_after_idle),
    CONFIG(tcp.mtu_probing),
    CONFIG_BOOL(tcp.pacing),
    CONFIG(tcp.ecn),
    CONFIG(tcp.fastopen_servers),
    CONFIG(tcp.fastopen_off_ns),
    CONFIG_BOOL(tcp.fastopen_sends_no_cookie),
    CONFIG_BOOL(tcp.fastopen_takes_no_cookie),
    CONFIG(tcp.send_buffer_max_bytes),
    CONFIG(tcp.recv_buffer_max_bytes),
    CONFIG(ip.ttl),
    CONFIG(ip.neighbours),
    CONFIG(ip.neighbour_queue),
    CONFIG(ip.fragments_bytes),
    CONFIG(ip.fragments_per_source),
    CONFIG(ip.fragments_ns),
    CONFIG(ip.icmp_errors_per_s),
    CONFIG(ip.icmp_errors_per_peer_s),
    CONFIG_BOOL(ip.echo_replies),
    CONFIG_BOOL(ip.forward_source_routes),
    CONFIG(ip.path_mtu_entries),
    CONFIG(ip.path_mtu_ns),
    {0},
};

#define NETIF(member) MEMBER(weir_netif_config, member, FIELD_NUMBER)

const struct field netif_config_fields[] = {
    NETIF(link),
    NETIF(vlan),
    NETIF(mtu),
    NETIF(offloads),
    NETIF(gso_max),
    MEMBER(weir_netif_config, loopback, FIELD_BOOL),
    MEMBER(weir_netif_config, slaac, FIELD_BOOL),
    {0},
};

static uint64_t load(const uint8_t *at, size_t size)
{
    uint64_t u64 = 0;
    uint32_t u32;
    uint16_t u16;

    if (size == sizeof u64) {
        memcpy(&u64, at, sizeof u64);
        return u64;
    }
    if (size == sizeof u32) {
        memcpy(&u32, at, sizeof u32);
        return u32;
    }
    if (size == sizeof u16) {
        memcpy(&u16, at, sizeof u16);
        return u16;
    }
    return *at;
}

/* False if the value does not fit. */
static bool store(uint8_t *at, size_t size, uint64_t value)
{
    uint32_t u32 = (uint32_t)value;
    uint16_t u16 = (uint16_t)value;

    if (size < sizeof value && value >> (8 * size) != 0)
        return false;
    if (size == sizeof value)
        memcpy(at, &value, sizeof value);
    else if (size == sizeof u32)
        memcpy(at, &u32, sizeof u32);
    else if (size == sizeof u16)
        memcpy(at, &u16, sizeof u16);
    else
        *at = (uint8_t)value;
    return true;
}

static void put_text(struct writer *w, const char *text)
{
    size_t len = strlen(text);

    log_put_number(w, len);
    writer_put_bytes(w, text, len);
}

void fields_emit(struct writer *w, const struct field *fields, const void *object)
{
    uint64_t count = 0;

    while (fields[count].name != NULL)
        count++;
    log_put_number(w, count);
    for (; fields->name != NULL; fields++) {
        const uint8_t *at = (const uint8_t *)object + fields->offset;
        uint64_t value = load(at, fields->size);

        put_text(w, fields->name);
        if (fields->kind == FIELD_CC) {
            const char *name;
            memcpy(&name, at, sizeof name);
            put_text(w, name != NULL ? name : "");
        } else {
            log_put_number(w, fields->kind == FIELD_SIZE && value == SIZE_MAX ? UINT64_MAX : value);
        }
    }
}

static bool span_is_text(struct span s, const char *text)
{
    return span_eq(s, span_of(text, strlen(text)));
}

static const struct field *find(const struct field *fields, struct span name)
{
    for (; fields->name != NULL; fields++)
        if (span_is_text(name, fields->name))
            return fields;
    return NULL;
}

static struct span take_text(struct cursor *c)
{
    return cursor_take_span(c, (size_t)log_take_up_to(c, SIZE_MAX));
}

static bool set_cc(uint8_t *at, struct span name)
{
    const char *known;

    for (size_t i = 0; (known = weir_congestion_control_name(i)) != NULL; i++) {
        if (span_is_text(name, known)) {
            memcpy(at, &known, sizeof known);
            return true;
        }
    }
    return false;
}

static bool set_number(const struct field *field, uint8_t *at, uint64_t value)
{
    if (field->kind == FIELD_SIZE && value > SIZE_MAX)
        value = SIZE_MAX;
    if (field->kind == FIELD_BOOL && value > 1)
        return false;
    return store(at, field->size, value);
}

static bool name_unknown(struct span name, char *unknown, size_t room)
{
    size_t len = name.len < room ? name.len : room - 1;

    if (len > 0)
        memcpy(unknown, name.bytes, len);
    unknown[len] = 0;
    return false;
}

bool fields_parse(struct cursor *c, const struct field *fields, void *object, char *unknown,
                  size_t unknown_room)
{
    uint64_t count = log_take_number(c);

    unknown[0] = 0;
    for (; count > 0 && !c->failed; count--) {
        struct span name = take_text(c), value;
        const struct field *field = find(fields, name);
        uint8_t *at;

        if (c->failed)
            return false;
        if (field == NULL)
            return name_unknown(name, unknown, unknown_room);
        at = (uint8_t *)object + field->offset;
        if (field->kind == FIELD_CC) {
            value = take_text(c);
            if (!c->failed && !set_cc(at, value))
                return name_unknown(value, unknown, unknown_room);
        } else if (!set_number(field, at, log_take_number(c))) {
            return false;
        }
    }
    return !c->failed;
}
