/*
 * calls.c - the calls that scripts make
 *
 * A function for each. It reads its arguments, makes the call if all of them were readable, and
 * compares what the call has filled in. ... stands for what is usual: the addresses of the
 * script's network, a buffer of zeros.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>

#include "drill/job.h"
#include "drill/names.h"

enum {
    POLL_MAX = 64,
    OPTION_MAX = 256,
    DATAGRAM_MAX = 65535,
};

#define CALL(job, name, ...)                                                                       \
    ((job)->failed ? -1L : (long)(job)->target->calls.name((job)->target->ctx, __VA_ARGS__))

/* ---- addresses ---- */

static void put_v4(struct sockaddr_storage *to, const struct weir_addr *addr, uint16_t port,
                   socklen_t *len)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};

    memcpy(&in.sin_addr, addr->b + 12, 4);
    memcpy(to, &in, sizeof in);
    *len = sizeof in;
}

static void put_v6(struct sockaddr_storage *to, const struct weir_addr *addr, uint16_t port,
                   socklen_t *len)
{
    struct sockaddr_in6 in = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

    memcpy(&in.sin6_addr, addr->b, 16);
    memcpy(to, &in, sizeof in);
    *len = sizeof in;
}

static void usual_address(struct drill_job *job, const struct weir_addr *addr, uint16_t port)
{
    if (job->target->net.family == DRILL_IPV4)
        put_v4(&job->addr, addr, port, &job->addr_len);
    else
        put_v6(&job->addr, addr, port, &job->addr_len);
}

/* {sa_family = AF_INET, sin_port = htons(80), sin_addr = inet_addr("192.0.2.1")} */
static void written_address(struct drill_job *job, const struct drill_expr *expr)
{
    const struct drill_expr *family = drill_job_member(expr, "sa_family");
    const struct drill_expr *port = drill_job_member(expr, "sin_port");
    const struct drill_expr *addr = drill_job_member(expr, "sin_addr");
    struct weir_addr parsed;

    if (family == NULL || port == NULL || addr == NULL || addr->kind != DRILL_EXPR_CALL
        || addr->first == NULL || addr->first->kind != DRILL_EXPR_STRING
        || weir_addr_parse(addr->first->text, &parsed) != 0) {
        drill_job_fail(job, expr->at,
                       "... or {sa_family = F, sin_port = htons(P), sin_addr = inet_addr(\"A\")} "
                       "is expected here");
    } else if (drill_job_number(job, family) == AF_INET) {
        put_v4(&job->addr, &parsed, ntohs((uint16_t)drill_job_number(job, port)), &job->addr_len);
    } else {
        put_v6(&job->addr, &parsed, ntohs((uint16_t)drill_job_number(job, port)), &job->addr_len);
    }
}

static const struct sockaddr *address(struct drill_job *job, size_t index, bool is_local)
{
    const struct drill_net *net = &job->target->net;
    const struct drill_expr *expr = job->args[index];

    if (expr->kind == DRILL_EXPR_STRUCT) {
        written_address(job, expr);
    } else {
        usual_address(job, is_local ? &net->local.addr : &net->remote,
                      is_local ? net->local_port : net->remote_port);
        if (expr->kind == DRILL_EXPR_WORD) /* AF_UNSPEC */
            job->addr.ss_family = (sa_family_t)drill_job_number(job, expr);
    }
    return (const struct sockaddr *)&job->addr;
}

const struct sockaddr *drill_job_peer(struct drill_job *job)
{
    usual_address(job, &job->target->net.remote, job->target->net.remote_port);
    return (const struct sockaddr *)&job->addr;
}

/* ---- buffers ---- */

/* "text", or zeros; NULL stands for a null pointer. */
static void *buffer(struct drill_job *job, size_t index, size_t len)
{
    const struct drill_expr *expr = job->args[index];
    char *bytes;

    if (expr->kind == DRILL_EXPR_WORD && strcmp(expr->text, "NULL") == 0)
        return NULL;
    bytes = drill_job_bytes(job, len);
    if (bytes != NULL && expr->kind == DRILL_EXPR_STRING)
        memcpy(bytes, expr->text, len < expr->len ? len : expr->len);
    return bytes;
}

static size_t length(struct drill_job *job, size_t index)
{
    int64_t len = drill_job_arg(job, index);

    if (len < 0 || len > DRILL_BYTES_MAX)
        drill_job_fail(job, job->args[index]->at, "a length is from 0 to %d", DRILL_BYTES_MAX);
    return job->failed ? 0 : (size_t)len;
}

