/*
 * predict.h - the segment that was expected
 */
#ifndef CORE_TCP_PREDICT_H
#define CORE_TCP_PREDICT_H

#include <stdbool.h>

struct tcp_conn;
struct tcp_env;
struct tcp_seg;

/*
 * Whether the checks of RFC 9293 3.10.7.4, and what extensions add to them, all let the segment
 * pass and have nothing to note but its timestamp: what is left to be done is to take what it
 * newly acknowledges, its window, and its text and FIN, which begin at rcv.nxt and fit.
 */
bool predict_is_expected(const struct tcp_conn *c, const struct tcp_env *env,
                         const struct tcp_seg *seg);

#endif
