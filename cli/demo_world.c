/*
 * demo_world.c - where a scene is played: two ends, what is between them, and time
 */
#include "cli/demo_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/host.h>

#include "cli/demo_kernel.h"
#include "cli/demo_weir.h"
#include "cli/http.h"
#include "format/text.h"

static const weir_ns_t latency_ns = 10 * WEIR_MS;
static const weir_ns_t virtual_limit_ns = 300 * WEIR_S; /* longest wait of a scene */
static const weir_ns_t settle_limit_ns = 3600 * WEIR_S;
static const weir_ns_t real_limit_ns = 15 * WEIR_S;
static const weir_ns_t real_step_ns = WEIR_MS; /* how often the kernel's end is looked at */

/* A frame under way. */
struct flying {
    struct flying *next;
    weir_ns_t due_at;
    enum trace_side from;
    size_t len;
    uint8_t bytes[];
};

struct world_end {
    struct world *world; /* a hook is told which end it is for */
    enum trace_side side;
    struct actor *actor;
    struct weir_actor weir;
    weir_netif_t netif;
    enum weir_tcp_state state; /* the last one heard of */
    unsigned lose; /* so many packets with data, and the last of them is lost; 0: none */
};

struct world {
    struct world_end ends[2];
    struct kernel_actor kernel;
    struct weir_host *host; /* NULL: in memory */
    weir_ns_t now;          /* in memory */
    struct flying *first, *last;
    struct http *server; /* on the right end */
    struct recording recording;
    const char *names[2];
    char failure[WORLD_FAILURE];
    char said[WORLD_SAID];
    struct text said_text;
};

/* ---- ends ---- */

static enum trace_side other(enum trace_side side)
{
    return side == TRACE_LEFT ? TRACE_RIGHT : TRACE_LEFT;
}

static struct weir_endpoint endpoint_of(enum trace_side side, uint16_t port)
{
    return (struct weir_endpoint){.addr = weir_addr_v4(198, 18, 0, side == TRACE_LEFT ? 1 : 2),
                                  .port = port};
}

static struct weir_prefix prefix_of(enum trace_side side)
{
    return (struct weir_prefix){.addr = endpoint_of(side, 0).addr, .len = 96 + 24};
}

static bool has_failed(const struct world *w)
{
    return w->failure[0] != '\0';
}

void world_fail(struct world *w, const char *what)
{
    if (!has_failed(w))
        snprintf(w->failure, sizeof w->failure, "%s", what);
}

static weir_ns_t now_of(const struct world *w)
{
    return w->host != NULL ? weir_host_now() : w->now;
}

static void on_trace(void *ctx, const struct weir_trace *event)
{
    struct world_end *end = ctx;

    if (event->kind == WEIR_TRACE_STATE)
        end->state = event->to;
    recording_add_event(&end->world->recording, end->side, event);
}

static void take_event(struct world_end *end, const struct weir_event *event)
{
    weir_actor_on_event(&end->weir, event);
    if (end->world->server != NULL && end->side == TRACE_RIGHT)
        http_on_event(end->world->server, event);
}

static void on_host_event(void *ctx, struct weir *s, const struct weir_event *event)
{
    (void)s;
    take_event(ctx, event);
}

/* ---- in memory ---- */

static void free_flying(struct flying *f)
{
    free(f);
}

/* Whether a packet, IPv4 as all of them are here, carries text. */
static bool has_text(const uint8_t *packet, size_t len)
{
    size_t ip_len = (size_t)(packet[0] & 15) * 4;

    return len >= ip_len + 20 && len > ip_len + (size_t)(packet[ip_len + 12] >> 4) * 4;
}

static void record_lost(struct world *w, struct flying *f)
{
    recording_add_lost(&w->recording, f->from, w->now, (struct weir_slice){f->bytes, f->len});
}

