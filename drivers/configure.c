/*
 * configure.c - set up the kernel's end of a device, by netlink
 *
 * One request at a time, each waiting for its acknowledgement: the first that fails is
 * the one that is explained.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <weir/driver.h>

#include "drivers/error.h"
#include "drivers/link.h"

/* A request under construction: room for the longest, a route with its attributes. */
struct request {
    struct nlmsghdr header;
    uint8_t body[256];
};

static struct request request_of(uint16_t type, uint16_t flags, const void *body, size_t len)
{
    struct request r = {.header = {.nlmsg_len = (uint32_t)NLMSG_LENGTH(len),
                                   .nlmsg_type = type,
                                   .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags),
                                   .nlmsg_seq = 1}};

    memcpy(r.body, body, len);
    return r;
}

static void add_attribute(struct request *r, uint16_t type, const void *value, size_t len)
{
    uint8_t *at = (uint8_t *)r + NLMSG_ALIGN(r->header.nlmsg_len);
    struct rtattr attribute = {(unsigned short)RTA_LENGTH(len), type};

    memcpy(at, &attribute, sizeof attribute);
    memcpy(at + RTA_LENGTH(0), value, len);
    r->header.nlmsg_len = (uint32_t)(NLMSG_ALIGN(r->header.nlmsg_len) + RTA_LENGTH(len));
}

/* Sends a request and waits for its answer: 0 or an errno. */
static int ask(int fd, const struct request *r)
{
    union {
        struct nlmsghdr header;
        uint8_t bytes[4096];
    } answer;
    struct nlmsgerr result;
    ssize_t len;

    if (send(fd, r, r->header.nlmsg_len, 0) < 0)
        return errno;
    len = recv(fd, &answer, sizeof answer, 0);
    if (len < 0)
        return errno;
    if ((size_t)len < NLMSG_LENGTH(sizeof result) || answer.header.nlmsg_type != NLMSG_ERROR)
        return EPROTO;
    memcpy(&result, NLMSG_DATA(&answer.header), sizeof result);
    return -result.error;
}

static int bring_up(int fd, unsigned index, uint32_t mtu)
{
    struct ifinfomsg link = {.ifi_index = (int)index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    struct request r = request_of(RTM_NEWLINK, 0, &link, sizeof link);

    if (mtu != 0)
        add_attribute(&r, IFLA_MTU, &mtu, sizeof mtu);
    return ask(fd, &r);
}

/* A prefix as the kernel has it: its family, bytes and length. */
struct kernel_prefix {
    uint8_t family;
    uint8_t len;
    size_t size;
    const uint8_t *bytes;
};

static struct kernel_prefix kernel_prefix_of(const struct weir_prefix *prefix)
{
    if (weir_addr_is_v4(&prefix->addr) && prefix->len >= 96)
        return (struct kernel_prefix){AF_INET, (uint8_t)(prefix->len - 96), 4, prefix->addr.b + 12};
    return (struct kernel_prefix){AF_INET6, prefix->len, 16, prefix->addr.b};
}

/* An IPv6 address is usable at once: nobody but us could have the same one. */
static int add_addr(int fd, unsigned index, const struct weir_prefix *prefix)
{
    struct kernel_prefix p = kernel_prefix_of(prefix);
    struct ifaddrmsg addr = {.ifa_family = p.family,
                             .ifa_prefixlen = p.len,
                             .ifa_flags = p.family == AF_INET6 ? IFA_F_NODAD : 0,
                             .ifa_index = index};
    struct request r = request_of(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &addr, sizeof addr);

    add_attribute(&r, IFA_LOCAL, p.bytes, p.size);
    add_attribute(&r, IFA_ADDRESS, p.bytes, p.size);
    return ask(fd, &r);
}

/* Whether packets to an IPv6 address are the kernel's own: it looks up the route to it. */
static bool is_local(int fd, const struct kernel_prefix *p)
{
    union {
        struct nlmsghdr header;
        uint8_t bytes[4096];
    } answer;
    struct rtmsg route = {.rtm_family = AF_INET6, .rtm_dst_len = 128};
    struct request r = request_of(RTM_GETROUTE, 0, &route, sizeof route);
    ssize_t len;

    r.header.nlmsg_flags = NLM_F_REQUEST; /* the route is the answer */
    add_attribute(&r, RTA_DST, p->bytes, p->size);
    if (send(fd, &r, r.header.nlmsg_len, 0) < 0)
        return true;
    len = recv(fd, &answer, sizeof answer, 0);
    if (len < (ssize_t)NLMSG_LENGTH(sizeof route) || answer.header.nlmsg_type != RTM_NEWROUTE)
        return true;
    memcpy(&route, NLMSG_DATA(&answer.header), sizeof route);
    return route.rtm_type == RTN_LOCAL;
}

/*
 * The kernel makes an IPv6 address work a moment after it has accepted it. Without this the
 * first packet may be lost, and with it a second of a handshake.
 */
static void wait_for_addr(int fd, const struct weir_prefix *prefix)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    struct kernel_prefix p = kernel_prefix_of(prefix);

    for (int i = 0; i < 1000 && p.family == AF_INET6 && !is_local(fd, &p); i++)
        nanosleep(&pause, NULL);
}

