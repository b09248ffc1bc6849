/*
 * world_trace.c - what happens in a world, a line each, if WEIR_TEST_TRACE is set
 */
#include "lib/world.h"
#include "wire/pkt.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void print_segment(const struct weir_trace *t)
{
    struct pkt pkt;

    if (pkt_parse(span_of(t->slices[0].bytes, t->slices[0].len), t->packet_len, &pkt) != WHY_NONE
        || pkt.is_fragment || pkt.protocol != IP_PROTOCOL_TCP) {
        fprintf(stderr, " %zu bytes", t->packet_len);
        return;
    }
    fprintf(stderr, " %03x seq %" PRIu32 " ack %" PRIu32 " len %zu win %u", pkt.tcp.flags,
            pkt.tcp.seq, pkt.tcp.ack, pkt.tcp.payload_len, pkt.tcp.window);
}

static void print(void *ctx, const struct weir_trace *t)
{
    const struct world_stack *s = ctx;
    char local[WEIR_ADDR_TEXT], remote[WEIR_ADDR_TEXT];

    fprintf(stderr, "%p %.6f %-10s %s > %s", (const void *)s, (double)t->at / 1e9,
            weir_trace_kind_name(t->kind), weir_endpoint_text(&t->local, local),
            weir_endpoint_text(&t->remote, remote));
    if (t->kind == WEIR_TRACE_STATE)
        fprintf(stderr, " %s to %s", weir_tcp_state_name(t->from), weir_tcp_state_name(t->to));
    if (t->kind == WEIR_TRACE_DROP)
        fprintf(stderr, " %s", weir_why_name(t->why));
    if (t->kind == WEIR_TRACE_PACKET_IN || t->kind == WEIR_TRACE_PACKET_OUT) {
        fprintf(stderr, " %s", weir_tcp_state_name(t->from));
        print_segment(t);
    }
    fprintf(stderr, " %s\n", t->text != NULL ? t->text : "");
}

void world_traces(struct world *w)
{
    for (size_t i = 0; i < w->count && getenv("WEIR_TEST_TRACE") != NULL; i++)
        weir_trace_set(w->stacks[i].stack, print, &w->stacks[i]);
}
