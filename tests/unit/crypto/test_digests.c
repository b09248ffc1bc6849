/* test_digests.c - the digests that tests and interop programs use are what they are called */
#include "lib/libcrypto.h"
#include "lib/test.h"
#include <stdio.h>
#include <string.h>

static size_t from_hex(const char *hex, uint8_t *bytes)
{
    size_t len = 0;

    for (unsigned byte; sscanf(hex + 2 * len, "%2x", &byte) == 1; len++)
        bytes[len] = (uint8_t)byte;
    return len;
}

/* The input in two parts, cut anywhere. */
static void expect_digest(enum weir_digest what, struct weir_slice key, struct weir_slice input,
                          const char *hex)
{
    uint8_t wanted[WEIR_DIGEST_MAX], got[WEIR_DIGEST_MAX];
    size_t len = from_hex(hex, wanted);

    for (size_t cut = 0; cut <= input.len; cut++) {
        struct weir_slice parts[] = {{input.bytes, cut}, {input.bytes + cut, input.len - cut}};
        libcrypto()->digest(libcrypto()->ctx, what, key, parts, 2, got);
        EXPECT_MEM(got, wanted, len);
    }
}

static struct weir_slice text(const char *t, uint8_t *bytes)
{
    memcpy(bytes, t, strlen(t));
    return (struct weir_slice){bytes, strlen(t)};
}

TEST(digest_md5_is_md5) /* [RFC1321 A.5] */
{
    static const char *const rows[][2] = {
        {"", "d41d8cd98f00b204e9800998ecf8427e"},
        {"a", "0cc175b9c0f1b6a831c399e269772661"},
        {"abc", "900150983cd24fb0d6963f7d28e17f72"},
        {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
    };
    uint8_t bytes[64];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_digest(WEIR_DIGEST_MD5, (struct weir_slice){NULL, 0}, text(rows[i][0], bytes),
                      rows[i][1]);
}

TEST(digest_hmac_sha1_is_hmac_sha1) /* [RFC2202 3] */
{
    static const struct {
        const char *key, *input, *digest;
    } rows[] = {
        {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
         "b617318655057264e28bc0b6fb378c8ef146be00"},
        {"4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
         "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
        {"0102030405060708090a0b0c0d0e0f10111213141516171819",
         "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
         "cdcdcd",
         "4c9007f4026250c6bc8414f9bf50c86c2d7235da"},
    };
    uint8_t key[64], input[64];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t key_len = from_hex(rows[i].key, key), len = from_hex(rows[i].input, input);
        expect_digest(WEIR_DIGEST_HMAC_SHA1, (struct weir_slice){key, key_len},
                      (struct weir_slice){input, len}, rows[i].digest);
    }
}

TEST(digest_aes_128_cmac_is_aes_128_cmac) /* [RFC4493 4] */
{
    static const char *const message =
        "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
        "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";
    static const struct {
        size_t len;
        const char *digest;
    } rows[] = {
        {0, "bb1d6929e95937287fa37d129b756746"},
        {16, "070a16b46b4d4144f79bdd9dd04a287c"},
        {40, "dfa66747de9ae63030ca32611497c827"},
        {64, "51f0bebf7e3b9d92fc49741779363cfe"},
    };
    uint8_t key[16], input[64];

    from_hex("2b7e151628aed2a6abf7158809cf4f3c", key);
    from_hex(message, input);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_digest(WEIR_DIGEST_AES_128_CMAC, (struct weir_slice){key, sizeof key},
                      (struct weir_slice){input, rows[i].len}, rows[i].digest);
}
