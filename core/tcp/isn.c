/*
 * isn.c - initial sequence numbers
 *
 * ISN = M + F(localip, localport, remoteip, remoteport, secretkey) [RFC9293 SHLD-1]: M is a
 * clock that ticks every 4 microseconds [RFC9293 MUST-8], F is SipHash-2-4, which nobody
 * without the key can compute [RFC9293 MUST-9].
 */
#include "tcp/isn.h"
#include "tcp/conn.h"
#include <string.h>

uint64_t isn_hash(struct siphash_key key, const struct tcp_tuple *tuple)
{
    uint8_t bytes[36];

    memcpy(bytes, tuple->local_addr.b, 16);
    memcpy(bytes + 16, tuple->remote_addr.b, 16);
    bytes[32] = (uint8_t)(tuple->local_port >> 8);
    bytes[33] = (uint8_t)tuple->local_port;
    bytes[34] = (uint8_t)(tuple->remote_port >> 8);
    bytes[35] = (uint8_t)tuple->remote_port;
    return siphash24(key, bytes, sizeof bytes);
}

seq_t isn_of(const struct tcp_env *env, const struct tcp_tuple *tuple)
{
    uint32_t clock = (uint32_t)((uint64_t)env->now / (4 * NS_US));

    return seq_of(clock + (uint32_t)isn_hash(env->isn_key, tuple));
}
