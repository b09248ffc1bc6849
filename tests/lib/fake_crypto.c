/*
 * fake_crypto.c - digests for tests of how they are used
 */
#include "lib/fake_crypto.h"

static uint64_t mix(uint64_t sum, struct weir_slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        sum = (sum ^ bytes.bytes[i]) * UINT64_C(0x100000001b3) + (sum >> 47);
    return sum;
}

static void digest(void *ctx, enum weir_digest digest, struct weir_slice key,
                   const struct weir_slice *parts, size_t count, uint8_t out[WEIR_DIGEST_MAX])
{
    uint64_t sum = mix(UINT64_C(0xcbf29ce484222325) + (uint64_t)digest, key);

    (void)ctx;
    for (size_t i = 0; i < count; i++)
        sum = mix(sum, parts[i]);
    for (size_t i = 0; i < WEIR_DIGEST_MAX; i++) {
        sum = sum * UINT64_C(6364136223846793005) + 1442695040888963407u;
        out[i] = (uint8_t)(sum >> 56);
    }
}

const struct weir_crypto *fake_crypto(void)
{
    static const struct weir_crypto crypto = {.digest = digest};

    return &crypto;
}
