/*
 * uto.c - the user timeout option [RFC5482]
 *
 * An application that advertises a timeout (ENABLED) says it in its SYN and once afterwards, and
 * follows the peer's, as long as it has not chosen one of its own (CHANGEABLE): the longer of the
 * two, between 100 s and a day, so that nobody can make us give up early or keep a dead
 * connection for ever. State: user->user_timeout_ms as far as it follows the peer, timeout_owed.
 */
#include "tcp/uto.h"
#include "tcp/conn.h"
#include "tcp/seg.h"
#include "wire/tcp.h"
#include "wire/tcp_options.h"
#include <string.h>

enum {
    VALUE_MAX = 0x7fff,
    MINUTES = 0x8000, /* the granularity bit */
};

#define LEAST_NS (100 * NS_S)      /* [RFC5482 3.1: L_LIMIT], as R2 [RFC9293 SHLD-11] */
#define MOST_NS (24 * 3600 * NS_S) /* [RFC5482 3.1: U_LIMIT] */

uint16_t uto_of(ns_t duration_ns)
{
    ns_t seconds = ns_div_ceil(duration_ns, NS_S);

    if (seconds <= VALUE_MAX)
        return (uint16_t)seconds;
    return (uint16_t)(MINUTES | ns_div_ceil(duration_ns, 60 * NS_S));
}

ns_t uto_ns(uint16_t option)
{
    return (option & VALUE_MAX) * (option & MINUTES ? 60 * NS_S : NS_S);
}

void uto_on_news(struct tcp_conn *c)
{
    c->timeout_owed = c->user->advertised_timeout != 0;
}

uint32_t uto_len(const struct tcp_conn *c)
{
    return c->timeout_owed ? UTO_OPTION_LEN : 0;
}

void uto_offer(struct tcp_conn *c, bool is_syn, struct tcp_options *options)
{
    if (c->user->advertised_timeout == 0 || (!is_syn && !c->timeout_owed))
        return;
    options->present |= TCP_HAS_USER_TIMEOUT;
    options->user_timeout = c->user->advertised_timeout;
    if (tcp_options_len(options) > TCP_OPTIONS_MAX)
        options->present &= (uint16_t)~TCP_HAS_USER_TIMEOUT;
    else if (!is_syn)
        c->timeout_owed = false;
}

/* USER_TIMEOUT = min(U_LIMIT, max(ADV_UTO, REMOTE_UTO, L_LIMIT)) [RFC5482 3.1] */
void uto_on_segment(struct tcp_conn *c, struct tcp_env *env, const struct tcp_seg *seg)
{
    ns_t timeout_ns = uto_ns(c->user->advertised_timeout);
    struct tcp_user user;

    if (!(seg->opt.present & TCP_HAS_USER_TIMEOUT) || c->user->advertised_timeout == 0
        || c->user->user_timeout_is_set || (seg->opt.user_timeout & VALUE_MAX) == 0)
        return;
    timeout_ns = ns_max(ns_max(timeout_ns, uto_ns(seg->opt.user_timeout)), LEAST_NS);
    memcpy(&user, c->user, sizeof user);
    user.user_timeout_ms = (uint32_t)(ns_min(timeout_ns, MOST_NS) / NS_MS);
    (void)choice_change(env, &c->user, &user); /* without memory what was said before stays true */
}