/* After a read into a buffer for which the script has a text. */
static void compare_text(struct drill_job *job, size_t index, const void *bytes, long count)
{
    const struct drill_expr *expr = job->args[index];

    if (count < 0 || expr->kind != DRILL_EXPR_STRING)
        return;
    if (memcmp(expr->text, bytes, (size_t)count < expr->len ? (size_t)count : expr->len) != 0)
        drill_job_fail(job, expr->at, "other bytes were read than these");
}

/* ---- making and ending connections ---- */

static long call_socket(struct drill_job *job)
{
    int usual = job->target->net.family == DRILL_IPV4 ? AF_INET : AF_INET6;
    int domain = drill_job_is_open(job->args[0]) ? usual : drill_job_int(job, 0);

    job->makes_fd = true;
    job->type = drill_job_int(job, 1);
    return CALL(job, socket, domain, job->type, drill_job_int(job, 2));
}

static long call_bind(struct drill_job *job)
{
    int fd = drill_job_fd(job, 0);
    const struct sockaddr *addr = address(job, 1, true);

    return CALL(job, bind, fd, addr, job->addr_len);
}

static long call_listen(struct drill_job *job)
{
    int fd = drill_job_fd(job, 0), backlog = drill_job_int(job, 1);

    return CALL(job, listen, fd, backlog);
}

static long call_accept(struct drill_job *job)
{
    int fd = drill_job_fd(job, 0);

    job->makes_fd = true;
    job->addr_len = sizeof job->addr;
    return CALL(job, accept, fd, (struct sockaddr *)&job->addr, &job->addr_len);
}

static long call_connect(struct drill_job *job)
{
    int fd = drill_job_fd(job, 0);
    const struct sockaddr *addr = address(job, 1, false);

    return CALL(job, connect, fd, addr, job->addr_len);
}

static long call_close(struct drill_job *job)
{
    job->closes_fd = true;
    return CALL(job, close, drill_job_fd(job, 0));
}

static long call_shutdown(struct drill_job *job)
{
    int fd = drill_job_fd(job, 0), how = drill_job_int(job, 1);

    return CALL(job, shutdown, fd, how);
}

/* ---- reading and writing ---- */

static long call_read(struct drill_job *job)
{
    int fd = drill_job_fd(job, 0);
    size_t len = length(job, 2);
    struct iovec iov = {buffer(job, 1, len), len};
    long count = CALL(job, readv, fd, &iov, 1);

    compare_text(job, 1, iov.iov_base, count);
    return count;
}

static long call_write(struct drill_job *job)
{
    int fd = drill_job_fd(job, 0);
    size_t len = length(job, 2);
    struct iovec iov = {buffer(job, 1, len), len};

    return CALL(job, writev, fd, &iov, 1);
}

static long call_readv(struct drill_job *job)
{
    int fd = drill_job_fd(job, 0);
    size_t count;
    const struct iovec *iov = drill_job_iov(job, job->args[1], &count);

    return CALL(job, readv, fd, iov, drill_job_int(job, 2));
}

static long call_writev(struct drill_job *job)
{
    int fd = drill_job_fd(job, 0);
    size_t count;
    const struct iovec *iov = drill_job_iov(job, job->args[1], &count);

    return CALL(job, writev, fd, iov, drill_job_int(job, 2));
}

/* recv and recvfrom. */
static long call_recv(struct drill_job *job)
{
    int fd = drill_job_fd(job, 0), flags = drill_job_int(job, 3);
    size_t len = length(job, 2);
    void *bytes = buffer(job, 1, len);
    long count = CALL(job, recvfrom, fd, bytes, len, flags, NULL, NULL);

    compare_text(job, 1, bytes, count);
    return count;
}

static long call_send(struct drill_job *job)
{
    int fd = drill_job_fd(job, 0), flags = drill_job_int(job, 3);
    size_t len = length(job, 2);
    const void *bytes = buffer(job, 1, len);

    return CALL(job, sendto, fd, bytes, len, flags, NULL, 0);
}

