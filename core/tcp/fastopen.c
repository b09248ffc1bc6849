/*
 * fastopen.c - TCP Fast Open: data in the SYN [RFC7413]
 *
 * The server's cookie is a keyed hash of both addresses, so that it remembers nothing; the last
 * key stays good for a while. A SYN with a good cookie makes a connection at once, which the
 * application may read from and write to before the handshake is complete.
 *
 * The client keeps cookies and MSS of the servers it has met, a bounded number, oldest out
 * first. A SYN goes with a cookie and data, or asks for a cookie: a server that has not answered
 * the first time is asked once in the form from before the option had a number. What the SYN-ACK
 * does not acknowledge is sent again as if it had never been; a SYN that is sent again has neither
 * data nor option. Where SYNs with data are lost twice in a row they are not tried for two minutes,
 * then four, and so on [RFC7413 4.1.3]. A network that swallows what follows, so that a connection
 * opened like this never hears a byte, is told by two timeouts: then nobody tries for an hour, the
 * next time for two, up to 64.
 *
 * Where both ends know what is between them, either may do without cookies [RFC7413 4.1.2 not: it
 * is off unless it is asked for].
 *
 * State: conn.fastopen, env.fastopen.
 */
#include "tcp/fastopen.h"
#include "base/addr.h"
#include "base/num.h"
#include "tcp/conn.h"
#include "tcp/input.h"
#include "tcp/options.h"
#include "tcp/recovery.h"
#include "tcp/seg.h"
#include "tcp/sendq.h"
#include "tcp/timers.h"
#include "wire/tcp.h"
#include "wire/tcp_options.h"
#include <string.h>

enum {
    TABLE_SEGMENT = 1024,
    LOSSES_MAX = 8, /* more doublings do not matter */
    OFF_DOUBLINGS_MAX = 6,
    TIMEOUTS_UNTIL_OFF = 2,
};

#define AFTER_LOSSES_NS (60 * NS_S)

bool fastopen_init(struct fastopen *f, struct mem *mem, size_t slab_bytes, struct siphash_key key,
                   struct siphash_key cache_key)
{
    *f = (struct fastopen){.keys.key = key, .cache_key = cache_key};
    list_init(&f->all);
    return pool_init_handles(&f->entries, mem, "fast open", sizeof(struct fastopen_entry),
                             slab_bytes)
           && table_init(&f->table, mem, TABLE_SEGMENT);
}

void fastopen_fini(struct fastopen *f)
{
    table_fini(&f->table);
    pool_fini(&f->entries);
}

/* ---- the server ---- */

void fastopen_set_key(struct fastopen *f, struct siphash_key key)
{
    f->keys = (struct fastopen_keys){key, f->keys.key, true};
}

/*
 * Of both addresses: a client that has several of ours needs several cookies [RFC7413 4.1.2].
 * As Linux makes them, so that servers of both kinds can share an address and a key.
 */
static void make_cookie(struct siphash_key key, const struct tcp_tuple *tuple,
                        uint8_t cookie[FASTOPEN_COOKIE_LEN])
{
    size_t len = addr_is_v4(&tuple->remote_addr) ? 4 : 16;
    uint8_t bytes[32];
    uint64_t hash;

    memcpy(bytes, tuple->remote_addr.b + 16 - len, len);
    memcpy(bytes + len, tuple->local_addr.b + 16 - len, len);
    hash = siphash24(key, bytes, 2 * len);
    for (int i = 0; i < FASTOPEN_COOKIE_LEN; i++)
        cookie[i] = (uint8_t)(hash >> 8 * i);
}

/* The time it takes tells nothing about how much is right. */
static bool is_cookie(struct siphash_key key, const struct tcp_tuple *tuple, struct span cookie)
{
    uint8_t good[FASTOPEN_COOKIE_LEN];
    uint8_t difference = 0;

    if (cookie.len != FASTOPEN_COOKIE_LEN)
        return false;
    make_cookie(key, tuple, good);
    for (size_t i = 0; i < FASTOPEN_COOKIE_LEN; i++)
        difference |= good[i] ^ cookie.bytes[i];
    return difference == 0;
}

