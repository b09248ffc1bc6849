/*
 * tuntap.c - TUN and TAP devices of the Linux kernel
 *
 * Every frame is read and written with a virtio-net header before it, which lets
 * segments of up to 64 KiB pass in both directions with their checksums still to be made.
 * One read gives one frame; a batch is as many reads as there are frames.
 */
#include "drivers/tuntap.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "drivers/error.h"
#include "drivers/link.h"
#include "drivers/rxbufs.h"
#include "drivers/vnet.h"

enum {
    BATCH = 32,             /* frames received by one call at most */
    KEEP_MAX = 64,          /* long frames that a stack may hold */
    FRAME_MAX = 65536 + 64, /* the longest IP packet, behind an Ethernet header with tags */
    GSO_MAX = 65535,
};

static const char node[] = "/dev/net/tun";

struct tuntap {
    struct weir_driver driver; /* the first member: a driver is its tuntap */
    struct rxbufs *bufs;
};

static struct tuntap *tuntap_of(struct weir_driver *d)
{
    return (struct tuntap *)d;
}

/* ---- frames ---- */

/* The numbers of a header, to or from little-endian: TUN is told to use that everywhere. */
static struct virtio_net_hdr little_endian(struct virtio_net_hdr header)
{
    header.hdr_len = htole16(header.hdr_len);
    header.gso_size = htole16(header.gso_size);
    header.csum_start = htole16(header.csum_start);
    header.csum_offset = htole16(header.csum_offset);
    return header;
}

/* Reads one frame: 1, 0 if there is none, or a negative code. */
static int receive_one(struct tuntap *t, struct weir_frame *frame)
{
    struct rxbuf *buf = rxbufs_get(t->bufs);
    struct virtio_net_hdr header;
    struct iovec parts[2] = {{&header, sizeof header}, {NULL, FRAME_MAX}};
    ssize_t len;

    if (buf == NULL)
        return 0;
    parts[1].iov_base = buf->bytes;
    do
        len = readv(t->driver.fd, parts, 2);
    while (len < 0 && errno == EINTR);
    if (len <= (ssize_t)sizeof header) {
        rxbufs_put(t->bufs, buf);
        /* EBADFD and EFAULT are what a deleted device answers. */
        return len < 0 && errno != EAGAIN ? WEIR_ESTALE : 0;
    }
    rxbufs_frame(t->bufs, buf, (size_t)len - sizeof header, frame);
    header = little_endian(header);
    vnet_to_frame(&header, frame);
    return 1;
}

static ptrdiff_t receive(struct weir_driver *d, struct weir_frame *frames, size_t max)
{
    struct tuntap *t = tuntap_of(d);
    size_t count = 0;
    int result = 1;

    rxbufs_reclaim(t->bufs);
    while (count < max && count < BATCH && result > 0) {
        result = receive_one(t, &frames[count]);
        count += result > 0;
    }
    return result < 0 && count == 0 ? result : (ptrdiff_t)count;
}

/* Writes one frame; false if it has to be offered again. *gone: the device is no more. */
static bool transmit_one(struct tuntap *t, const struct weir_frame *frame, bool *gone)
{
    struct virtio_net_hdr header = little_endian(vnet_of_frame(frame));
    struct iovec parts[1 + WEIR_FRAME_SLICES] = {{&header, sizeof header}};
    ssize_t len;

    for (size_t i = 0; i < frame->slice_count; i++)
        parts[1 + i] = (struct iovec){frame->slices[i].bytes, frame->slices[i].len};
    do
        len = writev(t->driver.fd, parts, 1 + frame->slice_count);
    while (len < 0 && errno == EINTR);
    if (len < 0 && errno == EBADFD)
        *gone = true;
    /* EIO, an interface that is down, and whatever else the kernel has against a frame
     * costs the frame, as on any wire. */
    return len >= 0 || (errno != EAGAIN && errno != EBADFD);
}