/* A frame leaves, if it is not one of those to be lost. */
static void launch(struct world *w, enum trace_side from, const struct weir_frame *frame)
{
    struct flying *f = malloc(sizeof *f + frame->len);
    unsigned *lose = &w->ends[from].lose;
    size_t len = 0;

    if (f == NULL) {
        world_fail(w, "there is no memory");
        return;
    }
    *f = (struct flying){.due_at = w->now + latency_ns, .from = from, .len = frame->len};
    for (size_t i = 0; i < frame->slice_count; i++) {
        memcpy(f->bytes + len, frame->slices[i].bytes, frame->slices[i].len);
        len += frame->slices[i].len;
    }
    if (*lose > 0 && has_text(f->bytes, f->len) && --*lose == 0) {
        record_lost(w, f);
        free_flying(f);
        return;
    }
    if (w->first == NULL)
        w->first = f;
    else
        w->last->next = f;
    w->last = f;
}

static void send_frames(struct world *w, struct world_end *end)
{
    struct weir_frame *frame;

    while (end->weir.stack != NULL && weir_output(end->weir.stack, end->netif, &frame, 1) == 1) {
        launch(w, end->side, frame);
        weir_output_done(end->weir.stack, &frame, 1);
    }
}

/* The application does what it can, and the stack says what comes of it. */
static void work(struct world *w, struct world_end *end)
{
    struct weir_event event;

    if (end->weir.stack == NULL)
        return;
    do {
        while (weir_event(end->weir.stack, &event))
            take_event(end, &event);
    } while (end->actor->ops->work(end->actor));
    send_frames(w, end);
}

static void land(struct world *w)
{
    struct flying *f = w->first;
    struct world_end *to = &w->ends[other(f->from)];
    struct weir_frame frame = {.slices = {{f->bytes, f->len}}, .slice_count = 1, .len = f->len};

    w->first = f->next;
    if (to->weir.stack == NULL)
        record_lost(w, f);
    else
        weir_input(to->weir.stack, to->netif, &frame, 1);
    free_flying(f);
}

/* When the next thing happens, WEIR_NEVER if nothing does. */
static weir_ns_t next_at(const struct world *w)
{
    weir_ns_t at = w->first != NULL ? w->first->due_at : WEIR_NEVER;

    for (int i = 0; i < 2; i++) {
        struct weir *stack = w->ends[i].weir.stack;
        weir_ns_t deadline = stack != NULL ? weir_deadline(stack) : WEIR_NEVER;
        at = deadline < at ? deadline : at;
    }
    return at;
}

/*
 * Brings the clock to that instant, at which both ends take in all that reaches them before
 * either of them does something about it.
 */
static void step_in_memory(struct world *w, weir_ns_t at)
{
    w->now = at > w->now ? at : w->now;
    for (int i = 0; i < 2; i++)
        if (w->ends[i].weir.stack != NULL)
            weir_advance(w->ends[i].weir.stack, w->now);
    while (w->first != NULL && w->first->due_at <= w->now)
        land(w);
    for (int i = 0; i < 2; i++)
        work(w, &w->ends[i]);
}

static void set_endpoints(struct world_end *end)
{
    end->actor->local = endpoint_of(end->side, 0);
    end->actor->remote = endpoint_of(other(end->side), WORLD_PORT);
}

static bool make_stack(struct world *w, enum trace_side side)
{
    struct world_end *end = &w->ends[side];
    struct weir_netif_config netif = {.name = "wire", .link = WEIR_LINK_IP, .mtu = 1500};
    struct weir_prefix prefix = prefix_of(side);
    struct weir_config config;

    weir_host_config(&config);
    memset(config.secret, side == TRACE_LEFT ? 'A' : 'B', sizeof config.secret);
    weir_actor_init(&end->weir, NULL);
    end->actor = &end->weir.actor;
    set_endpoints(end);
    if (weir_create(&config, w->now, &end->weir.stack) != 0)
        return false;
    weir_trace_set(end->weir.stack, on_trace, end);
    return weir_netif_add(end->weir.stack, &netif, &end->netif) == 0
           && weir_addr_add(end->weir.stack, end->netif, &prefix) == 0;
}

