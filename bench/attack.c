/*
 * attack.c - one connection whose peer wants it to work as hard as possible
 *
 * Each attack is played several times, and the least that each segment ever took counts, so that
 * what the machine did besides does not. What matters is how much more than the average the worst
 * segment costs: whether one packet can stop everybody else.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/served.h"
#include "wire/tcp.h"

enum {
    SEGMENTS = 20000,
    SEGMENTS_SMALL = 500,
    PLAYS = 5,
    FLIGHT_SEGS = 2000, /* of the server, at once */
    SEG = 1448,
};

struct victim {
    struct served s;
    weir_conn_t conn;
    uint32_t iss, nxt; /* the server's, raw; nxt: what it has sent by now */
    uint32_t timestamp;
    uint8_t *text;
};

struct attack {
    const char *worst_name, *average_name;
    bool is_on_sender; /* else on the receiver */
    void (*make)(const struct victim *v, uint32_t i, struct crafted_segment *segment);
};

/* ---- on what a receiver keeps ---- */

static void one_byte(struct crafted_segment *segment, uint32_t offset)
{
    segment->seq = 2 + offset;
    segment->text_len = 1;
}

static void every_other_byte(const struct victim *v, uint32_t i, struct crafted_segment *segment)
{
    (void)v;
    one_byte(segment, 2 * (i * 7919 % 30000));
}

static void backwards(const struct victim *v, uint32_t i, struct crafted_segment *segment)
{
    (void)v;
    one_byte(segment, 2 * (SEGMENTS - i));
}

/* Two bytes beside each hole, in turn from both ends. */
static void from_both_ends(const struct victim *v, uint32_t i, struct crafted_segment *segment)
{
    (void)v;
    one_byte(segment, i % 2 == 0 ? 3 * i / 2 : 59000 - 3 * i / 2);
}

/* ---- on what a sender remembers ---- */

static void add_block(struct crafted_segment *segment, uint32_t left, uint32_t right)
{
    segment->sack[segment->sack_count].left = left;
    segment->sack[segment->sack_count].right = right;
    segment->sack_count++;
}

static void sacked_every_other(const struct victim *v, uint32_t i, struct crafted_segment *segment)
{
    uint32_t len = v->nxt - v->iss - 1;

    for (uint32_t k = 0; k < 3; k++) {
        uint32_t offset = 1 + 2 * ((3 * i + k) * 7919 % (len / 2 - 1));
        add_block(segment, v->iss + 1 + offset, v->iss + 2 + offset);
    }
}

static void sacked_in_large_blocks(const struct victim *v, uint32_t i,
                                   struct crafted_segment *segment)
{
    uint32_t len = v->nxt - v->iss - 1, offset = 1 + i * 104729 % (len - 1);

    add_block(segment, v->iss + 1 + offset, v->nxt);
    add_block(segment, v->iss + 1 + offset / 2, v->nxt - 1);
    add_block(segment, v->iss + 1 + offset / 3, v->nxt - 2);
}

/* All is there, and then it is not. */
static void reneging(const struct victim *v, uint32_t i, struct crafted_segment *segment)
{
    uint32_t len = v->nxt - v->iss - 1;

    if (i % 2 == 0)
        add_block(segment, v->iss + 2 + i % len, v->nxt);
}

static void divided_acks(const struct victim *v, uint32_t i, struct crafted_segment *segment)
{
    segment->ack = v->iss + 2 + i;
}

static void optimistic_acks(const struct victim *v, uint32_t i, struct crafted_segment *segment)
{
    uint32_t len = v->nxt - v->iss - 1;

    segment->ack = v->iss + 1 + (uint32_t)((uint64_t)len * i / SEGMENTS) + (i % 2) * 1000000;
}

static const struct attack attacks[] = {
    {"every_other_byte_worst_ratio", "every_other_byte_ns", false, every_other_byte},
    {"backwards_worst_ratio", "backwards_ns", false, backwards},
    {"from_both_ends_worst_ratio", "from_both_ends_ns", false, from_both_ends},
    {"sacked_every_other_worst_ratio", "sacked_every_other_ns", true, sacked_every_other},
    {"sacked_large_blocks_worst_ratio", "sacked_large_blocks_ns", true, sacked_in_large_blocks},
    {"reneging_worst_ratio", "reneging_ns", true, reneging},
    {"divided_acks_worst_ratio", "divided_acks_ns", true, divided_acks},
    {"optimistic_acks_worst_ratio", "optimistic_acks_ns", true, optimistic_acks},
};

/* ---- playing ---- */

