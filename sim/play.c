/*
 * play.c - makes a scenario's world, runs it, and does what its actions say
 *
 * A patient scenario has three parts: what is written down, up to run_ns; then everything has to
 * come to its end within an hour of virtual time; then the stacks have to be empty within another.
 */
#include "sim/play.h"

#include "base/buf.h"
#include "sim/link.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/err.h>

/*
 * What a buffer of each size holds. Left to the defaults it would depend on the size of a pointer,
 * and with it where the writes of an application come to lie and how they are sent. These sizes
 * fill a slab with room to spare for its header.
 */
enum {
    BUFFER_SMALL = 196,
    BUFFER_MEDIUM = 1960,
    BUFFER_LARGE = 16000,
};

static const weir_ns_t patience_ns = 3600 * WEIR_S, grace_ns = 20 * WEIR_S;

/* ---- making the world ---- */

static bool refuse(struct scenario_error *error, const char *format, const char *name)
{
    error->line = 0;
    error->column = 0;
    (void)snprintf(error->text, sizeof error->text, format, name);
    return false;
}

static struct weir_config config_of(const struct scenario_node *n)
{
    struct weir_config c;

    weir_config_init(&c);
    c.buffer_small = BUFFER_SMALL + BUF_SPACE;
    c.buffer_medium = BUFFER_MEDIUM + BUF_SPACE;
    c.buffer_large = BUFFER_LARGE + BUF_SPACE;
    if (n->cc[0] != 0)
        c.tcp.congestion_control = n->cc;
    if (n->send_buffer != 0)
        c.tcp.send_buffer_bytes = n->send_buffer;
    if (n->recv_buffer != 0)
        c.tcp.recv_buffer_bytes = n->recv_buffer;
    if (n->initial_window != 0)
        c.tcp.initial_window_segs = n->initial_window;
    if (n->retries != 0)
        c.tcp.retries2 = n->retries;
    if (n->holes != 0)
        c.tcp.reassembly_holes = n->holes;
    if (n->memory != 0)
        c.memory_limit = (size_t)n->memory;
    if (n->rto_min_ns != 0)
        c.tcp.rto_min_ns = n->rto_min_ns;
    if (n->msl_ns != 0)
        c.tcp.msl_ns = n->msl_ns;
    c.tcp.pacing = n->pacing;
    c.tcp.window_scaling = !n->no_wscale;
    c.tcp.timestamps = !n->no_timestamps;
    c.tcp.nagle = !n->no_nagle;
    if (n->ecn != 0)
        c.tcp.ecn = (enum weir_ecn)(n->ecn - 1);
    return c;
}

static bool add_nodes(struct play *p, struct scenario_error *error)
{
    for (size_t i = 0; i < p->scenario->node_count; i++) {
        const struct scenario_node *n = &p->scenario->nodes[i];
        struct weir_config config = config_of(n);
        struct weir_sim_node_config c = {
            .name = n->name,
            .is_router = n->is_router,
            .config = &config,
            .offloads = n->offloads ? WEIR_OFFLOAD_CSUM | WEIR_OFFLOAD_TSO4 | WEIR_OFFLOAD_TSO6 : 0,
            .lends_frames = n->lends_frames,
            .is_silent = n->is_silent,
        };
        if (weir_sim_node_add(p->sim, &c, &p->nodes[i]) != 0)
            return refuse(error, "host %s cannot be made with these values", n->name);
    }
    return true;
}

static bool add_links(struct play *p, struct scenario_error *error)
{
    const struct scenario *s = p->scenario;

    for (size_t i = 0; i < s->link_count; i++) {
        const struct scenario_link *l = &s->links[i];
        if (weir_sim_link_add(p->sim, p->nodes[l->ends[0]], p->nodes[l->ends[1]], &l->ways[0],
                              &l->ways[1], &p->links[i])
            != 0)
            return refuse(error, "the link from %s cannot be made with these values",
                          s->nodes[l->ends[0]].name);
    }
    for (size_t i = 0; i < s->box_count; i++)
        if (weir_sim_box_add(p->sim, p->links[s->boxes[i].link], &s->boxes[i].config) != 0)
            return refuse(error, "the box %s cannot be made with these values",
                          weir_sim_box_name(s->boxes[i].config.kind));
    return true;
}

static uint32_t link_between(const struct scenario *s, uint32_t a, uint32_t b)
{
    uint32_t i = 0;

    while (i < s->link_count
           && !((s->links[i].ends[0] == a && s->links[i].ends[1] == b)
                || (s->links[i].ends[0] == b && s->links[i].ends[1] == a)))
        i++;
    return i;
}