static struct world *new_world(void)
{
    struct world *w = calloc(1, sizeof *w);

    if (w == NULL)
        return NULL;
    w->said_text = text_of(w->said, sizeof w->said);
    kernel_actor_init(&w->kernel);
    for (int i = 0; i < 2; i++) {
        w->ends[i].world = w;
        w->ends[i].side = (enum trace_side)i;
        weir_actor_init(&w->ends[i].weir, NULL);
        w->ends[i].actor = &w->ends[i].weir.actor;
    }
    return w;
}

struct world *world_open_in_memory(void)
{
    struct world *w = new_world();

    if (w == NULL)
        return NULL;
    w->now = WEIR_S;
    w->names[TRACE_LEFT] = "Weir A";
    w->names[TRACE_RIGHT] = "Weir B";
    if (!make_stack(w, TRACE_LEFT) || !make_stack(w, TRACE_RIGHT))
        world_close(&w);
    return w;
}

/* ---- with the kernel ---- */

static void step_with_kernel(struct world *w, weir_ns_t wait_ns)
{
    struct actor *kernel = w->ends[TRACE_LEFT].actor;
    struct actor *weir = w->ends[TRACE_RIGHT].actor;
    bool is_busy = weir->ops->work(weir);

    is_busy = kernel->ops->work(kernel) || is_busy;
    if (weir_host_step(w->host, is_busy || wait_ns < 0 ? 0 : wait_ns) != 0)
        world_fail(w, "the TUN device is gone");
}

static bool attach(struct world *w, struct weir_driver **tun)
{
    struct world_end *end = &w->ends[TRACE_RIGHT];
    struct weir_prefix prefix = prefix_of(TRACE_RIGHT);
    struct weir_config config;

    weir_host_config(&config);
    if (weir_host_create(&config, &w->host) != 0)
        return false;
    end->weir.stack = weir_host_stack(w->host);
    weir_trace_set(end->weir.stack, on_trace, end);
    weir_host_set_events(w->host, on_host_event, end);
    return weir_host_attach(w->host, tun, &end->netif) == 0
           && weir_addr_add(end->weir.stack, end->netif, &prefix) == 0;
}

struct world *world_open_with_kernel(char why[NETNS_WHY_MAX])
{
    struct weir_prefix prefix = prefix_of(TRACE_LEFT);
    struct weir_driver *tun;
    struct world *w;

    if (!netns_enter(why) || (tun = netns_open_tun(&prefix, why)) == NULL)
        return NULL;
    w = new_world();
    if (w == NULL || !attach(w, &tun)) {
        snprintf(why, NETNS_WHY_MAX, "there is no memory");
        if (tun != NULL)
            tun->ops->close(&tun);
        if (w != NULL)
            world_close(&w);
        return NULL;
    }
    w->names[TRACE_LEFT] = "kernel";
    w->names[TRACE_RIGHT] = "Weir";
    w->ends[TRACE_LEFT].actor = &w->kernel.actor;
    set_endpoints(&w->ends[TRACE_LEFT]);
    set_endpoints(&w->ends[TRACE_RIGHT]);
    return w;
}

/* ---- the world ---- */

void world_close(struct world **w)
{
    struct flying *next;

    for (struct flying *f = (*w)->first; f != NULL; f = next) {
        next = f->next;
        free_flying(f);
    }
    for (int i = 0; i < 2; i++)
        if ((*w)->ends[i].weir.stack != NULL) {
            weir_trace_set((*w)->ends[i].weir.stack, NULL, NULL);
            if ((*w)->host == NULL)
                weir_destroy(&(*w)->ends[i].weir.stack);
        }
    kernel_actor_fini(&(*w)->kernel);
    if ((*w)->host != NULL)
        weir_host_destroy(&(*w)->host);
    recording_fini(&(*w)->recording);
    free(*w);
    *w = NULL;
}

