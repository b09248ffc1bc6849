/*
 * fuzz_stack.c - a whole stack with two connections open
 *
 * The input is a program: frames, whole or made from a few bytes with right checksums, calls
 * of the application, steps in time, allocations that fail. The peers are the input's:
 * nothing answers for them. Invariants of all connections are checked after every step; at the
 * end all memory and every frame has to be back.
 */
#include <stdlib.h>
#include <string.h>

#include "base/be.h"
#include "base/checksum.h"
#include "base/pool.h"
#include "fuzz/expect.h"
#include "fuzz/input.h"
#include "fuzz/lent.h"
#include "fuzz/scene.h"
#include "wire/ip.h"
#include "wire/tcp.h"
#include <weir/auth.h>
#include <weir/stats.h>
#include <weir/udp.h>

enum {
    STEPS = 300,
    FRAME_ROOM = 4096,
    CONNS = 4,
    KEPT = 64,
};

static const uint32_t our_isn = 0xfffffff0; /* both just below a wrap */
static const uint32_t peer_isn = 0x7ffffff0;

struct run {
    struct input in;
    struct scene scene;
    weir_listener_t listener;
    weir_conn_t conns[CONNS];
    weir_udp_t udp;
    weir_ping_t ping;
    uint8_t last[FRAME_ROOM]; /* the last frame that was sent */
    size_t last_len;
};

/* A distance of sequence numbers, also backwards. */
static uint32_t take_distance(struct input *in)
{
    uint16_t v = take16(in);

    return v & 0x8000 ? 0xffff0000u | v : v;
}

/* ---- frames in ---- */

static void hand_in(struct run *r, const uint8_t *bytes, size_t len, uint8_t flags)
{
    struct weir_frame frame = {.len = len, .slice_count = 1, .flags = flags};
    struct lender *l = lender_begin(&r->scene.frames);

    l->bytes[l->count++] = lent_copy(bytes, len);
    frame.slices[0] = (struct weir_slice){l->bytes[0], len};
    if (!r->scene.lends) {
        frame.release = lender_release;
        frame.owner = l;
    }
    weir_input(r->scene.stack, r->scene.netif, &frame, 1);
    expect(frame.release == NULL);
    if (r->scene.lends)
        lender_release(l);
}

/* A transport from the peer at bytes[0..len), with its checksum at offset at. */
static void hand_in_transport(struct run *r, uint8_t protocol, uint8_t *bytes, size_t len,
                              size_t at)
{
    static uint8_t frame[FRAME_ROOM + 64];
    const struct scene *s = &r->scene;
    struct weir_addr src = scene_addr(s, 2), dst = scene_addr(s, 1);
    struct scene_ip ip = {src, s->is_v6 ? 255 : 64, 0, protocol};
    bool has_pseudo = s->is_v6 || protocol != IP_PROTOCOL_ICMP4;
    size_t begin = scene_put_headers(s, &ip, len, frame);
    uint32_t sum = has_pseudo ? checksum_pseudo(&src, &dst, protocol, len) : 0;
    uint16_t checksum;

    if (at + 2 <= len) {
        bytes[at] = bytes[at + 1] = 0;
        checksum = checksum_fold(checksum_add(sum, bytes, len));
        bytes[at] = (uint8_t)(checksum >> 8);
        bytes[at + 1] = (uint8_t)checksum;
    }
    memcpy(frame + begin, bytes, len);
    hand_in(r, frame, begin + len, 0);
}

/* A segment to one of our ports, numbers relative to what the connection expects. */
struct speech {
    uint16_t from, to;
    uint32_t seq, ack;
    uint16_t flags;
};

