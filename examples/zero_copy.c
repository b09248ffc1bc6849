/*
 * zero_copy.c - send a file, and print the answer, without copying a byte
 *
 *   zero_copy ADDRESS PORT FILE
 *
 * The file is mapped into memory and lent to the stack in pieces. The stack points the device
 * at them, keeps them until they are acknowledged, and then gives each back by calling
 * "release". What is received is printed from the very buffers it arrived in.
 *
 * Run it as root or in "unshare -Urn"; the kernel's end of the device is 198.18.0.1.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <weir/host.h>
#include <weir/tcp.h>

enum {
    PIECE = 1 << 20,
};

struct transfer {
    struct weir_host *host;
    weir_conn_t conn;
    uint8_t *file;
    size_t len;
    size_t lent;     /* how far we are */
    unsigned pieces; /* that the stack still has */
    int error;
    int has_ended;
};

/* The stack is done with a piece. It must not be called from here. */
static void release(void *owner)
{
    ((struct transfer *)owner)->pieces--;
}

/* Lends piece after piece, until the send queue is full or the file is at its end. */
static void lend(struct transfer *t, struct weir *s)
{
    while (t->lent < t->len) {
        size_t len = t->len - t->lent < PIECE ? t->len - t->lent : PIECE;
        struct weir_slice slice = {t->file + t->lent, len};

        if (weir_send_lent(s, t->conn, slice, 0, release, t) < 0)
            return; /* WEIR_EVENT_WRITABLE will come, or WEIR_EVENT_CLOSED */
        t->pieces++;
        t->lent += len;
    }
    weir_shutdown(s, t->conn);
}

/* Prints what has arrived, and gives the buffers back. */
static void print(struct transfer *t, struct weir *s)
{
    struct weir_slice slices[8];
    size_t count;
    ptrdiff_t len;

    while ((len = weir_recv_lent(s, t->conn, slices, 8, &count)) > 0) {
        for (size_t i = 0; i < count; i++)
            if (fwrite(slices[i].bytes, 1, slices[i].len, stdout) != slices[i].len)
                t->error = WEIR_EPIPE;
        weir_recv_done(s, t->conn, (size_t)len);
    }
}

static void on_event(void *ctx, struct weir *s, const struct weir_event *event)
{
    struct transfer *t = ctx;

    if (event->bits & (WEIR_EVENT_CONNECTED | WEIR_EVENT_WRITABLE))
        lend(t, s);
    print(t, s);
    if (event->bits & WEIR_EVENT_CLOSED) {
        t->error = event->error;
        t->has_ended = 1;
        weir_close(s, t->conn);
    }
}

static int map_file(struct transfer *t, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;

    if (fd < 0 || fstat(fd, &status) != 0 || status.st_size == 0)
        return -1;
    t->len = (size_t)status.st_size;
    t->file = mmap(NULL, t->len, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    return t->file == MAP_FAILED ? -1 : 0;
}

/* A host with one TUN device: the kernel's end is 198.18.0.1, ours 198.18.0.2. */
static int open_host(struct weir_host **host)
{
    struct weir_prefix kernel = {weir_addr_v4(198, 18, 0, 1), 96 + 24};
    struct weir_prefix ours = {weir_addr_v4(198, 18, 0, 2), 96 + 24};
    struct weir_device_options options = {.offloads = true};
    struct weir_device_setup setup = {.addrs = &kernel, .addr_count = 1};
    struct weir_driver_error error;
    struct weir_driver *tun = weir_tun_open(&options, &error);
    struct weir_config config;
    weir_netif_t netif;

    if (tun == NULL || weir_device_configure(tun->name, &setup, &error) != 0) {
        fprintf(stderr, "%s\n", error.text);
        return -1;
    }
    weir_host_config(&config);
    if (weir_host_create(&config, host) != 0)
        return -1;
    if (weir_host_attach(*host, &tun, &netif) != 0)
        return -1;
    return weir_addr_add(weir_host_stack(*host), netif, &ours);
}

int main(int argc, char **argv)
{
    struct transfer t = {0};
    struct weir_endpoint remote = {0};
    int err;

    if (argc != 4 || weir_addr_parse(argv[1], &remote.addr) != 0) {
        fprintf(stderr, "usage: zero_copy ADDRESS PORT FILE\n");
        return 2;
    }
    remote.port = (uint16_t)atoi(argv[2]);
    if (map_file(&t, argv[3]) != 0) {
        perror(argv[3]);
        return 1;
    }
    if (open_host(&t.host) != 0)
        return 1;
    weir_host_set_events(t.host, on_event, &t);
    err = weir_connect(weir_host_stack(t.host), NULL, &remote, &t.conn);
    while (err == 0 && !t.has_ended)
        err = weir_host_step(t.host, WEIR_NEVER);
    weir_host_step(t.host, 0); /* the last acknowledgement is still to be sent */

    /* The stack gives back what it has before it ends; then the file may go. */
    weir_host_destroy(&t.host);
    munmap(t.file, t.len);
    if (err == 0)
        err = t.error;
    if (err != 0 || t.pieces != 0)
        fprintf(stderr, "%s, %u pieces not given back\n", weir_err_text(err), t.pieces);
    return err != 0 || t.pieces != 0;
}
