/*
 * namespace.h - run a part of a test in a network namespace of its own
 *
 * The part runs in a child process, so it checks with REQUIRE instead of EXPECT.
 */
#ifndef TESTS_UNIT_DRIVERS_NAMESPACE_H
#define TESTS_UNIT_DRIVERS_NAMESPACE_H

#include <stdbool.h>

/* Runs body; fails the test if body did. Says why and passes where namespaces or TUN are denied. */
void in_namespace(void (*body)(void));

#define REQUIRE(condition) require(condition, #condition, __FILE__, __LINE__)

/* Ends the child if the condition does not hold. */
void require(bool holds, const char *condition, const char *file, int line);

#endif
