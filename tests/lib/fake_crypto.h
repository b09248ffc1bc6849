/*
 * fake_crypto.h - digests for tests of how they are used
 *
 * Not secure at all, but different for different inputs and keys, and there on all machines.
 */
#ifndef TESTS_LIB_FAKE_CRYPTO_H
#define TESTS_LIB_FAKE_CRYPTO_H

#include <weir/auth.h>

const struct weir_crypto *fake_crypto(void);

#endif
