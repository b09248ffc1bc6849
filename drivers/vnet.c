/*
 * vnet.c - what the kernel says about a frame beside its bytes
 */
#include "drivers/vnet.h"

struct virtio_net_hdr vnet_of_frame(const struct weir_frame *frame)
{
    struct virtio_net_hdr header = {0};

    if (frame->flags & WEIR_FRAME_CSUM_PARTIAL) {
        header.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        header.csum_start = frame->csum_start;
        header.csum_offset = frame->csum_offset;
    }
    if (frame->gso == WEIR_GSO_NONE)
        return header;
    header.gso_type =
        frame->gso == WEIR_GSO_TCP4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
    if (frame->flags & WEIR_FRAME_GSO_ECN)
        header.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
    header.gso_size = frame->gso_size;
    header.hdr_len = frame->header_len;
    return header;
}

static enum weir_gso gso_of(uint8_t type)
{
    switch (type & ~VIRTIO_NET_HDR_GSO_ECN) {
    case VIRTIO_NET_HDR_GSO_TCPV4: return WEIR_GSO_TCP4;
    case VIRTIO_NET_HDR_GSO_TCPV6: return WEIR_GSO_TCP6;
    default: return WEIR_GSO_NONE; /* we ask for no other */
    }
}

void vnet_to_frame(const struct virtio_net_hdr *header, struct weir_frame *frame)
{
    frame->flags = 0;
    frame->gso = (uint8_t)gso_of(header->gso_type);
    if (header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
        frame->flags |= WEIR_FRAME_CSUM_PARTIAL;
        frame->csum_start = header->csum_start;
        frame->csum_offset = header->csum_offset;
    }
    if (header->flags & VIRTIO_NET_HDR_F_DATA_VALID)
        frame->flags |= WEIR_FRAME_CSUM_VALID;
    if (frame->gso == WEIR_GSO_NONE)
        return;
    if (header->gso_type & VIRTIO_NET_HDR_GSO_ECN)
        frame->flags |= WEIR_FRAME_GSO_ECN;
    frame->gso_size = header->gso_size;
    frame->header_len = header->hdr_len;
}
