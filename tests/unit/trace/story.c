/*
 * story.c - recordings told in packetdrill's notation
 */
#include "unit/trace/story.h"

#include <string.h>
#include <weir/stats.h>

#include "format/text.h"
#include "lib/test.h"
#include "wire/ip.h"
#include "wire/ip4.h"
#include "wire/tcp.h"

static enum trace_side other(enum trace_side side)
{
    return side == TRACE_LEFT ? TRACE_RIGHT : TRACE_LEFT;
}

static struct weir_endpoint end_of(enum trace_side side)
{
    return (struct weir_endpoint){
        .addr = weir_addr_v4(192, 0, 2, side == TRACE_LEFT ? 1 : 2),
        .port = side == TRACE_LEFT ? 1000 : 80,
    };
}

static uint32_t isn_of(enum trace_side side)
{
    return side == TRACE_LEFT ? (uint32_t)STORY_LEFT_ISN : (uint32_t)STORY_RIGHT_ISN;
}

struct story story_of(void)
{
    return (struct story){.now = 0};
}

void story_fini(struct story *s)
{
    ladder_fini(&s->ladder);
    recording_fini(&s->recording);
}

void story_at(struct story *s, weir_ns_t at)
{
    s->now = at;
}

/* The packet that the sender makes of a segment. */
static struct weir_slice packet_of(enum trace_side sender, const char *segment, uint8_t *room)
{
    struct seg_origin origin = {isn_of(sender), isn_of(other(sender))};
    struct weir_endpoint src = end_of(sender), dst = end_of(other(sender));
    struct ip4_header ip = {
        .src = src.addr, .dst = dst.addr, .ttl = 64, .protocol = IP_PROTOCOL_TCP};
    struct tcp_header tcp;
    struct seg_text seg;
    size_t ip_len = 20, tcp_len;

    EXPECT(seg_text_parse(segment, &origin, &seg, NULL));
    tcp = seg_text_header(&seg);
    tcp.src_port = src.port;
    tcp.dst_port = dst.port;
    tcp_len = tcp_emit(&tcp, room + ip_len, 60);
    memset(room + ip_len + tcp_len, 'x', seg.len);
    ip.payload_len = tcp_len + seg.len;
    EXPECT_EQ(ip4_emit(&ip, room, ip_len), ip_len);
    return (struct weir_slice){room, ip_len + ip.payload_len};
}

static struct weir_trace event_of(const struct story *s, enum trace_side side,
                                  enum weir_trace_kind kind)
{
    return (struct weir_trace){
        .kind = kind,
        .at = s->now,
        .local = end_of(side),
        .remote = end_of(other(side)),
        .from = s->state[side],
    };
}

static void add_packet(struct story *s, enum trace_side side, struct weir_trace *event,
                       const char *segment)
{
    enum trace_side sender = event->kind == WEIR_TRACE_PACKET_OUT ? side : other(side);
    uint8_t room[2000];
    struct weir_slice packet = packet_of(sender, segment, room);

    event->slices = &packet;
    event->slice_count = 1;
    recording_add_event(&s->recording, side, event);
}

void story_sends(struct story *s, enum trace_side side, const char *segment)
{
    struct weir_trace event = event_of(s, side, WEIR_TRACE_PACKET_OUT);

    add_packet(s, side, &event, segment);
}

void story_resends(struct story *s, enum trace_side side, const char *segment)
{
    struct weir_trace event = event_of(s, side, WEIR_TRACE_PACKET_OUT);

    event.retransmit = true;
    add_packet(s, side, &event, segment);
}

/* What arrives has a checksum, which the recording makes for what leaves. */
void story_receives(struct story *s, enum trace_side side, const char *segment)
{
    struct recording sent = {0};
    struct weir_trace event = event_of(s, other(side), WEIR_TRACE_PACKET_OUT);
    uint8_t room[2000];
    struct weir_slice packet = packet_of(other(side), segment, room);

    event.slices = &packet;
    event.slice_count = 1;
    recording_add_event(&sent, other(side), &event);
    event = event_of(s, side, WEIR_TRACE_PACKET_IN);
    event.slices = &sent.records[0].packet;
    event.slice_count = 1;
    recording_add_event(&s->recording, side, &event);
    recording_fini(&sent);
}

void story_loses(struct story *s, enum trace_side sender, const char *segment)
{
    struct recording sent = {0};
    struct weir_trace event = event_of(s, sender, WEIR_TRACE_PACKET_OUT);
    uint8_t room[2000];
    struct weir_slice packet = packet_of(sender, segment, room);

    event.slices = &packet;
    event.slice_count = 1;
    recording_add_event(&sent, sender, &event);
    recording_add_lost(&s->recording, sender, s->now, sent.records[0].packet);
    recording_fini(&sent);
}

void story_becomes(struct story *s, enum trace_side side, enum weir_tcp_state from,
                   enum weir_tcp_state to)
{
    struct weir_trace event = event_of(s, side, WEIR_TRACE_STATE);

    event.from = from;
    event.to = s->state[side] = to;
    recording_add_event(&s->recording, side, &event);
}

void story_event(struct story *s, enum trace_side side, enum weir_trace_kind kind, const char *text)
{
    struct weir_trace event = event_of(s, side, kind);

    event.text = text;
    recording_add_event(&s->recording, side, &event);
}

void story_drops(struct story *s, enum trace_side side, size_t why)
{
    struct weir_trace event = event_of(s, side, WEIR_TRACE_DROP);

    event.why = why;
    recording_add_event(&s->recording, side, &event);
}

size_t story_ladder(struct story *s)
{
    EXPECT_EQ(ladder_init(&s->ladder, &s->recording, "left", "right"), 0);
    return s->ladder.count;
}

static void put_states(struct text *t, const struct ladder_row *row)
{
    for (int side = 0; side < 2; side++)
        text_putf(t, " %s>%s", weir_tcp_state_name(row->before[side]),
                  weir_tcp_state_name(row->after[side]));
}

const char *story_row(const struct story *s, size_t i)
{
    static char chars[400];
    static const char *const kinds[] = {"", " departs", " arrives", " note"};
    const struct ladder_row *row = &s->ladder.rows[i];
    struct seg_origin origin = ladder_origin(&s->ladder, row);
    struct text t = text_of(chars, sizeof chars);
    char notation[SEG_TEXT_MAX];

    EXPECT(i < s->ladder.count);
    text_putf(&t, "%.3f %s%s ", (double)row->at / 1e9, row->side == TRACE_LEFT ? "left" : "right",
              kinds[row->kind]);
    seg_text_emit(&row->seg, &origin, notation, sizeof notation);
    text_put(&t, row->kind == LADDER_NOTE ? row->text : notation);
    if (row->is_retransmit)
        text_putf(&t, " again %.3f", (double)row->again_ns / 1e9);
    if (row->is_lost)
        text_put(&t, " lost");
    if (row->why != 0)
        text_putf(&t, " %s", weir_why_name(row->why));
    put_states(&t, row);
    return chars;
}
