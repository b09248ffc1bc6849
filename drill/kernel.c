/*
 * kernel.c - the host's kernel as a target: behind a TUN device, in real time
 *
 * Packets are stamped when they are read, so whoever waits reads. A call that may block is made
 * by a thread; it counts as waiting when it has not ended after two milliseconds.
 */
#include "drill/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <time.h>
#include <unistd.h>
#include <weir/driver.h>

/* How long a call may take that does not block, and how often one that does is looked at. */
#define SOON_NS (2 * WEIR_MS)
#define LIMIT_NS (600 * WEIR_S)
#define PATIENCE_NS (2 * WEIR_S)

enum {
    FRAMES_MAX = 32,
    TEXT_MAX = 160,
    CALL_S = 10, /* no call takes longer */
};

struct packet {
    struct packet *next;
    weir_ns_t at;
    size_t len;
    uint8_t bytes[];
};

struct kernel {
    struct weir_driver *tun;
    struct packet *packets, **last_packet;
    char problem[TEXT_MAX];
    char congestion_control[16]; /* for sockets, where a namespace must not choose its own */

    pthread_t second;
    pthread_mutex_t mutex;
    bool is_running; /* there is a second thread */
    bool is_over;    /* its work is done */
    void (*work)(void *arg);
    void *work_arg;
};

/* ---- time and packets ---- */

static weir_ns_t kernel_now(void *t)
{
    struct timespec ts;

    (void)t;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * WEIR_S + ts.tv_nsec;
}

static void keep(struct kernel *k, const struct weir_frame *frame)
{
    struct packet *packet = malloc(sizeof *packet + frame->len);
    size_t len = 0;

    if (packet == NULL)
        return; /* as if it was lost */
    for (size_t i = 0; i < frame->slice_count; i++) {
        memcpy(packet->bytes + len, frame->slices[i].bytes, frame->slices[i].len);
        len += frame->slices[i].len;
    }
    packet->at = kernel_now(k);
    packet->len = len;
    packet->next = NULL;
    *k->last_packet = packet;
    k->last_packet = &packet->next;
}

static void read_packets(struct kernel *k)
{
    struct weir_frame frames[FRAMES_MAX];
    ptrdiff_t count;

    while ((count = k->tun->ops->receive(k->tun, frames, FRAMES_MAX)) > 0) {
        for (ptrdiff_t i = 0; i < count; i++) {
            keep(k, &frames[i]);
            if (frames[i].release != NULL)
                frames[i].release(frames[i].owner);
        }
    }
}

/* Waits for packets, at the longest until the time given, and keeps what comes. */
static void wait_for_packets(struct kernel *k, weir_ns_t until)
{
    struct pollfd fd = {.fd = k->tun->fd, .events = POLLIN};
    weir_ns_t ns = until - kernel_now(k);
    struct timespec ts = {.tv_sec = 0};

    if (ns > 0)
        ts = (struct timespec){(time_t)(ns / WEIR_S), (long)(ns % WEIR_S)};
    if (ppoll(&fd, 1, &ts, NULL) > 0)
        read_packets(k);
}

/* Comes before every call; one that would block for ever is ended by the alarm. */
static void kernel_sleep_until(void *t, weir_ns_t until)
{
    (void)alarm(CALL_S);
    while (kernel_now(t) < until)
        wait_for_packets(t, until);
}

static void no_done(void *ctx, struct weir_frame **frames, size_t count)
{
    (void)ctx;
    (void)frames;
    (void)count;
}

static bool kernel_inject(void *t, const uint8_t *bytes, size_t len)
{
    struct kernel *k = t;
    union {
        const uint8_t *read_only;
        uint8_t *bytes;
    } u = {bytes}; /* a driver does not change what it sends */
    struct weir_frame frame = {.slices = {{u.bytes, len}}, .len = len, .slice_count = 1};
    struct weir_frame *frames = &frame;

    return k->tun->ops->transmit(k->tun, &frames, 1) == 1;
}

