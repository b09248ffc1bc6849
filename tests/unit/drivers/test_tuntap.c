/*
 * test_tuntap.c - TUN and TAP against the kernel, in a network namespace
 *
 * The kernel's end is 192.0.2.1 and 2001:db8::1, ours .2 and ::2. The test is the peer's
 * stack, by hand.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <weir/driver.h>

#include "base/checksum.h"
#include "format/seg_text.h"
#include "lib/test.h"
#include "unit/drivers/namespace.h"
#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/pkt.h"

#define KERNEL_PORT 40000
#define OUR_PORT 80

static struct weir_driver_error error;
static size_t done_count;

static void on_done(void *ctx, struct weir_frame **frames, size_t count)
{
    (void)ctx, (void)frames;
    done_count += count;
}

static struct weir_addr addr(const char *text)
{
    struct weir_addr a;

    REQUIRE(weir_addr_parse(text, &a) == 0);
    return a;
}

static struct weir_driver *open_device(enum weir_link link, uint32_t mtu)
{
    const struct weir_device_options options = {.name = "weir%d", .mtu = mtu, .offloads = true};
    struct weir_prefix addrs[2], route;
    struct weir_device_setup setup = {addrs, 2, &route, 1, 0};
    struct weir_driver *d =
        link == WEIR_LINK_IP ? weir_tun_open(&options, &error) : weir_tap_open(&options, &error);

    REQUIRE(d != NULL);
    REQUIRE(weir_prefix_parse("192.0.2.1/24", &addrs[0]) == 0);
    REQUIRE(weir_prefix_parse("2001:db8::1/64", &addrs[1]) == 0);
    REQUIRE(weir_prefix_parse("198.51.100.77/24", &route) == 0);
    REQUIRE(weir_device_configure(d->name, &setup, &error) == 0);
    REQUIRE(weir_device_configure(d->name, &setup, &error) == 0); /* again: no error */
    d->done = on_done;
    return d;
}

/* The next packet that is TCP or UDP, or with ARP that; what the kernel says unasked is skipped. */
static void receive(struct weir_driver *d, bool arp, struct weir_frame *frame, struct pkt *p)
{
    struct pollfd ready = {.fd = d->fd, .events = POLLIN};

    for (int i = 0; i < 100; i++) {
        struct span head;

        REQUIRE(poll(&ready, 1, 5000) == 1);
        if (d->ops->receive(d, frame, 1) != 1)
            continue;
        REQUIRE(frame->slice_count == 1 && frame->len == frame->slices[0].len);
        head = span_of(frame->slices[0].bytes, frame->len);
        if (d->netif.link == WEIR_LINK_ETHERNET) {
            struct eth_header h;

            REQUIRE(eth_parse(head, frame->len, &h) == WHY_NONE);
            if (arp && h.type == ETH_TYPE_ARP)
                return;
            head = h.payload;
        }
        if (pkt_parse(head, head.len, p) == WHY_NONE
            && (p->protocol == IP_PROTOCOL_TCP || p->protocol == IP_PROTOCOL_UDP))
            return;
    }
    REQUIRE(false);
}

static void transmit(struct weir_driver *d, struct weir_frame *frame)
{
    size_t before = done_count;

    REQUIRE(d->ops->transmit(d, &frame, 1) == 1);
    REQUIRE(done_count == before + 1);
}

static int udp_socket(const char *to, struct sockaddr_in *peer)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    *peer = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(7)};
    REQUIRE(inet_pton(AF_INET, to, &peer->sin_addr) == 1);
    REQUIRE(fd >= 0 && connect(fd, (struct sockaddr *)peer, sizeof *peer) == 0);
    return fd;
}

/* ---- datagrams ---- */

