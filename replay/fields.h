/*
 * fields.h - structs as lists of named numbers
 *
 * A configuration is recorded by its members' names, so that a later version of the library, which
 * has more of them or has them elsewhere, still reads it. A test finds members that are missing
 * in the lists.
 */
#ifndef REPLAY_FIELDS_H
#define REPLAY_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/weir.h>

#include "base/cursor.h"

enum field_kind {
    FIELD_NUMBER, /* unsigned or not: its bits */
    FIELD_SIZE,   /* a size_t: the largest one stays the largest one on another machine */
    FIELD_BOOL,
    FIELD_CC, /* the name of a congestion control */
};

struct field {
    const char *name;
    size_t offset;
    size_t size;
    enum field_kind kind;
};

/* Tables that end with a field without a name. */
extern const struct field config_fields[];       /* of struct weir_config; not its secret, ... */
extern const struct field netif_config_fields[]; /* of struct weir_netif_config; not name, mac */

void fields_emit(struct writer *w, const struct field *fields, const void *object);

/*
 * Sets the members that are there, and leaves the others. False: it is no such list, or *unknown
 * names what this version does not have (of unknown_room bytes, else "").
 */
bool fields_parse(struct cursor *c, const struct field *fields, void *object, char *unknown,
                  size_t unknown_room);

#endif
