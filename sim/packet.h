/*
 * packet.h - frames on their way, and lists of them
 *
 * A packet belongs to whoever holds it: a list, a link, or the stack it was handed to. It goes
 * back to the store it came from, which outlives its owner as long as packets are out.
 */
#ifndef SIM_PACKET_H
#define SIM_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/sim_link.h>

enum {
    PACKET_MAX = 65600, /* bytes of the longest frame: an IP packet and a link header */
};

struct packet {
    struct weir_sim_frame frame; /* first: a frame is given back as a packet */
    struct packet *next, *prev;
    weir_ns_t queued_at; /* when it entered the queue */
    struct packets *store;
    uint32_t room;
    uint8_t class;
    bool is_copy;    /* the network made it what it is: doubled, or damaged */
    bool is_corrupt; /* a bit has changed on the way */
};

/* A store of packets in a few sizes, which grows and does not shrink until it ends. */
struct packets;

struct packets *packets_create(void);

/* The store ends when the last packet has come back. Takes *store. */
void packets_destroy(struct packets **store);

/* A packet with room for len bytes, and that length. NULL: no memory, or longer than PACKET_MAX. */
struct packet *packet_get(struct packets *store, size_t len);
void packet_put(struct packet *p);

/* The same bytes and times in another packet, or NULL. */
struct packet *packet_copy(const struct packet *p);

/* How many packets of a store are out. */
size_t packets_out(const struct packets *store);

struct packet_list {
    struct packet *head, *tail;
    uint32_t count;
    uint32_t bytes;
};

void packet_list_add(struct packet_list *list, struct packet *p);
struct packet *packet_list_take(struct packet_list *list); /* the first, or NULL */

/* Adds by frame.at, behind those that are as early: from the end, where it mostly belongs. */
void packet_list_add_sorted(struct packet_list *list, struct packet *p);

void packet_list_drop(struct packet_list *list);

#endif
