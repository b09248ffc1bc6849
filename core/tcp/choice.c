/*
 * choice.c - what the application has chosen, kept once for all connections that have the same
 *
 * Records are compared byte by byte, so they are made of cleared memory and copied whole. The
 * hash is keyed because a peer can have a say in a user timeout [RFC5482].
 */
#include "tcp/choice.h"
#include "base/check.h"
#include "base/list.h"
#include "base/ns.h"
#include "base/parts.h"
#include "tcp/env.h"
#include <string.h>

_Static_assert(sizeof(struct tcp_user) <= 40, "a record is a cache line with what the pool adds");

bool choices_init(struct choices *all, struct mem *mem, size_t slab_bytes, struct siphash_key key)
{
    enum { segment_bytes = 1024 };

    memset(&all->first, 0, sizeof all->first);
    all->key = key;
    return pool_init_handles(&all->others, mem, "options", sizeof(struct choice), slab_bytes)
           && table_init(&all->table, mem, segment_bytes);
}

void choices_fini(struct choices *all)
{
    pool_fini(&all->others);
    table_fini(&all->table);
}

static uint32_t ms_of(ns_t duration_ns)
{
    ns_t ms = ns_div_ceil(duration_ns, NS_MS);

    return ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}

static uint8_t u8_of(uint32_t count)
{
    return count > UINT8_MAX ? UINT8_MAX : (uint8_t)count;
}

void choice_init(struct tcp_user *user, const struct tcp_env *env)
{
    const struct weir_tcp_config *config = &env->config;

    memset(user, 0, sizeof *user);
    user->keepalive_idle_ms = ms_of(config->keepalive_idle_ns);
    user->keepalive_interval_ms = ms_of(config->keepalive_interval_ns);
    user->keepalive_probes = u8_of(config->keepalive_probes);
    user->syn_retries = u8_of(config->syn_retries);
    user->send_buffer_bytes = config->send_buffer_bytes;
    user->recv_buffer_bytes = config->recv_buffer_bytes;
    user->nodelay = !config->nagle;
    user->soft_errors = true;
}

/* Two sets of options, which have zeros between their members. */
static bool is_same(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct tcp_user)) == 0;
}

static uint32_t hash_of(const struct choices *all, const struct tcp_user *user)
{
    return HAS_SCALE ? (uint32_t)siphash13(all->key, user, sizeof *user) : 0;
}

static struct choice *find(struct choices *all, const struct tcp_user *user)
{
    struct table_iter it = table_find(&all->table, hash_of(all, user));

    for (uint32_t ref; table_next(&it, &ref);) {
        struct choice *choice = pool_at(&all->others, ref);
        if (is_same(&choice->user, user))
            return choice;
    }
    return NULL;
}

/* One that nobody owns yet. NULL: no memory. */
static struct choice *add(struct choices *all, const struct tcp_user *user)
{
    struct choice *choice = all->first.owners == 0 ? &all->first : pool_get(&all->others);

    if (choice == NULL)
        return NULL;
    memcpy(&choice->user, user, sizeof *user);
    choice->owners = 0;
    if (choice != &all->first
        && !table_add(&all->table, hash_of(all, user), pool_index(&all->others, choice))) {
        pool_put(&all->others, choice);
        return NULL;
    }
    return choice;
}

const struct tcp_user *choice_get(struct tcp_env *env, const struct tcp_user *user)
{
    struct choices *all = &env->choices;
    struct choice *choice = is_same(&all->first.user, user) ? &all->first : find(all, user);

    if (choice == NULL)
        choice = add(all, user);
    if (choice == NULL)
        return NULL;
    choice->owners++;
    return &choice->user;
}

static struct choice *choice_of(const struct tcp_user *user)
{
    return container_of((struct tcp_user *)(uintptr_t)user, struct choice, user);
}

const struct tcp_user *choice_ref(const struct tcp_user *user)
{
    choice_of(user)->owners++;
    return user;
}

void choice_put(struct tcp_env *env, const struct tcp_user **user)
{
    struct choices *all = &env->choices;
    struct choice *choice = *user == NULL ? NULL : choice_of(*user);

    *user = NULL;
    if (choice == NULL)
        return;
    CHECK(choice->owners > 0);
    if (--choice->owners > 0 || choice == &all->first)
        return;
    table_remove(&all->table, hash_of(all, &choice->user), pool_index(&all->others, choice));
    pool_put(&all->others, choice);
}

bool choice_change(struct tcp_env *env, const struct tcp_user **user, const struct tcp_user *to)
{
    const struct tcp_user *changed = choice_get(env, to);

    if (changed == NULL)
        return false;
    choice_put(env, user);
    *user = changed;
    return true;
}
