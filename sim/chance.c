/*
 * chance.c - scenarios drawn by chance
 *
 * Each choice is drawn from a few kinds and wide ranges, and most scenarios have little of each
 * trouble, so that combinations come up by themselves. Before the end of its time the network
 * heals, after which everything has to come to an end.
 */
#include "sim/chance.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

enum {
    SEGMENTS_MAX = 200000, /* of one run; one that has sent so many is let be */
};

struct chance {
    struct scenario *s;
    struct draw draw;
    uint64_t slowest; /* bits a second, of all links with a rate */
};

/* ---- ranges ---- */

static bool one_in(struct chance *c, uint32_t n)
{
    return draw_one_in(&c->draw, n);
}

static uint32_t between(struct chance *c, uint32_t low, uint32_t high)
{
    return low + draw_below(&c->draw, high - low + 1);
}

/* As likely between 1 and 2 as between 1000 and 2000. */
static uint64_t any_size(struct chance *c, uint64_t low, uint64_t high)
{
    unsigned doublings = 0;
    uint64_t value;

    while (doublings < 62 && low << (doublings + 1) <= high)
        doublings++;
    value = low << draw_below(&c->draw, doublings + 1);
    value += draw_below64(&c->draw, value);
    return value < high ? value : high;
}

static weir_ns_t any_time(struct chance *c, weir_ns_t low, weir_ns_t high)
{
    return (weir_ns_t)any_size(c, (uint64_t)low, (uint64_t)high);
}

/* ---- nodes ---- */

static void draw_host(struct chance *c, struct scenario_node *n)
{
    const char *cc = weir_congestion_control_name(draw_below(&c->draw, 8));

    (void)snprintf(n->cc, sizeof n->cc, "%s", cc != NULL ? cc : "");
    if (one_in(c, 4))
        n->send_buffer = (uint32_t)any_size(c, 2048, 4 << 20);
    if (one_in(c, 4))
        n->recv_buffer = (uint32_t)any_size(c, 2048, 4 << 20);
    /* What applications send may not take all memory: then nothing could be sent any more. */
    if (one_in(c, 20)) {
        n->memory = any_size(c, 2 << 20, 16 << 20);
        n->send_buffer = n->recv_buffer = (uint32_t)(n->memory / 32);
    }
    if (one_in(c, 8))
        n->initial_window = between(c, 1, 40);
    if (one_in(c, 20))
        n->holes = between(c, 1, 8);
    if (one_in(c, 3))
        n->ecn = draw_below(&c->draw, 1 + WEIR_ECN_MODES);
    n->pacing = one_in(c, 8);
    n->no_wscale = one_in(c, 10);
    n->no_timestamps = one_in(c, 6);
    n->no_nagle = one_in(c, 6);
    n->lends_frames = one_in(c, 5);
    n->offloads = one_in(c, 5);
    if (one_in(c, 10))
        n->rto_min_ns = any_time(c, 10 * WEIR_MS, 1 * WEIR_S);
    if (one_in(c, 20))
        n->retries = between(c, 3, 8);
    if (one_in(c, 3))
        n->msl_ns = any_time(c, 10 * WEIR_MS, 30 * WEIR_S);
}

static bool add_node(struct chance *c, bool is_router)
{
    char name[SCENARIO_NAME_MAX];
    struct scenario_node *n;

    (void)snprintf(name, sizeof name, "%c%u", is_router ? 'r' : 'h',
                   (unsigned)c->s->node_count + 1);
    n = scenario_add_node(c->s, name);
    if (n == NULL)
        return false;
    n->is_router = is_router;
    if (is_router)
        n->is_silent = one_in(c, 40);
    else
        draw_host(c, n);
    return true;
}

/* ---- links ---- */

