/*
 * ladder.c - one connection as a ladder: a row for each segment, with the states around it
 *
 * The recording is gone through once, in order. Three things are matched on the way: the
 * arrival of a packet with its departure (by its bytes, the earliest that is still under
 * way), a change of state with the row that caused it, and the states of an end that
 * tells nothing with the segments that pass.
 */
#include "trace/ladder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/err.h>

#include "trace/infer.h"
#include "wire/pkt.h"
#include "wire/tcp_options.h"

enum {
    ECN_FLAGS = TCP_AE | TCP_CWR | TCP_ECE,
    ACE_SHIFT = 6,
    FIRST_SEGMENTS = 3, /* a handshake */
    NO_ROW = -1,
};

/* On a real clock, what an application does and what comes of it are not one instant. */
static const weir_ns_t at_once_ns = WEIR_MS;

/* A TCP segment of a recording. */
struct tcp_packet {
    struct weir_endpoint src, dst;
    struct seg_text seg;
};

struct builder {
    struct ladder *l;
    const struct recording *r;
    size_t at;                     /* the record that is looked at */
    bool is_recorded[2];           /* this end tells */
    struct infer infer[2];         /* of the others */
    enum weir_tcp_state state[2];  /* now */
    enum weir_tcp_state before[2]; /* the next segment that it sends */
    bool goes_with_next[2];        /* a change of state that the next segment shows */
    ptrdiff_t cause[2];            /* the row to which a change of state belongs, or NO_ROW */
    weir_ns_t cause_at[2];         /* at this instant */
    ptrdiff_t arrival[2];          /* the row of the last packet taken in, or NO_ROW */
    weir_ns_t state_at[2];         /* since when it is in its state */
    const char *call[2];           /* what the application calls, NULL if nothing */
    weir_ns_t sent_at[2];          /* the last segment with something to acknowledge */
    weir_ns_t got_at[2];           /* the last segment with data */
    uint8_t shift[2];              /* what each end's SYN says */
    bool has_shift[2];
    bool is_asked; /* for accurate ECN */
    enum ladder_ninth ninth;
    size_t segment_count;
    bool no_memory;
};

static enum trace_side other(enum trace_side side)
{
    return side == TRACE_LEFT ? TRACE_RIGHT : TRACE_LEFT;
}

/* ---- reading records ---- */

static bool read_packet(struct weir_slice packet, struct tcp_packet *out)
{
    struct pkt pkt;

    if (pkt_parse(span_of(packet.bytes, packet.len), packet.len, &pkt) != WHY_NONE
        || pkt.is_fragment || pkt.protocol != IP_PROTOCOL_TCP)
        return false;
    *out = (struct tcp_packet){
        .src = {.addr = pkt.src, .port = pkt.tcp.src_port},
        .dst = {.addr = pkt.dst, .port = pkt.tcp.dst_port},
        .seg = seg_text_of(&pkt.tcp),
    };
    return true;
}

static bool is_packet(const struct trace_record *record)
{
    return record->kind == TRACE_RECORD_LOST
           || (record->kind == TRACE_RECORD_EVENT
               && (record->event.kind == WEIR_TRACE_PACKET_IN
                   || record->event.kind == WEIR_TRACE_PACKET_OUT));
}

static bool is_event(const struct trace_record *record, enum weir_trace_kind kind)
{
    return record->kind == TRACE_RECORD_EVENT && record->event.kind == kind;
}

/* Who sent the packet of this record. */
static enum trace_side sender_of(const struct trace_record *record)
{
    return is_event(record, WEIR_TRACE_PACKET_IN) ? other(record->side) : record->side;
}

static bool is_end(const struct weir_endpoint *a, const struct weir_endpoint *b)
{
    return a->port == b->port && weir_addr_eq(&a->addr, &b->addr);
}

/* The segment of a record, if it belongs to the ladder's connection. */
static bool read_record(const struct ladder *l, const struct trace_record *record,
                        struct tcp_packet *out)
{
    enum trace_side from = sender_of(record);

    return is_packet(record) && read_packet(record->packet, out)
           && is_end(&out->src, &l->ends[from]) && is_end(&out->dst, &l->ends[other(from)]);
}

/* Events that are not packets name their connection's ends. */
static bool is_ours(const struct ladder *l, const struct trace_record *record)
{
    return is_end(&record->event.local, &l->ends[record->side])
           && (is_end(&record->event.remote, &l->ends[other(record->side)])
               || record->event.remote.port == 0);
}

