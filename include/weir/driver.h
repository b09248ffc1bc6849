/*
 * weir/driver.h - what a driver provides, and the drivers there are (libweir-os)
 *
 * A driver moves frames between a device and a stack, in batches. It belongs to the
 * thread of its stack. A program's own driver is a struct weir_driver that it fills in.
 */
#ifndef WEIR_DRIVER_H
#define WEIR_DRIVER_H

#include <weir/weir.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_driver;

struct weir_driver_ops {
    /*
     * Fills in up to max frames that have arrived; returns how many, 0 for none, or a
     * negative code when the device is gone. Frames are valid until the next receive
     * unless they carry a release function.
     */
    ptrdiff_t (*receive)(struct weir_driver *d, struct weir_frame *frames, size_t max);

    /*
     * Sends frames, in order; returns how many were taken (the rest is to be offered again
     * when the descriptor is writable), or a negative code when the device is gone. The
     * driver calls done for each frame it took, at once or later.
     */
    ptrdiff_t (*transmit)(struct weir_driver *d, struct weir_frame **frames, size_t count);

    /* Closes the device and frees the driver. Takes *d. */
    void (*close)(struct weir_driver **d);
};

struct weir_driver {
    const struct weir_driver_ops *ops;
    struct weir_netif_config netif; /* what the device is, for weir_netif_add */
    int fd;                         /* readable when frames have arrived; -1: poll receive */
    char name[16];                  /* the device's name */
    /* Set by whoever runs the driver: where frames go when they have been sent. */
    void (*done)(void *ctx, struct weir_frame **frames, size_t count);
    void *done_ctx;
};

/* Why a driver could not be opened: one or two sentences a person can act on. */
#define WEIR_DRIVER_ERROR 256
struct weir_driver_error {
    int err; /* weir/err.h */
    int os;  /* errno, or 0 */
    char text[WEIR_DRIVER_ERROR];
};

struct weir_device_options {
    const char *name; /* NULL or "": let the kernel choose ("tun0"); may be "weir%d" */
    uint32_t mtu;     /* 0: as the device has it */
    bool offloads;    /* checksum and segmentation offload: super-segments of 64 KiB */
    bool multi_queue; /* open one queue of several */
};

/*
 * A TUN device: IP packets. Returns the driver, or NULL and *error. Closing it while the
 * stack still keeps frames is allowed.
 */
WEIR_API struct weir_driver *weir_tun_open(const struct weir_device_options *options,
                                           struct weir_driver_error *error);

/*
 * A TAP device: Ethernet frames; the stack's end gets a MAC address of its own, derived from
 * that of the kernel's end.
 */
WEIR_API struct weir_driver *weir_tap_open(const struct weir_device_options *options,
                                           struct weir_driver_error *error);

/* What the kernel's end of a device is to have. */
struct weir_device_setup {
    const struct weir_prefix *addrs; /* addresses; each prefix is reached through the device */
    size_t addr_count;
    const struct weir_prefix *routes; /* what else is reached through it */
    size_t route_count;
    uint32_t mtu; /* 0: as it is */
};

/*
 * Brings the kernel's end of a device up and gives it addresses and routes, for both families.
 * IPv6 addresses are usable at once, without duplicate address detection. What is there
 * already stays. Opening a driver does none of this. Needs CAP_NET_ADMIN in the network
 * namespace. Returns 0, or a negative code and *error (which may be NULL).
 */
WEIR_API int weir_device_configure(const char *name, const struct weir_device_setup *setup,
                                   struct weir_driver_error *error);

/*
 * Two drivers back to back: what one sends the other receives, without a copy, as
 * segments of any size (gso), in one thread. depth is how many frames may be under way
 * in each direction; more wait in the sender. The second end's MAC address is the first's
 * with the last bit changed. Returns 0, WEIR_ENOMEM, or WEIR_EINVAL (depth is 0).
 *
 * The receiving stack may keep a frame of the sending one, so close both ends before
 * either stack is destroyed: closing the second gives every frame back to its sender, also
 * those that the other stack has kept, which must then be destroyed without being read.
 */
WEIR_API int weir_memory_open(struct weir_driver *ends[2], const struct weir_netif_config *netif,
                              size_t depth);

/*
 * A driver around another one that writes everything that passes to a pcapng file, with
 * the time of day. Super-segments are written as they are, and so are checksums that
 * the device was to complete. The inner driver is taken: closing this one closes it. NULL
 * and *error on failure, and then the inner one is left alone.
 */
WEIR_API struct weir_driver *weir_pcapng_tee(struct weir_driver **inner, const char *path,
                                             struct weir_driver_error *error);

/*
 * The errno of the first write to a tee's file that failed, or 0. Nothing is written after
 * it; frames pass as before.
 */
WEIR_API int weir_pcapng_error(const struct weir_driver *tee);

/*
 * A driver that receives what a pcapng or pcap file holds, and swallows what is sent. The first
 * packet comes at once, the others with the pauses they have in the file; those marked as sent
 * do not come. netif.mac is 02:00:00:00:00:01 and may be changed before it is attached.
 */
WEIR_API struct weir_driver *weir_pcapng_open(const char *path, struct weir_driver_error *error);

#ifdef __cplusplus
}
#endif

#endif
