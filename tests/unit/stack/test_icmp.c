/*
 * test_icmp.c - what the network says of packets that it did not deliver
 */
#include "lib/test.h"
#include "lib/world.h"
#include "wire/icmp4.h"
#include "wire/icmp6.h"
#include "wire/ip6.h"
#include "wire/tcp.h"
#include <string.h>

/* An ICMP error from a router about the packet in seen, of which it quotes so much. */
struct complaint {
    uint8_t type, code;
    uint32_t word;
    uint32_t seq_offset; /* added to the sequence number in the quote */
    size_t quoted;       /* 0: the usual */
};

static void complain(struct world *w, size_t i, const struct world_seen *seen,
                     struct complaint about)
{
    static struct packet p;
    struct packet_ip ip = {.src = world_endpoint(w, 9, 0), .dst = world_endpoint(w, i, 0)};
    uint8_t quote[PACKET_HEAD];
    size_t len = about.quoted != 0 ? about.quoted : seen->view.ip_len + 8;
    uint8_t *seq = quote + seen->view.ip_len + 4;
    uint32_t value = seen->view.seq + about.seq_offset;

    EXPECT(len <= seen->view.head_len);
    memcpy(quote, seen->view.head, len);
    if (seen->view.protocol == IP_PROTOCOL_TCP && len >= seen->view.ip_len + 8)
        for (int b = 0; b < 4; b++)
            seq[b] = (uint8_t)(value >> (24 - 8 * b));
    packet_make_icmp(&p, &ip, about.type, about.code, about.word, quote, len);
    world_injects(w, i, &p);
}

struct kind {
    bool is_v6;
    struct complaint about;
    int soft;    /* what an established connection is told; 0: nothing */
    int opening; /* the end of one that is being opened; 0: it goes on */
};

static const struct kind kinds[] = {
    {false, {ICMP4_UNREACHABLE, ICMP4_NET_UNREACHABLE, 0, 0, 0}, WEIR_ENETUNREACH, 0},
    {false, {ICMP4_UNREACHABLE, ICMP4_HOST_UNREACHABLE, 0, 0, 0}, WEIR_EHOSTUNREACH, 0},
    {false, {ICMP4_UNREACHABLE, ICMP4_PROTOCOL_UNREACHABLE, 0, 0, 0}, WEIR_EPROTO, WEIR_EPROTO},
    {false,
     {ICMP4_UNREACHABLE, ICMP4_PORT_UNREACHABLE, 0, 0, 0},
     WEIR_ECONNREFUSED,
     WEIR_ECONNREFUSED},
    {false, {ICMP4_UNREACHABLE, ICMP4_SOURCE_ROUTE_FAILED, 0, 0, 0}, WEIR_ENETUNREACH, 0},
    {false, {ICMP4_UNREACHABLE, ICMP4_PROHIBITED, 0, 0, 0}, WEIR_EACCES, WEIR_EACCES},
    {false, {ICMP4_TIME_EXCEEDED, 0, 0, 0, 0}, WEIR_EHOSTUNREACH, 0},
    {false, {ICMP4_PARAMETER_PROBLEM, 0, 0, 0, 0}, WEIR_EPROTO, 0},
    {false, {ICMP4_SOURCE_QUENCH, 0, 0, 0, 0}, 0, 0},
    {true, {ICMP6_UNREACHABLE, ICMP6_NO_ROUTE, 0, 0, 0}, WEIR_ENETUNREACH, 0},
    {true, {ICMP6_UNREACHABLE, ICMP6_PROHIBITED, 0, 0, 0}, WEIR_EACCES, WEIR_EACCES},
    {true, {ICMP6_UNREACHABLE, ICMP6_ADDRESS_UNREACHABLE, 0, 0, 0}, WEIR_EHOSTUNREACH, 0},
    {true,
     {ICMP6_UNREACHABLE, ICMP6_PORT_UNREACHABLE, 0, 0, 0},
     WEIR_ECONNREFUSED,
     WEIR_ECONNREFUSED},
    {true, {ICMP6_TIME_EXCEEDED, 0, 0, 0, 0}, WEIR_EHOSTUNREACH, 0},
    {true, {ICMP6_PARAMETER_PROBLEM, IP6_PROBLEM_HEADER, 0, 0, 0}, WEIR_EPROTO, 0},
    {true, {ICMP6_PARAMETER_PROBLEM, IP6_PROBLEM_NEXT_HEADER, 6, 0, 0}, WEIR_EPROTO, WEIR_EPROTO},
};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* [RFC9293 MUST-54, MUST-55, MUST-56, MUST-47, SHLD-25] */
TEST(icmp_errors_about_an_established_connection_are_told_and_end_nothing)
{
    for (size_t i = 0; i < KINDS; i++) {
        const struct kind *k = &kinds[i];
        struct world *w = world_make(&(struct world_setup){.is_v6 = k->is_v6});
        struct world_pair p = world_connect(w), other = world_connect_to(w, p.listener);
        int error;
        world_news(w, 0, p.a, NULL);
        world_news(w, 0, other.a, NULL);
        w->is_cut = true;
        world_sends(w, 0, p.a, 100);
        world_settle(w);
        complain(w, 0, world_last(w, 0), k->about);
        EXPECT_EQ(world_news(w, 0, p.a, &error), k->soft != 0 ? WEIR_EVENT_SOFT_ERROR : 0);
        EXPECT_EQ(error, k->soft);
        EXPECT_EQ(world_news(w, 0, other.a, NULL), 0);
        if (k->soft == 0)
            EXPECT_EQ(world_dropped(w, 0, "icmp_source_quench"), 1);
        EXPECT_EQ(world_state(w, 0, p.a), WEIR_TCP_ESTABLISHED);
        w->is_cut = false;
        world_run(w, 10 * WEIR_S);
        EXPECT_EQ(world_reads(w, 1, p.b), WEIR_EAGAIN);
        EXPECT_EQ(w->stacks[1].read, 100);
    }
}