static void on_answer(void *ctx, const struct crafted_answer *answer)
{
    struct victim *v = ctx;

    v->timestamp = answer->timestamp;
    if (answer->flags & TCP_SYN)
        v->iss = answer->seq;
    if ((int32_t)(answer->seq + answer->text_len - v->nxt) > 0)
        v->nxt = answer->seq + answer->text_len;
}

static void say(struct victim *v, const struct crafted_segment *segment)
{
    served_add(&v->s, segment);
    weir_input(v->s.stack, v->s.netif, v->s.frames, v->s.count);
    v->s.count = 0;
    served_output(&v->s, on_answer, v);
}

/* The handshake; then the server sends as much at once as is to be remembered. */
static bool meet(struct victim *v, bool is_on_sender, struct bench_report *report)
{
    struct crafted_segment segment = {.client = 1, .flags = TCP_SYN};
    struct weir_config config;

    memset(v, 0, sizeof *v);
    if (!served_open(&v->s, 0, report))
        return false;
    weir_config_init(&config);
    config.tcp.initial_window_segs = FLIGHT_SEGS;
    config.tcp.send_buffer_bytes = 2 * FLIGHT_SEGS * SEG;
    (void)weir_tcp_configure(v->s.stack, &config.tcp);
    say(v, &segment);
    v->nxt = v->iss + 1;
    served_advance(&v->s, 20 * WEIR_MS);
    segment = (struct crafted_segment){
        .client = 1, .flags = TCP_ACK, .seq = 1, .ack = v->iss + 1, .ts_echo = v->timestamp};
    say(v, &segment);
    if (weir_accept(v->s.stack, v->s.listener, &v->conn) != WEIR_OK)
        return bench_fail(report, "the handshake failed");
    if (!is_on_sender)
        return true;
    v->text = calloc(FLIGHT_SEGS, SEG);
    if (v->text == NULL
        || weir_send(v->s.stack, v->conn, v->text, (size_t)FLIGHT_SEGS * SEG, 0) <= 0)
        return bench_fail(report, "there is nothing to send");
    served_output(&v->s, on_answer, v);
    served_advance(&v->s, 20 * WEIR_MS);
    return true;
}

static void part(struct victim *v)
{
    served_close(&v->s);
    free(v->text);
}

static double take_one(struct victim *v, const struct attack *attack, uint32_t i)
{
    struct crafted_segment segment = {
        .client = 1, .flags = TCP_ACK, .seq = 1, .ack = v->iss + 1, .ts_echo = v->timestamp};
    struct weir_event event;
    double begin;

    attack->make(v, i, &segment);
    served_add(&v->s, &segment);
    begin = bench_wall_s();
    weir_input(v->s.stack, v->s.netif, v->s.frames, 1);
    v->s.count = 0;
    while (weir_event(v->s.stack, &event))
        continue;
    served_output(&v->s, NULL, NULL);
    return bench_wall_s() - begin;
}

static bool play(const struct attack *attack, uint32_t count, double *least_s,
                 struct bench_report *report)
{
    struct victim v;

    if (!meet(&v, attack->is_on_sender, report)) {
        part(&v);
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        double took_s = take_one(&v, attack, i);
        if (least_s[i] == 0 || took_s < least_s[i])
            least_s[i] = took_s;
        served_advance(&v.s, 10 * WEIR_US);
    }
    part(&v);
    return true;
}

static bool run_attack(const struct attack *attack, uint32_t count, struct bench_report *report)
{
    double *least_s = calloc(count, sizeof *least_s), sum_s = 0, worst_s = 0;

    if (least_s == NULL)
        return bench_fail(report, "no memory");
    for (int i = 0; i < PLAYS; i++) {
        if (!play(attack, count, least_s, report)) {
            free(least_s);
            return false;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        sum_s += least_s[i];
        worst_s = least_s[i] > worst_s ? least_s[i] : worst_s;
    }
    bench_note(report, attack->average_name, sum_s / count * 1e9);
    bench_note(report, attack->worst_name, worst_s / (sum_s / count));
    free(least_s);
    return true;
}

static bool run(const struct bench_options *options, struct bench_report *report)
{
    uint32_t count = options->small ? SEGMENTS_SMALL : SEGMENTS;

    for (size_t i = 0; i < sizeof attacks / sizeof attacks[0]; i++)
        if (!run_attack(&attacks[i], count, report))
            return false;
    return true;
}

extern const struct bench bench_attack;
const struct bench bench_attack = {
    .name = "attack",
    .summary = "a peer that wants much work: what its worst segment costs",
    .options = "",
    .run = run,
};