static bool add_routes(struct play *p, struct scenario_error *error)
{
    const struct scenario *s = p->scenario;

    for (size_t i = 0; i < s->route_count; i++) {
        const struct scenario_route *r = &s->routes[i];
        uint32_t link = link_between(s, r->at, r->via);
        if (link == s->link_count
            || weir_sim_route(p->sim, p->nodes[r->at], p->nodes[r->to], p->links[link]) != 0)
            return refuse(error, "there is no link for the route at %s", s->nodes[r->at].name);
    }
    return true;
}

static bool add_flows(struct play *p, struct scenario_error *error)
{
    const struct scenario *s = p->scenario;

    if (s->flow_count > 3000) /* their ports stay below those that NATs translate */
        return refuse(error, "there are more than 3000 flows%s", "");
    for (uint32_t i = 0; i < s->flow_count; i++) {
        const struct scenario_flow *f = &s->flows[i];
        bool is_down = f->back_bytes > f->bytes || f->answer > f->ask;
        if (!weir_sim_has_way(p->sim, p->nodes[f->ends[0]], p->nodes[f->ends[1]])
            || !weir_sim_has_way(p->sim, p->nodes[f->ends[1]], p->nodes[f->ends[0]]))
            return refuse(error, "there is no way for the flow %s", f->name);
        p->flows[i].bottleneck =
            weir_sim_bottleneck(p->sim, p->nodes[f->ends[is_down]], p->nodes[f->ends[!is_down]],
                                &p->flows[i].bottleneck_sender);
        if (!app_listen(p, i))
            return refuse(error, "the flow %s has no memory to listen", f->name);
        app_start_flow(p, i);
    }
    return true;
}

/* ---- what could keep a connection from living ---- */

static bool is_bad(const struct weir_sim_link_config *c)
{
    return c->dark_ns > 0 || c->loss.kind == WEIR_SIM_LOSS_GILBERT
           || (c->loss.kind == WEIR_SIM_LOSS_BERNOULLI && c->loss.loss_ppm > 20000)
           || (c->loss.kind == WEIR_SIM_LOSS_PERIODIC && c->loss.every < 50)
           || c->corrupt_ppm + c->truncate_ppm > 20000;
}

static void judge_link(struct play *p, const struct weir_sim_link_config *c)
{
    p->has_trouble = p->has_trouble || is_bad(c);
    p->content_may_differ = p->content_may_differ || (c->corrupt_ppm > 0 && c->corrupt_unnoticed);
}

static void judge_scenario(struct play *p)
{
    const struct scenario *s = p->scenario;

    for (size_t i = 0; i < 2 * s->link_count; i++)
        judge_link(p, &s->links[i / 2].ways[i % 2]);
    for (size_t i = 0; i < s->box_count; i++)
        p->has_trouble = p->has_trouble || s->boxes[i].config.every_ns > 0;
    for (size_t i = 0; i < s->node_count; i++)
        p->has_trouble = p->has_trouble || s->nodes[i].memory > 0 || s->nodes[i].retries > 0
                         || s->nodes[i].is_silent;
    for (size_t i = 0; i < s->flow_count; i++)
        p->has_trouble = p->has_trouble || s->flows[i].keepalive || s->flows[i].user_timeout_ns > 0;
    for (size_t i = 0; i < s->action_count; i++) {
        const struct scenario_action *a = &s->actions[i];
        struct weir_sim_link_config c = {0};
        if (a->verb == SCENARIO_SET && scenario_apply(scenario_link_fields, &c, a->words))
            judge_link(p, &c);
        p->has_trouble = p->has_trouble || a->verb == SCENARIO_DOWN || a->verb == SCENARIO_STOP
                         || a->verb == SCENARIO_OPTION;
    }
}

/* ---- actions ---- */

static void set_link(struct play *p, const struct scenario_action *a, uint32_t link, int way)
{
    const struct scenario_link *l = &p->scenario->links[link];
    struct weir_sim_link *w = weir_sim_direction(p->sim, p->links[link], p->nodes[l->ends[way]]);
    struct weir_sim_link_config c = *weir_sim_link_config(w);

    switch (a->verb) {
    case SCENARIO_DOWN: c.is_down = true; break;
    case SCENARIO_UP: c.is_down = false; break;
    case SCENARIO_SET: (void)scenario_apply(scenario_link_fields, &c, a->words); break;
    default:
        c.is_down = false;
        c.dark_ns = 0;
        c.loss.kind = WEIR_SIM_LOSS_NONE;
        c.jitter_ns = 0;
        c.duplicate_ppm = c.reorder_ppm = c.corrupt_ppm = c.truncate_ppm = 0;
    }
    (void)weir_sim_link_set(w, &c);
}

