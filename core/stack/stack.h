/*
 * stack.h - the state of a stack, and what its files do for one another
 *
 * This folder alone knows all the layers. It gives connections their handles, timers, place
 * in the tables and turn to send; what they do is theirs. After every call into a
 * connection, stack_settle looks at what has changed.
 */
#ifndef CORE_STACK_STACK_H
#define CORE_STACK_STACK_H

#include "base/buf.h"
#include "base/frame.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/parts.h"
#include "base/pool.h"
#include "base/siphash.h"
#include "base/table.h"
#include "base/trace.h"
#include "base/wheel.h"
#include "base/why.h"
#include "ip/foreign.h"
#include "ip/ip.h"
#include "tcp/conn.h"
#include "tcp/listen.h"
#include "tcp/timewait.h"
#include "udp/ping.h"
#include "udp/udp.h"
#include "wire/eth.h"
#include "wire/plain.h"
#include <weir/stats.h>
#include <weir/tcp.h>
#include <weir/udp.h>
#include <weir/weir.h>

struct tcp_seg;

enum handle_kind {
    HANDLE_NONE,
    HANDLE_CONN,
    HANDLE_LISTENER,
    HANDLE_UDP,
    HANDLE_PING,
    HANDLE_HALFOPEN, /* these two are only seen in traces */
    HANDLE_TIMEWAIT,
};

/* What has a place in the table of four-tuples: a member of the three below, and their first. */
struct flow {
    uint32_t hash;
    uint8_t kind; /* enum handle_kind */
    bool is_in_table;
    bool is_orphan; /* a connection that counts as one */
    bool is_queued; /* a connection that waits to be accepted */
};

struct conn {
    struct flow flow;
    uint32_t nap; /* in naps, and one: the alarm of a connection at rest; 0: it waits for nothing */
    struct tcp_conn tcp;
    struct list event; /* in conn_events; before it is accepted: in its listener's queue */
    uint64_t user;
};

/* Ten million of them rest in one process: what is added here, all of them pay for. */
_Static_assert(sizeof(void *) != 8 || sizeof(struct conn) <= 232, "a connection at rest is small");

/* When a record last answered what it did not expect. */
struct answered {
    uint32_t at_ms;
    bool ever;
};

struct halfopen {
    struct flow flow;
    struct alarm alarm; /* when its SYN-ACK is sent again, or it is given up */
    struct tcp_halfopen tcp;
    struct answered answered;
    struct route_entry *route; /* where the SYN-ACK went, if it is still the one of that turn */
    uint64_t route_turn;
    uint64_t listener;   /* its handle in the pool: the listener may be gone */
    ns_t defer_until_at; /* until then its acknowledgement does not count without data */
    bool is_deferred;    /* and one has come */
};

struct timewait {
    struct flow flow;
    struct list link; /* in timewait_list */
    ns_t end_at;
    struct tcp_timewait tcp;
    struct answered answered;
};

struct listener {
    struct weir_endpoint local;
    uint64_t in_pool; /* its handle there */
    uint32_t hash;
    uint32_t backlog;
    ns_t defer_accept_ns; /* so long a connection is not complete without data */
    bool shares_port;
    uint32_t fastopen_queue;   /* so many connections with data in the SYN may be pending */
    uint32_t fastopen_pending; /* and so many are */
    uint32_t fastopen_held;    /* further ones that were reset: they count until */
    ns_t fastopen_held_until_at;
    struct fastopen_keys fastopen_keys; /* its own, if it has any */
    bool has_fastopen_keys;
    uint32_t queued;
    bool v6only;       /* a listener on :: leaves IPv4 to others */
    struct list queue; /* of conn.event: complete, to be accepted */
    struct list event; /* in listener_events */
    uint64_t user;
    struct tcp_conn model; /* closed for ever: holds the options that connections inherit */
};

/* Those of its cookies; NULL: the stack's. */
static inline const struct fastopen_keys *listener_keys(const struct listener *l)
{
    return l->has_fastopen_keys ? &l->fastopen_keys : NULL;
}

/* Where segments to one destination go: looked up once for many. */
struct route_entry {
    struct weir_addr src, dst;
    struct ip_path path;
    bool is_v4;
    uint8_t header[IP4_HEADER_LEN]; /* if so: of what connections send (ip4_prepare) */
    uint64_t turn; /* in which it was written, of all that were; 0: there is no path */
};

enum {
    ROUTE_BITS = HAS_SCALE ? 6 : 2,
    ROUTE_ENTRIES = 1 << ROUTE_BITS,
    READY_LISTS = NETIF_SLOTS,
    RECENT_BITS = HAS_PREDICTION ? 11 : 0,
    RECENT_FLOWS = 1 << RECENT_BITS,
};

