/*
 * packetdrill.c - libweir_packetdrill.so: Weir as what google's packetdrill tests
 *
 *   packetdrill --so_filename=libweir_packetdrill.so --so_flags=local=192.168.0.1/16,... FILE
 *
 * Time is virtual: it passes when packetdrill sleeps, waits for a packet or makes a call that
 * blocks, and a microsecond whenever it asks for the time. Scripts' sysctl commands reach the
 * stack through the file that PD_SYSCTL_FILE names, if something writes them there.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "drill/flow.h"
#include "drill/so/join.h"
#include "drill/world.h"

enum {
    LINE_MAX = 512,
    VALUE_MAX = 96,
    MOMENT_NS = 20000,
    REAL_SHARE = 40, /* of a time that a script waits, so much passes in reality */
    REAL_MOST_US = 20000,
    MOMENTS_MAX = 10000,
};

/* What packetdrill waits for a packet at most, and for anything else. */
#define RECEIVE_NS (300 * WEIR_S)
#define LIMIT_NS (24 * 3600 * WEIR_S)

/* The contract, in the order of its members. */
struct packetdrill_interface {
    void *userdata;
    void (*free)(void *userdata);
    int (*socket)(void *userdata, int domain, int type, int protocol);
    int (*bind)(void *userdata, int fd, const struct sockaddr *addr, socklen_t len);
    int (*listen)(void *userdata, int fd, int backlog);
    int (*accept)(void *userdata, int fd, struct sockaddr *addr, socklen_t *len);
    int (*connect)(void *userdata, int fd, const struct sockaddr *addr, socklen_t len);
    ssize_t (*read)(void *userdata, int fd, void *bytes, size_t len);
    ssize_t (*readv)(void *userdata, int fd, const struct iovec *iov, int count);
    ssize_t (*recv)(void *userdata, int fd, void *bytes, size_t len, int flags);
    ssize_t (*recvfrom)(void *userdata, int fd, void *bytes, size_t len, int flags,
                        struct sockaddr *addr, socklen_t *addr_len);
    ssize_t (*recvmsg)(void *userdata, int fd, struct msghdr *msg, int flags);
    ssize_t (*write)(void *userdata, int fd, const void *bytes, size_t len);
    ssize_t (*writev)(void *userdata, int fd, const struct iovec *iov, int count);
    ssize_t (*send)(void *userdata, int fd, const void *bytes, size_t len, int flags);
    ssize_t (*sendto)(void *userdata, int fd, const void *bytes, size_t len, int flags,
                      const struct sockaddr *addr, socklen_t addr_len);
    ssize_t (*sendmsg)(void *userdata, int fd, const struct msghdr *msg, int flags);
    int (*fcntl)(void *userdata, int fd, int command, ...);
    int (*ioctl)(void *userdata, int fd, unsigned long request, ...);
    int (*close)(void *userdata, int fd);
    int (*shutdown)(void *userdata, int fd, int how);
    int (*getsockopt)(void *userdata, int fd, int level, int name, void *value, socklen_t *len);
    int (*setsockopt)(void *userdata, int fd, int level, int name, const void *value,
                      socklen_t len);
    int (*poll)(void *userdata, struct pollfd *fds, nfds_t count, int timeout_ms);
    int (*netdev_send)(void *userdata, const void *bytes, size_t len);
    int (*netdev_receive)(void *userdata, void *bytes, size_t *len, long long *time_us);
    int (*usleep)(void *userdata, useconds_t us);
    int (*gettimeofday)(void *userdata, struct timeval *tv, struct timezone *tz);
    int (*epoll_create)(void *userdata, int size);
    int (*epoll_ctl)(void *userdata, int epfd, int op, int fd, struct epoll_event *event);
    int (*epoll_wait)(void *userdata, int epfd, struct epoll_event *events, int max,
                      int timeout_ms);
    int (*pipe)(void *userdata, int fds[2]);
    ssize_t (*splice)(void *userdata, int in_fd, loff_t *in_offset, int out_fd, loff_t *out_offset,
                      size_t len, unsigned flags);
};

