/*
 * tx.c - frames out: weir_output
 *
 * What waits at an interface goes first; then connections that may have something to send
 * take turns, a segment each. A segment is made when the driver asks for it, so that it says
 * what is true then.
 */
#include "base/addr.h"
#include "base/check.h"
#include "base/count.h"
#include "base/hint.h"
#include "base/num.h"
#include "base/parts.h"
#include "ip/ip4.h"
#include "ip/ip6.h"
#include "stack/api.h"
#include "stack/stack.h"
#include "tcp/express.h"
#include "tcp/output.h"
#include "tcp/pmtu.h"
#include "tcp/works.h"
#include "wire/ip.h"
#include "wire/ip6.h"
#include <string.h>

enum {
    STRANDED_TURNS = 256, /* segments without a route in one call */
    LOOPBACK_TURNS = 256, /* packets to ourselves in one call */
    HEADERS_MAX = 40 + 60,
    ROUTE_SHIFT = 32 - ROUTE_BITS,
    CUT_SEGMENTS = 64, /* that we make of a super-segment */
};

#define STARVED_NS (10 * NS_MS)

/* By addresses alone, so that all connections to one destination share one entry. */
static struct route_entry *route_entry(struct weir *s, const struct weir_addr *src,
                                       const struct weir_addr *dst)
{
    uint32_t from, to;

    memcpy(&from, src->b + 12, sizeof from);
    memcpy(&to, dst->b + 12, sizeof to);
    return &s->routes[((to ^ from * 31) * UINT32_C(2654435761)) >> ROUTE_SHIFT];
}

/* What IP is to know of a connection's segment that wishes for nothing else. */
static struct ip_send usual_how(const struct route_entry *r)
{
    return (struct ip_send){
        .src = r->src,
        .dst = r->dst,
        .protocol = IP_PROTOCOL_TCP,
        .dont_fragment = true,
    };
}

static void prepare(const struct weir *s, struct route_entry *r)
{
    struct ip_send how = usual_how(r);

    r->is_v4 = addr_is_v4(&r->src);
    if (HAS_PREDICTION && r->is_v4)
        ip4_prepare(&s->ip, &how, r->header);
}

static struct route_entry *find_route(struct weir *s, const struct weir_addr *src,
                                      const struct weir_addr *dst)
{
    struct route_entry *r = route_entry(s, src, dst);

    if (r->turn != 0 && ip_path_is_current(&s->ip, &r->path) && addr_eq(&r->dst, dst)
        && addr_eq(&r->src, src))
        return r;
    r->turn = ip_route(&s->ip, dst, src, 0, &r->path) == WEIR_OK ? ++s->route_turns : 0;
    r->src = *src;
    r->dst = *dst;
    prepare(s, r);
    return r;
}

struct route_entry *tx_route(struct weir *s, const struct weir_addr *src,
                             const struct weir_addr *dst)
{
    struct route_entry *r = find_route(s, src, dst);

    return r->turn != 0 ? r : NULL;
}

struct ip_path *tx_path(struct weir *s, const struct weir_addr *src, const struct weir_addr *dst)
{
    struct route_entry *r = tx_route(s, src, dst);

    return r != NULL ? &r->path : NULL;
}

/* It was not written anew, and nothing has changed that it depends on. */
static bool is_still(const struct weir *s, const struct route_entry *r, uint64_t turn)
{
    return r->turn == turn && ip_path_is_current(&s->ip, &r->path);
}

void tx_note_route(const struct weir *s, struct conn *c, struct route_entry *r, uint64_t turn)
{
    struct tcp_work *w = c->tcp.work;

    if (!is_still(s, r, turn))
        return;
    w->route = r;
    w->route_turn = turn;
    w->device_sums = (r->path.netif->offloads & WEIR_OFFLOAD_CSUM) != 0;
}

