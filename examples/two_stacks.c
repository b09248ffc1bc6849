/*
 * two_stacks.c - two stacks talk to each other in memory
 *
 * No driver, no device, no clock: the program itself carries the frames from one stack to
 * the other and decides what time it is. That is all that the library needs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static void must(int err, const char *what)
{
    if (err == 0)
        return;
    fprintf(stderr, "%s: %s\n", what, weir_err_text(err));
    exit(1);
}

/* A stack with one interface, whose frames are IP packets, and the address 198.18.0.NUMBER. */
static struct weir *make_stack(uint8_t number, weir_netif_t *netif)
{
    struct weir_netif_config link = {.name = "wire", .link = WEIR_LINK_IP, .mtu = 1500};
    struct weir_prefix addr = {weir_addr_v4(198, 18, 0, number), 96 + 24};
    struct weir_config config;
    struct weir *stack;

    weir_config_init(&config);
    config.allocator = (struct weir_allocator){take_memory, give_memory, NULL};
    config.secret[0] = number; /* a real program draws all 32 bytes at random */
    must(weir_create(&config, 0, &stack), "create");
    must(weir_netif_add(stack, &link, netif), "interface");
    must(weir_addr_add(stack, *netif, &addr), "address");
    return stack;
}

/* Carries what one stack has to send to the other; returns how many frames there were. */
static size_t carry(struct weir *from, weir_netif_t out, struct weir *to, weir_netif_t in)
{
    struct weir_frame *frames[16];
    size_t count = weir_output(from, out, frames, 16);

    for (size_t i = 0; i < count; i++) {
        struct weir_frame lent = *frames[i]; /* the same bytes, lent for the call */
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
    static const char question[] = "who is there?", answer[] = "a weir";
    weir_listener_t listener;
    weir_conn_t asking, asked = 0;
    char text[64];
    size_t frames = 0;
    ptrdiff_t len = WEIR_EAGAIN;

    must(weir_listen(server, &at, 1, &listener), "listen");
    must(weir_connect(client, NULL, &at, &asking), "connect");
    weir_send(client, asking, question, strlen(question), 0); /* waits for the handshake */

    for (weir_ns_t now = 0; now < 10 * WEIR_S; now += WEIR_MS) { /* a wire of one millisecond */
        weir_advance(client, now);
        weir_advance(server, now);
        frames += carry(client, client_netif, server, server_netif);
        frames += carry(server, server_netif, client, client_netif);

        if (asked == 0 && weir_accept(server, listener, &asked) != 0)
            continue;
        len = weir_recv(server, asked, text, sizeof text);
        if (len > 0) {
            printf("%2d ms  server hears: %.*s\n", (int)(now / WEIR_MS), (int)len, text);
            weir_send(server, asked, answer, strlen(answer), 0);
            weir_shutdown(server, asked);
        }
        len = weir_recv(client, asking, text, sizeof text);
        if (len > 0)
            printf("%2d ms  client hears: %.*s\n", (int)(now / WEIR_MS), (int)len, text);
        if (len == 0)
            break; /* the server has closed its side, and all of it has been read */
    }
    printf("%zu frames\n", frames);
    weir_destroy(&client);
    weir_destroy(&server);
    return len != 0;
}