static const struct fastopen_keys *keys_of(const struct tcp_env *env,
                                           const struct fastopen_keys *own)
{
    return own != NULL ? own : &env->fastopen.keys;
}

enum fastopen_ask fastopen_check(const struct tcp_env *env, const struct fastopen_keys *keys,
                                 const struct tcp_tuple *tuple, const struct tcp_user *user,
                                 const struct tcp_seg *syn)
{
    const struct fastopen_keys *k = keys_of(env, keys);
    bool has_option = (syn->opt.present & TCP_HAS_FASTOPEN) != 0;
    bool is_free = user->fastopen_no_cookie || env->config.fastopen_takes_no_cookie;

    if (is_free && (has_option || syn->len > 0))
        return FASTOPEN_GOOD;
    if (!has_option)
        return FASTOPEN_NO;
    if (is_cookie(k->key, tuple, syn->opt.fastopen))
        return FASTOPEN_GOOD;
    if (k->has_before && is_cookie(k->before, tuple, syn->opt.fastopen))
        return FASTOPEN_GOOD_STILL;
    return FASTOPEN_REQUEST;
}

void fastopen_make_cookie(const struct tcp_env *env, const struct fastopen_keys *keys,
                          const struct tcp_tuple *tuple, uint8_t cookie[FASTOPEN_COOKIE_LEN])
{
    make_cookie(keys_of(env, keys)->key, tuple, cookie);
}

void fastopen_give(const uint8_t cookie[FASTOPEN_COOKIE_LEN], bool is_experimental,
                   struct tcp_options *options)
{
    options->present |= TCP_HAS_FASTOPEN;
    options->fastopen = span_of(cookie, FASTOPEN_COOKIE_LEN);
    options->fastopen_is_experimental = is_experimental;
    if (tcp_options_len(options) > TCP_OPTIONS_MAX)
        options->present &= (uint16_t)~TCP_HAS_FASTOPEN;
}

void fastopen_renew(struct tcp_conn *c, const uint8_t cookie[FASTOPEN_COOKIE_LEN],
                    bool is_experimental)
{
    c->work->renewed.is_given = true;
    c->work->renewed.is_experimental = is_experimental;
    memcpy(c->work->renewed.cookie, cookie, FASTOPEN_COOKIE_LEN);
}

void fastopen_begin(struct tcp_conn *c, struct tcp_env *env, struct tcp_seg *syn)
{
    c->snd.nxt = c->snd.iss;
    c->fastopen = syn->len > 0 ? WEIR_FASTOPEN_ACCEPTED : WEIR_FASTOPEN_OPENED;
    recovery_init(c, env); /* text may be sent before the handshake is complete */
    timers_on_sent(c, env, true);
    recovery_on_syn(c);
    tcp_take_syn_text(c, env, syn);
}

/* ---- what the client knows ---- */

static uint32_t hash_of(const struct fastopen *f, const struct weir_addr *addr)
{
    return (uint32_t)siphash13(f->cache_key, addr->b, sizeof addr->b);
}

static struct fastopen_entry *find(const struct fastopen *f, const struct weir_addr *addr)
{
    struct table_iter it = table_find(&f->table, hash_of(f, addr));

    for (uint32_t ref; table_next(&it, &ref);) {
        struct fastopen_entry *e = pool_at(&f->entries, ref);
        if (addr_eq(&e->addr, addr))
            return e;
    }
    return NULL;
}

static void forget(struct fastopen *f, struct fastopen_entry *e)
{
    list_remove(&e->link);
    table_remove(&f->table, hash_of(f, &e->addr), pool_index(&f->entries, e));
    pool_put(&f->entries, e);
}

/* NULL: no memory, or nothing is to be remembered. */
static struct fastopen_entry *add(struct tcp_env *env, const struct weir_addr *addr)
{
    struct fastopen *f = &env->fastopen;
    struct fastopen_entry *e;

    if (env->config.fastopen_servers == 0)
        return NULL;
    if (f->entries.used >= env->config.fastopen_servers)
        forget(f, container_of(list_first(&f->all), struct fastopen_entry, link));
    e = pool_get_zeroed(&f->entries);
    if (e == NULL)
        return NULL;
    e->addr = *addr;
    if (!table_add(&f->table, hash_of(f, addr), pool_index(&f->entries, e))) {
        pool_put(&f->entries, e);
        return NULL;
    }
    list_init(&e->link);
    list_add_last(&f->all, &e->link);
    return e;
}

