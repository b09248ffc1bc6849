/*
 * view.h - where things are in a frame
 *
 * The simulator reads packets with eyes of its own: it judges the stack, and would not see
 * what both of them read wrongly. Only what is needed to mark, to tell flows apart and to
 * meddle with TCP; anything else is left alone.
 */
#ifndef SIM_VIEW_H
#define SIM_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/weir.h>

enum view_ecn {
    VIEW_NOT_ECT = 0,
    VIEW_ECT1 = 1,
    VIEW_ECT0 = 2,
    VIEW_CE = 3,
};

enum {
    VIEW_ICMP4 = 1,
    VIEW_TCP = 6,
    VIEW_UDP = 17,
    VIEW_ICMP6 = 58,
};

enum view_flag {
    VIEW_FIN = 1,
    VIEW_SYN = 2,
    VIEW_RST = 4,
    VIEW_PSH = 8,
    VIEW_ACK = 16,
    VIEW_URG = 32,
    VIEW_ECE = 64,
    VIEW_CWR = 128,
};

/* An IP packet in a frame. What is beyond its end is not there, also if the headers say so. */
struct view {
    uint8_t *ip;
    size_t ip_len;     /* of the packet */
    uint8_t version;   /* 4 or 6 */
    uint8_t protocol;  /* 0: a fragment, or cut short: nothing below is set */
    uint8_t *l4;       /* TCP: a whole header with its options; UDP: a whole header */
    size_t l4_len;     /* up to the end of the packet */
    size_t header_len; /* TCP: of the header with its options */
};

/* False: no IP packet. */
bool view_parse(struct view *v, enum weir_link link, uint8_t *bytes, size_t len);

/* The bytes of link header, VLAN tags among them, in front of IP. */
size_t view_link_len(enum weir_link link, const uint8_t *bytes, size_t len);

static inline uint16_t view_get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t view_get32(const uint8_t *at)
{
    return (uint32_t)view_get16(at) << 16 | view_get16(at + 2);
}

static inline void view_set16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void view_set32(uint8_t *at, uint32_t value)
{
    view_set16(at, value >> 16);
    view_set16(at + 2, value);
}

enum view_ecn view_ecn(const struct view *v);

/* Sets the field, and keeps the header's checksum right. */
void view_set_ecn(struct view *v, enum view_ecn ecn);

/* Marks a packet CE; false if it is not ECN-capable. */
bool view_mark(enum weir_link link, uint8_t *bytes, size_t len);
enum view_ecn view_ecn_of(enum weir_link link, uint8_t *bytes, size_t len);

/* The same number for the packets of one flow: addresses, protocol and ports. */
uint64_t view_flow(const struct view *v);

/* Is the transport checksum of TCP or UDP right? */
bool view_is_intact(const struct view *v);

/* Makes the transport checksum of TCP and UDP, and IPv4's own, right again. */
void view_fix_checksums(struct view *v);

#endif