TEST(icmp_errors_about_a_syn_end_it_if_nobody_speaks_tcp_there) /* [RFC9293 SHLD-26] [RFC5461] */
{
    for (size_t i = 0; i < KINDS; i++) {
        const struct kind *k = &kinds[i];
        struct world *w = world_make(&(struct world_setup){.is_v6 = k->is_v6});
        struct weir_endpoint to = world_endpoint(w, 1, WORLD_PORT);
        weir_conn_t c;
        int error;
        w->is_cut = true;
        EXPECT_EQ(weir_connect(world_stack(w, 0), NULL, &to, &c), WEIR_OK);
        world_settle(w);
        complain(w, 0, world_last(w, 0), k->about);
        if (k->opening != 0) {
            EXPECT_EQ(world_news(w, 0, c, &error), WEIR_EVENT_CLOSED);
            EXPECT_EQ(error, k->opening);
            EXPECT_EQ(world_stats(w, 0).tcp_failed_opens, 1);
        } else {
            EXPECT_EQ(world_state(w, 0, c), WEIR_TCP_SYN_SENT);
        }
    }
}

TEST(icmp_errors_are_not_told_to_who_does_not_want_them) /* [RFC9293 SHLD-20] */
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);

    world_news(w, 0, p.a, NULL);
    EXPECT_EQ(weir_set(world_stack(w, 0), p.a, WEIR_OPT_SOFT_ERRORS, 0), WEIR_OK);
    w->is_cut = true;
    world_sends(w, 0, p.a, 100);
    world_settle(w);
    complain(w, 0, world_last(w, 0), kinds[0].about);
    world_run(w, 5 * WEIR_S); /* past R1 */
    EXPECT_EQ(world_news(w, 0, p.a, NULL), 0);
}

