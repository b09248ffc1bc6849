/*
 * say.c - one line for each call
 */
#include "posix/say.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *chapter = "";
static int line;

void say_chapter(const char *name)
{
    chapter = name;
    line = 0;
}

static void number(void)
{
    printf("%s.%03d  ", chapter, ++line);
}

long say_result(const char *text, long result)
{
    int error = errno;

    number();
    printf("%s = %ld", text, result);
    if (result == -1)
        printf(" %s", strerrorname_np(error));
    printf("\n");
    return result;
}

int say_fd(const char *text, int fd)
{
    int error = errno;

    number();
    printf("%s = %s", text, fd >= 0 ? "descriptor" : "-1 ");
    printf("%s\n", fd < 0 ? strerrorname_np(error) : "");
    return fd;
}

void say_seen(const char *format, ...)
{
    va_list args;

    number();
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
}

void say_bytes(const void *bytes, ssize_t len)
{
    number();
    printf("    \"%.*s\"\n", len < 0 ? 0 : (int)len, (const char *)bytes);
}

void say_ready(const char *text, unsigned bits)
{
    static const struct {
        unsigned bit;
        const char *name;
    } names[] = {
        {POLLIN, "IN"},         {POLLPRI, "PRI"},       {POLLOUT, "OUT"},
        {POLLERR, "ERR"},       {POLLHUP, "HUP"},       {POLLNVAL, "NVAL"},
        {POLLRDNORM, "RDNORM"}, {POLLRDBAND, "RDBAND"}, {POLLWRNORM, "WRNORM"},
        {POLLWRBAND, "WRBAND"}, {POLLRDHUP, "RDHUP"},
    };

    number();
    printf("%s:", text);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (bits & names[i].bit)
            printf(" %s", names[i].name);
    printf("\n");
}

void say_address(const char *text, const struct sockaddr_storage *addr, socklen_t len)
{
    char name[INET6_ADDRSTRLEN] = "none";
    const void *at = addr->ss_family == AF_INET
                         ? (const void *)&((const struct sockaddr_in *)addr)->sin_addr
                         : (const void *)&((const struct sockaddr_in6 *)addr)->sin6_addr;
    uint16_t port = ((const struct sockaddr_in *)addr)->sin_port;

    number();
    if (addr->ss_family == AF_INET || addr->ss_family == AF_INET6)
        inet_ntop(addr->ss_family, at, name, sizeof name);
    printf("%s: family %d, %s, port %s, %u bytes\n", text, addr->ss_family, name,
           port == 0 ? "0" : "some", (unsigned)len);
}