/* Sends what came from back to where it came from, in two slices, its checksum to be made. */
static void echo(struct weir_driver *d, const struct pkt *p)
{
    struct ip4_header ip = {.src = p->dst,
                            .dst = p->src,
                            .ttl = 64,
                            .protocol = IP_PROTOCOL_UDP,
                            .payload_len = p->transport_len};
    struct udp_header udp = {.src_port = p->udp.dst_port,
                             .dst_port = p->udp.src_port,
                             .payload_len = p->udp.payload_len};
    uint8_t head[28];
    struct weir_frame frame = {
        .slices = {{head, sizeof head},
                   {(uint8_t *)(uintptr_t)p->udp.payload.bytes, p->udp.payload_len}},
        .slice_count = 2,
        .len = sizeof head + p->udp.payload_len,
        .flags = WEIR_FRAME_CSUM_PARTIAL,
        .csum_start = 20,
        .csum_offset = 6};

    udp.checksum = (uint16_t)checksum_reduce(
        checksum_pseudo(&ip.src, &ip.dst, IP_PROTOCOL_UDP, p->transport_len));
    REQUIRE(ip4_emit(&ip, head, 20) == 20 && udp_emit(&udp, head + 20, 8) == 8);
    transmit(d, &frame);
}

static void exchange_datagrams(void)
{
    struct weir_driver *d = open_device(WEIR_LINK_IP, 0);
    struct sockaddr_in peer;
    int fd = udp_socket("198.51.100.9", &peer); /* over the route */
    struct weir_frame frame;
    char text[64] = "";
    struct pkt p;

    REQUIRE(d->netif.mtu == 1500 && strcmp(d->netif.name, "weir0") == 0);
    REQUIRE(send(fd, "to and fro", 10, 0) == 10);
    receive(d, false, &frame, &p);
    REQUIRE(p.udp.payload_len == 10 && memcmp(p.udp.payload.bytes, "to and fro", 10) == 0);
    REQUIRE(frame.flags & WEIR_FRAME_CSUM_PARTIAL);
    REQUIRE(frame.csum_start == 20 && frame.csum_offset == 6);
    REQUIRE(frame.release == NULL); /* a short one is lent */
    echo(d, &p);
    REQUIRE(recv(fd, text, sizeof text, 0) == 10 && strcmp(text, "to and fro") == 0);
    close(fd);
    d->ops->close(&d);
    REQUIRE(d == NULL);
}

TEST(tun_carries_datagrams_both_ways_with_checksums_left_to_the_other_side)
{
    in_namespace(exchange_datagrams);
}

/* ---- super-segments ---- */

/* Our side of a TCP connection with the kernel. */
struct peer {
    struct weir_driver *d;
    struct seg_origin origin; /* of what we send */
    struct weir_addr src, dst;
};

/* Sends a segment with this payload, as one super-segment where it is longer than mss. */
static void say(struct peer *p, const char *text, uint8_t *payload, uint16_t mss)
{
    struct ip4_header ip = {.src = p->src, .dst = p->dst, .ttl = 64, .protocol = IP_PROTOCOL_TCP};
    struct tcp_header tcp;
    struct seg_text seg;
    uint8_t head[IP4_HEADER_LEN + TCP_HEADER_MAX];
    struct weir_frame frame = {.slice_count = 2,
                               .flags = WEIR_FRAME_CSUM_PARTIAL,
                               .csum_start = IP4_HEADER_LEN,
                               .csum_offset = TCP_CHECKSUM_AT};

    REQUIRE(seg_text_parse(text, &p->origin, &seg, NULL));
    tcp = seg_text_header(&seg);
    tcp.src_port = OUR_PORT;
    tcp.dst_port = KERNEL_PORT;
    ip.payload_len = tcp.header_len + (size_t)seg.len;
    tcp.checksum = (uint16_t)checksum_reduce(
        checksum_pseudo(&ip.src, &ip.dst, IP_PROTOCOL_TCP, ip.payload_len));
    REQUIRE(ip4_emit(&ip, head, IP4_HEADER_LEN) == IP4_HEADER_LEN);
    REQUIRE(tcp_emit(&tcp, head + IP4_HEADER_LEN, TCP_HEADER_MAX) == tcp.header_len);
    frame.header_len = (uint16_t)(IP4_HEADER_LEN + tcp.header_len);
    frame.slices[0] = (struct weir_slice){head, frame.header_len};
    frame.slices[1] = (struct weir_slice){payload, seg.len};
    frame.len = frame.header_len + (size_t)seg.len;
    if (seg.len > mss) {
        frame.gso = WEIR_GSO_TCP4;
        frame.gso_size = mss;
    }
    transmit(p->d, &frame);
}