bool world_is_in_memory(const struct world *w)
{
    return w->host == NULL;
}

const struct recording *world_recording(const struct world *w)
{
    return &w->recording;
}

const char *world_failure(const struct world *w)
{
    return has_failed(w) ? w->failure : NULL;
}

struct actor *world_actor(struct world *w, enum trace_side side)
{
    return w->ends[side].actor;
}

struct weir *world_stack(struct world *w, enum trace_side side)
{
    return w->ends[side].weir.stack;
}

const char *world_name(const struct world *w, enum trace_side side)
{
    return w->names[side];
}

void world_set_name(struct world *w, enum trace_side side, const char *name)
{
    w->names[side] = name;
}

void world_say(struct world *w, const char *words)
{
    text_put(&w->said_text, words);
}

const char *world_said(const struct world *w)
{
    return w->said;
}

void world_set_server(struct world *w, struct http *server)
{
    w->server = server;
}

/* ---- waiting ---- */

/* Goes on until then, or until it is done, with is_done not NULL. True: it is done. */
static bool run_in_memory(struct world *w, bool (*is_done)(void *ctx), void *ctx, weir_ns_t until)
{
    weir_ns_t at;

    while (!has_failed(w)) {
        if (is_done != NULL && is_done(ctx))
            return true;
        at = next_at(w);
        if (at > until)
            break;
        step_in_memory(w, at);
    }
    if (is_done == NULL)
        step_in_memory(w, until);
    return false;
}

static bool run_with_kernel(struct world *w, bool (*is_done)(void *ctx), void *ctx, weir_ns_t until)
{
    while (!has_failed(w) && weir_host_now() < until) {
        weir_ns_t left = until - weir_host_now();
        if (is_done != NULL && is_done(ctx))
            return true;
        step_with_kernel(w, left < real_step_ns ? left : real_step_ns);
    }
    return false;
}

static bool run(struct world *w, bool (*is_done)(void *ctx), void *ctx, weir_ns_t duration_ns)
{
    weir_ns_t until = now_of(w) + duration_ns;

    if (w->host != NULL)
        return run_with_kernel(w, is_done, ctx, until);
    step_in_memory(w, w->now); /* what was asked for since */
    return run_in_memory(w, is_done, ctx, until);
}

void world_wait(struct world *w, bool (*is_done)(void *ctx), void *ctx, const char *what)
{
    weir_ns_t limit = w->host != NULL ? real_limit_ns : virtual_limit_ns;

    if (!has_failed(w) && !run(w, is_done, ctx, limit))
        world_fail(w, what);
}

void world_pass(struct world *w, weir_ns_t duration_ns)
{
    if (!has_failed(w))
        (void)run(w, NULL, NULL, duration_ns);
}

static bool is_quiet(void *ctx)
{
    return next_at(ctx) == WEIR_NEVER;
}

void world_settle(struct world *w)
{
    if (has_failed(w))
        return;
    if (w->host != NULL)
        (void)run(w, NULL, NULL, 50 * WEIR_MS);
    else if (!run(w, is_quiet, w, settle_limit_ns))
        world_fail(w, "it does not come to rest");
}

static bool is_connected(void *ctx)
{
    return ((const struct actor *)ctx)->is_connected;
}

void world_wait_connected(struct world *w, enum trace_side side)
{
    world_wait(w, is_connected, w->ends[side].actor, "the connection is not made");
}

static bool has_read_end(void *ctx)
{
    return ((const struct actor *)ctx)->has_read_end;
}

void world_wait_read_end(struct world *w, enum trace_side side)
{
    world_wait(w, has_read_end, w->ends[side].actor, "the other end does not close its side");
}

