#include "lib/test.h"
#include "lib/world.h"
#include "replay/log.h"
#include "replay/replay.h"
#include "unit/replay/memory_sink.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <weir/call.h>

enum { STACKS = 2, CHUNK = 3000 };

/* A world whose stacks are recorded. */
struct recorded {
    struct world *w;
    struct memory_log logs[STACKS];
    struct weir_recorder *recorders[STACKS];
    size_t limit;
};

static void watch(void *ctx, size_t i, struct weir_config *config)
{
    struct recorded *r = ctx;
    struct log_sink sink = memory_sink(&r->logs[i]);

    r->recorders[i] = recorder_open(&sink, 1700000000 * WEIR_S);
    r->logs[i].limit = r->limit;
    EXPECT(r->recorders[i] != NULL);
    weir_recorder_watch(r->recorders[i], config);
}

static void begin(struct recorded *r, struct world_setup setup)
{
    setup.watch = watch;
    setup.watch_ctx = r;
    r->w = world_make(&setup);
}

static void end(struct recorded *r)
{
    world_end(r->w);
    for (size_t i = 0; i < STACKS; i++) {
        EXPECT_EQ(weir_recorder_close(&r->recorders[i]), 0);
        EXPECT(r->recorders[i] == NULL && r->logs[i].is_closed);
    }
}

static void fini(struct recorded *r)
{
    for (size_t i = 0; i < STACKS; i++)
        memory_log_fini(&r->logs[i]);
}

static void come_back(void *owner)
{
    free(owner);
}

static void send_lent(struct world *w, size_t i, weir_conn_t conn)
{
    struct weir_slice slice = {malloc(CHUNK), CHUNK};

    memset(slice.bytes, 'x', CHUNK);
    if (weir_send_lent(world_stack(w, i), conn, slice, 0, come_back, slice.bytes) < 0)
        free(slice.bytes);
}

static void read_lent(struct world *w, size_t i, weir_conn_t conn)
{
    struct weir_slice slices[3];
    size_t count;
    ptrdiff_t n = weir_recv_lent(world_stack(w, i), conn, slices, 3, &count);

    if (n > 0)
        EXPECT_EQ(weir_recv_done(world_stack(w, i), conn, 1 + (size_t)n / 2), WEIR_OK);
}

/* Bytes both ways, copied and lent; more is offered than fits. Of the reads one way some are posted. */
static void play_transfer_over(struct world *w, int rounds, struct world_link conditions)
{
    static uint8_t bytes[4 * CHUNK], posted[4 * CHUNK];
    struct world_pair p = world_connect(w);

    w->conditions = conditions;

    EXPECT_EQ(weir_set(world_stack(w, 0), p.a, WEIR_OPT_NODELAY, 1), WEIR_OK);
    for (int k = 0; k < rounds; k++) {
        (void)weir_send(world_stack(w, 0), p.a, bytes, sizeof bytes, 0);
        send_lent(w, 1, p.b);
        if (k % 2 == 1)
            (void)weir_recv_post(world_stack(w, 1), p.b, posted, sizeof posted);
        world_run(w, (weir_ns_t)(1 + k) * WEIR_MS);
        (void)weir_recv(world_stack(w, 1), p.b, bytes, sizeof bytes);
        if (k % 2 == 1)
            (void)weir_recv_take(world_stack(w, 1), p.b, NULL);
        read_lent(w, 0, p.a);
    }
    EXPECT_EQ(weir_shutdown(world_stack(w, 0), p.a), WEIR_OK);
    (void)weir_recv_post(world_stack(w, 1), p.b, posted, 1);
    world_run(w, 5 * WEIR_S);
    EXPECT_EQ(weir_close(world_stack(w, 1), p.b), WEIR_OK);
    EXPECT_EQ(weir_abort(world_stack(w, 0), p.a), WEIR_OK);
    EXPECT_EQ(weir_abort(world_stack(w, 0), p.a), WEIR_ESTALE);
    EXPECT_EQ(weir_close(world_stack(w, 1), p.listener), WEIR_OK);
    world_run(w, 5 * WEIR_S);
}

static void play_transfer(struct world *w, int rounds)
{
    play_transfer_over(w, rounds, w->conditions);
}

