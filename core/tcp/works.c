/*
 * works.c - the work of busy connections, from a pool and back
 *
 * A short connection asks for its work, a small buffer for each direction and a record of what it
 * sends, and gives them all back a few packets later, as the next one asks for the same. So the works
 * of some connections that have ended wait with these for those that come. They are few, and cost little
 * of the memory there is: a stack that may have little keeps none. State: env.kept_works.
 */
#include "tcp/works.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/parts.h"
#include "base/pool.h"
#include "tcp/conn.h"
#include "tcp/reasm.h"
#include "tcp/recvq.h"
#include "tcp/sendq.h"
#include <string.h>

enum {
    KEPT_MAX = 64,
    WITH_PLACES = 2 * sizeof(struct tcp_work), /* what one costs, about */
    KEPT_SHARE = 64, /* of all memory, those that wait have less than one part */
};

/*
 * What stays as it is while the rest is cleared. Of a length that the compiler knew it would be cleared word
 * by word, where the C library has a faster way.
 */
static struct tcp_work *clear(struct tcp_work *w, size_t len)
{
    struct piece *to_send = w->sendq.spare, *to_read = w->recvq.spare;
    struct sent *record = w->scoreboard.spare;

    memset(w, 0, len);
    w->sendq.spare = to_send;
    w->recvq.spare = to_read;
    w->scoreboard.spare = record;
    return w;
}

struct tcp_work *works_get(struct tcp_env *env)
{
    struct tcp_work *w = env->kept_works;

    if (!HAS_SCALE || w == NULL)
        return pool_get_zeroed(&env->works);
    env->kept_works = w->next_kept;
    env->kept_count--;
    return clear(w, env->works.object_size);
}

void works_put(struct tcp_conn *c, struct tcp_env *env)
{
    sendq_fini(c, env);
    scoreboard_fini(c, env);
    recvq_fini(c, env);
    reasm_clear(c, env);
    list_remove(&c->work->ready);
    pool_put(&env->works, c->work);
    c->work = NULL;
}

/* Nothing is in it but places that are empty, and there is room for it among those that wait. */
static bool may_wait(const struct tcp_work *w, const struct tcp_env *env)
{
    const struct mem *mem = env->works.mem;

    return HAS_SCALE && w->sendq.pieces.head == NULL && w->recvq.pieces.head == NULL
           && w->reasm == NULL && w->scoreboard.count == 0
           && w->scoreboard.order == w->scoreboard.few && env->kept_count < KEPT_MAX
           && (size_t)(env->kept_count + 1) * WITH_PLACES < mem->limit / KEPT_SHARE
           && !mem_is_tight(mem);
}

/* A driver may still have what stood in it. */
static void make_empty(struct piece **spare, struct tcp_env *env)
{
    if (*spare != NULL && !piece_empty(*spare))
        piece_put(&env->pieces, env->bufs, spare);
}

void works_put_last(struct tcp_conn *c, struct tcp_env *env)
{
    struct tcp_work *w = c->work;

    if (!may_wait(w, env)) {
        works_put(c, env);
        return;
    }
    make_empty(&w->sendq.spare, env);
    make_empty(&w->recvq.spare, env);
    list_remove(&w->ready);
    w->next_kept = env->kept_works;
    env->kept_works = w;
    env->kept_count++;
    c->work = NULL;
}

static void put_kept(struct tcp_work *w, struct tcp_env *env)
{
    if (w->sendq.spare != NULL)
        piece_put(&env->pieces, env->bufs, &w->sendq.spare);
    if (w->recvq.spare != NULL)
        piece_put(&env->pieces, env->bufs, &w->recvq.spare);
    if (w->scoreboard.spare != NULL)
        pool_put(&env->sents, w->scoreboard.spare);
    pool_put(&env->works, w);
}

void works_trim(struct tcp_env *env)
{
    for (struct tcp_work *w; (w = env->kept_works) != NULL;) {
        env->kept_works = w->next_kept;
        put_kept(w, env);
    }
    env->kept_count = 0;
}