static void draw_loss(struct chance *c, struct weir_sim_loss_config *l)
{
    switch (draw_below(&c->draw, 8)) {
    case 0:
        l->kind = WEIR_SIM_LOSS_GILBERT;
        l->to_bad_ppm = (uint32_t)any_size(c, 500, 20000);
        l->to_good_ppm = (uint32_t)any_size(c, 50000, 500000);
        break;
    case 1:
        l->kind = WEIR_SIM_LOSS_PERIODIC;
        l->every = (uint32_t)any_size(c, 8, 500);
        break;
    case 2:
        l->kind = WEIR_SIM_LOSS_LIST;
        l->listed_count = between(c, 1, 12);
        for (uint32_t i = 0; i < l->listed_count; i++)
            l->listed[i] = any_size(c, 1, 300);
        break;
    default: l->kind = WEIR_SIM_LOSS_BERNOULLI; l->loss_ppm = (uint32_t)any_size(c, 100, 250000);
    }
}

static void draw_trouble(struct chance *c, struct weir_sim_link_config *l)
{
    if (one_in(c, 3))
        draw_loss(c, &l->loss);
    if (one_in(c, 8))
        l->duplicate_ppm = (uint32_t)any_size(c, 1000, 300000);
    if (one_in(c, 6)) {
        l->reorder_ppm = (uint32_t)any_size(c, 1000, 300000);
        l->reorder_ns = any_time(c, 100 * WEIR_US, 200 * WEIR_MS);
    }
    if (one_in(c, 6)) {
        l->jitter_ns = any_time(c, 10 * WEIR_US, 100 * WEIR_MS);
        l->jitter_reorders = one_in(c, 3);
    }
    if (one_in(c, 12))
        l->corrupt_ppm = (uint32_t)any_size(c, 1000, 100000);
    l->corrupt_unnoticed = l->corrupt_ppm > 0 && one_in(c, 5);
    if (one_in(c, 20))
        l->truncate_ppm = (uint32_t)any_size(c, 1000, 100000);
    if (one_in(c, 15)) {
        l->dark_every_ns = any_time(c, 500 * WEIR_MS, 10 * WEIR_S);
        l->dark_ns = l->dark_every_ns / between(c, 2, 20);
    }
}

static void draw_way(struct chance *c, struct weir_sim_link_config *l)
{
    if (!one_in(c, 4))
        l->rate_bits_s = any_size(c, 50000, 1000000000);
    if (!one_in(c, 5))
        l->delay_ns = any_time(c, 10 * WEIR_US, 300 * WEIR_MS);
    l->queue.kind = one_in(c, 2)
                        ? WEIR_SIM_FIFO
                        : (enum weir_sim_queue_kind)draw_below(&c->draw, WEIR_SIM_QUEUE_KINDS);
    if (one_in(c, 2))
        l->queue.limit_packets = (uint32_t)any_size(c, 8, 2000);
    if (l->queue.kind == WEIR_SIM_FQ_CODEL)
        l->queue.flows = between(c, 1, 64);
    l->queue.drops_only = one_in(c, 6);
    if (one_in(c, 8))
        l->mtu = between(c, 1280, 9000);
    if (one_in(c, 2))
        draw_trouble(c, l);
    if (l->rate_bits_s != 0 && l->rate_bits_s < c->slowest)
        c->slowest = l->rate_bits_s;
}

static void draw_box(struct chance *c, uint32_t link)
{
    struct scenario_box *b = scenario_add_box(c->s, link);

    if (b == NULL)
        return;
    b->config.kind = (enum weir_sim_box_kind)draw_below(&c->draw, WEIR_SIM_BOX_KINDS);
    switch (b->config.kind) {
    case WEIR_SIM_NAT:
        if (one_in(c, 3))
            b->config.every_ns = any_time(c, 1 * WEIR_S, 60 * WEIR_S);
        break;
    case WEIR_SIM_STRIP: b->config.strips = draw_below(&c->draw, 32); break;
    case WEIR_SIM_CLAMP: b->config.value = (uint32_t)any_size(c, 1000, 65535); break;
    case WEIR_SIM_SPLIT: b->config.value = between(c, 100, 1400); break;
    case WEIR_SIM_COALESCE: b->config.value = (uint32_t)any_size(c, 1500, 60000); break;
    case WEIR_SIM_THIN: b->config.value = between(c, 2, 5); break;
    case WEIR_SIM_RESEQ:
    case WEIR_SIM_BLEACH:
    case WEIR_SIM_BOX_KINDS: break;
    }
}

