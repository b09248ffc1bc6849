/*
 * flow.h - what goes over a connection of the interop tests, and whether it arrived
 *
 * A flow is one connection at one of its ends, whatever stack it is on. The bytes of a
 * stream are known to both ends, so each byte that arrives is compared with what it must
 * be. The end that connects says first, in eight bytes, which flow it is.
 *
 * The end's program asks what to send (flow_next, flow_on_sent) and says what arrived
 * (flow_on_received, flow_on_end).
 */
#ifndef TESTS_INTEROP_FLOW_H
#define TESTS_INTEROP_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLOW_ANY UINT64_MAX

/* What each connection of a program is to do. */
struct flow_plan {
    bool connects;       /* else it accepts */
    uint64_t send_bytes; /* of the own stream */
    uint64_t recv_bytes; /* that are to arrive, exactly; FLOW_ANY: as many as come */
    uint64_t window;     /* wait while more bytes than this have not come back; 0: never */
    bool echoes;         /* send what was received */
    bool echoed;         /* what arrives is the own stream */
    bool keeps_open;     /* the end is left to the other side */
};

struct flow {
    const struct flow_plan *plan;
    uint32_t id;
    uint8_t header[8];
    size_t header_len; /* bytes of the header that have been sent or received */
    uint64_t sent, received;
    bool end_sent, end_received;
    const char *wrong; /* what was not as it must be, or NULL */
};

void flow_init(struct flow *f, const struct flow_plan *plan, uint32_t id);

/* The next bytes to send now: how many, 0 for none. They stay where they are for ever. */
size_t flow_next(const struct flow *f, const uint8_t **bytes);
void flow_on_sent(struct flow *f, size_t len);

/* Whether it is time to end the own side; on_end_sent says that it was done. */
bool flow_wants_end(const struct flow *f);
void flow_on_end_sent(struct flow *f);

void flow_on_received(struct flow *f, const uint8_t *bytes, size_t len);
void flow_on_end(struct flow *f);

/* Both sides have ended, or something is wrong. */
bool flow_is_over(const struct flow *f);

#endif
