/* test_checksum.c - the internet checksum against RFC 1071 and against the obvious loop */
#include "base/checksum.h"

#include <stdlib.h>
#include <string.h>
#include <weir/config.h>

#include "lib/test.h"

/* The definition: 16-bit words in network order, the carries taken back in. */
static uint32_t naive_sum(const uint8_t *bytes, size_t len)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < len; i++) {
        sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

/* Zero has two names in one's complement. */
static bool is_same(uint32_t a, uint32_t b)
{
    return a % 0xffff == b % 0xffff && (a == 0) == (b == 0);
}

static void fill(uint8_t *bytes, size_t len, uint64_t *state)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)test_random(state);
}

TEST(checksum_of_the_example_in_rfc_1071) /* [RFC1071 3] */
{
    static const uint8_t bytes[8] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

    EXPECT_EQ(checksum_add(0, bytes, 8), 0xddf2);
    EXPECT_EQ(checksum_fold(0xddf2), 0x220d);
}

TEST(checksum_of_a_known_ip4_header)
{
    static const uint8_t bytes[20] = {0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
                                      0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};

    EXPECT(checksum_is_good(checksum_add(0, bytes, 20)));
    EXPECT_EQ(checksum_add(0, bytes, 20), 0xffff);
    EXPECT_EQ(checksum_fold(
                  checksum_join(checksum_add(0, bytes, 10), checksum_add(0, bytes + 12, 8), 10)),
              0xb861);
}

TEST(checksum_agrees_with_the_naive_sum_at_every_length_and_alignment)
{
    uint64_t state = test_seed();
    uint8_t memory[8 + 300];

    fill(memory, sizeof memory, &state);
    for (size_t at = 0; at < 8; at++) {
        for (size_t len = 0; len <= 300; len++)
            EXPECT(is_same(checksum_add(0, memory + at, len), naive_sum(memory + at, len)));
    }
}

TEST(checksum_of_extremes_keeps_every_carry)
{
    size_t len = 65535;
    uint8_t *ones = malloc(len);

    memset(ones, 0xff, len);
    EXPECT_EQ(checksum_add(0, ones, 65534), 0xffff);
    EXPECT(is_same(checksum_add(0, ones, len), 0xff00));
    EXPECT_EQ(checksum_add(0xffffffff, ones, 65534), 0xffff);
    memset(ones, 0, len);
    EXPECT_EQ(checksum_add(0, ones, len), 0);
    free(ones);
}

TEST(checksum_stays_below_two_to_the_sixteen)
{
    static const uint8_t bytes[4] = {0xff, 0xff, 0xff, 0xff};

    EXPECT(checksum_add(UINT32_MAX, bytes, 4) <= 0xffff);
    EXPECT(checksum_join(UINT32_MAX, UINT32_MAX, 2) <= 0xffff);
    EXPECT(checksum_reduce(UINT64_MAX) <= 0xffff);
    EXPECT_EQ(checksum_reduce(0x1ffff), 1);
}

TEST(checksum_copy_copies_and_agrees_at_every_length_and_alignment)
{
    uint64_t state = test_seed();
    uint8_t from[8 + 200], to[8 + 200 + 1];

    fill(from, sizeof from, &state);
    for (size_t at = 0; at < 64; at++) {
        const uint8_t *source = from + at % 8;
        uint8_t *target = to + at / 8;

        for (size_t len = 0; len <= 200; len++) {
            target[len] = 0x5a;
            EXPECT_EQ(checksum_copy(target, source, len), checksum_add(0, source, len));
            EXPECT_MEM(target, source, len);
            EXPECT_EQ(target[len], 0x5a);
        }
    }
}

TEST(checksum_of_nothing_needs_no_memory)
{
    EXPECT_EQ(checksum_add(0, NULL, 0), 0);
    EXPECT_EQ(checksum_add(7, NULL, 0), 7);
    EXPECT_EQ(checksum_copy(NULL, NULL, 0), 0);
}