/* ---- rows ---- */

static struct ladder_row *add_row(struct builder *b, enum ladder_kind kind, enum trace_side side)
{
    struct ladder *l = b->l;
    struct ladder_row *row;

    if (l->count == l->room) {
        size_t room = l->room == 0 ? 64 : 2 * l->room;
        void *grown = realloc(l->rows, room * sizeof *l->rows);
        if (grown == NULL) {
            b->no_memory = true;
            return NULL;
        }
        l->rows = grown;
        l->room = room;
    }
    row = &l->rows[l->count++];
    *row = (struct ladder_row){.kind = kind, .side = side, .at = b->r->records[b->at].at};
    row->arrived_at = row->at;
    for (int i = 0; i < 2; i++)
        row->before[i] = row->after[i] = b->before[i];
    return row;
}

static struct ladder_row *add_note(struct builder *b, enum trace_side side, const char *text)
{
    struct ladder_row *row = add_row(b, LADDER_NOTE, side);

    if (row != NULL)
        snprintf(row->text, sizeof row->text, "%s", text);
    return row;
}

/* Both ends' window scales count, or none; never on a SYN itself [RFC7323 2.2]. */
static void scale_window(const struct builder *b, struct ladder_row *row)
{
    if (!(row->seg.flags & TCP_SYN) && b->has_shift[0] && b->has_shift[1])
        row->window_shift = b->shift[row->side];
    row->window = (uint32_t)row->seg.window << row->window_shift;
}

static void note_syn(struct builder *b, const struct ladder_row *row)
{
    struct tcp_options options;

    tcp_options_parse(span_of(row->seg.options, row->seg.options_len), &options);
    b->has_shift[row->side] = (options.present & TCP_HAS_WINDOW_SCALE) != 0;
    /* More than 14 counts as 14 [RFC7323 2.3]. */
    b->shift[row->side] = options.window_scale < 14 ? options.window_scale : 14;
}

/* What the handshake says of it so far; the SYN and the SYN-ACK have flags, not a counter. */
static enum ladder_ninth ninth_of(struct builder *b, uint16_t flags)
{
    unsigned ace = (unsigned)(flags & ECN_FLAGS) >> ACE_SHIFT;

    if (flags & TCP_RST)
        return LADDER_AE;
    if (!(flags & TCP_SYN))
        return b->ninth;
    if (!(flags & TCP_ACK) && !b->is_asked) {
        b->is_asked = ace != 0 && ace != 3;
        b->ninth = b->is_asked ? LADDER_AE : LADDER_NS;
    } else if ((flags & TCP_ACK) && b->is_asked && ace >= 2 && ace <= 6) {
        b->ninth = LADDER_ACE;
    }
    return b->is_asked ? LADDER_AE : b->ninth;
}

static struct ladder_row *add_segment(struct builder *b, enum trace_side from,
                                      const struct tcp_packet *packet)
{
    struct ladder_row *row = add_row(b, LADDER_SEGMENT, from);

    if (row == NULL)
        return NULL;
    row->seg = packet->seg;
    row->packet = b->r->records[b->at].packet;
    row->ninth = ninth_of(b, row->seg.flags);
    row->is_first = b->segment_count++ < FIRST_SEGMENTS || packet->seg.flags & TCP_SYN;
    if (packet->seg.flags & TCP_SYN)
        note_syn(b, row);
    scale_window(b, row);
    if (packet->seg.len > 0 || packet->seg.flags & (TCP_SYN | TCP_FIN))
        b->sent_at[from] = row->at;
    return row;
}

/* ---- changes of state ---- */

/*
 * Whether a segment that this side sends at once goes with what it does now, and shows the
 * change of state: the FIN of a close, the SYN of a connect.
 */
static bool goes_with_a_segment(const struct builder *b, enum trace_side side)
{
    const struct trace_record *now = &b->r->records[b->at];
    struct tcp_packet packet;

    for (size_t i = b->at + 1; i < b->r->count && b->r->records[i].at - now->at < at_once_ns; i++) {
        const struct trace_record *record = &b->r->records[i];
        if (record->side != side)
            continue;
        if (is_event(record, WEIR_TRACE_PACKET_OUT) && read_record(b->l, record, &packet))
            return true;
        if (is_event(record, WEIR_TRACE_PACKET_IN) || is_event(record, WEIR_TRACE_TIMER))
            return false;
    }
    return false;
}

