/*
 * app.c - the applications at both ends of each connection
 *
 * An end reads what it may and writes what it may whenever anything happens to it (serve). How
 * much it may depends on the flow's kind, on what it has received, and on the time; when only
 * time is missing, it asks to be woken.
 */
#include "sim/play.h"

#include "base/num.h"
#include <stdlib.h>
#include <string.h>
#include <weir/err.h>

/* WEIR_OPT_USER of a connection: its slot and side; of a listener: its flow. */
#define USER_LISTENER (UINT64_C(1) << 40)

static void serve(struct play *p, struct play_exchange *x, enum play_side side);

static const struct scenario_flow *flow_of(const struct play *p, const struct play_exchange *x)
{
    return &p->scenario->flows[x->flow];
}

static struct weir *stack_of(struct play *p, const struct play_end *e)
{
    return weir_sim_stack(p->sim, e->node);
}

/* ---- what an end may do ---- */

/* All that an end will ever send. */
static uint64_t total(const struct play *p, const struct play_exchange *x, enum play_side side)
{
    const struct scenario_flow *f = flow_of(p, x);
    uint64_t extra = x->ends[side].extra;

    switch (f->kind) {
    case SCENARIO_BULK:
        if (f->bytes == 0 && f->back_bytes == 0 && side == PLAY_CLIENT)
            return UINT64_MAX;
        return (side == PLAY_CLIENT ? f->bytes : f->back_bytes) + extra;
    case SCENARIO_REQUEST:
        return (uint64_t)(side == PLAY_CLIENT ? f->ask : f->answer) * f->count + extra;
    case SCENARIO_ON_OFF:
        return (side == PLAY_CLIENT ? f->bytes * f->count : f->back_bytes) + extra;
    case SCENARIO_SHORT: return (side == PLAY_CLIENT ? f->ask : f->answer) + extra;
    case SCENARIO_FLOW_KINDS: break;
    }
    return 0;
}

/* Of that, what it may have sent by now. */
static uint64_t allowed(const struct play *p, const struct play_exchange *x, enum play_side side)
{
    const struct scenario_flow *f = flow_of(p, x);
    const struct play_end *e = &x->ends[side];
    uint64_t all = total(p, x, side);
    weir_ns_t passed = weir_sim_now(p->sim) - x->started_at;

    switch (f->kind) {
    case SCENARIO_REQUEST:
        if (side == PLAY_CLIENT)
            return u64_min(all, f->answer == 0 ? all : f->ask * (e->turns + 1) + e->extra);
        return u64_min(all, f->ask == 0 ? all : f->answer * (e->received / f->ask) + e->extra);
    case SCENARIO_ON_OFF:
        if (side == PLAY_CLIENT && f->every_ns > 0)
            return u64_min(all, f->bytes * (uint64_t)(1 + passed / f->every_ns) + e->extra);
        return all;
    case SCENARIO_SHORT: return side == PLAY_CLIENT || e->received >= f->ask ? all : 0;
    case SCENARIO_BULK:
    case SCENARIO_FLOW_KINDS: break;
    }
    return all;
}

static uint64_t may_read(const struct play *p, const struct play_exchange *x, enum play_side side)
{
    const struct scenario_flow *f = flow_of(p, x);
    weir_ns_t passed = weir_sim_now(p->sim) - x->started_at;
    uint64_t bytes;

    if (f->read_rate == 0 || side != PLAY_SERVER)
        return UINT64_MAX;
    /* Whole milliseconds: no product overflows, and the steps are small enough. */
    bytes = (uint64_t)(passed / WEIR_MS) * (f->read_rate / 8) / 1000;
    return bytes > x->ends[side].received ? bytes - x->ends[side].received : 0;
}

/* ---- being woken ---- */

static uint64_t ticket(const struct play_exchange *x, enum play_side side)
{
    return (uint64_t)x->number << 32 | (uint64_t)x->slot << 1 | side;
}

static void wake(void *ctx, uint64_t argument)
{
    struct play *p = ctx;
    uint32_t slot = (uint32_t)argument >> 1;
    enum play_side side = (enum play_side)(argument & 1);
    struct play_exchange *x = slot < p->exchange_count ? p->exchanges[slot] : NULL;

    if (x == NULL || x->number != (uint32_t)(argument >> 32))
        return;
    x->ends[side].is_waking = false;
    serve(p, x, side);
}