/* Who has the segments that are for there (demux.c). */
struct heard {
    struct weir_endpoint at;
    struct listener *listener; /* or NULL */
};

enum { HEARD_PLACES = HAS_PREDICTION ? 64 : 1 };

enum {
    FLOOD_SYNACK_LEN = 60,
    FLOOD_FOREIGN = 4,
};

/* A SYN-ACK with a cookie, and what others like it may be sent for (flood.c). */
struct flood {
    const struct netif *netif; /* where the SYN came in; NULL: there is none */
    uint32_t epoch;            /* IP's, when that was */
    const struct listener *listener;
    uint8_t link[ETH_HEADER_LEN];
    uint8_t dst[4];
    uint16_t port;
    uint8_t min_ttl;
    struct foreign foreign[FLOOD_FOREIGN]; /* sources that differ in nothing */
    uint32_t foreign_count;                /* of those found; the oldest give way */
    struct ip_path path;                   /* to all of them */
    struct tcp_agreed wish;                /* what we agree to at most */
    uint8_t synack[FLOOD_SYNACK_LEN];
    ns_t again_at; /* before, no other is looked at */
};

/* A flow that was found lately, and what is known of its packets (recent.c). */
struct recent {
    struct flow *flow;         /* it is in the table; or NULL */
    const struct netif *netif; /* where the last one came in, if the rest is set; or NULL */
    uint32_t epoch;            /* IP's, when that was */
    uint8_t ends[PLAIN_ENDS_LEN];
};

struct weir {
    struct weir_config config;
    struct mem mem;
    struct bufs bufs;
    struct pool frames;
    struct tracer tracer;
    weir_icmp_hook icmp_hook;
    void *icmp_ctx;
    uint64_t dropped[WHY_COUNT];

    struct tcp_env tcp;
    struct tcp_conn model; /* what connections begin as; without options until the first does */
    struct ip ip;
    struct udp udp;
    struct pings pings;

    struct pool conns, halfopens, timewaits, listeners;
    struct pool naps;                   /* struct alarm: of resting connections with keep-alives */
    struct table flows;                 /* four-tuples */
    struct recent recent[RECENT_FLOWS]; /* some of those that were found last, or NULL */
    struct table local_ports;           /* listeners, by port */
    struct siphash_key flow_key;
    struct heard heard[HEARD_PLACES];

    struct wheel wheel;
    struct list timewait_list; /* oldest first */

    struct list ready
        [READY_LISTS];     /* of tcp_work.ready: connections with something to send, by interface */
    struct list stranded;  /* the same of those that have no route now */
    bool is_starved;       /* no memory for a frame: wait until one comes back */
    ns_t starved_until_at; /* or until then */
    struct list conn_events, listener_events, udp_events, ping_events;
    struct {
        uint64_t handle; /* of the connection whose event was taken last; 0: it is gone */
        struct conn *conn;
    } told;
    struct {
        uint64_t handle; /* the same of a listener; 0, which is no handle: it is gone */
        struct listener *listener;
    } accepts;

    struct route_entry routes[ROUTE_ENTRIES];
    uint64_t route_turns;
    uint32_t port_counter;
    bool has_next_isn;
    seq_t next_isn;
    uint32_t orphans;
    ns_t cookie_sent_at; /* the last SYN cookie */
    struct flood flood;
    uint64_t frames_in, bytes_in, frames_out, bytes_out, udp_in, udp_out;
};

/* ---- handles (handle.c) ---- */

uint64_t handle_of_conn(const struct weir *s, const struct conn *c);
uint64_t handle_of_listener(const struct weir *s, const struct listener *l);
uint64_t handle_of_udp(const struct weir *s, const struct udp_endpoint *u);
uint64_t handle_of_ping(const struct weir *s, const struct ping *p);
uint64_t handle_make(enum handle_kind kind, uint64_t in_pool);
enum handle_kind handle_kind_of(uint64_t handle);

/* What the application's handle names, or NULL: stale, of another kind, or given up. */
struct conn *handle_conn(const struct weir *s, uint64_t handle);
struct listener *handle_listener(const struct weir *s, uint64_t handle);
struct udp_endpoint *handle_udp(const struct weir *s, uint64_t handle);
struct ping *handle_ping(const struct weir *s, uint64_t handle);

/* ---- four-tuples and ports (demux.c, ports.c) ---- */

/* NULL: there is none, and with *hash one that has this tuple can be added. */
struct flow *demux_find(struct weir *s, const struct tcp_tuple *tuple, uint32_t *hash);
bool demux_add(struct weir *s, struct flow *flow, uint32_t hash);

/*
 * The same in two steps, for many tuples at a time (ahead.c): each starts to bring into the cache what
 * the next one looks at. The flow that is guessed mostly has the tuple of the hash.
 */
