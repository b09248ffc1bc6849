#include "lib/test.h"
#include "replay/fields.h"
#include <string.h>

enum { ROOM = 8192 };

TEST(fields_of_a_configuration_come_back)
{
    struct weir_config config, copy;
    uint8_t bytes[ROOM];
    char unknown[64];
    struct writer w = writer_of(bytes, sizeof bytes);

    weir_config_init(&config);
    config.memory_limit = 12345;
    config.tcp.rto_min_ns = 7 * WEIR_MS;
    config.tcp.nagle = false;
    config.tcp.congestion_control = weir_congestion_control_name(1);
    config.tcp.port_last = 65535;
    fields_emit(&w, config_fields, &config);
    EXPECT(!w.failed);
    struct cursor c = cursor_of(span_of(bytes, w.written));
    weir_config_init(&copy);
    EXPECT(fields_parse(&c, config_fields, &copy, unknown, sizeof unknown));
    EXPECT(memcmp(&copy, &config, sizeof config) == 0);
}

/*
 * Every member is in the list, but for those that are recorded otherwise: what is not covered
 * by a member is at most the padding before the next one.
 */
static void expect_all_members(const struct field *fields, const struct field *others, size_t size)
{
    uint8_t covered[1024] = {0};
    const struct field *lists[] = {fields, others};
    size_t gap = 0;

    EXPECT(size < sizeof covered);
    for (int l = 0; l < 2; l++)
        for (const struct field *f = lists[l]; f->name != NULL; f++)
            memset(covered + f->offset, (int)f->size, f->size);
    for (size_t i = 0; i < size; i++) {
        if (covered[i] == 0) {
            gap++;
            continue;
        }
        if (gap > 0 && (gap >= covered[i] || i % covered[i] != 0) && covered[i] <= 8)
            FAIL("a member of %zu bytes before offset %zu is not recorded: see replay/fields.c",
                 gap, i);
        gap = 0;
    }
    EXPECT(gap < sizeof(void *));
}

#define OTHER(type, member)                                                                        \
    {                                                                                              \
#member, offsetof(struct type, member), sizeof((struct type *)0)->member, FIELD_NUMBER     \
    }

TEST(fields_leave_no_member_of_a_configuration_out)
{
    static const struct field others[] = {
        OTHER(weir_config, crypto),
        OTHER(weir_config, secret),
        OTHER(weir_config, allocator.alloc),
        OTHER(weir_config, allocator.free),
        OTHER(weir_config, allocator.ctx),
        OTHER(weir_config, cpu_features), /* the machine's: it changes nothing but speed */
        OTHER(weir_config, on_call),
        OTHER(weir_config, on_call_ctx),
        {0},
    };

    expect_all_members(config_fields, others, sizeof(struct weir_config));
}

TEST(fields_leave_no_member_of_an_interface_out)
{
    static const struct field others[] = {
        OTHER(weir_netif_config, name),   OTHER(weir_netif_config, mac[0]),
        OTHER(weir_netif_config, mac[1]), OTHER(weir_netif_config, mac[2]),
        OTHER(weir_netif_config, mac[3]), OTHER(weir_netif_config, mac[4]),
        OTHER(weir_netif_config, mac[5]), {0},
    };

    expect_all_members(netif_config_fields, others, sizeof(struct weir_netif_config));
}

TEST(fields_that_are_not_known_are_named)
{
    static const struct field later[] = {{"tcp.something_new", 0, 1, FIELD_NUMBER}, {0}};
    struct weir_config config;
    uint8_t bytes[ROOM], value = 1;
    char unknown[64];
    struct writer w = writer_of(bytes, sizeof bytes);

    fields_emit(&w, later, &value);
    struct cursor c = cursor_of(span_of(bytes, w.written));
    EXPECT(!fields_parse(&c, config_fields, &config, unknown, sizeof unknown));
    EXPECT(strcmp(unknown, "tcp.something_new") == 0);
    c = cursor_of(span_of(bytes, w.written));
    EXPECT(!fields_parse(&c, config_fields, &config, unknown, 4));
    EXPECT(strcmp(unknown, "tcp") == 0);
}

TEST(fields_cut_anywhere_are_refused)
{
    struct weir_config config;
    uint8_t bytes[ROOM];
    char unknown[64];
    struct writer w = writer_of(bytes, sizeof bytes);

    weir_config_init(&config);
    fields_emit(&w, config_fields, &config);
    for (size_t cut = 0; cut < w.written; cut++) {
        struct cursor c = cursor_of(span_of(bytes, cut));
        EXPECT(!fields_parse(&c, config_fields, &config, unknown, sizeof unknown));
    }
}

TEST(fields_take_no_number_that_does_not_fit)
{
    static const struct field wide[] = {{"ip.ttl", 0, 8, FIELD_NUMBER}, {0}};
    static const struct field not_bool[] = {{"tcp.nagle", 0, 8, FIELD_NUMBER}, {0}};
    const struct field *lists[] = {wide, not_bool};
    uint64_t value = 256;

    for (int i = 0; i < 2; i++) {
        struct weir_config config;
        uint8_t bytes[ROOM];
        char unknown[64];
        struct writer w = writer_of(bytes, sizeof bytes);
        fields_emit(&w, lists[i], &value);
        struct cursor c = cursor_of(span_of(bytes, w.written));
        EXPECT(!fields_parse(&c, config_fields, &config, unknown, sizeof unknown));
        EXPECT(unknown[0] == 0);
    }
}
