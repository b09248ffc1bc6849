/*
 * fuzz_posix.c - any socket calls in any order, in virtual time
 *
 * The input is a program of calls over a stack with a loopback interface. What waits lets time
 * pass, or is interrupted. Streams carry bytes that follow from who sends them and where they
 * stand: what is read has to be what was sent. After every call poll has to say the same as recv
 * and epoll; at the end all memory has to be back.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/expect.h"
#include "fuzz/input.h"
#include "fuzz/lent.h"
#include <weir/auth.h>
#include <weir/posix.h>
#include <weir/tcp.h>

enum {
    STEPS = 150,
    FDS = 20,
    BYTES = 9000,
    WAITS = 200,
    PORTS = 4,
    STREAMS = 256,
    FILE_FD = 1000,
    FILE_BYTES = 20000,
};

/* How far a connection has been written and read. */
struct stream {
    weir_handle_t handle;
    uint64_t sent, read;
};

struct run {
    struct input in;
    struct weir *stack;
    struct weir_posix *px;
    weir_ns_t now;
    struct lent_memory memory;
    bool has_urgent; /* urgent bytes are left out of what is read */
    bool
        is_unknown; /* what is sent before the ends are known, or is another stream's, is no pattern */
    bool is_short; /* of memory: things fail that do not otherwise */
    size_t file_pos;
    bool is_odd; /* options make poll and recv disagree */
    struct stream streams[STREAMS];
    size_t stream_count;
};

/* ---- time ---- */

static weir_ns_t now(void *ctx)
{
    const struct run *r = ctx;

    return r->now;
}

/* A wait ends after a few deadlines at the latest, as if a signal had come. */
static int wait(void *ctx, struct weir_px_waiter *waiter, weir_ns_t until)
{
    struct run *r = ctx;

    for (int i = 0; i < WAITS && !waiter->is_woken && r->now < until; i++) {
        weir_ns_t at = weir_deadline(r->stack);

        at = at < until ? at : until;
        if (at == WEIR_NEVER)
            return EINTR;
        if (at > r->now)
            r->now = at;
        weir_advance(r->stack, r->now);
        weir_px_run(r->px);
    }
    return waiter->is_woken || r->now >= until ? 0 : EINTR;
}

/* ---- files and digests ---- */

static ssize_t file_read(void *ctx, int fd, void *bytes, size_t len, int64_t *offset)
{
    struct run *r = ctx;
    size_t pos = offset != NULL ? (size_t)*offset : r->file_pos;

    if (fd != FILE_FD)
        return -EBADF;
    if (pos >= FILE_BYTES)
        return 0;
    len = len < FILE_BYTES - pos ? len : FILE_BYTES - pos;
    memset(bytes, 'f', len);
    if (offset != NULL)
        *offset = (int64_t)(pos + len);
    else
        r->file_pos = pos + len;
    return (ssize_t)len;
}

static ssize_t file_write(void *ctx, int fd, const void *bytes, size_t len, int64_t *offset)
{
    const struct run *r = ctx;

    (void)bytes;
    (void)offset;
    if (fd != FILE_FD)
        return -EBADF;
    return r->now / WEIR_MS % 3 == 0 ? -EAGAIN : (ssize_t)(len + 1) / 2;
}

static void one_digest(void *ctx, enum weir_digest digest, struct weir_slice key,
                       const struct weir_slice *parts, size_t count, uint8_t out[WEIR_DIGEST_MAX])
{
    (void)ctx;
    (void)digest;
    (void)parts;
    (void)count;
    memset(out, key.len > 0 ? key.bytes[0] : 0, WEIR_DIGEST_MAX);
}

/* ---- addresses ---- */

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

static union address take_address(struct run *r, socklen_t *len)
{
    static const char *const four[] = {"127.0.0.1", "0.0.0.0", "127.1.2.3", "192.0.2.1"};
    static const char *const six[] = {"::1", "::", "::ffff:127.0.0.1", "2001:db8::1"};
    uint8_t which = take(&r->in);
    uint16_t port = htons((uint16_t)(5000 + take(&r->in) % (PORTS + 1) - 1));
    union address a;

