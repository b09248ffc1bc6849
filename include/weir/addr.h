/*
 * weir/addr.h - addresses, prefixes and endpoints
 *
 * One type holds both families: an IPv4 address is kept as the IPv4-mapped
 * IPv6 address ::ffff:a.b.c.d [RFC4291 2.5.5.2]. The unspecified address is
 * ::, which stands for "any, of either family"; 0.0.0.0 (::ffff:0.0.0.0)
 * stands for "any, IPv4".
 */
#ifndef WEIR_ADDR_H
#define WEIR_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <weir/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_addr {
    uint8_t b[16] __attribute__((aligned(4))); /* network order */
};

/* A network interface of a stack; 0 names none. */
typedef uint32_t weir_netif_t;

struct weir_endpoint {
    struct weir_addr addr;
    uint16_t port;      /* host order */
    weir_netif_t netif; /* the interface of a link-local address, else 0 */
};

struct weir_prefix {
    struct weir_addr addr;
    uint8_t len; /* bits of the 128; an IPv4 /24 has 96 + 24 */
};

/* The longest text: 39 characters of IPv6, "/128" or "[]:65535", the end. */
#define WEIR_ADDR_TEXT 64

static inline struct weir_addr weir_addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    struct weir_addr addr = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}};
    return addr;
}

static inline bool weir_addr_eq(const struct weir_addr *a, const struct weir_addr *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}

static inline bool weir_addr_is_v4(const struct weir_addr *a)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return memcmp(a->b, mapped, sizeof mapped) == 0;
}

/* :: or 0.0.0.0 */
static inline bool weir_addr_is_any(const struct weir_addr *a)
{
    static const uint8_t zero[16] = {0};
    return memcmp(a->b, zero, 10) == 0 && memcmp(a->b + 12, zero, 4) == 0
           && (weir_addr_is_v4(a) || (a->b[10] == 0 && a->b[11] == 0));
}

/*
 * Reads "192.0.2.1", "2001:db8::1" or "::ffff:192.0.2.1". Returns 0 or
 * WEIR_EINVAL, which leaves *addr alone. No names are resolved. Any thread.
 */
WEIR_API int weir_addr_parse(const char *text, struct weir_addr *addr);

/* Reads "192.0.2.0/24" or "2001:db8::/32"; without a length, a host. As above. */
WEIR_API int weir_prefix_parse(const char *text, struct weir_prefix *prefix);

/* Reads "192.0.2.1:80" or "[2001:db8::1]:80". netif is set to 0. As above. */
WEIR_API int weir_endpoint_parse(const char *text, struct weir_endpoint *endpoint);

/* Write the text as RFC 5952 has it and return text. Any thread. */
WEIR_API const char *weir_addr_text(const struct weir_addr *addr, char text[WEIR_ADDR_TEXT]);
WEIR_API const char *weir_prefix_text(const struct weir_prefix *prefix, char text[WEIR_ADDR_TEXT]);
WEIR_API const char *weir_endpoint_text(const struct weir_endpoint *endpoint,
                                        char text[WEIR_ADDR_TEXT]);

#ifdef __cplusplus
}
#endif

#endif
