/*
 * own_driver.c - an application's own driver and event loop
 *
 * Two processes, each with a stack, are joined by a pair of datagram sockets: a packet is a
 * datagram. That is what a VPN or a sandbox does. The driver is forty lines, and so is the loop,
 * which any program with an event loop of its own has already: wait for the descriptor or
 * the deadline, put frames in, look at events, take frames out.
 *
 * The child asks for a million bytes and counts them; the parent sends them.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <weir/driver.h>
#include <weir/host.h>
#include <weir/tcp.h>

enum {
    BATCH = 32,
    MTU = 1500,
    TOTAL = 1000000,
};

/* ---- the driver ---- */

struct pipe_driver {
    struct weir_driver driver; /* the first member: a pointer to one is a pointer to both */
    uint8_t buffers[BATCH][MTU];
};

/* The frames point into our buffers, which are valid until the next receive. */
static ptrdiff_t pipe_receive(struct weir_driver *d, struct weir_frame *frames, size_t max)
{
    struct pipe_driver *p = (struct pipe_driver *)d;
    size_t count = 0;

    while (count < max && count < BATCH) {
        ssize_t len = recv(d->fd, p->buffers[count], MTU, MSG_DONTWAIT);
        if (len <= 0)
            break;
        frames[count] = (struct weir_frame){
            .slices = {{p->buffers[count], (size_t)len}}, .slice_count = 1, .len = (size_t)len};
        count++;
    }
    return (ptrdiff_t)count;
}

/* A frame is a list of slices, headers and borrowed data; sendmsg takes such lists as they are. */
static ptrdiff_t pipe_transmit(struct weir_driver *d, struct weir_frame **frames, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct iovec parts[WEIR_FRAME_SLICES];
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = frames[i]->slice_count};

        for (size_t k = 0; k < frames[i]->slice_count; k++)
            parts[k] = (struct iovec){frames[i]->slices[k].bytes, frames[i]->slices[k].len};
        if (sendmsg(d->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
            return errno == EAGAIN || errno == ENOBUFS ? (ptrdiff_t)i : WEIR_EPIPE;
        d->done(d->done_ctx, &frames[i], 1);
    }
    return (ptrdiff_t)count;
}

static void pipe_close(struct weir_driver **d)
{
    close((*d)->fd);
    free(*d);
    *d = NULL;
}

static struct weir_driver *pipe_open(int fd)
{
    static const struct weir_driver_ops ops = {pipe_receive, pipe_transmit, pipe_close};
    struct pipe_driver *p = calloc(1, sizeof *p);

    if (p == NULL)
        return NULL;
    p->driver.ops = &ops;
    p->driver.fd = fd;
    p->driver.netif = (struct weir_netif_config){.name = "pipe", .link = WEIR_LINK_IP, .mtu = MTU};
    return &p->driver;
}

/* ---- the event loop ---- */

struct loop {
    struct weir *stack;
    struct weir_driver *driver;
    weir_netif_t netif;
    struct weir_frame *waiting[BATCH]; /* that the driver has not taken yet */
    size_t waiting_count;
};

static weir_ns_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (weir_ns_t)t.tv_sec * WEIR_S + t.tv_nsec;
}

static void on_done(void *ctx, struct weir_frame **frames, size_t count)
{
    weir_output_done(((struct loop *)ctx)->stack, frames, count);
}

/* Sends what there is, as far as the driver takes it. */
static int flush(struct loop *l)
{
    for (;;) {
        ptrdiff_t taken;

        if (l->waiting_count == 0)
            l->waiting_count = weir_output(l->stack, l->netif, l->waiting, BATCH);
        if (l->waiting_count == 0)
            return 0;
        taken = l->driver->ops->transmit(l->driver, l->waiting, l->waiting_count);
        if (taken < 0)
            return -1;
        l->waiting_count -= (size_t)taken;
        memmove(l->waiting, l->waiting + taken, l->waiting_count * sizeof l->waiting[0]);
        if (l->waiting_count > 0)
            return 0; /* the socket is full: poll will say when it is not */
    }
}