static bool join(struct chance *c, uint32_t a, uint32_t b)
{
    struct scenario_link *l = scenario_add_link(c->s, a, b);

    if (l == NULL)
        return false;
    draw_way(c, &l->ways[0]);
    if (one_in(c, 3))
        draw_way(c, &l->ways[1]);
    else
        l->ways[1] = l->ways[0];
    if (one_in(c, 6))
        draw_box(c, (uint32_t)c->s->link_count - 1);
    return true;
}

/* Two hosts and a link; or a chain of routers with hosts at them. */
static bool draw_topology(struct chance *c)
{
    uint32_t routers = one_in(c, 2) ? 0 : between(c, 1, 3);
    uint32_t hosts = routers == 0 ? 2 : between(c, 2, 5);
    bool good = true;

    for (uint32_t i = 0; i < hosts; i++)
        good = add_node(c, false) && good;
    for (uint32_t i = 0; i < routers; i++)
        good = add_node(c, true) && good;
    if (routers == 0)
        return good && join(c, 0, 1);
    for (uint32_t i = 0; good && i < hosts; i++)
        good = join(c, i, hosts + (i < 2 ? i * (routers - 1) : draw_below(&c->draw, routers)));
    for (uint32_t i = 1; good && i < routers; i++)
        good = join(c, hosts + i - 1, hosts + i);
    return good;
}

/* ---- flows ---- */

/* What the slowest link carries in a few seconds. */
static uint64_t some_bytes(struct chance *c)
{
    uint64_t most = c->slowest / 8 * 4;

    most = most < 3000000 ? most : 3000000;
    return any_size(c, one_in(c, 2) ? 1 : most / 8, most);
}

static void draw_flow(struct chance *c, uint32_t hosts)
{
    char name[SCENARIO_NAME_MAX];
    struct scenario_flow *f;

    (void)snprintf(name, sizeof name, "f%u", (unsigned)c->s->flow_count + 1);
    f = scenario_add_flow(c->s, name);
    if (f == NULL)
        return;
    f->ends[0] = draw_below(&c->draw, hosts);
    f->ends[1] = (f->ends[0] + 1 + draw_below(&c->draw, hosts - 1)) % hosts;
    f->kind = (enum scenario_flow_kind)draw_below(&c->draw, SCENARIO_FLOW_KINDS);
    f->is_v6 = one_in(c, 3);
    f->lends = one_in(c, 3);
    f->closes = one_in(c, 12);
    f->nodelay = one_in(c, 4);
    f->keepalive = one_in(c, 12);
    if (one_in(c, 2))
        f->start_ns = any_time(c, 1 * WEIR_MS, 3 * WEIR_S);
    if (one_in(c, 8)) {
        f->read_rate = any_size(c, 10000, 10000000);
        if (one_in(c, 2)) /* its window shuts again and again */
            c->s->nodes[f->ends[1]].recv_buffer = (uint32_t)any_size(c, 2048, 40000);
    }
    if (one_in(c, 4))
        f->chunk = (uint32_t)any_size(c, 16, 20000);
    if (one_in(c, 20))
        f->user_timeout_ns = any_time(c, 500 * WEIR_MS, 30 * WEIR_S);
    if (f->kind == SCENARIO_BULK || f->kind == SCENARIO_ON_OFF) {
        f->bytes = some_bytes(c);
        f->back_bytes = one_in(c, 2) ? 0 : some_bytes(c);
    } else {
        f->ask = (uint32_t)any_size(c, 1, 3000);
        f->answer = (uint32_t)(one_in(c, 6) ? 0 : any_size(c, 1, 30000));
    }
    if (f->read_rate != 0 && f->bytes > f->read_rate)
        f->bytes = f->read_rate;
    /* Very many tiny segments, lost at once, can take hours: what is sent again is not joined. */
    if (f->chunk != 0 && f->bytes > f->chunk * UINT64_C(200))
        f->bytes = f->chunk * UINT64_C(200);
    if (f->chunk != 0 && f->back_bytes > f->chunk * UINT64_C(200))
        f->back_bytes = f->chunk * UINT64_C(200);
    if (f->chunk != 0 && f->answer > f->chunk * 50)
        f->answer = f->chunk * 50;
    if (f->kind == SCENARIO_BULK)
        return;
    f->count = between(c, 1, 12);
    f->every_ns = any_time(c, 1 * WEIR_MS, 1 * WEIR_S);
    f->pause_ns = one_in(c, 2) ? 0 : any_time(c, 1 * WEIR_MS, 500 * WEIR_MS);
    f->bytes /= f->count;
}