    memset(&a, 0, sizeof a);
    if (which & 1) {
        a.in6.sin6_family = AF_INET6;
        a.in6.sin6_port = port;
        inet_pton(AF_INET6, six[which >> 1 & 3], &a.in6.sin6_addr);
        *len = sizeof a.in6;
    } else {
        a.in.sin_family = AF_INET;
        a.in.sin_port = port;
        inet_pton(AF_INET, four[which >> 1 & 3], &a.in.sin_addr);
        *len = sizeof a.in;
    }
    if (which >> 4 == 15)
        *len = which;
    if (which >> 4 == 14)
        a.any.sa_family = AF_UNSPEC;
    return a;
}

static int take_fd(struct run *r)
{
    return 3 + take(&r->in) % FDS;
}

/* Of descriptors there are few, so that calls meet. */
static int keep(struct run *r, int fd)
{
    if (fd >= 3 + FDS)
        expect(weir_px_close(r->px, fd) == 0);
    return fd;
}

/* ---- contents ---- */

static struct stream *stream_of(struct run *r, weir_handle_t handle)
{
    for (size_t i = 0; i < r->stream_count; i++)
        if (r->streams[i].handle == handle)
            return &r->streams[i];
    if (r->stream_count == STREAMS)
        return NULL;
    r->streams[r->stream_count] = (struct stream){.handle = handle};
    return &r->streams[r->stream_count++];
}

static uint32_t key_of(const struct weir_endpoint *from, const struct weir_endpoint *to)
{
    return from->port * 7919u + to->port * 104729u + from->addr.b[15] * 31u + to->addr.b[15];
}

static uint8_t byte_at(uint32_t key, uint64_t offset)
{
    uint64_t mixed = (offset + 1) * 0x9e3779b97f4a7c15u ^ key;

    return (uint8_t)(mixed >> 40);
}

static bool is_stream(struct run *r, int fd, weir_handle_t *handle)
{
    struct weir_endpoint remote;
    int type = 0;
    socklen_t len = sizeof type;

    if (weir_px_getsockopt(r->px, fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0 || type != SOCK_STREAM)
        return false;
    *handle = weir_px_handle(r->px, fd);
    return *handle != 0 && weir_remote(r->stack, *handle, &remote) == WEIR_OK;
}

static void fill(struct run *r, weir_handle_t handle, uint8_t *bytes, size_t len)
{
    struct weir_endpoint local, remote;
    const struct stream *s = stream_of(r, handle);

    expect(weir_local(r->stack, handle, &local) == 0
           && weir_remote(r->stack, handle, &remote) == 0);
    for (size_t i = 0; i < len && s != NULL; i++)
        bytes[i] = byte_at(key_of(&local, &remote), s->sent + i);
}

static void compare(struct run *r, weir_handle_t handle, const uint8_t *bytes, size_t len)
{
    struct weir_endpoint local, remote;
    const struct stream *s = stream_of(r, handle);

    if (r->has_urgent || r->is_unknown || weir_local(r->stack, handle, &local) != 0
        || weir_remote(r->stack, handle, &remote) != 0)
        return;
    for (size_t i = 0; i < len && s != NULL; i++)
        expect(bytes[i] == byte_at(key_of(&remote, &local), s->read + i));
}

/* ---- the calls ---- */

static void step_socket(struct run *r)
{
    uint8_t how = take(&r->in);
    int type = (how & 2 ? SOCK_DGRAM : SOCK_STREAM) | (how & 4 ? SOCK_NONBLOCK : 0);

    keep(r, weir_px_socket(r->px, how & 1 ? AF_INET6 : AF_INET, type, how >> 6 == 3 ? how : 0));
}

static void step_bind(struct run *r)
{
    socklen_t len;
    union address a = take_address(r, &len);

    (void)weir_px_bind(r->px, take_fd(r), &a.any, len);
}

static void step_connect(struct run *r)
{
    socklen_t len;
    union address a = take_address(r, &len);

    (void)weir_px_connect(r->px, take_fd(r), &a.any, len);
}

static void step_listen(struct run *r)
{
    (void)weir_px_listen(r->px, take_fd(r), take(&r->in) % 4);
}

static void step_accept(struct run *r)
{
    union address a;
    socklen_t len = sizeof a;
    int fd = keep(r, weir_px_accept4(r->px, take_fd(r), &a.any, &len, 0));

    expect(fd < 0 || len == sizeof a.in || len == sizeof a.in6);
}

/* The usual beginning: a listener, and a connection to it. */
static void step_pair(struct run *r)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;
    int listener = weir_px_socket(r->px, AF_INET, SOCK_STREAM, 0), fd;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (weir_px_bind(r->px, listener, (struct sockaddr *)&at, sizeof at) == 0
        && weir_px_listen(r->px, listener, 1) == 0
        && weir_px_getsockname(r->px, listener, (struct sockaddr *)&at, &len) == 0) {
        fd = weir_px_socket(r->px, AF_INET, SOCK_STREAM, 0);
        expect(weir_px_connect(r->px, fd, (struct sockaddr *)&at, sizeof at) == 0 || r->is_short);
        if (r->is_short) /* there may be nothing to accept */
            (void)weir_px_fcntl(r->px, listener, F_SETFL, O_NONBLOCK);
        keep(r, weir_px_accept(r->px, listener, NULL, NULL));
        keep(r, fd);
    }
    expect(weir_px_close(r->px, listener) == 0);
}

