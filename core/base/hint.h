/*
 * hint.h - what a compiler cannot know of a function, and guesses wrong
 *
 * A packet's way is made of many small functions, and what nearly never happens stands between
 * them. Which of the two a call is, is said where the function is defined; the code means the same.
 */
#ifndef CORE_BASE_HINT_H
#define CORE_BASE_HINT_H

#include <stddef.h>
#include <stdint.h>

/* Not made a part of its callers, which would save registers for it on every call; where size counts it is. */
#if defined(__OPTIMIZE_SIZE__)
#define APART
#else
#define APART __attribute__((noinline))
#endif

/* Of a header: a part of its callers, but for where size counts; the linker joins its copies there. */
#if defined(__OPTIMIZE_SIZE__)
#define SHARED static __attribute__((noinline, unused))
#else
#define SHARED static inline
#endif

/* All that it calls becomes a part of it, and what that calls, but for what is APART. */
#if defined(__OPTIMIZE_SIZE__)
#define WHOLE
#else
#define WHOLE __attribute__((flatten))
#endif

/*
 * A condition that nearly always holds. After a dozen of which each may as well not hold, compilers take
 * what comes then for so rare that they make it small, with divisions where multiplications would do.
 */
#define USUALLY(condition) __builtin_expect((condition), 1)

/* These bytes will be looked at soon: they may come from memory while something else is done. */
static inline void hint_fetch(const void *bytes, size_t len)
{
    enum { line = 64 };

    for (size_t at = 0; at < len; at += line)
        __builtin_prefetch((const uint8_t *)bytes + at);
}

#endif
