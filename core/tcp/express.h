/*
 * express.h - the usual segment, sent in one go
 */
#ifndef CORE_TCP_EXPRESS_H
#define CORE_TCP_EXPRESS_H

#include <stdbool.h>

struct frame;
struct tcp_conn;
struct tcp_env;

/*
 * The next segment, if it is one of those that nearly all are: text that goes all at once, with
 * the FIN or without, or an acknowledgement, behind which nothing is left to be sent. Its checksum is complete unless
 * has_offload. NULL: it is another one, or there is none, or no memory; tcp_output knows.
 */
struct frame *express_output(struct tcp_conn *c, struct tcp_env *env, bool has_offload);

#endif
