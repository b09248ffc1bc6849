/*
 * auth_keys.c - the keys of listeners and connections: TCP-AO's Master Key Tuples [RFC5925 3.1], and MD5's
 *
 * Each connection with keys has a record of its own with copies of them, which moves with it from
 * half open to TIME-WAIT.
 *
 * State: the pools of env.auth and what is in them.
 */
#include "tcp/auth_keys.h"
#include "base/addr.h"
#include <string.h>
#include <weir/err.h>

bool auths_init(struct auths *a, struct mem *mem, size_t slab_bytes,
                const struct weir_crypto *crypto)
{
    a->crypto = crypto;
    return pool_init_handles(&a->auths, mem, "auth", sizeof(struct auth), slab_bytes)
           && pool_init(&a->keys, mem, "auth key", sizeof(struct auth_key), slab_bytes);
}

void auths_fini(struct auths *a)
{
    pool_fini(&a->auths);
    pool_fini(&a->keys);
}

static bool is_in(const struct weir_prefix *prefix, const struct weir_addr *addr)
{
    size_t whole = prefix->len / 8, rest = prefix->len % 8;
    uint8_t mask = (uint8_t)(0xff00 >> rest);

    if (memcmp(prefix->addr.b, addr->b, whole) != 0)
        return false;
    return rest == 0 || ((prefix->addr.b[whole] ^ addr->b[whole]) & mask) == 0;
}

static bool is_same_peer(const struct weir_prefix *a, const struct weir_prefix *b)
{
    return a->len == b->len && is_in(a, &b->addr);
}

struct auth_key *auth_key_for(struct auth *a, const struct weir_addr *peer)
{
    struct auth_key *best = NULL;

    LIST_EACH (i, &a->keys) {
        struct auth_key *k = auth_key_of(i);
        if (is_in(&k->peer, peer) && (best == NULL || k->peer.len > best->peer.len))
            best = k;
    }
    return best;
}

struct auth_key *auth_key_received(struct auth *a, const struct weir_addr *peer, uint8_t id)
{
    LIST_EACH (i, &a->keys)
        if (auth_key_of(i)->recv_id == id && is_in(&auth_key_of(i)->peer, peer))
            return auth_key_of(i);
    return NULL;
}

struct auth_key *auth_key_sent(struct auth *a, const struct weir_addr *peer, uint8_t id)
{
    LIST_EACH (i, &a->keys)
        if (auth_key_of(i)->send_id == id && is_in(&auth_key_of(i)->peer, peer))
            return auth_key_of(i);
    return NULL;
}

static bool is_valid(const struct weir_auth_key *key)
{
    return key->key != NULL && key->key_len >= 1 && key->key_len <= WEIR_AUTH_KEY_MAX
           && key->peer.len <= 128 && (unsigned)key->algorithm <= WEIR_AUTH_AO_CMAC;
}

static struct auth_key *find_same(struct auth *a, const struct weir_auth_key *key)
{
    LIST_EACH (i, &a->keys) {
        const struct auth_key *k = auth_key_of(i);
        bool has_ids =
            !auth_key_is_ao(k) || (k->send_id == key->send_id && k->recv_id == key->recv_id);
        if (k->algorithm == key->algorithm && has_ids && is_same_peer(&k->peer, &key->peer))
            return auth_key_of(i);
    }
    return NULL;
}

/* Two keys that could be meant by the same ID, or of different options [RFC5925 3.1]. */
static bool collides(struct auth *a, const struct weir_auth_key *key)
{
    LIST_EACH (i, &a->keys) {
        const struct auth_key *k = auth_key_of(i);
        bool same_ids = k->send_id == key->send_id || k->recv_id == key->recv_id;
        if (!is_same_peer(&k->peer, &key->peer))
            continue;
        if (auth_key_is_ao(k) != (key->algorithm != WEIR_AUTH_MD5)
            || (auth_key_is_ao(k) && same_ids))
            return true;
    }
    return false;
}

static void fill(struct auth_key *k, const struct weir_auth_key *key)
{
    k->peer = key->peer;
    k->algorithm = (uint8_t)key->algorithm;
    k->send_id = key->send_id;
    k->recv_id = key->recv_id;
    k->without_options = key->without_options;
    k->is_derived = false;
    k->len = (uint8_t)key->key_len;
    memcpy(k->bytes, key->key, key->key_len);
}

static uint32_t new_auth(struct tcp_env *env)
{
    struct auth *a = pool_get_zeroed(&env->auth.auths);

    if (a == NULL)
        return 0;
    list_init(&a->keys);
    return pool_index(&env->auth.auths, a) + 1;
}

static struct auth_key *new_key(struct tcp_env *env, struct auth *a)
{
    struct auth_key *k = pool_get_zeroed(&env->auth.keys);

    if (k == NULL)
        return NULL;
    list_init(&k->link);
    list_add_last(&a->keys, &k->link);
    return k;
}