/* ---- what happens meanwhile ---- */

static struct scenario_action *add_action(struct chance *c, weir_ns_t at, enum scenario_verb verb,
                                          uint32_t subject)
{
    struct scenario_action *a = scenario_add_action(c->s, at);

    if (a != NULL) {
        a->verb = verb;
        a->subject = subject;
    }
    return a;
}

static void draw_settings(struct chance *c, struct scenario_action *a)
{
    if (one_in(c, 2))
        (void)snprintf(a->words, sizeof a->words, "delay %ums", between(c, 0, 300));
    else
        (void)snprintf(a->words, sizeof a->words, "rate %ukbit", between(c, 100, 100000));
}

static void draw_option(struct chance *c, struct scenario_action *a)
{
    static const struct {
        enum weir_opt option;
        int64_t low, high;
    } options[] = {
        {WEIR_OPT_NODELAY, 0, 1},
        {WEIR_OPT_CORK, 0, 1},
        {WEIR_OPT_QUICKACK, 0, 1},
        {WEIR_OPT_SEND_BUFFER, 2048, 1 << 20},
        {WEIR_OPT_RECV_BUFFER, 2048, 1 << 20},
        {WEIR_OPT_TOS, 0, 255},
        {WEIR_OPT_KEEPALIVE, 0, 1},
    };
    size_t i = draw_below(&c->draw, sizeof options / sizeof options[0]);

    a->option = options[i].option;
    a->value = options[i].low
               + (int64_t)draw_below64(&c->draw, (uint64_t)(options[i].high - options[i].low + 1));
}

static void draw_call(struct chance *c, weir_ns_t at)
{
    static const enum scenario_verb verbs[] = {
        SCENARIO_SEND,   SCENARIO_SEND,     SCENARIO_OPTION, SCENARIO_OPTION,
        SCENARIO_OPTION, SCENARIO_SHUTDOWN, SCENARIO_CLOSE,  SCENARIO_ABORT,
    };
    enum scenario_verb verb = verbs[draw_below(&c->draw, sizeof verbs / sizeof verbs[0])];
    uint32_t flow = draw_below(&c->draw, (uint32_t)c->s->flow_count);
    struct scenario_action *a = add_action(c, at, verb, flow);

    if (a == NULL)
        return;
    a->is_server = one_in(c, 2);
    if (a->verb == SCENARIO_SEND)
        a->value = (int64_t)any_size(c, 1, 100000);
    if (a->verb == SCENARIO_OPTION)
        draw_option(c, a);
}

/* A link that goes down comes up, and a host that stops mostly starts again. */
static void draw_outage(struct chance *c, weir_ns_t at, uint32_t hosts)
{
    uint32_t link = draw_below(&c->draw, (uint32_t)c->s->link_count);
    uint32_t host = draw_below(&c->draw, hosts);
    weir_ns_t later = at + any_time(c, 10 * WEIR_MS, 5 * WEIR_S);
    struct scenario_action *a;

    switch (draw_below(&c->draw, 4)) {
    case 0:
    case 1:
        (void)add_action(c, at, SCENARIO_DOWN, link);
        (void)add_action(c, later, SCENARIO_UP, link);
        break;
    case 2:
        a = add_action(c, at, SCENARIO_SET, link);
        if (a != NULL)
            draw_settings(c, a);
        break;
    default:
        (void)add_action(c, at, SCENARIO_STOP, host);
        if (!one_in(c, 4))
            (void)add_action(c, later, SCENARIO_START, host);
    }
}