/* Nothing that is seen goes with the change of state: a call, or time that has passed. */
static void note_state(struct builder *b, enum trace_side side, enum weir_tcp_state state)
{
    weir_ns_t now = b->r->records[b->at].at;
    char text[TRACE_TEXT_MAX] = "";
    struct ladder_row *row;

    if (b->call[side] != NULL)
        snprintf(text, sizeof text, "call: %s", b->call[side]);
    else if (now > b->state_at[side])
        snprintf(text, sizeof text, "after %.3f s", (double)(now - b->state_at[side]) / 1e9);
    row = add_note(b, side, text);
    if (row != NULL)
        row->after[side] = state;
}

static void set_state(struct builder *b, enum trace_side side, enum weir_tcp_state state)
{
    weir_ns_t now = b->r->records[b->at].at;
    bool has_cause = b->cause[side] != NO_ROW && b->cause_at[side] == now;

    if (state == b->state[side])
        return;
    if (has_cause)
        b->l->rows[b->cause[side]].after[side] = state;
    else if (!goes_with_a_segment(b, side))
        note_state(b, side, state);
    else
        b->goes_with_next[side] = true;
    if (!b->goes_with_next[side])
        b->before[side] = state;
    b->state[side] = state;
    b->state_at[side] = now;
}

/* The row that was just added is why the side changes its state, until something else is. */
static void set_cause(struct builder *b, enum trace_side side, bool is_row)
{
    b->cause[side] = is_row && b->l->count > 0 ? (ptrdiff_t)b->l->count - 1 : NO_ROW;
    b->cause_at[side] = b->r->records[b->at].at;
    b->call[side] = NULL;
}

static void infer_state(struct builder *b, struct ladder_row *row, enum trace_side side)
{
    if (b->is_recorded[side])
        return;
    row->after[side] = b->state[side] = b->infer[side].state;
    b->before[side] = b->state[side];
}

/* ---- segments ---- */

/* The row in which this packet left, if it has not arrived yet. */
static ptrdiff_t departure_of(const struct builder *b, const struct trace_record *record)
{
    for (size_t i = 0; i < b->l->count; i++) {
        const struct ladder_row *row = &b->l->rows[i];
        if (row->kind != LADDER_NOTE && row->side == sender_of(record) && !row->is_lost
            && row->arrived_at == WEIR_NEVER && row->packet.len == record->packet.len
            && memcmp(row->packet.bytes, record->packet.bytes, record->packet.len) == 0)
            return (ptrdiff_t)i;
    }
    return NO_ROW;
}

static bool is_sent(const struct ladder_row *row)
{
    return row->kind == LADDER_SEGMENT || row->kind == LADDER_DEPARTS;
}

/*
 * Whether the receiver has sent something that was under way at the same time, or something
 * else is told between departure and arrival: then these are two rows.
 */
static bool has_crossed(const struct builder *b, size_t departure, enum trace_side to)
{
    weir_ns_t sent_at = b->l->rows[departure].at, now = b->r->records[b->at].at;

    for (size_t i = 0; i < b->l->count; i++) {
        const struct ladder_row *row = &b->l->rows[i];
        if (row->at >= now)
            continue;
        if (is_sent(row) && row->side == to && !row->is_lost && row->arrived_at > sent_at)
            return true;
        if (i > departure && row->kind == LADDER_NOTE && row->at > sent_at)
            return true;
    }
    return false;
}

/* The same bytes were sent before; a SYN that has become a SYN ACK is something new. */
static void note_retransmit(const struct builder *b, struct ladder_row *again)
{
    const uint16_t alike = TCP_SYN | TCP_ACK;

    for (size_t i = b->l->count - 1; i-- > 0;) {
        const struct ladder_row *row = &b->l->rows[i];
        if (is_sent(row) && row->side == again->side && row->seg.seq == again->seg.seq
            && (row->seg.flags & alike) == (again->seg.flags & alike)
            && (row->seg.len > 0 || row->seg.flags & (TCP_SYN | TCP_FIN))) {
            again->is_retransmit = true;
            again->is_first = false;
            again->again_ns = again->at - row->at;
            return;
        }
    }
}

