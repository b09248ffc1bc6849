/*
 * demux.c - whose segment is it?
 *
 * Connections, half-open ones and those in TIME-WAIT are in one table by the keyed hash of
 * their four-tuple; listeners are in another by port. Address selection of a listener: the
 * most specific wins, and among equals the ends of the connection choose.
 */
#include "base/addr.h"
#include "base/check.h"
#include "base/hint.h"
#include "stack/stack.h"

/* A ref is an index in the pool of its kind. */
#define REF_INDEX_BITS 30
#define REF_INDEX_MASK ((1u << REF_INDEX_BITS) - 1)

static uint32_t hash_of(const struct weir *s, const struct tcp_tuple *t)
{
    uint64_t words[TCP_TUPLE_WORDS];

    if (!HAS_SCALE) /* who searches a list can do without a key */
        return tcp_tuple_ports(t);
    if (addr_is_v4(&t->remote_addr))
        return (uint32_t)siphash13_word_and_half(s->flow_key, tcp_tuple_addrs4(t),
                                                 tcp_tuple_ports(t));
    return (uint32_t)siphash13_words(s->flow_key, words, tcp_tuple_words(t, words));
}

static const struct pool *pool_of(const struct weir *s, enum handle_kind kind)
{
    return kind == HANDLE_CONN       ? &s->conns
           : kind == HANDLE_HALFOPEN ? &s->halfopens
                                     : &s->timewaits;
}

/* The kinds fit two bits: conn 1, halfopen 2, timewait 3. */
static uint32_t ref_kind(enum handle_kind kind)
{
    return kind == HANDLE_CONN ? 1 : kind == HANDLE_HALFOPEN ? 2 : 3;
}

static enum handle_kind kind_of_ref(uint32_t ref)
{
    static const enum handle_kind kinds[] = {HANDLE_NONE, HANDLE_CONN, HANDLE_HALFOPEN,
                                             HANDLE_TIMEWAIT};
    return kinds[ref >> REF_INDEX_BITS];
}

static uint32_t ref_of(const struct weir *s, const struct flow *flow)
{
    enum handle_kind kind = (enum handle_kind)flow->kind;
    uint32_t index = pool_index(pool_of(s, kind), flow);

    CHECK(index >> REF_INDEX_BITS == 0);
    return ref_kind(kind) << REF_INDEX_BITS | index;
}

static struct flow *flow_at(const struct weir *s, uint32_t ref)
{
    return pool_at(pool_of(s, kind_of_ref(ref)), ref & REF_INDEX_MASK);
}

struct tcp_tuple demux_tuple(const struct weir *s, const struct flow *flow)
{
    switch ((enum handle_kind)flow->kind) {
    case HANDLE_CONN:
        return ends_tuple(&((const struct conn *)(const void *)flow)->tcp.ends, &s->tcp);
    case HANDLE_HALFOPEN: return ((const struct halfopen *)(const void *)flow)->tcp.tuple;
    case HANDLE_TIMEWAIT: return ((const struct timewait *)(const void *)flow)->tcp.tuple;
    case HANDLE_NONE:
    case HANDLE_LISTENER:
    case HANDLE_UDP:
    case HANDLE_PING: break;
    }
    CHECK(false);
    return (struct tcp_tuple){.local_port = 0};
}

static bool is_same(const struct tcp_tuple *a, const struct tcp_tuple *b)
{
    return a->local_port == b->local_port && a->remote_port == b->remote_port
           && addr_eq(&a->remote_addr, &b->remote_addr) && addr_eq(&a->local_addr, &b->local_addr);
}

/* They are compared in place: it is done for each segment. */
bool demux_is_between(const struct weir *s, const struct flow *flow, const struct tcp_tuple *tuple)
{
    switch ((enum handle_kind)flow->kind) {
    case HANDLE_CONN:
        return ends_are(&((const struct conn *)(const void *)flow)->tcp.ends, &s->tcp, tuple);
    case HANDLE_HALFOPEN:
        return is_same(&((const struct halfopen *)(const void *)flow)->tcp.tuple, tuple);
    case HANDLE_TIMEWAIT:
        return is_same(&((const struct timewait *)(const void *)flow)->tcp.tuple, tuple);
    case HANDLE_NONE:
    case HANDLE_LISTENER:
    case HANDLE_UDP:
    case HANDLE_PING: break;
    }
    CHECK(false);
    return false;
}

WHOLE struct flow *demux_find(struct weir *s, const struct tcp_tuple *tuple, uint32_t *hash)
{
    struct flow *recent = recent_find(s, tuple);
    struct table_iter it;

    if (recent != NULL)
        return recent;
    *hash = hash_of(s, tuple);
    it = table_find(&s->flows, *hash);
    for (uint32_t ref; table_next(&it, &ref);) {
        struct flow *flow = flow_at(s, ref);
        if (demux_is_between(s, flow, tuple)) {
            recent_add(s, flow);
            return flow;
        }
    }
    return NULL;
}

uint32_t demux_prefetch(const struct weir *s, const struct tcp_tuple *tuple)
{
    uint32_t hash = hash_of(s, tuple);

    table_prefetch(&s->flows, hash);
    return hash;
}

struct flow *demux_guess(const struct weir *s, uint32_t hash)
{
    struct table_iter it = table_find(&s->flows, hash);
    uint32_t ref;

    if (!table_next(&it, &ref))
        return NULL;
    pool_prefetch(pool_of(s, kind_of_ref(ref)), ref & REF_INDEX_MASK);
    return flow_at(s, ref);
}