/* Datagrams and pings, and what changes the network. */
static void play_others(struct world *w)
{
    struct weir_endpoint to = world_endpoint(w, 1, 53), at = {.port = 53};
    struct weir_prefix p = {world_addr(w, 0), 96 + 28};
    struct weir_prefix elsewhere = {weir_addr_v4(203, 0, 113, 0), 96 + 24};
    struct weir_addr gateway = world_addr(w, 1);
    struct weir *a = world_stack(w, 0), *b = world_stack(w, 1);
    weir_udp_t udp_a, udp_b;
    weir_ping_t ping;
    uint8_t bytes[100] = {1, 2, 3};

    EXPECT_EQ(weir_udp_open(a, NULL, &to, &udp_a), WEIR_OK);
    EXPECT_EQ(weir_udp_open(b, &at, NULL, &udp_b), WEIR_OK);
    EXPECT_EQ(weir_udp_send(a, udp_a, NULL, bytes, sizeof bytes), sizeof bytes);
    EXPECT_EQ(weir_ping_open(a, &to.addr, &ping), WEIR_OK);
    EXPECT_EQ(weir_ping_send(a, ping, 7, bytes, 20), 20);
    world_run(w, WEIR_S);
    EXPECT_EQ(weir_udp_recv(b, udp_b, bytes, 50, NULL, NULL), sizeof bytes);
    EXPECT_EQ(weir_udp_recv(b, udp_b, bytes, 50, NULL, NULL), WEIR_EAGAIN);
    EXPECT_EQ(weir_ping_recv(a, ping, bytes, sizeof bytes, NULL), 20);
    EXPECT_EQ(weir_route_add(a, &elsewhere, &gateway, w->stacks[0].netif), WEIR_OK);
    EXPECT_EQ(weir_route_remove(a, &elsewhere), WEIR_OK);
    EXPECT_EQ(weir_netif_set_mtu(a, w->stacks[0].netif, 1400), WEIR_OK);
    weir_tcp_next_isn(a, 12345);
    EXPECT_EQ(weir_addr_remove(a, w->stacks[0].netif, &p.addr), WEIR_OK);
    EXPECT_EQ(weir_addr_add(a, w->stacks[0].netif, &p), WEIR_OK);
    EXPECT_EQ(weir_close(a, udp_a), WEIR_OK);
    world_run(w, WEIR_S);
}

/* ---- replaying ---- */

struct seen {
    struct replay_difference first;
    size_t differences;
    uint64_t frames;
};

static void on_difference(void *ctx, const struct replay_difference *d)
{
    struct seen *s = ctx;

    if (s->differences++ == 0)
        s->first = *d;
}

static void on_frame(void *ctx, const struct replay_frame *f)
{
    struct seen *s = ctx;

    s->frames++;
    EXPECT_EQ(f->number, s->frames);
}

static enum replay_status replay(const struct memory_log *log, size_t len, struct seen *s)
{
    struct replay_setup setup = {.log = span_of(log->bytes, len),
                                 .on_frame = on_frame,
                                 .on_difference = on_difference,
                                 .ctx = s};
    struct replay *r = replay_open(&setup);
    enum replay_status status;

    *s = (struct seen){0};
    while ((status = replay_step(r)) == REPLAY_GOES_ON)
        continue;
    if (status == REPLAY_FAILED)
        EXPECT(replay_error(r)[0] != 0);
    EXPECT_EQ(replay_step(r), status);
    replay_close(&r);
    return status;
}

static void expect_the_same(struct recorded *r)
{
    struct seen s;

    for (size_t i = 0; i < STACKS; i++) {
        enum replay_status status = replay(&r->logs[i], r->logs[i].len, &s);
        if (s.differences > 0)
            FAIL("weir_%s at record %llu: recorded %s, now %s", weir_call_name(s.first.kind),
                 (unsigned long long)s.first.call, s.first.expected, s.first.seen);
        EXPECT_EQ(status, REPLAY_OVER);
        EXPECT(s.frames > 0);
    }
}

TEST(replay_of_everything_an_application_can_do_is_the_same)
{
    struct recorded r = {0};

    begin(&r, (struct world_setup){0});
    play_transfer(r.w, 20);
    play_others(r.w);
    end(&r);
    expect_the_same(&r);
    fini(&r);
}