static ptrdiff_t transmit(struct weir_driver *d, struct weir_frame **frames, size_t count)
{
    struct tuntap *t = tuntap_of(d);
    bool gone = false;
    size_t taken = 0;

    while (taken < count && transmit_one(t, frames[taken], &gone))
        taken++;
    if (taken > 0 && d->done != NULL)
        d->done(d->done_ctx, frames, taken);
    return gone && taken == 0 ? WEIR_ESTALE : (ptrdiff_t)taken;
}

static void close_device(struct weir_driver **d)
{
    struct tuntap *t = tuntap_of(*d);

    rxbufs_reclaim(t->bufs);
    rxbufs_close(&t->bufs);
    close(t->driver.fd);
    free(t);
    *d = NULL;
}

static const struct weir_driver_ops ops = {receive, transmit, close_device};

/* ---- opening ---- */

/* What is being opened, and with what. */
struct opening {
    enum weir_link link;
    const char *name; /* "" if the kernel is to choose */
    bool offloads;
    bool multi_queue;
    uint32_t mtu;
    struct weir_driver_error *error;
};

static const char *kind_of(const struct opening *o)
{
    return o->link == WEIR_LINK_IP ? "TUN" : "TAP";
}

static int explain_open(const struct opening *o, int os)
{
    struct stat about;
    unsigned mode = stat(node, &about) == 0 ? about.st_mode & 0777u : 0;

    if (os == ENOENT || os == ENODEV || os == ENXIO)
        driver_error_set(o->error, WEIR_ENOTSUP, os,
                         "There is no %s: load the kernel's module with \"modprobe tun\", or give "
                         "the container the device with \"--device %s\".",
                         node, node);
    else if (os == EPERM)
        driver_error_set(o->error, WEIR_EACCES, os,
                         "This container may not use %s: start it with \"--device %s\" (and "
                         "\"--cap-add NET_ADMIN\").",
                         node, node);
    else if (os == EACCES)
        driver_error_set(
            o->error, WEIR_EACCES, os,
            "Only its owner may open %s (mode %04o): run as root. With \"chmod 0666 %s\" "
            "an ordinary user in \"unshare -Urn\" can, too.",
            node, mode, node);
    else
        driver_error_set(o->error, driver_error_code(os), os, "Cannot open %s: %s.", node,
                         strerror(os));
    return -1;
}

static void explain_attach(const struct opening *o, int os)
{
    const char *name = o->name[0] != '\0' ? o->name : "NAME";
    bool exists = o->name[0] != '\0' && if_nametoindex(o->name) != 0;

    if (os == EPERM)
        driver_error_set(
            o->error, WEIR_EACCES, os,
            "Making a %s device needs CAP_NET_ADMIN: run as root or in \"unshare -Urn\", "
            "or have root make one for you: \"ip tuntap add dev %s mode %s user $USER\".",
            kind_of(o), name, o->link == WEIR_LINK_IP ? "tun" : "tap");
    else if (os == EBUSY)
        driver_error_set(o->error, WEIR_EADDRINUSE, os,
                         "%s is in use by another process: stop that, or choose another name.",
                         name);
    else if (os == EINVAL && exists)
        driver_error_set(
            o->error, WEIR_EINVAL, os,
            "%s exists, but not as a %s device with %s: choose another name, or remove it "
            "with \"ip link del %s\".",
            name, kind_of(o), o->multi_queue ? "several queues" : "one queue", name);
    else if (os == EINVAL)
        driver_error_set(o->error, WEIR_EINVAL, os,
                         "The kernel does not take \"%s\" as the name of an "
                         "interface.",
                         name);
    else
        driver_error_set(o->error, driver_error_code(os), os, "Cannot make the %s device %s: %s.",
                         kind_of(o), name, strerror(os));
}

