/*
 * peer.c - many flows over the kernel's sockets: the other end of transfer.c
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "interop/flow.h"
#include "interop/options.h"

enum {
    BUFFER = 256 * 1024,
    BACKLOG = 4096,
};

struct conn {
    struct flow flow;
    int fd;
    int64_t opened_ms;
    bool over, connected;
};

struct peer {
    struct options o;
    struct sockaddr_storage addr;
    socklen_t addr_len;
    int epoll, listener;
    struct conn *conns;
    uint32_t opened, over, wrong, fast;
    int64_t begin_ms, end_ms, next_ms;
};

static uint8_t buffer[BUFFER];

_Noreturn static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* "192.0.2.1:80" or "[2001:db8::1]:80" */
static void take_address(struct peer *p)
{
    struct sockaddr_in *in4 = (struct sockaddr_in *)&p->addr;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&p->addr;
    const char *colon = strrchr(p->o.endpoint, ':');
    char text[64];
    uint16_t port;

    if (colon == NULL || (size_t)(colon - p->o.endpoint) >= sizeof text)
        fail(p->o.endpoint);
    port = htons((uint16_t)atoi(colon + 1));
    snprintf(text, sizeof text, "%.*s", (int)(colon - p->o.endpoint), p->o.endpoint);
    if (text[0] == '[') {
        text[strlen(text) - 1] = 0;
        in6->sin6_family = AF_INET6;
        in6->sin6_port = port;
        p->addr_len = sizeof *in6;
        if (inet_pton(AF_INET6, text + 1, &in6->sin6_addr) != 1)
            fail(text);
        return;
    }
    in4->sin_family = AF_INET;
    in4->sin_port = port;
    p->addr_len = sizeof *in4;
    if (inet_pton(AF_INET, text, &in4->sin_addr) != 1)
        fail(text);
}

/* ---- one connection ---- */

/* Did data go with its SYN? */
static bool is_fast(const struct conn *c)
{
    struct tcp_info info;
    socklen_t len = sizeof info;

    return getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0
           && (info.tcpi_options & TCPI_OPT_SYN_DATA);
}

static void finish(struct peer *p, struct conn *c, const char *wrong)
{
    if (c->over)
        return;
    c->over = true;
    p->over++;
    p->fast += is_fast(c);
    p->next_ms = now_ms() + p->o.rest_ms;
    if (wrong != NULL && p->wrong++ < 5)
        fprintf(stderr, "kernel's connection %u: %s (sent %" PRIu64 ", received %" PRIu64 ")\n",
                c->flow.id, wrong, c->flow.sent, c->flow.received);
    close(c->fd);
}

static void on_error(struct peer *p, struct conn *c)
{
    const char *name = strerrorname_np(errno);

    if (errno == EAGAIN)
        return;
    finish(p, c, p->o.expect != NULL && strcmp(p->o.expect, name) == 0 ? NULL : strerror(errno));
}

static void send_more(struct peer *p, struct conn *c)
{
    const uint8_t *bytes;
    size_t len;

    while (!c->over && (len = flow_next(&c->flow, &bytes)) > 0) {
        ssize_t sent = send(c->fd, bytes, len, MSG_NOSIGNAL);

        if (sent < 0) {
            on_error(p, c);
            return;
        }
        flow_on_sent(&c->flow, (size_t)sent);
    }
    if (!c->over && flow_wants_end(&c->flow)) {
        shutdown(c->fd, SHUT_WR);
        flow_on_end_sent(&c->flow);
    }
}

static bool is_paused(const struct peer *p, const struct conn *c)
{
    return (p->o.together && p->opened < p->o.count) || now_ms() < c->opened_ms + p->o.pause_ms;
}

static bool may_pause(const struct peer *p)
{
    return p->o.together || p->o.pause_ms > 0;
}

static void receive_more(struct peer *p, struct conn *c)
{
    while (!c->over && !c->flow.end_received && !is_paused(p, c)) {
        ssize_t len = recv(c->fd, buffer, sizeof buffer, 0);

        if (len < 0) {
            on_error(p, c);
            return;
        }
        if (len == 0)
            flow_on_end(&c->flow);
        else
            flow_on_received(&c->flow, buffer, (size_t)len);
    }
}

/* What the kernel knows of the connection, if it has come to an error. */
static bool has_failed(struct peer *p, struct conn *c)
{
    socklen_t len = sizeof errno;

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &errno, &len) == 0 && errno == 0)
        return false;
    on_error(p, c);
    return true;
}

static void go_on(struct peer *p, struct conn *c)
{
    if (c->over)
        return;
    receive_more(p, c);
    send_more(p, c);
    if (flow_is_over(&c->flow))
        finish(p, c, c->flow.wrong);
}

/* ---- all of them ---- */

static void add_conn(struct peer *p, int fd)
{
    struct conn *c = &p->conns[p->opened];
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data.u32 = p->opened};

    if (p->begin_ms == 0)
        p->begin_ms = now_ms();
    flow_init(&c->flow, &p->o.plan, p->opened);
    c->fd = fd;
    c->opened_ms = now_ms();
    p->opened++;
    if (epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        fail("epoll_ctl");
}

static void set(int fd, int level, int option, int value)
{
    if (setsockopt(fd, level, option, &value, sizeof value) != 0)
        fail("setsockopt");
}

