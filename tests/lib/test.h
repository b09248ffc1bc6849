/*
 * test.h - what every unit test includes
 *
 * A test is a sentence and a body, and is found by itself:
 *
 *   TEST(ack_of_unsent_data_is_answered_and_dropped) // [RFC9293 3.10.7.4]
 *   {
 *       EXPECT_EQ(answer.ack, 1000);
 *   }
 *
 * The first expectation that fails ends its test. The runner is cmocka where it is
 * installed and a loop of our own where it is not (big-endian and 32-bit runs).
 *
 *   unit_tcp             runs all tests
 *   unit_tcp ack         runs those whose name contains "ack"
 *   unit_tcp --list      prints the names
 */
#ifndef TESTS_LIB_TEST_H
#define TESTS_LIB_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One test; the macro below makes it and links it into the list. */
struct test {
    const char *name;
    const char *file;
    void (*body)(void);
    struct test *next;
};

/* A check that runs after every test that passed, and fails it if need be. */
struct test_hook {
    void (*body)(void);
    struct test_hook *next;
};

void test_register(struct test *test);
void test_register_hook(struct test_hook *hook);

#define TEST(sentence)                                                                             \
    static void test_body_##sentence(void);                                                        \
    __attribute__((constructor)) static void test_register_##sentence(void)                        \
    {                                                                                              \
        static struct test test = {#sentence, __FILE__, test_body_##sentence, NULL};               \
        test_register(&test);                                                                      \
    }                                                                                              \
    static void test_body_##sentence(void)

/*
 * AFTER_EACH_TEST(pools_are_full) { EXPECT(...); } runs its body after every test. In tests/lib,
 * which is an archive, it needs a function beside it that the tests call.
 */
#define AFTER_EACH_TEST(sentence)                                                                  \
    static void test_hook_##sentence(void);                                                        \
    __attribute__((constructor)) static void test_register_hook_##sentence(void)                   \
    {                                                                                              \
        static struct test_hook hook = {test_hook_##sentence, NULL};                               \
        test_register_hook(&hook);                                                                 \
    }                                                                                              \
    static void test_hook_##sentence(void)

#define EXPECT(condition)                                                                          \
    ((condition) ? (void)0 : test_fail_condition(__FILE__, __LINE__, #condition))

/* Integers of any kind; a pointer, a bool or a double wants EXPECT(a == b). */
#define EXPECT_EQ(a, b)                                                                            \
    test_expect_eq(__FILE__, __LINE__, #a " == " #b, (intmax_t)(a), (intmax_t)(b))

#define EXPECT_STR(a, b) test_expect_str(__FILE__, __LINE__, #a " is " #b, (a), (b))

#define EXPECT_MEM(a, b, len) test_expect_mem(__FILE__, __LINE__, #a " is " #b, (a), (b), (len))

/* Ends the running test with a message of its own, printf-like. */
#define FAIL(...) test_fail(__FILE__, __LINE__, __VA_ARGS__)

_Noreturn void test_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
_Noreturn void test_fail_condition(const char *file, int line, const char *condition);
void test_expect_eq(const char *file, int line, const char *what, intmax_t a, intmax_t b);
void test_expect_str(const char *file, int line, const char *what, const char *a, const char *b);
void test_expect_mem(const char *file, int line, const char *what, const void *a, const void *b,
                     size_t len);

/* So many, or a tenth where the machine is only emulated (WEIR_TEST_EMULATED is set). */
uint64_t test_many(uint64_t count);

/*
 * The seed of a random test: WEIR_TEST_SEED from the environment, or a fixed number. A
 * failure of a test that asked for it prints it.
 */
uint64_t test_seed(void);

/* The next of a stream of random numbers; state starts as test_seed(). */
uint64_t test_random(uint64_t *state);

/* A random number below bound, which is not zero. */
uint32_t test_random_below(uint64_t *state, uint32_t bound);

#endif