static size_t kernel_receive(void *t, uint8_t *bytes, size_t room, weir_ns_t until, weir_ns_t *at)
{
    struct kernel *k = t;
    weir_ns_t last = kernel_now(k) + LIMIT_NS;
    struct packet *packet;
    size_t len;

    if (until < last)
        last = until;
    read_packets(k);
    while (k->packets == NULL && kernel_now(k) < last)
        wait_for_packets(k, last);
    packet = k->packets;
    if (packet == NULL)
        return 0;
    k->packets = packet->next;
    if (k->packets == NULL)
        k->last_packet = &k->packets;
    len = packet->len < room ? packet->len : room;
    memcpy(bytes, packet->bytes, len);
    *at = packet->at;
    free(packet);
    return len;
}

/* ---- calls that block ---- */

static bool is_over(struct kernel *k)
{
    bool over;

    (void)pthread_mutex_lock(&k->mutex);
    over = k->is_over;
    (void)pthread_mutex_unlock(&k->mutex);
    return over;
}

static void *run_work(void *ctx)
{
    struct kernel *k = ctx;

    k->work(k->work_arg);
    (void)pthread_mutex_lock(&k->mutex);
    k->is_over = true;
    (void)pthread_mutex_unlock(&k->mutex);
    return NULL;
}

/* Looks every now and then, and keeps what packets come meanwhile. */
static void wait_for_work(struct kernel *k, weir_ns_t until)
{
    while (!is_over(k) && kernel_now(k) < until) {
        weir_ns_t next = kernel_now(k) + SOON_NS / 10;

        wait_for_packets(k, next < until ? next : until);
    }
}

static bool kernel_start(void *t, void (*work)(void *arg), void *arg)
{
    struct kernel *k = t;

    k->work = work;
    k->work_arg = arg;
    k->is_over = false;
    k->is_running = pthread_create(&k->second, NULL, run_work, k) == 0;
    if (k->is_running)
        wait_for_work(k, kernel_now(k) + SOON_NS);
    return k->is_running;
}

static bool kernel_finish(void *t, weir_ns_t until)
{
    struct kernel *k = t;

    if (!k->is_running)
        return true;
    wait_for_work(k, until);
    if (!is_over(k))
        return false;
    (void)pthread_join(k->second, NULL);
    k->is_running = false;
    return true;
}

static void kernel_cancel(void *t)
{
    struct kernel *k = t;
    while (k->is_running && !kernel_finish(k, kernel_now(k) + SOON_NS))
        (void)pthread_kill(k->second, SIGUSR1);
}

/* ---- calls ---- */

#define HAND_ON(result, name, parameters, ...)                                                     \
    static result call_##name parameters                                                           \
    {                                                                                              \
        (void)t;                                                                                   \
        return name(__VA_ARGS__);                                                                  \
    }

DRILL_CALLS_PLAIN(HAND_ON)
DRILL_CALLS_OF_WORLD(HAND_ON)
DRILL_CALLS_OF_PACKETDRILL(HAND_ON)

static int call_socket(void *t, int domain, int type, int protocol)
{
    const struct kernel *k = t;
    int fd = socket(domain, type, protocol);

    if (fd >= 0 && k->congestion_control[0] != '\0')
        (void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, k->congestion_control,
                         (socklen_t)strlen(k->congestion_control));
    return fd;
}

static int call_epoll_create(void *t)
{
    (void)t;
    return epoll_create1(EPOLL_CLOEXEC);
}

static int call_pipe(void *t, int fds[2])
{
    (void)t;
    return pipe2(fds, O_CLOEXEC);
}

static int call_open(void *t, const char *path, int flags)
{
    (void)t;
    return open(path, flags | O_CLOEXEC, 0600);
}

static ssize_t call_sendfile(void *t, int out_fd, int in_fd, int64_t *offset, size_t len)
{
    off_t at = offset != NULL ? (off_t)*offset : 0;
    ssize_t count = sendfile(out_fd, in_fd, offset != NULL ? &at : NULL, len);

    (void)t;
    if (offset != NULL)
        *offset = at;
    return count;
}

static ssize_t call_splice(void *t, int in_fd, int64_t *in_offset, int out_fd, int64_t *out_offset,
                           size_t len, unsigned flags)
{
    (void)t;
    (void)in_offset;
    (void)out_offset;
    return splice(in_fd, NULL, out_fd, NULL, len, flags);
}

/* ---- settings ---- */