void fastopen_trim(struct fastopen *f, uint32_t servers)
{
    while (f->entries.used > servers)
        forget(f, container_of(list_first(&f->all), struct fastopen_entry, link));
}

/* ---- the client ---- */

static bool is_lossy(const struct fastopen_entry *e, ns_t now)
{
    return e->losses > 1 && now < ns_after(e->lost_at, AFTER_LOSSES_NS << (e->losses - 1));
}

static bool needs_cookie(const struct tcp_conn *c, const struct tcp_env *env)
{
    return !c->user->fastopen_no_cookie && !env->config.fastopen_sends_no_cookie;
}

/* May this SYN try it, to this server (NULL: nobody knows it)? Only the first of its connection. */
static bool may_try(const struct tcp_conn *c, const struct tcp_env *env,
                    const struct fastopen_entry *e)
{
    return c->user->fastopen && c->auth == 0 && c->state == TCP_SYN_SENT
           && seq_eq(c->snd.nxt, c->snd.iss) && env->now >= env->fastopen.off_until_at
           && !(e != NULL && is_lossy(e, env->now));
}

static struct fastopen_entry *server_of(const struct tcp_conn *c, const struct tcp_env *env)
{
    struct weir_addr remote;

    if (!c->user->fastopen)
        return NULL;
    remote = ends_remote(&c->ends, env);
    return find(&env->fastopen, &remote);
}

uint32_t fastopen_syn_room(const struct tcp_conn *c, const struct tcp_env *env)
{
    const struct fastopen_entry *e = server_of(c, env);
    uint32_t room = c->agreed.rcv_mss; /* what the path allows, and the application */

    if (!may_try(c, env, e) || (needs_cookie(c, env) && (e == NULL || e->cookie_len == 0)))
        return 0;
    if (e != NULL)
        room = u32_min(e->mss, room);
    return room > TCP_OPTIONS_MAX ? room - TCP_OPTIONS_MAX : 0;
}

uint32_t fastopen_syn_len(const struct tcp_conn *c, const struct tcp_env *env)
{
    uint32_t room = fastopen_syn_room(c, env);

    return room == 0 ? 0 : u32_min(room, c->work->sendq.bytes);
}

/* A request in the old form, for a server that has not understood the new one. */
static bool is_second_form(const struct fastopen_entry *e)
{
    return e->cookie_len == 0 && e->ignored == FASTOPEN_IGNORED_ONCE;
}

void fastopen_offer(const struct tcp_conn *c, const struct tcp_env *env,
                    struct tcp_options *options)
{
    const struct fastopen_entry *e = server_of(c, env);

    if (c->work->renewed.is_given) {
        fastopen_give(c->work->renewed.cookie, c->work->renewed.is_experimental, options);
        return;
    }
    if (!may_try(c, env, e) || !needs_cookie(c, env))
        return;
    options->present |= TCP_HAS_FASTOPEN;
    options->fastopen = e == NULL ? span_none() : span_of(e->cookie, e->cookie_len);
    options->fastopen_is_experimental = e != NULL && (e->is_experimental || is_second_form(e));
    if (tcp_options_len(options) > TCP_OPTIONS_MAX)
        options->present &= (uint16_t)~TCP_HAS_FASTOPEN;
}

void fastopen_on_syn_sent(struct tcp_conn *c, uint32_t len)
{
    if (c->fastopen == WEIR_FASTOPEN_NONE && c->user->fastopen)
        c->fastopen = len > 0 ? WEIR_FASTOPEN_SENT : WEIR_FASTOPEN_ASKED;
}

/* What was sent with the SYN and did not arrive has not been sent: it follows at once. */
static void take_back(struct tcp_conn *c, seq_t acked)
{
    struct tcp_work *w = c->work;

    c->snd.nxt = acked;
    w->is_syn_text_next = true;
    if (w->small_sent && seq_gt(w->small_end, acked))
        w->small_sent = false;
}