/* The same key for whoever has a mapped or a plain address. */
static void set_md5(const struct peer *p, int fd)
{
    struct tcp_md5sig sig = {.tcpm_keylen = (uint16_t)strlen(p->o.md5),
                             .tcpm_flags = TCP_MD5SIG_FLAG_PREFIX};

    memcpy(sig.tcpm_key, p->o.md5, sig.tcpm_keylen);
    sig.tcpm_addr.ss_family = p->addr.ss_family;
    if (setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG_EXT, &sig, sizeof sig) != 0)
        fail("TCP_MD5SIG_EXT");
}

static int open_socket(const struct peer *p, int flags)
{
    int fd = socket(p->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

    if (fd < 0)
        fail("socket");
    set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (p->o.nodelay)
        set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (p->o.keepalive_ms > 0) {
        set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
        set(fd, IPPROTO_TCP, TCP_KEEPIDLE, (int)((p->o.keepalive_ms + 999) / 1000));
        set(fd, IPPROTO_TCP, TCP_KEEPINTVL, (int)((p->o.keepalive_ms + 999) / 1000));
        set(fd, IPPROTO_TCP, TCP_KEEPCNT, 2);
    }
    if (p->o.md5 != NULL)
        set_md5(p, fd);
    if (p->o.fastopen)
        set(fd, IPPROTO_TCP, p->o.listens ? TCP_FASTOPEN : TCP_FASTOPEN_CONNECT,
            p->o.listens ? BACKLOG : 1);
    if (p->o.user_timeout_ms > 0)
        set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)p->o.user_timeout_ms);
    return fd;
}

/* A fixed port may not be free yet. */
static bool connect_next(struct peer *p)
{
    int fd = open_socket(p, SOCK_NONBLOCK);
    struct sockaddr_storage local = {.ss_family = p->addr.ss_family};

    ((struct sockaddr_in *)&local)->sin_port = htons(p->o.local_port); /* in6 has it there too */
    if (p->o.local_port != 0 && bind(fd, (struct sockaddr *)&local, p->addr_len) != 0)
        fail("bind");
    if (connect(fd, (struct sockaddr *)&p->addr, p->addr_len) == 0 || errno == EINPROGRESS) {
        add_conn(p, fd);
        return true;
    }
    if (errno != EADDRNOTAVAIL || !p->o.one_by_one)
        fail("connect");
    close(fd);
    return false;
}

static void open_more(struct peer *p)
{
    uint32_t most = p->o.one_by_one ? p->over + 1 : p->o.count;

    if (now_ms() < p->next_ms)
        return;
    while (!p->o.listens && p->opened < p->o.count && p->opened < most && connect_next(p))
        continue;
}

static void begin_listening(struct peer *p)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = UINT32_MAX};

    p->listener = open_socket(p, 0);
    if (bind(p->listener, (struct sockaddr *)&p->addr, p->addr_len) != 0)
        fail("bind");
    if (listen(p->listener, BACKLOG) != 0)
        fail("listen");
    if (epoll_ctl(p->epoll, EPOLL_CTL_ADD, p->listener, &event) != 0)
        fail("epoll_ctl");
}

static void accept_one(struct peer *p)
{
    int fd = accept4(p->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return;
    if (p->opened == p->o.count)
        close(fd);
    else
        add_conn(p, fd);
}

static void on_ready(struct peer *p, const struct epoll_event *event)
{
    struct conn *c;

    if (event->data.u32 == UINT32_MAX) {
        accept_one(p);
        return;
    }
    c = &p->conns[event->data.u32];
    if ((event->events & EPOLLERR) && !c->over && has_failed(p, c))
        return;
    go_on(p, c);
}

static void run(struct peer *p)
{
    int64_t until = now_ms() + (int64_t)p->o.timeout_s * 1000;

    while (p->over < p->o.count && now_ms() < until) {
        struct epoll_event events[64];
        int count;

        open_more(p);
        count = epoll_wait(p->epoll, events, 64,
                           p->o.pause_ms > 0 ? 50
                           : p->o.one_by_one ? 1
                                             : 500);
        for (int i = 0; i < count; i++)
            on_ready(p, &events[i]);
        for (uint32_t i = 0; may_pause(p) && i < p->opened; i++)
            go_on(p, &p->conns[i]);
    }
    p->end_ms = now_ms();
}

static int report(const struct peer *p)
{
    uint64_t sent = 0, received = 0;
    double seconds = p->begin_ms == 0 ? 0 : (double)(p->end_ms - p->begin_ms) / 1e3;

    for (uint32_t i = 0; i < p->opened; i++) {
        sent += p->conns[i].flow.sent;
        received += p->conns[i].flow.received;
    }
    printf("kernel: %u of %u connections, %" PRIu64 " bytes out, %" PRIu64 " in, %.3f s\n", p->over,
           p->o.count, sent, received, seconds);
    printf("%u with data in the SYN\n", p->fast);
    for (uint32_t i = 0, said = 0; i < p->opened && said < 5; i++) {
        if (p->conns[i].over)
            continue;
        said++;
        fprintf(stderr, "kernel's connection %u: sent %" PRIu64 ", received %" PRIu64 "\n",
                p->conns[i].flow.id, p->conns[i].flow.sent, p->conns[i].flow.received);
    }
    return p->over == p->o.count && p->wrong == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct rlimit files;
    struct peer p = {0};
    int code;

    options_parse(&p.o, argc, argv);
    take_address(&p);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    p.conns = calloc(p.o.count, sizeof *p.conns);
    p.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (p.conns == NULL || p.epoll < 0)
        fail("setting up");
    if (p.o.listens)
        begin_listening(&p);
    printf("ready\n");
    fflush(stdout);
    run(&p);
    code = report(&p);
    free(p.conns);
    return code;
}
