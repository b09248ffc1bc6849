/*
 * machine.c - the kernel's network, for benchmarks that need one
 */
#include "bench/machine.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    CHUNK = 64 * 1024,
    TRIES = 400, /* of 5 ms each, until the server listens */
};

static void put_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    (void)!write(fd, text, strlen(text));
    (void)close(fd);
}

/* Everything on one processor, so that its time is that of all involved. */
static void pin(void)
{
    cpu_set_t allowed, one;
    int cpu = CPU_SETSIZE - 1;

    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return;
    while (cpu > 0 && !CPU_ISSET((size_t)cpu, &allowed))
        cpu--;
    CPU_ZERO(&one);
    CPU_SET((size_t)cpu, &one);
    (void)sched_setaffinity(0, sizeof one, &one);
}

bool machine_enter(void)
{
    char map[64];
    unsigned uid = (unsigned)geteuid(), gid = (unsigned)getegid();

    pin();
    if (unshare(CLONE_NEWNET) != 0) {
        if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
            return false;
        put_file("/proc/self/setgroups", "deny");
        (void)snprintf(map, sizeof map, "0 %u 1", uid);
        put_file("/proc/self/uid_map", map);
        (void)snprintf(map, sizeof map, "0 %u 1", gid);
        put_file("/proc/self/gid_map", map);
    }
    return machine_run("ip link set lo up");
}

bool machine_run(const char *format, ...)
{
    char line[512];
    va_list values;
    size_t len;

    va_start(values, format);
    (void)vsnprintf(line, sizeof line, format, values);
    va_end(values);
    len = strlen(line);
    (void)snprintf(line + len, sizeof line - len, " >/dev/null 2>&1");
    return system(line) == 0;
}

double machine_cpu_s(void)
{
    struct rusage usage = {0};

    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
           + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static bool send_all(int fd, uint64_t bytes)
{
    static char chunk[CHUNK];

    while (bytes > 0) {
        ssize_t sent = send(fd, chunk, bytes < CHUNK ? (size_t)bytes : CHUNK, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes -= (uint64_t)sent;
    }
    return shutdown(fd, SHUT_WR) == 0;
}

static bool receive_all(int fd, uint64_t bytes)
{
    static char chunk[CHUNK];
    ssize_t len;

    while ((len = recv(fd, chunk, CHUNK, 0)) > 0)
        bytes -= (uint64_t)len;
    return len == 0 && bytes == 0;
}

static double now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static bool ask(int fd, uint32_t rounds, struct machine_result *result)
{
    double *took = calloc(rounds, sizeof took[0]);
    bool done = took != NULL;
    char byte = 'x';

    for (uint32_t i = 0; done && i < rounds; i++) {
        double begin = now_us();
        done = send(fd, &byte, 1, MSG_NOSIGNAL) == 1 && recv(fd, &byte, 1, 0) == 1;
        took[i] = now_us() - begin;
    }
    if (done) {
        qsort(took, rounds, sizeof took[0], compare);
        result->p50_us = took[rounds / 2];
        result->p99_us = took[rounds / 100 * 99];
    }
    free(took);
    return done;
}

static bool echo(int fd)
{
    char byte;

    while (recv(fd, &byte, 1, 0) == 1)
        if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1)
            return false;
    return true;
}

static int connect_to(const struct machine_job *job, const char *address)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(MACHINE_PORT)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(MACHINE_PORT)};
    int on = 1;

    (void)inet_pton(AF_INET, address, &in.sin_addr);
    (void)inet_pton(AF_INET6, address, &in6.sin6_addr);
    for (int i = 0; i < TRIES; i++) {
        int fd = socket(job->ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
            return -1;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (job->ipv6 ? connect(fd, (struct sockaddr *)&in6, sizeof in6) == 0
                      : connect(fd, (struct sockaddr *)&in, sizeof in) == 0)
            return fd;
        (void)close(fd);
        (void)usleep(5000);
    }
    return -1;
}

void machine_client(const struct machine_job *job, const char *address,
                    struct machine_result *result)
{
    int fd = connect_to(job, address);

    if (fd < 0)
        return;
    switch (job->role) {
    case MACHINE_SINK: result->done = send_all(fd, job->bytes) && receive_all(fd, 0); break;
    case MACHINE_SOURCE: result->done = receive_all(fd, job->bytes); break;
    case MACHINE_ECHO: result->done = ask(fd, job->rounds, result); break;
    }
    (void)close(fd);
    result->cpu_s = machine_cpu_s();
}

void machine_server(const struct machine_job *job, struct machine_result *result)
{
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(MACHINE_PORT)};
    int listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, fd;

    if (listener < 0 || bind(listener, (struct sockaddr *)&any, sizeof any) != 0
        || listen(listener, 1) != 0 || (fd = accept(listener, NULL, NULL)) < 0)
        return;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    switch (job->role) {
    case MACHINE_SINK: result->done = receive_all(fd, job->bytes); break;
    case MACHINE_SOURCE: result->done = send_all(fd, job->bytes) && receive_all(fd, 0); break;
    case MACHINE_ECHO: result->done = echo(fd); break;
    }
    (void)close(fd);
    (void)close(listener);
    result->cpu_s = machine_cpu_s();
}