static void step_send(struct run *r)
{
    static const int flags[] = {0, MSG_DONTWAIT, MSG_MORE, MSG_OOB, MSG_ZEROCOPY, MSG_EOR};
    static uint8_t bytes[BYTES];
    int fd = take_fd(r), how = flags[take(&r->in) % 6];
    size_t len = take16(&r->in) % BYTES;
    weir_handle_t handle = 0;
    bool is_checked = is_stream(r, fd, &handle);
    struct stream *s = is_checked ? stream_of(r, handle) : NULL;
    ssize_t sent;

    if (how == MSG_OOB)
        r->has_urgent = true;
    if (is_checked)
        fill(r, handle, bytes, len);
    sent = weir_px_send(r->px, fd, bytes, len, how);
    expect(sent == -1 || (size_t)sent <= len);
    if (sent > 0 && s != NULL)
        s->sent += (uint64_t)sent;
}

static void step_send_to(struct run *r)
{
    static uint8_t bytes[BYTES];
    struct iovec iov[2] = {{bytes, take16(&r->in) % (BYTES / 2)}, {bytes, take(&r->in)}};
    socklen_t len;
    union address a = take_address(r, &len);
    struct msghdr msg = {
        .msg_name = &a, .msg_namelen = len, .msg_iov = iov, .msg_iovlen = take(&r->in) % 3};
    int fd = take_fd(r);
    weir_handle_t handle;

    if (!is_stream(r, fd, &handle)) /* what a stream would carry is not known */
        (void)weir_px_sendmsg(r->px, fd, &msg, MSG_DONTWAIT);
}

/* Connects and sends, or begins what was deferred. */
static void step_send_first(struct run *r)
{
    static uint8_t bytes[BYTES];
    uint8_t how = take(&r->in);
    int fd = take_fd(r), flags = MSG_FASTOPEN | (how & 1 ? MSG_DONTWAIT : 0);
    socklen_t len;
    union address a = take_address(r, &len);
    size_t left = take16(&r->in) % BYTES;
    ssize_t sent;

    if (how & 2)
        flags |= MSG_ZEROCOPY;
    r->is_unknown = true;
    sent = weir_px_sendto(r->px, fd, bytes, left, flags, how & 4 ? NULL : &a.any, len);
    expect(sent == -1 || (size_t)sent <= left);
}

/* A listener and a client that knows its cookie. */
static void step_fastopen(struct run *r)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;
    int listener = weir_px_socket(r->px, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1, fd;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)weir_px_setsockopt(r->px, listener, IPPROTO_TCP, TCP_FASTOPEN, &on, sizeof on);
    if (weir_px_bind(r->px, listener, (struct sockaddr *)&at, sizeof at) == 0
        && weir_px_listen(r->px, listener, 1) == 0
        && weir_px_getsockname(r->px, listener, (struct sockaddr *)&at, &len) == 0) {
        fd = weir_px_socket(r->px, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)weir_px_setsockopt(r->px, fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on);
        (void)weir_px_connect(r->px, fd, (struct sockaddr *)&at, sizeof at);
        keep(r, weir_px_accept(r->px, listener, NULL, NULL));
        keep(r, fd);
        r->is_unknown = true;
    }
    keep(r, listener);
}