static void connect_kernel(struct peer *p, int fd)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(KERNEL_PORT)};
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(OUR_PORT)};
    struct weir_frame frame;
    struct pkt packet;

    there.sin_addr.s_addr = htonl(0xc0000202);
    REQUIRE(bind(fd, (struct sockaddr *)&here, sizeof here) == 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    REQUIRE(connect(fd, (struct sockaddr *)&there, sizeof there) < 0 && errno == EINPROGRESS);
    receive(p->d, false, &frame, &packet);
    REQUIRE(packet.tcp.flags == TCP_SYN);
    p->src = packet.dst;
    p->dst = packet.src;
    p->origin = (struct seg_origin){0xfffff000u, packet.tcp.seq};
    say(p, "S. 0:0(0) ack 1 win 65535 <mss 1000>", NULL, 1000);
    receive(p->d, false, &frame, &packet);
    REQUIRE(packet.tcp.flags == TCP_ACK && packet.tcp.ack == p->origin.seq + 1);
}

static void exchange_super_segments(void)
{
    static uint8_t bytes[30000], copy[30000];
    struct peer p = {.d = open_device(WEIR_LINK_IP, 9000)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct weir_frame frame;
    struct pkt packet;
    size_t got = 0;

    REQUIRE(p.d->netif.mtu == 9000);
    REQUIRE(p.d->netif.offloads == (WEIR_OFFLOAD_CSUM | WEIR_OFFLOAD_TSO4 | WEIR_OFFLOAD_TSO6));
    connect_kernel(&p, fd);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7 / 3);

    /* Ten segments of 1000 bytes are the kernel's initial window. */
    REQUIRE(send(fd, bytes, sizeof bytes, 0) == sizeof bytes);
    receive(p.d, false, &frame, &packet);
    REQUIRE(frame.gso == WEIR_GSO_TCP4 && frame.gso_size == 1000);
    REQUIRE(packet.tcp.payload_len > 1000);
    REQUIRE(frame.header_len == 40 && (frame.flags & WEIR_FRAME_CSUM_PARTIAL));
    REQUIRE(memcmp(packet.tcp.payload.bytes, bytes, packet.tcp.payload_len) == 0);

    say(&p, "P. 1:30001(30000) ack 1 win 65535", bytes, 1000);
    while (got < sizeof copy) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        ssize_t len;

        REQUIRE(poll(&ready, 1, 5000) == 1);
        len = recv(fd, copy + got, sizeof copy - got, 0);
        REQUIRE(len > 0);
        got += (size_t)len;
    }
    REQUIRE(memcmp(bytes, copy, sizeof copy) == 0);
    p.d->ops->close(&p.d);
    close(fd);
}

TEST(tun_carries_super_segments_both_ways)
{
    in_namespace(exchange_super_segments);
}

static void keep_long_frames(void)
{
    static uint8_t bytes[60000];
    struct weir_driver *d = open_device(WEIR_LINK_IP, 65535);
    struct weir_frame kept[200];
    struct sockaddr_in peer;
    int fd = udp_socket("192.0.2.2", &peer);
    size_t with_release = 0;
    struct pkt p;

    for (size_t i = 0; i < 200; i++) {
        memset(bytes, (int)i, sizeof bytes);
        REQUIRE(send(fd, bytes, sizeof bytes, 0) == sizeof bytes);
        receive(d, false, &kept[i], &p);
        with_release += kept[i].release != NULL;
        REQUIRE(p.udp.payload.bytes[59999] == (uint8_t)i);
    }
    REQUIRE(with_release >= 32 && with_release < 200);
    for (size_t i = 0; i < with_release; i++)
        REQUIRE(kept[i].slices[0].bytes[100] == (uint8_t)i && kept[i].memory >= 65536);
    kept[0].release(kept[0].owner);
    REQUIRE(send(fd, bytes, sizeof bytes, 0) == sizeof bytes);
    receive(d, false, &kept[0], &p);
    REQUIRE(kept[0].release != NULL);
    d->ops->close(&d); /* the rest is still kept, and may be read */
    for (size_t i = 1; i < with_release; i++) {
        REQUIRE(kept[i].slices[0].bytes[100] == (uint8_t)i);
        kept[i].release(kept[i].owner);
    }
    kept[0].release(kept[0].owner);
    close(fd);
}

TEST(tun_lets_a_stack_keep_long_frames_but_not_all_buffers)
{
    in_namespace(keep_long_frames);
}

/* ---- Ethernet ---- */

