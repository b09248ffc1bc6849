/*
 * demo_weir.c - an actor over a Weir stack
 */
#include "cli/demo_weir.h"

#include <stddef.h>

static struct weir_actor *self(struct actor *a)
{
    return (struct weir_actor *)a;
}

static int do_listen(struct actor *a)
{
    return weir_listen(self(a)->stack, &a->local, 8, &self(a)->listener);
}

static int do_connect(struct actor *a)
{
    struct weir_opt_value opts[] = {{WEIR_OPT_RECV_BUFFER, a->recv_buffer_bytes}};

    return weir_connect_with(self(a)->stack, &a->local, &a->remote, opts,
                             a->recv_buffer_bytes > 0 ? 1 : 0, &self(a)->conn);
}

static void do_shutdown(struct actor *a)
{
    (void)weir_shutdown(self(a)->stack, self(a)->conn);
}

static void do_close(struct actor *a)
{
    (void)weir_close(self(a)->stack, self(a)->conn);
    self(a)->conn = 0;
}

/* A stack that vanishes says nothing; whoever made it makes a new one. */
static void do_forget(struct actor *a)
{
    weir_destroy(&self(a)->stack);
    self(a)->listener = self(a)->conn = 0;
}

static bool take_in(struct weir_actor *a)
{
    char bytes[4096];
    ptrdiff_t len;
    bool done = false;

    if (a->actor.is_paused || a->actor.has_read_end)
        return false;
    while ((len = weir_recv(a->stack, a->conn, bytes, sizeof bytes)) > 0) {
        a->actor.received_bytes += (uint64_t)len;
        done = true;
    }
    a->actor.has_read_end = len == 0;
    return done || len == 0;
}

static bool send_out(struct weir_actor *w)
{
    struct actor *a = &w->actor;
    const char *bytes;
    bool done = false;

    while (a->to_send > 0) {
        uint32_t len = actor_next(a, &bytes);
        unsigned more = a->to_send > len ? WEIR_SEND_MORE : 0;
        ptrdiff_t taken = weir_send(w->stack, w->conn, bytes, len, more);
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
    struct weir_actor *w = self(a);
    bool done;

    if (w->stack == NULL)
        return false;
    if (w->conn == 0 && w->listener != 0)
        a->is_connected = weir_accept(w->stack, w->listener, &w->conn) == 0;
    if (w->conn == 0)
        return false;
    done = take_in(w);
    return send_out(w) || done;
}

static const struct actor_ops ops = {do_listen, do_connect, do_shutdown,
                                     do_close,  do_forget,  do_work};

void weir_actor_init(struct weir_actor *a, struct weir *stack)
{
    *a = (struct weir_actor){.stack = stack};
    actor_init(&a->actor, &ops);
}

void weir_actor_on_event(struct weir_actor *a, const struct weir_event *event)
{
    if (event->handle != a->conn || a->conn == 0)
        return;
    if (event->bits & WEIR_EVENT_CONNECTED)
        a->actor.is_connected = true;
    if (event->bits & WEIR_EVENT_CLOSED) {
        a->actor.has_ended = true;
        a->actor.error = event->error;
    }
}