/* What may not be set may be what is wanted. */
static bool has_value(const char *path, const char *value)
{
    char text[TEXT_MAX] = "";
    int error = errno, fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;

    if (fd >= 0)
        (void)close(fd);
    errno = error;
    return len > 0 && strncmp(text, value, strlen(value)) == 0;
}

/* net.ipv4.tcp_sack is a file in /proc/sys. */
static const char *kernel_sysctl(void *t, const char *name, const char *value)
{
    struct kernel *k = t;
    char path[TEXT_MAX];
    bool is_path = strncmp(name, "/proc/sys/", 10) == 0;
    ssize_t written = -1;
    int fd;

    (void)snprintf(path, sizeof path, "%s%s", is_path ? "" : "/proc/sys/", name);
    for (char *c = path + 10; !is_path && *c != '\0'; c++) {
        if (*c == '.')
            *c = '/';
    }
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return NULL; /* older or newer than the script: as with sysctl, it goes on */
    if (fd >= 0) {
        written = write(fd, value, strlen(value));
        (void)close(fd);
    }
    if (written >= 0 || has_value(path, value))
        return NULL;
    if (errno == EPERM && strstr(path, "tcp_congestion_control") != NULL) {
        (void)snprintf(k->congestion_control, sizeof k->congestion_control, "%s", value);
        return NULL;
    }
    (void)snprintf(k->problem, sizeof k->problem, "the kernel does not let %.60s be '%.20s': %s",
                   name, value, strerror(errno));
    return k->problem;
}

/* ---- beginning and end ---- */

static void kernel_close(void *t)
{
    struct kernel *k = t;

    (void)alarm(0);
    kernel_cancel(k);
    while (k->packets != NULL) {
        struct packet *packet = k->packets;

        k->packets = packet->next;
        free(packet);
    }
    if (k->tun != NULL)
        k->tun->ops->close(&k->tun);
    (void)pthread_mutex_destroy(&k->mutex);
    free(k);
}

static bool open_tun(struct kernel *k, const struct drill_net *net, char why[DRILL_WHY_MAX])
{
    const struct weir_device_options options = {.name = "tun0", .mtu = net->mtu};
    const struct weir_device_setup setup = {.addrs = &net->local,
                                            .addr_count = 1,
                                            .routes = &net->remote_net,
                                            .route_count = 1,
                                            .mtu = net->mtu};
    struct weir_driver_error error;

    k->tun = weir_tun_open(&options, &error);
    if (k->tun != NULL && weir_device_configure(k->tun->name, &setup, &error) == 0) {
        k->tun->done = no_done;
        return true;
    }
    (void)snprintf(why, DRILL_WHY_MAX, "%s", error.text);
    return false;
}

static void on_signal(int number)
{
    (void)number; /* it only ends the call that waits */
}

static void set_signals(void)
{
    const struct sigaction action = {.sa_handler = on_signal};

    (void)sigaction(SIGUSR1, &action, NULL);
    (void)sigaction(SIGALRM, &action, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

bool drill_kernel_open(const struct drill_net *net, struct drill_target *target,
                       char why[DRILL_WHY_MAX])
{
    struct kernel *k = calloc(1, sizeof *k);

    if (k == NULL || unshare(CLONE_NEWNET) != 0) {
        (void)snprintf(why, DRILL_WHY_MAX, "a network namespace cannot be made: %s",
                       strerror(errno));
        free(k);
        return false;
    }
    k->last_packet = &k->packets;
    (void)pthread_mutex_init(&k->mutex, NULL);
    set_signals();
    if (!open_tun(k, net, why)) {
        kernel_close(k);
        return false;
    }
    *target = (struct drill_target){
        .ctx = k,
        .calls = {DRILL_CALLS(DRILL_CALL_ENTRY)},
        .net = *net,
        .is_real_time = true,
        .limit_ns = LIMIT_NS,
        .patience_ns = PATIENCE_NS,
        .now = kernel_now,
        .sleep_until = kernel_sleep_until,
        .inject = kernel_inject,
        .receive = kernel_receive,
        .start = kernel_start,
        .finish = kernel_finish,
        .cancel = kernel_cancel,
        .sysctl = kernel_sysctl,
        .close = kernel_close,
    };
    return true;
}