static void wake_at(struct play *p, struct play_exchange *x, enum play_side side, weir_ns_t at)
{
    if (x->ends[side].is_waking)
        return;
    x->ends[side].is_waking = weir_sim_at(p->sim, at, wake, p, ticket(x, side)) == 0;
}

static void ask_again(void *ctx, uint64_t argument)
{
    struct play *p = ctx;
    uint32_t slot = (uint32_t)argument >> 1;
    struct play_exchange *x = slot < p->exchange_count ? p->exchanges[slot] : NULL;

    if (x == NULL || x->number != (uint32_t)(argument >> 32))
        return;
    x->ends[PLAY_CLIENT].turns++;
    serve(p, x, PLAY_CLIENT);
}

/* ---- beginning and end of exchanges ---- */

static struct play_exchange *add_exchange(struct play *p, uint32_t flow)
{
    size_t slot = 0, room = p->exchange_room == 0 ? 64 : 2 * p->exchange_room;
    struct play_exchange *x;

    while (slot < p->exchange_count && p->exchanges[slot] != NULL)
        slot++;
    if (slot == p->exchange_room) {
        struct play_exchange **more = realloc(p->exchanges, room * sizeof(struct play_exchange *));
        if (more == NULL)
            return NULL;
        p->exchanges = more;
        p->exchange_room = room;
    }
    x = calloc(1, sizeof *x);
    if (x == NULL)
        return NULL;
    p->exchanges[slot] = x;
    if (slot == p->exchange_count)
        p->exchange_count++;
    x->flow = flow;
    x->slot = (uint32_t)slot;
    x->number = p->flows[flow].started++;
    x->started_at = weir_sim_now(p->sim);
    for (int side = 0; side < 2; side++)
        x->ends[side].node = p->nodes[p->scenario->flows[flow].ends[side]];
    p->flows[flow].newest = x;
    p->live++;
    return x;
}

/* It lives on while one end does; a server's end that never came to be needs no end. */
static void end_exchange(struct play *p, struct play_exchange *x)
{
    struct play_flow *f = &p->flows[x->flow];

    if (!x->ends[PLAY_CLIENT].is_over
        || (!x->ends[PLAY_SERVER].is_over && x->ends[PLAY_SERVER].conn != 0))
        return;
    if (x->ends[PLAY_CLIENT].error != 0 || x->ends[PLAY_SERVER].error != 0
        || x->ends[PLAY_CLIENT].has_quit || x->ends[PLAY_SERVER].has_quit)
        f->failed++;
    else
        f->finished++;
    if (f->newest == x)
        f->newest = NULL;
    p->exchanges[x->slot] = NULL;
    p->live--;
    free(x);
}

/* The application is done with an end, and has closed or aborted it. */
static void end_end(struct play *p, struct play_exchange *x, enum play_side side, int error)
{
    struct play_end *e = &x->ends[side];

    sample_end(p, x, side);
    e->conn = 0;
    e->is_over = true;
    e->error = error;
    end_exchange(p, x);
}

static void fail(struct play *p, struct play_exchange *x, enum play_side side, int error)
{
    struct weir *stack = stack_of(p, &x->ends[side]);
    weir_conn_t conn = x->ends[side].conn;

    judge_error(p, x, side, error);
    end_end(p, x, side, error);
    if (stack != NULL)
        (void)weir_close(stack, conn);
}

/* ---- reading ---- */

static const uint8_t *pattern_at(const struct play *p, const struct play_exchange *x,
                                 enum play_side from, uint64_t offset)
{
    uint64_t start = x->flow * UINT64_C(7919) + x->number * UINT64_C(104729) + from * 31337U;

    return p->pattern + (start + offset) % PLAY_PERIOD;
}

static void take_bytes(struct play *p, struct play_exchange *x, enum play_side side,
                       struct weir_slice slice)
{
    struct play_end *e = &x->ends[side], *peer = &x->ends[!side];
    struct play_flow *f = &p->flows[x->flow];
    char text[64];

    for (size_t done = 0, len; done < slice.len && p->broken[0] == 0; done += len) {
        len = (size_t)u64_min(slice.len - done, PLAY_CHUNK);
        if (!p->content_may_differ
            && memcmp(slice.bytes + done,
                      pattern_at(p, x, (enum play_side) !side, e->received + done), len)
                   != 0)
            play_break(p, "%s has received bytes that were not sent, at %llu",
                       play_end_text(p, x, side, text), (unsigned long long)e->received);
    }
    e->received += slice.len;
    if (!p->content_may_differ && e->received > peer->sent)
        play_break(p, "%s has received %llu bytes, but only %llu were sent",
                   play_end_text(p, x, side, text), (unsigned long long)e->received,
                   (unsigned long long)peer->sent);
    f->received[side] += slice.len;
    f->last_at = weir_sim_now(p->sim);
}

