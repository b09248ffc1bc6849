/*
 * test_addr_text.c - addresses, prefixes and endpoints, read and written
 */
#include "base/addr.h"
#include "lib/test.h"
#include <string.h>
#include <weir/addr.h>
#include <weir/err.h>

TEST(addresses_are_written_as_rfc_5952_has_them) /* [RFC5952 4, 5] */
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"2001:DB8::1", "2001:db8::1"},
        {"2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},    /* the first of two equal runs */
        {"2001:db8:0:1:0:0:0:1", "2001:db8:0:1::1"},      /* the longest run */
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"}, /* one group alone is not cut */
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
        {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
        {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"::ffff:c000:201", "192.0.2.1"},
        {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
        {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
        {"fe80::abcd:ef12", "fe80::abcd:ef12"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct weir_addr a, again;
        char text[WEIR_ADDR_TEXT];

        EXPECT_EQ(weir_addr_parse(rows[i].in, &a), WEIR_OK);
        EXPECT_STR(weir_addr_text(&a, text), rows[i].out);
        EXPECT_EQ(weir_addr_parse(text, &again), WEIR_OK);
        EXPECT(weir_addr_eq(&a, &again));
    }
}

TEST(addresses_that_are_none)
{
    static const char *const bad[] = {
        "",
        " ",
        "1",
        "1.2.3",
        "1.2.3.4.5",
        "256.1.1.1",
        "1.2.3.04",
        "1.2.3.4 ",
        " 1.2.3.4",
        "1.2..4",
        "1.2.3.-4",
        "a.b.c.d",
        ":",
        ":::",
        "1:2",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1::2::3",
        "12345::",
        "g::",
        "1:2:3:4:5:6:7:8::",
        "::1:2:3:4:5:6:7:8",
        "1:",
        ":1",
        "::1:",
        "1:2:3:4:5:6:7:1.2.3.4",
        "1.2.3.4::",
        "::1.2.3",
        "::1.2.3.4:5",
        "::1.2.3.4.5",
        "fe80::1%eth0",
        "[::1]",
        "1.2.3.4/8",
        "99999999999999999999.1.1.1",
        "0x1.2.3.4",
    };
    struct weir_addr a = weir_addr_v4(9, 9, 9, 9), before = a;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        EXPECT_EQ(weir_addr_parse(bad[i], &a), WEIR_EINVAL);
    EXPECT_EQ(weir_addr_parse(NULL, &a), WEIR_EINVAL);
    EXPECT(weir_addr_eq(&a, &before));
}

TEST(prefixes_are_read_and_written)
{
    static const struct {
        const char *in, *out;
        uint8_t len;
    } rows[] = {
        {"192.0.2.0/24", "192.0.2.0/24", 120},
        {"192.0.2.1", "192.0.2.1/32", 128},
        {"0.0.0.0/0", "0.0.0.0/0", 96},
        {"2001:db8::/32", "2001:db8::/32", 32},
        {"::/0", "::/0", 0},
        {"::1", "::1/128", 128},
    };
    static const char *const bad[] = {"192.0.2.0/33",  "::/129", "192.0.2.0/", "192.0.2.0/-1",
                                      "192.0.2.0/24 ", "/24",    "::/0064",    "::/1/1"};
    struct weir_prefix p;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[WEIR_ADDR_TEXT];

        EXPECT_EQ(weir_prefix_parse(rows[i].in, &p), WEIR_OK);
        EXPECT_EQ(p.len, rows[i].len);
        EXPECT_STR(weir_prefix_text(&p, text), rows[i].out);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        EXPECT_EQ(weir_prefix_parse(bad[i], &p), WEIR_EINVAL);
    EXPECT_EQ(weir_prefix_parse(NULL, &p), WEIR_EINVAL);
    /* All IPv4-mapped addresses and more: no IPv4 prefix says that. */
    p = (struct weir_prefix){weir_addr_v4(0, 0, 0, 0), 90};
    EXPECT_STR(weir_prefix_text(&p, (char[WEIR_ADDR_TEXT]){0}), "::ffff:0:0/90");
}

TEST(endpoints_are_read_and_written) /* [RFC5952 6] */
{
    static const struct {
        const char *in, *out;
        uint16_t port;
    } rows[] = {
        {"192.0.2.1:80", "192.0.2.1:80", 80},
        {"0.0.0.0:0", "0.0.0.0:0", 0},
        {"[2001:db8::1]:65535", "[2001:db8::1]:65535", 65535},
        {"[::]:1", "[::]:1", 1},
        {"[::ffff:192.0.2.1]:80", "192.0.2.1:80", 80},
    };
    static const char *const bad[] = {"192.0.2.1",       "192.0.2.1:",     "192.0.2.1:65536",
                                      "2001:db8::1:80",  "[2001:db8::1]",  "[2001:db8::1]80",
                                      "[2001:db8::1:80", "[192.0.2.1]:80", ":80",
                                      "192.0.2.1:080",   "192.0.2.1:80 ",  ""};
    struct weir_endpoint e;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[WEIR_ADDR_TEXT];

        memset(&e, 0xff, sizeof e);
        EXPECT_EQ(weir_endpoint_parse(rows[i].in, &e), WEIR_OK);
        EXPECT_EQ(e.port, rows[i].port);
        EXPECT_EQ(e.netif, 0);
        EXPECT_STR(weir_endpoint_text(&e, text), rows[i].out);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        EXPECT_EQ(weir_endpoint_parse(bad[i], &e), WEIR_EINVAL);
    EXPECT_EQ(weir_endpoint_parse(NULL, &e), WEIR_EINVAL);
}

TEST(longest_texts_fit)
{
    struct weir_endpoint e = {.port = 65535};
    struct weir_prefix p = {.len = 128};
    char text[WEIR_ADDR_TEXT];

    memset(e.addr.b, 0xff, sizeof e.addr.b);
    p.addr = e.addr;
    EXPECT_EQ(strlen(weir_endpoint_text(&e, text)), 47);
    EXPECT_EQ(strlen(weir_prefix_text(&p, text)), 43);
}

/* Any bytes written and read again are the same. */
TEST(every_address_survives_its_text)
{
    uint64_t seed = test_seed();

    for (int i = 0; i < 20000; i++) {
        struct weir_addr a, again;
        char text[WEIR_ADDR_TEXT];

        for (size_t j = 0; j < sizeof a.b; j++)
            a.b[j] = test_random_below(&seed, 2) ? 0 : (uint8_t)test_random(&seed);
        EXPECT_EQ(weir_addr_parse(weir_addr_text(&a, text), &again), WEIR_OK);
        EXPECT(weir_addr_eq(&a, &again));
    }
}

TEST(kinds_of_addresses)
{
    static const struct {
        const char *text;
        bool multicast, broadcast, loopback, link_local;
    } rows[] = {
        {"192.0.2.1", false, false, false, false},
        {"224.0.0.1", true, false, false, false},
        {"239.255.1.1", true, false, false, false},
        {"240.0.0.1", false, false, false, false},
        {"255.255.255.255", false, true, false, false},
        {"127.3.4.5", false, false, true, false},
        {"::1", false, false, true, false},
        {"::2", false, false, false, false},
        {"ff02::1", true, false, false, false},
        {"fe80::1", false, false, false, true},
        {"febf::1", false, false, false, true},
        {"fec0::1", false, false, false, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct weir_addr a;

        EXPECT_EQ(weir_addr_parse(rows[i].text, &a), WEIR_OK);
        EXPECT_EQ(addr_is_multicast(&a), rows[i].multicast);
        EXPECT_EQ(addr_is_broadcast(&a), rows[i].broadcast);
        EXPECT_EQ(addr_is_loopback(&a), rows[i].loopback);
        EXPECT_EQ(addr_is_link_local6(&a), rows[i].link_local);
    }
}

TEST(common_bits_and_masks)
{
    struct weir_addr a = {{0xff, 0xff, 0xf0}}, b = {{0xff, 0xff, 0xe0}};
    struct weir_prefix p = {b, 19};

    EXPECT_EQ(addr_common_bits(&a, &a), 128);
    EXPECT_EQ(addr_common_bits(&a, &b), 19);
    EXPECT(prefix_has(&p, &a));
    p.len = 20;
    EXPECT(!prefix_has(&p, &a));
    for (uint8_t len = 0; len < 128; len++) {
        struct weir_addr ones, masked;

        memset(ones.b, 0xff, sizeof ones.b);
        masked = addr_mask(ones, len);
        EXPECT_EQ(addr_common_bits(&ones, &masked), len);
    }
}