TEST(replay_over_bad_links_is_the_same)
{
    static const struct world_setup setups[] = {
        {.conditions = {.delay_ns = 3 * WEIR_MS, .jitter_ns = 5 * WEIR_MS, .loss = 50},
         .link = WEIR_LINK_ETHERNET,
         .is_v6 = true},
        {.conditions = {.delay_ns = WEIR_MS, .loss = 20, .duplicate = 50, .corrupt = 20},
         .offloads = WEIR_OFFLOAD_CSUM | WEIR_OFFLOAD_TSO4 | WEIR_OFFLOAD_TSO6,
         .keeps_ns = 20 * WEIR_MS},
        {.lends_frames = true, .slice_bytes = 500, .mtu = 9000, .keeps_ns = WEIR_MS},
    };

    for (size_t i = 0; i < sizeof setups / sizeof setups[0]; i++) {
        struct recorded r = {0};
        struct world_setup setup = setups[i];
        setup.seed = i + 1;
        setup.conditions = (struct world_link){0};
        begin(&r, setup);
        play_transfer_over(r.w, 30, setups[i].conditions);
        end(&r);
        expect_the_same(&r);
        fini(&r);
    }
}

/* How often the allocator is recorded to have failed. */
static size_t failures_in(const struct memory_log *log)
{
    struct log_reader reader;
    struct log_record record;
    size_t count = 0;

    EXPECT_EQ(log_open(&reader, span_of(log->bytes, log->len)), LOG_RECORD);
    while (log_next(&reader, &record) == LOG_RECORD)
        count += record.kind == LOG_ALLOC_FAILED;
    return count;
}

TEST(replay_runs_out_of_memory_where_the_recorded_stack_did)
{
    size_t failures = 0;

    for (uint64_t at = 1; at < 40; at += 3) {
        struct recorded r = {0};
        struct weir_endpoint to;

        begin(&r, (struct world_setup){.link = WEIR_LINK_ETHERNET});
        r.w->stacks[0].alloc.fail_at = r.w->stacks[0].alloc.calls + at;
        r.w->stacks[0].alloc.fails_from_then = at % 2 == 0;
        to = world_endpoint(r.w, 1, 9);
        for (int i = 0; i < 50; i++) {
            weir_conn_t conn;
            (void)weir_connect(world_stack(r.w, 0), NULL, &to, &conn);
            world_run(r.w, WEIR_MS);
        }
        end(&r);
        expect_the_same(&r);
        failures += failures_in(&r.logs[0]);
        fini(&r);
    }
    EXPECT(failures > 5);
}

TEST(replay_shows_the_first_packet_that_differs)
{
    struct recorded r = {0};
    struct seen s;
    struct log_reader log;
    struct log_record record = {0};

    begin(&r, (struct world_setup){0});
    play_transfer(r.w, 3);
    end(&r);
    /* A stack with another secret chooses other sequence numbers: its SYN is another one. */
    EXPECT_EQ(log_open(&log, span_of(r.logs[0].bytes, r.logs[0].len)), LOG_RECORD);
    while (record.kind != WEIR_CALL_CREATE || log.index < 2)
        EXPECT_EQ(log_next(&log, &record), LOG_RECORD);
    r.logs[0].bytes[record.offset + 5 + 8] ^= 1;
    {
        uint8_t *start = r.logs[0].bytes + record.offset;
        struct writer w = writer_of(start + 5 + record.body.left, 4);
        log_finish(&w, start, log.index - 1);
    }
    EXPECT_EQ(replay(&r.logs[0], r.logs[0].len, &s), REPLAY_STOPPED);
    EXPECT_EQ(s.differences, 1);
    EXPECT_EQ(s.first.kind, WEIR_CALL_OUTPUT);
    EXPECT(s.first.has_packets && s.first.packet_expected.is_there && s.first.packet_seen.is_there);
    EXPECT_EQ(s.first.packet_expected.len, s.first.packet_seen.len);
    EXPECT(s.first.packet_expected.digest != s.first.packet_seen.digest);
    EXPECT(strcmp(s.first.expected, "other headers") == 0);
    fini(&r);
}

