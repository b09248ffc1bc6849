/*
 * api_auth.c - the public functions of segments with digests: keys
 */
#include "stack/api.h"
#include "stack/stack.h"

/* Not even its SYN has been sent. */
static bool is_untouched(const struct tcp_conn *c)
{
    return c->state == TCP_SYN_SENT && seq_eq(c->snd.nxt, c->snd.iss);
}

static int add_to_conn(struct weir *s, struct tcp_conn *c, const struct weir_auth_key *key)
{
    struct weir_addr remote = ends_remote(&c->ends, &s->tcp);
    int err;

    if (c->auth == 0 && !is_untouched(c))
        return WEIR_ESTATE;
    err = auth_add(&s->tcp, &c->auth, key);
    if (err != WEIR_OK || !is_untouched(c))
        return err;
    auth_open(&s->tcp, &c->auth, &remote, c->snd.iss);
    return c->auth == 0 ? WEIR_EINVAL : WEIR_OK; /* a key for somebody else */
}

static bool is_stale(const struct weir *s, weir_handle_t handle)
{
    return handle_udp(s, handle) == NULL && handle_ping(s, handle) == NULL;
}

int api_auth_add(struct weir *s, weir_handle_t handle, const struct weir_auth_key *key)
{
    struct conn *c = handle_conn(s, handle);
    struct listener *l = handle_listener(s, handle);

    if (c != NULL)
        return add_to_conn(s, &c->tcp, key);
    if (l != NULL)
        return auth_add(&s->tcp, &l->model.auth, key);
    return is_stale(s, handle) ? WEIR_ESTALE : WEIR_ENOTSUP;
}

int api_auth_remove(struct weir *s, weir_handle_t handle, const struct weir_auth_key *key)
{
    struct conn *c = handle_conn(s, handle);
    struct listener *l = handle_listener(s, handle);

    if (c == NULL && l == NULL)
        return WEIR_ESTALE;
    return auth_remove(&s->tcp, c != NULL ? &c->tcp.auth : &l->model.auth, key);
}

int api_auth_ask(struct weir *s, weir_conn_t conn, uint8_t recv_id)
{
    struct conn *c = handle_conn(s, conn);

    return c == NULL ? WEIR_ESTALE : auth_ask(&s->tcp, c->tcp.auth, recv_id);
}

int weir_auth_info(const struct weir *s, weir_handle_t handle, struct weir_auth_info *info)
{
    const struct conn *c = handle_conn(s, handle);
    const struct listener *l = handle_listener(s, handle);

    if (c == NULL && l == NULL)
        return WEIR_ESTALE;
    return auth_info(&s->tcp, c != NULL ? c->tcp.auth : l->model.auth, info);
}
