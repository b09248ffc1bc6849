/*
 * siphash.h - SipHash, a keyed hash whose values nobody without the key can foresee
 *
 * After Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012). SipHash-2-4
 * is for what a peer may see or wants to guess (initial sequence numbers, ports,
 * cookies); SipHash-1-3 is for hash tables, where only flooding is to be prevented.
 *
 * The _words functions hash what the bytes of the words, least significant first,
 * would hash to, without going through memory; the result is the same on all machines.
 */
#ifndef CORE_BASE_SIPHASH_H
#define CORE_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
    uint64_t k0, k1;
};

/* The key that 16 bytes stand for. */
struct siphash_key siphash_key_of(const uint8_t bytes[16]);

/*
 * A key of its own for each purpose from one secret, so that what is hashed for one
 * tells nothing about another. Purposes from 2^32 on are those of rng.h.
 */
struct siphash_key siphash_key_derive(const uint8_t secret[32], uint64_t purpose);

uint64_t siphash24(struct siphash_key key, const void *bytes, size_t len);
uint64_t siphash13(struct siphash_key key, const void *bytes, size_t len);
uint64_t siphash24_words(struct siphash_key key, const uint64_t *words, size_t count);
uint64_t siphash13_words(struct siphash_key key, const uint64_t *words, size_t count);

/* The same of a word and half a word: 12 bytes, as both ends of IPv4 are. */
uint64_t siphash24_word_and_half(struct siphash_key key, uint64_t word, uint32_t half);
uint64_t siphash13_word_and_half(struct siphash_key key, uint64_t word, uint32_t half);

#endif
