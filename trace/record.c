/*
 * record.c - keep trace events, to look at them when all is over
 */
#include "trace/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "wire/pkt.h"

void recording_fini(struct recording *r)
{
    for (size_t i = 0; i < r->count; i++)
        free(r->records[i].packet.bytes);
    free(r->records);
    *r = (struct recording){0};
}

/* One more record; NULL, once and for all, when there is no memory. */
static struct trace_record *add(struct recording *r, enum trace_record_kind kind,
                                enum trace_side side, weir_ns_t at)
{
    struct trace_record *record;

    if (r->count == r->room && !r->is_full) {
        size_t room = r->room == 0 ? 64 : 2 * r->room;
        void *grown = realloc(r->records, room * sizeof *r->records);
        r->is_full = grown == NULL;
        if (grown != NULL) {
            r->records = grown;
            r->room = room;
        }
    }
    if (r->is_full)
        return NULL;
    record = &r->records[r->count++];
    *record =
        (struct trace_record){.kind = kind, .side = side, .at = at, .state = TRACE_STATE_SAME};
    return record;
}

static void copy_text(struct trace_record *record, const char *text)
{
    snprintf(record->text, sizeof record->text, "%s", text != NULL ? text : "");
}

/* The packet in one piece. */
static void copy_packet(struct recording *r, struct trace_record *record,
                        const struct weir_slice *slices, size_t count)
{
    size_t len = 0;

    for (size_t i = 0; i < count; i++)
        len += slices[i].len;
    record->packet.bytes = malloc(len > 0 ? len : 1);
    if (record->packet.bytes == NULL) {
        r->is_full = true;
        r->count--;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (slices[i].len > 0)
            memcpy(record->packet.bytes + record->packet.len, slices[i].bytes, slices[i].len);
        record->packet.len += slices[i].len;
    }
}

/*
 * A stack tells of a segment when it is made; its checksum is made when it leaves, or by the
 * device. What is kept has the one that arrives.
 */
static void complete_checksum(struct weir_slice packet)
{
    struct span all = span_of(packet.bytes, packet.len);
    uint8_t *at;
    uint16_t checksum;
    struct pkt p;

    if (pkt_parse(all, packet.len, &p) != WHY_NONE || p.is_fragment
        || p.protocol != IP_PROTOCOL_TCP)
        return;
    at = packet.bytes + p.ip_len + TCP_CHECKSUM_AT;
    at[0] = at[1] = 0;
    checksum = checksum_fold(
        checksum_add(checksum_pseudo(&p.src, &p.dst, IP_PROTOCOL_TCP, p.transport_len),
                     packet.bytes + p.ip_len, p.transport_len));
    at[0] = (uint8_t)(checksum >> 8);
    at[1] = (uint8_t)checksum;
}

void recording_add_event(struct recording *r, enum trace_side side, const struct weir_trace *event)
{
    struct trace_record *record = add(r, TRACE_RECORD_EVENT, side, event->at);

    if (record == NULL)
        return;
    record->event = *event;
    record->event.text = NULL; /* the records move when there are more of them */
    record->event.slices = NULL;
    copy_text(record, event->text);
    if (event->kind == WEIR_TRACE_PACKET_IN || event->kind == WEIR_TRACE_PACKET_OUT)
        copy_packet(r, record, event->slices, event->slice_count);
    if (event->kind == WEIR_TRACE_PACKET_OUT && !r->is_full)
        complete_checksum(record->packet);
}

void recording_add_lost(struct recording *r, enum trace_side side, weir_ns_t at,
                        struct weir_slice packet)
{
    struct trace_record *record = add(r, TRACE_RECORD_LOST, side, at);

    if (record != NULL)
        copy_packet(r, record, &packet, 1);
}

void recording_add_mark(struct recording *r, enum trace_side side, weir_ns_t at, const char *text,
                        enum weir_tcp_state state)
{
    struct trace_record *record = add(r, TRACE_RECORD_MARK, side, at);

    if (record == NULL)
        return;
    copy_text(record, text);
    record->state = state;
}