TEST(replay_of_a_log_cut_anywhere_is_the_same_as_far_as_it_goes)
{
    struct recorded r = {0};
    struct seen s;
    size_t step;

    begin(&r, (struct world_setup){0});
    play_transfer(r.w, 2);
    end(&r);
    step = r.logs[1].len / 97;
    for (size_t cut = 0; cut < r.logs[1].len; cut += step) {
        enum replay_status status = replay(&r.logs[1], cut, &s);
        EXPECT(cut < LOG_HEADER / 2 ? status == REPLAY_FAILED : status == REPLAY_CUT);
        EXPECT_EQ(s.differences, 0);
    }
    fini(&r);
}

TEST(replay_of_a_damaged_log_says_where_and_does_what_comes_before)
{
    struct recorded r = {0};
    struct seen s;
    uint64_t random = 1;

    begin(&r, (struct world_setup){0});
    play_transfer(r.w, 2);
    end(&r);
    for (int i = 0; i < 100; i++) {
        size_t at = LOG_HEADER + (size_t)(test_random(&random) % (r.logs[1].len - LOG_HEADER));
        r.logs[1].bytes[at] ^= 0x10;
        enum replay_status status = replay(&r.logs[1], r.logs[1].len, &s);
        EXPECT(status == REPLAY_FAILED || status == REPLAY_CUT);
        EXPECT_EQ(s.differences, 0);
        r.logs[1].bytes[at] ^= 0x10;
    }
    EXPECT_EQ(replay(&r.logs[1], r.logs[1].len, &s), REPLAY_OVER);
    fini(&r);
}

TEST(replay_of_a_log_cut_in_a_note_of_memory_that_ran_out_ends)
{
    struct recorded r = {0};
    struct log_reader reader;
    struct log_record record = {0};
    struct weir_endpoint to;
    weir_conn_t conn;
    struct seen s;

    begin(&r, (struct world_setup){0});
    r.w->stacks[0].alloc.fail_at = r.w->stacks[0].alloc.calls + 1;
    r.w->stacks[0].alloc.fails_from_then = true;
    to = world_endpoint(r.w, 1, 9);
    EXPECT_EQ(weir_connect(world_stack(r.w, 0), NULL, &to, &conn), WEIR_ENOMEM);
    end(&r);
    EXPECT_EQ(log_open(&reader, span_of(r.logs[0].bytes, r.logs[0].len)), LOG_RECORD);
    while (record.kind != LOG_ALLOC_FAILED)
        EXPECT_EQ(log_next(&reader, &record), LOG_RECORD);
    EXPECT_EQ(replay(&r.logs[0], record.offset + LOG_FRAMING, &s), REPLAY_CUT);
    r.logs[0].bytes[record.offset + 5] ^= 1;
    EXPECT_EQ(replay(&r.logs[0], r.logs[0].len, &s), REPLAY_FAILED);
    fini(&r);
}

static struct replay *run_until(struct replay_setup *setup, const struct memory_log *log)
{
    struct replay *r;
    enum replay_status status;

    setup->log = span_of(log->bytes, log->len);
    r = replay_open(setup);
    while ((status = replay_step(r)) == REPLAY_GOES_ON)
        continue;
    EXPECT_EQ(status, REPLAY_STOPPED);
    return r;
}

TEST(replay_stops_at_a_time_and_at_a_frame_with_the_state_of_then)
{
    struct recorded r = {0};
    struct replay_setup setup = {.stop_at_frame = 3};
    struct weir_tcp_info info;
    struct replay *p;

    begin(&r, (struct world_setup){0});
    play_transfer(r.w, 3);
    end(&r);
    p = run_until(&setup, &r.logs[0]);
    EXPECT_EQ(replay_totals(p)->frames_in + replay_totals(p)->frames_out, 3);
    EXPECT(replay_handle(p, 0) != 0 && replay_handle(p, 1) == 0);
    EXPECT_EQ(weir_tcp_info(replay_stack(p), replay_handle(p, 0), &info), WEIR_OK);
    EXPECT_EQ(info.state, WEIR_TCP_ESTABLISHED);
    EXPECT_EQ(info.bytes_sent, 0);
    setup = (struct replay_setup){.stops_at_time = true,
                                  .stop_at = replay_totals(p)->started_at + 4 * WEIR_S};
    replay_close(&p);
    p = run_until(&setup, &r.logs[0]);
    EXPECT_EQ(replay_totals(p)->at, replay_totals(p)->started_at + 4 * WEIR_S);
    EXPECT_EQ(weir_tcp_info(replay_stack(p), replay_handle(p, 0), &info), WEIR_OK);
    EXPECT_EQ(info.state, WEIR_TCP_FIN_WAIT_2);
    replay_close(&p);
    fini(&r);
}