struct adapter {
    struct drill_world *world;
    struct drill_target target;
    long settings_read; /* of the file of sysctls, in bytes */
    size_t segs_joined; /* as tcp_min_tso_segs says */
    struct bursts bursts;
    /* A packet that was taken to see whether it can be joined to the one before. */
    size_t next_len;
    weir_ns_t next_at;
    uint8_t next[DRILL_PACKET_MAX];
    pthread_t first;
    pid_t second;          /* packetdrill's thread for calls that block; 0: none has */
    bool was_asked;        /* the time, and for nothing else since */
    bool second_is_ending; /* its call is over, and packetdrill has yet to hear of it */
};

void packetdrill_interface_init(const char *flags, struct packetdrill_interface *i);

/* ---- settings ---- */

static void set_sysctl(struct adapter *a, const char *name, const char *value)
{
    (void)a->target.sysctl(a->target.ctx, name, value);
    if (strcmp(name, "net.ipv4.tcp_min_tso_segs") == 0 && atoi(value) > 0)
        a->segs_joined = (size_t)atoi(value);
    if (strcmp(name, "net.ipv4.tcp_fastopen_cookies") == 0) /* how scripts empty the cache */
        a->target.forget_hosts(a->target.ctx);
}

/* name=value lines that came since the last time. Those that make no sense are packetdrill's. */
static void read_settings(struct adapter *a)
{
    const char *path = getenv("PD_SYSCTL_FILE");
    FILE *file = path != NULL ? fopen(path, "re") : NULL;
    char line[LINE_MAX];

    if (file == NULL)
        return;
    if (fseek(file, a->settings_read, SEEK_SET) == 0) {
        while (fgets(line, sizeof line, file) != NULL) {
            char *equals = strchr(line, '=');

            line[strcspn(line, "\r\n")] = '\0';
            if (equals != NULL) {
                *equals = '\0';
                set_sysctl(a, line, equals + 1);
            }
        }
        a->settings_read = ftell(file);
    }
    (void)fclose(file);
}

/* Before every call. A second thread then has its turn until it asks for the time. */
static struct adapter *enter(void *userdata)
{
    struct adapter *a = userdata;

    drill_world_enter(a->world);
    a->was_asked = false;
    if (!pthread_equal(pthread_self(), a->first))
        a->second = gettid();
    read_settings(a);
    drill_world_take_written(a->world);
    return a;
}

/* Is the second thread waiting for something to do? */
static bool is_second_idle(const struct adapter *a)
{
    char path[VALUE_MAX], line[LINE_MAX], *state = NULL;
    FILE *file;

    (void)snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)a->second);
    file = fopen(path, "re");
    if (file == NULL)
        return true;
    if (fgets(line, sizeof line, file) != NULL)
        state = strrchr(line, ')');
    (void)fclose(file);
    return state == NULL || state[1] != ' ' || state[2] == 'S';
}

/*
 * The first thread has given up packetdrill's lock: for a moment, if time is virtual. The second
 * one takes it to say what came of its call, before the script goes on.
 */
static void let_second_end(struct adapter *a)
{
    const struct timespec moment = {.tv_nsec = MOMENT_NS};

    if (!a->second_is_ending)
        return;
    a->second_is_ending = false;
    for (int i = 0; i < MOMENTS_MAX && !is_second_idle(a); i++)
        (void)nanosleep(&moment, NULL);
}

/* What a script has put in the background gets some real time while it waits. */
static void let_others_work(useconds_t us)
{
    useconds_t share = us / REAL_SHARE;

    if (share > 0)
        (void)usleep(share < REAL_MOST_US ? share : REAL_MOST_US);
}

/* ---- calls ---- */

#define HAND_ON(result, name, parameters, ...)                                                     \
    static result on_##name parameters                                                             \
    {                                                                                              \
        struct adapter *a = enter(t);                                                              \
                                                                                                   \
        return a->target.calls.name(a->target.ctx, __VA_ARGS__);                                   \
    }

DRILL_CALLS_PLAIN(HAND_ON)
DRILL_CALLS_OF_WORLD(HAND_ON)

static int on_socket(void *u, int domain, int type, int protocol)
{
    struct adapter *a = enter(u);

    return a->target.calls.socket(a->target.ctx, domain, type, protocol);
}