uint32_t demux_prefetch(const struct weir *s, const struct tcp_tuple *tuple);
struct flow *demux_guess(const struct weir *s, uint32_t hash);
void demux_remove(struct weir *s, struct flow *flow);

/* ---- flows that were found lately (recent.c) ---- */

struct flow *recent_find(const struct weir *s, const struct tcp_tuple *tuple);
void recent_add(struct weir *s, struct flow *flow);
void recent_remove(struct weir *s, const struct flow *flow);

/* The same with another flow between the same ends. */
void recent_move(struct weir *s, const struct flow *from, struct flow *to);

/*
 * A plain packet over IPv4 between these ends came in at netif, and IP has nothing against them: the next one is
 * that connection's as well, if there is one by now.
 */
void recent_note(struct weir *s, const struct tcp_tuple *tuple, const struct netif *netif,
                 const uint8_t *ip);

/*
 * Takes in the first of count frames, if nothing is unusual about it, and those behind it that go on where
 * it ends. Returns how many; 0: it is to be looked at in full.
 */
size_t recent_rx(struct weir *s, struct netif *netif, struct weir_frame *frames, size_t count);

/* Gives the place of one flow in the table to another between the same ends. */
void demux_move(struct weir *s, struct flow *from, struct flow *to);
struct tcp_tuple demux_tuple(const struct weir *s, const struct flow *flow);
bool demux_is_between(const struct weir *s, const struct flow *flow, const struct tcp_tuple *tuple);

/* Of several that fit equally well, the ends choose: always the same one, as long as it is there. */
struct listener *demux_find_listener(const struct weir *s, const struct tcp_tuple *tuple,
                                     weir_netif_t netif);

/* The same for a segment that has come; the last answer is remembered, and others for other ports. */
struct listener *demux_listener_for(struct weir *s, const struct tcp_tuple *tuple,
                                    weir_netif_t netif);

/* Whether a new listener would be in another's way. */
bool demux_has_listener(const struct weir *s, const struct weir_endpoint *local, bool shares_port);

/* Whether that answer, which is no other's then, is l for the port it listens on. */
bool demux_remembers(const struct weir *s, const struct listener *l);
bool demux_add_listener(struct weir *s, struct listener *l);
void demux_remove_listener(struct weir *s, struct listener *l);

/* Chooses tuple->local_port [RFC6056], and what to add it to the table with; false: all are taken. */
bool ports_choose(struct weir *s, struct tcp_tuple *tuple, uint32_t *hash);

/* Chooses a port on which nobody listens; 0: there is none. */
uint16_t ports_choose_to_listen(const struct weir *s, uint32_t turn);

/* ---- SYNs that cookies answer (flood.c) ---- */

struct arrival;

/* The SYN was answered with a cookie; frame has TCP's header of that, or is NULL. */
void flood_note(struct weir *s, const struct arrival *a, struct listener *l,
                const struct tcp_halfopen *h, const struct frame *frame);

/* Something has changed about listeners. */
void flood_forget(struct weir *s);

/* Answers a SYN that is like the one noted last; false: it is to be looked at in full. */
bool flood_rx(struct weir *s, struct netif *netif, const struct weir_frame *frame);

/* ---- connections (flows.c) ---- */

struct conn *flows_new_conn(struct weir *s);
void flows_free_conn(struct weir *s, struct conn *c);
struct halfopen *flows_new_halfopen(struct weir *s);

/* Its SYN-ACK has been sent for the first time. */
void flows_wait_first(struct weir *s, struct halfopen *h);
void flows_free_halfopen(struct weir *s, struct halfopen *h);
void flows_enter_timewait(struct weir *s, struct conn *c);
void flows_free_timewait(struct weir *s, struct timewait *tw);
void flows_restart_timewait(struct weir *s, struct timewait *tw);

/* Where the SYN-ACK goes is known (route), or (NULL) to be found: then it is sent again. */
void flows_send_synack(struct weir *s, struct halfopen *h, struct route_entry *route);
/* The peer has acknowledged and is silent: it is asked again when the time is over. */
void flows_defer(struct weir *s, struct halfopen *h);

void flows_send_timewait_ack(struct weir *s, struct timewait *tw);

/* Traces a change of state of what is no connection (any more). */
void flows_trace_state(struct weir *s, const struct flow *flow, enum tcp_state from,
                       enum tcp_state to);

/* After anything has happened to c: events, timer, turn to send, end of life. May free c. */
void stack_settle(struct weir *s, struct conn *c);

/* The same after express_input has taken a segment in. */
void stack_settle_taken(struct weir *s, struct conn *c);

/* The same after c has sent all it had: it is not in the list of the ready any more. */
void stack_settle_sent(struct weir *s, struct conn *c);

