/*
 * no_crypto.c - where libcrypto is missing: segments have no digests
 */
#include "lib/libcrypto.h"

#include <stddef.h>

const struct weir_crypto *libcrypto(void)
{
    return NULL;
}