/* Not a part of route_of, so that what nearly always happens saves no registers for it. */
static __attribute__((noinline)) struct route_entry *find_route_of(struct weir *s, struct conn *c)
{
    struct tcp_tuple tuple = ends_tuple(&c->tcp.ends, &s->tcp);
    struct route_entry *r = tx_route(s, &tuple.local_addr, &tuple.remote_addr);

    if (r != NULL && c->tcp.work != NULL)
        tx_note_route(s, c, r, r->turn);
    return r;
}

/*
 * Where c's segments go; NULL: there is no path now. A busy connection knows its entry, which is the
 * same as long as it was not written anew.
 */
static struct route_entry *route_of(struct weir *s, struct conn *c)
{
    const struct tcp_work *w = c->tcp.work;

    if (w != NULL && w->route != NULL && is_still(s, w->route, w->route_turn))
        return w->route;
    return find_route_of(s, c);
}

struct route_entry *tx_route_of(struct weir *s, struct conn *c)
{
    return route_of(s, c);
}

static uint8_t slot_of(const struct netif *netif)
{
    return (uint8_t)((netif->id - 1) % NETIF_SLOTS);
}

static struct weir_trace *fill_trace(const struct weir *s, const struct tx_about *about,
                                     struct weir_trace *trace)
{
    if (!trace_is_on(&s->tracer))
        return NULL;
    *trace = (struct weir_trace){
        .conn = about->handle,
        .local = {.addr = about->tuple->local_addr, .port = about->tuple->local_port},
        .remote = {.addr = about->tuple->remote_addr, .port = about->tuple->remote_port},
        .from = (enum weir_tcp_state)about->state,
        .to = (enum weir_tcp_state)about->state,
        .retransmit = about->is_resent,
    };
    return trace;
}

/*
 * Queues a packet with IP's header as it was prepared for the route, if nothing else stands between the
 * segment and the interface. unusual: what its header has to say besides, ttl and tos. False: it does.
 */
static bool send_prepared(struct weir *s, struct route_entry *r, unsigned unusual,
                          struct frame **frame)
{
    const struct weir_frame *w = &(*frame)->wire;

    if (!HAS_PREDICTION || !r->is_v4 || unusual != 0 || r->path.netif->link != WEIR_LINK_IP
        || ip_path_is_local(&r->path) || w->gso != WEIR_GSO_NONE
        || w->len + IP4_HEADER_LEN > r->path.mtu || trace_is_on(&s->tracer))
        return false;
    ip4_push_prepared(&s->ip, &r->path, r->header, *frame);
    frames_add(&r->path.netif->out, frame);
    return true;
}

/* Takes *frame. */
static APART void reply_by_ip(struct weir *s, struct ip_path *path, struct frame **frame,
                              const struct tx_about *about)
{
    struct weir_trace trace;
    struct ip_send how = {
        .src = about->tuple->local_addr,
        .dst = about->tuple->remote_addr,
        .protocol = IP_PROTOCOL_TCP,
        .ttl = about->ttl,                            /* [RFC9293 MUST-49] */
        .tos = (uint8_t)(about->tos | (*frame)->ecn), /* as it is [RFC9293 MUST-48, SHLD-22] */
        .dont_fragment = HAS_PATH_MTU,
        .trace = fill_trace(s, about, &trace),
    };

    ip_send(&s->ip, path, &how, frame);
}

void tx_reply(struct weir *s, struct frame **frame, const struct tx_about *about)
{
    struct route_entry *r = about->route;

    if (*frame == NULL) {
        stack_drop(s, WHY_NO_MEMORY);
        return;
    }
    if (r == NULL)
        r = find_route(s, &about->tuple->local_addr, &about->tuple->remote_addr);
    if (r->turn == 0) {
        ip_drop_frame(&s->ip, frame, WHY_NO_ROUTE);
        return;
    }
    if (r->path.netif->out.count >= TX_REPLIES_MAX) {
        ip_drop_frame(&s->ip, frame, WHY_NO_MEMORY);
        return;
    }
    count_add(&s->tcp.counts.segs_out, 1);
    if (!HAS_PATH_MTU || !send_prepared(s, r, about->ttl | about->tos | (*frame)->ecn, frame))
        reply_by_ip(s, &r->path, frame, about);
}