TEST(icmp_errors_that_quote_what_is_not_under_way_are_dropped) /* [RFC5927 4.1] */
{
    static const uint32_t offsets[] = {100, 101, 1u << 31, UINT32_MAX, (uint32_t)-70000};
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);

    world_news(w, 0, p.a, NULL);
    w->is_cut = true;
    world_sends(w, 0, p.a, 100);
    world_settle(w);
    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
        struct complaint about = {ICMP4_UNREACHABLE, ICMP4_HOST_UNREACHABLE, 0, offsets[i], 0};
        complain(w, 0, world_last(w, 0), about);
        about =
            (struct complaint){ICMP4_UNREACHABLE, ICMP4_FRAGMENTATION_NEEDED, 576, offsets[i], 0};
        complain(w, 0, world_last(w, 0), about);
        EXPECT_EQ(world_dropped(w, 0, "icmp_sequence"), 2 * (i + 1));
    }
    EXPECT_EQ(world_news(w, 0, p.a, NULL), 0);

    /* All of it has been acknowledged: nothing is under way. */
    w->is_cut = false;
    world_run(w, 5 * WEIR_S);
    world_news(w, 0, p.a, NULL);
    complain(w, 0, world_nth(w, 0, TCP_PSH, TCP_PSH, 0), kinds[0].about);
    EXPECT_EQ(world_news(w, 0, p.a, NULL), 0);
    EXPECT_EQ(world_dropped(w, 0, "icmp_sequence"), 11);
}

TEST(icmp_errors_about_nobody_are_dropped) /* [RFC9293 MUST-54] */
{
    struct world *w = world_make(&(struct world_setup){0});
    struct world_pair p = world_connect(w);
    struct world_seen seen;
    struct complaint about = kinds[0].about;

    world_news(w, 0, p.a, NULL);
    w->is_cut = true;
    world_sends(w, 0, p.a, 100);
    world_settle(w);
    seen = *world_last(w, 0);
    for (size_t at = 20; at < 24; at++) { /* another port */
        struct world_seen other = seen;
        other.view.head[at] ^= 1;
        complain(w, 0, &other, about);
    }
    EXPECT_EQ(world_dropped(w, 0, "icmp_not_ours"), 4);
    for (size_t at = 12; at < 20; at++) { /* other addresses */
        struct world_seen other = seen;
        other.view.head[at] ^= 0x40;
        complain(w, 0, &other, about);
    }
    EXPECT_EQ(world_dropped(w, 0, "icmp_not_ours"), 12);
    for (size_t len = 1; len < 28; len++) { /* too little of it */
        about.quoted = len;
        complain(w, 0, &seen, about);
    }
    EXPECT_EQ(world_dropped(w, 0, "icmp_malformed"), 27);
    EXPECT_EQ(world_news(w, 0, p.a, NULL), 0);
}

static struct complaint too_big(bool is_v6, uint32_t mtu)
{
    return is_v6 ? (struct complaint){ICMP6_PACKET_TOO_BIG, 0, mtu, 0, 0}
                 : (struct complaint){ICMP4_UNREACHABLE, ICMP4_FRAGMENTATION_NEEDED, mtu, 0, 0};
}

