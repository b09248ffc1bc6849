/*
 * target.h - what scripts are run against: Weir in virtual time, or the kernel behind a TUN
 *
 * Socket calls are those of POSIX, with the target first: -1 and errno on failure. Everything is
 * called by one thread, except for what start is given.
 */
#ifndef DRILL_TARGET_H
#define DRILL_TARGET_H

#include "drill/call_list.h"
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <weir/addr.h>
#include <weir/time.h>

enum drill_family {
    DRILL_IPV4,
    DRILL_IPV6,
    DRILL_MAPPED, /* sockets are IPv6, packets IPv4 */
};

/* The addresses of a script's network. */
struct drill_net {
    enum drill_family family;
    struct weir_prefix local;
    struct weir_addr remote;
    struct weir_prefix remote_net;
    struct weir_addr gateway;
    uint32_t mtu;
    uint16_t seg_bytes;   /* longer segments of the peer are super-segments of these; 0: none are */
    uint16_t local_port;  /* where scripts listen: 8080 */
    uint16_t remote_port; /* where they connect to: 8080 */
    uint16_t first_peer_port; /* from where peers connect; 0: the usual one */
};

/* The usual ones. */
void drill_net_init(struct drill_net *net, enum drill_family family);

enum {
    DRILL_PACKET_MAX = 65575, /* the longest: IPv6, its header, 65,535 bytes */
};

#define DRILL_CALL_MEMBER(result, name, parameters, ...) result(*name) parameters;

struct drill_calls {
    DRILL_CALLS(DRILL_CALL_MEMBER)
};

struct drill_target {
    void *ctx;
    struct drill_calls calls;
    struct drill_net net;
    bool is_real_time;     /* the machine may be late, and then the script is */
    weir_ns_t limit_ns;    /* no wait is longer */
    weir_ns_t patience_ns; /* how long packets and calls that are late are waited for */

    weir_ns_t (*now)(void *t);

    /* Lets time pass. */
    void (*sleep_until)(void *t, weir_ns_t until);

    /* A packet of the peer arrives now. False, with errno: it does not. */
    bool (*inject)(void *t, const uint8_t *packet, size_t len);

    /*
     * The next packet that the stack has sent, at the latest at until, and when. Waits for it.
     * Its length, or 0: none was sent.
     */
    size_t (*receive)(void *t, uint8_t *packet, size_t room, weir_ns_t until, weir_ns_t *at);

    /*
     * Begins a call that may block: runs work(arg), and returns when it has ended or waits for
     * something. Only one at a time. False: it cannot begin.
     */
    bool (*start)(void *t, void (*work)(void *arg), void *arg);

    /* Has what was started ended? Waits for it, at the longest until the time given. */
    bool (*finish)(void *t, weir_ns_t until);

    /* Ends what was started, in whatever state it is. */
    void (*cancel)(void *t);

    /*
     * Sets a sysctl (net.ipv4.tcp_sack) for what comes. NULL, or what is wrong: a sentence, which
     * holds until the next call.
     */
    const char *(*sysctl)(void *t, const char *name, const char *value);

    /* Forgets what is known of other hosts: cookies of Fast Open. NULL: nothing is. */
    void (*forget_hosts)(void *t);

    /*
     * Makes a file that open finds under this name, and nobody else; bytes NULL: there is none any
     * more. False: there is no memory. NULL: files are the machine's.
     */
    bool (*make_file)(void *t, const char *path, const void *bytes, size_t len);

    void (*close)(void *t);
};

#endif
