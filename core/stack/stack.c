/*
 * stack.c - a stack's beginning and end
 */
#include "stack/stack.h"
#include "base/check.h"
#include "base/checksum.h"
#include "base/num.h"
#include "stack/api.h"
#include "stack/config.h"
#include "tcp/cookie.h"
#include "tcp/reasm.h"

/* What keys and random streams are for; nobody else derives the same ones. */
enum {
    PURPOSE_FLOWS = 0x7463,
    PURPOSE_ISN,
    PURPOSE_PORTS,
    PURPOSE_COOKIE,
    PURPOSE_FASTOPEN,
    PURPOSE_FASTOPEN_CACHE,
    PURPOSE_CHOICES,
    STREAM_TCP = 0x7463,
};

enum {
    TABLE_SEGMENT_MAX = 65536,
    TABLE_SEGMENT_MIN = 1024,
};

/* The queues of a connection that has grown to its largest fill and empty within this. */
static const size_t kept_max_bytes = (size_t)8 << 20;

/*
 * A pool keeps its last slab. Without a frame and a record of what it sends, nobody could send what
 * has used up all memory.
 */
static bool keep_slab(struct pool *pool)
{
    void *object = pool_get(pool);

    if (object != NULL)
        pool_put(pool, object);
    return object != NULL;
}

/* The pools that are nothing but pools. */
static const struct {
    const char *name;
    size_t at; /* in struct weir */
    size_t object_size;
    bool has_handles;
} plain_pools[] = {
    {"frame", offsetof(struct weir, frames), sizeof(struct frame), false},
    {"work", offsetof(struct weir, tcp.works), sizeof(struct tcp_work), false},
    {"piece", offsetof(struct weir, tcp.pieces), sizeof(struct piece), false},
    {"sent", offsetof(struct weir, tcp.sents), sizeof(struct sent), false},
    {"reassembly", offsetof(struct weir, tcp.reasms), sizeof(struct reasm), false},
    {"ends", offsetof(struct weir, tcp.wide_ends), sizeof(struct wide_ends), true},
    {"connection", offsetof(struct weir, conns), sizeof(struct conn), true},
    {"nap", offsetof(struct weir, naps), sizeof(struct alarm), true},
    {"half-open", offsetof(struct weir, halfopens), sizeof(struct halfopen), true},
    {"time-wait", offsetof(struct weir, timewaits), sizeof(struct timewait), true},
    {"listener", offsetof(struct weir, listeners), sizeof(struct listener), true},
};

enum { PLAIN_POOLS = sizeof plain_pools / sizeof plain_pools[0] };

static struct pool *plain_pool(struct weir *s, size_t i)
{
    return (struct pool *)(void *)((char *)s + plain_pools[i].at);
}

static bool init_plain_pools(struct weir *s)
{
    bool done = true;

    for (size_t i = 0; i < PLAIN_POOLS; i++) {
        bool (*init)(struct pool *, struct mem *, const char *, size_t, size_t) =
            plain_pools[i].has_handles ? pool_init_handles : pool_init;

        done = init(plain_pool(s, i), &s->mem, plain_pools[i].name, plain_pools[i].object_size,
                    s->config.slab_bytes)
               && done;
    }
    return done;
}

static bool init_pools(struct weir *s)
{
    const uint32_t sizes[BUF_CLASSES] = {s->config.buffer_small, s->config.buffer_medium,
                                         s->config.buffer_large};
    size_t slab = s->config.slab_bytes;
    size_t segment = slab < TABLE_SEGMENT_MAX ? slab : TABLE_SEGMENT_MAX;
    struct tcp_env *t = &s->tcp;

    return init_plain_pools(s) && bufs_init(&s->bufs, &s->mem, sizes, slab)
           && auths_init(&t->auth, &s->mem, slab, s->config.crypto)
           && fastopen_init(&t->fastopen, &s->mem, slab,
                            siphash_key_derive(s->config.secret, PURPOSE_FASTOPEN),
                            siphash_key_derive(s->config.secret, PURPOSE_FASTOPEN_CACHE))
           && choices_init(&t->choices, &s->mem, slab,
                           siphash_key_derive(s->config.secret, PURPOSE_CHOICES))
           && table_init(&s->flows, &s->mem, segment)
           && table_init(&s->local_ports, &s->mem, TABLE_SEGMENT_MIN);
}

static uint64_t handle_of(const struct tcp_env *env, const struct tcp_conn *c)
{
    const struct weir *s = container_of((struct tcp_env *)(uintptr_t)env, struct weir, tcp);

    return handle_of_conn(s, container_of((struct tcp_conn *)(uintptr_t)c, struct conn, tcp));
}

