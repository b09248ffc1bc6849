/*
 * crafted.h - segments made by hand, of very many clients that have no stack
 *
 * So one stack can be measured alone, with more peers than would fit beside it. Client i has an
 * address and a port of its own; its ISN is derived from i, so that nothing is kept of it but
 * what the server said. Transport checksums are marked as verified by the device.
 */
#ifndef BENCH_CRAFTED_H
#define BENCH_CRAFTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/weir.h>

enum {
    CRAFTED_LEN = 80,     /* at most, of a packet */
    CRAFTED_PORT = 7,     /* the server's */
    CRAFTED_MANY = 65000, /* addresses: without those that are for everybody */
};

/* The server's address: 198.18.0.1; clients are in 198.19.0.0/16. */
struct weir_addr crafted_server(void);

struct crafted_segment {
    uint32_t client;
    uint16_t flags; /* TCP's */
    uint32_t seq;   /* from the client's ISN */
    uint32_t ack;
    uint32_t ts_echo;
    uint32_t now_ms;   /* the client's timestamp */
    uint32_t text_len; /* 0 or 1 */
    uint8_t sack_count;
    struct {
        uint32_t left, right; /* as ack */
    } sack[3];
};

/* Makes the packet in bytes, and a frame around it, which is lent. */
void crafted_make(const struct crafted_segment *what, uint8_t bytes[CRAFTED_LEN],
                  struct weir_frame *frame);

/* What the server said to a client; false: it is no segment of that kind. */
struct crafted_answer {
    uint32_t client;
    uint16_t flags;
    uint32_t seq, ack;
    uint32_t timestamp;
    uint32_t text_len;
};
bool crafted_read(const struct weir_frame *frame, struct crafted_answer *answer);

#endif
