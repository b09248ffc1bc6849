/*
 * transfer.c - many flows over Weir
 *
 * Opens or accepts as many connections as asked, does on each what the plan says, and
 * prints one line; exit code 0 if everything went as it must.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/auth.h>
#include <weir/stats.h>
#include <weir/tcp.h>

#include "interop/device.h"
#include "interop/flow.h"

enum { OPTIONS = 6 };

struct conn {
    struct flow flow;
    weir_conn_t handle;
    weir_ns_t opened_at;
    bool over;
};

struct transfer {
    struct options o;
    struct weir_host *host;
    struct weir *stack;
    struct weir_endpoint endpoint;
    weir_listener_t listener;
    struct conn *conns;
    uint32_t opened, over, wrong, open_peak, fast;
    uint64_t ce_in, ce_out; /* segments marked, that came and of ours */
    weir_ns_t begin, end, next_at;
};

/* ---- one connection ---- */

/* Did data go with its SYN? */
static bool is_fast(const struct transfer *t, const struct conn *c)
{
    struct weir_tcp_info info;

    return weir_tcp_info(t->stack, c->handle, &info) == 0
           && (info.fastopen == WEIR_FASTOPEN_TAKEN || info.fastopen == WEIR_FASTOPEN_ACCEPTED);
}

/* What has come of marks; NULL, or what is not as it must be. */
static const char *look_at_marks(struct transfer *t, const struct conn *c)
{
    static const char *const kinds[] = {"none", "classic", "accurate"};
    struct weir_tcp_info info;

    if (t->o.marks == NULL || weir_tcp_info(t->stack, c->handle, &info) != 0)
        return NULL;
    t->ce_in += info.received_ce;
    t->ce_out += info.delivered_ce;
    return strcmp(kinds[info.ecn], t->o.marks) == 0 ? NULL : kinds[info.ecn];
}

static void finish(struct transfer *t, struct conn *c, const char *wrong)
{
    const char *ecn;

    if (c->over)
        return;
    ecn = look_at_marks(t, c);
    wrong = wrong != NULL ? wrong : ecn;
    c->over = true;
    t->over++;
    t->fast += is_fast(t, c);
    t->next_at = weir_host_now() + t->o.rest_ms * WEIR_MS;
    if (wrong != NULL && t->wrong++ < 5)
        fprintf(stderr, "connection %u: %s (sent %" PRIu64 ", received %" PRIu64 ")\n", c->flow.id,
                wrong, c->flow.sent, c->flow.received);
    weir_close(t->stack, c->handle);
}

static void keep(void *owner)
{
    (void)owner;
}

static ptrdiff_t send_some(struct transfer *t, struct conn *c, const uint8_t *bytes, size_t len)
{
    /* Lent bytes are only read: the slice has no const because frames in share the type. */
    union {
        const uint8_t *given;
        uint8_t *lent;
    } u = {bytes};

    if (!t->o.lent)
        return weir_send(t->stack, c->handle, bytes, len, 0);
    return weir_send_lent(t->stack, c->handle, (struct weir_slice){u.lent, len}, 0, keep, NULL);
}

static void send_more(struct transfer *t, struct conn *c)
{
    const uint8_t *bytes;
    size_t len;

    while ((len = flow_next(&c->flow, &bytes)) > 0) {
        ptrdiff_t sent = send_some(t, c, bytes, len);

        if (sent < 0)
            return; /* blocked, or ended, which an event tells */
        flow_on_sent(&c->flow, (size_t)sent);
    }
    if (flow_wants_end(&c->flow) && weir_shutdown(t->stack, c->handle) == 0)
        flow_on_end_sent(&c->flow);
}

static bool is_paused(const struct transfer *t, const struct conn *c)
{
    return (t->o.together && t->opened < t->o.count)
           || weir_host_now() < c->opened_at + t->o.pause_ms * WEIR_MS;
}

static void receive_more(struct transfer *t, struct conn *c)
{
    struct weir_slice slices[16];
    ptrdiff_t len = 1;

    while (len > 0 && !is_paused(t, c)) {
        size_t count;

        len = weir_recv_lent(t->stack, c->handle, slices, 16, &count);
        if (len == 0 && !c->flow.end_received)
            flow_on_end(&c->flow);
        if (len <= 0)
            return;
        for (size_t i = 0; i < count; i++)
            flow_on_received(&c->flow, slices[i].bytes, slices[i].len);
        weir_recv_done(t->stack, c->handle, (size_t)len);
    }
}

static void go_on(struct transfer *t, struct conn *c)
{
    receive_more(t, c);
    send_more(t, c);
    if (flow_is_over(&c->flow))
        finish(t, c, c->flow.wrong);
}

