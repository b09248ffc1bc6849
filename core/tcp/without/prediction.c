/*
 * prediction.c - TCP without the short way of the segment that was expected: all take the long one
 *
 * In place of: predict.c
 */
#include "tcp/predict.h"

bool predict_is_expected(const struct tcp_conn *c, const struct tcp_env *env,
                         const struct tcp_seg *seg)
{
    return false;
}
