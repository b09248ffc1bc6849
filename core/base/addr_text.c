/*
 * addr_text.c - addresses, prefixes and endpoints as text
 *
 * Reads every form of RFC 4291 2.2 (hexadecimal digits in either case, one "::", a
 * dotted end) and writes the one of RFC 5952. A leading zero in a decimal number is
 * refused, because elsewhere it would mean octal.
 */
#include <weir/addr.h>

#include <stdbool.h>
#include <string.h>
#include <weir/err.h>

enum {
    GROUPS = 8,
    V4_BITS = 32,
    V4_PREFIX_AT = 96, /* an IPv4 prefix length of 0 among the 128 bits */
};

/* ---- reading ---- */

/* Reads a decimal number of at most max from *at, and moves *at behind it. */
static bool read_decimal(const char **at, uint32_t max, uint32_t *value)
{
    const char *p = *at;
    uint32_t v = 0;

    if (*p < '0' || *p > '9' || (*p == '0' && p[1] >= '0' && p[1] <= '9'))
        return false;
    for (; *p >= '0' && *p <= '9'; p++) {
        v = v * 10 + (uint32_t)(*p - '0');
        if (v > max)
            return false;
    }
    *at = p;
    *value = v;
    return true;
}

/* Reads a dotted quad. */
static bool read_v4(const char **at, uint8_t quad[4])
{
    for (int i = 0; i < 4; i++) {
        uint32_t v;

        if (i > 0 && *(*at)++ != '.')
            return false;
        if (!read_decimal(at, 255, &v))
            return false;
        quad[i] = (uint8_t)v;
    }
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Reads one to four hexadecimal digits. */
static bool read_group(const char **at, uint16_t *group)
{
    uint32_t v = 0;
    int digits = 0;

    for (; hex_digit(**at) >= 0; (*at)++) {
        v = v << 4 | (uint32_t)hex_digit(**at);
        if (++digits > 4)
            return false;
    }
    *group = (uint16_t)v;
    return digits > 0;
}

/* The groups before and after "::" as they are read. */
struct reading {
    uint16_t groups[GROUPS];
    int count;
    int gap; /* how many groups stand before "::", or -1 */
};

/* Does a dotted quad begin here? */
static bool is_quad(const char *at)
{
    while (*at >= '0' && *at <= '9')
        at++;
    return *at == '.';
}

/* Reads one group, or a dotted quad as two. */
static bool read_piece(const char **at, struct reading *r)
{
    uint8_t quad[4];

    if (r->count == GROUPS)
        return false;
    if (!is_quad(*at))
        return read_group(at, &r->groups[r->count++]);
    if (r->count > GROUPS - 2 || !read_v4(at, quad))
        return false;
    r->groups[r->count++] = (uint16_t)(quad[0] << 8 | quad[1]);
    r->groups[r->count++] = (uint16_t)(quad[2] << 8 | quad[3]);
    return true;
}

/* Notes a "::" if there is one; false if it is the second. */
static bool read_gap(const char **at, struct reading *r, bool *found)
{
    *found = (*at)[0] == ':' && (*at)[1] == ':';
    if (!*found)
        return true;
    if (r->gap >= 0)
        return false;
    r->gap = r->count;
    *at += 2;
    return true;
}

static bool can_follow(char c)
{
    return hex_digit(c) >= 0;
}

static bool read_groups(const char **at, struct reading *r)
{
    bool found;

    if (!read_gap(at, r, &found))
        return false;
    if (found && !can_follow(**at))
        return true;
    for (;;) {
        bool was_quad = is_quad(*at);

        if (!read_piece(at, r) || !read_gap(at, r, &found))
            return false;
        if (was_quad)
            return !found;
        if (found && !can_follow(**at))
            return true;
        if (!found && (**at != ':' || !can_follow((*at)[1])))
            return true;
        if (!found)
            (*at)++;
    }
}

static bool read_v6(const char **at, struct weir_addr *addr)
{
    struct reading r = {.gap = -1};
    int zeros;

    if (!read_groups(at, &r))
        return false;
    zeros = GROUPS - r.count;
    if (r.gap < 0 ? zeros != 0 : zeros < 1)
        return false;
    for (int i = 0, from = 0; i < GROUPS; i++) {
        bool in_gap = r.gap >= 0 && i >= r.gap && i < r.gap + zeros;
        uint16_t group = in_gap ? 0 : r.groups[from++];

        addr->b[2 * i] = (uint8_t)(group >> 8);
        addr->b[2 * i + 1] = (uint8_t)group;
    }
    return true;
}

static bool read_addr(const char **at, struct weir_addr *addr)
{
    uint8_t quad[4];

    if (!is_quad(*at))
        return read_v6(at, addr);
    if (!read_v4(at, quad))
        return false;
    *addr = weir_addr_v4(quad[0], quad[1], quad[2], quad[3]);
    return true;
}

int weir_addr_parse(const char *text, struct weir_addr *addr)
{
    struct weir_addr read;

    if (text == NULL || !read_addr(&text, &read) || *text != '\0')
        return WEIR_EINVAL;
    *addr = read;
    return WEIR_OK;
}

int weir_prefix_parse(const char *text, struct weir_prefix *prefix)
{
    struct weir_prefix read;
    bool is_dotted;
    uint32_t len;

    if (text == NULL)
        return WEIR_EINVAL;
    is_dotted = is_quad(text);
    if (!read_addr(&text, &read.addr))
        return WEIR_EINVAL;
    len = is_dotted ? V4_BITS : 128;
    if (*text == '/') {
        text++;
        if (!read_decimal(&text, len, &len))
            return WEIR_EINVAL;
    }
    if (*text != '\0')
        return WEIR_EINVAL;
    read.len = (uint8_t)(is_dotted ? V4_PREFIX_AT + len : len);
    *prefix = read;
    return WEIR_OK;
}

int weir_endpoint_parse(const char *text, struct weir_endpoint *endpoint)
{
    struct weir_addr addr;
    bool in_brackets;
    uint32_t port;

    if (text == NULL)
        return WEIR_EINVAL;
    in_brackets = *text == '[';
    text += in_brackets;
    /* Without brackets the last colon of an IPv6 address could not be told from a port's. */
    if (in_brackets ? !read_v6(&text, &addr) : !is_quad(text) || !read_addr(&text, &addr))
        return WEIR_EINVAL;
    if (in_brackets && *text++ != ']')
        return WEIR_EINVAL;
    if (*text++ != ':' || !read_decimal(&text, 65535, &port) || *text != '\0')
        return WEIR_EINVAL;
    *endpoint = (struct weir_endpoint){.addr = addr, .port = (uint16_t)port};
    return WEIR_OK;
}

/* ---- writing ---- */

static char *write_text(char *at, const char *text)
{
    size_t len = strlen(text);

    memcpy(at, text, len);
    return at + len;
}

static char *write_decimal(char *at, uint32_t value)
{
    char digits[10];
    int count = 0;

    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    while (count > 0)
        *at++ = digits[--count];
    return at;
}

/* Lower case, no leading zeros [RFC5952 4.1, 4.3]. */
static char *write_group(char *at, uint16_t group)
{
    bool started = false;

    for (int shift = 12; shift >= 0; shift -= 4) {
        unsigned digit = group >> shift & 0xf;

        started = started || digit != 0 || shift == 0;
        if (started)
            *at++ = "0123456789abcdef"[digit];
    }
    return at;
}

static char *write_v4(char *at, const uint8_t quad[4])
{
    for (int i = 0; i < 4; i++) {
        if (i > 0)
            *at++ = '.';
        at = write_decimal(at, quad[i]);
    }
    return at;
}

static uint16_t group_of(const struct weir_addr *addr, int i)
{
    return (uint16_t)(addr->b[2 * i] << 8 | addr->b[2 * i + 1]);
}

/* The longest run of two zero groups or more, the first of several [RFC5952 4.2]. */
static int longest_run(const struct weir_addr *addr, int *len)
{
    int best = -1;

    *len = 1;
    for (int i = 0, run = 0; i < GROUPS; i++) {
        run = group_of(addr, i) == 0 ? run + 1 : 0;
        if (run > *len) {
            *len = run;
            best = i - run + 1;
        }
    }
    return best;
}

static char *write_v6(char *at, const struct weir_addr *addr)
{
    int run_len;
    int run = longest_run(addr, &run_len);

    for (int i = 0; i < GROUPS;) {
        if (i == run) {
            at = write_text(at, "::");
            i += run_len;
            continue;
        }
        at = write_group(at, group_of(addr, i));
        i++;
        if (i < GROUPS && i != run)
            *at++ = ':';
    }
    return at;
}

static char *write_addr(char *at, const struct weir_addr *addr)
{
    return weir_addr_is_v4(addr) ? write_v4(at, addr->b + 12) : write_v6(at, addr);
}

const char *weir_addr_text(const struct weir_addr *addr, char text[WEIR_ADDR_TEXT])
{
    *write_addr(text, addr) = '\0';
    return text;
}

const char *weir_prefix_text(const struct weir_prefix *prefix, char text[WEIR_ADDR_TEXT])
{
    bool is_v4 = weir_addr_is_v4(&prefix->addr) && prefix->len >= V4_PREFIX_AT;
    char *at = is_v4 ? write_v4(text, prefix->addr.b + 12) : write_v6(text, &prefix->addr);

    *at++ = '/';
    *write_decimal(at, is_v4 ? prefix->len - (uint32_t)V4_PREFIX_AT : prefix->len) = '\0';
    return text;
}

const char *weir_endpoint_text(const struct weir_endpoint *endpoint, char text[WEIR_ADDR_TEXT])
{
    bool is_v4 = weir_addr_is_v4(&endpoint->addr);
    char *at = text;

    if (!is_v4)
        *at++ = '[';
    at = write_addr(at, &endpoint->addr);
    if (!is_v4)
        *at++ = ']';
    *at++ = ':';
    *write_decimal(at, endpoint->port) = '\0';
    return text;
}