static bool can_cut(const struct netif *netif, bool is_v4)
{
    return (netif->offloads & (is_v4 ? WEIR_OFFLOAD_TSO4 : WEIR_OFFLOAD_TSO6)) != 0;
}

/*
 * How much text a super-segment may carry on that path. If the driver does not cut it, we do; but a
 * trace shows what is on the line, and so each segment is then made by itself, as is one that
 * says where urgent data ends.
 */
static uint32_t gso_bytes(const struct weir *s, const struct conn *c, const struct ip_path *path)
{
    if (!HAS_SUPER_SEGMENTS || ip_path_is_local(path) || c->tcp.snd_urgent
        || path->netif->gso_max < HEADERS_MAX)
        return 0;
    if (can_cut(path->netif, addr_is_v4(&path->src)))
        return path->netif->gso_max - HEADERS_MAX;
    if (trace_is_on(&s->tracer))
        return 0;
    return u32_min(path->netif->gso_max - HEADERS_MAX,
                   CUT_SEGMENTS * u32_min(c->tcp.agreed.snd_mss, path->mtu - HEADERS_MAX));
}

static void starve(struct weir *s)
{
    s->is_starved = true;
    s->starved_until_at = ns_after(s->tcp.now, STARVED_NS);
}

/*
 * Is the checksum to be made later, if at all: by the driver, or not for what never leaves? A trace
 * is shown the frame before that.
 */
static bool is_summed_later(const struct weir *s, const struct ip_path *path)
{
    return (path->netif->offloads & WEIR_OFFLOAD_CSUM) || ip_path_is_local(path)
           || trace_is_on(&s->tracer);
}

/* May what is usual go to the driver that asks, with IP's header and nothing else before it? */
static bool is_straight(const struct weir *s, const struct netif *netif)
{
    return HAS_PREDICTION && netif->link == WEIR_LINK_IP && netif->out.head == NULL
           && !trace_is_on(&s->tracer);
}

/*
 * A usual segment on that path, or any; on straight ones there was none that is usual. NULL: there is nothing
 * to send.
 */
static struct frame *next_segment(struct weir *s, struct conn *c, struct ip_path *path,
                                  struct tcp_turn *turn)
{
    struct frame *frame = NULL;
    uint32_t most;

    *turn = (struct tcp_turn){0};
    if (path->mtu != c->tcp.pmtu && c->tcp.state != TCP_CLOSED)
        tcp_set_pmtu(&c->tcp, &s->tcp, path->mtu);
    if (!is_straight(s, path->netif))
        frame = express_output(&c->tcp, &s->tcp, is_summed_later(s, path));
    if (frame != NULL)
        return frame;
    most = gso_bytes(s, c, path);
    frame = express_super(&c->tcp, &s->tcp, most, turn);
    return frame != NULL ? frame : tcp_output(&c->tcp, &s->tcp, most, turn);
}

/* What a trace is to say of a segment that c sends. */
static struct weir_trace *trace_segment(const struct weir *s, const struct conn *c,
                                        const struct tx_about *what, struct weir_trace *trace)
{
    struct tcp_tuple tuple;
    struct tx_about about = *what;

    if (!trace_is_on(&s->tracer))
        return NULL;
    tuple = ends_tuple(&c->tcp.ends, &s->tcp);
    about.tuple = &tuple;
    about.handle = handle_of_conn(s, c);
    return fill_trace(s, &about, trace);
}