static void init_tcp(struct weir *s, ns_t now)
{
    const uint8_t *secret = s->config.secret;
    struct tcp_env *t = &s->tcp;

    t->now = now;
    t->config = s->config.tcp;
    t->frames = &s->frames;
    t->bufs = &s->bufs;
    t->checksum = checksum_ops_for(s->config.cpu_features);
    t->tracer = &s->tracer;
    t->handle_of = handle_of;
    t->isn_key = siphash_key_derive(secret, PURPOSE_ISN);
    t->cookie_key = siphash_key_derive(secret, PURPOSE_COOKIE);
    s->cookie_sent_at = -COOKIE_LIFE_NS;
    t->port_key = siphash_key_derive(secret, PURPOSE_PORTS);
    rng_init(&t->rng, secret, STREAM_TCP);
    s->flow_key = siphash_key_derive(secret, PURPOSE_FLOWS);
}

static int init_ip(struct weir *s, ns_t now)
{
    struct ip_setup setup = {
        .mem = &s->mem,
        .bufs = &s->bufs,
        .frames = &s->frames,
        .config = &s->config,
        .dropped = s->dropped,
        .tracer = &s->tracer,
        .wheel = &s->wheel,
        .now = now,
    };
    struct udp_setup udp_setup = {&s->mem, &s->bufs, &s->frames, &s->config};
    int err = ip_init(&s->ip, &setup);

    if (err == WEIR_OK && !(udp_init(&s->udp, &udp_setup) && ping_init(&s->pings, &udp_setup)))
        err = WEIR_EINVAL;
    return err;
}

static void init_lists(struct weir *s)
{
    for (size_t i = 0; i < READY_LISTS; i++)
        list_init(&s->ready[i]);
    list_init(&s->stranded);
    list_init(&s->timewait_list);
    list_init(&s->conn_events);
    list_init(&s->listener_events);
    list_init(&s->udp_events);
    list_init(&s->ping_events);
}

/* Lent buffers are told; the rest goes with its pool. */
static void free_conns(struct weir *s)
{
    uint32_t i = 0;

    for (struct conn *c; (c = pool_next(&s->conns, &i)) != NULL;)
        tcp_conn_fini(&c->tcp, &s->tcp);
    tcp_conn_fini(&s->model, &s->tcp);
}

static void fini_pools(struct weir *s)
{
    for (size_t i = 0; i < PLAIN_POOLS; i++)
        pool_fini(plain_pool(s, i));
    table_fini(&s->flows);
    table_fini(&s->local_ports);
    fastopen_fini(&s->tcp.fastopen);
    auths_fini(&s->tcp.auth);
    choices_fini(&s->tcp.choices);
    bufs_fini(&s->bufs);
}

/* The stack's own memory, which is all that is left. */
static void release(struct weir *s)
{
    struct mem mem = s->mem;

    mem_free(&mem, s, sizeof *s);
    mem_trim(&mem);
    CHECK(mem.used == 0);
}

/* IP first: it takes its timers out of the wheel, in which those of connections are beside them. */
static void end(struct weir *s)
{
    ip_fini(&s->ip);
    free_conns(s);
    ping_fini(&s->pings);
    udp_fini(&s->udp);
    fini_pools(s);
    release(s);
}

int weir_create(const struct weir_config *config, weir_ns_t now, struct weir **stack)
{
    struct mem mem;
    struct weir *s;
    int err;

    *stack = NULL;
    if (!config_is_valid(config))
        return WEIR_EINVAL;
    if (!config_is_offered(config))
        return WEIR_ENOTSUP;
    mem_init(&mem, &config->allocator, config->memory_limit);
    s = mem_alloc(&mem, sizeof *s, _Alignof(struct weir));
    if (s == NULL)
        return WEIR_ENOMEM;
    *s = (struct weir){.config = *config, .mem = mem};
    mem_keep_slabs(&s->mem, config->slab_bytes, size_min(kept_max_bytes, config->memory_limit / 8));
    init_lists(s);
    wheel_init(&s->wheel, now);
    init_tcp(s, now);
    err = init_pools(s) ? init_ip(s, now) : WEIR_EINVAL;
    if (err != WEIR_OK) { /* nothing has been allocated yet: init only sets up */
        release(s);
        return err;
    }
    if (!keep_slab(&s->frames) || !keep_slab(&s->tcp.sents)) {
        pool_trim(&s->frames); /* nothing else has been allocated yet */
        release(s);
        return WEIR_ENOMEM;
    }
    *stack = s;
    calls_tell_create(s, now);
    return WEIR_OK;
}

void weir_destroy(struct weir **stack)
{
    struct weir *s = *stack;

    *stack = NULL;
    if (s == NULL)
        return;
    calls_tell_destroy(s);
    end(s);
}
