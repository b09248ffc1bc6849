/*
 * timestamps.c - TCP that neither offers timestamps nor takes them
 *
 * Round trips are measured by what was sent once alone [RFC6298 3], old segments are known by their
 * sequence numbers alone.
 *
 * In place of: tstamp.c
 */
#include "tcp/tstamp.h"

uint32_t tstamp_clock(ns_t now, uint32_t offset)
{
    return 0;
}

bool tstamp_is_old(const struct tcp_conn *c, const struct tcp_env *env, const struct tcp_seg *seg)
{
    return false;
}

void tstamp_open(struct tcp_conn *c, const struct tcp_env *env, uint32_t offset)
{
}

void tstamp_start(struct tcp_conn *c, const struct tcp_env *env, uint32_t recent)
{
}

void tstamp_note(struct tcp_conn *c, const struct tcp_env *env, const struct tcp_seg *seg)
{
}

bool tstamp_may_echo(const struct tcp_conn *c, const struct tcp_env *env, const struct tcp_seg *seg)
{
    return true;
}

bool tstamp_is_before(const struct tcp_conn *c, uint32_t echo, ns_t at)
{
    return false;
}

ns_t tstamp_rtt_ns(const struct tcp_conn *c, const struct tcp_env *env, uint32_t echo)
{
    return 0;
}