/* The bits beyond the prefix are not part of a route. */
static void mask(uint8_t *bytes, size_t size, unsigned len)
{
    for (size_t i = 0; i < size; i++) {
        unsigned bits = len >= 8 * (i + 1) ? 8 : len <= 8 * i ? 0 : len - 8 * (unsigned)i;

        bytes[i] &= (uint8_t)(0xff00u >> bits);
    }
}

static int add_route(int fd, unsigned index, const struct weir_prefix *prefix)
{
    struct kernel_prefix p = kernel_prefix_of(prefix);
    struct rtmsg route = {.rtm_family = p.family,
                          .rtm_dst_len = p.len,
                          .rtm_table = RT_TABLE_MAIN,
                          .rtm_protocol = RTPROT_STATIC,
                          .rtm_scope = RT_SCOPE_LINK,
                          .rtm_type = RTN_UNICAST};
    struct request r = request_of(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &route, sizeof route);
    uint8_t destination[16];

    memcpy(destination, p.bytes, p.size);
    mask(destination, p.size, p.len);
    if (p.len > 0)
        add_attribute(&r, RTA_DST, destination, p.size);
    add_attribute(&r, RTA_OIF, &index, sizeof index);
    return ask(fd, &r);
}

/* Returns the code, having explained it: 0 if there is nothing to explain. */
static int explain(struct weir_driver_error *error, int os, const char *what, const char *name)
{
    if (os == 0)
        return 0;
    driver_error_set(
        error, driver_error_code(os), os, "Cannot give %s %s: %s.%s", name, what, strerror(os),
        os == EPERM ? " That needs CAP_NET_ADMIN: run as root or in \"unshare -Urn\"." : "");
    return driver_error_code(os);
}

static int explain_prefix(struct weir_driver_error *error, int os, const char *what,
                          const struct weir_prefix *prefix, const char *name)
{
    char text[WEIR_ADDR_TEXT], words[WEIR_ADDR_TEXT + 32];

    snprintf(words, sizeof words, "the %s %s", what, weir_prefix_text(prefix, text));
    return explain(error, os, words, name);
}

static int configure(int fd, const char *name, const struct weir_device_setup *setup,
                     struct weir_driver_error *error)
{
    unsigned index = if_nametoindex(name);
    int err = explain(error, index == 0 ? ENODEV : bring_up(fd, index, setup->mtu),
                      "a working link and its MTU", name);

    if (err == 0)
        link_wait_until_running(name);
    for (size_t i = 0; i < setup->addr_count && err == 0; i++)
        err = explain_prefix(error, add_addr(fd, index, &setup->addrs[i]), "address",
                             &setup->addrs[i], name);
    for (size_t i = 0; i < setup->addr_count && err == 0; i++)
        wait_for_addr(fd, &setup->addrs[i]);
    for (size_t i = 0; i < setup->route_count && err == 0; i++)
        err = explain_prefix(error, add_route(fd, index, &setup->routes[i]), "route",
                             &setup->routes[i], name);
    return err;
}

int weir_device_configure(const char *name, const struct weir_device_setup *setup,
                          struct weir_driver_error *error)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    int err;

    if (fd < 0)
        return explain(error, errno, "a configuration", name);
    err = configure(fd, name, setup, error);
    close(fd);
    return err;
}