static void set_links(struct play *p, const struct scenario_action *a)
{
    for (uint32_t i = 0; i < p->scenario->link_count; i++)
        if (a->verb == SCENARIO_HEAL || i == a->subject)
            for (int way = 0; way < 2; way++)
                set_link(p, a, i, way);
}

static void start_host(struct play *p, uint32_t index)
{
    if (weir_sim_node_start(p->sim, p->nodes[index]) != 0)
        return;
    for (uint32_t flow = 0; flow < p->scenario->flow_count; flow++)
        if (p->scenario->flows[flow].ends[PLAY_SERVER] == index)
            (void)app_listen(p, flow);
}

static void act(void *ctx, uint64_t index)
{
    struct play *p = ctx;
    const struct scenario_action *a = &p->scenario->actions[index];

    if (p->broken[0] != 0)
        return;
    switch (a->verb) {
    case SCENARIO_DOWN:
    case SCENARIO_UP:
    case SCENARIO_SET:
    case SCENARIO_HEAL: set_links(p, a); break;
    case SCENARIO_STOP:
        weir_sim_node_stop(p->sim, p->nodes[a->subject]);
        app_host_stopped(p, p->nodes[a->subject]);
        break;
    case SCENARIO_START: start_host(p, a->subject); break;
    default: app_act(p, a);
    }
}

static bool check_actions(const struct scenario *s, struct scenario_error *error)
{
    struct weir_sim_link_config c;

    for (size_t i = 0; i < s->action_count; i++) {
        memset(&c, 0, sizeof c);
        if (s->actions[i].verb == SCENARIO_SET
            && (!scenario_apply(scenario_link_fields, &c, s->actions[i].words)
                || link_check_config(&c) != 0))
            return refuse(error, "these values are too large for a link: %.100s",
                          s->actions[i].words);
    }
    return true;
}

/* ---- hooks ---- */

static void on_event(void *ctx, weir_sim_node_t node, const struct weir_event *event)
{
    app_event(ctx, node, event);
}

static void on_turn(void *ctx, weir_sim_node_t node)
{
    judge_turn(ctx, node);
}

static void on_frame(void *ctx, weir_sim_node_t node, bool is_out, bool is_copy,
                     const struct weir_sim_frame *frame)
{
    struct play *p = ctx;

    if (!is_out && !is_copy)
        sample_arrival(p, frame);
    if (p->options.frame != NULL)
        p->options.frame(p->options.ctx, node, is_out, frame);
}

static void sample_all(void *ctx, uint64_t number)
{
    struct play *p = ctx;

    for (uint32_t i = 0; i < p->scenario->flow_count; i++)
        sample_flow(p, i);
    if (!p->is_ending && !app_is_all_over(p))
        (void)weir_sim_at(p->sim, (weir_ns_t)(number + 1) * p->options.sample_ns, sample_all, p,
                          number + 1);
}

/* ---- beginning ---- */

static uint8_t *make_pattern(uint64_t seed)
{
    struct draw d = draw_of(seed, 77);
    uint8_t *pattern = malloc(PLAY_PERIOD + PLAY_CHUNK);
    uint64_t word = 0;

    if (pattern == NULL)
        return NULL;
    for (size_t i = 0; i < PLAY_PERIOD; i++, word >>= 8) {
        if (i % 8 == 0)
            word = draw_u64(&d);
        pattern[i] = (uint8_t)word;
    }
    memcpy(pattern + PLAY_PERIOD, pattern, PLAY_PERIOD);
    memcpy(pattern + 2 * (size_t)PLAY_PERIOD, pattern, PLAY_CHUNK - PLAY_PERIOD);
    return pattern;
}

static bool allocate(struct play *p)
{
    const struct scenario *s = p->scenario;

    p->nodes = calloc(s->node_count + 1, sizeof *p->nodes);
    p->links = calloc(s->link_count + 1, sizeof *p->links);
    p->flows = calloc(s->flow_count + 1, sizeof *p->flows);
    p->pattern = make_pattern(s->seed);
    if (p->nodes == NULL || p->links == NULL || p->flows == NULL || p->pattern == NULL)
        return false;
    return weir_sim_create(s->seed, &p->sim) == 0;
}

bool play_init(struct play *p, const struct scenario *s, const struct play_options *options,
               struct scenario_error *error)
{
    struct weir_sim_hooks hooks = {on_event, on_turn, on_frame, p};