TEST(recorder_that_finds_no_room_goes_silent_and_says_so)
{
    struct recorded r = {.limit = 40000};
    struct seen s;

    begin(&r, (struct world_setup){0});
    play_transfer(r.w, 30);
    EXPECT_EQ(weir_recorder_error(r.recorders[0]), ENOSPC);
    world_end(r.w);
    EXPECT_EQ(weir_recorder_close(&r.recorders[0]), ENOSPC);
    (void)weir_recorder_close(&r.recorders[1]);
    EXPECT_EQ(replay(&r.logs[0], r.logs[0].len, &s), REPLAY_CUT);
    EXPECT(s.differences == 0 && s.frames > 10);
    fini(&r);
}

/* ---- files ---- */

static struct memory_log read_file(const char *path)
{
    struct memory_log log = {0};
    FILE *file = fopen(path, "rb");

    EXPECT(file != NULL);
    log.bytes = malloc(log.room = 16u << 20);
    log.len = fread(log.bytes, 1, log.room, file);
    fclose(file);
    return log;
}

static void watch_file(void *ctx, size_t i, struct weir_config *config)
{
    struct weir_recorder **recorder = ctx;

    if (i == 0)
        weir_recorder_watch(*recorder, config);
}

TEST(recorder_writes_a_file_that_is_complete_at_any_time_and_nobody_else_may_read)
{
    char path[] = "/tmp/weir-record-XXXXXX";
    int fd = mkstemp(path);
    struct weir_recorder *recorder;
    struct world *w;
    struct memory_log log;
    struct stat about;
    struct seen s;

    EXPECT(fd >= 0 && unlink(path) == 0);
    close(fd);
    recorder = weir_recorder_open(path);
    EXPECT(recorder != NULL);
    w = world_make(&(struct world_setup){.watch = watch_file, .watch_ctx = &recorder});
    play_transfer(w, 600); /* several pieces of the file */
    log = read_file(path);
    EXPECT_EQ(replay(&log, log.len, &s), REPLAY_CUT);
    EXPECT(s.differences == 0 && s.frames > 1000);
    memory_log_fini(&log);
    world_end(w);
    EXPECT_EQ(weir_recorder_close(&recorder), 0);
    EXPECT(stat(path, &about) == 0 && (about.st_mode & 0777) == 0600);
    log = read_file(path);
    EXPECT_EQ(about.st_size, log.len);
    EXPECT_EQ(replay(&log, log.len, &s), REPLAY_OVER);
    memory_log_fini(&log);
    unlink(path);
}

TEST(recorder_that_cannot_open_its_file_says_why)
{
    EXPECT(weir_recorder_open("/nowhere/at/all") == NULL && errno == ENOENT);
    EXPECT(weir_recorder_open("/dev/null") == NULL && errno == EINVAL);
}

/*
 * Recordings go from one machine to another: WEIR_TEST_RECORD names a file to be written, on one;
 * WEIR_TEST_REPLAY names it on the other.
 */
TEST(replay_of_a_recording_made_elsewhere_is_the_same)
{
    const char *to = getenv("WEIR_TEST_RECORD"), *from = getenv("WEIR_TEST_REPLAY");
    struct recorded r = {0};
    struct memory_log log;
    struct seen s;
    FILE *file;

    if (to != NULL) {
        begin(&r, (struct world_setup){0});
        play_transfer_over(r.w, 40, (struct world_link){.delay_ns = WEIR_MS, .loss = 30});
        r.w->conditions = (struct world_link){0};
        play_others(r.w);
        end(&r);
        file = fopen(to, "wb");
        EXPECT(file != NULL);
        EXPECT_EQ(fwrite(r.logs[0].bytes, 1, r.logs[0].len, file), r.logs[0].len);
        EXPECT_EQ(fclose(file), 0);
        fini(&r);
    }
    if (from != NULL) {
        log = read_file(from);
        EXPECT_EQ(replay(&log, log.len, &s), REPLAY_OVER);
        EXPECT_EQ(s.differences, 0);
        memory_log_fini(&log);
    }
}
