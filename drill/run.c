/*
 * run.c - a script, run against a target
 *
 * Events happen in order. Calls and packets of the peer happen at their time; a packet that is
 * to be seen is the next that the stack sends in its conversation, whenever it was sent: what
 * nobody has asked for is therefore noticed at the next one that somebody asks for.
 *
 * A packet belongs to the conversation under test: the one that was begun last, by connect or by
 * a packet for a listener. Packets with ports of their own have conversations of their own.
 */
#include "drill/run.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drill/code.h"
#include "drill/command.h"
#include "drill/flow.h"
#include "drill/job.h"
#include "drill/names.h"

enum {
    FLOWS_MAX = 64,
    PORT_FIRST = 40000, /* of peers */
    SOL_TCP_LEVEL = IPPROTO_TCP,
    TCP_INFO_OPTION = 11,
    TOLERANCE_DIVISOR = 8, /* 12.5 % */
};

/* What the socket that was made last has become. */
enum role {
    ROLE_NONE,
    ROLE_SOCKET,
    ROLE_LISTENS,
    ROLE_CONNECTS,
};

struct runner {
    const struct drill_script *script;
    struct drill_target *target;
    const struct drill_run_options *options;
    struct drill_failure *failure;
    weir_ns_t start; /* on the target's clock */
    struct drill_flow *flows[FLOWS_MAX];
    size_t flow_count;
    struct drill_flow *current;
    struct drill_memory memory; /* of flows */
    enum role role;
    enum drill_protocol protocol; /* of the socket made last */
    int fd;                       /* the socket under test, for TCP_INFO; -1: none yet */
    struct drill_fds fds;
    struct drill_variables variables;
    const struct drill_event *event;
    const struct drill_event *last; /* the event before */
    weir_ns_t last_ns;              /* its time */
    weir_ns_t start_ns, end_ns;     /* of this event, since the script's start */
    uint16_t next_port;

    /* A call that blocks. */
    struct drill_job *pending;
    weir_ns_t pending_end_ns;
    weir_ns_t pending_over_at;
    /* What TCP_INFO said, for one event. */
    uint8_t info[DRILL_TCP_INFO_MAX];
    size_t info_len;
    bool has_info;
    uint8_t bytes[DRILL_PACKET_MAX];
};

/* ---- failures and times ---- */

static weir_ns_t now(const struct runner *r)
{
    return r->target->now(r->target->ctx) - r->start;
}

