/* test_auth.c - segments with digests between two stacks [RFC2385, RFC5925] */
#include "lib/fake_crypto.h"
#include "lib/test.h"
#include "lib/world.h"
#include "wire/tcp.h"
#include "wire/tcp_options.h"
#include <string.h>
#include <weir/auth.h>

static const uint8_t secret[] = "the secret of both";
static const uint8_t other[] = "another one";

static struct weir_auth_key key_of(enum weir_auth algorithm, uint8_t send_id, uint8_t recv_id)
{
    return (struct weir_auth_key){.algorithm = algorithm,
                                  .send_id = send_id,
                                  .recv_id = recv_id,
                                  .key = secret,
                                  .key_len = sizeof secret};
}

static struct world *world_with(struct world_setup setup, enum weir_syn_cookies cookies)
{
    struct weir_config config = world_config();

    config.crypto = fake_crypto();
    config.tcp.syn_cookies = cookies;
    setup.config = &config;
    return world_make(&setup);
}

static struct world *world_of(bool is_v6)
{
    return world_with((struct world_setup){.is_v6 = is_v6}, WEIR_SYN_COOKIES_ON_OVERFLOW);
}

static weir_conn_t connect_with(struct world *w, const struct weir_auth_key *key)
{
    struct weir_endpoint to = world_endpoint(w, 1, WORLD_PORT);
    weir_conn_t a;

    EXPECT_EQ(weir_connect(world_stack(w, 0), NULL, &to, &a), WEIR_OK);
    if (key != NULL)
        EXPECT_EQ(weir_auth_add(world_stack(w, 0), a, key), WEIR_OK);
    return a;
}

static weir_listener_t listen_with(struct world *w, const struct weir_auth_key *key)
{
    weir_listener_t l = world_listen(w, 1, WORLD_PORT, 5);

    if (key != NULL)
        EXPECT_EQ(weir_auth_add(world_stack(w, 1), l, key), WEIR_OK);
    return l;
}

/* Two ends with one key: 1 is the ID of what stack 0 sends, 2 of what stack 1 sends. */
static struct world_pair pair_in(struct world *w, enum weir_auth algorithm, bool without_options)
{
    struct weir_auth_key ours = key_of(algorithm, 1, 2), theirs = key_of(algorithm, 2, 1);
    struct world_pair p = {0};

    ours.without_options = theirs.without_options = without_options;
    p.listener = listen_with(w, &theirs);
    p.a = connect_with(w, &ours);
    world_settle(w);
    EXPECT_EQ(weir_accept(world_stack(w, 1), p.listener, &p.b), WEIR_OK);
    EXPECT_EQ(world_state(w, 0, p.a), WEIR_TCP_ESTABLISHED);
    EXPECT_EQ(world_state(w, 1, p.b), WEIR_TCP_ESTABLISHED);
    return p;
}

static uint64_t refused(struct world *w, size_t i)
{
    return world_dropped(w, i, "tcp_auth_missing") + world_dropped(w, i, "tcp_auth_unexpected")
           + world_dropped(w, i, "tcp_auth_key") + world_dropped(w, i, "tcp_auth_wrong");
}

static void transfer(struct world *w, const struct world_pair *p, size_t len)
{
    uint64_t before[2] = {w->stacks[0].read, w->stacks[1].read};
    uint64_t refused_before = refused(w, 0) + refused(w, 1);

    for (size_t done = 0; done < len; done += 100000) {
        world_sends(w, 0, p->a, 100000);
        world_sends(w, 1, p->b, 100000);
        world_run(w, 2 * WEIR_S);
        EXPECT_EQ(world_reads(w, 0, p->a), WEIR_EAGAIN);
        EXPECT_EQ(world_reads(w, 1, p->b), WEIR_EAGAIN);
    }
    EXPECT(w->stacks[0].read - before[0] >= len && w->stacks[1].read - before[1] >= len);
    EXPECT_EQ(refused(w, 0) + refused(w, 1), refused_before);
}