/* One read of at most len bytes, in one of the two ways there are. */
static ptrdiff_t read_some(struct play *p, struct play_exchange *x, enum play_side side,
                           struct weir *stack, size_t len)
{
    static const size_t max = 8;
    struct weir_slice slices[8];
    uint8_t bytes[16384];
    size_t count = 0, taken = 0;
    ptrdiff_t got;

    if (!flow_of(p, x)->lends) {
        got = weir_recv(stack, x->ends[side].conn, bytes, len < sizeof bytes ? len : sizeof bytes);
        if (got > 0)
            take_bytes(p, x, side, (struct weir_slice){bytes, (size_t)got});
        return got;
    }
    got = weir_recv_lent(stack, x->ends[side].conn, slices, max, &count);
    for (size_t i = 0; got > 0 && i < count && taken < len; i++) {
        slices[i].len = (size_t)u64_min(slices[i].len, len - taken);
        take_bytes(p, x, side, slices[i]);
        taken += slices[i].len;
    }
    if (got > 0)
        (void)weir_recv_done(stack, x->ends[side].conn, taken);
    return got;
}

static void note_end(struct play *p, struct play_exchange *x, enum play_side side)
{
    const struct play_end *peer = &x->ends[!side];
    struct play_end *e = &x->ends[side];
    char text[64];

    if (!e->has_read_end && !p->content_may_differ && !peer->has_died
        && (e->received != peer->sent || !(peer->is_shut || peer->is_over)))
        play_break(p, "%s has read an end after %llu bytes, but %llu were sent%s",
                   play_end_text(p, x, side, text), (unsigned long long)e->received,
                   (unsigned long long)peer->sent,
                   peer->is_shut || peer->is_over ? "" : ", and it was not closed");
    e->has_read_end = true;
}

/* Questions that have been answered, after a pause each, allow the next. */
static void count_answers(struct play *p, struct play_exchange *x, uint64_t before)
{
    const struct scenario_flow *f = flow_of(p, x);
    const struct play_end *e = &x->ends[PLAY_CLIENT];

    if (f->kind != SCENARIO_REQUEST || f->answer == 0)
        return;
    for (uint64_t n = before / f->answer; n < e->received / f->answer; n++) {
        if (f->pause_ns == 0)
            x->ends[PLAY_CLIENT].turns++;
        else
            (void)weir_sim_at(p->sim, weir_sim_now(p->sim) + f->pause_ns, ask_again, p,
                              ticket(x, PLAY_CLIENT));
    }
}

/* False: the exchange may be gone. */
static bool read_all(struct play *p, struct play_exchange *x, enum play_side side,
                     struct weir *stack)
{
    struct play_end *e = &x->ends[side];
    const struct scenario_flow *f = flow_of(p, x);

    while (!e->has_read_end) {
        uint64_t before = e->received, most = may_read(p, x, side);
        ptrdiff_t got;
        if (most == 0) {
            wake_at(p, x, side, weir_sim_now(p->sim) + 5 * WEIR_MS);
            return true;
        }
        if (f->chunk != 0)
            most = u64_min(most, f->chunk);
        got = read_some(p, x, side, stack, (size_t)u64_min(most, SIZE_MAX / 2));
        if (got == WEIR_EAGAIN)
            return true;
        if (got < 0) {
            fail(p, x, side, (int)got);
            return false;
        }
        if (got == 0)
            note_end(p, x, side);
        if (side == PLAY_CLIENT)
            count_answers(p, x, before);
    }
    return true;
}

/* ---- writing ---- */

static void nothing_to_release(void *owner)
{
    (void)owner;
}

static ptrdiff_t write_some(struct play *p, struct play_exchange *x, enum play_side side,
                            struct weir *stack, size_t len)
{
    const struct play_end *e = &x->ends[side];
    const uint8_t *bytes = pattern_at(p, x, side, e->sent);
    struct weir_slice slice = {p->pattern + (bytes - p->pattern), len};

