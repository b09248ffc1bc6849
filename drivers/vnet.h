/*
 * vnet.h - what the kernel says about a frame beside its bytes
 *
 * The virtio-net header that TUN, TAP and AF_PACKET put before each frame, in the
 * machine's own byte order.
 */
#ifndef DRIVERS_VNET_H
#define DRIVERS_VNET_H

#include <linux/virtio_net.h>
#include <weir/weir.h>

/* The header of a frame that is sent. */
struct virtio_net_hdr vnet_of_frame(const struct weir_frame *frame);

/* Sets the metadata of a frame that was received; its bytes are left alone. */
void vnet_to_frame(const struct virtio_net_hdr *header, struct weir_frame *frame);

#endif
