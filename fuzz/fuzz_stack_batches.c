/*
 * fuzz_stack_batches.c - a whole stack whose peers speak well, in batches
 *
 * The input is a program, as in fuzz_stack.c; but here most of what peers send is what would come next:
 * trains of segments, several connections' among one another, with a few frames that are damaged, doubled,
 * missing or out of the ordinary. They are handed in many at a time, in one slice or more, while
 * the application reads into buffers that it has posted, closes, and changes its mind, and a driver
 * gives back what it was sent late and in any order.
 *
 * Text is a function of its sequence number, both ways: what the application reads has to be right, and
 * so has what is sent, with its checksums. All memory, frames and lent buffers have to be back at the end.
 */
#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "fuzz/expect.h"
#include "fuzz/input.h"
#include "fuzz/lent.h"
#include "fuzz/scene.h"
#include "wire/pkt.h"
#include <weir/trace.h>

enum {
    STEPS = 400,
    CONNS = 6,
    BATCH = 96,
    FRAME_ROOM = 2048,
    TEXT_MAX = 1460,
    READ_MAX = 70000,
};

struct reading {
    uint8_t *posted;     /* or NULL */
    uint32_t read, sent; /* bytes of text so far */
};

struct run {
    struct input in;
    struct scene scene;
    size_t lent; /* by the application */
    weir_listener_t listener;
    weir_conn_t conns[CONNS];
    struct reading reading[CONNS];
    struct weir_frame batch[BATCH];
    size_t batch_count;
    uint32_t ts_val;
    uint32_t ts_ecr[16]; /* what we said last, by ports */
    struct pkt last;     /* of ours; its spans are in last_bytes */
    uint8_t last_bytes[256];
    uint32_t last_len; /* of its text */
    uint16_t next_port;
};

static uint8_t text_at(uint32_t seq)
{
    return (uint8_t)(seq ^ seq >> 8 ^ seq >> 16);
}

/* ---- frames in ---- */

static void flush(struct run *r)
{
    struct weir_slice lent[BATCH * WEIR_FRAME_SLICES];
    size_t lent_count = 0;

    for (size_t i = 0; r->scene.lends && i < r->batch_count; i++)
        for (size_t k = 0; k < r->batch[i].slice_count; k++)
            lent[lent_count++] = r->batch[i].slices[k];
    weir_input(r->scene.stack, r->scene.netif, r->batch, r->batch_count);
    for (size_t i = 0; i < r->batch_count; i++)
        expect(r->batch[i].release == NULL);
    while (lent_count > 0)
        free(lent[--lent_count].bytes);
    r->batch_count = 0;
}

/* The slices have exactly the bytes that they say. how: where it is cut after its headers. */
static void hand_in(struct run *r, const uint8_t *bytes, size_t len, size_t headers_len,
                    uint8_t how)
{
    struct weir_frame *frame = &r->batch[r->batch_count++];
    size_t cuts[] = {headers_len, headers_len + (len - headers_len) / 3, len};
    size_t first = how & 4 ? 0 : 2, at = 0;

    *frame = (struct weir_frame){.len = len, .flags = how & 1 ? WEIR_FRAME_CSUM_VALID : 0};
    if (how & 8 && headers_len > 0)
        cuts[1] = headers_len;
    for (size_t i = headers_len == 0 ? 2 : first; i < 3; i++) {
        if (cuts[i] == at)
            continue;
        frame->slices[frame->slice_count++] =
            (struct weir_slice){lent_copy(bytes + at, cuts[i] - at), cuts[i] - at};
        at = cuts[i];
    }
    if (!r->scene.lends) {
        struct lender *l = lender_begin(&r->scene.frames);
        for (; l->count < frame->slice_count; l->count++)
            l->bytes[l->count] = frame->slices[l->count].bytes;
        frame->release = lender_release;
        frame->owner = l;
        frame->memory = how & 16 ? 100000 : 0;
    }
    if (r->batch_count == BATCH)
        flush(r);
}

