/*
 * join.h - segments as a device's super-segments
 *
 * Behind a device, Linux lets segments that go out together leave as one, at least two at a time,
 * with PSH; scripts were written from what was seen there.
 */
#ifndef DRILL_SO_JOIN_H
#define DRILL_SO_JOIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/addr.h>

enum { BURSTS_MAX = 1024 };

/*
 * Appends the data of the second packet to the first, in which there is room, if both are TCP
 * segments that follow one another, with the same headers, the first being made of segments that are
 * no shorter. segs is how many are in the first. False: they stay two.
 */
bool join_packets(uint8_t *first, size_t *first_len, size_t room, const uint8_t *second,
                  size_t second_len, size_t segs);

/* Where a packet goes to; false: it is none. */
bool join_destination(const uint8_t *packet, size_t len, struct weir_addr *dst);

/* Does it have PSH, the end of a write? Nothing is joined to that. */
bool join_is_end(const uint8_t *packet, size_t len);

/*
 * Where what was sent together ended. The kernel keeps what a device got in one piece in one buffer: when
 * it is sent again, nothing goes across its end.
 */
struct bursts {
    struct burst_end {
        uint16_t src_port, dst_port;
        uint32_t end;
    } ends[BURSTS_MAX];
    size_t count; /* ever; the oldest give way */
};

/* Packets, joined or not, that have been handed over. */
void bursts_note(struct bursts *b, const uint8_t *packet, size_t len);
bool bursts_end_with(const struct bursts *b, const uint8_t *packet, size_t len);

#endif
