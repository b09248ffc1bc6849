/*
 * isn.c - initial sequence numbers
 *
 * ISN = M + F(localip, localport, remoteip, remoteport, secretkey) [RFC9293 SHLD-1]: M is a
 * clock that ticks every 4 microseconds [RFC9293 MUST-8], F is SipHash-2-4, which nobody
 * without the key can compute [RFC9293 MUST-9].
 */
#include "tcp/isn.h"
#include "tcp/conn.h"
#include "tcp/tstamp.h"

uint64_t isn_hash(struct siphash_key key, const struct tcp_tuple *tuple)
{
    uint64_t words[TCP_TUPLE_WORDS];

    if (HAS_SCALE && addr_is_v4(&tuple->remote_addr)) /* a fifth less work */
        return siphash24_word_and_half(key, tcp_tuple_addrs4(tuple), tcp_tuple_ports(tuple));
    return siphash24_words(key, words, tcp_tuple_words(tuple, words));
}

uint32_t isn_hash_short(struct siphash_key key, const struct tcp_tuple *tuple)
{
    if (HAS_SCALE && addr_is_v4(&tuple->remote_addr))
        return (uint32_t)siphash13_word_and_half(key, tcp_tuple_addrs4(tuple),
                                                 tcp_tuple_ports(tuple));
    return (uint32_t)isn_hash(key, tuple);
}

uint64_t isn_ends(const struct tcp_env *env, const struct tcp_tuple *tuple)
{
    return isn_hash(env->isn_key, tuple);
}

struct isn isn_of(const struct tcp_env *env, uint64_t ends)
{
    uint32_t clock = (uint32_t)((uint64_t)env->now / (4 * NS_US));

    return (struct isn){seq_of(clock + (uint32_t)ends), tstamp_offset_of(ends)};
}