/* What a peer says. */
struct speech {
    struct weir_addr from;
    uint16_t from_port, to_port;
    uint32_t seq, ack;
    uint16_t flags, window;
    uint32_t len;
    struct tcp_options options;
    uint8_t how;        /* it is handed in */
    uint16_t damage_at; /* this byte is another one, if it is in the segment; 0: none is */
    uint8_t tos;
};

static void say(struct run *r, const struct speech *s)
{
    uint8_t bytes[FRAME_ROOM], tcp[TCP_HEADER_MAX + TEXT_MAX], options[TCP_OPTIONS_MAX];
    struct weir_addr to = scene_addr(&r->scene, 1);
    struct scene_ip ip = {s->from, 64, s->tos, IP_PROTOCOL_TCP};
    size_t options_len = 0, len, at;
    struct tcp_header h = {
        .src_port = s->from_port,
        .dst_port = s->to_port,
        .seq = s->seq,
        .ack = s->ack,
        .flags = s->flags,
        .window = s->window,
        .urgent = s->flags & TCP_URG ? s->window : 0,
    };
    uint16_t sum;

    (void)tcp_options_emit(&s->options, options, &options_len);
    h.options = span_of(options, options_len);
    len = tcp_emit(&h, tcp, TCP_HEADER_MAX);
    for (uint32_t i = 0; i < s->len; i++)
        tcp[len + i] = text_at(s->seq + ((s->flags & TCP_SYN) != 0) + i);
    sum = checksum_fold(checksum_add(checksum_pseudo(&s->from, &to, IP_PROTOCOL_TCP, len + s->len),
                                     tcp, len + s->len));
    tcp[TCP_CHECKSUM_AT] = (uint8_t)(sum >> 8);
    tcp[TCP_CHECKSUM_AT + 1] = (uint8_t)sum;
    if (s->damage_at > 0 && s->damage_at < len + s->len)
        tcp[s->damage_at] ^= 0x10;
    at = scene_put_headers(&r->scene, &ip, len + s->len, bytes);
    memcpy(bytes + at, tcp, len + s->len);
    hand_in(r, bytes, at + len + s->len, at + len,
            s->damage_at > 0 ? s->how & 0xfe : s->how); /* the driver would have seen it */
}

/* ---- frames out ---- */

static uint32_t *ecr_of(struct run *r, uint16_t port, uint16_t other)
{
    return &r->ts_ecr[(port ^ other) % 16];
}

/* A whole segment of ours has to be right. */
static void check_segment(struct run *r, const struct weir_frame *frame, struct pkt *p,
                          const uint8_t *text)
{
    struct tcp_options options;

    if (!(frame->flags & WEIR_FRAME_CSUM_PARTIAL))
        expect(pkt_check_checksum(p, 0) == WHY_NONE);
    for (size_t i = 0; i < p->tcp.payload_len; i++)
        expect(text[i] == text_at(p->tcp.seq + ((p->tcp.flags & TCP_SYN) != 0) + (uint32_t)i));
    tcp_options_parse(p->tcp.options, &options);
    if (options.present & TCP_HAS_TIMESTAMPS)
        *ecr_of(r, p->tcp.src_port, p->tcp.dst_port) = options.ts_val;
}

static void note_out(struct run *r, const struct weir_frame *frame)
{
    static uint8_t bytes[70000];
    size_t len = 0, link_len = scene_link_len(&r->scene), headers;
    struct pkt p;

    for (size_t i = 0; i < frame->slice_count; i++) {
        expect(len + frame->slices[i].len <= sizeof bytes);
        memcpy(bytes + len, frame->slices[i].bytes, frame->slices[i].len);
        len += frame->slices[i].len;
    }
    expect(len == frame->len && len >= link_len);
    if (bytes[link_len] >> 4 != (r->scene.is_v6 ? 6 : 4) /* ARP */
        || pkt_parse(span_of(bytes + link_len, len - link_len), len - link_len, &p) != WHY_NONE
        || p.protocol != IP_PROTOCOL_TCP || p.is_fragment)
        return;
    headers = link_len + p.ip_len + p.tcp.header_len;
    check_segment(r, frame, &p, bytes + headers);
    if (headers > sizeof r->last_bytes)
        return;
    memcpy(r->last_bytes, bytes, headers);
    r->last = p;
    r->last_len = tcp_seq_len(&p.tcp);
}

