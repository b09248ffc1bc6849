/*
 * flow.h - a conversation, in a script's numbers and in the real ones
 *
 * In a script both sides' initial sequence numbers are whatever its SYNs say, all other segments
 * count from there (the first byte is 1), and timestamps are those of the author's run. A flow
 * knows what they are this time.
 */
#ifndef DRILL_FLOW_H
#define DRILL_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/addr.h>

#include "drill/script.h"
#include "drill/target.h"

enum {
    DRILL_STAMPS_MAX = 512, /* timestamps that are remembered; later ones replace the oldest */
};

struct drill_flow {
    struct weir_endpoint local, remote; /* real; a port of 0 is not known yet */
    enum drill_protocol protocol;
    bool has_local_isn, has_remote_isn;
    uint32_t local_isn, script_local_isn;
    uint32_t remote_isn; /* the same in both */
    uint32_t last_syn;   /* of the peer's last SYN */
    struct {
        uint32_t script, real;
    } stamps[DRILL_STAMPS_MAX]; /* TS val that the stack has sent; [0] stays */
    size_t stamp_count;
};

/* A packet that the stack has sent. */
struct drill_seen {
    weir_ns_t at;
    enum drill_protocol protocol;
    struct weir_endpoint src, dst;
    uint8_t tos, ttl;
    uint32_t flow_label;
    struct seg_text seg; /* TCP */
    uint32_t len;        /* UDP */
    uint8_t icmp_type, icmp_code;
    uint32_t icmp_word;
};

/* Reads a packet. False: nobody waits for packets of its kind, or it is broken (*problem). */
bool drill_seen_parse(const uint8_t *bytes, size_t len, struct drill_seen *seen,
                      const char **problem);

/* Does it go from the flow's local to its remote end? An unknown local port is any. */
bool drill_flow_has(const struct drill_flow *flow, const struct drill_seen *seen);

/* A segment that was sent, in the script's numbers. */
struct seg_text drill_flow_to_script(const struct drill_flow *flow, const struct seg_text *seg);

/* Remembers which timestamp stands for which: want is in the script, seen was sent. */
void drill_flow_note_stamp(struct drill_flow *flow, const struct seg_text *want,
                           const struct seg_text *seen);

/*
 * The bytes of a packet for the flow, whose numbers are the script's. Returns the length, or 0
 * and *problem.
 */
size_t drill_flow_emit(const struct drill_flow *flow, const struct drill_packet *packet,
                       uint8_t *bytes, size_t room, const char **problem);

/* What differs between what is wanted and what was seen, or NULL: "flags", "ttl", ... */
const char *drill_packet_differs(const struct drill_packet *want, const struct drill_seen *seen,
                                 const struct seg_text *seg, bool is_v6);

/* A packet as a script would have it, without a direction. */
size_t drill_packet_text(const struct drill_packet *packet, char *text, size_t room);
size_t drill_seen_text(const struct drill_seen *seen, const struct seg_text *seg, char *text,
                       size_t room);

#endif