/* Everything that was sent so far has the option. */
static void expect_signed(const struct world *w, enum weir_auth algorithm)
{
    uint16_t bit = algorithm == WEIR_AUTH_MD5 ? TCP_HAS_MD5 : TCP_HAS_AO;

    for (size_t i = 0; i < w->log_count; i++)
        if (w->log[i].view.is_ip)
            EXPECT(w->log[i].view.options_present & bit);
}

TEST(auth_carries_a_connection_from_its_syn_to_time_wait) /* [RFC5925 7, RFC2385 2] */
{
    for (int n = 0; n < 12; n++) {
        enum weir_auth algorithm = (enum weir_auth)(n % 3);
        struct world *w =
            world_with((struct world_setup){.is_v6 = n & 1,
                                            .offloads = WEIR_OFFLOAD_CSUM | WEIR_OFFLOAD_TSO4
                                                        | WEIR_OFFLOAD_TSO6},
                       n >= 6 ? WEIR_SYN_COOKIES_ALWAYS : WEIR_SYN_COOKIES_ON_OVERFLOW);
        struct world_pair p = pair_in(w, algorithm, n >= 3 && n < 9);
        transfer(w, &p, 300000);
        EXPECT_EQ(weir_close(world_stack(w, 0), p.a), WEIR_OK);
        EXPECT_EQ(weir_close(world_stack(w, 1), p.b), WEIR_OK);
        world_settle(w);
        EXPECT_EQ(world_stats(w, 0).timewaits, 1);
        EXPECT_EQ(refused(w, 0) + refused(w, 1), 0);
        expect_signed(w, algorithm);
        for (size_t i = 0; i < w->log_count; i++)
            EXPECT_EQ(w->log[i].gso_size, 0); /* each segment has a digest of its own */
        world_run(w, 70 * WEIR_S);
        EXPECT_EQ(world_stats(w, 0).timewaits, 0);
    }
}

TEST(auth_works_over_a_link_that_loses_and_reorders)
{
    for (int algorithm = 0; algorithm < 3; algorithm++) {
        struct world *w = world_of(false);
        struct world_pair p = pair_in(w, (enum weir_auth)algorithm, false);
        w->conditions = (struct world_link){
            .delay_ns = WEIR_MS, .jitter_ns = WEIR_MS, .loss = 20, .duplicate = 20};
        world_sends(w, 0, p.a, 200000);
        world_run(w, 60 * WEIR_S);
        EXPECT_EQ(world_reads(w, 1, p.b), WEIR_EAGAIN);
        EXPECT_EQ(w->stacks[1].read, 200000);
        EXPECT_EQ(refused(w, 0) + refused(w, 1), 0);
    }
}

TEST(auth_goes_on_when_sequence_numbers_wrap) /* [RFC5925 6.2] */
{
    for (int algorithm = WEIR_AUTH_AO_SHA1; algorithm <= WEIR_AUTH_AO_CMAC; algorithm++) {
        struct world *w = world_of(false);
        struct world_pair p;
        weir_tcp_next_isn(world_stack(w, 0), 0xffffff00u);
        weir_tcp_next_isn(world_stack(w, 1), 0xffff0000u);
        p = pair_in(w, (enum weir_auth)algorithm, false);
        transfer(w, &p, 200000);
    }
}

struct refusal {
    int ours, theirs; /* algorithm; -1: no key */
    bool other_secret;
    uint8_t our_id;
    const char *why;
};

