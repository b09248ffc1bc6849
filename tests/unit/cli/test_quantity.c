#include "cli/quantity.h"
#include "lib/test.h"

TEST(quantity_times_have_units)
{
    static const struct {
        const char *text;
        weir_ns_t ns;
    } rows[] = {{"50ms", 50 * WEIR_MS},   {"1.5s", 1500 * WEIR_MS},
                {"100us", 100 * WEIR_US}, {"20ns", 20},
                {"2", 2 * WEIR_S},        {"0", 0},
                {".5ms", 500 * WEIR_US},  {"10MS", 10 * WEIR_MS},
                {"86400", 86400 * WEIR_S}};
    static const char *const wrong[] = {"",    "ms",  "-1ms",  "1 ms",  "1m",    "nan",
                                        "inf", "0x1", "1e400", "86401", "1msms", "+1"};
    weir_ns_t ns;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        EXPECT_EQ(quantity_time(rows[i].text, &ns), 0);
        EXPECT_EQ(ns, rows[i].ns);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        EXPECT_EQ(quantity_time(wrong[i], &ns), -1);
}

TEST(quantity_rates_are_decimal)
{
    uint64_t rate;

    EXPECT(quantity_rate("100mbit", &rate) == 0 && rate == 100000000);
    EXPECT(quantity_rate("1.5Gbit", &rate) == 0 && rate == 1500000000);
    EXPECT(quantity_rate("64kbit", &rate) == 0 && rate == 64000);
    EXPECT(quantity_rate("9600bit", &rate) == 0 && rate == 9600);
    EXPECT(quantity_rate("100", &rate) == -1);
    EXPECT(quantity_rate("0bit", &rate) == -1);
    EXPECT(quantity_rate("100mb", &rate) == -1);
}

TEST(quantity_shares_are_parts_of_a_million)
{
    uint32_t ppm;

    EXPECT(quantity_share("1%", &ppm) == 0 && ppm == 10000);
    EXPECT(quantity_share("0.05%", &ppm) == 0 && ppm == 500);
    EXPECT(quantity_share("0.01", &ppm) == 0 && ppm == 10000);
    EXPECT(quantity_share("100%", &ppm) == 0 && ppm == 1000000);
    EXPECT(quantity_share("100.1%", &ppm) == -1);
    EXPECT(quantity_share("-1%", &ppm) == -1);
}

TEST(quantity_bytes_are_binary)
{
    uint32_t bytes;

    EXPECT(quantity_bytes("64k", &bytes) == 0 && bytes == 65536);
    EXPECT(quantity_bytes("1.5m", &bytes) == 0 && bytes == 1572864);
    EXPECT(quantity_bytes("1500", &bytes) == 0 && bytes == 1500);
    EXPECT(quantity_bytes("0", &bytes) == -1);
    EXPECT(quantity_bytes("5g", &bytes) == -1);
}