static void step_key(struct run *r)
{
    uint8_t how = take(&r->in);
    struct tcp_md5sig sig = {.tcpm_flags = how & 1, .tcpm_prefixlen = take(&r->in)};
    socklen_t len;
    union address a = take_address(r, &len);
    int name = how & 2 ? TCP_MD5SIG_EXT : TCP_MD5SIG;

    sig.tcpm_keylen = how >> 2;
    memset(sig.tcpm_key, how & 4, sizeof sig.tcpm_key);
    memcpy(&sig.tcpm_addr, &a, sizeof a);
    (void)weir_px_setsockopt(r->px, take_fd(r), IPPROTO_TCP, name, &sig, sizeof sig);
}

static void step_recv_error(struct run *r)
{
    char bytes[100], control[64];
    struct iovec iov = {bytes, take(&r->in) % sizeof bytes};
    union address a;
    struct msghdr msg = {.msg_name = &a,
                         .msg_namelen = sizeof a,
                         .msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control,
                         .msg_controllen = take(&r->in) % sizeof control};
    size_t room = msg.msg_controllen;
    ssize_t got = weir_px_recvmsg(r->px, take_fd(r), &msg, MSG_ERRQUEUE);

    expect(got == -1 || ((size_t)got <= iov.iov_len && msg.msg_controllen <= room));
}

static void step_recv(struct run *r)
{
    static const int flags[] = {0, MSG_DONTWAIT, MSG_PEEK, MSG_TRUNC, MSG_WAITALL, MSG_OOB};
    static uint8_t bytes[BYTES];
    int fd = take_fd(r), how = flags[take(&r->in) % 6];
    size_t len = take16(&r->in) % BYTES;
    weir_handle_t handle = 0;
    bool is_checked = is_stream(r, fd, &handle);
    struct stream *s = is_checked ? stream_of(r, handle) : NULL;
    ssize_t got = weir_px_recv(r->px, fd, bytes, len, how);

    expect(got == -1 || (size_t)got <= len || how == MSG_TRUNC);
    if (got <= 0 || s == NULL || how == MSG_OOB || r->is_odd)
        return;
    if (how != MSG_TRUNC)
        compare(r, handle, bytes, (size_t)got);
    if (how != MSG_PEEK)
        s->read += (uint64_t)got;
}

static void step_shutdown(struct run *r)
{
    (void)weir_px_shutdown(r->px, take_fd(r), take(&r->in) % 4);
}

static void step_close(struct run *r)
{
    (void)weir_px_close(r->px, take_fd(r));
}

static void step_dup(struct run *r)
{
    int fd = take_fd(r);
    uint8_t how = take(&r->in);

    if (how % 4 == 0)
        (void)weir_px_dup2(r->px, fd, 3 + how % FDS);
    else if (how % 4 == 1)
        keep(r, weir_px_fcntl(r->px, fd, F_DUPFD, how % FDS));
    else if (how % 4 == 2)
        (void)weir_px_fcntl(r->px, fd, F_SETFL, how & 4 ? O_NONBLOCK : 0);
    else
        keep(r, weir_px_dup(r->px, fd));
}

static void step_option(struct run *r)
{
    static const int levels[] = {SOL_SOCKET, IPPROTO_IP, IPPROTO_TCP, IPPROTO_IPV6};
    int level = levels[take(&r->in) % 4], name = take(&r->in) % 80, fd = take_fd(r);
    uint8_t value[64] = {0};
    socklen_t len = take(&r->in) % sizeof value;

    for (size_t i = 0; i < 8; i++)
        value[i] = i < 2 ? take(&r->in) : value[1] == 255 ? 255 : 0;
    if (level == SOL_SOCKET && (name == SO_RCVLOWAT || name == SO_PEEK_OFF || name == SO_OOBINLINE))
        r->is_odd = true;
    (void)weir_px_setsockopt(r->px, fd, level, name, value, len);
    (void)weir_px_getsockopt(r->px, fd, level, name, value, &len);
    expect(len <= sizeof value);
}

