/*
 * urgent.c - urgent data over Weir, both ways
 *
 * Accepts a connection, reads to its end, and says how many bytes came and up to which one
 * they were urgent; then sends "calm", "HURRY" as urgent, and "calm again".
 */
#include <stdio.h>
#include <string.h>
#include <weir/tcp.h>

#include "interop/device.h"

struct urgent {
    weir_listener_t listener;
    weir_conn_t conn;
    size_t received, urgent_end;
    uint32_t told; /* WEIR_EVENT_URGENT */
    bool answered, over;
    int err;
};

static void answer(struct urgent *u, struct weir *s)
{
    u->answered = true;
    weir_send(s, u->conn, "calm", 4, 0);
    weir_send(s, u->conn, "HURRY", 5, WEIR_SEND_URGENT);
    weir_send(s, u->conn, "calm again", 10, 0);
    weir_shutdown(s, u->conn);
}

static void receive(struct urgent *u, struct weir *s)
{
    ptrdiff_t len = 1;

    while (len > 0) {
        char byte;
        ptrdiff_t ahead = weir_urgent(s, u->conn);

        if (ahead > 0)
            u->urgent_end = u->received + (size_t)ahead;
        len = weir_recv(s, u->conn, &byte, 1);
        if (len > 0)
            u->received++;
    }
    if (len == 0 && !u->answered)
        answer(u, s);
}

static void on_event(void *ctx, struct weir *s, const struct weir_event *event)
{
    struct urgent *u = ctx;

    if (event->bits & WEIR_EVENT_ACCEPTABLE)
        weir_accept(s, u->listener, &u->conn);
    u->told += (event->bits & WEIR_EVENT_URGENT) != 0;
    if (u->conn != 0)
        receive(u, s);
    if (event->bits & WEIR_EVENT_CLOSED) {
        u->over = true;
        u->err = event->error;
    }
}

int main(int argc, char **argv)
{
    struct weir_endpoint endpoint;
    struct urgent u = {0};
    struct weir_host *host;
    struct options o;
    weir_ns_t until;
    int err;

    options_parse(&o, argc, argv);
    endpoint = device_endpoint(o.endpoint);
    host = device_open(&o);
    weir_host_set_events(host, on_event, &u);
    err = weir_listen(weir_host_stack(host), &endpoint, 1, &u.listener);
    if (err != 0)
        device_fail("listen", err);
    printf("ready\n");
    fflush(stdout);
    until = weir_host_now() + o.timeout_s * WEIR_S;
    while (!u.over && weir_host_now() < until)
        weir_host_step(host, 100 * WEIR_MS);
    printf("weir: %zu bytes, urgent up to byte %zu, told %s\n", u.received, u.urgent_end,
           u.told > 0 ? "so" : "nothing");
    weir_host_destroy(&host);
    return u.over && u.err == 0 ? 0 : 1;
}