TEST(auth_that_is_missing_unexpected_or_wrong_is_dropped_and_not_answered)
{
    static const struct refusal rows[] = {
        {-1, WEIR_AUTH_MD5, false, 1, "tcp_auth_missing"},
        {-1, WEIR_AUTH_AO_SHA1, false, 1, "tcp_auth_missing"},
        {WEIR_AUTH_AO_SHA1, WEIR_AUTH_MD5, false, 1, "tcp_auth_missing"},
        {WEIR_AUTH_MD5, WEIR_AUTH_AO_CMAC, false, 1, "tcp_auth_missing"},
        {WEIR_AUTH_MD5, -1, false, 1, "tcp_auth_unexpected"},
        {WEIR_AUTH_AO_CMAC, -1, false, 1, "tcp_auth_unexpected"},
        {WEIR_AUTH_MD5, WEIR_AUTH_MD5, true, 1, "tcp_auth_wrong"},
        {WEIR_AUTH_AO_SHA1, WEIR_AUTH_AO_SHA1, true, 1, "tcp_auth_wrong"},
        {WEIR_AUTH_AO_CMAC, WEIR_AUTH_AO_CMAC, true, 1, "tcp_auth_wrong"},
        {WEIR_AUTH_AO_SHA1, WEIR_AUTH_AO_CMAC, false, 1, "tcp_auth_wrong"},
        {WEIR_AUTH_AO_SHA1, WEIR_AUTH_AO_SHA1, false, 7, "tcp_auth_key"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct refusal *r = &rows[i];
        struct world *w = world_of(false);
        struct weir_auth_key ours = key_of((enum weir_auth)r->ours, r->our_id, 2);
        struct weir_auth_key theirs = key_of((enum weir_auth)r->theirs, 2, 1);
        weir_conn_t a;
        if (r->other_secret) {
            ours.key = other;
            ours.key_len = sizeof other;
        }
        listen_with(w, r->theirs < 0 ? NULL : &theirs);
        a = connect_with(w, r->ours < 0 ? NULL : &ours);
        world_run(w, 4 * WEIR_S);
        EXPECT_EQ(world_state(w, 0, a), WEIR_TCP_SYN_SENT);
        EXPECT(world_dropped(w, 1, r->why) >= 2);
        EXPECT_EQ(world_count(w, 1, 0, 0), 0);
        EXPECT_EQ(world_stats(w, 1).half_open, 0);
    }
}

/* Segments made by hand, in the name of stack 0: an attacker who knows all numbers. */
static void forge(struct world *w, const struct world_pair *p, uint16_t flags, size_t len)
{
    static struct packet packet;
    static const uint8_t text[100];
    struct weir_tcp_info info;
    struct packet_ip ip = {0};

    EXPECT_EQ(weir_local(world_stack(w, 0), p->a, &ip.src), WEIR_OK);
    EXPECT_EQ(weir_local(world_stack(w, 1), p->b, &ip.dst), WEIR_OK);
    EXPECT_EQ(weir_tcp_info(world_stack(w, 1), p->b, &info), WEIR_OK);
    packet_make_tcp(
        &packet, &ip,
        &(struct packet_tcp){
            .flags = flags, .seq = info.rcv_nxt, .ack = info.snd_nxt, .text = text, .len = len});
    world_injects(w, 1, &packet);
}

TEST(auth_keeps_forged_segments_and_errors_out)
{
    static const uint16_t flags[] = {TCP_RST, TCP_RST | TCP_ACK, TCP_SYN, TCP_FIN | TCP_ACK,
                                     TCP_ACK};

    for (int algorithm = 0; algorithm < 3; algorithm++) {
        struct world *w = world_of(false);
        struct world_pair p = pair_in(w, (enum weir_auth)algorithm, false);
        const struct world_seen *last;
        static struct packet icmp;
        struct packet_ip ip = {.src = world_endpoint(w, 2, 0), .dst = world_endpoint(w, 1, 0)};
        for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
            world_forgets(w);
            forge(w, &p, flags[i], flags[i] == TCP_ACK ? 100 : 0);
            world_settle(w);
            EXPECT_EQ(w->log_count, 0); /* not a word */
            EXPECT_EQ(world_state(w, 1, p.b), WEIR_TCP_ESTABLISHED);
        }
        EXPECT_EQ(world_dropped(w, 1, "tcp_auth_missing"), 5);
        w->is_cut = true;
        world_sends(w, 1, p.b, 1);
        world_settle(w);
        last = world_last(w, 1);
        packet_make_icmp(&icmp, &ip, 3, 4, 600, last->view.head, 28); /* [RFC5925 7.8] */
        world_injects(w, 1, &icmp);
        EXPECT_EQ(world_dropped(w, 1, "icmp_auth"), 1);
        w->is_cut = false;
        world_run(w, WEIR_S);
        transfer(w, &p, 100000);
    }
}

