/*
 * errqueue.c - the queue of errors of a socket: IP_RECVERR, MSG_ZEROCOPY, MSG_ERRQUEUE
 *
 * What the network says of a datagram waits there with the datagram, and who it comes from, until
 * somebody reads it. So does the end of a write without copies: writes are numbered, and told when
 * the peer has acknowledged them. Weir always copies, and says so.
 *
 * State: sock.errors, sock.zerocopy.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Needs struct timespec. */
#include <linux/errqueue.h>

#include "posix/sock.h"

enum {
    ERRORS_MAX = 64,
    BYTES_MAX = 1472, /* of a datagram, as much as anybody quotes */
    ENDS_MIN = 8,
};

struct error {
    struct links link;
    struct sock_extended_err said;
    struct weir_addr offender;
    struct weir_endpoint to;
    bool is_of_network; /* and has the addresses */
    size_t len;
    uint8_t bytes[];
};

static struct error *add(struct sock *s, const void *bytes, size_t len)
{
    struct error *e;

    if (s->errors.count == ERRORS_MAX)
        return NULL;
    if (len > BYTES_MAX)
        len = BYTES_MAX;
    e = calloc(1, sizeof *e + len);
    if (e == NULL)
        return NULL;
    if (len > 0)
        memcpy(e->bytes, bytes, len);
    e->len = len;
    links_add_last(&s->errors.all, &e->link);
    s->errors.count++;
    return e;
}

static struct error *error_of(struct links *link)
{
    return LINKED(link, struct error, link);
}

/* ---- what the network says ---- */

static bool wants_errors(const struct sock *s, const struct weir_addr *to)
{
    return weir_addr_is_v4(to) ? s->opts.recv_errors : s->opts.recv_errors6;
}

void errqueue_on_icmp(struct weir_posix *px, struct sock *s, const struct weir_icmp_error *icmp)
{
    struct error *e;

    if (!wants_errors(s, &icmp->to.addr))
        return;
    if (s->file.kind == FILE_STREAM && !s->is_established)
        return; /* it goes on, or ends with the error */
    s->error = -px_errno(icmp->error);
    file_changed(px, &s->file, POLLIN | POLLERR);
    if (s->file.kind == FILE_STREAM)
        return;
    e = add(s, icmp->bytes, icmp->len);
    if (e == NULL)
        return;
    e->is_of_network = true;
    e->offender = icmp->from;
    e->to = icmp->to;
    e->said.ee_errno = (uint32_t)s->error;
    e->said.ee_origin = weir_addr_is_v4(&icmp->to.addr) ? SO_EE_ORIGIN_ICMP : SO_EE_ORIGIN_ICMP6;
    e->said.ee_type = icmp->type;
    e->said.ee_code = icmp->code;
    e->said.ee_info = icmp->mtu;
}

/* ---- writes without copies ---- */

static bool has_room(struct zerocopy *z)
{
    size_t room = z->room == 0 ? ENDS_MIN : 2 * z->room;
    uint64_t *ends;

    if (z->count < z->room)
        return true;
    ends = realloc(z->ends, room * sizeof *ends);
    if (ends == NULL)
        return false;
    z->ends = ends;
    z->room = room;
    return true;
}

/* Those from first to last are over. */
static void tell(struct sock *s, uint32_t first, uint32_t last)
{
    struct error *e = NULL;

    if (!links_are_empty(&s->errors.all))
        e = error_of(s->errors.all.prev);
    if (e == NULL || e->said.ee_origin != SO_EE_ORIGIN_ZEROCOPY || e->said.ee_data + 1 != first) {
        e = add(s, NULL, 0);
        if (e == NULL)
            return;
        e->said.ee_origin = SO_EE_ORIGIN_ZEROCOPY;
        e->said.ee_code = SO_EE_CODE_ZEROCOPY_COPIED;
        e->said.ee_info = first;
    }
    e->said.ee_data = last;
}

/* The first so many of those that wait. */
static void end(struct weir_posix *px, struct sock *s, size_t count)
{
    struct zerocopy *z = &s->zerocopy;
    uint32_t first = z->next - (uint32_t)z->count;

    tell(s, first, first + (uint32_t)count - 1);
    z->count -= count;
    memmove(z->ends, z->ends + count, z->count * sizeof *z->ends);
    file_changed(px, &s->file, POLLERR);
}

/* Where there is no memory for more, those that wait are told to be over: they were copied. */
void errqueue_note_write(struct weir_posix *px, struct sock *s)
{
    struct zerocopy *z = &s->zerocopy;

    if (!has_room(z) && z->count > 0)
        end(px, s, z->count);
    if (!has_room(z)) {
        tell(s, z->next, z->next);
        z->next++;
        return;
    }
    z->ends[z->count++] = s->sendmem.written;
    z->next++;
    stream_want(px, s, STREAM_ACKED);
}

void errqueue_on_acked(struct weir_posix *px, struct sock *s)
{
    struct zerocopy *z = &s->zerocopy;
    struct weir_tcp_queued queued = {0};
    size_t over = 0;

    if (z->count == 0)
        return;
    if (s->handle != 0 && !s->has_ended)
        weir_tcp_queued(px->stack, s->handle, &queued);
    while (over < z->count && z->ends[over] <= s->sendmem.written - queued.send_bytes)
        over++;
    if (over > 0)
        end(px, s, over);
    if (z->count > 0)
        stream_want(px, s, STREAM_ACKED);
}

/* ---- reading it ---- */

bool errqueue_has_any(const struct sock *s)
{
    return s->errors.count > 0;
}

/* The error that is pending is that of the next message. */
static void forget_pending(struct sock *s, const struct error *read)
{
    if (!read->is_of_network)
        return;
    s->error = 0;
    if (!links_are_empty(&s->errors.all)) {
        const struct error *next = error_of(s->errors.all.next);

        s->error = next->is_of_network ? (int)next->said.ee_errno : 0;
    }
}

static size_t copy_bytes(const struct error *e, struct bytes *to)
{
    size_t done = 0;

    while (done < e->len && to->left > 0) {
        struct iovec part = bytes_take(to, e->len - done);

        memcpy(part.iov_base, e->bytes + done, part.iov_len);
        done += part.iov_len;
    }
    return done;
}

ssize_t errqueue_recv(struct weir_posix *px, struct sock *s, struct msghdr *msg, struct bytes *to)
{
    struct links *link = links_take_first(&s->errors.all);
    struct error *e;
    size_t done;

    if (link == NULL)
        return -EAGAIN;
    e = error_of(link);
    s->errors.count--;
    forget_pending(s, e);
    if (errqueue_has_any(s)) /* who waits for edges has one for each */
        file_changed(px, &s->file, POLLERR);
    done = copy_bytes(e, to);
    if (msg->msg_name != NULL && e->is_of_network)
        addr_store(s, &e->to, msg->msg_name, &msg->msg_namelen);
    else
        msg->msg_namelen = 0;
    msg->msg_flags = MSG_ERRQUEUE | (done < e->len ? MSG_TRUNC : 0);
    control_put_error(s, msg, &e->said, e->is_of_network ? &e->offender : NULL);
    free(e);
    return (ssize_t)done;
}

void errqueue_init(struct sock *s)
{
    links_init(&s->errors.all);
}

void errqueue_clear(struct sock *s)
{
    struct links *link;

    while ((link = links_take_first(&s->errors.all)) != NULL)
        free(error_of(link));
    s->errors.count = 0;
}

void errqueue_forget(struct sock *s)
{
    errqueue_clear(s);
    free(s->zerocopy.ends);
    s->zerocopy = (struct zerocopy){0};
}