/* Scripts may have addresses of their own, of which the flags know nothing. */
static void adopt_name(struct adapter *a, const struct sockaddr *addr, socklen_t len)
{
    struct weir_addr ours;

    if (addr->sa_family == AF_INET && len >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in in;
        uint8_t b[4];

        memcpy(&in, addr, sizeof in);
        memcpy(b, &in.sin_addr, sizeof b);
        ours = weir_addr_v4(b[0], b[1], b[2], b[3]);
        if (in.sin_addr.s_addr != htonl(INADDR_ANY))
            drill_world_adopt(a->world, &ours);
    } else if (addr->sa_family == AF_INET6 && len >= sizeof(struct sockaddr_in6)) {
        struct sockaddr_in6 in6;

        memcpy(&in6, addr, sizeof in6);
        memcpy(ours.b, &in6.sin6_addr, sizeof ours.b);
        drill_world_adopt(a->world, &ours);
    }
}

static int on_bind(void *u, int fd, const struct sockaddr *addr, socklen_t len)
{
    struct adapter *a = enter(u);

    adopt_name(a, addr, len);
    return a->target.calls.bind(a->target.ctx, fd, addr, len);
}

static ssize_t on_read(void *u, int fd, void *bytes, size_t len)
{
    const struct iovec iov = {bytes, len};

    return on_readv(u, fd, &iov, 1);
}

static ssize_t on_recv(void *u, int fd, void *bytes, size_t len, int flags)
{
    return on_recvfrom(u, fd, bytes, len, flags, NULL, NULL);
}

static ssize_t on_write(void *u, int fd, const void *bytes, size_t len)
{
    union {
        const void *read_only;
        void *bytes;
    } to = {bytes}; /* struct iovec is for both directions */
    const struct iovec iov = {to.bytes, len};

    return on_writev(u, fd, &iov, 1);
}

static ssize_t on_send(void *u, int fd, const void *bytes, size_t len, int flags)
{
    return on_sendto(u, fd, bytes, len, flags, NULL, 0);
}

static int on_fcntl(void *u, int fd, int command, ...)
{
    struct adapter *a = enter(u);
    va_list args;
    long arg;

    va_start(args, command);
    arg = command == F_GETFL || command == F_GETFD ? 0 : va_arg(args, int);
    va_end(args);
    return a->target.calls.fcntl(a->target.ctx, fd, command, arg);
}

static int on_ioctl(void *u, int fd, unsigned long request, ...)
{
    struct adapter *a = enter(u);
    va_list args;
    void *arg;

    va_start(args, request);
    arg = va_arg(args, void *);
    va_end(args);
    return a->target.calls.ioctl(a->target.ctx, fd, request, arg);
}

static int on_getsockopt(void *u, int fd, int level, int name, void *value, socklen_t *len)
{
    struct adapter *a = enter(u);
    socklen_t room = *len;
    int result = a->target.calls.getsockopt(a->target.ctx, fd, level, name, value, len);

    /* packetdrill knows members of TCP_INFO that are newer, and insists on them. */
    if (result == 0 && level == IPPROTO_TCP && name == TCP_INFO && *len < room) {
        memset((char *)value + *len, 0, room - *len);
        *len = room;
    }

    /* packetdrill wants it for every assertion, whether it speaks of it or not. */
    if (result != 0 && errno == ENOPROTOOPT && level == SOL_SOCKET && name == SO_MEMINFO) {
        memset(value, 0, *len);
        return 0;
    }
    return result;
}

static int on_epoll_create(void *u, int size)
{
    struct adapter *a = enter(u);

    if (size <= 0) {
        errno = EINVAL;
        return -1;
    }
    return a->target.calls.epoll_create(a->target.ctx);
}

static int on_pipe(void *u, int fds[2])
{
    struct adapter *a = enter(u);

    return a->target.calls.pipe(a->target.ctx, fds);
}

/* packetdrill passes offsets where a script has NULL; those of 0 mean none. */
static ssize_t on_splice(void *u, int in_fd, loff_t *in_offset, int out_fd, loff_t *out_offset,
                         size_t len, unsigned flags)
{
    struct adapter *a = enter(u);
    int64_t in = in_offset != NULL ? *in_offset : 0, out = out_offset != NULL ? *out_offset : 0;

    return a->target.calls.splice(a->target.ctx, in_fd, in != 0 ? &in : NULL, out_fd,
                                  out != 0 ? &out : NULL, len, flags);
}