static void hand_in_segment(struct run *r, const struct speech *s, const uint8_t *options,
                            size_t options_len, size_t text_len)
{
    static uint8_t bytes[FRAME_ROOM];
    struct tcp_header h = {
        .src_port = s->from,
        .dst_port = s->to,
        .seq = s->seq,
        .ack = s->ack,
        .flags = s->flags,
        .window = take16(&r->in),
        .urgent = s->flags & TCP_URG ? take16(&r->in) : 0,
        .options = span_of(options, options_len),
    };
    size_t len = tcp_emit(&h, bytes, TCP_HEADER_MAX);

    memset(bytes + len, 't', text_len);
    hand_in_transport(r, IP_PROTOCOL_TCP, bytes, len + text_len, TCP_CHECKSUM_AT);
}

/* ---- steps ---- */

static void take_text(struct input *in, uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = take(in);
}

static void step_raw_frame(struct run *r)
{
    uint8_t bytes[300];
    uint8_t flags = take(&r->in) & 3;
    size_t len = take16(&r->in) % sizeof bytes;

    take_text(&r->in, bytes, len);
    hand_in(r, bytes, len, (uint8_t)(flags & ~(unsigned)WEIR_FRAME_CSUM_PARTIAL));
}

/* A packet whose IP header and checksums are right, whatever its transport says. */
static void step_transport(struct run *r)
{
    static const uint8_t protocols[] = {
        IP_PROTOCOL_TCP, IP_PROTOCOL_UDP, IP_PROTOCOL_ICMP4, IP_PROTOCOL_ICMP6, 0, 43, 44, 60};
    static const uint8_t places[] = {TCP_CHECKSUM_AT, 6, 2, 2, 200, 200, 200, 200};
    uint8_t bytes[300], kind = take(&r->in) % sizeof protocols;
    size_t len = take16(&r->in) % sizeof bytes;

    take_text(&r->in, bytes, len);
    hand_in_transport(r, protocols[kind], bytes, len, places[kind]);
}

static void step_segment(struct run *r)
{
    uint8_t options[TCP_OPTIONS_MAX], which = take(&r->in);
    size_t options_len = 0, text_len;
    struct speech s = {.from = (uint16_t)(2000 + which % 8), .to = 80};
    struct weir_tcp_info info;
    struct weir_endpoint local, remote;
    weir_conn_t c = r->conns[which % CONNS];
    uint16_t bits = take16(&r->in);

    s.flags = bits & TCP_FLAGS;
    if (weir_tcp_info(r->scene.stack, c, &info) == WEIR_OK && which < 128) {
        expect(weir_local(r->scene.stack, c, &local) == WEIR_OK);
        expect(weir_remote(r->scene.stack, c, &remote) == WEIR_OK);
        s.from = remote.port;
        s.to = local.port;
        s.seq = info.rcv_nxt;
        s.ack = info.snd_una;
        if (bits & 0x2000)
            s.ack = info.snd_nxt;
    } else {
        s.seq = peer_isn;
        s.ack = our_isn + 1;
    }
    if (bits & 0x4000)
        s.seq += take_distance(&r->in);
    if (bits & 0x8000)
        s.ack += take_distance(&r->in);
    text_len = bits & 0x1000 ? take16(&r->in) % 3000 : 0;
    if (bits & 0x0800) {
        options_len = take(&r->in) % (TCP_OPTIONS_MAX + 1);
        take_text(&r->in, options, options_len);
    }
    hand_in_segment(r, &s, options, options_len, text_len);
}

static void step_time(struct run *r)
{
    (void)scene_step_time(&r->scene, &r->in);
}

static void note_last(struct run *r, const struct weir_frame *frame)
{
    size_t len = 0;

    expect(frame->slice_count >= 1 && frame->slice_count <= WEIR_FRAME_SLICES);
    for (size_t i = 0; i < frame->slice_count; i++) {
        size_t n = frame->slices[i].len;
        if (n > sizeof r->last - len % sizeof r->last)
            n = sizeof r->last - len % sizeof r->last;
        if (len < sizeof r->last)
            memcpy(r->last + len, frame->slices[i].bytes, n);
        len += frame->slices[i].len;
    }
    expect(len == frame->len);
    r->last_len = len < sizeof r->last ? len : sizeof r->last;
}