WHOLE bool demux_add(struct weir *s, struct flow *flow, uint32_t hash)
{
    CHECK(!flow->is_in_table);
    flow->hash = hash;
    flow->is_in_table = table_add(&s->flows, hash, ref_of(s, flow));
    if (flow->is_in_table)
        recent_add(s, flow);
    return flow->is_in_table;
}

void demux_remove(struct weir *s, struct flow *flow)
{
    if (!flow->is_in_table)
        return;
    recent_remove(s, flow);
    CHECK(table_remove(&s->flows, flow->hash, ref_of(s, flow)));
    flow->is_in_table = false;
}

/*
 * Among those that were found last, its place is the one that the other has had; a connection says
 * where that is more easily than a record.
 */
WHOLE void demux_move(struct weir *s, struct flow *from, struct flow *to)
{
    CHECK(from->is_in_table && !to->is_in_table);
    CHECK(table_replace(&s->flows, from->hash, ref_of(s, from), ref_of(s, to)));
    from->is_in_table = false;
    to->is_in_table = true;
    to->hash = from->hash;
    recent_move(s, from, to);
}

/* Which ports have listeners is up to the application: there is nothing that a key would keep. */
static uint32_t hash_of_port(uint16_t port)
{
    return port;
}

static bool is_any_of_both(const struct weir_addr *a)
{
    return addr_is_any(a) && !weir_addr_is_v4(a);
}

/* How well a listener fits: 0 not at all, 3 exactly. */
static int fit(const struct listener *l, const struct weir_endpoint *local)
{
    if (l->local.port != local->port
        || (l->local.netif != 0 && local->netif != 0 && l->local.netif != local->netif))
        return 0;
    if (weir_addr_eq(&l->local.addr, &local->addr))
        return 3;
    if (is_any_of_both(&l->local.addr))
        return l->v6only && addr_is_v4(&local->addr) ? 0 : 1;
    return addr_is_any(&l->local.addr) && addr_is_v4(&local->addr) ? 2 : 0;
}

/*
 * Each pair of a flow and a listener has a weight, and the heaviest wins: when a listener comes or
 * goes, only the flows that it gets or had are spread anew.
 */
static APART uint64_t weight(const struct weir *s, const struct listener *l,
                             const struct tcp_tuple *tuple)
{
    uint64_t words[2] = {l->in_pool, hash_of(s, tuple)};

    if (!HAS_SCALE)
        return (uint32_t)(words[0] ^ words[1]) * UINT32_C(2654435761);
    return siphash13_words(s->flow_key, words, 2);
}

WHOLE struct listener *demux_find_listener(const struct weir *s, const struct tcp_tuple *tuple,
                                           weir_netif_t netif)
{
    struct weir_endpoint local = {tuple->local_addr, tuple->local_port, netif};
    struct listener *best = NULL;
    struct table_iter it;
    int best_fit = 0;

    if (table_count(&s->local_ports) == 0)
        return NULL;
    it = table_find(&s->local_ports, hash_of_port(local.port));
    for (uint32_t ref; table_next(&it, &ref);) {
        struct listener *l = pool_at(&s->listeners, ref);
        int l_fit = fit(l, &local);
        if (l_fit > best_fit
            || (l_fit > 0 && l_fit == best_fit && weight(s, l, tuple) > weight(s, best, tuple))) {
            best_fit = l_fit;
            best = l;
        }
    }
    return best;
}

/* Two listeners collide if a segment could fit both equally well, unless both want to share. */
bool demux_has_listener(const struct weir *s, const struct weir_endpoint *local, bool shares_port)
{
    struct table_iter it = table_find(&s->local_ports, hash_of_port(local->port));

    for (uint32_t ref; table_next(&it, &ref);) {
        const struct listener *l = pool_at(&s->listeners, ref);
        if (fit(l, local) == 3 && !(shares_port && l->shares_port))
            return true;
    }
    return false;
}

/* SYNs come in floods: who got the last one may have the next, if no other has the same place. */
static uint32_t heard_place(uint16_t port)
{
    return port % HEARD_PLACES;
}

struct listener *demux_listener_for(struct weir *s, const struct tcp_tuple *tuple,
                                    weir_netif_t netif)
{
    struct heard *h = &s->heard[heard_place(tuple->local_port)];
    struct listener *l = h->listener;

    if (l != NULL && h->at.port == tuple->local_port && h->at.netif == netif
        && addr_eq(&h->at.addr, &tuple->local_addr))
        return l;
    l = demux_find_listener(s, tuple, netif);
    h->listener = l == NULL || l->shares_port ? NULL : l;
    h->at = (struct weir_endpoint){tuple->local_addr, tuple->local_port, netif};
    return l;
}

bool demux_remembers(const struct weir *s, const struct listener *l)
{
    return s->heard[heard_place(l->local.port)].listener == l;
}

/* One has come, or goes. */
static void forget_listeners(struct weir *s)
{
    for (size_t i = 0; i < HEARD_PLACES; i++)
        s->heard[i].listener = NULL;
    s->accepts.handle = 0;
    flood_forget(s);
}

bool demux_add_listener(struct weir *s, struct listener *l)
{
    forget_listeners(s);
    l->hash = hash_of_port(l->local.port);
    return table_add(&s->local_ports, l->hash, pool_index(&s->listeners, l));
}

void demux_remove_listener(struct weir *s, struct listener *l)
{
    forget_listeners(s);
    CHECK(table_remove(&s->local_ports, l->hash, pool_index(&s->listeners, l)));
}
