/*
 * siphash.c - SipHash-2-4 and SipHash-1-3
 *
 * After Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012), section 2:
 * the state is set up from the key, each word of the message is mixed in by c rounds,
 * the last word carries the length in its top byte, and d rounds finish.
 */
#include "base/siphash.h"

#include "base/parts.h"

struct state {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void mix_round(struct state *s)
{
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 = rotate(s->v2, 32);
}

static inline struct state start(struct siphash_key key)
{
    return (struct state){
        key.k0 ^ 0x736f6d6570736575u,
        key.k1 ^ 0x646f72616e646f6du,
        key.k0 ^ 0x6c7967656e657261u,
        key.k1 ^ 0x7465646279746573u,
    };
}

/* Rounds are one or two for a word, and two more at the end: written down, as compilers do not unroll them. */
static inline void mix_word(struct state *s, uint64_t word, unsigned rounds)
{
    s->v3 ^= word;
    mix_round(s);
    if (rounds == 2)
        mix_round(s);
    s->v0 ^= word;
}

static inline uint64_t finish(struct state *s, unsigned rounds)
{
    s->v2 ^= 0xff;
    mix_round(s);
    mix_round(s);
    mix_round(s);
    if (rounds == 2)
        mix_round(s);
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

/* Up to 8 bytes, least significant first. */
static inline uint64_t word_of(const uint8_t *bytes, size_t len)
{
    uint64_t word = 0;

    for (size_t i = 0; i < len; i++)
        word |= (uint64_t)bytes[i] << (8 * i);
    return word;
}

/* Eight of them: compilers make that one load. */
static inline uint64_t word_at(const uint8_t *b)
{
    return (uint64_t)b[0] | (uint64_t)b[1] << 8 | (uint64_t)b[2] << 16 | (uint64_t)b[3] << 24
           | (uint64_t)b[4] << 32 | (uint64_t)b[5] << 40 | (uint64_t)b[6] << 48
           | (uint64_t)b[7] << 56;
}

static inline uint64_t hash_bytes(struct siphash_key key, const uint8_t *bytes, size_t len,
                                  unsigned rounds)
{
    struct state s = start(key);
    size_t whole = len & ~(size_t)7;

    for (size_t i = 0; i < whole; i += 8)
        mix_word(&s, word_at(bytes + i), rounds);
    /* Nothing is added to a pointer that may be NULL. */
    uint64_t rest = len == whole ? 0 : word_of(bytes + whole, len - whole);
    mix_word(&s, (uint64_t)len << 56 | rest, rounds);
    return finish(&s, rounds);
}

static inline __attribute__((always_inline)) uint64_t hash_words(struct siphash_key key,
                                                                 const uint64_t *words,
                                                                 size_t count, unsigned rounds)
{
    struct state s = start(key);

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (!HAS_SCALE) /* the same, and smaller */
        return hash_bytes(key, (const uint8_t *)words, count * sizeof *words, rounds);
#endif
    for (size_t i = 0; i < count; i++)
        mix_word(&s, words[i], rounds);
    mix_word(&s, (uint64_t)count << 59, rounds); /* 8 * count bytes, in the top byte */
    return finish(&s, rounds);
}

/* Half a word has room beside the length. */
static inline uint64_t hash_word_and_half(struct siphash_key key, uint64_t word, uint32_t half,
                                          unsigned rounds)
{
    struct state s = start(key);

    mix_word(&s, word, rounds);
    mix_word(&s, (uint64_t)12 << 56 | half, rounds);
    return finish(&s, rounds);
}

uint64_t siphash24(struct siphash_key key, const void *bytes, size_t len)
{
    return hash_bytes(key, bytes, len, 2);
}

uint64_t siphash13(struct siphash_key key, const void *bytes, size_t len)
{
    return hash_bytes(key, bytes, len, 1);
}

uint64_t siphash24_words(struct siphash_key key, const uint64_t *words, size_t count)
{
    return hash_words(key, words, count, 2);
}

uint64_t siphash13_words(struct siphash_key key, const uint64_t *words, size_t count)
{
    return hash_words(key, words, count, 1);
}

uint64_t siphash24_word_and_half(struct siphash_key key, uint64_t word, uint32_t half)
{
    return hash_word_and_half(key, word, half, 2);
}

uint64_t siphash13_word_and_half(struct siphash_key key, uint64_t word, uint32_t half)
{
    return hash_word_and_half(key, word, half, 1);
}

struct siphash_key siphash_key_of(const uint8_t bytes[16])
{
    return (struct siphash_key){word_of(bytes, 8), word_of(bytes + 8, 8)};
}

/*
 * Each half of the new key depends on the whole secret. No two of the four messages are
 * the same, so that a secret with equal halves does not cancel itself out.
 */
struct siphash_key siphash_key_derive(const uint8_t secret[32], uint64_t purpose)
{
    struct siphash_key first = siphash_key_of(secret);
    struct siphash_key second = siphash_key_of(secret + 16);
    uint64_t hashes[4];

    for (uint64_t i = 0; i < 4; i++) {
        const uint64_t message[2] = {purpose, i};

        hashes[i] = siphash24_words(i % 2 ? second : first, message, 2);
    }
    return (struct siphash_key){hashes[0] ^ hashes[1], hashes[2] ^ hashes[3]};
}
