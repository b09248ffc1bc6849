/*
 * test.c - collects the tests of a program, runs them and reports failures
 *
 * Tests register themselves before main, in the order of their files. With cmocka
 * (WEIR_WITH_CMOCKA) it runs and reports them; without it a loop of our own does.
 */
#include "lib/test.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef WEIR_WITH_CMOCKA
#include <cmocka.h>
#else
#include <signal.h>
#include <unistd.h>
#endif

enum {
    tests_max = 4096,
    exit_no_such_test = 2,
};

static const uint64_t default_seed = 0x5765697220544350u; /* "Weir TCP" */

static struct test *first_test;
static struct test **last_test = &first_test;
static struct test_hook *first_hook;
static const struct test *running;
static bool seed_used;

void test_register(struct test *test)
{
    *last_test = test;
    last_test = &test->next;
}

void test_register_hook(struct test_hook *hook)
{
    hook->next = first_hook;
    first_hook = hook;
}

static void run_hooks(void)
{
    for (struct test_hook *hook = first_hook; hook; hook = hook->next)
        hook->body();
}

/* ---- the runner: each gives run_tests and end_test ---- */

#ifdef WEIR_WITH_CMOCKA

_Noreturn static void end_test(const char *file, int line)
{
    _fail(file, line);
    abort(); /* cmocka does not declare that _fail never returns */
}

static void run_one(void **state)
{
    running = *state;
    seed_used = false;
    running->body();
    run_hooks();
}

static int run_all(struct test **tests, size_t count)
{
    static struct CMUnitTest table[tests_max];

    for (size_t i = 0; i < count; i++) {
        table[i].name = tests[i]->name;
        table[i].test_func = run_one;
        table[i].initial_state = tests[i];
    }
    return _cmocka_run_group_tests("tests", table, count, NULL, NULL) == 0 ? 0 : 1;
}

#else

static jmp_buf after_failure;

_Noreturn static void end_test(const char *file, int line)
{
    (void)file;
    (void)line;
    longjmp(after_failure, 1);
}

/* Says which test crashed; only what a signal handler may call. */
static void on_crash(int number)
{
    static const char said[] = "crashed in test ";

    if (write(STDERR_FILENO, said, sizeof said - 1) < 0
        || write(STDERR_FILENO, running->name, strlen(running->name)) < 0
        || write(STDERR_FILENO, "\n", 1) < 0)
        _exit(1);
    signal(number, SIG_DFL);
    raise(number);
}

/* A function of its own, so that longjmp finds no local variable of the loop changed. */
static bool passes(const struct test *test)
{
    running = test;
    seed_used = false;
    if (setjmp(after_failure) != 0)
        return false;
    test->body();
    run_hooks();
    return true;
}

static int run_all(struct test **tests, size_t count)
{
    size_t failed_count = 0;

    signal(SIGSEGV, on_crash);
    signal(SIGILL, on_crash);
    signal(SIGTRAP, on_crash);
    signal(SIGABRT, on_crash);
    for (size_t i = 0; i < count; i++) {
        if (!passes(tests[i]))
            failed_count++;
    }
    printf("%zu passed, %zu failed\n", count - failed_count, failed_count);
    return failed_count ? 1 : 0;
}

#endif

/* ---- expectations ---- */

_Noreturn void test_fail(const char *file, int line, const char *format, ...)
{
    va_list arguments;

    fflush(stdout);
    fprintf(stderr, "%s:%d: in %s:\n    ", file, line, running ? running->name : "no test");
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    if (seed_used)
        fprintf(stderr, "    to repeat: WEIR_TEST_SEED=%" PRIu64 "\n", test_seed());
    fflush(stderr);
    end_test(file, line);
}

_Noreturn void test_fail_condition(const char *file, int line, const char *condition)
{
    test_fail(file, line, "expected: %s", condition);
}

void test_expect_eq(const char *file, int line, const char *what, intmax_t a, intmax_t b)
{
    if (a == b)
        return;
    test_fail(file, line,
              "expected: %s\n    left:  %" PRIdMAX " (0x%" PRIxMAX ")\n    right: %" PRIdMAX
              " (0x%" PRIxMAX ")",
              what, a, (uintmax_t)a, b, (uintmax_t)b);
}

void test_expect_str(const char *file, int line, const char *what, const char *a, const char *b)
{
    if (a == b || (a && b && strcmp(a, b) == 0))
        return;
    test_fail(file, line, "expected: %s\n    left:  \"%s\"\n    right: \"%s\"", what,
              a ? a : "(null)", b ? b : "(null)");
}

/* Bytes in hexadecimal from the first that differs, as many as fit one line. */
static const char *hex(char *out, size_t room, const uint8_t *bytes, size_t len)
{
    size_t at = 0;

    out[0] = '\0';
    for (size_t i = 0; i < len && at + 4 < room; i++, at += 3)
        snprintf(out + at, room - at, " %02x", bytes[i]);
    return out;
}

void test_expect_mem(const char *file, int line, const char *what, const void *a, const void *b,
                     size_t len)
{
    const uint8_t *left = a;
    const uint8_t *right = b;
    char left_text[100], right_text[100];
    size_t same = 0;

    while (same < len && left[same] == right[same])
        same++;
    if (same == len)
        return;
    test_fail(
        file, line,
        "expected: %s, %zu bytes\n    they differ from byte %zu on\n    left: %s\n    right:%s",
        what, len, same, hex(left_text, sizeof left_text, left + same, len - same),
        hex(right_text, sizeof right_text, right + same, len - same));
}

/* ---- machines ---- */

uint64_t test_many(uint64_t count)
{
    return getenv("WEIR_TEST_EMULATED") != NULL ? count / 10 : count;
}

/* ---- randomness ---- */

uint64_t test_seed(void)
{
    const char *text = getenv("WEIR_TEST_SEED");

    seed_used = true;
    return text ? strtoull(text, NULL, 0) : default_seed;
}

/* SplitMix64 (Steele, Lea, Flood 2014): one addition and a mixing of the sum. */
uint64_t test_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint32_t test_random_below(uint64_t *state, uint32_t bound)
{
    return (uint32_t)((test_random(state) >> 32) * bound >> 32);
}

/* ---- main ---- */

/* A sanitizer reports a crash better than the runner, whose signal handlers it keeps out. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "handle_segv=2:handle_sigbus=2:detect_stack_use_after_return=1";
}

static bool is_wanted(const struct test *test, const char *part)
{
    return !part || strstr(test->name, part);
}

int main(int argc, char **argv)
{
    static struct test *wanted[tests_max];
    bool list = argc > 1 && strcmp(argv[1], "--list") == 0;
    const char *part = argc > 1 && !list ? argv[1] : NULL;
    size_t count = 0;

    for (struct test *test = first_test; test && count < tests_max; test = test->next) {
        if (is_wanted(test, part))
            wanted[count++] = test;
    }
    for (size_t i = 0; list && i < count; i++)
        printf("%s\n", wanted[i]->name);
    if (list)
        return 0;
    if (count == 0) {
        fprintf(stderr, "no test%s%s\n", part ? " with a name that contains " : "",
                part ? part : "");
        return exit_no_such_test;
    }
    return run_all(wanted, count);
}