static void on_ended(struct transfer *t, struct conn *c, int err)
{
    const char *wanted = t->o.expect;

    if (wanted != NULL)
        finish(t, c, strcmp(weir_err_name(err), wanted) == 0 ? NULL : weir_err_name(err));
    else
        finish(t, c, err != 0 ? weir_err_text(err) : "it ended before all was done");
}

/* ---- all of them ---- */

static struct conn *add_conn(struct transfer *t, weir_conn_t handle)
{
    struct conn *c = &t->conns[t->opened];

    if (t->begin == 0)
        t->begin = weir_host_now();
    flow_init(&c->flow, &t->o.plan, t->opened);
    c->handle = handle;
    c->opened_at = weir_host_now();
    weir_set(t->stack, handle, WEIR_OPT_USER, ++t->opened);
    if (t->opened - t->over > t->open_peak)
        t->open_peak = t->opened - t->over;
    return c;
}

static size_t options_of(const struct options *o, struct weir_opt_value v[OPTIONS])
{
    size_t count = 0;

    if (o->fastopen && o->listens)
        v[count++] = (struct weir_opt_value){WEIR_OPT_FASTOPEN_QUEUE, o->count};
    else
        v[count++] = (struct weir_opt_value){WEIR_OPT_FASTOPEN, o->fastopen};
    v[count++] = (struct weir_opt_value){WEIR_OPT_NODELAY, o->nodelay};
    if (o->user_timeout_ms > 0)
        v[count++] = (struct weir_opt_value){WEIR_OPT_USER_TIMEOUT, o->user_timeout_ms * WEIR_MS};
    if (o->keepalive_ms == 0)
        return count;
    v[count++] = (struct weir_opt_value){WEIR_OPT_KEEPALIVE, 1};
    v[count++] = (struct weir_opt_value){WEIR_OPT_KEEPALIVE_IDLE, o->keepalive_ms * WEIR_MS};
    v[count++] = (struct weir_opt_value){WEIR_OPT_KEEPALIVE_INTERVAL, o->keepalive_ms * WEIR_MS};
    return count;
}

/* One key for everybody. */
static void add_key(const struct transfer *t, weir_handle_t handle)
{
    uint8_t bytes[WEIR_AUTH_KEY_MAX];
    struct weir_auth_key key = {.algorithm = WEIR_AUTH_MD5, .key = bytes};
    int err;

    if (t->o.md5 == NULL)
        return;
    key.key_len = strlen(t->o.md5);
    memcpy(bytes, t->o.md5, key.key_len < sizeof bytes ? key.key_len : sizeof bytes);
    err = weir_auth_add(t->stack, handle, &key);
    if (err != 0)
        device_fail("key", err);
}

/* A fixed port may not be free yet. */
static bool connect_next(struct transfer *t)
{
    struct weir_endpoint local = {.port = t->o.local_port};
    struct weir_opt_value values[OPTIONS];
    size_t count = options_of(&t->o, values);
    weir_conn_t handle;
    int err = weir_connect_with(t->stack, &local, &t->endpoint, values, count, &handle);

    if (err == WEIR_EADDRINUSE && t->o.one_by_one)
        return false;
    if (err != 0)
        device_fail("connect", err);
    add_key(t, handle);
    send_more(t, add_conn(t, handle));
    return true;
}

static void open_more(struct transfer *t)
{
    uint32_t most = t->o.one_by_one ? t->over + 1 : t->o.count;

    if (weir_host_now() < t->next_at)
        return;
    while (!t->o.listens && t->opened < t->o.count && t->opened < most && connect_next(t))
        continue;
}

static void accept_all(struct transfer *t)
{
    weir_conn_t handle;

    while (weir_accept(t->stack, t->listener, &handle) == 0) {
        if (t->opened < t->o.count)
            go_on(t, add_conn(t, handle));
        else
            weir_abort(t->stack, handle);
    }
}

static void on_event(void *ctx, struct weir *s, const struct weir_event *event)
{
    struct transfer *t = ctx;
    struct conn *c;

    (void)s;
    if (event->bits & WEIR_EVENT_ACCEPTABLE)
        accept_all(t);
    if (event->user == 0)
        return;
    c = &t->conns[event->user - 1];
    if (c->over)
        return;
    if (event->bits & WEIR_EVENT_SOFT_ERROR)
        printf("the network says: %s\n", weir_err_name(event->error));
    go_on(t, c);
    if ((event->bits & WEIR_EVENT_CLOSED) && !c->over)
        on_ended(t, c, event->error);
}

static void begin_listening(struct transfer *t)
{
    struct weir_opt_value values[OPTIONS];
    size_t count = options_of(&t->o, values);
    int err = weir_listen_with(t->stack, &t->endpoint, t->o.count, values, count, &t->listener);

    if (err != 0)
        device_fail("listen", err);
    add_key(t, t->listener);
}