static long call_sendto(struct drill_job *job)
{
    int fd = drill_job_fd(job, 0), flags = drill_job_int(job, 3);
    size_t len = length(job, 2);
    const void *bytes = buffer(job, 1, len);
    const struct drill_expr *to = job->args[4];
    bool is_null = to->kind == DRILL_EXPR_WORD && strcmp(to->text, "NULL") == 0;
    const struct sockaddr *addr = is_null ? NULL : address(job, 4, false);

    return CALL(job, sendto, fd, bytes, len, flags, addr, is_null ? 0 : job->addr_len);
}

static long call_sendfile(struct drill_job *job)
{
    int out = drill_job_fd(job, 0), in = drill_job_fd(job, 1);
    size_t len = length(job, 3);
    const struct drill_expr *list = job->args[2];
    int64_t offset = 0;

    if (list->kind == DRILL_EXPR_LIST && list->first != NULL)
        offset = drill_job_number(job, list->first);
    return CALL(job, sendfile, out, in, list->kind == DRILL_EXPR_LIST ? &offset : NULL, len);
}

static long call_splice(struct drill_job *job)
{
    int in = drill_job_fd(job, 0), out = drill_job_fd(job, 2);
    size_t len = length(job, 4);
    unsigned flags = (unsigned)drill_job_arg(job, 5);

    return CALL(job, splice, in, NULL, out, NULL, len, flags);
}

static long call_pipe(struct drill_job *job)
{
    const struct drill_expr *list = job->args[0];

    if (list->kind != DRILL_EXPR_LIST || list->first == NULL || list->first->next == NULL)
        drill_job_fail(job, list->at, "two descriptors, [5, 6], are expected here");
    return CALL(job, pipe, job->new_fds);
}

static long call_open(struct drill_job *job)
{
    const struct drill_expr *path = job->args[0];
    int flags = drill_job_int(job, 1);

    job->makes_fd = true;
    if (path->kind != DRILL_EXPR_STRING)
        drill_job_fail(job, path->at, "a \"path\" is expected here");
    return CALL(job, open, path->text, flags);
}

/* ---- options ---- */

static long call_fcntl(struct drill_job *job)
{
    int fd = drill_job_fd(job, 0), command = drill_job_int(job, 1);
    long arg = job->arg_count > 2 ? (long)drill_job_arg(job, 2) : 0;

    return CALL(job, fcntl, fd, command, arg);
}

static long call_ioctl(struct drill_job *job)
{
    int fd = drill_job_fd(job, 0), value = 0;
    unsigned long request = (unsigned long)drill_job_arg(job, 1);
    const struct drill_expr *list = job->arg_count > 2 ? job->args[2] : NULL;
    long result;

    if (list == NULL || list->kind != DRILL_EXPR_LIST || list->first == NULL)
        drill_job_fail(job, job->args[1]->at, "a third argument, [N], is expected");
    else if (request == FIONBIO)
        value = (int)drill_job_number(job, list->first);
    result = CALL(job, ioctl, fd, request, &value);
    if (result >= 0 && !job->failed && request != FIONBIO)
        drill_job_compare(job, list->first, value, "the value");
    return result;
}

union option {
    int number;
    struct linger linger;
    struct timeval time;
    char text[OPTION_MAX];
};

static int64_t member_number(struct drill_job *job, const struct drill_expr *expr, const char *name)
{
    const struct drill_expr *member = drill_job_member(expr, name);

    if (member == NULL) {
        drill_job_fail(job, expr->at, "the struct has no member %s", name);
        return 0;
    }
    return drill_job_number(job, member);
}

static void fill_struct(struct drill_job *job, const struct drill_expr *expr, union option *option)
{
    if (drill_job_member(expr, "onoff") != NULL) {
        option->linger.l_onoff = (int)member_number(job, expr, "onoff");
        option->linger.l_linger = (int)member_number(job, expr, "linger");
    } else if (drill_job_member(expr, "tv_sec") != NULL) {
        option->time.tv_sec = (time_t)member_number(job, expr, "tv_sec");
        option->time.tv_usec = (suseconds_t)member_number(job, expr, "tv_usec");
    } else {
        drill_job_fail(job, expr->at,
                       "{onoff=N, linger=N} or {tv_sec=N, tv_usec=N} is expected here");
    }
}