/* What was secret does not stay in memory. */
static void free_key(struct tcp_env *env, struct auth_key *k)
{
    list_remove(&k->link);
    *k = (struct auth_key){0};
    pool_put(&env->auth.keys, k);
}

void auth_put(struct tcp_env *env, uint32_t *auth)
{
    struct auth *a = auth_of(env, *auth);

    *auth = 0;
    if (a == NULL)
        return;
    while (!list_is_empty(&a->keys))
        free_key(env, auth_key_of(list_first(&a->keys)));
    pool_put(&env->auth.auths, a);
}

static int add_to(struct tcp_env *env, struct auth *a, const struct weir_auth_key *key)
{
    struct auth_key *k = find_same(a, key);

    if (k != NULL && key->algorithm == WEIR_AUTH_MD5) {
        fill(k, key);
        return WEIR_OK;
    }
    if (collides(a, key))
        return WEIR_EINVAL;
    k = new_key(env, a);
    if (k == NULL)
        return WEIR_ENOMEM;
    fill(k, key);
    return WEIR_OK;
}

int auth_add(struct tcp_env *env, uint32_t *auth, const struct weir_auth_key *key)
{
    int err;

    if (!is_valid(key))
        return WEIR_EINVAL;
    if (env->auth.crypto == NULL)
        return WEIR_ENOTSUP;
    if (*auth == 0)
        *auth = new_auth(env);
    if (*auth == 0)
        return WEIR_ENOMEM;
    err = add_to(env, auth_of(env, *auth), key);
    if (list_is_empty(&auth_of(env, *auth)->keys))
        auth_put(env, auth);
    return err;
}

int auth_remove(struct tcp_env *env, uint32_t *auth, const struct weir_auth_key *key)
{
    struct auth *a = auth_of(env, *auth);
    struct auth_key *k = a == NULL ? NULL : find_same(a, key);

    if (k == NULL)
        return WEIR_EINVAL;
    if (k == a->current || k == a->next)
        return WEIR_ESTATE;
    if (k == a->seen)
        a->seen = NULL;
    free_key(env, k);
    if (list_is_empty(&a->keys))
        auth_put(env, auth);
    return WEIR_OK;
}

int auth_ask(const struct tcp_env *env, uint32_t auth, uint8_t recv_id)
{
    struct auth *a = auth_of(env, auth);

    if (a == NULL || a->current == NULL || !auth_key_is_ao(a->current))
        return WEIR_EINVAL;
    LIST_EACH (i, &a->keys)
        if (auth_key_of(i)->recv_id == recv_id) {
            a->next = auth_key_of(i);
            return WEIR_OK;
        }
    return WEIR_EINVAL;
}

int auth_info(const struct tcp_env *env, uint32_t auth, struct weir_auth_info *info)
{
    struct auth *a = auth_of(env, auth);

    if (a == NULL)
        return WEIR_ENOTCONN;
    *info = (struct weir_auth_info){
        .algorithm = (enum weir_auth)auth_key_of(list_first(&a->keys))->algorithm,
        .current = a->current == NULL ? 0 : a->current->send_id,
        .next = a->next == NULL ? 0 : a->next->recv_id,
        .last_seen = a->seen == NULL ? 0 : a->seen->recv_id,
    };
    LIST_EACH (i, &a->keys)
        info->keys++;
    return WEIR_OK;
}

bool auth_has_key_for(const struct tcp_env *env, uint32_t auth, const struct weir_addr *peer)
{
    struct auth *a = auth_of(env, auth);

    return a != NULL && auth_key_for(a, peer) != NULL;
}

uint32_t auth_copy(struct tcp_env *env, uint32_t auth, const struct weir_addr *peer)
{
    struct auth *from = auth_of(env, auth), *to;
    uint32_t copy = from == NULL ? 0 : new_auth(env);

    if (copy == 0)
        return 0;
    to = auth_of(env, copy);
    LIST_EACH (i, &from->keys) {
        struct auth_key *k;
        if (!is_in(&auth_key_of(i)->peer, peer))
            continue;
        k = new_key(env, to);
        if (k == NULL) {
            auth_put(env, &copy);
            return 0;
        }
        list_remove(&k->link);
        *k = *auth_key_of(i);
        list_init(&k->link);
        list_add_last(&to->keys, &k->link);
    }
    if (list_is_empty(&to->keys))
        auth_put(env, &copy);
    return copy;
}

void auth_open(struct tcp_env *env, uint32_t *auth, const struct weir_addr *peer, seq_t iss)
{
    struct auth *a = auth_of(env, *auth);

    if (a == NULL)
        return;
    LIST_EACH_REMOVABLE(i, &a->keys)
    if (!is_in(&auth_key_of(i)->peer, peer))
        free_key(env, auth_key_of(i));
    if (list_is_empty(&a->keys)) {
        auth_put(env, auth);
        return;
    }
    a->current = a->next = auth_key_for(a, peer);
    a->iss = iss;
    a->sent = iss.raw;
}
