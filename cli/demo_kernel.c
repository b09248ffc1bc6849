/*
 * demo_kernel.c - an actor over the kernel's sockets, and curl
 *
 * Nothing blocks: the same thread runs Weir's stack, which the kernel's answers wait for.
 */
#include "cli/demo_kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/say.h"

static struct kernel_actor *self(struct actor *a)
{
    return (struct kernel_actor *)a;
}

static struct sockaddr_in sockaddr_of(const struct weir_endpoint *endpoint)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(endpoint->port)};

    memcpy(&in.sin_addr, endpoint->addr.b + 12, sizeof in.sin_addr);
    return in;
}

static int code_of(int os)
{
    switch (os) {
    case 0: return WEIR_OK;
    case ECONNREFUSED: return WEIR_ECONNREFUSED;
    case ECONNRESET: return WEIR_ECONNRESET;
    case ETIMEDOUT: return WEIR_ETIMEDOUT;
    default: return WEIR_ECONNABORTED;
    }
}

/* In these scenes it is Weir that listens. */
static int do_listen(struct actor *a)
{
    (void)a;
    return WEIR_ENOTSUP;
}

static int do_connect(struct actor *a)
{
    struct sockaddr_in to = sockaddr_of(&a->remote);
    int size = (int)a->recv_buffer_bytes;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    self(a)->fd = fd;
    if (fd < 0)
        return WEIR_ENOMEM;
    if (size > 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (connect(fd, (const struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS)
        return code_of(errno);
    return WEIR_OK;
}

static void do_shutdown(struct actor *a)
{
    (void)shutdown(self(a)->fd, SHUT_WR);
}

static void do_close(struct actor *a)
{
    kernel_actor_fini(self(a));
}

/* A socket in repair mode is closed without a word [CRIU's way to move a connection away]. */
static void do_forget(struct actor *a)
{
    int on = 1;

    if (setsockopt(self(a)->fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof on) != 0)
        a->error = WEIR_ENOTSUP;
    kernel_actor_fini(self(a));
}

static void note_end(struct actor *a, int os)
{
    a->has_ended = true;
    a->error = code_of(os);
}

/* A connect that is under way ends when the socket is writable. */
static void check_connected(struct actor *a)
{
    struct pollfd ready = {self(a)->fd, POLLOUT, 0};
    socklen_t len = sizeof(int);
    int os = 0;

    if (poll(&ready, 1, 0) != 1)
        return;
    (void)getsockopt(self(a)->fd, SOL_SOCKET, SO_ERROR, &os, &len);
    if (os != 0)
        note_end(a, os);
    else
        a->is_connected = true;
}

static bool take_in(struct actor *a)
{
    char bytes[4096];
    bool done = false;
    ssize_t len;

    if (a->is_paused || a->has_read_end)
        return false;
    while ((len = recv(self(a)->fd, bytes, sizeof bytes, 0)) > 0) {
        a->received_bytes += (uint64_t)len;
        done = true;
    }
    if (len < 0 && errno != EAGAIN && errno != EINTR)
        note_end(a, errno);
    a->has_read_end = len == 0;
    return done || len == 0;
}

static bool send_out(struct actor *a)
{
    const char *bytes;
    bool done = false;

    while (a->to_send > 0) {
        uint32_t len = actor_next(a, &bytes);
        ssize_t taken =
            send(self(a)->fd, bytes, len, MSG_NOSIGNAL | (a->to_send > len ? MSG_MORE : 0));
        if (taken <= 0)
            break;
        a->to_send -= (uint32_t)taken;
        a->sent += (uint64_t)taken;
        done = true;
    }
    return done;
}

static bool do_work(struct actor *a)
{
    bool done;

    if (self(a)->fd < 0 || a->has_ended)
        return false;
    if (!a->is_connected) {
        check_connected(a);
        return a->is_connected || a->has_ended;
    }
    done = take_in(a);
    return send_out(a) || done;
}

static const struct actor_ops ops = {do_listen, do_connect, do_shutdown,
                                     do_close,  do_forget,  do_work};

void kernel_actor_init(struct kernel_actor *a)
{
    *a = (struct kernel_actor){.fd = -1};
    actor_init(&a->actor, &ops);
}

void kernel_actor_fini(struct kernel_actor *a)
{
    if (a->fd >= 0)
        (void)close(a->fd);
    a->fd = -1;
}

/* ---- programs ---- */

bool program_exists(const char *name)
{
    const char *path = getenv("PATH");
    char file[4096];

    while (path != NULL && *path != '\0') {
        size_t len = strcspn(path, ":");
        (void)snprintf(file, sizeof file, "%.*s/%s", (int)len, path, name);
        if (access(file, X_OK) == 0)
            return true;
        path += len + (path[len] == ':');
    }
    return false;
}

bool program_start(struct program *p, const char *const *argv)
{
    int ends[2];

    *p = (struct program){.fd = -1};
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0 || (p->pid = fork()) < 0) {
        say("cannot start %s: %s", argv[0], strerror(errno));
        return false;
    }
    if (p->pid == 0) {
        (void)fcntl(ends[1], F_SETFL, 0);
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)dup2(ends[1], STDERR_FILENO);
        (void)execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    (void)close(ends[1]);
    p->fd = ends[0];
    return true;
}

bool program_work(struct program *p)
{
    char rest[512];
    ssize_t len;

    if (p->fd < 0)
        return true;
    do {
        size_t room = sizeof p->output - 1 - p->output_len;
        len =
            read(p->fd, room > 0 ? p->output + p->output_len : rest, room > 0 ? room : sizeof rest);
        if (len > 0 && room > 0)
            p->output_len += (size_t)len;
    } while (len > 0);
    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    (void)close(p->fd);
    p->fd = -1;
    (void)waitpid(p->pid, &p->status, 0);
    return true;
}