static size_t send_out(struct run *r)
{
    struct scene *s = &r->scene;
    size_t count;
    struct weir_frame **frames = scene_output(s, KEPT - s->kept_count, &count);

    for (size_t i = 0; i < count; i++)
        note_last(r, frames[i]);
    return count;
}

static void step_output(struct run *r)
{
    uint8_t how = take(&r->in);

    for (int i = 0; i < 1 + how % 8; i++) {
        (void)send_out(r);
        if (how < 200 || r->scene.kept_count > KEPT / 2)
            scene_give_all_back(&r->scene);
    }
}

/* An error about the last frame that was sent, with a few bytes changed. */
static void step_icmp_error(struct run *r)
{
    uint8_t bytes[200] = {take(&r->in), take(&r->in)};
    size_t link_len = scene_link_len(&r->scene), len = 8;
    uint8_t changes = take(&r->in) % 4;

    bytes[6] = take(&r->in);
    bytes[7] = take(&r->in);
    if (r->last_len > link_len) {
        size_t n = r->last_len - link_len;
        n = n < sizeof bytes - len ? n : sizeof bytes - len;
        memcpy(bytes + len, r->last + link_len, n);
        len += n;
    }
    for (; changes > 0; changes--)
        bytes[8 + take(&r->in) % (sizeof bytes - 8)] = take(&r->in);
    hand_in_transport(r, r->scene.is_v6 ? IP_PROTOCOL_ICMP6 : IP_PROTOCOL_ICMP4, bytes, len, 2);
}

/* What was sent comes back, changed. */
static void step_reflect(struct run *r)
{
    uint8_t bytes[FRAME_ROOM];
    uint8_t changes = take(&r->in) % 8;

    if (r->last_len == 0)
        return;
    memcpy(bytes, r->last, r->last_len);
    for (; changes > 0; changes--)
        bytes[take16(&r->in) % r->last_len] = take(&r->in);
    hand_in(r, bytes, r->last_len, WEIR_FRAME_CSUM_VALID);
}

static weir_conn_t *conn_of(struct run *r)
{
    return &r->conns[take(&r->in) % CONNS];
}

static void forget(struct run *r, weir_conn_t *c)
{
    if (*c != 0)
        (void)weir_close(r->scene.stack, *c);
    *c = 0;
}

static void step_open(struct run *r)
{
    weir_conn_t *c = conn_of(r);
    uint8_t how = take(&r->in);
    struct weir_endpoint to = scene_endpoint(&r->scene, how < 200 ? 2 : 1, 80);

    forget(r, c);
    if (how % 2 == 0)
        (void)weir_connect(r->scene.stack, NULL, &to, c);
    else
        (void)weir_accept(r->scene.stack, r->listener, c);
}

static void no_release(void *owner)
{
    (void)owner;
}

static void step_send(struct run *r)
{
    static uint8_t bytes[70000];
    weir_conn_t c = *conn_of(r);
    size_t len = take16(&r->in);
    uint8_t how = take(&r->in);
    struct weir_slice slice = {bytes, len};

    if (how & 4)
        (void)weir_send_lent(r->scene.stack, c, slice, how & 3, no_release, NULL);
    else
        (void)weir_send(r->scene.stack, c, bytes, len, how & 3);
}

/* What was posted last is taken back; if nothing was, a read is posted. */
static void step_posted(struct run *r, weir_conn_t c, size_t len)
{
    static uint8_t posted[70000];
    void *bytes;
    ptrdiff_t n = weir_recv_take(r->scene.stack, c, &bytes);

    expect(n <= (ptrdiff_t)sizeof posted && (bytes == NULL || bytes == posted));
    if (n == WEIR_ESTATE)
        (void)weir_recv_post(r->scene.stack, c, posted, len);
}