TEST(auth_resets_are_signed_and_believed)
{
    for (int algorithm = 0; algorithm < 3; algorithm++) {
        struct world *w = world_of(true);
        struct world_pair p = pair_in(w, (enum weir_auth)algorithm, false);
        EXPECT_EQ(weir_abort(world_stack(w, 0), p.a), WEIR_OK);
        world_settle(w);
        EXPECT_EQ(world_state(w, 1, p.b), WEIR_TCP_CLOSED);
        EXPECT_EQ(refused(w, 1), 0);
        expect_signed(w, (enum weir_auth)algorithm);
    }
}

TEST(auth_half_open_and_time_wait_answer_with_digests)
{
    for (int algorithm = 0; algorithm < 3; algorithm++) {
        struct world *w = world_of(false);
        struct weir_auth_key ours = key_of((enum weir_auth)algorithm, 1, 2);
        struct weir_auth_key theirs = key_of((enum weir_auth)algorithm, 2, 1);
        struct world_pair p = {.listener = listen_with(w, &theirs)};
        world_drops(w,
                    (struct world_drop){
                        .from = 1, .flags_mask = TCP_SYN, .flags = TCP_SYN, .nth = 1, .count = 1});
        p.a = connect_with(w, &ours);
        world_run(w, 1500 * WEIR_MS); /* the SYN-ACK again */
        EXPECT_EQ(weir_accept(world_stack(w, 1), p.listener, &p.b), WEIR_OK);
        EXPECT_EQ(weir_shutdown(world_stack(w, 0), p.a), WEIR_OK);
        world_settle(w);
        world_drops(w,
                    (struct world_drop){
                        .from = 0, .flags_mask = TCP_ACK, .flags = TCP_ACK, .nth = 1, .count = 1});
        EXPECT_EQ(weir_shutdown(world_stack(w, 1), p.b), WEIR_OK);
        world_run(w, 3 * WEIR_S); /* the last acknowledgement is lost: the FIN again */
        EXPECT_EQ(world_state(w, 1, p.b), WEIR_TCP_CLOSED);
        EXPECT_EQ(refused(w, 0) + refused(w, 1), 0);
        expect_signed(w, (enum weir_auth)algorithm);
    }
}

static struct weir_auth_info info_of(struct world *w, size_t i, weir_conn_t c)
{
    struct weir_auth_info info;

    EXPECT_EQ(weir_auth_info(world_stack(w, i), c, &info), WEIR_OK);
    return info;
}

TEST(auth_keys_are_changed_while_data_flows) /* [RFC5925 6.1] */
{
    struct world *w = world_of(false);
    struct world_pair p = pair_in(w, WEIR_AUTH_AO_SHA1, false);
    struct weir_auth_key old_ours = key_of(WEIR_AUTH_AO_SHA1, 1, 2);
    struct weir_auth_key ours = key_of(WEIR_AUTH_AO_CMAC, 11, 12);
    struct weir_auth_key theirs = key_of(WEIR_AUTH_AO_CMAC, 12, 11);

    ours.key = theirs.key = other;
    ours.key_len = theirs.key_len = sizeof other;
    EXPECT_EQ(weir_auth_ask(world_stack(w, 0), p.a, 12), WEIR_EINVAL);
    EXPECT_EQ(weir_auth_add(world_stack(w, 0), p.a, &ours), WEIR_OK);
    EXPECT_EQ(weir_auth_ask(world_stack(w, 0), p.a, 12), WEIR_OK);
    transfer(w, &p, 100000); /* the peer has no such key yet, and goes on with the old one */
    EXPECT_EQ(info_of(w, 1, p.b).current, 2);
    EXPECT_EQ(weir_auth_add(world_stack(w, 1), p.b, &theirs), WEIR_OK);
    transfer(w, &p, 100000);
    EXPECT_EQ(info_of(w, 1, p.b).current, 12); /* it sends with the new one */
    EXPECT_EQ(info_of(w, 0, p.a).last_seen, 12);
    EXPECT_EQ(info_of(w, 0, p.a).current, 1); /* and we do when we are asked */
    EXPECT_EQ(weir_auth_remove(world_stack(w, 0), p.a, &old_ours), WEIR_ESTATE);
    EXPECT_EQ(weir_auth_ask(world_stack(w, 1), p.b, 11), WEIR_OK);
    transfer(w, &p, 100000);
    EXPECT_EQ(info_of(w, 0, p.a).current, 11);
    EXPECT_EQ(info_of(w, 0, p.a).next, 12);
    EXPECT_EQ(info_of(w, 1, p.b).last_seen, 11);
    EXPECT_EQ(weir_auth_remove(world_stack(w, 0), p.a, &old_ours), WEIR_OK);
    EXPECT_EQ(weir_auth_remove(world_stack(w, 0), p.a, &old_ours), WEIR_EINVAL);
    transfer(w, &p, 100000);
    EXPECT_EQ(info_of(w, 0, p.a).keys, 1);
}