/* ---- packets and time ---- */

static int on_netdev_send(void *u, const void *bytes, size_t len)
{
    struct adapter *a = u;
    struct weir_addr dst;

    a->was_asked = false;
    read_settings(a);
    drill_world_take_written(a->world);
    if (join_destination(bytes, len, &dst))
        drill_world_adopt(a->world, &dst);
    return a->target.inject(a->target.ctx, bytes, len) ? 0 : -1;
}

/* The next packet that packetdrill has a use for; 0: none by then. */
static size_t receive(struct adapter *a, uint8_t *bytes, size_t room, weir_ns_t until,
                      weir_ns_t *at)
{
    size_t len;

    if (a->next_len > 0) {
        len = a->next_len < room ? a->next_len : room;
        memcpy(bytes, a->next, len);
        *at = a->next_at;
        a->next_len = 0;
        return len;
    }
    do {
        len = a->target.receive(a->target.ctx, bytes, room, until, at);
    } while (len > 0 && !drill_world_is_of_interest(bytes, len));
    return len;
}

static size_t most_joined(struct adapter *a, const uint8_t *bytes, size_t len)
{
    struct drill_seen seen;
    const char *problem;

    if (!drill_seen_parse(bytes, len, &seen, &problem))
        return 1;
    return drill_world_burst_segs(a->world, &seen.src, &seen.dst, a->segs_joined);
}

/* The end of a write, or of what Linux has in one buffer: nothing is joined to that. */
static bool is_end(struct adapter *a, const uint8_t *bytes, size_t len)
{
    struct drill_seen seen;
    const char *problem;

    return join_is_end(bytes, len) || bursts_end_with(&a->bursts, bytes, len)
           || (drill_seen_parse(bytes, len, &seen, &problem)
               && drill_world_burst_ends(a->world, &seen.src, &seen.dst,
                                         seen.seg.seq + seen.seg.len));
}

/* What left at the same time leaves together. */
static void join_next(struct adapter *a, uint8_t *bytes, size_t *len, size_t room, weir_ns_t at)
{
    weir_ns_t now = a->target.now(a->target.ctx);
    size_t segs = 1, most = most_joined(a, bytes, *len);
    bool is_ended = is_end(a, bytes, *len);

    while (segs < most && !is_ended) {
        a->next_len = receive(a, a->next, sizeof a->next, now, &a->next_at);
        if (a->next_len == 0 || a->next_at != at
            || !join_packets(bytes, len, room, a->next, a->next_len, segs))
            return;
        is_ended = is_end(a, a->next, a->next_len);
        a->next_len = 0;
        segs++;
    }
}

static int on_netdev_receive(void *u, void *bytes, size_t *len, long long *time_us)
{
    struct adapter *a = u;
    weir_ns_t at = a->target.now(a->target.ctx);
    size_t room = *len;

    a->was_asked = false;
    drill_world_take_written(a->world);
    *len = receive(a, bytes, room, at + RECEIVE_NS, &at);
    if (*len > 0) {
        join_next(a, bytes, len, room, at);
        bursts_note(&a->bursts, bytes, *len);
    }
    *time_us = at / WEIR_US;
    return 0;
}

static int on_usleep(void *u, useconds_t us)
{
    struct adapter *a = u;

    let_second_end(a);
    let_others_work(us);
    a->was_asked = false;
    drill_world_take_written(a->world);
    drill_world_pass(a->world, us * WEIR_US);
    return 0;
}

static int on_gettimeofday(void *u, struct timeval *tv, struct timezone *tz)
{
    struct adapter *a = u;
    weir_ns_t now;

    (void)tz;
    if (!pthread_equal(pthread_self(), a->first))
        a->second_is_ending = true;
    drill_world_leave(a->world);
    if (a->was_asked)
        drill_world_pass(a->world, WEIR_US);
    a->was_asked = true;
    now = a->target.now(a->target.ctx);
    tv->tv_sec = (time_t)(now / WEIR_S);
    tv->tv_usec = (suseconds_t)(now % WEIR_S / WEIR_US);
    return 0;
}