    memset(p, 0, sizeof *p);
    p->scenario = s;
    p->options = *options;
    if (!allocate(p)) {
        play_fini(p);
        return refuse(error, "there is no memory for this%s", "");
    }
    weir_sim_hooks(p->sim, &hooks);
    judge_scenario(p);
    if (!check_actions(s, error) || !add_nodes(p, error) || !add_links(p, error)
        || !add_routes(p, error) || !add_flows(p, error)) {
        play_fini(p);
        return false;
    }
    for (size_t i = 0; i < s->action_count; i++)
        (void)weir_sim_at(p->sim, s->actions[i].at, act, p, i);
    if (options->sample != NULL && options->sample_ns > 0)
        (void)weir_sim_at(p->sim, 0, sample_all, p, 0);
    return true;
}

void play_fini(struct play *p)
{
    size_t lost = weir_sim_destroy(&p->sim);

    if (lost > 0 && p->broken[0] == 0) {
        (void)snprintf(p->broken, sizeof p->broken, "%zu blocks of memory were not given back",
                       lost);
        p->broken_kind = "memory";
    }
    for (size_t i = 0; i < p->exchange_count; i++)
        free(p->exchanges[i]);
    free(p->exchanges);
    free(p->nodes);
    free(p->links);
    free(p->flows);
    free(p->pattern);
    p->exchanges = NULL;
    p->exchange_count = 0;
    p->nodes = p->links = NULL;
    p->flows = NULL;
    p->pattern = NULL;
}

/* ---- running ---- */

static bool is_at_its_end(struct play *p)
{
    weir_sim_stats(p->sim, &p->stats);
    return p->broken[0] != 0
           || (p->options.frames_max != 0 && p->stats.frames > p->options.frames_max);
}

/* In steps, between which somebody may be told how far it is. */
static void run_until(struct play *p, weir_ns_t end, bool (*is_done)(const struct play *))
{
    while (!is_at_its_end(p) && weir_sim_now(p->sim) < end && (is_done == NULL || !is_done(p))) {
        weir_ns_t next = weir_sim_next(p->sim), step = weir_sim_now(p->sim) + 100 * WEIR_MS;
        /* Nothing ever happens again, or not for a while. */
        if (next > step)
            step = next;
        weir_sim_run(p->sim, step < end ? step : end);
        if (p->options.progress != NULL)
            p->options.progress(p->options.ctx, weir_sim_now(p->sim));
    }
}

static bool is_empty(const struct play *p)
{
    for (size_t i = 0; i < p->scenario->node_count; i++) {
        const struct weir *stack = weir_sim_peek(p->sim, p->nodes[i]);
        struct weir_stats stats;
        if (stack == NULL)
            continue;
        weir_stats(stack, &stats);
        if (stats.connections + stats.half_open + stats.timewaits > 0)
            return false;
    }
    return true;
}

static void say_who_is_stuck(struct play *p)
{
    for (size_t i = 0; i < p->exchange_count; i++) {
        const struct play_exchange *x = p->exchanges[i];
        for (int side = 0; x != NULL && side < 2; side++) {
            const struct play_end *e = &x->ends[side];
            const struct weir *stack = weir_sim_peek(p->sim, e->node);
            struct weir_tcp_info info;
            char text[64];
            if (e->is_over || stack == NULL || e->conn == 0
                || weir_tcp_info(stack, e->conn, &info) != 0)
                continue;
            play_break(p,
                       "%s is stuck in %s: %llu bytes sent, %llu received, %u queued, %u in flight",
                       play_end_text(p, x, (enum play_side)side, text),
                       weir_tcp_state_name(info.state), (unsigned long long)e->sent,
                       (unsigned long long)e->received, info.send_queued, info.flight_bytes);
        }
    }
    if (p->broken[0] == 0)
        play_break(p, "flows are stuck that have no connection");
}

static void be_patient(struct play *p)
{
    weir_ns_t end = p->scenario->run_ns + patience_ns;

    while (!app_is_all_over(p) && !is_at_its_end(p) && weir_sim_now(p->sim) < end) {
        run_until(p, weir_sim_now(p->sim) + grace_ns, app_is_all_over);
        app_give_up_forsaken(p);
    }
    p->is_ending = true;
    if (is_at_its_end(p))
        return;
    if (!app_is_all_over(p)) {
        if (!p->content_may_differ) /* a false SEQ closes a window for ever [RFC9293 3.10.7.4] */
            say_who_is_stuck(p);
        return;
    }
    run_until(p, weir_sim_now(p->sim) + patience_ns, is_empty);
    if (!is_at_its_end(p))
        judge_end_of_run(p);
}

bool play_run(struct play *p)
{
    run_until(p, p->scenario->run_ns, p->scenario->is_patient ? app_is_all_over : NULL);
    if (p->scenario->is_patient)
        be_patient(p);
    p->is_ending = true;
    weir_sim_stats(p->sim, &p->stats);
    return p->broken[0] == 0;
}
