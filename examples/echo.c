/*
 * echo.c - an echo server on a TCP/IP stack of its own: the smallest whole
 * Run it as root or in "unshare -Urn", and talk to it: nc 198.18.0.2 7
 */
#include <stdio.h>
#include <weir/host.h>
#include <weir/tcp.h>

/* Sends back what has arrived; what the send queue does not take stays in the receive queue. */
static void echo(struct weir *s, weir_conn_t conn)
{
    struct weir_slice slice;
    size_t count;
    ptrdiff_t len, sent;

    while ((len = weir_recv_lent(s, conn, &slice, 1, &count)) > 0) {
        if ((sent = weir_send(s, conn, slice.bytes, slice.len, 0)) <= 0)
            return; /* an event will say when there is room */
        weir_recv_done(s, conn, (size_t)sent);
    }
    if (len == 0) /* the peer has closed, and has heard everything back */
        weir_close(s, conn);
}

static void on_event(void *ctx, struct weir *s, const struct weir_event *event)
{
    const weir_listener_t *listener = ctx;
    weir_conn_t conn;

    while (event->handle == *listener && weir_accept(s, *listener, &conn) == 0)
        echo(s, conn);
    if (event->bits & (WEIR_EVENT_READABLE | WEIR_EVENT_WRITABLE))
        echo(s, event->handle);
    if (event->bits & WEIR_EVENT_CLOSED)
        weir_close(s, event->handle);
}

int main(void)
{
    struct weir_prefix kernel = {weir_addr_v4(198, 18, 0, 1), 96 + 24};
    struct weir_prefix ours = {weir_addr_v4(198, 18, 0, 2), 96 + 24};
    struct weir_device_setup setup = {.addrs = &kernel, .addr_count = 1};
    struct weir_driver_error error;
    struct weir_driver *tun = weir_tun_open(&(struct weir_device_options){0}, &error);
    struct weir_config config;
    struct weir_host *host;
    weir_listener_t listener;
    weir_netif_t netif;

    if (tun == NULL || weir_device_configure(tun->name, &setup, &error) != 0)
        return fprintf(stderr, "%s\n", error.text) > 0;
    weir_host_config(&config);
    if (weir_host_create(&config, &host) != 0 || weir_host_attach(host, &tun, &netif) != 0
        || weir_addr_add(weir_host_stack(host), netif, &ours) != 0
        || weir_listen(weir_host_stack(host), &(struct weir_endpoint){.port = 7}, 16, &listener))
        return 1;
    weir_host_set_events(host, on_event, &listener);
    return weir_host_run(host) != 0;
}