/* What a SYN-ACK says: cookies that were not asked for are not taken. */
static void remember(const struct tcp_conn *c, const struct tcp_env *env, struct fastopen_entry *e,
                     const struct tcp_options *o)
{
    bool has_cookie = (o->present & TCP_HAS_FASTOPEN) && o->fastopen.len > 0;

    e->mss = options_mss_of(o, ends_are_v4(&c->ends));
    if (has_cookie && needs_cookie(c, env)) {
        e->is_experimental = o->fastopen_is_experimental;
        e->cookie_len = (uint8_t)o->fastopen.len;
        memcpy(e->cookie, o->fastopen.bytes, o->fastopen.len);
    } else if (c->fastopen == WEIR_FASTOPEN_ASKED && c->retransmits == 0 && needs_cookie(c, env)) {
        e->ignored = is_second_form(e) || e->ignored == FASTOPEN_IGNORED_TWICE
                         ? FASTOPEN_IGNORED_TWICE
                         : FASTOPEN_IGNORED_ONCE;
    }
}

/* A SYN with data got through, or only the one without it that was sent after it. */
static void note_result(struct tcp_conn *c, const struct tcp_env *env, struct fastopen_entry *e,
                        seq_t acked)
{
    seq_t text = seq_add(c->snd.iss, 1);
    bool was_lost = c->fastopen == WEIR_FASTOPEN_LOST;

    if (seq_geq(acked, c->snd.nxt))
        c->fastopen = WEIR_FASTOPEN_TAKEN;
    else if (!was_lost)
        c->fastopen = WEIR_FASTOPEN_REFUSED;
    if (e == NULL)
        return;
    if (seq_gt(acked, text) || !was_lost) {
        e->losses = 0;
        return;
    }
    e->losses = (uint8_t)u32_min(e->losses + 1u, LOSSES_MAX);
    e->lost_at = env->now;
}

/* What the peer has to say of the SYN's data, in the segment that completes the handshake. */
void fastopen_on_acked(struct tcp_conn *c, struct tcp_env *env, seq_t acked)
{
    if (!seq_gt(c->snd.nxt, seq_add(c->snd.iss, 1)))
        return;
    note_result(c, env, server_of(c, env), acked);
    if (seq_lt(acked, c->snd.nxt))
        take_back(c, acked);
}

void fastopen_on_synack(struct tcp_conn *c, struct tcp_env *env, const struct tcp_seg *seg)
{
    struct fastopen_entry *e = server_of(c, env);

    if (c->fastopen == WEIR_FASTOPEN_NONE)
        return;
    if (e == NULL) {
        struct weir_addr remote = ends_remote(&c->ends, env);
        e = add(env, &remote);
    }
    if (e != NULL) {
        remember(c, env, e, &seg->opt);
        list_remove(&e->link);
        list_add_last(&env->fastopen.all, &e->link);
    }
    fastopen_on_acked(c, env, seg->ack);
}

/* It would not fit into the path: the SYN goes again, alone. */
void fastopen_on_too_big(struct tcp_conn *c)
{
    if (c->fastopen != WEIR_FASTOPEN_SENT)
        return;
    c->fastopen = WEIR_FASTOPEN_LOST;
    recovery_on_syn(c);
}

/* Nothing has come since: if that goes on, what was opened with data has no way through. */
static void note_silence(struct tcp_conn *c, struct tcp_env *env)
{
    struct fastopen *f = &env->fastopen;

    if (c->bytes_received > 0 || c->work->unanswered != TIMEOUTS_UNTIL_OFF
        || env->config.fastopen_off_ns == 0)
        return;
    f->off_until_at =
        ns_after(env->now, env->config.fastopen_off_ns << u32_min(f->off_count, OFF_DOUBLINGS_MAX));
    f->off_count++;
}

void fastopen_on_timeout(struct tcp_conn *c, struct tcp_env *env)
{
    if (c->state == TCP_SYN_SENT && c->fastopen == WEIR_FASTOPEN_SENT)
        c->fastopen = WEIR_FASTOPEN_LOST;
    else if (tcp_is_synchronized(c) && c->fastopen == WEIR_FASTOPEN_TAKEN)
        note_silence(c, env);
}
