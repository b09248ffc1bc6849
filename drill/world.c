/*
 * world.c - Weir as a target: a stack and its sockets in virtual time
 *
 * The mutex belongs to whoever runs. Time moves in step() alone, which the first thread calls
 * when it waits: in sleep_until, receive and finish, and in calls that block. The second thread,
 * of start or of a program, waits in on_wait for its turn.
 */
#include "drill/world.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <weir/posix.h>

#include "drill/flow.h"
#include "drill/sysctl.h"

/* Where the clock starts: any time will do. */
#define START (1000 * WEIR_S)

enum {
    FRAMES_MAX = 64,
    WRITTEN_MAX = 4096,
    PATH_LEN = 64,
    BURST_MAX = 65215, /* bytes that a device takes as one */
    RTT_SHIFT = 19,    /* a round trip of 512 us halves what comes on top of pacing */
    SHIFT_MAX = 32,
    FD_FIRST = 10000, /* above what the process has open: pipes and files keep their numbers */
};

/* A descriptor of ours, which the kernel knows as one end of a pair. */
struct placeholder {
    struct placeholder *next;
    int ends[2];
};

/* A file that a script has made; the machine has none such. */
struct own_file {
    struct own_file *next;
    int fd;
    char path[];
};

struct packet {
    struct packet *next;
    weir_ns_t at;
    size_t len;
    uint8_t bytes[];
};

/* What the second thread does. */
enum turn {
    TURN_NONE,    /* there is nothing to be done, or none such thread */
    TURN_RUNS,    /* the first thread stands still */
    TURN_WAITING, /* in a call, for waiter */
};

struct drill_world {
    struct drill_world_options options;
    struct weir *stack;
    struct weir_posix *px;
    weir_netif_t netif;
    weir_ns_t now;
    struct drill_sysctls sysctls;
    struct packet *packets, **last_packet;
    struct placeholder *placeholders;
    struct own_file *own_files;

    pthread_mutex_t mutex;
    pthread_cond_t changed;
    pthread_t first;
    enum turn turn;
    struct weir_px_waiter *waiter;
    weir_ns_t wait_until;
    bool is_ending; /* calls that wait return */

    pthread_t second; /* of start */
    void (*work)(void *arg);
    void *work_arg;
};

/* ---- memory for the stack ---- */

static void *get_memory(void *ctx, size_t size, size_t align)
{
    size_t whole = (size + align - 1) / align * align;

    (void)ctx;
    return aligned_alloc(align < sizeof(void *) ? sizeof(void *) : align, whole);
}

static void put_memory(void *ctx, void *memory, size_t size)
{
    (void)ctx;
    (void)size;
    free(memory);
}

/* ---- what the stack sends ---- */

static void keep(struct drill_world *w, const struct weir_frame *frame)
{
    struct packet *packet = malloc(sizeof *packet + frame->len);
    size_t len = 0;

    if (packet == NULL)
        return; /* as if it was lost */
    for (size_t i = 0; i < frame->slice_count; i++) {
        memcpy(packet->bytes + len, frame->slices[i].bytes, frame->slices[i].len);
        len += frame->slices[i].len;
    }
    packet->len = len;
    packet->at = w->now;
    packet->next = NULL;
    *w->last_packet = packet;
    w->last_packet = &packet->next;
}

/* Lets the sockets know what has happened, and takes what is to be sent. */
static void pump(struct drill_world *w)
{
    struct weir_frame *frames[FRAMES_MAX];
    size_t count;

    weir_px_run(w->px);
    while ((count = weir_output(w->stack, w->netif, frames, FRAMES_MAX)) > 0) {
        for (size_t i = 0; i < count; i++)
            keep(w, frames[i]);
        weir_output_done(w->stack, frames, count);
        weir_px_run(w->px);
    }
}

/* ---- whose turn it is ---- */

static bool is_first(const struct drill_world *w)
{
    return pthread_equal(pthread_self(), w->first) != 0;
}

