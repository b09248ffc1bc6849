/*
 * app.c - the least that uses TCP: what its link takes in is what a small device needs
 */
#include <weir/tcp.h>

#include "stack/stack.h"

/* Their sizes are read from the object. */
extern char size_of_conn[], size_of_work[], size_of_timewait[], size_of_stack[];
char size_of_conn[sizeof(struct conn)];
char size_of_work[sizeof(struct tcp_work)];
char size_of_timewait[sizeof(struct timewait)];
char size_of_stack[sizeof(struct weir)];

static struct weir_arena arena;
static uint8_t memory[32 * 1024];

void app(struct weir_frame *in, struct weir_frame **out, uint8_t *bytes, size_t len);

void app(struct weir_frame *in, struct weir_frame **out, uint8_t *bytes, size_t len)
{
    struct weir_endpoint at = {.addr = weir_addr_v4(198, 18, 0, 1), .port = 80};
    struct weir_prefix prefix = {.addr = at.addr, .len = 96 + 24};
    struct weir_netif_config netif = {.link = WEIR_LINK_ETHERNET, .mtu = 1500};
    struct weir_config config;
    struct weir_event event;
    struct weir *s;
    weir_netif_t id;
    weir_handle_t handle;

    weir_config_init(&config);
    config.allocator = weir_arena_init(&arena, memory, sizeof memory);
    (void)weir_create(&config, 0, &s);
    (void)weir_netif_add(s, &netif, &id);
    (void)weir_addr_add(s, id, &prefix);
    (void)weir_route_add(s, &prefix, &at.addr, id);
    (void)weir_listen(s, &at, 4, &handle);
    (void)weir_connect(s, NULL, &at, &handle);
    while (weir_event(s, &event)) {
        (void)weir_accept(s, handle, &handle);
        (void)weir_set(s, handle, WEIR_OPT_NODELAY, 1);
        (void)weir_recv(s, handle, bytes, len);
        (void)weir_send(s, handle, bytes, len, 0);
        (void)weir_shutdown(s, handle);
        (void)weir_close(s, handle);
    }
    weir_input(s, id, in, 1);
    weir_advance(s, weir_deadline(s));
    weir_output_done(s, out, weir_output(s, id, out, 1));
}