TEST(auth_md5_key_is_replaced_at_once)
{
    struct world *w = world_of(false);
    struct world_pair p = pair_in(w, WEIR_AUTH_MD5, false);
    struct weir_auth_key key = key_of(WEIR_AUTH_MD5, 0, 0);

    key.key = other;
    key.key_len = sizeof other;
    EXPECT_EQ(weir_auth_add(world_stack(w, 0), p.a, &key), WEIR_OK);
    EXPECT_EQ(weir_send(world_stack(w, 0), p.a, "x", 1, 0), 1);
    world_settle(w);
    EXPECT_EQ(world_dropped(w, 1, "tcp_auth_wrong"), 1);
    EXPECT_EQ(weir_auth_add(world_stack(w, 1), p.b, &key), WEIR_OK);
    world_run(w, 2 * WEIR_S);
    EXPECT_EQ(weir_recv(world_stack(w, 1), p.b, (char[1]){0}, 1), 1);
    EXPECT_EQ(info_of(w, 0, p.a).keys, 1);
}

TEST(auth_listener_has_keys_for_each_peer_and_none_for_others)
{
    struct world *w = world_with((struct world_setup){.stacks = 3}, WEIR_SYN_COOKIES_ON_OVERFLOW);
    struct weir_auth_key theirs = key_of(WEIR_AUTH_MD5, 0, 0);
    struct weir_endpoint to = world_endpoint(w, 1, WORLD_PORT);
    weir_listener_t l;
    weir_conn_t a, c, b;

    theirs.peer = (struct weir_prefix){world_addr(w, 0), 128};
    l = listen_with(w, &theirs);
    EXPECT_EQ(weir_connect(world_stack(w, 2), NULL, &to, &c), WEIR_OK);
    world_settle(w);
    EXPECT_EQ(weir_accept(world_stack(w, 1), l, &b), WEIR_OK); /* no key for stack 2 */
    EXPECT_EQ(weir_auth_info(world_stack(w, 1), b, &(struct weir_auth_info){0}), WEIR_ENOTCONN);
    a = connect_with(w, NULL);
    world_settle(w);
    EXPECT_EQ(world_state(w, 0, a), WEIR_TCP_SYN_SENT);
    theirs.peer = (struct weir_prefix){world_addr(w, 1), 128};
    a = connect_with(w, &theirs);
    world_settle(w);
    EXPECT_EQ(weir_accept(world_stack(w, 1), l, &b), WEIR_OK);
    EXPECT_EQ(info_of(w, 1, b).keys, 1);
}

