/*
 * conn_state.h - everything the library tells of a connection, printed
 */
#ifndef CLI_CONN_STATE_H
#define CLI_CONN_STATE_H

#include <stdbool.h>
#include <weir/weir.h>

/* now: for ages of instants. json: an object of the type "state". To stdout. */
void conn_state_print(struct weir *s, weir_handle_t handle, weir_ns_t now, bool json);

#endif
