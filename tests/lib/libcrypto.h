/*
 * libcrypto.h - the digests of weir/auth.h by OpenSSL's libcrypto
 *
 * Linked only where libcrypto is (WEIR_WITH_LIBCRYPTO).
 */
#ifndef TESTS_LIB_LIBCRYPTO_H
#define TESTS_LIB_LIBCRYPTO_H

#include <weir/auth.h>

const struct weir_crypto *libcrypto(void);

#endif
