/*
 * datagrams.c - UDP over Weir: echo what comes (listen), or send and expect it back (connect)
 *
 * connect sends datagrams of many lengths up to --datagrams bytes, one after another; listen
 * echoes until it is killed.
 */
#include <stdio.h>
#include <string.h>
#include <weir/tcp.h>
#include <weir/udp.h>

#include "interop/device.h"

enum {
    LEN_MAX = 65507,
    ATTEMPTS = 5,
};

static uint8_t bytes[LEN_MAX], answer[LEN_MAX];

struct udp {
    struct weir_host *host;
    struct weir *stack;
    weir_udp_t udp;
};

static void echo_all(struct udp *u)
{
    struct weir_endpoint from;
    ptrdiff_t len;

    while ((len = weir_udp_recv(u->stack, u->udp, bytes, sizeof bytes, &from, NULL)) != WEIR_EAGAIN)
        if (len >= 0)
            weir_udp_send(u->stack, u->udp, &from, bytes, (size_t)len);
}

static int serve(struct udp *u)
{
    for (;;) {
        int err = weir_host_step(u->host, WEIR_S);

        if (err != 0)
            device_fail("device", err);
        echo_all(u);
    }
}

static bool comes_back(struct udp *u, size_t len)
{
    weir_ns_t until = weir_host_now() + WEIR_S;

    while (weir_host_now() < until) {
        ptrdiff_t got;

        weir_host_step(u->host, 100 * WEIR_MS);
        got = weir_udp_recv(u->stack, u->udp, answer, sizeof answer, NULL, NULL);
        if (got == (ptrdiff_t)len && memcmp(bytes, answer, len) == 0)
            return true;
    }
    return false;
}

static bool ask(struct udp *u, size_t len)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i * 7 + len);
    for (int i = 0; i < ATTEMPTS; i++) {
        ptrdiff_t sent = weir_udp_send(u->stack, u->udp, NULL, bytes, len);

        if (sent != (ptrdiff_t)len)
            device_fail("send", (int)sent);
        if (comes_back(u, len))
            return true;
    }
    fprintf(stderr, "a datagram of %zu bytes has not come back\n", len);
    return false;
}

static int ask_all(struct udp *u, size_t longest)
{
    size_t count = 0;

    for (size_t len = 0; len <= longest; len = len * 2 + 1, count++)
        if (!ask(u, len))
            return 1;
    if (!ask(u, longest))
        return 1;
    printf("weir: %zu datagrams came back, up to %zu bytes\n", count + 1, longest);
    return 0;
}

int main(int argc, char **argv)
{
    struct weir_endpoint endpoint, any = {0};
    struct options o;
    struct udp u;
    int err, code;

    options_parse(&o, argc, argv);
    endpoint = device_endpoint(o.endpoint);
    u.host = device_open(&o);
    u.stack = weir_host_stack(u.host);
    err = o.listens ? weir_udp_open(u.stack, &endpoint, NULL, &u.udp)
                    : weir_udp_open(u.stack, &any, &endpoint, &u.udp);
    if (err != 0)
        device_fail("UDP", err);
    printf("ready\n");
    fflush(stdout);
    code = o.listens ? serve(&u) : ask_all(&u, o.datagrams < LEN_MAX ? o.datagrams : LEN_MAX);
    weir_host_destroy(&u.host);
    return code;
}
