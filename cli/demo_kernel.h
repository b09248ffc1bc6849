/*
 * demo_kernel.h - an actor over the kernel's sockets, and curl
 */
#ifndef CLI_DEMO_KERNEL_H
#define CLI_DEMO_KERNEL_H

#include <stddef.h>
#include <sys/types.h>

#include "cli/demo_actor.h"

struct kernel_actor {
    struct actor actor; /* the first member: an actor is its kernel_actor */
    int fd;             /* -1: none */
};

void kernel_actor_init(struct kernel_actor *a);
void kernel_actor_fini(struct kernel_actor *a);

/* A program whose output is collected. */
struct program {
    pid_t pid;
    int fd; /* of its output; -1: it has ended */
    char output[4096];
    size_t output_len;
    int status; /* as waitpid has it, once it has ended */
};

/* Whether there is a program of this name to be found. */
bool program_exists(const char *name);

/* argv ends with NULL. False: it has been said why not. */
bool program_start(struct program *p, const char *const *argv);

/* Collects what there is; true once the program has ended. */
bool program_work(struct program *p);

#endif