    if (flow_of(p, x)->lends)
        return weir_send_lent(stack, e->conn, slice, 0, nothing_to_release, p);
    return weir_send(stack, e->conn, bytes, len, 0);
}

static bool write_all(struct play *p, struct play_exchange *x, enum play_side side,
                      struct weir *stack)
{
    struct play_end *e = &x->ends[side];
    const struct scenario_flow *f = flow_of(p, x);
    uint64_t most = allowed(p, x, side), chunk = f->chunk != 0 ? f->chunk : PLAY_CHUNK;

    while (!e->is_shut && e->sent < most) {
        ptrdiff_t put = write_some(p, x, side, stack,
                                   (size_t)u64_min(u64_min(most - e->sent, chunk), PLAY_CHUNK));
        if (put == WEIR_EAGAIN)
            return true;
        if (put == WEIR_ENOMEM) { /* no event will say when there is memory again */
            wake_at(p, x, side, weir_sim_now(p->sim) + 100 * WEIR_MS);
            return true;
        }
        if (put < 0) {
            fail(p, x, side, (int)put);
            return false;
        }
        e->sent += (uint64_t)put;
    }
    if (f->kind == SCENARIO_ON_OFF && side == PLAY_CLIENT && e->sent < total(p, x, side)
        && f->every_ns > 0)
        wake_at(p, x, side,
                x->started_at
                    + ((weir_sim_now(p->sim) - x->started_at) / f->every_ns + 1) * f->every_ns);
    return true;
}

/* ---- the end ---- */

static void quit(struct play *p, struct play_exchange *x, enum play_side side, bool aborts)
{
    struct play_end *e = &x->ends[side];
    struct weir *stack = stack_of(p, e);
    weir_conn_t conn = e->conn;

    e->has_quit = aborts || !e->has_read_end || e->sent < total(p, x, side);
    end_end(p, x, side, 0);
    if (stack != NULL)
        (void)(aborts ? weir_abort(stack, conn) : weir_close(stack, conn));
}

/* Whoever answers, or asks, has no more to say once the other side has ended. */
static bool is_left_alone(const struct play *p, const struct play_exchange *x, enum play_side side)
{
    const struct scenario_flow *f = flow_of(p, x);
    const struct play_end *e = &x->ends[side];

    return e->has_read_end && (f->kind == SCENARIO_REQUEST || f->kind == SCENARIO_SHORT)
           && e->sent == allowed(p, x, side);
}

static void finish(struct play *p, struct play_exchange *x, enum play_side side, struct weir *stack)
{
    struct play_end *e = &x->ends[side];
    const struct scenario_flow *f = flow_of(p, x);

    /* A server waits for the end of what it is sent. */
    if (!e->is_shut
        && (is_left_alone(p, x, side)
            || (e->sent == total(p, x, side) && (side == PLAY_CLIENT || e->has_read_end)))) {
        if (f->closes && side == PLAY_CLIENT) {
            quit(p, x, side, false);
            return;
        }
        e->is_shut = weir_shutdown(stack, e->conn) == 0;
    }
    if (e->is_shut && e->has_read_end)
        quit(p, x, side, false);
}

static void serve(struct play *p, struct play_exchange *x, enum play_side side)
{
    struct play_end *e = &x->ends[side];
    struct weir *stack = e->conn != 0 ? stack_of(p, e) : NULL;

    if (stack == NULL || p->broken[0] != 0)
        return;
    if (read_all(p, x, side, stack) && write_all(p, x, side, stack))
        finish(p, x, side, stack);
}

/* ---- connections ---- */

bool app_listen(struct play *p, uint32_t flow)
{
    const struct scenario_flow *f = &p->scenario->flows[flow];
    struct weir *stack = weir_sim_stack(p->sim, p->nodes[f->ends[PLAY_SERVER]]);
    struct weir_endpoint local = {.port = (uint16_t)(PLAY_PORT + flow)};
    int err = stack != NULL ? weir_listen(stack, &local, 128, &p->flows[flow].listener) : 0;

    if (err == 0 && stack != NULL)
        (void)weir_set(stack, p->flows[flow].listener, WEIR_OPT_USER,
                       (int64_t)(USER_LISTENER | flow));
    return err == 0;
}

static size_t options_of(const struct scenario_flow *f, struct weir_opt_value options[4])
{
    size_t count = 0;

    if (f->nodelay)
        options[count++] = (struct weir_opt_value){WEIR_OPT_NODELAY, 1};
    if (f->keepalive)
        options[count++] = (struct weir_opt_value){WEIR_OPT_KEEPALIVE, 1};
    if (f->user_timeout_ns > 0)
        options[count++] = (struct weir_opt_value){WEIR_OPT_USER_TIMEOUT, f->user_timeout_ns};
    return count;
}

