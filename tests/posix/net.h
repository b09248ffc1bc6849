/*
 * net.h - what the checks share: addresses, pairs of connected sockets, a moment
 */
#ifndef TESTS_POSIX_NET_H
#define TESTS_POSIX_NET_H

#include "posix/calls.h"
#include "posix/say.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

/* Any address of the loopback network, as the family has it. */
union net_addr {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_storage storage;
};

union net_addr net_in(const char *addr, uint16_t port);
union net_addr net_in6(const char *addr, uint16_t port);
socklen_t net_len(const union net_addr *addr);

/* The address a socket is bound to. */
union net_addr net_name(int fd);

/* A listener on a port of its own, and a socket connected to it with its other end. */
int net_listener(const char *addr);
void net_pair(int fds[2]);
void net_pair_over(const char *addr, int fds[2]);

/* Time for what is under way to arrive. */
void net_moment(void);

unsigned net_ready(int fd, short events);
void net_say_ready(const char *text, int fd);
void net_say_names(int fd);
void net_block(int fd, bool blocks);

/* The chapters. */
void check_sockets(void);
void check_connecting(void);
void check_streams(void);
void check_endings(void);
void check_urgent(void);
void check_options(void);
void check_descriptors(void);
void check_polling(void);
void check_epoll(void);
void check_datagrams(void);
void check_ipv6(void);
void check_errors(void);
void check_threads(void);
void check_known(void);
void check_splicing(void);
void check_fastopen(void);

#endif