TEST(checksum_join_puts_pieces_of_any_length_together)
{
    uint64_t state = test_seed();
    uint8_t bytes[67];

    fill(bytes, sizeof bytes, &state);
    for (size_t first = 0; first <= 33; first++) {
        for (size_t second = 0; second <= 33; second++) {
            uint32_t a = checksum_add(0, bytes, first);
            uint32_t b = checksum_add(0, bytes + first, second);

            EXPECT(is_same(checksum_join(a, b, first), naive_sum(bytes, first + second)));
        }
    }
}

TEST(checksum_add_goes_on_from_an_even_piece)
{
    uint64_t state = test_seed();
    uint8_t bytes[64];

    fill(bytes, sizeof bytes, &state);
    for (size_t first = 0; first <= 64; first += 2) {
        uint32_t sum = checksum_add(checksum_add(0, bytes, first), bytes + first, 64 - first);

        EXPECT(is_same(sum, naive_sum(bytes, 64)));
    }
}

TEST(checksum_update_agrees_with_a_new_sum) /* [RFC1624 3] */
{
    uint64_t state = test_seed();
    uint8_t bytes[32];

    for (int i = 0; i < 1000; i++) {
        size_t at = test_random_below(&state, 7) * 4;
        uint8_t before[4], *word = bytes + at;
        uint16_t checksum;
        uint32_t old_word, new_word;

        fill(bytes, sizeof bytes, &state);
        checksum = checksum_fold(checksum_add(0, bytes, sizeof bytes));
        memcpy(before, word, 4);
        fill(word, 4, &state);
        old_word = (uint32_t)before[0] << 24 | (uint32_t)before[1] << 16 | (uint32_t)before[2] << 8
                   | before[3];
        new_word =
            (uint32_t)word[0] << 24 | (uint32_t)word[1] << 16 | (uint32_t)word[2] << 8 | word[3];
        EXPECT_EQ(checksum_update32(checksum, old_word, new_word),
                  checksum_fold(checksum_add(0, bytes, sizeof bytes)));
        checksum =
            checksum_update16(checksum, (uint16_t)(old_word >> 16), (uint16_t)(new_word >> 16));
        checksum = checksum_update16(checksum, (uint16_t)old_word, (uint16_t)new_word);
        EXPECT_EQ(checksum, checksum_fold(checksum_add(0, bytes, sizeof bytes)));
    }
}

TEST(checksum_update_of_the_example_in_rfc_1624) /* [RFC1624 4] */
{
    /* With the older formula the result would be ffff, the other zero. */
    EXPECT_EQ(checksum_update16(0xdd2f, 0x5555, 0x3285), 0x0000);
}

TEST(checksum_pseudo_is_the_one_of_ip4) /* [RFC9293 3.1] */
{
    struct weir_addr src = weir_addr_v4(192, 168, 0, 1), dst = weir_addr_v4(10, 255, 1, 254);
    static const uint8_t header[12] = {192, 168, 0, 1, 10, 255, 1, 254, 0, 6, 0x12, 0x34};

    EXPECT(is_same(checksum_pseudo(&src, &dst, 6, 0x1234), naive_sum(header, 12)));
}

TEST(checksum_pseudo_is_the_one_of_ip6) /* [RFC8200 8.1] */
{
    uint64_t state = test_seed();

    for (int i = 0; i < 100; i++) {
        struct weir_addr src, dst;
        uint8_t header[40] = {0};
        size_t len = test_random_below(&state, 200000);

        fill(src.b, 16, &state);
        fill(dst.b, 16, &state);
        memcpy(header, src.b, 16);
        memcpy(header + 16, dst.b, 16);
        header[33] = (uint8_t)(len >> 16);
        header[34] = (uint8_t)(len >> 8);
        header[35] = (uint8_t)len;
        header[39] = 58;
        EXPECT(is_same(checksum_pseudo(&src, &dst, 58, len), naive_sum(header, 40)));
    }
}