static void depart(struct builder *b, const struct tcp_packet *packet)
{
    const struct trace_record *record = &b->r->records[b->at];
    enum trace_side from = record->side, to = other(from);
    struct ladder_row *row = add_segment(b, from, packet);

    if (row == NULL)
        return;
    row->after[from] = b->state[from];
    if (record->event.retransmit)
        note_retransmit(b, row);
    b->before[from] = b->state[from];
    b->goes_with_next[from] = false;
    set_cause(b, from, true);
    if (b->is_recorded[to]) {
        row->arrived_at = WEIR_NEVER;
        return;
    }
    infer_received(&b->infer[to], &packet->seg);
    infer_state(b, row, to);
}

/* It arrives where it was recorded, and so it was when it left. */
static void arrive(struct builder *b, ptrdiff_t departure)
{
    const struct trace_record *record = &b->r->records[b->at];
    enum trace_side to = record->side;
    struct ladder_row *row = &b->l->rows[departure];

    row->arrived_at = record->at;
    if (has_crossed(b, (size_t)departure, to)) {
        struct ladder_row *arrival = add_row(b, LADDER_ARRIVES, row->side);
        if (arrival == NULL)
            return;
        row = &b->l->rows[departure]; /* rows may have moved */
        row->kind = LADDER_DEPARTS;
        arrival->at = row->at;
        arrival->seg = row->seg;
        arrival->packet = row->packet;
        arrival->window = row->window;
        arrival->window_shift = row->window_shift;
        row->after[to] = row->before[to];
        departure = (ptrdiff_t)b->l->count - 1;
        row = arrival;
    }
    row->before[to] = row->after[to] = b->before[to];
    b->cause[to] = b->arrival[to] = departure;
    b->cause_at[to] = record->at;
}

/* A segment from an end that does not tell. */
static void appear(struct builder *b, const struct tcp_packet *packet)
{
    enum trace_side to = b->r->records[b->at].side, from = other(to);
    struct ladder_row *row = add_segment(b, from, packet);

    if (row == NULL)
        return;
    infer_sent(&b->infer[from], &packet->seg);
    infer_state(b, row, from);
    set_cause(b, to, true);
    b->arrival[to] = b->cause[to];
}

static void take_packet(struct builder *b)
{
    const struct trace_record *record = &b->r->records[b->at];
    struct tcp_packet packet;
    ptrdiff_t departure;

    if (!read_record(b->l, record, &packet)) {
        b->cause[record->side] = b->arrival[record->side] = NO_ROW; /* what follows is not ours */
        return;
    }
    if (is_event(record, WEIR_TRACE_PACKET_OUT)) {
        depart(b, &packet);
        return;
    }
    departure = departure_of(b, record);
    if (record->kind == TRACE_RECORD_LOST) {
        if (departure != NO_ROW)
            b->l->rows[departure].is_lost = true;
        return;
    }
    if (departure != NO_ROW)
        arrive(b, departure);
    else
        appear(b, &packet);
    if (packet.seg.len > 0)
        b->got_at[record->side] = record->at;
}

/* ---- what else happens ---- */

static void take_timer(struct builder *b, enum trace_side side, const char *name)
{
    static const struct {
        const char *name, *text;
        enum { SINCE_SENT, SINCE_RECEIVED, SINCE_NOTHING } since;
    } timers[] = {
        {"rto", "retransmission timer", SINCE_SENT},
        {"synack", "SYN-ACK timer", SINCE_SENT},
        {"probe", "zero-window probe timer", SINCE_NOTHING},
        {"delack", "delayed ACK timer", SINCE_RECEIVED},
        {"keepalive", "keep-alive timer", SINCE_NOTHING},
        {"fin_wait2", "FIN-WAIT-2 timer", SINCE_NOTHING},
        {"time_wait", "2 MSL timer", SINCE_SENT},
    };
    weir_ns_t now = b->r->records[b->at].at, since = WEIR_NEVER;
    const char *what = name;
    char text[TRACE_TEXT_MAX];

    for (size_t i = 0; i < sizeof timers / sizeof timers[0]; i++) {
        if (strcmp(timers[i].name, name) != 0)
            continue;
        what = timers[i].text;
        since = timers[i].since == SINCE_SENT       ? b->sent_at[side]
                : timers[i].since == SINCE_RECEIVED ? b->got_at[side]
                                                    : WEIR_NEVER;
    }
    if (since == WEIR_NEVER)
        snprintf(text, sizeof text, "%s", what);
    else
        snprintf(text, sizeof text, "%.60s, after %.3f s", what, (double)(now - since) / 1e9);
    set_cause(b, side, add_note(b, side, text) != NULL);
}