/* What IP is to know of a segment. */
static struct ip_send segment_how(const struct conn *c, const struct route_entry *route,
                                  const struct frame *frame)
{
    struct ip_send how = usual_how(route);

    how.ttl = c->tcp.user->ttl;                         /* [RFC9293 MUST-49] */
    how.tos = (uint8_t)(c->tcp.user->tos | frame->ecn); /* [RFC9293 MUST-48, SHLD-22] */
    return how;
}

/* Takes *frame. */
static APART void segment_by_ip(struct weir *s, struct conn *c, struct route_entry *route,
                                struct frame **frame, const struct tx_about *about)
{
    struct weir_trace trace;
    struct ip_send how = segment_how(c, route, *frame);

    how.trace = trace_segment(s, c, about, &trace);
    ip_send(&s->ip, &route->path, &how, frame);
}

/* Takes *frame. */
static void send_segment(struct weir *s, struct conn *c, struct route_entry *route,
                         struct frame **frame, const struct tx_about *about)
{
    const struct tcp_user *user = c->tcp.user;

    if (!send_prepared(s, route, user->ttl | user->tos | (*frame)->ecn, frame))
        segment_by_ip(s, c, route, frame, about);
}

/* One with TTL or DiffServ of its own, or over IPv6. */
static APART void push_any(struct weir *s, const struct conn *c, const struct route_entry *route,
                           struct frame *frame)
{
    struct ip_send how = segment_how(c, route, frame);

    if (route->is_v4)
        ip4_push_single(&s->ip, &route->path, &how, frame);
    else
        ip6_push(&s->ip, &route->path, &how, NULL, frame);
}

/* IP's header before a usual segment, which has no mark. */
static void push_usual(struct weir *s, const struct conn *c, const struct route_entry *route,
                       struct frame *frame)
{
    const struct tcp_user *user = c->tcp.user;

    if (route->is_v4 && (user->ttl | user->tos) == 0)
        ip4_push_prepared(&s->ip, &route->path, route->header, frame);
    else
        push_any(s, c, route, frame);
}

/* The packet with a usual segment of a connection whose turn it is, by that way. NULL: there is none. */
static struct frame *next_usual(struct weir *s, struct conn *c, const struct netif *netif)
{
    struct route_entry *route = route_of(s, c);
    struct frame *frame;

    if (route == NULL || route->path.netif != netif || route->path.mtu != c->tcp.pmtu
        || ip_path_is_local(&route->path))
        return NULL;
    frame = express_output(&c->tcp, &s->tcp, (netif->offloads & WEIR_OFFLOAD_CSUM) != 0);
    if (frame == NULL)
        return NULL;
    push_usual(s, c, route, frame);
    if (c->tcp.events != 0)
        events_note_conn(s, c);
    stack_settle_sent(s, c);
    return frame;
}

/* While one has its turn, what the next one needs is fetched, and where that of the one behind it is. */
static void fetch_next(struct list *ready)
{
    struct list *next = list_first(ready);

    if (next == NULL)
        return;
    hint_fetch(conn_of_ready(next), sizeof(struct conn));
    if (next->next != ready)
        works_fetch(container_of(next->next, struct tcp_work, ready));
}

/*
 * Those that have nothing to send but a usual segment have their turns, as long as there are such; returns
 * how many there were, at most max.
 */
static size_t run_usual(struct weir *s, struct netif *netif, struct weir_frame **frames, size_t max)
{
    struct list *ready = &s->ready[slot_of(netif)], *link;
    bool has_many = works_are_many(&s->tcp);
    size_t count = 0;

    if (!is_straight(s, netif))
        return 0;
    while (count < max && !s->is_starved && (link = list_take_first(ready)) != NULL) {
        struct frame *frame;
        if (has_many)
            fetch_next(ready);
        frame = next_usual(s, conn_of_ready(link), netif);
        if (frame == NULL) {
            list_add_first(ready, link);
            break;
        }
        frames[count++] = &frame->wire;
    }
    return count;
}