static bool fail(struct runner *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool fail(struct runner *r, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(r->failure->error.text, sizeof r->failure->error.text, format, args);
    va_end(args);
    r->failure->error.at = r->event->at;
    r->failure->at = now(r);
    return false;
}

static double seconds(weir_ns_t ns)
{
    return (double)ns / 1e9;
}

/* Longer pauses may be missed by more. */
static weir_ns_t tolerance(const struct runner *r, weir_ns_t at)
{
    weir_ns_t part = r->last != NULL ? (at - r->last_ns) / TOLERANCE_DIVISOR : 0;

    return part > r->options->tolerance_ns ? part : r->options->tolerance_ns;
}

static bool is_inbound(const struct drill_event *event)
{
    return event != NULL && event->kind == DRILL_EVENT_PACKET && event->packet->is_in;
}

/*
 * Relative times count from now; between packets of the peer that follow one another, from
 * the one before.
 */
static void set_times(struct runner *r)
{
    const struct drill_event *e = r->event;
    weir_ns_t base = is_inbound(r->last) && is_inbound(e) ? r->last_ns : now(r);

    if (e->time == DRILL_TIME_ABSOLUTE || e->time == DRILL_TIME_RANGE)
        base = 0;
    r->start_ns = e->start_ns + base;
    r->end_ns = r->start_ns;
    if (e->time == DRILL_TIME_RANGE || e->time == DRILL_TIME_RELATIVE_RANGE)
        r->end_ns = e->end_ns + base;
}

/* Waits for the event's time; it must not be over. */
static bool wait_for_event(struct runner *r)
{
    weir_ns_t late;

    r->target->sleep_until(r->target->ctx, r->start + r->start_ns);
    late = now(r) - r->start_ns;
    if (r->target->is_real_time || late <= tolerance(r, r->start_ns))
        return true;
    return fail(r, "this is to happen at %.6f s, but what came before it took until %.6f s",
                seconds(r->start_ns), seconds(now(r)));
}

static bool check_time(struct runner *r, weir_ns_t at, const char *what)
{
    weir_ns_t allowed = tolerance(r, r->start_ns);

    if (r->event->time == DRILL_TIME_ANY
        || (at >= r->start_ns - allowed && at <= r->end_ns + allowed))
        return true;
    if (r->end_ns > r->start_ns)
        return fail(r, "%s is expected from %.6f s to %.6f s, but happens at %.6f s", what,
                    seconds(r->start_ns), seconds(r->end_ns), seconds(at));
    return fail(r, "%s is expected at %.6f s, but happens at %.6f s", what, seconds(r->start_ns),
                seconds(at));
}

/* ---- conversations ---- */

static struct drill_flow *new_flow(struct runner *r, uint16_t remote_port, uint16_t local_port)
{
    const struct drill_net *net = &r->target->net;
    struct drill_flow *flow;

    if (r->flow_count == FLOWS_MAX)
        return NULL;
    flow = drill_memory_get(&r->memory, sizeof *flow);
    if (flow == NULL)
        return NULL;
    flow->protocol = r->protocol;
    flow->local = (struct weir_endpoint){.addr = net->local.addr, .port = local_port};
    flow->remote = (struct weir_endpoint){.addr = net->remote, .port = remote_port};
    r->flows[r->flow_count++] = flow;
    return flow;
}

/* The conversation with a remote port of the script's own. */
static struct drill_flow *flow_of_port(struct runner *r, uint16_t remote, uint16_t local)
{
    for (size_t i = 0; i < r->flow_count; i++) {
        struct drill_flow *flow = r->flows[i];

        if (flow->remote.port == remote && (flow->local.port == local || local == 0))
            return flow;
    }
    return new_flow(r, remote, local != 0 ? local : r->target->net.local_port);
}

/* The conversation of a packet; begins one if somebody listens. */
static struct drill_flow *find_flow(struct runner *r, const struct drill_packet *packet)
{
    if (packet->src_port != 0)
        return packet->is_in ? flow_of_port(r, packet->src_port, packet->dst_port)
                             : flow_of_port(r, packet->dst_port, packet->src_port);
    if (packet->is_in && packet->protocol != DRILL_ICMP
        && (r->role == ROLE_LISTENS || r->current == NULL)) {
        r->protocol = packet->protocol;
        r->current = new_flow(r, r->next_port++, r->target->net.local_port);
        if (r->role == ROLE_LISTENS) {
            r->role = ROLE_SOCKET;
            r->fd = -1;
        }
    }
    return r->current;
}

/* ---- packets ---- */

static void tell(struct runner *r, bool is_in, weir_ns_t at, const char *text)
{
    if (r->options->on_packet != NULL)
        r->options->on_packet(r->options->ctx, is_in, at, text);
}

static bool run_inbound(struct runner *r, struct drill_packet *packet)
{
    struct drill_flow *flow;
    const char *problem = NULL;
    char text[DRILL_LINE_MAX];
    size_t len;

    if (!wait_for_event(r))
        return false;
    flow = find_flow(r, packet);
    if (flow == NULL)
        return fail(r, "there is no conversation that this packet could belong to");
    if (packet->protocol == DRILL_TCP && (packet->seg.flags & TCP_SYN)) {
        flow->last_syn = packet->seg.seq;
        if (!flow->has_remote_isn)
            flow->remote_isn = packet->seg.seq;
        flow->has_remote_isn = true;
    }
    len = drill_flow_emit(flow, packet, r->bytes, sizeof r->bytes, &problem);
    if (problem != NULL)
        return fail(r, "%s", problem);
    (void)drill_packet_text(packet, text, sizeof text);
    tell(r, true, now(r), text);
    return r->target->inject(r->target->ctx, r->bytes, len) || fail(r, "the packet cannot be sent");
}

/* The next packet of a conversation; false: none is sent, or it is broken (*problem). */
static bool next_seen(struct runner *r, const struct drill_flow *flow, enum drill_protocol protocol,
                      struct drill_seen *seen, const char **problem)
{
    weir_ns_t until = r->event->time == DRILL_TIME_ANY
                          ? WEIR_NEVER
                          : r->start + r->end_ns + r->target->patience_ns;
    size_t len;

    while ((len = r->target->receive(r->target->ctx, r->bytes, sizeof r->bytes, until, &seen->at))
           > 0) {
        seen->at -= r->start;
        if (drill_seen_parse(r->bytes, len, seen, problem) && drill_flow_has(flow, seen)
            && (seen->protocol != DRILL_ICMP || protocol == DRILL_ICMP
                || flow->protocol == DRILL_UDP))
            return true;
        if (*problem != NULL)
            return false;
    }
    *problem = NULL;
    return false;
}

static bool fail_packet(struct runner *r, const struct drill_packet *want, const char *problem)
{
    r->failure->is_packet = true;
    (void)drill_packet_text(want, r->failure->expected, sizeof r->failure->expected);
    if (problem != NULL)
        return fail(r, "%s", problem);
    if (r->event->time == DRILL_TIME_ANY)
        return fail(r, "this packet is expected, but nothing is sent up to the time limit");
    return fail(r, "this packet is expected at %.6f s, but nothing is sent", seconds(r->start_ns));
}

static void learn_isn(struct drill_flow *flow, const struct drill_packet *want,
                      const struct drill_seen *seen)
{
    flow->local.port = seen->src.port;
    if (!(seen->seg.flags & TCP_SYN) || (flow->has_local_isn && flow->local_isn == seen->seg.seq))
        return;
    /* Another number is another connection, with what the peer's last SYN said. */
    if (flow->has_local_isn)
        flow->remote_isn = flow->last_syn;
    flow->has_local_isn = true;
    flow->local_isn = seen->seg.seq;
    flow->script_local_isn = want->protocol == DRILL_TCP ? want->seg.seq : 0;
}

/*
 * A script may show as one segment what a device cuts into several: those that follow one
 * another, all but the last of one length. As Linux sets PSH in whatever a device is to cut, PSH
 * is then what the script says. False: what comes does not belong to it.
 */
static bool join_segments(struct runner *r, struct drill_flow *flow, const struct seg_text *want,
                          struct drill_seen *seen, const char **problem)
{
    const uint16_t last_only = TCP_PSH | TCP_FIN | TCP_CWR;
    uint32_t part = seen->seg.len;

    while (seen->seg.len < want->len) {
        struct drill_seen next;

        if (!next_seen(r, flow, DRILL_TCP, &next, problem))
            return false;
        if (next.seg.seq != seen->seg.seq + seen->seg.len || next.seg.len == 0
            || ((next.seg.flags ^ seen->seg.flags) & (uint16_t)~last_only) || next.seg.len > part
            || (seen->seg.len % part) != 0) {
            *problem = "the segment is shorter than expected, and what follows does not fit to it";
            return false;
        }
        seen->seg.len += next.seg.len;
        seen->seg.flags = (uint16_t)((next.seg.flags & ~TCP_PSH) | (seen->seg.flags & TCP_CWR)
                                     | (want->flags & TCP_PSH));
        seen->at = next.at;
    }
    return true;
}

static bool compare_packet(struct runner *r, struct drill_flow *flow,
                           const struct drill_packet *want, const struct drill_seen *seen)
{
    bool is_v6 = !weir_addr_is_v4(&flow->remote.addr);
    struct seg_text seg;
    const char *what;
    char text[DRILL_LINE_MAX];

    if (seen->protocol == DRILL_TCP && want->protocol == DRILL_TCP)
        drill_flow_note_stamp(flow, &want->seg, &seen->seg);
    seg = drill_flow_to_script(flow, &seen->seg);
    (void)drill_seen_text(seen, &seg, text, sizeof text);
    tell(r, false, seen->at, text);
    what = drill_packet_differs(want, seen, &seg, is_v6);
    if (what == NULL && check_time(r, seen->at, "this packet"))
        return true;
    (void)snprintf(r->failure->seen, sizeof r->failure->seen, "%s", text);
    r->failure->seen_at = seen->at;
    if (what == NULL) {
        r->failure->is_packet = true;
        (void)drill_packet_text(want, r->failure->expected, sizeof r->failure->expected);
        return false;
    }
    (void)fail_packet(r, want, "");
    return fail(r, "another packet is expected; what differs: %s", what);
}

static bool run_outbound(struct runner *r, struct drill_packet *want)
{
    struct drill_flow *flow = find_flow(r, want);
    struct drill_seen seen;
    const char *problem = NULL;

    if (flow == NULL)
        return fail(r, "there is no conversation that this packet could belong to");
    if (!next_seen(r, flow, want->protocol, &seen, &problem))
        return fail_packet(r, want, problem);
    if (seen.protocol == DRILL_TCP)
        learn_isn(flow, want, &seen);
    if (seen.protocol == DRILL_TCP && want->protocol == DRILL_TCP && seen.seg.len > 0
        && !join_segments(r, flow, &want->seg, &seen, &problem)) {
        struct seg_text seg = drill_flow_to_script(flow, &seen.seg);

        (void)drill_seen_text(&seen, &seg, r->failure->seen, sizeof r->failure->seen);
        r->failure->seen_at = seen.at;
        return fail_packet(r, want, problem);
    }
    return compare_packet(r, flow, want, &seen);
}

/* ---- calls ---- */

static uint16_t port_of(const struct sockaddr_storage *addr)
{
    struct sockaddr_in in;

    /* The port stands at the same place in both families. */
    memcpy(&in, addr, sizeof in);
    return ntohs(in.sin_port);
}

static void note_socket(struct runner *r, const struct drill_job *job)
{
    r->role = ROLE_SOCKET;
    r->protocol = (job->type & 0xf) == SOCK_DGRAM ? DRILL_UDP : DRILL_TCP;
    r->fd = (int)job->result;
}

static void note_connect(struct runner *r, const struct drill_job *job)
{
    uint16_t port = port_of(&job->addr);

    if (job->addr.ss_family == AF_UNSPEC || (r->role == ROLE_CONNECTS && r->current != NULL))
        return;
    (void)drill_fds_find(&r->fds, job->script_fd, &r->fd);
    r->role = ROLE_CONNECTS;
    r->current = new_flow(r, port, 0);
}

/* Does the call begin a connection? Those that send do with MSG_FASTOPEN, or with UDP. */
static bool begins_connection(struct runner *r, struct drill_job *job)
{
    const struct drill_expr *args = job->call->args;
    const char *name = job->call->name;
    int64_t flags;

    if (r->role == ROLE_CONNECTS)
        return false;
    if (strcmp(name, "connect") == 0)
        return true;
    if (strcmp(name, "sendto") == 0)
        flags = drill_job_number(job, args->next->next->next);
    else if (strcmp(name, "sendmsg") == 0)
        flags = drill_job_number(job, args->next->next);
    else
        return false;
    return (flags & MSG_FASTOPEN) || (r->protocol == DRILL_UDP && r->current == NULL);
}

/* What a script's call means for what comes: which conversation is under test. */
static void note_call(struct runner *r, struct drill_job *job)
{
    const char *name = job->call->name;

    if (strcmp(name, "socket") == 0 && job->result >= 0) {
        note_socket(r, job);
    } else if (strcmp(name, "listen") == 0 && job->result >= 0) {
        r->role = ROLE_LISTENS;
        (void)drill_fds_find(&r->fds, job->script_fd, &r->fd);
    } else if (strcmp(name, "accept") == 0 && job->result >= 0) {
        r->fd = (int)job->result;
    } else if (job->addr_len > 0 && !job->failed && begins_connection(r, job)) {
        note_connect(r, job);
    }
}

static void note_fds(struct runner *r, const struct drill_job *job)
{
    const struct drill_expr *list = job->call->args;

    if (job->makes_fd && job->result >= 0)
        (void)drill_fds_add(&r->fds, (int)job->call->result->number, (int)job->result);
    if (job->closes_fd && job->result >= 0)
        drill_fds_remove(&r->fds, job->script_fd);
    if (strcmp(job->call->name, "pipe") == 0 && job->result >= 0 && !job->failed) {
        (void)drill_fds_add(&r->fds, (int)list->first->number, job->new_fds[0]);
        (void)drill_fds_add(&r->fds, (int)list->first->next->number, job->new_fds[1]);
    }
}

/* Looks at what came out of a call. */
static bool end_call(struct runner *r, struct drill_job *job)
{
    bool ok;

    note_fds(r, job);
    note_call(r, job);
    ok = drill_job_check(job);
    if (!ok) {
        r->failure->error = job->error;
        r->failure->at = now(r);
    }
    return ok;
}

static void free_job(struct drill_job *job)
{
    drill_memory_fini(&job->memory);
    free(job);
}

/* Runs in the second thread. */
static void run_pending(void *arg)
{
    struct runner *r = arg;

    drill_job_run(r->pending);
    r->pending_over_at = now(r);
}

/* If the call that blocks has ended: at the right time? Waits for it till then at most. */
static bool take_pending(struct runner *r, weir_ns_t until)
{
    struct drill_job *job = r->pending;
    weir_ns_t want = r->pending_end_ns, at;
    bool ok;

    if (job == NULL || !r->target->finish(r->target->ctx, r->start + until))
        return true;
    at = r->pending_over_at;
    r->pending = NULL;
    ok = end_call(r, job);
    if (ok && (at < want - r->options->tolerance_ns || at > want + tolerance(r, want))) {
        ok = fail(r, "%s is expected to return at %.6f s, but returns at %.6f s", job->call->name,
                  seconds(want), seconds(at));
        r->failure->error.at = job->call->result->at;
    }
    free_job(job);
    return ok;
}

/* The call that blocks must have ended. */
static bool end_pending(struct runner *r)
{
    if (r->pending == NULL)
        return true;
    if (!take_pending(r, r->pending_end_ns + r->target->patience_ns))
        return false;
    return r->pending == NULL
           || fail(r, "%s is expected to return at %.6f s, but still waits", r->pending->call->name,
                   seconds(r->pending_end_ns));
}

static struct drill_job *new_job(struct runner *r, const struct drill_call *call)
{
    struct drill_job *job = calloc(1, sizeof *job);

    if (job != NULL) {
        job->target = r->target;
        job->fds = &r->fds;
        job->call = call;
        job->script_fd = -1;
    }
    return job;
}

/* The call may block; when it has begun to, the script goes on. */
static bool start_call(struct runner *r, struct drill_job *job)
{
    r->pending = job;
    r->pending_end_ns = job->call->end_ns + (r->start_ns - r->event->start_ns);
    if (begins_connection(r, job)) { /* the SYN is seen before the call returns */
        (void)drill_fds_find(&r->fds, (int)job->call->args->number, &r->fd);
        r->role = ROLE_CONNECTS;
        r->current = new_flow(r, r->target->net.remote_port, 0);
    }
    if (!r->target->start(r->target->ctx, run_pending, r)) {
        r->pending = NULL;
        free_job(job);
        return fail(r, "the call cannot be made in a thread of its own");
    }
    return take_pending(r, now(r));
}

static bool run_call(struct runner *r, const struct drill_call *call)
{
    struct drill_job *job;
    bool ok;

    if (call->end_ns >= 0 && !end_pending(r))
        return false;
    if (!wait_for_event(r) || !take_pending(r, now(r)))
        return false;
    job = new_job(r, call);
    if (job == NULL)
        return fail(r, "there is no memory");
    if (call->end_ns >= 0)
        return start_call(r, job);
    drill_job_run(job);
    ok = end_call(r, job);
    free_job(job);
    return ok;
}

/* ---- assertions and commands ---- */

static bool look_up(void *ctx, const char *name, int64_t *value)
{
    struct runner *r = ctx;
    socklen_t len = sizeof r->info;

    if (strncmp(name, "tcpi_", 5) == 0 && !r->has_info) {
        if (r->fd < 0
            || r->target->calls.getsockopt(r->target->ctx, r->fd, SOL_TCP_LEVEL, TCP_INFO_OPTION,
                                           r->info, &len)
                   != 0)
            return false;
        r->info_len = len;
        r->has_info = true;
    }
    return drill_info_value(r->info, r->info_len, name, value);
}

static bool run_code(struct runner *r, const struct drill_code *code)
{
    if (!wait_for_event(r))
        return false;
    r->has_info = false;
    if (drill_code_run(code, &r->variables, look_up, r, &r->failure->error))
        return true;
    r->failure->at = now(r);
    return false;
}

static bool run_command(struct runner *r, const char *text)
{
    struct drill_command_env env = {
        .target = r->target, .folder = r->options->folder, .shell = r->options->shell};

    if (!wait_for_event(r))
        return false;
    return drill_command_run(&env, text) || fail(r, "%s", env.problem);
}

/* ---- the script ---- */

static bool run_event(struct runner *r)
{
    const struct drill_event *e = r->event;

    switch (e->kind) {
    case DRILL_EVENT_PACKET:
        return e->packet->is_in ? run_inbound(r, e->packet) : run_outbound(r, e->packet);
    case DRILL_EVENT_CALL: return run_call(r, e->call);
    case DRILL_EVENT_COMMAND: return run_command(r, e->command);
    case DRILL_EVENT_CODE: break;
    }
    return run_code(r, e->code);
}

/* Calls that nobody knows are named before anything is run. */
static bool check_calls(struct runner *r)
{
    for (r->event = r->script->events; r->event != NULL; r->event = r->event->next) {
        const struct drill_call *call = r->event->call;
        const char *problem;

        if (r->event->kind != DRILL_EVENT_CALL)
            continue;
        problem = drill_call_problem(call);
        if (problem != NULL)
            return fail(r, "%s: %s", call->name, problem);
    }
    return true;
}

static bool run_events(struct runner *r)
{
    for (r->event = r->script->events; r->event != NULL; r->event = r->event->next) {
        set_times(r);
        if (!run_event(r) || !take_pending(r, now(r)))
            return false;
        r->last = r->event;
        r->last_ns = r->start_ns;
        if (r->event->next == NULL)
            return end_pending(r);
    }
    return true;
}

/* The target's own end closes sockets; the thread must not outlive the call's memory. */
static void give_up_pending(struct runner *r)
{
    if (r->pending == NULL)
        return;
    r->target->cancel(r->target->ctx);
    free_job(r->pending);
}

bool drill_run(const struct drill_script *script, struct drill_target *target,
               const struct drill_run_options *options, struct drill_failure *failure)
{
    struct runner *r = calloc(1, sizeof *r);
    bool ok;

    memset(failure, 0, sizeof *failure);
    if (r == NULL) {
        (void)snprintf(failure->error.text, sizeof failure->error.text, "there is no memory");
        return false;
    }
    r->script = script;
    r->target = target;
    r->options = options;
    r->failure = failure;
    r->fd = -1;
    r->next_port = target->net.first_peer_port != 0 ? target->net.first_peer_port : PORT_FIRST;
    r->start = target->now(target->ctx);
    if (script->events != NULL && script->events->time == DRILL_TIME_ABSOLUTE)
        r->start -= script->events->start_ns;
    ok = check_calls(r) && run_events(r);
    give_up_pending(r);
    drill_memory_fini(&r->memory);
    free(r);
    return ok;
}