static void resolve(void)
{
    struct weir_driver *d = open_device(WEIR_LINK_ETHERNET, 0);
    struct sockaddr_in peer;
    int fd = udp_socket("192.0.2.2", &peer);
    uint8_t bytes[ETH_HEADER_LEN + ARP_LEN];
    struct weir_frame frame,
        reply = {.slices = {{bytes, sizeof bytes}}, .slice_count = 1, .len = sizeof bytes};
    struct eth_header eth;
    struct arp_packet arp;
    struct pkt p;

    REQUIRE(send(fd, "x", 1, 0) == 1);
    receive(d, true, &frame, &p);
    REQUIRE(eth_parse(span_of(frame.slices[0].bytes, frame.len), frame.len, &eth) == WHY_NONE);
    REQUIRE(arp_parse(eth.payload, &arp) == WHY_NONE && arp.op == ARP_REQUEST);
    REQUIRE(memcmp(d->netif.mac, eth.src.b, 6) != 0); /* ours is not the kernel's */
    REQUIRE((d->netif.mac[0] & 3) == 2);

    eth.dst = eth.src;
    memcpy(eth.src.b, d->netif.mac, 6);
    arp = (struct arp_packet){.op = ARP_REPLY,
                              .sender_mac = eth.src,
                              .target_mac = eth.dst,
                              .sender_addr = addr("192.0.2.2"),
                              .target_addr = arp.sender_addr};
    eth_emit(&eth, bytes, sizeof bytes);
    arp_emit(&arp, bytes + ETH_HEADER_LEN, ARP_LEN);
    transmit(d, &reply);
    receive(d, false, &frame, &p);
    REQUIRE(memcmp(frame.slices[0].bytes, d->netif.mac, 6) == 0);
    REQUIRE(p.udp.payload_len == 1 && frame.csum_start == ETH_HEADER_LEN + 20);
    d->ops->close(&d);
    close(fd);
}

TEST(tap_carries_ethernet_frames_to_an_address_of_our_own)
{
    in_namespace(resolve);
}

/* ---- batches, and devices that go away ---- */

static void receive_batches(void)
{
    struct weir_driver *d = open_device(WEIR_LINK_IP, 0);
    struct sockaddr_in peer;
    int fd = udp_socket("192.0.2.2", &peer);
    struct weir_frame frames[64];
    size_t datagrams = 0;

    for (int i = 0; i < 50; i++)
        REQUIRE(send(fd, &i, sizeof i, 0) == sizeof i);
    for (int call = 0; call < 20; call++) {
        ptrdiff_t count = d->ops->receive(d, frames, 64);

        REQUIRE(count >= 0 && count <= 32);
        for (ptrdiff_t i = 0; i < count; i++) {
            struct pkt p;
            int number;

            if (pkt_parse(span_of(frames[i].slices[0].bytes, frames[i].len), frames[i].len, &p)
                    != WHY_NONE
                || p.protocol != IP_PROTOCOL_UDP)
                continue;
            memcpy(&number, p.udp.payload.bytes, sizeof number);
            REQUIRE(number == (int)datagrams++);
        }
    }
    REQUIRE(datagrams == 50);
    d->ops->close(&d);
    close(fd);
}

TEST(tun_receives_in_batches_until_there_is_nothing_more)
{
    in_namespace(receive_batches);
}

static void set_flags(const char *name, short flags)
{
    struct ifreq request = {.ifr_flags = flags};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    strcpy(request.ifr_name, name);
    REQUIRE(ioctl(fd, SIOCSIFFLAGS, &request) == 0);
    close(fd);
}

static void transmit_to_a_link_that_is_down(void)
{
    struct weir_driver *d = open_device(WEIR_LINK_IP, 0);
    uint8_t bytes[20] = {0x45};
    struct weir_frame frame = {.slices = {{bytes, 20}}, .slice_count = 1, .len = 20}, in;
    char command[64];

    set_flags(d->name, 0);
    transmit(d, &frame); /* dropped, and done with */
    while (d->ops->receive(d, &in, 1) > 0)
        continue;
    set_flags(d->name, IFF_UP);
    transmit(d, &frame);

    snprintf(command, sizeof command, "ip link del %s", d->name);
    if (system(command) == 0) {
        struct weir_frame *p = &frame;

        REQUIRE(d->ops->transmit(d, &p, 1) == WEIR_ESTALE);
        REQUIRE(d->ops->receive(d, &in, 1) == WEIR_ESTALE);
    }
    d->ops->close(&d);
}

