/*
 * fake_clock.c - two hours of retransmissions in a few milliseconds
 *
 * The library knows only the time it is told. Here a connection is made, the wire is cut, and
 * the client sends a byte that nobody will ever acknowledge: it goes once, once more to ask what
 * became of it (RFC 8985, 7), and then 70 times. Instead of waiting, the program asks for the next
 * deadline and declares that it has come.
 */
#include <stdio.h>
#include <stdlib.h>
#include <weir/tcp.h>

static void *take_memory(void *ctx, size_t size, size_t align)
{
    (void)ctx;
    return aligned_alloc(align, (size + align - 1) / align * align);
}

static void give_memory(void *ctx, void *memory, size_t size)
{
    (void)ctx;
    (void)size;
    free(memory);
}

/* A stack that gives a connection up after 70 retransmissions, and its interface. */
static struct weir *make_stack(uint8_t number, weir_netif_t *netif)
{
    struct weir_netif_config link = {.name = "wire", .link = WEIR_LINK_IP, .mtu = 1500};
    struct weir_prefix addr = {weir_addr_v4(198, 18, 0, number), 96 + 24};
    struct weir_config config;
    struct weir *stack;

    weir_config_init(&config);
    config.allocator = (struct weir_allocator){take_memory, give_memory, NULL};
    config.secret[0] = number;
    config.tcp.retries2 = 70;
    if (weir_create(&config, 0, &stack) != 0 || weir_netif_add(stack, &link, netif) != 0
        || weir_addr_add(stack, *netif, &addr) != 0)
        exit(1);
    return stack;
}

/* Takes what a stack has to send, and gives it to the other one, if the wire is whole. */
static size_t carry(struct weir *from, weir_netif_t out, struct weir *to, weir_netif_t in)
{
    struct weir_frame *frames[16];
    size_t count = weir_output(from, out, frames, 16);

    for (size_t i = 0; to != NULL && i < count; i++) {
        struct weir_frame lent = *frames[i];
        lent.release = NULL;
        weir_input(to, in, &lent, 1);
    }
    weir_output_done(from, frames, count);
    return count;
}

int main(void)
{
    weir_netif_t client_netif, server_netif;
    struct weir *client = make_stack(1, &client_netif), *server = make_stack(2, &server_netif);
    struct weir_endpoint at = {.addr = weir_addr_v4(198, 18, 0, 2), .port = 80};
    struct weir_event event = {0};
    weir_listener_t listener;
    weir_conn_t conn;
    weir_ns_t now = 0;
    unsigned sent = 0;

    if (weir_listen(server, &at, 1, &listener) != 0 || weir_connect(client, NULL, &at, &conn) != 0)
        return 1;
    while (carry(client, client_netif, server, server_netif)
           + carry(server, server_netif, client, client_netif))
        ; /* the handshake takes no time at all */

    weir_send(client, conn, "!", 1, 0);
    for (;;) {
        if (carry(client, client_netif, NULL, 0) > 0) /* the wire is cut */
            printf("%9.3f s  sent for the %u. time\n", (double)now / 1e9, ++sent);
        while (weir_event(client, &event) && !(event.bits & WEIR_EVENT_CLOSED))
            ;
        if (event.bits & WEIR_EVENT_CLOSED)
            break;
        now = weir_deadline(client);
        if (now == WEIR_NEVER)
            return 1;
        weir_advance(client, now);
    }
    printf("%9.3f s  given up: %s\n", (double)now / 1e9, weir_err_text(event.error));

    weir_destroy(&client);
    weir_destroy(&server);
    return event.error == WEIR_ETIMEDOUT && sent == 72 && now > 7200 * WEIR_S ? 0 : 1;
}
