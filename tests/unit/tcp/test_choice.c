/* test_choice.c - options that connections share */
#include "lib/tcp_world.h"
#include "lib/test.h"
#include "tcp/choice.h"
#include "tcp/user.h"

static void set(struct tcp_world *w, int i, enum weir_opt opt, int64_t value)
{
    EXPECT_EQ(tcp_set(&w->conns[i], &w->env, opt, value), WEIR_OK);
}

TEST(choice_connections_with_the_same_options_share_them)
{
    struct tcp_world *w = tcp_world_make();

    EXPECT(w->conns[0].user == w->conns[1].user);
    set(w, 0, WEIR_OPT_NODELAY, 1);
    EXPECT(w->conns[0].user != w->conns[1].user);
    EXPECT(w->conns[0].user->nodelay && !w->conns[1].user->nodelay);
    set(w, 1, WEIR_OPT_NODELAY, 1);
    EXPECT(w->conns[0].user == w->conns[1].user);
    EXPECT_EQ(w->env.choices.others.used, 1);
    tcp_world_end(w);
}

TEST(choice_a_set_that_nobody_has_any_more_is_given_back)
{
    struct tcp_world *w = tcp_world_make();
    const struct tcp_user *first = w->conns[0].user;

    set(w, 0, WEIR_OPT_TTL, 7);
    set(w, 0, WEIR_OPT_TOS, 8);
    EXPECT_EQ(w->env.choices.others.used, 1);
    set(w, 0, WEIR_OPT_TTL, 8);
    EXPECT_EQ(w->env.choices.others.used, 1);
    EXPECT(w->conns[1].user == first);
    tcp_world_end(w); /* looks for what is left */
}

TEST(choice_the_first_record_serves_others_when_nobody_has_it)
{
    struct tcp_world *w = tcp_world_make();

    for (int i = 0; i < TCP_WORLD_CONNS; i++)
        set(w, i, WEIR_OPT_TTL, 7);
    EXPECT_EQ(w->env.choices.first.owners, 0);
    set(w, 0, WEIR_OPT_TTL, 9);
    EXPECT(w->conns[0].user == &w->env.choices.first.user);
    EXPECT_EQ(w->conns[0].user->ttl, 9);
    EXPECT_EQ(w->conns[1].user->ttl, 7);
    tcp_world_end(w);
}

TEST(choice_without_memory_an_option_stays_what_it_was)
{
    struct tcp_world *w = tcp_world_make();
    int64_t value;

    w->alloc.fail_at = w->alloc.calls + 1;
    w->alloc.fails_from_then = true;
    EXPECT_EQ(tcp_set(&w->conns[0], &w->env, WEIR_OPT_TTL, 7), WEIR_ENOMEM);
    EXPECT_EQ(tcp_get(&w->conns[0], WEIR_OPT_TTL, &value), WEIR_OK);
    EXPECT_EQ(value, 0);
    EXPECT(w->conns[0].user == w->conns[1].user);
    tcp_world_end(w);
}