/* Connections that nobody is told of any more have to come to their end too. */
static bool is_quiet(const struct transfer *t)
{
    struct weir_stats stats;

    weir_stats(t->stack, &stats);
    return stats.connections == 0 && !weir_has_output(t->stack, 0);
}

static bool may_pause(const struct transfer *t)
{
    return t->o.together || t->o.pause_ms > 0;
}

static void wake_paused(struct transfer *t)
{
    for (uint32_t i = 0; may_pause(t) && i < t->opened; i++) {
        if (!t->conns[i].over)
            go_on(t, &t->conns[i]);
    }
}

static void run(struct transfer *t)
{
    weir_ns_t until = weir_host_now() + t->o.timeout_s * WEIR_S;
    weir_ns_t wait_ns = (may_pause(t) ? 50 : t->o.one_by_one ? 1 : 500) * WEIR_MS;

    while (t->over < t->o.count && weir_host_now() < until) {
        open_more(t);
        if (weir_host_step(t->host, wait_ns) != 0)
            break;
        wake_paused(t);
    }
    t->end = weir_host_now();
    while (!is_quiet(t) && weir_host_now() < t->end + 5 * WEIR_S)
        weir_host_step(t->host, 100 * WEIR_MS);
}

static void say_unfinished(const struct transfer *t)
{
    for (uint32_t i = 0, said = 0; i < t->opened && said < 5; i++) {
        const struct conn *c = &t->conns[i];
        struct weir_tcp_info info;

        if (c->over || weir_tcp_info(t->stack, c->handle, &info) != 0)
            continue;
        said++;
        fprintf(
            stderr,
            "connection %u is in %s: sent %" PRIu64 ", received %" PRIu64
            ", queued %u, in flight %u, cwnd %u, peer's window %u, ours %u, retransmits %" PRIu64
            "\n",
            c->flow.id, weir_tcp_state_name(info.state), c->flow.sent, c->flow.received,
            info.send_queued, info.flight_bytes, info.cwnd, info.snd_wnd, info.rcv_wnd,
            info.retransmits);
    }
}

static void say_drops(const struct transfer *t)
{
    for (size_t why = 0; why < weir_why_count(); why++) {
        if (weir_dropped(t->stack, why) > 0)
            fprintf(stderr, "dropped %" PRIu64 " %s\n", weir_dropped(t->stack, why),
                    weir_why_name(why));
    }
}

static bool has_marks(const struct transfer *t)
{
    bool wanted = t->o.marks != NULL && strcmp(t->o.marks, "none") != 0;

    return !wanted || (t->ce_in > 0 && t->ce_out > 0);
}

static int report(const struct transfer *t)
{
    uint64_t sent = 0, received = 0;
    double seconds = t->begin == 0 ? 0 : (double)(t->end - t->begin) / 1e9;
    bool good = t->over == t->o.count && t->wrong == 0 && has_marks(t);
    struct weir_stats stats;

    for (uint32_t i = 0; i < t->opened; i++) {
        sent += t->conns[i].flow.sent;
        received += t->conns[i].flow.received;
    }
    weir_stats(t->stack, &stats);
    printf("weir: %u of %u connections, %u at once, %" PRIu64 " bytes out, %" PRIu64
           " in, %.3f s, %.2f Gbit/s, %" PRIu64 " retransmits, peak memory %zu\n",
           t->over, t->o.count, t->open_peak, sent, received, seconds,
           seconds > 0 ? (double)(sent + received) * 8 / 1e9 / seconds : 0, stats.tcp_retransmits,
           stats.memory_peak_bytes);
    printf("%u with data in the SYN, %" PRIu64 " with a cookie for a SYN\n", t->fast,
           stats.tcp_cookies_taken);
    if (t->o.marks != NULL)
        printf("= %s ECN, marked %" PRIu64 " in, %" PRIu64 " out\n", t->o.marks, t->ce_in,
               t->ce_out);
    if (stats.connections > 0)
        fprintf(stderr, "%u connections have not come to their end\n", stats.connections);
    if (!good || t->o.md5 != NULL)
        say_drops(t);
    if (!good) {
        say_unfinished(t);
    }
    return good && (stats.connections == 0 || t->o.expect != NULL) ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct transfer t = {0};
    int code;

    options_parse(&t.o, argc, argv);
    t.endpoint = device_endpoint(t.o.endpoint);
    t.conns = calloc(t.o.count, sizeof *t.conns);
    t.host = device_open(&t.o);
    t.stack = weir_host_stack(t.host);
    weir_host_set_events(t.host, on_event, &t);
    if (t.o.listens)
        begin_listening(&t);
    printf("ready\n");
    fflush(stdout);
    run(&t);
    code = report(&t);
    weir_host_destroy(&t.host);
    free(t.conns);
    return code;
}
