/*
 * namespace.c - run a part of a test in a network namespace of its own
 */
#include "unit/drivers/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/test.h"

enum {
    EXIT_DENIED = 77,
};

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);

    if (fd < 0)
        return;
    if (write(fd, text, strlen(text)) < 0)
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
    close(fd);
}

/* As root a network namespace is enough; others need a user namespace, in which they are root. */
static bool enter(void)
{
    char map[64];
    uid_t user = getuid();

    if (unshare(CLONE_NEWNET) == 0)
        return true;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        return false;
    snprintf(map, sizeof map, "0 %u 1", (unsigned)user);
    write_file("/proc/self/uid_map", map);
    return true;
}

static void run(void (*body)(void))
{
    int fd;

    if (!enter()) {
        printf("not tested: no network namespaces here (%s)\n", strerror(errno));
        exit(EXIT_DENIED);
    }
    fd = open("/dev/net/tun", O_RDWR);
    if (fd < 0) {
        printf("not tested: /dev/net/tun cannot be opened (%s)\n", strerror(errno));
        exit(EXIT_DENIED);
    }
    close(fd);
    body();
    exit(0);
}

void in_namespace(void (*body)(void))
{
    int status = 0;
    pid_t child;

    fflush(NULL);
    child = fork();
    EXPECT(child >= 0);
    if (child == 0)
        run(body);
    EXPECT(waitpid(child, &status, 0) == child);
    EXPECT(WIFEXITED(status));
    EXPECT(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == EXIT_DENIED);
}

void require(bool holds, const char *condition, const char *file, int line)
{
    if (holds)
        return;
    fprintf(stderr, "%s:%d: %s does not hold (%s)\n", file, line, condition, strerror(errno));
    exit(1);
}