static void step_ioctl(struct run *r)
{
    static const unsigned long requests[] = {0x541b, 0x5411, 0x8905, 0x894b, 0x5421, 7};
    int value = 0, fd = take_fd(r);
    unsigned long request = requests[take(&r->in) % 6];

    if (weir_px_ioctl(r->px, fd, request, &value) == 0)
        expect(value >= 0);
}

static void step_epoll(struct run *r)
{
    uint8_t how = take(&r->in);
    struct epoll_event event = {.events = (uint32_t)take(&r->in) & 0x1f};

    if (how & 1)
        event.events |= EPOLLET;
    if (how & 2)
        event.events |= EPOLLONESHOT;
    if (how & 4)
        event.events |= EPOLLRDHUP;
    if (how & 8)
        event.events |= EPOLLEXCLUSIVE;
    if (how >> 6 == 0)
        keep(r, weir_px_epoll_create1(r->px, 0));
    else
        (void)weir_px_epoll_ctl(r->px, take_fd(r), 1 + how % 3, take_fd(r), &event);
}

static void step_wait(struct run *r)
{
    struct pollfd fds[3];
    struct epoll_event events[4];
    int timeout_ms = take(&r->in) % 8 - 1, count;

    for (int i = 0; i < 3; i++)
        fds[i] = (struct pollfd){.fd = take_fd(r), .events = take(&r->in)};
    count = weir_px_poll(r->px, fds, 3, timeout_ms);
    expect(count <= 3);
    count = weir_px_epoll_wait(r->px, take_fd(r), events, 4, timeout_ms);
    expect(count <= 4);
}

static void step_splice(struct run *r)
{
    weir_handle_t from = 0, to = 0;
    int in = take_fd(r), out = take_fd(r);

    if (is_stream(r, in, &from) && is_stream(r, out, &to) && in != out) {
        r->is_unknown = true;
        (void)weir_px_splice(r->px, in, NULL, out, NULL, take16(&r->in), take(&r->in) & 7);
    }
}

static void step_file(struct run *r)
{
    uint8_t how = take(&r->in);
    int fd = take_fd(r);
    int64_t offset = take(&r->in) * 100, before = offset, *at = how & 1 ? &offset : NULL;
    size_t len = take16(&r->in);
    ssize_t moved;

    r->is_unknown = true;
    if (how & 2)
        moved = weir_px_sendfile(r->px, fd, FILE_FD, at, len);
    else if (how & 4)
        moved = weir_px_splice(r->px, FILE_FD, at, fd, NULL, len, how >> 5);
    else
        moved = weir_px_splice(r->px, fd, NULL, FILE_FD, at, len, how >> 5);
    expect(moved == -1 || (size_t)moved <= len);
    if (how & 6)
        expect(offset - before == (at != NULL && moved > 0 ? moved : 0));
}

static void step_memory(struct run *r)
{
    struct weir_px_send_memory memory = {.largest_bytes = 4096u + take(&r->in) * 1000u};
    uint8_t how = take(&r->in);

    memory.counts_overhead = (how & 1) != 0;
    memory.notsent_lowat_bytes = how & 2 ? how * 100u : 0;
    if (how & 4)
        weir_px_send_memory(r->px, &memory);
    if (how & 8) {
        r->memory.fail_in = how >> 4;
        r->is_short = true;
    }
}

