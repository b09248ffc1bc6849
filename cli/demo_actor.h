/*
 * demo_actor.h - one end of a demonstration: what its application does, and what it has seen
 *
 * A scene tells actors what to do and waits until they have seen something. An actor is a
 * small application over a Weir stack (demo_weir.c), or over the kernel's sockets
 * (demo_kernel.c); a scene does not know which. It reads what arrives at once, unless told
 * not to, and answers nothing by itself.
 */
#ifndef CLI_DEMO_ACTOR_H
#define CLI_DEMO_ACTOR_H

#include <stdbool.h>
#include <stdint.h>
#include <weir/tcp.h>

struct actor;

struct actor_ops {
    /* Each returns 0 or a negative code of weir/err.h. */
    int (*listen)(struct actor *a);
    int (*connect)(struct actor *a);
    void (*shutdown)(struct actor *a);
    void (*close)(struct actor *a);
    void (*forget)(struct actor *a); /* the connection is gone without a word to the peer */
    /* Reads, accepts and sends what it can. Returns whether anything has happened. */
    bool (*work)(struct actor *a);
};

struct actor {
    const struct actor_ops *ops;
    struct weir_endpoint local, remote;
    uint32_t recv_buffer_bytes; /* 0: as usual */

    const char *text; /* what it sends, again and again */
    uint32_t text_len;
    uint32_t to_send; /* bytes that are still to be handed over */
    uint64_t sent;
    bool is_paused; /* it does not read */

    bool is_connected;
    bool has_read_end; /* the peer has closed its side */
    bool has_ended;    /* there is no connection any more */
    int error;         /* why: weir/err.h */
    uint64_t received_bytes;
};

/* An actor that has done nothing yet, and has a text to send. */
void actor_init(struct actor *a, const struct actor_ops *ops);

/* The next bytes to hand over: their length, and where they are. */
uint32_t actor_next(const struct actor *a, const char **bytes);

#endif