static bool has_ended(void *ctx)
{
    return ((const struct actor *)ctx)->has_ended;
}

void world_wait_ended(struct world *w, enum trace_side side)
{
    world_wait(w, has_ended, w->ends[side].actor, "the connection does not end");
}

struct received {
    const struct actor *actor;
    uint64_t bytes;
};

static bool has_received(void *ctx)
{
    const struct received *r = ctx;

    return r->actor->received_bytes >= r->bytes;
}

void world_wait_received(struct world *w, enum trace_side side, uint64_t bytes)
{
    struct received r = {w->ends[side].actor, bytes};

    world_wait(w, has_received, &r, "not all that was sent arrives");
}

struct reached {
    const struct world_end *end;
    enum weir_tcp_state state;
};

static bool has_reached(void *ctx)
{
    const struct reached *r = ctx;

    return r->end->state == r->state;
}

void world_wait_state(struct world *w, enum trace_side side, enum weir_tcp_state state)
{
    struct reached r = {&w->ends[side], state};
    char what[WORLD_FAILURE];

    snprintf(what, sizeof what, "Weir does not get to %s", weir_tcp_state_name(state));
    world_wait(w, has_reached, &r, what);
}

/* ---- what ends do ---- */

static void check_done(struct world *w, int result, const char *what)
{
    char text[WORLD_FAILURE];

    if (result == 0)
        return;
    snprintf(text, sizeof text, "cannot %s: %s", what, weir_err_text(result));
    world_fail(w, text);
}

void world_listen(struct world *w, enum trace_side side)
{
    struct actor *a = w->ends[side].actor;

    a->local.port = WORLD_PORT;
    if (!has_failed(w))
        check_done(w, a->ops->listen(a), "listen");
}

void world_connect(struct world *w, enum trace_side side)
{
    struct actor *a = w->ends[side].actor;

    if (!has_failed(w))
        check_done(w, a->ops->connect(a), "connect");
}

void world_send(struct world *w, enum trace_side side, uint32_t len)
{
    w->ends[side].actor->to_send += len;
}

void world_shutdown(struct world *w, enum trace_side side)
{
    struct actor *a = w->ends[side].actor;

    if (!has_failed(w))
        a->ops->shutdown(a);
}

void world_end(struct world *w, enum trace_side side)
{
    struct actor *a = w->ends[side].actor;

    if (!has_failed(w))
        a->ops->close(a);
}

static void mark(struct world *w, enum trace_side side, const char *text, enum weir_tcp_state state)
{
    recording_add_mark(&w->recording, side, now_of(w), text, state);
}

void world_pause_reading(struct world *w, enum trace_side side, bool pause)
{
    mark(w, side, pause ? "the application stops reading" : "the application reads again",
         TRACE_STATE_SAME);
    w->ends[side].actor->is_paused = pause;
}

void world_power_off(struct world *w, enum trace_side side)
{
    struct actor *a = w->ends[side].actor;

    if (has_failed(w))
        return;
    a->ops->forget(a);
    check_done(w, a->error, "make the kernel forget a connection");
    mark(w, side, "loses power", WEIR_TCP_CLOSED);
}

void world_power_on(struct world *w, enum trace_side side)
{
    if (has_failed(w))
        return;
    if (w->host == NULL && !make_stack(w, side))
        world_fail(w, "there is no memory");
    mark(w, side, "is back, and knows of no connection", TRACE_STATE_SAME);
}

void world_connect_both(struct world *w)
{
    for (int i = 0; i < 2; i++) {
        w->ends[i].actor->local.port = WORLD_PORT;
        world_connect(w, (enum trace_side)i);
    }
}

void world_end_both(struct world *w)
{
    world_end(w, TRACE_LEFT);
    world_end(w, TRACE_RIGHT);
}

void world_lose(struct world *w, enum trace_side side, unsigned n)
{
    w->ends[side].lose = n;
}