static void step_recv(struct run *r)
{
    static uint8_t bytes[70000];
    weir_conn_t c = *conn_of(r);
    size_t len = take16(&r->in), count;
    struct weir_slice slices[3];
    ptrdiff_t n;

    if (len % 7 == 0) {
        step_posted(r, c, len);
        return;
    }
    if (len % 2 == 0) {
        n = weir_recv(r->scene.stack, c, bytes, len);
        expect(n <= (ptrdiff_t)len);
        return;
    }
    n = weir_recv_lent(r->scene.stack, c, slices, 3, &count);
    if (n > 0)
        expect(weir_recv_done(r->scene.stack, c, len % (size_t)(n + 1)) == WEIR_OK);
    (void)weir_urgent(r->scene.stack, c);
}

static void step_end(struct run *r)
{
    weir_conn_t *c = conn_of(r);
    uint8_t how = take(&r->in) % 4;

    if (how == 0) {
        (void)weir_abort(r->scene.stack, *c);
        *c = 0;
    } else if (how == 1) {
        forget(r, c);
    } else {
        (void)weir_shutdown(r->scene.stack, *c);
    }
}

static void step_option(struct run *r)
{
    uint8_t which = take(&r->in);

    scene_step_option(&r->scene, &r->in,
                      which < 200   ? *conn_of(r)
                      : which < 230 ? r->listener
                                    : r->udp);
}

static void step_datagram(struct run *r)
{
    static uint8_t bytes[70000];
    uint8_t how = take(&r->in);
    struct weir_endpoint to = scene_endpoint(&r->scene, how < 200 ? 2 : 1, 53), from;
    struct weir_ping_reply reply;
    size_t len = take16(&r->in);

    switch (how % 4) {
    case 0: (void)weir_udp_send(r->scene.stack, r->udp, &to, bytes, len); break;
    case 1: (void)weir_udp_recv(r->scene.stack, r->udp, bytes, len, &from, &to); break;
    case 2: (void)weir_ping_send(r->scene.stack, r->ping, how, bytes, len); break;
    default: (void)weir_ping_recv(r->scene.stack, r->ping, bytes, len, &reply); break;
    }
}

static void step_network(struct run *r)
{
    struct weir_prefix p = scene_prefix(&r->scene);
    uint8_t how = take(&r->in);

    switch (how % 4) {
    case 0: (void)weir_netif_set_mtu(r->scene.stack, r->scene.netif, take16(&r->in)); break;
    case 1: (void)weir_addr_remove(r->scene.stack, r->scene.netif, &p.addr); break;
    default: (void)weir_addr_add(r->scene.stack, r->scene.netif, &p); break;
    }
}

static void step_events(struct run *r)
{
    scene_step_events(&r->scene);
}

static void step_memory(struct run *r)
{
    r->scene.memory.fail_in = take(&r->in) % 4;
}

static void (*const steps[])(struct run *) = {
    step_raw_frame, step_transport, step_segment, step_segment,    step_segment,
    step_time,      step_output,    step_output,  step_icmp_error, step_reflect,
    step_open,      step_send,      step_recv,    step_end,        step_option,
    step_datagram,  step_network,   step_events,  step_memory,
};

/* ---- before and after ---- */

static void output_all(struct run *r)
{
    scene_give_all_back(&r->scene);
    while (send_out(r) > 0)
        scene_give_all_back(&r->scene);
}

/* One connection that we have opened, and one that the peer has. */
static void open_two(struct run *r)
{
    static const uint8_t syn_options[] = {2, 4, 5, 180, 3, 3, 7, 1};
    struct weir_endpoint to = scene_endpoint(&r->scene, 2, 80), local;
    struct speech s = {.from = 80, .seq = peer_isn, .ack = our_isn + 1, .flags = TCP_SYN | TCP_ACK};

    weir_tcp_next_isn(r->scene.stack, our_isn);
    expect(weir_connect(r->scene.stack, NULL, &to, &r->conns[0]) == WEIR_OK);
    output_all(r);
    expect(weir_local(r->scene.stack, r->conns[0], &local) == WEIR_OK);
    s.to = local.port;
    hand_in_segment(r, &s, syn_options, sizeof syn_options, 0);
    output_all(r);

    weir_tcp_next_isn(r->scene.stack, our_isn);
    s = (struct speech){.from = 1999, .to = 80, .seq = peer_isn, .flags = TCP_SYN};
    hand_in_segment(r, &s, syn_options, sizeof syn_options, 0);
    output_all(r);
    s = (struct speech){
        .from = 1999, .to = 80, .seq = peer_isn + 1, .ack = our_isn + 1, .flags = TCP_ACK};
    hand_in_segment(r, &s, syn_options, 0, 0);
    expect(weir_accept(r->scene.stack, r->listener, &r->conns[1]) == WEIR_OK);
    output_all(r);
}

