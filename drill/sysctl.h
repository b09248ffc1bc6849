/*
 * sysctl.h - Linux's names for what TCP can be told, and Weir's
 */
#ifndef DRILL_SYSCTL_H
#define DRILL_SYSCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <weir/weir.h>

/* tcp_fastopen: what it switches on. */
enum drill_fastopen {
    DRILL_FASTOPEN_CLIENT = 0x1,
    DRILL_FASTOPEN_SERVER = 0x2,
    DRILL_FASTOPEN_SENDS_NO_COOKIE = 0x4,
    DRILL_FASTOPEN_TAKES_NO_COOKIE = 0x200,
    DRILL_FASTOPEN_EVERY_LISTENER = 0x400, /* also those that have not asked for it */
};

/* What has been set so far. */
struct drill_sysctls {
    struct weir_tcp_config tcp;
    unsigned fastopen;            /* enum drill_fastopen, for the sockets; there are other bits */
    uint32_t notsent_lowat_bytes; /* for the sockets, too; 0: none */
    char congestion_control[16];
    char problem[120];
};

/* Linux's defaults, also in *config. */
void drill_sysctls_init(struct drill_sysctls *s, struct weir_tcp_config *config);

/*
 * Sets net.ipv4.NAME (or net/ipv4/NAME, or /proc/sys/net/ipv4/NAME) in a stack, which may be
 * NULL. Names that Weir has nothing for but that change nothing a script can see are taken.
 * Returns NULL, or what is wrong.
 */
const char *drill_sysctls_set(struct drill_sysctls *s, struct weir *stack, const char *name,
                              const char *value);

#endif
