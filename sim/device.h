/*
 * device.h - what the hardware of a node does with a frame that its stack sends
 *
 * It gathers the slices, completes the checksum where it was told to, and cuts super-segments.
 */
#ifndef SIM_DEVICE_H
#define SIM_DEVICE_H

#include "sim/packet.h"
#include <weir/weir.h>

/* The packets that go on the wire, added to list. False: no memory; the frame is lost. */
bool device_send(const struct weir_frame *frame, enum weir_link link, struct packets *store,
                 struct packet_list *list);

/*
 * Cuts a TCP segment into pieces of at most len bytes, which are added to list; with one, the
 * segment itself. Takes p. Checksums are made anew. False: no memory; what is missing is lost.
 */
bool device_cut(struct packet *p, enum weir_link link, size_t len, struct packet_list *list);

#endif