TEST(icmp_too_big_makes_segments_smaller_and_sends_them_again) /* [RFC1191 6.4, RFC8201 5.2] */
{
    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct world *w = world_make(&(struct world_setup){.is_v6 = is_v6});
        struct world_pair p = world_connect(w);
        uint32_t mtu = is_v6 ? 1300 : 1000, first;
        struct weir_tcp_info info;
        w->is_cut = true;
        world_forgets(w);
        world_sends(w, 0, p.a, 12000);
        world_settle(w);
        EXPECT_EQ(world_nth(w, 0, 0, 0, 0)->len, 1500);
        EXPECT(is_v6 || world_nth(w, 0, 0, 0, 0)->view.dont_fragment);
        first = world_nth(w, 0, 0, 0, 0)->view.seq;
        w->is_cut = false;
        world_forgets(w);
        /* What came first is said to be too big; it goes again at once, and cut. */
        complain(w, 0, &(struct world_seen){.view = w->log[0].view}, too_big(is_v6, mtu));
        EXPECT_EQ(world_nth(w, 0, 0, 0, 0)->view.seq, first);
        world_run(w, 5 * WEIR_S);
        EXPECT_EQ(weir_tcp_info(world_stack(w, 0), p.a, &info), WEIR_OK);
        EXPECT_EQ(info.pmtu, mtu);
        for (size_t i = 0; i < w->log_count; i++)
            EXPECT(w->log[i].len <= mtu);
        EXPECT_EQ(world_reads(w, 1, p.b), WEIR_EAGAIN);
        EXPECT_EQ(w->stacks[1].read, 12000);
        EXPECT_EQ(world_count(w, 0, 0, 0) >= 12000 / mtu, 1);

        /* A new connection knows it, too; it is forgotten after ten minutes. */
        struct world_pair q = world_connect_to(w, p.listener);
        EXPECT_EQ(weir_tcp_info(world_stack(w, 0), q.a, &info), WEIR_OK);
        EXPECT_EQ(info.pmtu, mtu);
        world_run(w, 601 * WEIR_S);
        world_sends(w, 0, q.a, 1);
        world_settle(w);
        EXPECT_EQ(weir_tcp_info(world_stack(w, 0), q.a, &info), WEIR_OK);
        EXPECT_EQ(info.pmtu, 1500);
    }
}

TEST(icmp_too_big_has_a_floor_and_only_makes_smaller) /* [RFC8201 4] */
{
    static const struct {
        bool is_v6;
        uint32_t said, pmtu;
    } cases[] = {
        {false, 1, 552},     {false, 68, 552},         {false, 600, 600},    {false, 1499, 1499},
        {false, 1500, 1500}, {false, 9000, 1500},      {false, 65535, 1500}, {false, 0, 1492},
        {true, 0, 1500},     {true, 1, 1500},          {true, 1279, 1500},   {true, 1280, 1280},
        {true, 1281, 1281},  {true, UINT32_MAX, 1500},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world *w = world_make(&(struct world_setup){.is_v6 = cases[i].is_v6});
        struct world_pair p = world_connect(w);
        struct weir_tcp_info info;
        w->is_cut = true;
        world_forgets(w);
        world_sends(w, 0, p.a, 3000);
        world_pump(w);
        complain(w, 0, &w->log[0], too_big(cases[i].is_v6, cases[i].said));
        EXPECT_EQ(weir_tcp_info(world_stack(w, 0), p.a, &info), WEIR_OK);
        if (info.pmtu != cases[i].pmtu)
            FAIL("an MTU of %u became %u", cases[i].said, info.pmtu);
    }
}

TEST(icmp_errors_reach_connected_udp_endpoints_once)
{
    static const struct {
        bool is_v6;
        struct complaint about;
        int err;
    } cases[] = {
        {false, {ICMP4_UNREACHABLE, ICMP4_PORT_UNREACHABLE, 0, 0, 0}, WEIR_ECONNREFUSED},
        {false, {ICMP4_UNREACHABLE, ICMP4_HOST_UNREACHABLE, 0, 0, 0}, WEIR_EHOSTUNREACH},
        {false, {ICMP4_UNREACHABLE, ICMP4_NET_UNREACHABLE, 0, 0, 0}, WEIR_ENETUNREACH},
        {false, {ICMP4_UNREACHABLE, ICMP4_FRAGMENTATION_NEEDED, 700, 0, 0}, WEIR_EMSGSIZE},
        {true, {ICMP6_UNREACHABLE, ICMP6_PORT_UNREACHABLE, 0, 0, 0}, WEIR_ECONNREFUSED},
        {true, {ICMP6_PACKET_TOO_BIG, 0, 1280, 0, 0}, WEIR_EMSGSIZE},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int is_connected = 0; is_connected < 2; is_connected++) {
            struct world *w = world_make(&(struct world_setup){.is_v6 = cases[i].is_v6});
            struct weir *s = world_stack(w, 0);
            struct weir_endpoint local = {.port = 99}, to = world_endpoint(w, 1, 53);
            struct weir_endpoint from;
            uint8_t byte;
            weir_udp_t u;
            w->is_cut = true;
            EXPECT_EQ(weir_udp_open(s, &local, is_connected ? &to : NULL, &u), WEIR_OK);
            EXPECT_EQ(weir_udp_send(s, u, &to, "x", 1), 1);
            world_settle(w);
            complain(w, 0, world_last(w, 0), cases[i].about);
            EXPECT_EQ(world_news(w, 0, u, NULL), is_connected ? WEIR_EVENT_READABLE : 0);
            EXPECT_EQ(weir_udp_recv(s, u, &byte, 1, &from, NULL),
                      is_connected ? cases[i].err : WEIR_EAGAIN);
            EXPECT_EQ(weir_udp_recv(s, u, &byte, 1, &from, NULL), WEIR_EAGAIN);
        }
}

