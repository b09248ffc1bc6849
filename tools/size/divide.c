/*
 * divide.c - 64-bit division in few bytes
 *
 * The compiler's own library unrolls it. Its functions are called by the names that are defined here,
 * and a linker takes these first; one for each bit of the quotient is subtracted and shifted.
 */
#include <stddef.h>
#include <stdint.h>

uint64_t __udivmoddi4(uint64_t n, uint64_t d, uint64_t *rest);
uint64_t __udivdi3(uint64_t n, uint64_t d);
uint64_t __umoddi3(uint64_t n, uint64_t d);
int64_t __divdi3(int64_t n, int64_t d);
int64_t __moddi3(int64_t n, int64_t d);

uint64_t __udivmoddi4(uint64_t n, uint64_t d, uint64_t *rest)
{
    uint64_t quotient = 0, bit = 1;

    while (d < n && !(d >> 63)) {
        d <<= 1;
        bit <<= 1;
    }
    for (; bit != 0; bit >>= 1, d >>= 1) {
        if (n >= d) {
            n -= d;
            quotient |= bit;
        }
    }
    if (rest != NULL)
        *rest = n;
    return quotient;
}

uint64_t __udivdi3(uint64_t n, uint64_t d)
{
    return __udivmoddi4(n, d, NULL);
}

uint64_t __umoddi3(uint64_t n, uint64_t d)
{
    uint64_t rest;

    (void)__udivmoddi4(n, d, &rest);
    return rest;
}

static uint64_t size_of(int64_t n)
{
    return n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
}

static int64_t with_sign(uint64_t n, int is_negative)
{
    return (int64_t)(is_negative ? 0 - n : n);
}

int64_t __divdi3(int64_t n, int64_t d)
{
    return with_sign(__udivdi3(size_of(n), size_of(d)), (n < 0) != (d < 0));
}

int64_t __moddi3(int64_t n, int64_t d)
{
    return with_sign(__umoddi3(size_of(n), size_of(d)), n < 0);
}