/* A connection's turn: true if it had something to send. *has_more: it is to have another. */
static bool take_turn(struct weir *s, struct conn *c, bool *has_more)
{
    struct route_entry *route = route_of(s, c);
    struct tcp_turn turn;
    struct tx_about about = {.state = (enum tcp_state)c->tcp.state};
    struct frame *frame = route != NULL ? next_segment(s, c, &route->path, &turn)
                                        : tcp_output(&c->tcp, &s->tcp, 0, &turn);

    *has_more = turn.has_more || turn.no_memory;
    if (turn.no_memory)
        starve(s);
    if (c->tcp.events != 0)
        events_note_conn(s, c);
    if (frame == NULL)
        return false;
    about.is_resent = turn.is_resent;
    if (route != NULL)
        send_segment(s, c, route, &frame, &about);
    else
        ip_drop_frame(&s->ip, &frame, WHY_NO_ROUTE);
    return true;
}

void tx_add_ready(struct weir *s, struct conn *c)
{
    const struct route_entry *route = route_of(s, c);

    list_add_last(route == NULL ? &s->stranded : &s->ready[slot_of(route->path.netif)],
                  &c->tcp.work->ready);
}

/* Lets the next connection of the list send a segment. False: none wanted to. */
static bool run_ready(struct weir *s, struct list *ready)
{
    struct list *link;

    while (!s->is_starved && (link = list_take_first(ready)) != NULL) {
        struct conn *c = conn_of_ready(link);
        bool has_more, has_sent = take_turn(s, c, &has_more);
        if (has_more)
            list_add_last(ready, &c->tcp.work->ready);
        else
            stack_settle_sent(s, c);
        if (has_sent)
            return true;
    }
    return false;
}

/* Segments without a route are lost, and timers do what they do about lost segments. */
void tx_run_stranded(struct weir *s)
{
    for (int i = 0; i < STRANDED_TURNS && !list_is_empty(&s->stranded); i++)
        if (!run_ready(s, &s->stranded))
            return;
}

ns_t tx_deadline(const struct weir *s)
{
    if (s->is_starved)
        return s->starved_until_at;
    return list_is_empty(&s->stranded) ? NEVER : s->tcp.now;
}

/* Packets to ourselves never leave: they come in again here. */
static void take_back(struct weir *s, struct netif *netif)
{
    struct frame *frame = frames_take(&netif->back);
    struct ip_packet packet;

    (void)rx_packet(s, ip_input_back(&s->ip, netif, frame, &packet), &packet, NULL, 0);
    frame_put(&s->frames, &s->bufs, &frame);
}

static bool run_back(struct weir *s, struct netif *netif)
{
    if (!HAS_ROUTING || netif->back.head == NULL)
        return false;
    take_back(s, netif);
    return true;
}

static APART void take_all_back(struct weir *s, struct netif *netif)
{
    struct list *ready = &s->ready[slot_of(netif)];

    for (int i = 0; i < LOOPBACK_TURNS; i++) {
        if (run_back(s, netif))
            continue;
        if (!netif_is_loopback(netif) || !run_ready(s, ready))
            return;
    }
}

/* Packets to ourselves wait, or are made here. */
static void run_loopback(struct weir *s, struct netif *netif)
{
    if (HAS_ROUTING && (netif->back.head != NULL || netif->is_loopback))
        take_all_back(s, netif);
}

static void finish(const struct weir *s, const struct netif *netif, struct frame *frame)
{
    struct weir_frame *wire = &frame->wire;

    wire->header_len = (uint16_t)wire->slices[0].len;
    if ((wire->flags & WEIR_FRAME_CSUM_PARTIAL) && !(netif->offloads & WEIR_OFFLOAD_CSUM))
        frame_finish_checksum_by(frame, s->ip.checksum);
}

static bool is_to_be_cut(const struct netif *netif, const struct frame *frame)
{
    return HAS_SUPER_SEGMENTS && frame != NULL && frame->wire.gso != WEIR_GSO_NONE
           && !can_cut(netif, frame->wire.gso == WEIR_GSO_TCP4);
}