static long call_setsockopt(struct drill_job *job)
{
    int fd = drill_job_fd(job, 0), level = drill_job_int(job, 1), name = drill_job_int(job, 2);
    const struct drill_expr *value = job->args[3];
    size_t len = length(job, 4);
    union option option = {.text = ""};

    if (value->kind == DRILL_EXPR_LIST && value->first != NULL)
        option.number = (int)drill_job_number(job, value->first);
    else if (value->kind == DRILL_EXPR_STRUCT)
        fill_struct(job, value, &option);
    else if (value->kind == DRILL_EXPR_STRING)
        memcpy(option.text, value->text, value->len < OPTION_MAX ? value->len : OPTION_MAX);
    else
        drill_job_fail(job, value->at, "[N], a {struct} or a \"text\" is expected here");
    if (len > sizeof option)
        drill_job_fail(job, job->args[4]->at, "options are not longer than %d", OPTION_MAX);
    return CALL(job, setsockopt, fd, level, name, &option, (socklen_t)len);
}

static void compare_option(struct drill_job *job, const struct drill_expr *want,
                           const union option *seen)
{
    if (want->kind == DRILL_EXPR_LIST && want->first != NULL) {
        /* Both as an int: 0xffffffff is -1. */
        int64_t number =
            drill_job_is_open(want->first) ? seen->number : (int)drill_job_number(job, want->first);

        if (number != seen->number)
            drill_job_fail(job, want->at, "the option is expected to be %lld, but it is %d",
                           (long long)number, seen->number);
    } else if (want->kind == DRILL_EXPR_STRUCT && drill_job_member(want, "onoff") != NULL) {
        drill_job_compare(job, drill_job_member(want, "onoff"), seen->linger.l_onoff, "onoff");
        drill_job_compare(job, drill_job_member(want, "linger"), seen->linger.l_linger, "linger");
    } else if (want->kind == DRILL_EXPR_STRING && strcmp(want->text, seen->text) != 0) {
        drill_job_fail(job, want->at, "the option is expected to be \"%s\", but it is \"%.40s\"",
                       want->text, seen->text);
    }
}

static long call_getsockopt(struct drill_job *job)
{
    int fd = drill_job_fd(job, 0), level = drill_job_int(job, 1), name = drill_job_int(job, 2);
    const struct drill_expr *len_list = job->args[4];
    union option option = {.text = ""};
    socklen_t len = 0;
    long result;

    if (len_list->kind == DRILL_EXPR_LIST && len_list->first != NULL)
        len = (socklen_t)drill_job_number(job, len_list->first);
    if (len == 0 || len > sizeof option)
        drill_job_fail(job, len_list->at, "a length from [1] to [%d] is expected here", OPTION_MAX);
    result = CALL(job, getsockopt, fd, level, name, &option, &len);
    if (result == 0)
        compare_option(job, job->args[3], &option);
    return result;
}

/* ---- waiting for several ---- */

static long call_poll(struct drill_job *job)
{
    struct pollfd fds[POLL_MAX] = {{0}};
    const struct drill_expr *list = job->args[0], *e;
    nfds_t count = 0;
    long result;

    for (e = list->first; list->kind == DRILL_EXPR_LIST && e != NULL && count < POLL_MAX;
         e = e->next, count++) {
        const struct drill_expr *fd = drill_job_member(e, "fd");

        if (fd == NULL)
            drill_job_fail(job, e->at, "{fd=N, events=N, revents=N} is expected here");
        else
            fds[count].fd = drill_job_fd_of(job, fd);
        fds[count].events = (short)member_number(job, e, "events");
    }
    result = CALL(job, poll, fds, count, drill_job_int(job, 2));
    count = 0;
    for (e = list->first; result >= 0 && e != NULL; e = e->next, count++)
        drill_job_compare(job, drill_job_member(e, "revents"), fds[count].revents, "revents");
    return result;
}

static long call_epoll_create(struct drill_job *job)
{
    job->makes_fd = true;
    return job->failed ? -1 : job->target->calls.epoll_create(job->target->ctx);
}

/* What an event carries: a descriptor is not translated, it comes back as it is. */
static const struct drill_expr *event_data(const struct drill_expr *expr)
{
    static const char *const names[] = {"fd", "ptr", "u32", "u64"};
    const struct drill_expr *found = NULL;

    for (size_t i = 0; i < sizeof names / sizeof *names && found == NULL; i++)
        found = drill_job_member(expr, names[i]);
    return found;
}