static void on_free(void *u)
{
    struct adapter *a = u;

    a->target.close(a->target.ctx);
    free(a);
}

/* ---- the beginning ---- */

static void die(const char *format, const char *word)
{
    (void)fprintf(stderr, "libweir_packetdrill: ");
    (void)fprintf(stderr, format, word);
    (void)fprintf(stderr, "\n");
    exit(1);
}

static void set_flag(struct drill_net *net, const char *name, const char *value)
{
    bool is_mtu = strcmp(name, "mtu") == 0;
    struct weir_prefix prefix;
    char *end;

    if (is_mtu || strcmp(name, "mss") == 0) {
        unsigned long number = strtoul(value, &end, 10);

        if (*end != '\0' || number < (is_mtu ? 576 : 1) || number > UINT16_MAX)
            die(is_mtu ? "mtu=%s is not a number from 576 to 65535"
                       : "mss=%s is not a number from 1 to 65535",
                value);
        if (is_mtu)
            net->mtu = (uint32_t)number;
        else
            net->seg_bytes = (uint16_t)number;
        return;
    }
    if (strcmp(name, "local") != 0 && strcmp(name, "remote") != 0 && strcmp(name, "gw") != 0)
        die("there is no flag '%s': local, remote, gw, mtu, mss", name);
    if (weir_prefix_parse(value, &prefix) != 0)
        die("'%s' is not an address", value);
    if (name[0] == 'l') {
        net->local = prefix;
    } else if (name[0] == 'r') {
        net->remote_net = prefix;
        net->remote = prefix.addr;
    } else {
        net->gateway = prefix.addr;
    }
}

/* local=192.168.0.1/16,remote=192.0.2.0/24,gw=192.168.0.1,mtu=1500 */
static void read_flags(struct drill_net *net, const char *flags)
{
    while (flags != NULL && *flags != '\0') {
        char part[VALUE_MAX];
        size_t len = strcspn(flags, ",");
        char *equals;

        (void)snprintf(part, sizeof part, "%.*s", (int)len, flags);
        equals = strchr(part, '=');
        if (equals == NULL || len >= sizeof part)
            die("'%s' is not name=value", part);
        else
            *equals = '\0', set_flag(net, part, equals + 1);
        flags += len + (flags[len] == ',');
    }
}

static struct adapter *open_adapter(const char *flags)
{
    struct adapter *a = calloc(1, sizeof *a);
    struct drill_world_options options = {.limit_ns = LIMIT_NS, .has_placeholders = true};

    drill_net_init(&options.net, DRILL_IPV4);
    read_flags(&options.net, flags);
    if (a != NULL) {
        a->segs_joined = 2;
        a->first = pthread_self();
    }
    if (a != NULL)
        a->world = drill_world_open(&options);
    if (a == NULL || a->world == NULL)
        die("%s", "the network cannot be set up");
    else
        a->target = drill_world_target(a->world);
    return a;
}

__attribute__((visibility("default"))) void packetdrill_interface_init(
    const char *flags, struct packetdrill_interface *i)
{
    *i = (struct packetdrill_interface){
        .userdata = open_adapter(flags),
        .free = on_free,
        .socket = on_socket,
        .bind = on_bind,
        .listen = on_listen,
        .accept = on_accept,
        .connect = on_connect,
        .read = on_read,
        .readv = on_readv,
        .recv = on_recv,
        .recvfrom = on_recvfrom,
        .recvmsg = on_recvmsg,
        .write = on_write,
        .writev = on_writev,
        .send = on_send,
        .sendto = on_sendto,
        .sendmsg = on_sendmsg,
        .fcntl = on_fcntl,
        .ioctl = on_ioctl,
        .close = on_close,
        .shutdown = on_shutdown,
        .getsockopt = on_getsockopt,
        .setsockopt = on_setsockopt,
        .poll = on_poll,
        .netdev_send = on_netdev_send,
        .netdev_receive = on_netdev_receive,
        .usleep = on_usleep,
        .gettimeofday = on_gettimeofday,
        .epoll_create = on_epoll_create,
        .epoll_ctl = on_epoll_ctl,
        .epoll_wait = on_epoll_wait,
        .pipe = on_pipe,
        .splice = on_splice,
    };
}