struct told {
    struct weir_icmp_error last;
    int count;
};

static void on_icmp(void *ctx, const struct weir_icmp_error *error)
{
    struct told *told = ctx;

    told->last = *error;
    told->count++;
}

TEST(icmp_errors_are_told_to_a_hook_with_all_that_they_say)
{
    for (size_t i = 0; i < KINDS; i++) {
        const struct kind *k = &kinds[i];
        struct world *w = world_make(&(struct world_setup){.is_v6 = k->is_v6});
        struct world_pair p = world_connect(w);
        struct weir_endpoint says = world_endpoint(w, 9, 0);
        struct told told = {.count = 0};

        EXPECT_EQ(weir_set(world_stack(w, 0), p.a, WEIR_OPT_USER, 7), WEIR_OK);
        weir_icmp_set(world_stack(w, 0), on_icmp, &told);
        w->is_cut = true;
        world_sends(w, 0, p.a, 100);
        world_settle(w);
        complain(w, 0, world_last(w, 0), k->about);
        EXPECT_EQ(told.count, k->soft != 0);
        if (k->soft == 0)
            continue;
        EXPECT_EQ(told.last.handle, p.a);
        EXPECT_EQ(told.last.user, 7);
        EXPECT_EQ(told.last.type, k->about.type);
        EXPECT_EQ(told.last.code, k->about.code);
        EXPECT_EQ(told.last.error, k->soft);
        EXPECT_EQ(told.last.to.port, WORLD_PORT);
        EXPECT(weir_addr_eq(&told.last.from, &says.addr));
    }
}

TEST(icmp_errors_tell_a_hook_of_which_datagram_they_speak)
{
    struct complaint about = {ICMP4_UNREACHABLE, ICMP4_FRAGMENTATION_NEEDED, 700, 0, 36};
    struct world *w = world_make(&(struct world_setup){0});
    struct weir *s = world_stack(w, 0);
    struct weir_endpoint local = {.port = 99}, to = world_endpoint(w, 1, 53);
    struct told told = {.count = 0};
    weir_udp_t u;

    weir_icmp_set(s, on_icmp, &told);
    w->is_cut = true;
    EXPECT_EQ(weir_udp_open(s, &local, NULL, &u), WEIR_OK);
    EXPECT_EQ(weir_udp_send(s, u, &to, "question", 8), 8);
    world_settle(w);
    complain(w, 0, world_last(w, 0), about);
    EXPECT_EQ(told.count, 1);
    EXPECT_EQ(told.last.handle, u);
    EXPECT_EQ(told.last.error, WEIR_EMSGSIZE);
    EXPECT_EQ(told.last.mtu, 700);
    EXPECT_EQ(told.last.to.port, 53);
    EXPECT_EQ(told.last.len, 8);
    weir_icmp_set(s, NULL, NULL);
    complain(w, 0, world_last(w, 0), about);
    EXPECT_EQ(told.count, 1);
}

