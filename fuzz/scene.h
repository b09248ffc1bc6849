/*
 * scene.h - a stack, and what stands around it: what fuzz targets of whole stacks share
 *
 * We are host 1 of a network, and peers have the other addresses. The scene has no program of its
 * own: what happens is the target's.
 */
#ifndef FUZZ_SCENE_H
#define FUZZ_SCENE_H

#include "fuzz/input.h"
#include "fuzz/lent.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/weir.h>

enum { SCENE_KEPT = 160 };

struct scene {
    struct lent_memory memory;
    size_t frames; /* lent to the stack */
    struct weir *stack;
    weir_netif_t netif;
    weir_ns_t now;
    bool is_v6, is_ethernet;
    bool lends; /* frames are the stack's only as long as it is handed them */
    struct weir_frame *kept[SCENE_KEPT]; /* the stack's, on their way out */
    size_t kept_count;
};

/* ---- addresses and headers ---- */

struct weir_addr scene_addr(const struct scene *s, uint8_t last);
struct weir_endpoint scene_endpoint(const struct scene *s, uint8_t last, uint16_t port);

/* Our own, with its prefix. */
struct weir_prefix scene_prefix(const struct scene *s);

/* What stands before a packet's transport. */
struct scene_ip {
    struct weir_addr from;
    uint8_t ttl, tos, protocol;
};

/* The headers of link, if it has any, and IP, for us; returns their length. */
size_t scene_put_headers(const struct scene *s, const struct scene_ip *ip, size_t len, uint8_t *at);

/* The length of the link's. */
size_t scene_link_len(const struct scene *s);

/* ---- steps that need no more than the input ---- */

/* Time goes on to the next deadline, or by as much as the input says; returns what it said. */
uint8_t scene_step_time(struct scene *s, struct input *in);

void scene_step_events(struct scene *s);

/* Any option of h, set to a value of those that matter, and read. */
void scene_step_option(struct scene *s, struct input *in, weir_handle_t h);

/* ---- the driver ---- */

/* Asks for at most max frames, and keeps them; returns where the first is, *count how many. */
struct weir_frame **scene_output(struct scene *s, size_t max, size_t *count);

void scene_give_back(struct scene *s, size_t at);
void scene_give_all_back(struct scene *s);

/* ---- in the beginning, after each step, and at the end ---- */

/* Seconds go by until our addresses are known to be ours alone; what is sent meanwhile is nobody's. */
void scene_settle(struct scene *s);

/* The invariants of all connections. */
void scene_check(const struct scene *s);

/* All that was lent is back. */
void scene_end(struct scene *s);

#endif
