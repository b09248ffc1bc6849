/*
 * synsent.h - SEGMENT ARRIVES in SYN-SENT [RFC9293 3.10.7.3]
 */
#ifndef CORE_TCP_SYNSENT_H
#define CORE_TCP_SYNSENT_H

#include "base/why.h"

struct tcp_conn;
struct tcp_env;
struct tcp_seg;

enum why synsent_input(struct tcp_conn *c, struct tcp_env *env, struct tcp_seg *seg);

#endif