TEST(auth_keys_that_cannot_be_are_refused)
{
    struct world *w = world_of(false);
    struct world *without = world_make(&(struct world_setup){0});
    struct weir *s = world_stack(w, 1);
    weir_listener_t l = world_listen(w, 1, WORLD_PORT, 5);
    weir_listener_t plain = world_listen(without, 1, WORLD_PORT, 5);
    struct weir_auth_key key = key_of(WEIR_AUTH_AO_SHA1, 1, 2), bad;
    uint8_t bytes[WEIR_AUTH_KEY_MAX + 1] = {0};
    weir_conn_t a;
    weir_udp_t u;

    EXPECT_EQ(weir_auth_add(world_stack(without, 1), plain, &key), WEIR_ENOTSUP);
    EXPECT_EQ(weir_auth_add(s, 12345, &key), WEIR_ESTALE);
    EXPECT_EQ(weir_udp_open(s, NULL, NULL, &u), WEIR_OK);
    EXPECT_EQ(weir_auth_add(s, u, &key), WEIR_ENOTSUP);
    bad = key;
    bad.key_len = 0;
    EXPECT_EQ(weir_auth_add(s, l, &bad), WEIR_EINVAL);
    bad.key = bytes;
    bad.key_len = sizeof bytes;
    EXPECT_EQ(weir_auth_add(s, l, &bad), WEIR_EINVAL);
    bad = key;
    bad.key = NULL;
    EXPECT_EQ(weir_auth_add(s, l, &bad), WEIR_EINVAL);
    bad = key;
    bad.peer.len = 129;
    EXPECT_EQ(weir_auth_add(s, l, &bad), WEIR_EINVAL);
    bad = key;
    bad.algorithm = (enum weir_auth)3;
    EXPECT_EQ(weir_auth_add(s, l, &bad), WEIR_EINVAL);
    EXPECT_EQ(weir_auth_info(s, l, &(struct weir_auth_info){0}), WEIR_ENOTCONN);
    EXPECT_EQ(weir_auth_add(s, l, &key), WEIR_OK);
    EXPECT_EQ(weir_auth_add(s, l, &key), WEIR_EINVAL); /* the IDs are taken */
    bad = key_of(WEIR_AUTH_AO_CMAC, 1, 9);
    EXPECT_EQ(weir_auth_add(s, l, &bad), WEIR_EINVAL);
    bad = key_of(WEIR_AUTH_MD5, 0, 0); /* one or the other */
    EXPECT_EQ(weir_auth_add(s, l, &bad), WEIR_EINVAL);
    bad.peer = (struct weir_prefix){world_addr(w, 0), 128}; /* but for somebody else */
    EXPECT_EQ(weir_auth_add(s, l, &bad), WEIR_OK);
    EXPECT_EQ(weir_auth_remove(s, l, &bad), WEIR_OK);
    EXPECT_EQ(weir_auth_remove(s, l, &bad), WEIR_EINVAL);
    EXPECT_EQ(weir_auth_remove(s, l, &key), WEIR_OK);
    EXPECT_EQ(weir_auth_remove(s, 12345, &key), WEIR_ESTALE);
    EXPECT_EQ(weir_auth_ask(s, 12345, 2), WEIR_ESTALE);
    a = connect_with(w, NULL);
    bad = key;
    bad.peer = (struct weir_prefix){world_addr(w, 2), 128};
    EXPECT_EQ(weir_auth_add(world_stack(w, 0), a, &bad), WEIR_EINVAL);
    EXPECT_EQ(weir_auth_ask(world_stack(w, 0), a, 2), WEIR_EINVAL);
    world_settle(w); /* it has begun without */
    EXPECT_EQ(weir_auth_add(world_stack(w, 0), a, &key), WEIR_ESTATE);
}

TEST(auth_digests_of_odd_lengths_are_wrong)
{
    static const uint8_t options[][24] = {
        {29, 4, 1, 2}, {29, 15, 1, 2},    {29, 20, 1, 2}, {29, 3, 1},
        {29, 2},       {29, 16, 1, 2, 0}, {19, 18},       {19, 17},
    };
    struct world *w = world_of(false);
    struct weir_auth_key theirs = key_of(WEIR_AUTH_AO_SHA1, 2, 1);
    struct packet_ip ip = {.src = world_endpoint(w, 0, 999),
                           .dst = world_endpoint(w, 1, WORLD_PORT)};
    static struct packet packet;
    size_t count = sizeof options / sizeof *options;

    listen_with(w, &theirs);
    for (size_t i = 0; i < count; i++) {
        packet_make_tcp(
            &packet, &ip,
            &(struct packet_tcp){.flags = TCP_SYN, .options = options[i], .options_len = 24});
        world_injects(w, 1, &packet);
    }
    EXPECT_EQ(refused(w, 1), count);
    EXPECT_EQ(world_count(w, 1, 0, 0), 0);
}