/* The first thread stands still while the second one runs, and takes what that has sent. */
static void settle(struct drill_world *w)
{
    if (w->turn != TURN_RUNS)
        return;
    while (w->turn == TURN_RUNS)
        (void)pthread_cond_wait(&w->changed, &w->mutex);
    pump(w);
}

static void give_turn(struct drill_world *w)
{
    w->turn = TURN_RUNS;
    (void)pthread_cond_broadcast(&w->changed);
}

/* Time goes on to the next thing that happens, at the longest until the time given. */
static void step(struct drill_world *w, weir_ns_t until)
{
    weir_ns_t next = weir_deadline(w->stack);

    if (w->turn == TURN_WAITING && w->wait_until < next)
        next = w->wait_until;
    if (next > until)
        next = until;
    if (next > w->now)
        w->now = next;
    weir_advance(w->stack, w->now);
    pump(w);
    if (w->turn == TURN_WAITING && w->now >= w->wait_until)
        give_turn(w);
    settle(w);
}

static weir_ns_t limited(const struct drill_world *w, weir_ns_t until)
{
    weir_ns_t limit = w->now + w->options.limit_ns;

    return until < limit ? until : limit;
}

/* ---- the hook of the sockets ---- */

static void on_lock(void *ctx)
{
    struct drill_world *w = ctx;

    (void)pthread_mutex_lock(&w->mutex);
}

static void on_unlock(void *ctx)
{
    struct drill_world *w = ctx;

    (void)pthread_mutex_unlock(&w->mutex);
}

static weir_ns_t on_now(void *ctx)
{
    const struct drill_world *w = ctx;

    return w->now;
}

bool drill_world_is_of_interest(const uint8_t *packet, size_t len)
{
    struct drill_seen seen;
    const char *problem;

    return drill_seen_parse(packet, len, &seen, &problem);
}

/* The second thread gives up its turn. */
static void wait_for_turn(struct drill_world *w, struct weir_px_waiter *waiter, weir_ns_t until)
{
    w->waiter = waiter;
    w->wait_until = until;
    w->turn = TURN_WAITING;
    (void)pthread_cond_broadcast(&w->changed);
    while (w->turn == TURN_WAITING)
        (void)pthread_cond_wait(&w->changed, &w->mutex);
    w->waiter = NULL;
}

/* The first thread lets time pass itself; a script that would wait for ever ends with EINTR. */
static int on_wait(void *ctx, struct weir_px_waiter *waiter, weir_ns_t until)
{
    struct drill_world *w = ctx;
    weir_ns_t last = limited(w, until);

    pump(w);
    if (!is_first(w)) {
        wait_for_turn(w, waiter, until);
        return w->is_ending ? EINTR : 0;
    }
    settle(w);
    while (!waiter->is_woken && w->now < last)
        step(w, last);
    return !waiter->is_woken && last < until ? EINTR : 0;
}

static void on_wake(void *ctx, struct weir_px_waiter *waiter)
{
    struct drill_world *w = ctx;

    if (w->turn == TURN_WAITING && w->waiter == waiter)
        give_turn(w);
}

/* A placeholder is one end of a pair: what is written to it by others comes out of the other end. */
static int on_fd_open(void *ctx)
{
    struct drill_world *w = ctx;
    struct placeholder *p = malloc(sizeof *p);

    if (p == NULL)
        return -ENOMEM;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p->ends) != 0) {
        free(p);
        return -EMFILE;
    }
    p->next = w->placeholders;
    w->placeholders = p;
    return p->ends[0];
}

static void on_fd_close(void *ctx, int fd)
{
    struct drill_world *w = ctx;
    struct placeholder **at = &w->placeholders, *p;

    while (*at != NULL && (*at)->ends[0] != fd)
        at = &(*at)->next;
    p = *at;
    if (p == NULL)
        return;
    *at = p->next;
    (void)close(p->ends[0]);
    (void)close(p->ends[1]);
    free(p);
}