/* What this machine has, as the host would say. */
static const struct checksum_ops *fastest(void)
{
    uint32_t features = 0;

#if defined(__x86_64__)
    features = __builtin_cpu_supports("avx2") ? WEIR_CPU_AVX2 : 0;
#endif
    return checksum_ops_for(features);
}

/* Whether the pseudo-header and two pieces sum up to all ones, found by raw sums. */
static bool is_good_raw(const struct weir_addr *a, const uint8_t *bytes, size_t first, size_t len)
{
    uint64_t sum = checksum_raw_join(checksum_raw(bytes, first),
                                     checksum_raw(bytes + first, len - first), first);

    return checksum_raw_is_good(
        checksum_raw_plus(sum, checksum_raw_pseudo(&a[0], &a[1], 6, (uint32_t)len)));
}

TEST(checksum_raw_turned_is_a_sum_of_numbers)
{
    uint64_t state = test_seed();
    uint8_t bytes[200];

    for (size_t len = 0; len <= sizeof bytes; len++) {
        fill(bytes, sizeof bytes, &state);
        EXPECT(is_same(checksum_reduce(checksum_raw_turned(checksum_raw(bytes, len))),
                       naive_sum(bytes, len)));
    }
}

TEST(checksum_raw_finds_right_what_the_others_do_and_nothing_else)
{
    struct weir_addr ends[2] = {weir_addr_v4(192, 0, 2, 1), weir_addr_v4(198, 51, 100, 2)};
    uint64_t state = test_seed();
    uint8_t bytes[8 + 200];

    for (size_t len = 20; len <= 200; len++) {
        uint8_t *packet = bytes + len % 8;
        size_t first = (size_t)(test_random(&state) % (len + 1));
        size_t at = (size_t)(test_random(&state) % len);
        uint16_t checksum;

        fill(packet, len, &state);
        packet[16] = packet[17] = 0;
        checksum =
            checksum_fold(checksum_add(checksum_pseudo(&ends[0], &ends[1], 6, len), packet, len));
        packet[16] = (uint8_t)(checksum >> 8);
        packet[17] = (uint8_t)checksum;
        EXPECT(is_good_raw(ends, packet, first, len));
        packet[at] ^= (uint8_t)(1 << test_random(&state) % 8);
        EXPECT(!is_good_raw(ends, packet, first, len));
    }
}

TEST(checksum_is_the_same_with_everything_a_machine_has)
{
    uint64_t state = test_seed();
    static uint8_t memory[8 + 5000], target[8 + 5000];
    const struct checksum_ops *portable = checksum_ops_for(0), *fast = fastest();

    fill(memory, sizeof memory, &state);
    for (size_t turn = 0; turn < 3000; turn++) {
        size_t at = test_random_below(&state, 8), len = test_random_below(&state, 5000);
        uint32_t sum = portable->add(0x1234, memory + at, len);
        memset(target, 0xee, sizeof target);
        EXPECT(is_same(sum, fast->add(0x1234, memory + at, len)));
        EXPECT(
            is_same(portable->add(0, memory + at, len), fast->copy(target + 1, memory + at, len)));
        EXPECT_MEM(target + 1, memory + at, len);
        EXPECT_EQ(target[1 + len], 0xee);
    }
}

TEST(checksum_of_very_much_does_not_overflow)
{
    size_t len = (size_t)5 << 20;
    uint8_t *ones = malloc(len);

    EXPECT(ones != NULL);
    memset(ones, 0xff, len);
    EXPECT_EQ(fastest()->add(0, ones, len), 0xffff);
    for (size_t most = (size_t)512 << 10, odd = 0; odd < 2; odd++) {
        EXPECT_EQ(fastest()->add(0, ones, most - 2 * odd), 0xffff);
        EXPECT(is_same(checksum_add(0, ones, most - odd), fastest()->add(0, ones, most - odd)));
    }
    free(ones);
}