/* One round: wait for a frame or for the deadline, and take it in. */
static void wait_and_take(struct loop *l)
{
    struct pollfd p = {.fd = l->driver->fd, .events = POLLIN};
    struct weir_frame frames[BATCH];
    weir_ns_t wait_ns = weir_deadline(l->stack) - now();
    ptrdiff_t count;

    if (l->waiting_count > 0)
        p.events |= POLLOUT;
    if (wait_ns > WEIR_S)
        wait_ns = WEIR_S;
    poll(&p, 1, wait_ns > 0 ? (int)((wait_ns + WEIR_MS - 1) / WEIR_MS) : 0);
    weir_advance(l->stack, now());
    count = l->driver->ops->receive(l->driver, frames, BATCH);
    if (count > 0)
        weir_input(l->stack, l->netif, frames, (size_t)count);
}

static int open_loop(struct loop *l, int fd, uint8_t number)
{
    struct weir_prefix addr = {weir_addr_v4(198, 18, 0, number), 96 + 24};
    struct weir_config config;

    weir_host_config(&config); /* the defaults, a random secret, and malloc */
    l->driver = pipe_open(fd);
    if (l->driver == NULL || weir_create(&config, now(), &l->stack) != 0)
        return -1;
    l->driver->done = on_done;
    l->driver->done_ctx = l;
    if (weir_netif_add(l->stack, &l->driver->netif, &l->netif) != 0)
        return -1;
    return weir_addr_add(l->stack, l->netif, &addr);
}

/* Frames that were never sent go back before the stack ends. */
static void close_loop(struct loop *l)
{
    weir_output_done(l->stack, l->waiting, l->waiting_count);
    weir_destroy(&l->stack);
    l->driver->ops->close(&l->driver);
}

/* ---- the application ---- */

static int ask(int fd)
{
    static uint8_t bytes[65536];
    struct weir_endpoint server = {.addr = weir_addr_v4(198, 18, 0, 1), .port = 7};
    struct loop l = {0};
    size_t received = 0;
    ptrdiff_t len = WEIR_EAGAIN;
    weir_conn_t conn;

    if (open_loop(&l, fd, 2) != 0 || weir_connect(l.stack, NULL, &server, &conn) != 0)
        return 1;
    weir_shutdown(l.stack, conn); /* we have nothing to say */
    while (len == WEIR_EAGAIN && flush(&l) == 0) {
        wait_and_take(&l);
        while ((len = weir_recv(l.stack, conn, bytes, sizeof bytes)) > 0)
            received += (size_t)len;
    }
    weir_close(l.stack, conn);
    flush(&l);
    close_loop(&l);
    printf("received %zu bytes\n", received);
    return len == 0 && received == TOTAL ? 0 : 1;
}

static int answer(int fd)
{
    static uint8_t bytes[65536];
    struct weir_endpoint here = {.port = 7};
    struct loop l = {0};
    struct weir_event event;
    weir_listener_t listener;
    weir_conn_t conn = 0;
    size_t sent = 0;
    int has_ended = 0;

    if (open_loop(&l, fd, 1) != 0 || weir_listen(l.stack, &here, 1, &listener) != 0)
        return 1;
    while (!has_ended && flush(&l) == 0) {
        wait_and_take(&l);
        while (weir_event(l.stack, &event))
            has_ended = has_ended || (event.bits & WEIR_EVENT_CLOSED);
        if (conn == 0 && weir_accept(l.stack, listener, &conn) != 0)
            continue;
        while (sent < TOTAL) {
            size_t left = TOTAL - sent;
            ptrdiff_t len =
                weir_send(l.stack, conn, bytes, left < sizeof bytes ? left : sizeof bytes, 0);
            if (len < 0)
                break;
            sent += (size_t)len;
        }
        if (sent == TOTAL)
            weir_shutdown(l.stack, conn);
    }
    flush(&l);
    close_loop(&l);
    return sent == TOTAL ? 0 : 1;
}

int main(void)
{
    int pair[2], status, failed;
    pid_t child;

    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) != 0)
        return 1;
    child = fork();
    if (child < 0)
        return 1;
    if (child == 0) {
        close(pair[0]);
        failed = ask(pair[1]);
        fflush(stdout);
        _exit(failed);
    }
    close(pair[1]);
    failed = answer(pair[0]);
    return waitpid(child, &status, 0) != child || status != 0 || failed;
}