static void send_out(struct run *r, size_t max)
{
    size_t count;
    struct weir_frame **frames = scene_output(&r->scene, max, &count);

    for (size_t i = 0; i < count; i++)
        note_out(r, frames[i]);
}

static void output_all(struct run *r)
{
    for (int i = 0; i < 64; i++) {
        send_out(r, SCENE_KEPT);
        if (r->scene.kept_count == 0)
            return;
        scene_give_all_back(&r->scene);
    }
}

/* ---- what peers do ---- */

static size_t conn_at(struct run *r)
{
    return take(&r->in) % CONNS;
}

static bool address(struct run *r, size_t i, struct speech *s, struct weir_tcp_info *info)
{
    struct weir_endpoint local, remote;

    *s = (struct speech){.from = scene_addr(&r->scene, 2)};
    if (weir_tcp_info(r->scene.stack, r->conns[i], info) != WEIR_OK)
        return false;
    expect(weir_local(r->scene.stack, r->conns[i], &local) == WEIR_OK);
    expect(weir_remote(r->scene.stack, r->conns[i], &remote) == WEIR_OK);
    s->from = remote.addr;
    s->from_port = remote.port;
    s->to_port = local.port;
    s->seq = info->rcv_nxt;
    s->ack = info->snd_nxt;
    s->window = 5000;
    if (info->timestamps_ok)
        tcp_options_stamp(&s->options, r->ts_val, *ecr_of(r, local.port, remote.port));
    return true;
}

/* What is unusual about a segment of a train. */
static void disturb(struct run *r, struct speech *s)
{
    uint8_t how = take(&r->in);

    switch (how % 8) {
    case 0: s->damage_at = (uint16_t)(1 + take16(&r->in) % (s->len + TCP_HEADER_LEN)); break;
    case 1: s->flags |= TCP_PSH; break;
    case 2: s->flags |= TCP_FIN; break;
    case 3: s->flags ^= take16(&r->in) & TCP_FLAGS; break;
    case 4: s->window = take16(&r->in); break;
    case 5: s->seq -= take(&r->in); break;
    case 6: s->ack -= take16(&r->in); break;
    default: s->tos = how >> 6; break;
    }
}

/* bits of shape: a disturbed one at a place, one missing, one twice. */
static void step_train(struct run *r)
{
    static const uint32_t lens[] = {1, 7, 100, 536, 1000, 1448, 1460, 1200};
    size_t a = conn_at(r), b = conn_at(r);
    uint8_t count = take(&r->in) % 48, shape = take(&r->in), how = take(&r->in);
    uint8_t odd_at = take(&r->in) % 48, missing_at = take(&r->in) % 48;
    struct speech s[2];
    struct weir_tcp_info info;
    uint32_t len = lens[shape % 8];

    if (!address(r, a, &s[0], &info) || !address(r, shape & 8 ? b : a, &s[1], &info))
        return;
    s[0].flags = s[1].flags = TCP_ACK;
    s[0].len = s[1].len = len;
    s[0].how = s[1].how = how;
    for (uint8_t i = 0; i < count; i++) {
        struct speech *next = &s[shape & 8 ? (i / (1 + (how >> 6))) % 2 : 0], now;
        if (i + 1 == count && shape & 16)
            next->len = len / 2;
        now = *next;
        if (i == odd_at)
            disturb(r, &now);
        if (i != missing_at)
            say(r, &now);
        if (i == odd_at && shape & 32)
            say(r, &now);
        next->seq += next->len;
    }
    r->ts_val += shape & 64 ? 1 : 0;
    if (!(shape & 128))
        flush(r);
}

