/*
 * lab.h - sockets over one stack with a loopback interface, in virtual time
 *
 *   struct lab *lab = lab_make();
 *   int server = lab_server(lab, "127.0.0.1", 80);
 *
 * A call that waits lets time pass until it is woken. What a test wants to happen meanwhile it
 * says before, with lab_at. After a test that passed the lab ends by itself, and all memory has to
 * be back.
 */
#ifndef TESTS_UNIT_POSIX_LAB_H
#define TESTS_UNIT_POSIX_LAB_H

#include <netinet/in.h>
#include <weir/posix.h>
#include <weir/tcp.h>

enum { LAB_LATER = 16 };

struct lab {
    struct weir *stack;
    struct weir_posix *px;
    weir_netif_t loopback;
    weir_ns_t now;
    size_t blocks;        /* of memory the stack has */
    bool has_no_memory;   /* any more */
    int signals;          /* SIGPIPE */
    int interrupts_after; /* waits until one is interrupted; 0: none */
    struct lab_later {
        weir_ns_t at;
        void (*act)(struct lab *lab, void *ctx);
        void *ctx;
    } later[LAB_LATER];
    struct lab_file {
        uint8_t bytes[65536];
        size_t len;
        size_t pos;
    } file; /* descriptor 1000 of the hook's files */
};

/* Tables of sockets do not grow while it is set; what a table begins with is there. */
extern bool lab_refuses_to_grow;

struct lab *lab_make(void);
struct lab *lab_make_with(const struct weir_config *config);
struct weir_config lab_config(void);

/* In so long, act is called, if somebody waits then or lab_pass passes the time. */
void lab_at(struct lab *lab, weir_ns_t in_ns, void (*act)(struct lab *lab, void *ctx), void *ctx);

/* Time passes. */
void lab_pass(struct lab *lab, weir_ns_t duration_ns);

struct sockaddr_in lab_in(const char *addr, uint16_t port);
struct sockaddr_in6 lab_in6(const char *addr, uint16_t port);

/* A socket that listens; its port is 0 for any. IPv6 if addr has a colon. */
int lab_server(struct lab *lab, const char *addr, uint16_t port);
uint16_t lab_port(struct lab *lab, int fd);

/* A connected pair: [0] has connected, [1] was accepted. */
void lab_pair(struct lab *lab, int fds[2]);
void lab_pair_over(struct lab *lab, const char *addr, int fds[2]);

/* The last call failed with this errno. */
#define EXPECT_ERRNO(call, error)                                                                  \
    do {                                                                                           \
        EXPECT_EQ((call), -1);                                                                     \
        EXPECT_EQ(errno, (error));                                                                 \
    } while (0)

#endif