/* Of every two connections, one begins so shortly before the numbers wrap around that they do. */
static void choose_isn(struct play *p, const struct play_exchange *x, struct weir *client)
{
    struct weir *server = weir_sim_stack(p->sim, x->ends[PLAY_SERVER].node);
    uint32_t before = (x->flow * 7919 + x->number * 3571) % 30000;

    if ((x->flow + x->number) % 2 != 0)
        return;
    weir_tcp_next_isn(client, UINT32_MAX - before);
    if (server != NULL)
        weir_tcp_next_isn(server, UINT32_MAX - before / 2);
}

static void connect_one(struct play *p, uint32_t flow)
{
    const struct scenario_flow *f = &p->scenario->flows[flow];
    struct weir *stack = weir_sim_stack(p->sim, p->nodes[f->ends[PLAY_CLIENT]]);
    struct weir_opt_value options[5];
    size_t count = options_of(f, options);
    struct weir_endpoint to = {.addr =
                                   weir_sim_addr(p->sim, p->nodes[f->ends[PLAY_SERVER]], f->is_v6),
                               .port = (uint16_t)(PLAY_PORT + flow)},
                         local;
    struct play_exchange *x = add_exchange(p, flow);
    struct play_end *e;
    int err = WEIR_ENOMEM;

    if (x == NULL)
        return;
    e = &x->ends[PLAY_CLIENT];
    options[count++] =
        (struct weir_opt_value){WEIR_OPT_USER, (int64_t)((uint64_t)x->slot << 1 | PLAY_CLIENT)};
    if (stack != NULL) {
        choose_isn(p, x, stack);
        err = weir_connect_with(stack, NULL, &to, options, count, &e->conn);
    }
    if (err != 0) {
        /* Without memory or ports there is no connection; nothing else may stand in the way. */
        if (err != WEIR_ENOMEM && err != WEIR_EADDRNOTAVAIL)
            play_break(p, "connecting fails: %s", weir_err_text(err));
        e->has_died = stack == NULL;
        end_end(p, x, PLAY_CLIENT, err);
        return;
    }
    if (weir_local(stack, e->conn, &local) == 0)
        x->client_port = local.port;
    serve(p, x, PLAY_CLIENT);
}

static void start_next(void *ctx, uint64_t flow)
{
    struct play *p = ctx;
    const struct scenario_flow *f = &p->scenario->flows[flow];
    uint32_t count = f->kind == SCENARIO_SHORT ? f->count : 1;

    if (p->is_ending || p->broken[0] != 0 || p->flows[flow].started >= count)
        return;
    connect_one(p, (uint32_t)flow);
    if (p->flows[flow].started < count)
        (void)weir_sim_at(p->sim, weir_sim_now(p->sim) + (f->every_ns > 0 ? f->every_ns : 1),
                          start_next, p, flow);
}

void app_start_flow(struct play *p, uint32_t flow)
{
    (void)weir_sim_at(p->sim, p->scenario->flows[flow].start_ns, start_next, p, flow);
}

static struct play_exchange *find_client(struct play *p, uint32_t flow, uint16_t port)
{
    for (size_t i = 0; i < p->exchange_count; i++) {
        struct play_exchange *x = p->exchanges[i];
        if (x != NULL && x->flow == flow && x->client_port == port && x->ends[PLAY_SERVER].conn == 0
            && !x->ends[PLAY_SERVER].is_over)
            return x;
    }
    return NULL;
}

/* A connection whose client is gone, or was never there, is of no use. */
static void accept_all(struct play *p, uint32_t flow)
{
    struct weir *stack =
        weir_sim_stack(p->sim, p->nodes[p->scenario->flows[flow].ends[PLAY_SERVER]]);
    struct weir_endpoint remote;
    weir_conn_t conn;

    while (stack != NULL && weir_accept(stack, p->flows[flow].listener, &conn) == 0) {
        struct play_exchange *x = NULL;
        if (weir_remote(stack, conn, &remote) == 0)
            x = find_client(p, flow, weir_sim_real_port(p->sim, remote.port));
        if (x == NULL || p->is_ending) {
            (void)weir_abort(stack, conn);
            if (x != NULL)
                x->ends[PLAY_SERVER].has_quit = true;
            continue;
        }
        x->ends[PLAY_SERVER].conn = conn;
        (void)weir_set(stack, conn, WEIR_OPT_USER, (int64_t)((uint64_t)x->slot << 1 | PLAY_SERVER));
        serve(p, x, PLAY_SERVER);
    }
}