static long call_epoll_ctl(struct drill_job *job)
{
    int epfd = drill_job_fd(job, 0), op = drill_job_int(job, 1), fd = drill_job_fd(job, 2);
    const struct drill_expr *expr = job->args[3], *data = event_data(expr);
    struct epoll_event event = {0};

    if (expr->kind == DRILL_EXPR_STRUCT) {
        event.events = (uint32_t)member_number(job, expr, "events");
        event.data.u64 = data != NULL ? (uint64_t)drill_job_number(job, data) : 0;
    } else if (op != EPOLL_CTL_DEL) {
        drill_job_fail(job, expr->at, "{events=N, fd=N} is expected here");
    }
    return CALL(job, epoll_ctl, epfd, op, fd, &event);
}

static long call_epoll_wait(struct drill_job *job)
{
    int epfd = drill_job_fd(job, 0), max = drill_job_int(job, 2), ms = drill_job_int(job, 3);
    const struct drill_expr *want = job->args[1];
    struct epoll_event events[POLL_MAX];
    long count;

    if (max > POLL_MAX)
        drill_job_fail(job, job->args[2]->at, "at most %d events are expected", POLL_MAX);
    count = CALL(job, epoll_wait, epfd, events, max, ms);
    if (want->kind == DRILL_EXPR_LIST)
        want = want->first;
    if (count != job->call->result->number)
        return count; /* that is to be said first */
    for (long i = 0; i < count && want != NULL && !job->failed; i++, want = want->next) {
        drill_job_compare(job, drill_job_member(want, "events"), events[i].events, "events");
        drill_job_compare(job, event_data(want), (int64_t)events[i].data.u64, "the data");
    }
    return count;
}

/* ---- the table ---- */

static const struct entry {
    const char *name;
    long (*call)(struct drill_job *job);
    uint8_t args_min, args_max;
    bool takes_fd; /* the first argument is one */
} entries[] = {
    {"socket", call_socket, 3, 3, false},
    {"bind", call_bind, 3, 3, true},
    {"listen", call_listen, 2, 2, true},
    {"accept", call_accept, 3, 3, true},
    {"connect", call_connect, 3, 3, true},
    {"read", call_read, 3, 3, true},
    {"readv", call_readv, 3, 3, true},
    {"recv", call_recv, 4, 4, true},
    {"recvfrom", call_recv, 6, 6, true},
    {"recvmsg", drill_call_recvmsg, 3, 3, true},
    {"write", call_write, 3, 3, true},
    {"writev", call_writev, 3, 3, true},
    {"send", call_send, 4, 4, true},
    {"sendto", call_sendto, 6, 6, true},
    {"sendmsg", drill_call_sendmsg, 3, 3, true},
    {"fcntl", call_fcntl, 2, 3, true},
    {"ioctl", call_ioctl, 2, 3, true},
    {"close", call_close, 1, 1, true},
    {"shutdown", call_shutdown, 2, 2, true},
    {"getsockopt", call_getsockopt, 5, 5, true},
    {"setsockopt", call_setsockopt, 5, 5, true},
    {"poll", call_poll, 3, 3, false},
    {"open", call_open, 2, 2, false},
    {"sendfile", call_sendfile, 4, 4, true},
    {"epoll_create", call_epoll_create, 1, 1, false},
    {"epoll_ctl", call_epoll_ctl, 4, 4, true},
    {"epoll_wait", call_epoll_wait, 4, 4, true},
    {"pipe", call_pipe, 1, 1, false},
    {"splice", call_splice, 6, 6, true},
};

static const struct entry *find_entry(const char *name)
{
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        if (strcmp(entries[i].name, name) == 0)
            return &entries[i];
    }
    return NULL;
}

const char *drill_call_problem(const struct drill_call *call)
{
    const struct entry *entry = find_entry(call->name);
    size_t count = 0;

    for (const struct drill_expr *arg = call->args; arg != NULL; arg = arg->next)
        count++;
    if (entry == NULL)
        return "there is no such call";
    return count < entry->args_min   ? "the call has too few arguments"
           : count > entry->args_max ? "the call has too many arguments"
                                     : NULL;
}

void drill_job_run(struct drill_job *job)
{
    const struct entry *entry = find_entry(job->call->name);

    for (const struct drill_expr *arg = job->call->args; arg != NULL; arg = arg->next)
        job->args[job->arg_count++] = arg;
    if (entry->takes_fd)
        job->script_fd = drill_job_int(job, 0);
    if (job->failed)
        return;
    errno = 0;
    job->result = entry->call(job);
    job->errno_seen = errno;
}
