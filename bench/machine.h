/*
 * machine.h - the kernel's network, for benchmarks that need one: in namespaces of their own
 */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

enum machine_role {
    MACHINE_SINK,   /* the server reads until the end */
    MACHINE_SOURCE, /* the server sends, then ends */
    MACHINE_ECHO,   /* a byte there, a byte back */
};

struct machine_job {
    enum machine_role role;
    bool ipv6;
    uint64_t bytes;  /* SINK and SOURCE */
    uint32_t rounds; /* ECHO */
};

enum {
    MACHINE_PORT = 7,
};

/* What a process says when it has done its part. */
struct machine_result {
    bool done;
    double cpu_s;
    double p50_us, p99_us; /* ECHO: of the client */
};

/* A network namespace of our own from here on, all on one processor. False: not here. */
bool machine_enter(void);

/* Runs words as a command; false if it failed. */
bool machine_run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The two ends of a connection over the kernel's sockets. address is that of the server. */
void machine_client(const struct machine_job *job, const char *address,
                    struct machine_result *result);
void machine_server(const struct machine_job *job, struct machine_result *result);

/* CPU time of this process and of what the kernel did for it, in seconds. */
double machine_cpu_s(void);

#endif
