/*
 * test_ping.c - echo requests, replies and errors
 */
#include "unit/udp/store.h"

#include "base/checksum.h"
#include "udp/ping.h"
#include "wire/icmp4.h"
#include "wire/icmp6.h"
#include "wire/ip.h"
#include <stdlib.h>
#include <string.h>
#include <weir/err.h>

struct fixture {
    struct store *store;
    struct pings pings;
};

static struct fixture *setup(void)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct udp_setup s;

    EXPECT(f != NULL);
    f->store = store_new();
    s = store_setup(f->store);
    EXPECT(ping_init(&f->pings, &s));
    return f;
}

static void teardown(struct fixture *f)
{
    ping_fini(&f->pings);
    store_free(&f->store);
    free(f);
}

static struct weir_addr addr(const char *text)
{
    struct weir_addr a;

    EXPECT_EQ(weir_addr_parse(text, &a), WEIR_OK);
    return a;
}

static struct ping *open_to(struct fixture *f, const char *local, const char *remote)
{
    struct weir_addr l = addr(local), r = addr(remote);
    struct ping *p = NULL;

    EXPECT_EQ(ping_open(&f->pings, &l, &r, &p), WEIR_OK);
    return p;
}

TEST(ping_request_is_well_formed) /* [RFC792] [RFC4443 4.1] */
{
    static const size_t lens[] = {0, 1, 56, 64, 65, 1001, 40000, PING_PAYLOAD_MAX};
    struct fixture *f = setup();

    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        struct ping *p4 = open_to(f, "10.0.0.1", "10.0.0.2");
        struct ping *p6 = open_to(f, "2001:db8::1", "2001:db8::2");
        struct frame *frame;
        struct weir_slice s;
        struct icmp_message m4;
        struct icmp_message m6;

        EXPECT_EQ(ping_output(&f->pings, p4, 7, pattern(lens[i]), lens[i], &frame), WEIR_OK);
        s = flatten(f->store, &frame);
        EXPECT_EQ(icmp_parse(span_of(s.bytes, s.len), s.len, &m4), WHY_NONE);
        EXPECT_EQ(m4.type, ICMP4_ECHO_REQUEST);
        EXPECT_EQ(icmp_echo_id(&m4), p4->id);
        EXPECT_EQ(icmp_echo_seq(&m4), 7);
        EXPECT_EQ(m4.body.len, lens[i]);
        EXPECT(checksum_is_good(checksum_add(0, s.bytes, s.len)));

        EXPECT_EQ(ping_output(&f->pings, p6, 8, pattern(lens[i]), lens[i], &frame), WEIR_OK);
        s = flatten(f->store, &frame);
        EXPECT_EQ(icmp_parse(span_of(s.bytes, s.len), s.len, &m6), WHY_NONE);
        EXPECT_EQ(m6.type, ICMP6_ECHO_REQUEST);
        EXPECT_EQ(icmp_echo_id(&m6), p6->id);
        EXPECT(checksum_is_good(checksum_add(
            checksum_pseudo(&p6->local, &p6->remote, IP_PROTOCOL_ICMP6, s.len), s.bytes, s.len)));
        ping_close(&f->pings, &p4);
        ping_close(&f->pings, &p6);
    }
    teardown(f);
}

TEST(ping_too_long_is_refused)
{
    struct fixture *f = setup();
    struct ping *p = open_to(f, "10.0.0.1", "10.0.0.2");
    struct frame *frame = NULL;

    EXPECT_EQ(
        ping_output(&f->pings, p, 1, pattern(PING_PAYLOAD_MAX + 1), PING_PAYLOAD_MAX + 1, &frame),
        WEIR_EMSGSIZE);
    EXPECT(frame == NULL);
    teardown(f);
}

TEST(ping_replies_find_their_pinger)
{
    struct fixture *f = setup();
    struct ping *a = open_to(f, "10.0.0.1", "10.0.0.2"), *b = open_to(f, "10.0.0.1", "10.0.0.2");
    struct ping *c = open_to(f, "10.0.0.1", "10.0.0.3");
    struct weir_ping_reply reply = {.sequence = 5, .ttl = 63, .received_at = 77}, told;
    struct weir_slice payload = {pattern(20), 20};
    uint8_t bytes[30];

    EXPECT(a->id != b->id);
    EXPECT(ping_find(&f->pings, &a->remote, a->id) == a);
    EXPECT(ping_find(&f->pings, &a->remote, b->id) == b);
    EXPECT(ping_find(&f->pings, &c->remote, c->id) == c);
    EXPECT(ping_find(&f->pings, &c->remote, (uint16_t)(c->id + 1)) == NULL);

    EXPECT_EQ(ping_input(&f->pings, a, &reply, &payload, 1), WHY_NONE);
    EXPECT(ping_is_readable(a) && !ping_is_readable(b));
    EXPECT_EQ(ping_recv(&f->pings, a, bytes, sizeof bytes, &told), 20);
    EXPECT_MEM(bytes, pattern(20), 20);
    EXPECT_EQ(told.sequence, 5);
    EXPECT_EQ(told.ttl, 63);
    EXPECT_EQ(told.received_at, 77);
    EXPECT_EQ(told.error, 0);
    EXPECT_EQ(ping_recv(&f->pings, a, bytes, sizeof bytes, &told), WEIR_EAGAIN);
    teardown(f);
}

