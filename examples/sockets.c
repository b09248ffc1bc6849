/*
 * sockets.c - a client and a server that know sockets, in two threads of one program
 *
 * The stack has only a loopback interface here; with a driver (see echo.c) the same calls reach
 * the world. One thread runs the host, the others use the sockets and may block.
 */
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/host.h>
#include <weir/posix.h>

static struct weir_posix *px;
static struct sockaddr_in at = {.sin_family = AF_INET};

static void must(int err, const char *what)
{
    if (err == 0)
        return;
    fprintf(stderr, "%s: %s\n", what, weir_err_text(err));
    exit(1);
}

static int check(int result, const char *what)
{
    if (result < 0) {
        perror(what);
        exit(1);
    }
    return result;
}

/* A host whose stack has the address 127.0.0.1, and sockets over it. */
static struct weir_host *make_host(void)
{
    struct weir_netif_config lo = {
        .name = "lo", .link = WEIR_LINK_IP, .mtu = 65535, .loopback = true};
    struct weir_prefix addr = {weir_addr_v4(127, 0, 0, 1), 96 + 8};
    struct weir_px_config sockets;
    struct weir_config config;
    struct weir_host *host;

    weir_host_config(&config);
    weir_px_config_init(&sockets);
    must(weir_host_create(&config, &host), "host");
    must(weir_netif_add(weir_host_stack(host), &lo, &sockets.loopback), "interface");
    must(weir_addr_add(weir_host_stack(host), sockets.loopback, &addr), "address");
    must(weir_px_create_on_host(host, &sockets, &px), "sockets");
    return host;
}

static void *run_host(void *host)
{
    weir_host_run(host);
    return NULL;
}

static void *serve(void *ctx)
{
    int listener = *(int *)ctx, fd;
    char text[64];
    ssize_t len;

    fd = check(weir_px_accept(px, listener, NULL, NULL), "accept");
    len = weir_px_recv(px, fd, text, sizeof text, 0); /* waits for the question */
    printf("server hears: %.*s\n", (int)len, text);
    weir_px_send(px, fd, "a weir", 6, 0);
    weir_px_close(px, fd);
    return NULL;
}

int main(void)
{
    struct weir_host *host = make_host();
    int listener = check(weir_px_socket(px, AF_INET, SOCK_STREAM, 0), "socket"), fd;
    pthread_t host_thread, server;
    socklen_t at_len = sizeof at;
    char text[64];
    ssize_t len;

    pthread_create(&host_thread, NULL, run_host, host);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check(weir_px_bind(px, listener, (struct sockaddr *)&at, sizeof at), "bind");
    check(weir_px_listen(px, listener, 1), "listen");
    check(weir_px_getsockname(px, listener, (struct sockaddr *)&at, &at_len), "getsockname");
    pthread_create(&server, NULL, serve, &listener);

    fd = check(weir_px_socket(px, AF_INET, SOCK_STREAM, 0), "socket");
    check(weir_px_connect(px, fd, (struct sockaddr *)&at, sizeof at), "connect");
    weir_px_send(px, fd, "who is there?", 13, 0);
    len = weir_px_recv(px, fd, text, sizeof text, MSG_WAITALL); /* until the server closes */
    printf("client hears: %.*s\n", (int)len, text);

    pthread_join(server, NULL);
    weir_host_stop(host);
    pthread_join(host_thread, NULL);
    weir_px_destroy(&px);
    weir_host_destroy(&host);
    return len != 6;
}