TEST(tun_that_is_down_loses_frames_and_one_that_is_deleted_is_gone)
{
    in_namespace(transmit_to_a_link_that_is_down);
}

static void open_two_queues(void)
{
    const struct weir_device_options options = {.name = "weirq", .multi_queue = true};
    struct weir_driver *first = weir_tun_open(&options, &error);
    struct weir_driver *second = weir_tun_open(&options, &error);

    REQUIRE(first != NULL && second != NULL);
    REQUIRE(first->netif.offloads == 0);
    first->ops->close(&first);
    second->ops->close(&second);
}

TEST(tun_may_have_several_queues)
{
    in_namespace(open_two_queues);
}

/* ---- what cannot be opened ---- */

static void expect_refusal(const char *name, bool multi_queue, int os, const char *words)
{
    const struct weir_device_options options = {.name = name, .multi_queue = multi_queue};

    memset(&error, 0, sizeof error);
    REQUIRE(weir_tun_open(&options, &error) == NULL);
    if (error.os != os || strstr(error.text, words) == NULL)
        fprintf(stderr, "%d: %s\n", error.os, error.text);
    REQUIRE(error.os == os && error.err < 0 && strstr(error.text, words) != NULL);
    REQUIRE(weir_tun_open(&options, NULL) == NULL);
}

static void refuse(void)
{
    const struct weir_device_options options = {.name = "weir0"};
    struct weir_driver *d = weir_tap_open(&options, &error), *queue;

    REQUIRE(d != NULL);
    expect_refusal("a_name_much_too_long", false, 0, "is too long");
    expect_refusal("a/b", false, EINVAL, "does not take \"a/b\"");
    expect_refusal("lo", false, EINVAL, "lo exists, but not as a TUN device with one queue");
    expect_refusal("weir0", false, EINVAL, "weir0 exists, but not as a TUN device");
    d->ops->close(&d);
    d = weir_tun_open(&options, &error);
    REQUIRE(d != NULL);
    expect_refusal("weir0", false, EBUSY, "in use by another process");
    expect_refusal("weir0", true, EINVAL, "several queues");
    queue = weir_tun_open(&options, NULL);
    REQUIRE(queue == NULL);
    d->ops->close(&d);
}

TEST(tun_says_what_is_wrong_with_a_name)
{
    in_namespace(refuse);
}

static void drop_capability(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0, 0, 0}, {0, 0, 0}};
    struct weir_device_setup setup = {NULL, 0, NULL, 0, 0};

    REQUIRE(syscall(SYS_capset, &header, data) == 0);
    if (access("/dev/net/tun", R_OK | W_OK) == 0)
        expect_refusal("weir0", false, EPERM, "needs CAP_NET_ADMIN");
    REQUIRE(weir_device_configure("lo", &setup, &error) == WEIR_EACCES);
    REQUIRE(strstr(error.text, "unshare -Urn") != NULL);
}

TEST(tun_needs_a_capability_and_says_so)
{
    in_namespace(drop_capability);
}

static void become_nobody(void)
{
    if (setresuid(65534, 65534, 65534) != 0 || access("/dev/net/tun", R_OK | W_OK) == 0)
        return; /* where the node is open to all */
    expect_refusal("weir0", false, EACCES, "Only its owner may open /dev/net/tun (mode 0");
}

TEST(tun_says_that_its_node_is_closed_to_others)
{
    in_namespace(become_nobody);
}

static void refuse_setup(void)
{
    struct weir_prefix prefix;
    struct weir_device_setup setup = {&prefix, 1, NULL, 0, 0};

    REQUIRE(weir_prefix_parse("192.0.2.1/24", &prefix) == 0);
    REQUIRE(weir_device_configure("nosuch0", &setup, &error) == WEIR_ENOTSUP);
    REQUIRE(strcmp(error.text, "Cannot give nosuch0 a working link and its MTU: No such device.")
            == 0);
    prefix.addr = addr("ff02::1");
    REQUIRE(weir_device_configure("lo", &setup, &error) < 0);
    REQUIRE(strstr(error.text, "the address ff02::1/120") != NULL);
}

TEST(configure_names_what_the_kernel_refuses)
{
    in_namespace(refuse_setup);
}