TEST(ping_errors_find_their_pinger)
{
    struct fixture *f = setup();
    struct ping *p = open_to(f, "10.0.0.1", "10.0.0.2"), *found;
    struct weir_ping_reply reply = {.error = WEIR_EHOSTUNREACH}, told;
    struct frame *frame;
    struct weir_slice s;

    EXPECT_EQ(ping_output(&f->pings, p, 9, pattern(50), 50, &frame), WEIR_OK);
    s = flatten(f->store, &frame);
    EXPECT(ping_on_error(&f->pings, &p->remote, s.bytes, 8, &reply, &found));
    EXPECT(found == p);
    EXPECT_EQ(ping_recv(&f->pings, p, NULL, 0, &told), 0);
    EXPECT_EQ(told.sequence, 9);
    EXPECT_EQ(told.error, WEIR_EHOSTUNREACH);

    /* Of another host, too short, or a reply. */
    EXPECT(!ping_on_error(&f->pings, &p->local, s.bytes, 8, &reply, &found));
    EXPECT(!ping_on_error(&f->pings, &p->remote, s.bytes, 7, &reply, &found));
    s.bytes[0] = ICMP4_ECHO_REPLY;
    EXPECT(!ping_on_error(&f->pings, &p->remote, s.bytes, 8, &reply, &found));
    EXPECT(found == NULL);
    teardown(f);
}

TEST(ping_errors_of_ipv6_find_their_pinger)
{
    struct fixture *f = setup();
    struct ping *p = open_to(f, "2001:db8::1", "2001:db8::2"), *found;
    struct weir_ping_reply reply = {.error = WEIR_EHOSTUNREACH};
    struct frame *frame;
    struct weir_slice s;

    EXPECT_EQ(ping_output(&f->pings, p, 9, pattern(5), 5, &frame), WEIR_OK);
    s = flatten(f->store, &frame);
    EXPECT(ping_on_error(&f->pings, &p->remote, s.bytes, 8, &reply, &found));
    EXPECT(found == p);
    s.bytes[0] = ICMP6_ECHO_REPLY;
    EXPECT(!ping_on_error(&f->pings, &p->remote, s.bytes, 8, &reply, &found));
    teardown(f);
}

TEST(ping_queue_is_bounded)
{
    struct fixture *f = setup();
    struct ping *p = open_to(f, "10.0.0.1", "10.0.0.2");
    struct weir_ping_reply reply = {0};
    struct weir_slice payload = {pattern(60000), 60000};
    int queued = 0;

    while (ping_input(&f->pings, p, &reply, NULL, 0) == WHY_NONE)
        queued++;
    EXPECT_EQ(queued, PING_QUEUE_COUNT);
    while (ping_recv(&f->pings, p, NULL, 0, NULL) == 0)
        queued--;
    EXPECT_EQ(queued, 0);
    while (ping_input(&f->pings, p, &reply, &payload, 1) == WHY_NONE)
        queued++;
    EXPECT(queued >= 3 && queued <= 6);
    teardown(f);
}

TEST(ping_arguments_are_checked_and_handles_are_not_used_again)
{
    struct fixture *f = setup();
    struct weir_addr any = {{0}}, v4 = addr("10.0.0.1"), v6 = addr("2001:db8::1");
    struct ping *p;
    uint64_t handle;

    EXPECT_EQ(ping_open(&f->pings, &any, &v4, &p), WEIR_EINVAL);
    EXPECT_EQ(ping_open(&f->pings, &v4, &any, &p), WEIR_EINVAL);
    EXPECT_EQ(ping_open(&f->pings, &v4, &v6, &p), WEIR_EINVAL);
    p = open_to(f, "10.0.0.1", "10.0.0.2");
    handle = ping_handle(&f->pings, p);
    EXPECT(ping_of(&f->pings, handle) == p);
    ping_close(&f->pings, &p);
    EXPECT(ping_of(&f->pings, handle) == NULL);
    teardown(f);
}

TEST(ping_out_of_memory_costs_a_request)
{
    uint64_t calls = 0;

    for (uint64_t fail_at = 0; fail_at <= calls; fail_at++) {
        struct fixture *f = setup();
        struct weir_addr local = addr("10.0.0.1"), remote = addr("10.0.0.2");
        struct weir_ping_reply reply = {0};
        struct weir_slice payload = {pattern(60000), 60000};
        struct frame *frame = NULL;
        struct ping *p = NULL;
        uint64_t before = f->store->alloc.calls;

        f->store->alloc.fail_at = fail_at == 0 ? 0 : before + fail_at;
        if (ping_open(&f->pings, &local, &remote, &p) == WEIR_OK) {
            if (ping_output(&f->pings, p, 1, payload.bytes, payload.len, &frame) == WEIR_OK)
                flatten(f->store, &frame);
            (void)ping_input(&f->pings, p, &reply, &payload, 1);
        }
        EXPECT(frame == NULL);
        if (fail_at == 0)
            calls = f->store->alloc.calls - before;
        teardown(f);
    }
    EXPECT(calls > 5);
}