TEST(icmp_too_big_about_a_ping_or_a_datagram_cuts_the_next_one)
{
    for (int is_ping = 0; is_ping < 2; is_ping++) {
        struct world *w = world_make(&(struct world_setup){.is_v6 = true});
        struct weir *s = world_stack(w, 0);
        static uint8_t bytes[1400];
        struct weir_endpoint to = world_endpoint(w, 1, 53);
        struct weir_ping_reply reply;
        weir_ping_t ping;
        weir_udp_t u;
        EXPECT_EQ(weir_ping_open(s, &to.addr, &ping), WEIR_OK);
        EXPECT_EQ(weir_udp_open(s, &(struct weir_endpoint){0}, NULL, &u), WEIR_OK);
        for (int round = 0; round < 2; round++) {
            world_forgets(w);
            if (is_ping)
                EXPECT_EQ(weir_ping_send(s, ping, 7, bytes, 1400), 1400);
            else
                EXPECT_EQ(weir_udp_send(s, u, &to, bytes, 1400), 1400);
            world_pump(w);
            EXPECT_EQ(w->log_count, round == 0 ? 1 : 2);
            if (round == 0)
                complain(w, 0, &w->log[0], too_big(true, 1300));
        }
        if (is_ping) {
            EXPECT_EQ(weir_ping_recv(s, ping, bytes, 1400, &reply), 0);
            EXPECT_EQ(reply.error, WEIR_EMSGSIZE);
            EXPECT_EQ(reply.sequence, 7);
        }
    }
}

TEST(icmp_errors_reach_the_pinger_whose_request_they_quote)
{
    struct world *w = world_make(&(struct world_setup){0});
    struct weir *s = world_stack(w, 0);
    struct weir_addr to = world_addr(w, 7);
    struct weir_ping_reply reply;
    weir_ping_t ping[2];
    uint8_t byte;

    for (int i = 0; i < 2; i++)
        EXPECT_EQ(weir_ping_open(s, &to, &ping[i]), WEIR_OK);
    EXPECT_EQ(weir_ping_send(s, ping[1], 4, "x", 1), 1);
    world_settle(w);
    complain(w, 0, world_last(w, 0), kinds[1].about);
    EXPECT_EQ(world_news(w, 0, ping[0], NULL), 0);
    EXPECT_EQ(world_news(w, 0, ping[1], NULL), WEIR_EVENT_READABLE);
    EXPECT_EQ(weir_ping_recv(s, ping[1], &byte, 1, &reply), 0);
    EXPECT_EQ(reply.error, WEIR_EHOSTUNREACH);
    EXPECT_EQ(reply.sequence, 4);
    EXPECT_EQ(weir_ping_recv(s, ping[1], &byte, 1, &reply), WEIR_EAGAIN);
}

TEST(a_neighbour_that_does_not_answer_is_told_as_an_unreachable_host)
{
    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct world *w =
            world_make(&(struct world_setup){.link = WEIR_LINK_ETHERNET, .is_v6 = is_v6});
        struct weir *s = world_stack(w, 0);
        struct weir_endpoint to = world_endpoint(w, 7, 80);
        uint8_t byte;
        weir_udp_t u;
        weir_conn_t c;
        int error;
        EXPECT_EQ(weir_udp_open(s, &(struct weir_endpoint){0}, &to, &u), WEIR_OK);
        EXPECT_EQ(weir_udp_send(s, u, NULL, "x", 1), 1);
        EXPECT_EQ(weir_connect(s, NULL, &to, &c), WEIR_OK);
        world_run(w, 10 * WEIR_S);
        EXPECT(world_dropped(w, 0, "neigh_failed") >= 2);
        EXPECT_EQ(weir_udp_recv(s, u, &byte, 1, NULL, NULL), WEIR_EHOSTUNREACH);
        EXPECT_EQ(world_news(w, 0, c, &error), WEIR_EVENT_SOFT_ERROR);
        EXPECT_EQ(error, WEIR_EHOSTUNREACH);
        EXPECT_EQ(world_state(w, 0, c), WEIR_TCP_SYN_SENT);
    }
}