static void take_recovery(struct builder *b, const struct trace_record *record)
{
    if (strcmp(record->text, "fast retransmit") == 0)
        add_note(b, record->side, "a segment is lost: fast retransmit");
    else if (strcmp(record->text, "recovered") == 0)
        add_note(b, record->side, "all that was lost has arrived");
    else if (strcmp(record->text, "congestion experienced") == 0)
        add_note(b, record->side, "the network marks packets: it is congested");
    else if (strcmp(record->text, "reduced") == 0)
        add_note(b, record->side, "the congestion window is reduced");
    else if (strcmp(record->text, "timeout") != 0) /* the timer has been told of */
        add_note(b, record->side, record->text);
}

static void take_mark(struct builder *b, const struct trace_record *record)
{
    struct ladder_row *row = add_note(b, record->side, record->text);

    if (row == NULL || record->state == TRACE_STATE_SAME)
        return;
    row->after[record->side] = record->state;
    b->state[record->side] = b->before[record->side] = record->state;
    b->infer[record->side] = (struct infer){.state = record->state};
}

static void take_drop(struct builder *b, const struct trace_record *record)
{
    ptrdiff_t row = b->arrival[record->side];

    if (row != NO_ROW && b->l->rows[row].arrived_at == record->at)
        b->l->rows[row].why = record->event.why;
}

static void take_event(struct builder *b, const struct trace_record *record)
{
    switch (record->event.kind) {
    case WEIR_TRACE_PACKET_IN:
    case WEIR_TRACE_PACKET_OUT: take_packet(b); break;
    case WEIR_TRACE_STATE:
        if (is_ours(b->l, record))
            set_state(b, record->side, record->event.to);
        break;
    case WEIR_TRACE_DROP: take_drop(b, record); break;
    case WEIR_TRACE_TIMER:
        if (is_ours(b->l, record))
            take_timer(b, record->side, record->text);
        break;
    case WEIR_TRACE_RECOVERY:
        if (is_ours(b->l, record))
            take_recovery(b, record);
        break;
    case WEIR_TRACE_APP: /* what comes of it is seen: a segment, a change of state */
        set_cause(b, record->side, false);
        b->call[record->side] = record->text;
        break;
    case WEIR_TRACE_RTT:
    case WEIR_TRACE_CWND:
    case WEIR_TRACE_KIND_COUNT: break;
    }
}

static void take_records(struct builder *b)
{
    for (b->at = 0; b->at < b->r->count && !b->no_memory; b->at++) {
        const struct trace_record *record = &b->r->records[b->at];
        switch (record->kind) {
        case TRACE_RECORD_EVENT: take_event(b, record); break;
        case TRACE_RECORD_LOST: take_packet(b); break;
        case TRACE_RECORD_MARK: take_mark(b, record); break;
        }
    }
}

/* ---- before the first row ---- */

/* The first TCP packet says which connection it is, and the first SYNs where numbers begin. */
static bool find_ends(struct ladder *l, const struct recording *r)
{
    struct tcp_packet packet;

    for (size_t i = 0; i < r->count; i++) {
        enum trace_side from = sender_of(&r->records[i]);
        if (!is_packet(&r->records[i]) || !read_packet(r->records[i].packet, &packet))
            continue;
        l->ends[from] = packet.src;
        l->ends[other(from)] = packet.dst;
        return true;
    }
    return false;
}

static void find_isns(struct ladder *l, const struct recording *r)
{
    struct tcp_packet packet;

    for (size_t i = 0; i < r->count; i++) {
        enum trace_side from = sender_of(&r->records[i]);
        if (!read_record(l, &r->records[i], &packet) || l->has_isn[from])
            continue;
        if (packet.seg.flags & TCP_RST) /* its numbers come from the segment it answers */
            continue;
        /* Of a connection in the middle, the first number that is seen is 1. */
        l->has_isn[from] = true;
        l->isn[from] = packet.seg.seq - (packet.seg.flags & TCP_SYN ? 0 : 1);
    }
}