void app_event(struct play *p, weir_sim_node_t node, const struct weir_event *event)
{
    struct play_exchange *x;
    enum play_side side = (enum play_side)(event->user & 1);

    if (event->user & USER_LISTENER) {
        uint32_t flow = (uint32_t)event->user;
        if (flow < p->scenario->flow_count && event->handle == p->flows[flow].listener)
            accept_all(p, flow);
        return;
    }
    if ((event->user >> 1) >= p->exchange_count)
        return;
    x = p->exchanges[event->user >> 1];
    if (x == NULL || x->ends[side].conn != event->handle || x->ends[side].node != node)
        return;
    serve(p, x, side);
}

/* ---- from outside ---- */

void app_host_stopped(struct play *p, weir_sim_node_t node)
{
    for (size_t i = 0; i < p->exchange_count; i++) {
        struct play_exchange *x = p->exchanges[i];
        for (int side = 0; x != NULL && side < 2; side++) {
            struct play_end *e = &x->ends[side];
            if (e->node != node || e->is_over)
                continue;
            e->has_died = true;
            if (e->conn != 0)
                end_end(p, x, (enum play_side)side, WEIR_ECONNABORTED);
            x = p->exchanges[i];
        }
    }
    for (uint32_t flow = 0; flow < p->scenario->flow_count; flow++)
        if (p->nodes[p->scenario->flows[flow].ends[PLAY_SERVER]] == node)
            p->flows[flow].listener = 0;
}

void app_act(struct play *p, const struct scenario_action *a)
{
    struct play_exchange *x = p->flows[a->subject].newest;
    enum play_side side = a->is_server ? PLAY_SERVER : PLAY_CLIENT;
    struct play_end *e;
    struct weir *stack;

    if (x == NULL || x->ends[side].conn == 0)
        return;
    e = &x->ends[side];
    stack = stack_of(p, e);
    if (stack == NULL)
        return;
    switch (a->verb) {
    case SCENARIO_SEND:
        if (!e->is_shut && total(p, x, side) != UINT64_MAX)
            e->extra += (uint64_t)a->value;
        break;
    case SCENARIO_SHUTDOWN:
        /* Where it has not sent all, it will not send it any more. */
        if (weir_shutdown(stack, e->conn) == 0) {
            e->is_shut = true;
            e->has_quit = true;
        }
        break;
    case SCENARIO_CLOSE: quit(p, x, side, false); return;
    case SCENARIO_ABORT: quit(p, x, side, true); return;
    case SCENARIO_OPTION: (void)weir_set(stack, e->conn, (enum weir_opt)a->option, a->value); break;
    default: break;
    }
    serve(p, x, side);
}

/* One that has ended as it should is still owed its last bytes, and they have to come. */
static bool is_forsaken(const struct play *p, const struct play_end *peer)
{
    if (peer->is_over)
        return peer->has_died || peer->has_quit || peer->error != 0 || p->has_trouble;
    return peer->conn == 0 && p->has_trouble;
}

void app_give_up_forsaken(struct play *p)
{
    for (size_t i = 0; i < p->exchange_count; i++) {
        struct play_exchange *x = p->exchanges[i];
        for (int side = 0; x != NULL && side < 2; side++) {
            const struct play_end *e = &x->ends[side], *peer = &x->ends[!side];
            const struct weir *stack = weir_sim_peek(p->sim, e->node);
            struct weir_tcp_info info;
            if (e->conn == 0 || stack == NULL || !is_forsaken(p, peer))
                continue;
            if (weir_tcp_info(stack, e->conn, &info) != 0 || info.send_queued > 0)
                continue;
            quit(p, x, (enum play_side)side, true);
            x = p->exchanges[i];
        }
    }
}

bool app_is_all_over(const struct play *p)
{
    for (size_t i = 0; i < p->scenario->flow_count; i++) {
        const struct scenario_flow *f = &p->scenario->flows[i];
        if (p->flows[i].started < (f->kind == SCENARIO_SHORT ? f->count : 1))
            return false;
    }
    return p->live == 0;
}