/* Opens the node and attaches to the device; returns the descriptor or -1. */
static int attach(const struct opening *o, struct ifreq *request)
{
    int header_len = sizeof(struct virtio_net_hdr), yes = 1;
    int fd = open(node, O_RDWR | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return explain_open(o, errno);
    memset(request, 0, sizeof *request);
    memcpy(request->ifr_name, o->name, strlen(o->name));
    request->ifr_flags =
        (short)(IFF_NO_PI | IFF_VNET_HDR | (o->link == WEIR_LINK_IP ? IFF_TUN : IFF_TAP)
                | (o->multi_queue ? IFF_MULTI_QUEUE : 0));
    if (ioctl(fd, TUNSETIFF, request) == 0 && ioctl(fd, TUNSETVNETHDRSZ, &header_len) == 0
        && ioctl(fd, TUNSETVNETLE, &yes) == 0)
        return fd;
    explain_attach(o, errno);
    close(fd);
    return -1;
}

/* Asks for super-segments; a kernel that has none of them gives plain frames. */
static uint32_t negotiate(int fd, bool offloads)
{
    const unsigned all = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;

    if (offloads && ioctl(fd, TUNSETOFFLOAD, (unsigned long)all) == 0)
        return WEIR_OFFLOAD_CSUM | WEIR_OFFLOAD_TSO4 | WEIR_OFFLOAD_TSO6;
    ioctl(fd, TUNSETOFFLOAD, 0ul); /* somebody before us may have asked */
    return 0;
}

/* Sets or reads the device's MTU, and reads the MAC address of the kernel's end of a TAP. */
static bool examine(const struct opening *o, struct ifreq *request, struct weir_netif_config *netif)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0;

    if (ok && o->mtu != 0) {
        request->ifr_mtu = (int)o->mtu;
        ok = ioctl(fd, SIOCSIFMTU, request) == 0;
    }
    ok = ok && ioctl(fd, SIOCGIFMTU, request) == 0;
    netif->mtu = (uint32_t)request->ifr_mtu;
    if (ok && o->link == WEIR_LINK_ETHERNET) {
        ok = ioctl(fd, SIOCGIFHWADDR, request) == 0;
        memcpy(netif->mac, request->ifr_hwaddr.sa_data, sizeof netif->mac);
        /* Our end has an address of its own, and the same one whenever the device is opened:
         * the kernel's with one bit changed, marked as locally administered. */
        netif->mac[5] ^= 1;
        netif->mac[0] |= 2;
    }
    if (!ok)
        driver_error_set(o->error, driver_error_code(errno), errno,
                         "Cannot set or read the MTU or MAC address of %s: %s.", request->ifr_name,
                         strerror(errno));
    if (fd >= 0)
        close(fd);
    return ok;
}

static struct weir_driver *fail(int fd, struct tuntap *t)
{
    if (t != NULL)
        rxbufs_close(&t->bufs);
    free(t);
    if (fd >= 0)
        close(fd);
    return NULL;
}

struct weir_driver *tuntap_open(enum weir_link link, const struct weir_device_options *options,
                                struct weir_driver_error *error)
{
    struct opening o = {link,
                        options->name != NULL ? options->name : "",
                        options->offloads,
                        options->multi_queue,
                        options->mtu,
                        error};
    struct ifreq request;
    struct tuntap *t;
    int fd;

    if (strlen(o.name) >= IFNAMSIZ) {
        driver_error_set(error, WEIR_EINVAL, 0,
                         "\"%.40s\" is too long for the name of an interface: %d characters are "
                         "allowed.",
                         o.name, IFNAMSIZ - 1);
        return NULL;
    }
    fd = attach(&o, &request);
    if (fd < 0)
        return NULL;
    t = calloc(1, sizeof *t);
    if (t == NULL || (t->bufs = rxbufs_open(FRAME_MAX, BATCH, KEEP_MAX)) == NULL) {
        driver_error_set(error, WEIR_ENOMEM, ENOMEM,
                         "There is no memory for the device's buffers.");
        return fail(fd, t);
    }
    t->driver.ops = &ops;
    t->driver.fd = fd;
    memcpy(t->driver.name, request.ifr_name, sizeof t->driver.name);
    t->driver.netif.name = t->driver.name;
    t->driver.netif.link = link;
    t->driver.netif.gso_max = GSO_MAX;
    t->driver.netif.offloads = negotiate(fd, o.offloads);
    if (!examine(&o, &request, &t->driver.netif))
        return fail(fd, t);
    link_wait_until_running(t->driver.name);
    return &t->driver;
}