static ssize_t on_file_read(void *ctx, int fd, void *bytes, size_t len, int64_t *offset)
{
    ssize_t count = offset != NULL ? pread(fd, bytes, len, (off_t)*offset) : read(fd, bytes, len);

    (void)ctx;
    if (count > 0 && offset != NULL)
        *offset += count;
    return count >= 0 ? count : -errno;
}

static ssize_t on_file_write(void *ctx, int fd, const void *bytes, size_t len, int64_t *offset)
{
    ssize_t count = offset != NULL ? pwrite(fd, bytes, len, (off_t)*offset) : write(fd, bytes, len);

    (void)ctx;
    if (count > 0 && offset != NULL)
        *offset += count;
    return count >= 0 ? count : -errno;
}

/* ---- calls: what they cause is taken before they return ---- */

static long over(struct drill_world *w, long result)
{
    int error = errno;

    on_lock(w);
    pump(w);
    if (is_first(w))
        settle(w);
    on_unlock(w);
    errno = error;
    return result;
}

#define HAND_ON(result, name, parameters, ...)                                                     \
    static result call_##name parameters                                                           \
    {                                                                                              \
        struct drill_world *w = t;                                                                 \
                                                                                                   \
        return (result)over(w, weir_px_##name(w->px, __VA_ARGS__));                                \
    }

DRILL_CALLS_PLAIN(HAND_ON)
DRILL_CALLS_OF_PACKETDRILL(HAND_ON)

static int call_socket(void *t, int domain, int type, int protocol)
{
    struct drill_world *w = t;

    return (int)over(w, weir_px_socket(w->px, domain, type, protocol));
}

/* tcp_fastopen is of the kernel, not of sockets: what it switches off is said here. */
static bool may_fast_open(const struct drill_world *w, enum drill_fastopen what)
{
    if (w->sysctls.fastopen & what)
        return true;
    errno = EOPNOTSUPP;
    return false;
}

static int call_listen(void *t, int fd, int backlog)
{
    struct drill_world *w = t;

    if ((w->sysctls.fastopen & DRILL_FASTOPEN_EVERY_LISTENER)
        && (w->sysctls.fastopen & DRILL_FASTOPEN_SERVER))
        (void)weir_px_setsockopt(w->px, fd, IPPROTO_TCP, TCP_FASTOPEN, &backlog, sizeof backlog);
    return (int)over(w, weir_px_listen(w->px, fd, backlog));
}

static bool is_socket(struct drill_world *w, int fd)
{
    return weir_px_is_open(w->px, fd);
}

static ssize_t call_readv(void *t, int fd, const struct iovec *iov, int count)
{
    struct drill_world *w = t;

    return is_socket(w, fd) ? over(w, weir_px_readv(w->px, fd, iov, count)) : readv(fd, iov, count);
}

static ssize_t call_writev(void *t, int fd, const struct iovec *iov, int count)
{
    struct drill_world *w = t;

    return is_socket(w, fd) ? over(w, weir_px_writev(w->px, fd, iov, count))
                            : writev(fd, iov, count);
}

static ssize_t call_sendmsg(void *t, int fd, const struct msghdr *msg, int flags)
{
    struct drill_world *w = t;

    if ((flags & MSG_FASTOPEN) && !may_fast_open(w, DRILL_FASTOPEN_CLIENT))
        return -1;
    return over(w, weir_px_sendmsg(w->px, fd, msg, flags));
}

static ssize_t call_sendto(void *t, int fd, const void *bytes, size_t len, int flags,
                           const struct sockaddr *addr, socklen_t addr_len)
{
    struct drill_world *w = t;

    if ((flags & MSG_FASTOPEN) && !may_fast_open(w, DRILL_FASTOPEN_CLIENT))
        return -1;
    return over(w, weir_px_sendto(w->px, fd, bytes, len, flags, addr, addr_len));
}

static int call_close(void *t, int fd)
{
    struct drill_world *w = t;

    return is_socket(w, fd) ? (int)over(w, weir_px_close(w->px, fd)) : close(fd);
}

static int call_setsockopt(void *t, int fd, int level, int name, const void *value, socklen_t len)
{
    struct drill_world *w = t;

    if (level == IPPROTO_TCP && name == TCP_FASTOPEN_CONNECT
        && !may_fast_open(w, DRILL_FASTOPEN_CLIENT))
        return -1;
    return (int)over(w, weir_px_setsockopt(w->px, fd, level, name, value, len));
}

static int call_epoll_create(void *t)
{
    struct drill_world *w = t;

    return (int)over(w, weir_px_epoll_create1(w->px, 0));
}

static int call_pipe(void *t, int fds[2])
{
    (void)t;
    return pipe2(fds, O_CLOEXEC | O_NONBLOCK);
}

static struct own_file *find_file(const struct drill_world *w, const char *path)
{
    struct own_file *f = w->own_files;

    while (f != NULL && strcmp(f->path, path) != 0)
        f = f->next;
    return f;
}

/* A file of the script's own is opened by the number it has in this process. */
static int call_open(void *t, const char *path, int flags)
{
    const struct own_file *f = find_file(t, path);
    char own[PATH_LEN];

    if (f != NULL) {
        (void)snprintf(own, sizeof own, "/proc/self/fd/%d", f->fd);
        path = own;
    }
    return open(path, flags | O_CLOEXEC, 0600);
}

static void remove_file(struct drill_world *w, const char *path)
{
    struct own_file **at = &w->own_files, *f = find_file(w, path);

    if (f == NULL)
        return;
    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    (void)close(f->fd);
    free(f);
}

static bool world_make_file(void *t, const char *path, const void *bytes, size_t len)
{
    struct drill_world *w = t;
    size_t path_len = strlen(path) + 1;
    struct own_file *f;

    remove_file(w, path);
    if (bytes == NULL)
        return true;
    f = malloc(sizeof *f + path_len);
    if (f == NULL)
        return false;
    memcpy(f->path, path, path_len);
    f->fd = memfd_create("drill", MFD_CLOEXEC);
    if (f->fd < 0 || write(f->fd, bytes, len) != (ssize_t)len) {
        if (f->fd >= 0)
            (void)close(f->fd);
        free(f);
        return false;
    }
    f->next = w->own_files;
    w->own_files = f;
    return true;
}

static ssize_t call_sendfile(void *t, int out_fd, int in_fd, int64_t *offset, size_t len)
{
    struct drill_world *w = t;

    return over(w, weir_px_sendfile(w->px, out_fd, in_fd, offset, len));
}

static ssize_t call_splice(void *t, int in_fd, int64_t *in_offset, int out_fd, int64_t *out_offset,
                           size_t len, unsigned flags)
{
    struct drill_world *w = t;

    return over(w, weir_px_splice(w->px, in_fd, in_offset, out_fd, out_offset, len, flags));
}

/* ---- the target ---- */

static weir_ns_t world_now(void *t)
{
    const struct drill_world *w = t;

    return w->now;
}

static void world_sleep_until(void *t, weir_ns_t until)
{
    struct drill_world *w = t;

    on_lock(w);
    settle(w);
    while (w->now < until)
        step(w, until);
    on_unlock(w);
}

/* A driver would have joined it from shorter ones. */
static void mark_joined(const struct drill_world *w, struct weir_frame *frame)
{
    uint16_t seg_bytes = w->options.net.seg_bytes;
    struct drill_seen seen;
    const char *problem;

    if (seg_bytes == 0 || !drill_seen_parse(frame->slices[0].bytes, frame->len, &seen, &problem)
        || seen.protocol != DRILL_TCP || seen.seg.len <= seg_bytes)
        return;
    frame->gso = weir_addr_is_v4(&seen.dst.addr) ? WEIR_GSO_TCP4 : WEIR_GSO_TCP6;
    frame->gso_size = seg_bytes;
    frame->header_len = (uint16_t)(frame->len - seen.seg.len);
    frame->flags = WEIR_FRAME_CSUM_VALID;
}

static bool world_inject(void *t, const uint8_t *bytes, size_t len)
{
    struct drill_world *w = t;
    uint8_t *copy = malloc(len);
    struct weir_frame frame = {
        .slices = {{copy, len}},
        .len = len,
        .slice_count = 1,
    };

    if (copy == NULL) {
        errno = ENOMEM;
        return false;
    }
    memcpy(copy, bytes, len);
    mark_joined(w, &frame);
    on_lock(w);
    settle(w);
    weir_input(w->stack, w->netif, &frame, 1);
    weir_advance(w->stack, w->now);
    pump(w);
    settle(w);
    on_unlock(w);
    free(copy);
    return true;
}

static size_t take_packet(struct drill_world *w, uint8_t *bytes, size_t room, weir_ns_t *at)
{
    struct packet *packet = w->packets;
    size_t len = packet->len < room ? packet->len : room;

    w->packets = packet->next;
    if (w->packets == NULL)
        w->last_packet = &w->packets;
    memcpy(bytes, packet->bytes, len);
    *at = packet->at;
    free(packet);
    return len;
}

static size_t world_receive(void *t, uint8_t *bytes, size_t room, weir_ns_t until, weir_ns_t *at)
{
    struct drill_world *w = t;
    weir_ns_t last = limited(w, until);
    size_t len;

    on_lock(w);
    settle(w);
    while (w->packets == NULL && w->now < last)
        step(w, last);
    len = w->packets != NULL ? take_packet(w, bytes, room, at) : 0;
    on_unlock(w);
    return len;
}

static void *run_work(void *ctx)
{
    struct drill_world *w = ctx;

    w->work(w->work_arg);
    drill_world_leave(w);
    return NULL;
}

static bool world_start(void *t, void (*work)(void *arg), void *arg)
{
    struct drill_world *w = t;

    w->work = work;
    w->work_arg = arg;
    w->turn = TURN_RUNS;
    if (pthread_create(&w->second, NULL, run_work, w) != 0) {
        w->turn = TURN_NONE;
        return false;
    }
    on_lock(w);
    settle(w);
    on_unlock(w);
    return true;
}

static bool world_finish(void *t, weir_ns_t until)
{
    struct drill_world *w = t;
    weir_ns_t last = limited(w, until);
    bool is_over;

    on_lock(w);
    settle(w);
    while (w->turn != TURN_NONE && w->now < last)
        step(w, last);
    is_over = w->turn == TURN_NONE;
    on_unlock(w);
    if (is_over && w->work != NULL) {
        (void)pthread_join(w->second, NULL);
        w->work = NULL;
    }
    return is_over;
}

/* Scripts are written for its send buffers. */
static void count_as_linux(struct drill_world *w)
{
    const struct weir_px_send_memory memory = {
        .counts_overhead = true,
        .largest_bytes = w->sysctls.tcp.send_buffer_max_bytes,
        .notsent_lowat_bytes = w->sysctls.notsent_lowat_bytes,
    };

    weir_px_send_memory(w->px, &memory);
}

static const char *world_sysctl(void *t, const char *name, const char *value)
{
    struct drill_world *w = t;

    const char *wrong = drill_sysctls_set(&w->sysctls, w->stack, name, value);

    count_as_linux(w);
    return wrong;
}

/* With room for no server there is nothing to remember. */
static void world_forget_hosts(void *t)
{
    struct drill_world *w = t;
    struct weir_tcp_config config = w->sysctls.tcp;

    config.fastopen_servers = 0;
    (void)weir_tcp_configure(w->stack, &config);
    (void)weir_tcp_configure(w->stack, &w->sysctls.tcp);
}

void drill_world_enter(struct drill_world *w)
{
    if (is_first(w))
        return;
    on_lock(w);
    w->turn = TURN_RUNS;
    on_unlock(w);
}

void drill_world_leave(struct drill_world *w)
{
    if (is_first(w))
        return;
    on_lock(w);
    w->turn = TURN_NONE;
    (void)pthread_cond_broadcast(&w->changed);
    on_unlock(w);
}

void drill_world_take_written(struct drill_world *w)
{
    for (const struct placeholder *p = w->placeholders; p != NULL; p = p->next) {
        char bytes[WRITTEN_MAX];
        ssize_t len;

        while ((len = recv(p->ends[1], bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
            (void)call_sendto(w, p->ends[0], bytes, (size_t)len, MSG_DONTWAIT, NULL, 0);
    }
}

void drill_world_adopt(struct drill_world *w, const struct weir_addr *addr)
{
    const struct weir_prefix all = {*addr, 128};
    struct weir_addr_info info;

    if (weir_addr_is_any(addr))
        return;
    on_lock(w);
    for (size_t i = 0; weir_addr_at(w->stack, i, &info); i++) {
        if (weir_addr_eq(&info.addr.addr, addr)) {
            on_unlock(w);
            return;
        }
    }
    (void)weir_addr_add(w->stack, w->netif, &all);
    on_unlock(w);
}

static bool is_same_end(const struct weir_endpoint *a, const struct weir_endpoint *b)
{
    return a->port == b->port && weir_addr_eq(&a->addr, &b->addr);
}

/* The descriptor of a connection, and what is known of it; -1: there is none. */
static int find_info(struct drill_world *w, const struct weir_endpoint *local,
                     const struct weir_endpoint *remote, struct weir_tcp_info *info)
{
    for (const struct placeholder *p = w->placeholders; p != NULL; p = p->next) {
        weir_handle_t handle = weir_px_handle(w->px, p->ends[0]);
        struct weir_endpoint here, there;

        if (handle != 0 && weir_local(w->stack, handle, &here) == WEIR_OK
            && weir_remote(w->stack, handle, &there) == WEIR_OK && is_same_end(&here, local)
            && is_same_end(&there, remote) && weir_tcp_info(w->stack, handle, info) == WEIR_OK)
            return info->snd_mss > 0 ? p->ends[0] : -1;
    }
    return -1;
}

/* Linux paces at twice the window in a round trip while that grows fast, then at 1.2 times. */
static uint64_t paced_bytes(const struct weir_tcp_info *info)
{
    uint64_t percent = info->cwnd < info->ssthresh / 2 ? 200 : 120;
    int64_t shift = info->rtt_min_ns >> RTT_SHIFT;
    uint64_t bytes = info->srtt_ns == 0 ? 0
                                        : (uint64_t)info->cwnd * percent / 100
                                              * (uint64_t)(WEIR_S / 1024) / (uint64_t)info->srtt_ns;

    return bytes + (shift < SHIFT_MAX ? (uint64_t)BURST_MAX >> shift : 0);
}

size_t drill_world_burst_segs(struct drill_world *w, const struct weir_endpoint *local,
                              const struct weir_endpoint *remote, size_t least)
{
    struct weir_tcp_info info;
    size_t segs, half;

    if (find_info(w, local, remote, &info) < 0)
        return least;
    segs = (size_t)(paced_bytes(&info) / info.snd_mss);
    half = info.cwnd / info.snd_mss / 2;
    segs = segs > least ? segs : least;
    segs = segs < half ? segs : half;
    return segs > 0 ? segs : 1;
}

bool drill_world_burst_ends(struct drill_world *w, const struct weir_endpoint *local,
                            const struct weir_endpoint *remote, uint32_t seq)
{
    struct weir_tcp_info info;
    int fd = find_info(w, local, remote, &info);

    return fd >= 0 && weir_px_send_buffer_ends(w->px, fd, seq - info.iss - 1);
}

void drill_world_pass(struct drill_world *w, weir_ns_t ns)
{
    world_sleep_until(w, w->now + ns);
}

static void world_cancel(void *t)
{
    struct drill_world *w = t;

    if (w->work == NULL)
        return;
    on_lock(w);
    w->is_ending = true;
    while (w->turn == TURN_WAITING) {
        give_turn(w);
        settle(w);
    }
    on_unlock(w);
    (void)pthread_join(w->second, NULL);
    w->work = NULL;
}

static void world_close(void *t)
{
    struct drill_world *w = t;

    world_cancel(w);
    if (w->px != NULL)
        weir_px_destroy(&w->px);
    if (w->stack != NULL)
        weir_destroy(&w->stack);
    while (w->packets != NULL) {
        struct packet *packet = w->packets;

        w->packets = packet->next;
        free(packet);
    }
    while (w->own_files != NULL)
        remove_file(w, w->own_files->path);
    (void)pthread_cond_destroy(&w->changed);
    (void)pthread_mutex_destroy(&w->mutex);
    free(w);
}

/* ---- the beginning ---- */

static bool open_network(struct drill_world *w)
{
    const struct drill_net *net = &w->options.net;
    struct weir_netif_config netif = {.name = "tun0", .link = WEIR_LINK_IP, .mtu = net->mtu};
    struct weir_prefix all = {.addr = {{0}}, .len = 0};

    if (weir_addr_is_v4(&net->remote))
        all = (struct weir_prefix){weir_addr_v4(0, 0, 0, 0), 96};
    return weir_netif_add(w->stack, &netif, &w->netif) == WEIR_OK
           && weir_addr_add(w->stack, w->netif, &net->local) == WEIR_OK
           && weir_route_add(w->stack, &all, NULL, w->netif) == WEIR_OK;
}

static bool open_stack(struct drill_world *w)
{
    struct weir_config config;

    weir_config_init(&config);
    memset(config.secret, 'd', sizeof config.secret);
    config.allocator = (struct weir_allocator){get_memory, put_memory, NULL};
    drill_sysctls_init(&w->sysctls, &config.tcp);
    if (weir_create(&config, w->now, &w->stack) != WEIR_OK)
        return false;
    if (w->options.trace != NULL)
        weir_trace_set(w->stack, w->options.trace, w->options.trace_ctx);
    return open_network(w);
}

static bool open_sockets(struct drill_world *w)
{
    struct weir_px_config config;

    weir_px_config_init(&config);
    config.hook = (struct weir_px_hook){
        .ctx = w,
        .lock = on_lock,
        .unlock = on_unlock,
        .now = on_now,
        .wait = on_wait,
        .wake = on_wake,
        .files_ctx = w,
        .file_read = on_file_read,
        .file_write = on_file_write,
    };
    config.fd_first = FD_FIRST;
    if (w->options.has_placeholders) {
        config.hook.fd_open = on_fd_open;
        config.hook.fd_close = on_fd_close;
    }
    return weir_px_create(w->stack, &config, &w->px) == WEIR_OK;
}

struct drill_world *drill_world_open(const struct drill_world_options *options)
{
    struct drill_world *w = calloc(1, sizeof *w);

    if (w == NULL)
        return NULL;
    w->options = *options;
    w->now = START;
    w->last_packet = &w->packets;
    w->first = pthread_self();
    (void)pthread_mutex_init(&w->mutex, NULL);
    (void)pthread_cond_init(&w->changed, NULL);
    if (open_stack(w) && open_sockets(w)) {
        count_as_linux(w);
        return w;
    }
    world_close(w);
    return NULL;
}

struct drill_target drill_world_target(struct drill_world *w)
{
    return (struct drill_target){
        .ctx = w,
        .calls = {DRILL_CALLS(DRILL_CALL_ENTRY)},
        .net = w->options.net,
        .limit_ns = w->options.limit_ns,
        .patience_ns = 10 * WEIR_S,
        .now = world_now,
        .sleep_until = world_sleep_until,
        .inject = world_inject,
        .receive = world_receive,
        .start = world_start,
        .finish = world_finish,
        .cancel = world_cancel,
        .sysctl = world_sysctl,
        .forget_hosts = world_forget_hosts,
        .make_file = world_make_file,
        .close = world_close,
    };
}