/* Acknowledges, and says something perhaps, at any place of the window. */
static void step_segment(struct run *r)
{
    size_t i = conn_at(r);
    uint16_t bits = take16(&r->in);
    struct speech s;
    struct weir_tcp_info info;

    if (!address(r, i, &s, &info))
        return;
    s.flags = bits & TCP_FLAGS;
    s.how = take(&r->in);
    s.window = bits & 0x200 ? take16(&r->in) : 60000;
    s.len = bits & 0x400 ? take16(&r->in) % (TEXT_MAX + 1) : 0;
    if (bits & 0x800)
        s.seq += take16(&r->in) - 0x8000u;
    if (bits & 0x1000)
        s.ack = info.snd_una + take16(&r->in);
    if (bits & 0x2000 && info.sack_ok) {
        s.options.present |= TCP_HAS_SACK;
        s.options.sack_count = 1;
        s.options.sack[0].left = info.snd_una + take16(&r->in);
        s.options.sack[0].right = s.options.sack[0].left + take16(&r->in);
        s.ack = info.snd_una;
    }
    if (bits & 0x4000)
        s.options.present = 0;
    say(r, &s);
    if (!(bits & 0x8000))
        flush(r);
}

static void add_syn_options(const struct run *r, struct speech *s, uint8_t which)
{
    s->options = (struct tcp_options){.present = TCP_HAS_MSS, .mss = which & 1 ? 1460 : 536};
    if (which & 2) {
        s->options.present |= TCP_HAS_WINDOW_SCALE;
        s->options.window_scale = 7;
    }
    if (which & 4)
        s->options.present |= TCP_HAS_SACK_PERMITTED;
    if (which & 8)
        tcp_options_stamp(&s->options, r->ts_val, 0);
}

static void step_syns(struct run *r)
{
    uint8_t count = 1 + take(&r->in) % 24, which = take(&r->in), how = take(&r->in);
    struct speech s = {
        .from = scene_addr(&r->scene, how & 32 ? (uint8_t)(3 + how % 4) : 2),
        .to_port = 80,
        .flags = which & 16 ? TCP_SYN | TCP_ECE | TCP_CWR : TCP_SYN,
        .window = 60000,
        .len = which & 32 ? take(&r->in) : 0,
        .how = how,
        .damage_at = which & 64 ? take(&r->in) : 0,
    };

    add_syn_options(r, &s, which);
    for (uint8_t i = 0; i < count; i++) {
        s.from_port = r->next_port++;
        s.seq = 0x7ffffff0u + i;
        say(r, &s);
    }
    if (!(which & 128))
        flush(r);
}