/* Options without which some calls have nothing to do. */
static void step_linger(struct run *r)
{
    uint8_t how = take(&r->in);
    struct linger linger = {how & 1, how >> 4};
    int on = how & 2, fd = take_fd(r);

    (void)weir_px_setsockopt(r->px, fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    (void)weir_px_setsockopt(r->px, fd, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on);
    (void)weir_px_setsockopt(r->px, fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
}

static void step_time(struct run *r)
{
    weir_ns_t until = r->now + (weir_ns_t)(take16(&r->in) % 2000) * WEIR_MS;
    struct weir_px_waiter nobody = {0};

    (void)wait(r, &nobody, until);
}

static void step_names(struct run *r)
{
    union address a;
    socklen_t len = take(&r->in) % 40;
    int fd = take_fd(r);
    uint8_t room[64];

    memset(&a, 0, sizeof a);
    if (weir_px_getsockname(r->px, fd, (struct sockaddr *)(void *)room, &len) == 0)
        expect(len == sizeof a.in || len == sizeof a.in6);
    len = sizeof a;
    (void)weir_px_getpeername(r->px, fd, &a.any, &len);
}

static void (*const steps[])(struct run *) = {
    step_socket, step_bind,     step_connect, step_listen,   step_accept,     step_pair,
    step_pair,   step_send,     step_send,    step_recv,     step_recv,       step_send_to,
    step_close,  step_shutdown, step_dup,     step_ioctl,    step_epoll,      step_wait,
    step_option, step_splice,   step_time,    step_names,    step_file,       step_send_first,
    step_key,    step_memory,   step_linger,  step_fastopen, step_recv_error,
};

/* ---- what has to hold ---- */

static bool is_listener(struct run *r, int fd)
{
    int value = 0;
    socklen_t len = sizeof value;

    return weir_px_getsockopt(r->px, fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &len) == 0
           && value != 0;
}

/* What poll calls readable can be read without waiting, and nothing else. */
static void check_reading(struct run *r, int fd, unsigned ready)
{
    ssize_t got;
    char byte;

    if (ready & (POLLERR | POLLNVAL) || r->is_odd || r->has_urgent || is_listener(r, fd))
        return;
    got = weir_px_recv(r->px, fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got == -1 && errno == ENOTSOCK)
        return;
    if (!(ready & POLLIN))
        expect(got == -1 && (errno == EAGAIN || errno == ENOTCONN));
    else if (got == -1) /* a datagram socket that was shut down */
        expect(errno == EAGAIN && (ready & POLLRDHUP));
}

/* A new set says of a descriptor what poll says. */
static void check_epoll(struct run *r, int fd, unsigned ready)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP};
    int set = weir_px_epoll_create1(r->px, 0), count;

    expect(set >= 0);
    if (weir_px_epoll_ctl(r->px, set, EPOLL_CTL_ADD, fd, &event) == 0) {
        count = weir_px_epoll_wait(r->px, set, &event, 1, 0);
        expect(count == (ready != 0));
        expect(count == 0 || event.events == ready);
    }
    expect(weir_px_close(r->px, set) == 0);
}

static void check(struct run *r, int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP};

    expect(weir_px_poll(r->px, &p, 1, 0) == (p.revents != 0));
    expect(weir_px_is_open(r->px, fd) == !(p.revents & POLLNVAL));
    if (p.revents & POLLNVAL)
        return;
    check_reading(r, fd, (unsigned short)p.revents);
    check_epoll(r, fd, (unsigned short)p.revents);
}

/* ---- before and after ---- */

static void begin(struct run *r)
{
    struct weir_netif_config lo = {
        .name = "lo", .link = WEIR_LINK_IP, .mtu = 65535, .loopback = true};
    static const struct weir_crypto crypto = {.digest = one_digest};
    struct weir_prefix four, six;
    struct weir_px_config px;
    struct weir_config config;

    r->now = 1000 * WEIR_S;
    weir_config_init(&config);
    config.secret[0] = 7;
    config.crypto = &crypto;
    config.allocator = lent_allocator(&r->memory);
    expect(weir_create(&config, r->now, &r->stack) == 0);
    weir_px_config_init(&px);
    expect(weir_netif_add(r->stack, &lo, &px.loopback) == 0);
    expect(weir_prefix_parse("127.0.0.1/8", &four) == 0 && weir_prefix_parse("::1", &six) == 0);
    expect(weir_addr_add(r->stack, px.loopback, &four) == 0);
    expect(weir_addr_add(r->stack, px.loopback, &six) == 0);
    px.fd_limit = 64;
    px.hook = (struct weir_px_hook){.ctx = r,
                                    .now = now,
                                    .wait = wait,
                                    .files_ctx = r,
                                    .file_read = file_read,
                                    .file_write = file_write};
    expect(weir_px_create(r->stack, &px, &r->px) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct run r = {.in = {bytes, len}};

    begin(&r);
    for (int i = 0; i < STEPS && r.in.len > 0; i++) {
        steps[take(&r.in) % (sizeof steps / sizeof steps[0])](&r);
        check(&r, 3 + i % FDS);
    }
    weir_px_destroy(&r.px);
    weir_destroy(&r.stack);
    expect(r.memory.blocks == 0);
    return 0;
}
