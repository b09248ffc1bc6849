/*
 * device.c - a host with a stack on a TUN or TAP device, as the options say
 */
#include "interop/device.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/libcrypto.h"

void device_fail(const char *what, int err)
{
    fprintf(stderr, "%s: %s\n", what, weir_err_text(err));
    exit(1);
}

static void check(const char *what, int err)
{
    if (err != 0)
        device_fail(what, err);
}

static struct weir_prefix prefix(const char *text)
{
    struct weir_prefix p;

    check(text, weir_prefix_parse(text, &p));
    return p;
}

struct weir_endpoint device_endpoint(const char *text)
{
    struct weir_endpoint e;

    check(text, weir_endpoint_parse(text, &e));
    return e;
}

static struct weir_driver *open_driver(const struct options *o)
{
    const struct weir_device_options options = {
        .name = o->device, .mtu = o->mtu, .offloads = !o->no_offload};
    struct weir_driver_error error;
    struct weir_driver *d =
        o->tap ? weir_tap_open(&options, &error) : weir_tun_open(&options, &error);

    if (d == NULL) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    return d;
}

static void configure(const struct options *o, const char *name)
{
    struct weir_prefix addrs[OPTIONS_ADDRS];
    const struct weir_device_setup setup = {
        .addrs = addrs, .addr_count = o->peer_count, .mtu = o->mtu};
    struct weir_driver_error error;

    for (uint32_t i = 0; i < o->peer_count; i++)
        addrs[i] = prefix(o->peer[i]);
    if (weir_device_configure(name, &setup, &error) != 0) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
}

static bool has_tentative(const struct weir *s)
{
    struct weir_addr_info info;

    for (size_t i = 0; weir_addr_at(s, i, &info); i++) {
        if (info.state == WEIR_ADDR_TENTATIVE)
            return true;
    }
    return false;
}

static void add_gateway(struct weir *s, const char *text, weir_netif_t netif)
{
    struct weir_prefix gateway = prefix(text), everybody = {.len = 0};

    if (weir_addr_is_v4(&gateway.addr))
        everybody = prefix("0.0.0.0/0");
    check(text, weir_route_add(s, &everybody, &gateway.addr, netif));
}

struct weir_host *device_open(const struct options *o)
{
    struct weir_driver *driver = open_driver(o);
    struct weir_config config;
    struct weir_host *host;
    weir_ns_t begin = weir_host_now();
    weir_netif_t netif;

    configure(o, driver->name);
    weir_host_config(&config);
    config.crypto = libcrypto();
    if (o->ecn > 0)
        config.tcp.ecn = (enum weir_ecn)(o->ecn - 1);
    if (o->syn_queue > 0)
        config.syn_queue = o->syn_queue;
    check("stack", weir_host_create(&config, &host));
    check("device", weir_host_attach(host, &driver, &netif));
    for (uint32_t i = 0; i < o->own_count; i++) {
        struct weir_prefix p = prefix(o->own[i]);
        check(o->own[i], weir_addr_add(weir_host_stack(host), netif, &p));
    }
    for (uint32_t i = 0; i < o->gateway_count; i++)
        add_gateway(weir_host_stack(host), o->gateway[i], netif);
    while (has_tentative(weir_host_stack(host)) && weir_host_now() - begin < 5 * WEIR_S)
        check("device", weir_host_step(host, 10 * WEIR_MS));
    return host;
}