/* The last segment that was sent is answered as it should be. */
static void step_answer(struct run *r)
{
    const struct tcp_header *h = &r->last.tcp;
    uint8_t how = take(&r->in);
    struct tcp_options options;
    struct speech s = {
        .from = r->last.dst,
        .from_port = h->dst_port,
        .to_port = h->src_port,
        .seq = h->flags & TCP_ACK ? h->ack : 0x7ffffff0u,
        .ack = h->seq + r->last_len,
        .flags = TCP_ACK,
        .window = 60000,
        .how = take(&r->in),
    };

    if (r->last.version == 0)
        return;
    if ((h->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN) {
        s.flags |= TCP_SYN;
        add_syn_options(r, &s, how);
    } else {
        s.len = how & 1 ? take16(&r->in) % TEXT_MAX : 0;
        s.flags |= how & 2 ? TCP_FIN : 0;
        tcp_options_parse(h->options, &options);
        if (options.present & TCP_HAS_TIMESTAMPS)
            tcp_options_stamp(&s.options, r->ts_val, options.ts_val);
    }
    say(r, &s);
    if (!(how & 128))
        flush(r);
}

static void step_flush(struct run *r)
{
    flush(r);
}

static void step_time(struct run *r)
{
    r->ts_val += scene_step_time(&r->scene, &r->in);
}

/* ---- what the driver does ---- */

static void step_output(struct run *r)
{
    uint8_t how = take(&r->in);

    send_out(r, how & 1 ? SCENE_KEPT : (size_t)(how >> 4) + 1);
    if (how & 2)
        scene_give_all_back(&r->scene);
}

static void step_give_back(struct run *r)
{
    for (uint8_t count = take(&r->in); count > 0 && r->scene.kept_count > 0; count--)
        scene_give_back(&r->scene, take(&r->in) % r->scene.kept_count);
}

/* ---- what the application does ---- */

/* The handle is given up, and with it what was posted. */
static void forget(struct run *r, size_t i)
{
    if (r->conns[i] != 0)
        (void)weir_close(r->scene.stack, r->conns[i]);
    r->conns[i] = 0;
    free(r->reading[i].posted);
    r->reading[i] = (struct reading){0};
}

static void step_open(struct run *r)
{
    size_t i = conn_at(r);
    uint8_t how = take(&r->in);
    struct weir_endpoint to = {.addr = scene_addr(&r->scene, how < 240 ? 2 : 1), .port = 80};
    struct weir_opt_value fast[] = {{WEIR_OPT_FASTOPEN, 1}, {WEIR_OPT_FASTOPEN_NO_COOKIE, how & 8}};

    forget(r, i);
    if (how % 4 == 0)
        (void)weir_connect_with(r->scene.stack, NULL, &to, fast, how & 4 ? 2 : 0, &r->conns[i]);
    else
        (void)weir_accept(r->scene.stack, r->listener, &r->conns[i]);
}

/* Of text that was sent or received, counted from the first byte. */
static void expect_text(const struct run *r, size_t i, const uint8_t *bytes, ptrdiff_t len)
{
    struct weir_tcp_info info;

    if (len <= 0)
        return;
    expect(weir_tcp_info(r->scene.stack, r->conns[i], &info) == WEIR_OK);
    for (uint32_t k = 0; k < (uint32_t)len; k++)
        expect(bytes[k] == text_at(info.irs + 1 + r->reading[i].read + k));
}

static void note_read(struct run *r, size_t i, ptrdiff_t len)
{
    if (len > 0)
        r->reading[i].read += (uint32_t)len;
}

static void step_send(struct run *r)
{
    static uint8_t bytes[READ_MAX];
    size_t i = conn_at(r), len = take16(&r->in);
    uint8_t how = take(&r->in);
    struct weir_tcp_info info;
    ptrdiff_t n;

    if (weir_tcp_info(r->scene.stack, r->conns[i], &info) != WEIR_OK)
        return;
    len = how & 64 ? len % 3000 : len;
    for (size_t k = 0; k < len; k++)
        bytes[k] = text_at(info.iss + 1 + r->reading[i].sent + (uint32_t)k);
    if (how & 8 && len > 0) {
        struct lender *l = lender_begin(&r->lent);
        l->bytes[l->count++] = lent_copy(bytes, len);
        n = weir_send_lent(r->scene.stack, r->conns[i], (struct weir_slice){l->bytes[0], len},
                           how & 7, lender_release, l);
        if (n < 0)
            lender_release(l);
    } else {
        n = weir_send(r->scene.stack, r->conns[i], bytes, len, how & 7);
    }
    expect(n <= (ptrdiff_t)len);
    if (n > 0)
        r->reading[i].sent += (uint32_t)n;
}

static void step_post(struct run *r)
{
    size_t i = conn_at(r), len = take16(&r->in) + (size_t)1;
    struct reading *reading = &r->reading[i];
    void *bytes;
    ptrdiff_t n;

    if (reading->posted == NULL) {
        reading->posted = malloc(len);
        expect(reading->posted != NULL);
        if (weir_recv_post(r->scene.stack, r->conns[i], reading->posted, len) != WEIR_OK) {
            free(reading->posted);
            reading->posted = NULL;
        }
        return;
    }
    n = weir_recv_take(r->scene.stack, r->conns[i], &bytes);
    expect(n != WEIR_ESTATE && bytes == reading->posted);
    expect_text(r, i, bytes, n);
    note_read(r, i, n);
    free(reading->posted);
    reading->posted = NULL;
}

static void step_recv(struct run *r)
{
    static uint8_t bytes[READ_MAX];
    size_t i = conn_at(r), len = take16(&r->in), count, skip;
    struct weir_slice slices[3];
    ptrdiff_t n;

    if (len % 4 == 0) {
        skip = len % 300;
        n = weir_peek(r->scene.stack, r->conns[i], skip, bytes, len);
        r->reading[i].read += (uint32_t)skip;
        expect_text(r, i, bytes, n);
        r->reading[i].read -= (uint32_t)skip;
        return;
    }
    if (len % 2 == 0) {
        n = weir_recv(r->scene.stack, r->conns[i], bytes, len);
        expect(n <= (ptrdiff_t)len);
        expect_text(r, i, bytes, n);
        note_read(r, i, n);
        return;
    }
    n = weir_recv_lent(r->scene.stack, r->conns[i], slices, 3, &count);
    if (n <= 0)
        return;
    expect_text(r, i, slices[0].bytes, (ptrdiff_t)slices[0].len);
    n = (ptrdiff_t)(len % (size_t)(n + 1));
    expect(weir_recv_done(r->scene.stack, r->conns[i], (size_t)n) == WEIR_OK);
    note_read(r, i, n);
}

static void step_end(struct run *r)
{
    size_t i = conn_at(r);
    uint8_t how = take(&r->in) % 4;

    if (how == 0) {
        (void)weir_abort(r->scene.stack, r->conns[i]);
        r->conns[i] = 0;
        forget(r, i);
    } else if (how == 1) {
        forget(r, i);
    } else {
        (void)weir_shutdown(r->scene.stack, r->conns[i]);
    }
}

static void step_option(struct run *r)
{
    uint8_t which = take(&r->in);

    scene_step_option(&r->scene, &r->in, which < 200 ? r->conns[which % CONNS] : r->listener);
}

static void add_netif(struct run *r, uint8_t how)
{
    struct weir_netif_config netif = {
        .link = r->scene.is_ethernet ? WEIR_LINK_ETHERNET : WEIR_LINK_IP,
        .mac = {2, 0, 0, 0, 0, 1},
        .mtu = how & 2 ? 9000 : 1500,
        .offloads = how & 4   ? 7
                    : how & 8 ? 1
                              : 0,
    };
    struct weir_prefix prefix = scene_prefix(&r->scene);

    if (weir_netif_add(r->scene.stack, &netif, &r->scene.netif) == WEIR_OK)
        (void)weir_addr_add(r->scene.stack, r->scene.netif, &prefix);
}

static void step_network(struct run *r)
{
    struct weir_prefix p = scene_prefix(&r->scene);
    struct weir_endpoint at = {.port = 80};
    uint8_t how = take(&r->in);

    switch (how % 8) {
    case 0: (void)weir_netif_set_mtu(r->scene.stack, r->scene.netif, take16(&r->in)); break;
    case 1: (void)weir_addr_remove(r->scene.stack, r->scene.netif, &p.addr); break;
    case 2:
        scene_give_all_back(&r->scene);
        (void)weir_netif_remove(r->scene.stack, r->scene.netif);
        break;
    case 3: add_netif(r, how >> 3); break;
    case 4: (void)weir_close(r->scene.stack, r->listener); break;
    case 5: (void)weir_listen(r->scene.stack, &at, how >> 4, &r->listener); break;
    default: (void)weir_addr_add(r->scene.stack, r->scene.netif, &p); break;
    }
}

static void step_configure(struct run *r)
{
    struct weir_tcp_config config = *weir_tcp_config(r->scene.stack);
    uint8_t how = take(&r->in);

    switch (how % 8) {
    case 0: config.syn_cookies = (enum weir_syn_cookies)((how >> 3) % 3); break;
    case 1: config.pacing = how & 8; break;
    case 2: config.slow_start_after_idle = how & 8; break;
    case 3:
        config.mtu_probing = (enum weir_mtu_probing)((how >> 3) % WEIR_MTU_PROBING_MODES);
        break;
    case 4: config.ecn = (enum weir_ecn)((how >> 3) % WEIR_ECN_MODES); break;
    case 5: config.recv_buffer_bytes = config.recv_buffer_max_bytes = 2048u << (how >> 5); break;
    case 6: config.cubic_as_linux = how & 8; break;
    default: config.fastopen_takes_no_cookie = how & 8; break;
    }
    (void)weir_tcp_configure(r->scene.stack, &config);
}

static void step_events(struct run *r)
{
    scene_step_events(&r->scene);
}

static void step_memory(struct run *r)
{
    r->scene.memory.fail_in = take(&r->in) % 8;
}

static void on_trace(void *ctx, const struct weir_trace *event)
{
    (void)ctx;
    expect(event->kind < WEIR_TRACE_KIND_COUNT);
}

static void step_trace(struct run *r)
{
    weir_trace_set(r->scene.stack, take(&r->in) & 1 ? on_trace : NULL, NULL);
}

static void (*const steps[])(struct run *) = {
    step_train,   step_train,  step_train,  step_train,  step_segment, step_segment,
    step_segment, step_syns,   step_answer, step_answer, step_answer,  step_flush,
    step_time,    step_time,   step_output, step_output, step_output,  step_give_back,
    step_open,    step_open,   step_send,   step_send,   step_post,    step_post,
    step_recv,    step_recv,   step_end,    step_option, step_network, step_configure,
    step_events,  step_memory, step_trace,
};

/* ---- before and after ---- */

/* One connection that we have opened, and some that the peer has. */
static void open_some(struct run *r, uint8_t options)
{
    struct weir_endpoint to = {.addr = scene_addr(&r->scene, 2), .port = 80};
    struct speech s = {.to_port = 80, .flags = TCP_SYN, .window = 60000};

    weir_tcp_next_isn(r->scene.stack, 0xfffffff0);
    (void)weir_connect(r->scene.stack, NULL, &to, &r->conns[0]);
    output_all(r);
    for (size_t i = 0; i < CONNS - 2; i++) {
        struct run asked = *r;
        uint8_t answer[] = {options, 0};
        if (i > 0) { /* a SYN, its answer, and the end of the handshake */
            s.from = scene_addr(&r->scene, 2);
            s.from_port = r->next_port++;
            s.seq = 0x7ffffff0;
            add_syn_options(r, &s, options);
            say(r, &s);
            flush(r);
            output_all(r);
            answer[0] = 0;
        }
        r->in = (struct input){answer, sizeof answer};
        step_answer(r);
        r->in = asked.in;
        output_all(r);
        if (i > 0)
            (void)weir_accept(r->scene.stack, r->listener, &r->conns[i]);
    }
}

static void begin(struct run *r)
{
    uint8_t how = take(&r->in), more = take(&r->in), network = take(&r->in);
    struct weir_endpoint listen_at = {.port = 80};
    struct scene *s = &r->scene;
    struct weir_config config;

    s->is_ethernet = how & 1;
    s->is_v6 = how & 2;
    s->lends = how & 4;
    r->next_port = 2000;
    weir_config_init(&config);
    config.allocator = lent_allocator(&s->memory);
    if (how & 8) {
        config.slab_bytes = 8192;
        config.buffer_large = 4096;
    }
    config.tcp.pacing = how & 16;
    config.tcp.sack = !(how & 32);
    config.tcp.syn_cookies = how & 64 ? WEIR_SYN_COOKIES_ALWAYS : WEIR_SYN_COOKIES_ON_OVERFLOW;
    config.memory_limit = how & 128 ? 1500000 : 8000000;
    config.tcp.congestion_control = weir_congestion_control_name(more % 8) != NULL
                                        ? weir_congestion_control_name(more % 8)
                                        : "cubic";
    config.tcp.cubic_as_linux = more & 8;
    config.tcp.ecn = (enum weir_ecn)((more >> 4) % WEIR_ECN_MODES);
    config.syn_queue = 8;
    config.timewaits = 4;
    config.cpu_features = 0;
    expect(weir_create(&config, 0, &s->stack) == WEIR_OK);
    add_netif(r, network);
    expect(s->netif != 0);
    scene_settle(s);
    (void)weir_listen(s->stack, &listen_at, 4, &r->listener);
    (void)weir_set(s->stack, r->listener, WEIR_OPT_FASTOPEN_QUEUE, 2);
    open_some(r, network >> 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct run *r = calloc(1, sizeof *r);

    expect(r != NULL);
    r->in = (struct input){bytes, len};
    begin(r);
    for (int i = 0; i < STEPS && r->in.len > 0; i++) {
        steps[take(&r->in) % (sizeof steps / sizeof steps[0])](r);
        scene_check(&r->scene);
    }
    flush(r);
    scene_end(&r->scene);
    expect(r->lent == 0);
    for (size_t i = 0; i < CONNS; i++)
        free(r->reading[i].posted);
    free(r);
    return 0;
}