/* The application has closed c: with too many of those at work, c is reset. */
void flows_note_orphan(struct weir *s, struct conn *c);

/* Data in the SYN: the connection counts as pending until its handshake is complete. */
void flows_note_pending(struct weir *s, struct conn *c, struct listener *l);

/* Does what is due. */
void flows_expire(struct weir *s);
ns_t flows_deadline(struct weir *s);

/* ---- in and out (ahead.c, rx.c, tcp_rx.c, tx.c) ---- */

/* Fetches what the first of count frames need, before they are taken in; returns how many those are. */
size_t ahead_look(struct weir *s, const struct netif *netif, const struct weir_frame *frames,
                  size_t count);

size_t rx_packet(struct weir *s, enum ip_verdict verdict, struct ip_packet *packet,
                 struct weir_frame *rest, size_t count);
/*
 * The count frames that came in behind the packet may go on where it ends; returns how many of
 * them were taken along.
 */
size_t tcp_rx(struct weir *s, struct ip_packet *packet, struct weir_frame *rest, size_t count);
void icmp_error_rx(struct weir *s, const struct icmp_error *error);
void rx_failures(struct weir *s);

/* The ISN of a connection that begins now between these ends (isn_ends). */
struct isn stack_next_isn(struct weir *s, uint64_t ends);

/* Traces a packet that belongs to no connection. */
void rx_trace_in(struct weir *s, const struct ip_packet *packet);

/* Counts a drop and traces it. */
void stack_drop(struct weir *s, enum why why);

/* The path from src (unspecified: the one that suits) to dst; NULL: there is none now. */
struct ip_path *tx_path(struct weir *s, const struct weir_addr *src, const struct weir_addr *dst);

/* The entry that has it; NULL. */
struct route_entry *tx_route(struct weir *s, const struct weir_addr *src,
                             const struct weir_addr *dst);

/* c, which has work, goes there, if that is still the entry of that turn. */
void tx_note_route(const struct weir *s, struct conn *c, struct route_entry *r, uint64_t turn);

/* Where c's segments go, which a busy connection knows; NULL: there is no path now. */
struct route_entry *tx_route_of(struct weir *s, struct conn *c);

/* Whose link in a list of the ready that is. */
static inline struct conn *conn_of_ready(struct list *link)
{
    return container_of(container_of(link, struct tcp_work, ready)->conn, struct conn, tcp);
}

/* Puts c, which has work and is not there yet, in the list of those that may have something to send. */
void tx_add_ready(struct weir *s, struct conn *c);

static inline void tx_make_ready(struct weir *s, struct conn *c)
{
    if (!list_is_linked(&c->tcp.work->ready))
        tx_add_ready(s, c);
}

/* Whoever has no route says what there is to say into the void, or finds a new one. */
void tx_run_stranded(struct weir *s);

/* When that, or a lack of memory, wants to be looked at again. */
ns_t tx_deadline(const struct weir *s);

enum {
    TX_REPLIES_MAX = 1024, /* that may wait at an interface */
};

/* Sends a segment that no connection sends. Takes *frame, which may be NULL: no memory. */
struct tx_about {
    const struct tcp_tuple *tuple;
    struct route_entry *route; /* of the tuple; NULL: to be found */
    uint64_t handle;
    enum tcp_state state;
    uint8_t ttl, tos;
    bool is_resent;
};
void tx_reply(struct weir *s, struct frame **frame, const struct tx_about *about);

/* ---- super-segments (gro.c, gso.c) ---- */

/*
 * Joins to a segment, in a packet that begins with that IP header, those of the frames behind it that
 * continue it; returns how many. Their text goes where the segment's flow (or NULL) wants to have it,
 * if it has said so.
 */
size_t gro_join(struct weir *s, const uint8_t *ip, struct tcp_seg *seg, const struct flow *flow,
                struct weir_frame *frames, size_t count);

/*
 * Cuts up to max segments of a super-segment for an interface that cannot, from where it was cut
 * last; returns how many. If they are fewer without being the last, there was no memory.
 */
size_t gso_cut(struct weir *s, const struct netif *netif, struct frame *whole,
               struct weir_frame **segments, size_t max);

/* Nothing is left of it to be cut. */
bool gso_is_cut(const struct frame *whole);

/* An option of an endpoint (api_udp.c). */
int udp_set(struct udp_endpoint *u, enum weir_opt opt, int64_t value);

/* ---- events (events.c) ---- */

void events_note_conn(struct weir *s, struct conn *c);
void events_note_listener(struct weir *s, struct listener *l);
void events_note_udp(struct weir *s, struct udp_endpoint *u, uint32_t bits);
void events_note_ping(struct weir *s, struct ping *p, uint32_t bits);

#endif
