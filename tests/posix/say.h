/*
 * say.h - one line for each call: what was asked, what came of it, what was seen
 */
#ifndef TESTS_POSIX_SAY_H
#define TESTS_POSIX_SAY_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Numbered lines: "tcp.12  expression = -1 EAGAIN". */
void say_chapter(const char *name);

/* The result of a call, and errno if it is -1. The number of a descriptor is not said. */
#define SAY(call) say_result(#call, (long)(call))
#define SAY_FD(call) say_fd(#call, (call))
long say_result(const char *text, long result);
int say_fd(const char *text, int fd);

/* Something that was seen. */
void say_seen(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_bytes(const void *bytes, ssize_t len);

/* Poll's bits by their names. */
void say_ready(const char *text, unsigned bits);

/* An address; ports that were chosen are said as one of known, or "some". */
void say_address(const char *text, const struct sockaddr_storage *addr, socklen_t len);

#endif
