/*
 * command.h - commands in backticks
 *
 * A script's commands set up the kernel for it. Weir is not the kernel, so no shell runs them:
 * those that set sysctls are understood and applied, those that only concern a kernel's devices
 * and caches have nothing to do, and all others are refused by name, unless a shell is allowed.
 *
 *   sysctl -q net.ipv4.tcp_sack=0            ../common/set_sysctls.py /proc/sys/net/...=0
 *   echo 0 > /proc/sys/net/ipv4/tcp_sack     ../common/defaults.sh (its commands are taken so)
 *   sleep 0.5                                ip tcp_metrics ..., tc ..., ethtool ...: nothing
 *   dd if=/dev/zero of=FILE count=N, rm -f FILE: files that the script alone can open
 */
#ifndef DRILL_COMMAND_H
#define DRILL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "drill/target.h"

struct drill_command_env {
    struct drill_target *target;
    const char *folder; /* where paths start: the script's */
    bool shell;         /* other commands are run by sh */
    char problem[200];
};

/* False, with env->problem: a command failed or is unknown. */
bool drill_command_run(struct drill_command_env *env, const char *text);

#endif