static void draw_actions(struct chance *c, uint32_t hosts)
{
    uint32_t calls = one_in(c, 2) ? 0 : between(c, 1, 10);
    uint32_t outages = one_in(c, 3) ? between(c, 1, 3) : 0;
    weir_ns_t heal_at = c->s->run_ns * 3 / 4;

    for (uint32_t i = 0; i < calls; i++)
        draw_call(c, any_time(c, 100 * WEIR_US, heal_at));
    for (uint32_t i = 0; i < outages; i++)
        draw_outage(c, any_time(c, 10 * WEIR_MS, heal_at), hosts);
    (void)add_action(c, heal_at, SCENARIO_HEAL, 0);
}

/* Boxes that make packets too long for a later link, or that what ICMP quotes does not fit. */
static bool hides_mtu(enum weir_sim_box_kind kind)
{
    return kind == WEIR_SIM_COALESCE || kind == WEIR_SIM_RESEQ || kind == WEIR_SIM_NAT;
}

static void drop_mtu_hiders(struct scenario *s)
{
    bool has_mtu = false;

    for (size_t i = 0; i < 2 * s->link_count; i++)
        has_mtu = has_mtu || s->links[i / 2].ways[i % 2].mtu != 0;
    for (size_t i = s->box_count; has_mtu && i-- > 0;)
        if (hides_mtu(s->boxes[i].config.kind))
            scenario_remove_box(s, (uint32_t)i);
}

bool chance_draw(struct scenario *s, uint64_t seed)
{
    struct chance c = {.s = s, .draw = draw_of(seed, 4711), .slowest = UINT64_C(1000000000)};
    uint32_t hosts = 0;
    size_t flows;

    scenario_init(s);
    s->seed = seed;
    s->is_patient = true;
    s->run_ns = any_time(&c, 2 * WEIR_S, 60 * WEIR_S);
    if (!draw_topology(&c)) {
        scenario_fini(s);
        return false;
    }
    drop_mtu_hiders(s);
    while (hosts < s->node_count && !s->nodes[hosts].is_router)
        hosts++;
    flows = between(&c, 1, 4);
    for (size_t i = 0; i < flows; i++)
        draw_flow(&c, hosts);
    draw_actions(&c, hosts);
    return s->flow_count > 0;
}

/* ---- playing ---- */

static _Thread_local struct {
    jmp_buf *way_out;
    char text[PLAY_TEXT];
    const char *kind;
} guard;

void chance_note_check(const char *file, int line, const char *what)
{
    if (guard.way_out == NULL)
        return;
    (void)snprintf(guard.text, sizeof guard.text, "%s:%d: %s does not hold", file, line, what);
    guard.kind = what;
    longjmp(*guard.way_out, 1);
}

/* What a failed check leaves behind is lost: nobody knows any more what it is. */
void chance_try(const struct scenario *s, struct chance_result *result)
{
    static _Thread_local struct play p;
    struct play_options options = {.frames_max = SEGMENTS_MAX};
    struct scenario_error error;
    jmp_buf way_out;

    memset(result, 0, sizeof *result);
    if (!play_init(&p, s, &options, &error))
        return;
    if (setjmp(way_out) != 0) {
        guard.way_out = NULL;
        memcpy(result->broken, guard.text, sizeof result->broken);
        result->kind = guard.kind;
        result->at = weir_sim_now(p.sim);
        return;
    }
    guard.way_out = &way_out;
    (void)play_run(&p);
    result->segments = p.stats.frames;
    result->digest = p.stats.digest;
    result->work = p.stats.frames + p.stats.events;
    play_fini(&p);
    guard.way_out = NULL;
    memcpy(result->broken, p.broken, sizeof result->broken);
    result->kind = p.broken_kind;
    result->at = p.broken_at;
}
