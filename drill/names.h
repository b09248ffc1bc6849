/*
 * names.h - the constants that calls and assertions name, with Linux's values
 */
#ifndef DRILL_NAMES_H
#define DRILL_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of calls and of error numbers: "SOL_SOCKET", "EAGAIN". False: there is no such name. */
bool drill_name_value(const char *name, int64_t *value);

/* "EAGAIN", or "error 11". */
const char *drill_errno_name(int error, char room[24]);

enum {
    DRILL_TCP_INFO_MAX = 512, /* room for a struct tcp_info of any kernel */
};

/*
 * What an assertion may name: members of the struct tcp_info in bytes (those past len are 0), and
 * constants that go with it.
 */
bool drill_info_value(const uint8_t *bytes, size_t len, const char *name, int64_t *value);

#endif