/* Whether something waits at the interface; what is to be cut up needs memory. */
static bool has_waiting(const struct weir *s, const struct netif *netif)
{
    return netif->out.head != NULL && !(s->is_starved && is_to_be_cut(netif, netif->out.head));
}

/* Segments of the super-segment that waits; returns how many there is memory for. */
static size_t cut_first(struct weir *s, struct netif *netif, struct weir_frame **frames, size_t max)
{
    struct frame *whole = netif->out.head;
    size_t count = gso_cut(s, netif, whole, frames, max);

    if (gso_is_cut(whole)) {
        whole = frames_take(&netif->out);
        frame_put(&s->frames, &s->bufs, &whole);
    } else if (count < max) {
        starve(s);
    }
    return count;
}

static size_t hand_out(const struct weir *s, const struct netif *netif, struct frame *frame,
                       struct weir_frame **frames)
{
    finish(s, netif, frame);
    frames[0] = &frame->wire;
    return 1;
}

/* What waits at the interface, or whoever has its turn sends: at most max frames, 0 if there are none. */
static APART size_t next_frames(struct weir *s, struct netif *netif, struct weir_frame **frames,
                                size_t max)
{
    struct list *ready = &s->ready[slot_of(netif)];

    /* A turn may lead elsewhere: to ourselves, or to an address not yet resolved. */
    while (netif->out.head == NULL) {
        if (list_is_empty(ready) || !run_ready(s, ready))
            return 0;
        run_back(s, netif);
    }
    if (is_to_be_cut(netif, netif->out.head))
        return s->is_starved ? 0 : cut_first(s, netif, frames, max);
    return hand_out(s, netif, frames_take(&netif->out), frames);
}

static bool is_anybodys_turn(const struct weir *s, const struct netif *netif)
{
    return netif->out.head != NULL || !list_is_empty(&s->ready[slot_of(netif)]);
}

/* Those with usual segments have their turns as long as there are such; whoever comes then, has any other. */
static size_t run_all(struct weir *s, struct netif *netif, struct weir_frame **frames, size_t max)
{
    size_t count = 0, more;

    do {
        count += run_usual(s, netif, frames + count, max - count);
        if (count == max || !is_anybodys_turn(s, netif))
            return count;
        more = next_frames(s, netif, frames + count, max - count);
        count += more;
    } while (more > 0);
    return count;
}

size_t api_output(struct weir *s, weir_netif_t id, struct weir_frame **frames, size_t max)
{
    struct netif *netif = netif_find(&s->ip, id);
    size_t count;

    if (netif == NULL)
        return 0;
    run_loopback(s, netif);
    if (netif_is_loopback(netif))
        return 0;
    count = run_all(s, netif, frames, max);
    for (size_t i = 0; i < count; i++)
        s->bytes_out += frames[i]->len;
    s->frames_out += count;
    rx_failures(s);
    return count;
}

WHOLE void api_output_done(struct weir *s, struct weir_frame **frames, size_t count)
{
    frame_put_many(&s->frames, &s->bufs, frames, count);
    if (count > 0)
        s->is_starved = false;
}

static bool has_output(const struct weir *s, const struct netif *netif)
{
    if (netif->id == 0)
        return false;
    return has_waiting(s, netif) || netif->back.head != NULL
           || (!s->is_starved && !list_is_empty(&s->ready[slot_of(netif)]));
}

bool weir_has_output(const struct weir *s, weir_netif_t id)
{
    const struct netif *netif;

    if (id != 0) {
        netif = netif_find(&s->ip, id);
        return netif != NULL && has_output(s, netif);
    }
    for (uint32_t i = 0; i < s->ip.netif_count; i++)
        if (has_output(s, s->ip.netifs[i]))
            return true;
    return false;
}