/* A digest that inputs can have: nothing but zeros. */
static void no_digest(void *ctx, enum weir_digest digest, struct weir_slice key,
                      const struct weir_slice *parts, size_t count, uint8_t out[WEIR_DIGEST_MAX])
{
    uint8_t sum = 0;

    (void)ctx, (void)digest, (void)key;
    for (size_t i = 0; i < count; i++) /* they can be read */
        for (size_t n = 0; n < parts[i].len; n++)
            sum |= parts[i].bytes[n];
    memset(out, sum & 0, WEIR_DIGEST_MAX);
}

/* The listener takes data in SYNs, and some listeners want digests. */
static void dress_listener(struct run *r, bool wants_digests, bool is_ao)
{
    static const uint8_t secret[] = {1, 2, 3};
    const struct weir_auth_key key = {.algorithm = is_ao ? WEIR_AUTH_AO_SHA1 : WEIR_AUTH_MD5,
                                      .key = secret,
                                      .key_len = sizeof secret};

    expect(weir_set(r->scene.stack, r->listener, WEIR_OPT_FASTOPEN_QUEUE, 2) == WEIR_OK);
    if (wants_digests)
        expect(weir_auth_add(r->scene.stack, r->listener, &key) == WEIR_OK);
}

static void begin(struct run *r)
{
    uint8_t how = take(&r->in);
    struct weir_netif_config netif = {
        .link = how & 1 ? WEIR_LINK_ETHERNET : WEIR_LINK_IP,
        .mac = {2, 0, 0, 0, 0, 1},
        .mtu = how & 2 ? 9000 : 1500,
        .offloads = how & 4 ? 7 : 0,
    };
    struct scene *s = &r->scene;
    struct weir_prefix prefix;
    struct weir_endpoint listen_at = {.port = 80}, udp_at = {.port = 53};
    struct weir_addr peer;
    struct weir_config config;
    static const struct weir_crypto crypto = {.digest = no_digest};

    s->is_ethernet = how & 1;
    s->is_v6 = how & 8;
    s->lends = how & 16;
    weir_config_init(&config);
    config.allocator = lent_allocator(&s->memory);
    config.slab_bytes = 8192;
    config.buffer_large = 4096;
    config.tcp.timestamps = how & 32;
    config.tcp.abort_on_overflow = how & 64;
    config.memory_limit = how & 128 ? 400000 : 4000000;
    config.syn_queue = 16;
    config.crypto = &crypto;
    config.timewaits = 4;
    config.ip.fragments_bytes = 65536;
    expect(weir_create(&config, 0, &s->stack) == WEIR_OK);
    expect(weir_netif_add(s->stack, &netif, &s->netif) == WEIR_OK);
    prefix = scene_prefix(s);
    expect(weir_addr_add(s->stack, s->netif, &prefix) == WEIR_OK);
    scene_settle(s);
    peer = scene_addr(s, 2);
    expect(weir_listen(s->stack, &listen_at, 4, &r->listener) == WEIR_OK);
    expect(weir_udp_open(s->stack, &udp_at, NULL, &r->udp) == WEIR_OK);
    expect(weir_ping_open(s->stack, &peer, &r->ping) == WEIR_OK);
    open_two(r);
    dress_listener(r, (how & 65) == 65, how & 32);
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
    scene_end(&r->scene);
    free(r);
    return 0;
}