/* A recorded end begins with the state it says it leaves, or meets the first packet in. */
static void begin_recorded(struct builder *b, enum trace_side side)
{
    for (size_t i = 0; i < b->r->count; i++) {
        const struct trace_record *record = &b->r->records[i];
        struct tcp_packet packet;
        if (record->side != side || record->kind != TRACE_RECORD_EVENT)
            continue;
        if (is_packet(record) ? read_record(b->l, record, &packet)
                              : record->event.kind == WEIR_TRACE_STATE && is_ours(b->l, record)) {
            b->state[side] = record->event.from;
            return;
        }
    }
}

static void begin_inferred(struct builder *b, enum trace_side side)
{
    struct tcp_packet packet;

    for (size_t i = 0; i < b->r->count; i++)
        if (read_record(b->l, &b->r->records[i], &packet) && sender_of(&b->r->records[i]) == side) {
            infer_init(&b->infer[side], &packet.seg);
            b->state[side] = b->infer[side].state;
            return;
        }
    infer_init(&b->infer[side], NULL);
}

static void begin(struct builder *b)
{
    for (size_t i = 0; i < b->r->count; i++)
        if (b->r->records[i].kind == TRACE_RECORD_EVENT)
            b->is_recorded[b->r->records[i].side] = true;
    for (int side = 0; side < 2; side++) {
        b->cause[side] = b->arrival[side] = NO_ROW;
        b->sent_at[side] = b->got_at[side] = WEIR_NEVER;
        if (b->is_recorded[side])
            begin_recorded(b, (enum trace_side)side);
        else
            begin_inferred(b, (enum trace_side)side);
        b->before[side] = b->state[side];
        b->l->is_inferred[side] = !b->is_recorded[side];
    }
}

/* ---- public ---- */

int ladder_init(struct ladder *l, const struct recording *r, const char *left, const char *right)
{
    struct builder b = {.l = l, .r = r};

    *l = (struct ladder){0};
    snprintf(l->names[TRACE_LEFT], sizeof l->names[0], "%s", left);
    snprintf(l->names[TRACE_RIGHT], sizeof l->names[0], "%s", right);
    if (!find_ends(l, r))
        return WEIR_EAGAIN;
    find_isns(l, r);
    begin(&b);
    take_records(&b);
    l->started_at = l->count > 0 ? l->rows[0].at : 0;
    return b.no_memory || r->is_full ? WEIR_ENOMEM : 0;
}

void ladder_fini(struct ladder *l)
{
    free(l->rows);
    *l = (struct ladder){0};
}

struct seg_origin ladder_origin(const struct ladder *l, const struct ladder_row *row)
{
    return (struct seg_origin){.seq = l->isn[row->side], .ack = l->isn[other(row->side)]};
}

const char *ladder_flags_text(uint16_t flags, enum ladder_ninth ninth, char text[LADDER_FLAGS_MAX])
{
    static const char names[][4] = {"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"};
    /* SYN and FIN first, as people say it; then as in the header. */
    static const uint8_t order[] = {1, 0, 2, 3, 5, 6, 7, 8, 4};
    uint16_t shown = ninth == LADDER_ACE ? flags & (uint16_t)~ECN_FLAGS : flags;
    size_t len = 0;

    for (size_t i = 0; i < sizeof order; i++)
        if (shown & 1u << order[i])
            len += (size_t)snprintf(text + len, LADDER_FLAGS_MAX - len, "%s%s", len > 0 ? " " : "",
                                    order[i] < 8         ? names[order[i]]
                                    : ninth == LADDER_NS ? "NS"
                                                         : "AE");
    if (ninth == LADDER_ACE)
        len += (size_t)snprintf(text + len, LADDER_FLAGS_MAX - len, "%sACE %u", len > 0 ? " " : "",
                                (flags & ECN_FLAGS) >> ACE_SHIFT);
    if (len == 0)
        snprintf(text, LADDER_FLAGS_MAX, "none");
    return text;
}

const char *ladder_time_text(weir_ns_t duration_ns, char text[LADDER_TIME_MAX])
{
    double s = (double)duration_ns / 1e9;
    int decimals = s < 99.9999995 ? 6 : s < 9999.99995 ? 4 : 2;

    snprintf(text, LADDER_TIME_MAX, "%9.*f", decimals, s);
    return text;
}
