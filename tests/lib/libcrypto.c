/*
 * libcrypto.c - the digests of weir/auth.h by OpenSSL's libcrypto
 */
#include "lib/libcrypto.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

static void must(bool done)
{
    if (!done)
        abort();
}

static void md5(const struct weir_slice *parts, size_t count, uint8_t *out)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned len;

    must(EVP_DigestInit_ex(ctx, EVP_md5(), NULL) == 1);
    for (size_t i = 0; i < count; i++)
        must(EVP_DigestUpdate(ctx, parts[i].bytes, parts[i].len) == 1);
    must(EVP_DigestFinal_ex(ctx, out, &len) == 1);
    EVP_MD_CTX_free(ctx);
}

static void mac(const char *name, const OSSL_PARAM *params, struct weir_slice key,
                const struct weir_slice *parts, size_t count, uint8_t *out)
{
    EVP_MAC *algorithm = EVP_MAC_fetch(NULL, name, NULL);
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(algorithm);
    size_t len;

    must(EVP_MAC_init(ctx, key.bytes, key.len, params) == 1);
    for (size_t i = 0; i < count; i++)
        must(EVP_MAC_update(ctx, parts[i].bytes, parts[i].len) == 1);
    must(EVP_MAC_final(ctx, out, &len, WEIR_DIGEST_MAX) == 1);
    EVP_MAC_CTX_free(ctx);
    EVP_MAC_free(algorithm);
}

static void digest(void *none, enum weir_digest what, struct weir_slice key,
                   const struct weir_slice *parts, size_t count, uint8_t out[WEIR_DIGEST_MAX])
{
    char sha1[] = "SHA1", aes[] = "AES-128-CBC";
    OSSL_PARAM hmac[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha1, 0),
                         OSSL_PARAM_construct_end()};
    OSSL_PARAM cmac[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, aes, 0),
                         OSSL_PARAM_construct_end()};

    (void)none;
    switch (what) {
    case WEIR_DIGEST_MD5: md5(parts, count, out); break;
    case WEIR_DIGEST_HMAC_SHA1: mac("HMAC", hmac, key, parts, count, out); break;
    case WEIR_DIGEST_AES_128_CMAC: mac("CMAC", cmac, key, parts, count, out); break;
    }
}

const struct weir_crypto *libcrypto(void)
{
    static const struct weir_crypto crypto = {.digest = digest};

    return &crypto;
}
