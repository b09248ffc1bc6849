/*
 * play.c - the calls of a recording, made again
 *
 * A call is read whole before it is made, so that nothing happens for a record that makes no
 * sense. Everything read is taken for possibly wrong: a log may be damaged in ways that its
 * checks do not see, or be made by somebody.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/config.h>

#include "replay/fields.h"
#include "replay/parts.h"
#include "replay/player.h"

/* ---- frames in ---- */

void player_release_held(void *owner)
{
    struct replay_held *h = owner;

    if (h->next != NULL)
        h->next->previous = h->previous;
    if (h->previous != NULL)
        h->previous->next = h->next;
    else
        *h->list = h->next;
    free(h);
}

/* Memory of len bytes, zeros, that the stack may keep; NULL: there is none. */
static struct replay_held *hold(struct replay *r, size_t len)
{
    struct replay_held *h = calloc(1, sizeof *h + len);

    if (h == NULL)
        return NULL;
    h->list = &r->held;
    h->next = r->held;
    if (h->next != NULL)
        h->next->previous = h;
    r->held = h;
    return h;
}

/* The frame's bytes in memory of their own, which the stack may write to and, if given, keep. */
static struct replay_held *own_bytes(struct replay *r, struct weir_frame *f)
{
    struct replay_held *h = hold(r, f->len);
    size_t at = 0;

    for (size_t i = 0; h != NULL && i < f->slice_count; i++) {
        if (f->slices[i].len > 0)
            memcpy(h->bytes + at, f->slices[i].bytes, f->slices[i].len);
        f->slices[i].bytes = h->bytes + at;
        at += f->slices[i].len;
    }
    return h;
}

static bool take_frame_in(struct replay *r, struct weir_frame *f)
{
    struct cursor *c = &r->body;
    bool is_lent;
    size_t len = 0;
    struct replay_held *h;

    parts_take_metadata(c, f);
    f->memory = (uint32_t)log_take_up_to(c, UINT32_MAX);
    is_lent = cursor_take_u8(c) == 0;
    f->slice_count = cursor_take_u8(c);
    if (f->slice_count == 0 || f->slice_count > WEIR_FRAME_SLICES)
        c->failed = true;
    for (size_t i = 0; i < f->slice_count && !c->failed; i++) {
        f->slices[i] = parts_slice_of(parts_take_bytes(c));
        len += f->slices[i].len;
    }
    if (c->failed || len != f->len)
        return false;
    h = own_bytes(r, f);
    if (h == NULL)
        return false;
    if (is_lent) {
        h->next_lent = r->lent;
        r->lent = h;
    } else {
        f->release = player_release_held;
        f->owner = h;
    }
    return true;
}

static void free_lent(struct replay *r)
{
    while (r->lent != NULL) {
        struct replay_held *h = r->lent;
        r->lent = h->next_lent;
        player_release_held(h);
    }
}

static bool make_frames(struct replay *r, size_t count)
{
    struct weir_frame *frames;
    struct weir_frame **frames_out;

    if (count <= r->frames_room)
        return true;
    frames = realloc(r->frames, count * sizeof *frames);
    if (frames != NULL)
        r->frames = frames;
    frames_out = realloc(r->frames_out, count * sizeof(struct weir_frame *));
    if (frames_out != NULL)
        r->frames_out = frames_out;
    if (frames == NULL || frames_out == NULL)
        return false;
    r->frames_room = count;
    return true;
}

static void tell_frame(struct replay *r, const struct weir_frame *frame, bool is_out)
{
    struct replay_frame f = {
        .netif = r->call.netif,
        .link = replay_link(r, r->call.netif),
        .is_out = is_out,
        .number = r->totals.frames_in + r->totals.frames_out,
        .at = r->totals.at,
        .frame = frame,
    };

    if (r->setup.on_frame != NULL)
        r->setup.on_frame(r->setup.ctx, &f);
}

/* How many of the next count frames pass before it is time to stop. */
static size_t frames_allowed(const struct replay *r, size_t count)
{
    uint64_t passed = r->totals.frames_in + r->totals.frames_out, left;

    if (r->setup.stop_at_frame == 0)
        return count;
    left = r->setup.stop_at_frame > passed ? r->setup.stop_at_frame - passed : 0;
    return left < count ? (size_t)left : count;
}

static enum replay_status after_frames(const struct replay *r)
{
    return r->setup.stop_at_frame != 0
                   && r->totals.frames_in + r->totals.frames_out >= r->setup.stop_at_frame
               ? REPLAY_STOPPED
               : REPLAY_GOES_ON;
}

static enum replay_status do_input(struct replay *r)
{
    struct cursor *c = &r->body;
    bool is_whole = true;
    size_t count, allowed;

    r->call.netif = (weir_netif_t)log_take_up_to(c, UINT32_MAX);
    count = (size_t)log_take_up_to(c, FRAMES_MAX);
    if (c->failed)
        return player_fail_record(r);
    if (!make_frames(r, count))
        return player_fail_memory(r);
    allowed = frames_allowed(r, count);
    for (size_t i = 0; i < allowed && is_whole; i++)
        is_whole = take_frame_in(r, &r->frames[i]);
    for (size_t i = 0; i < allowed && is_whole; i++) {
        r->totals.frames_in++;
        tell_frame(r, &r->frames[i], false);
    }
    if (is_whole)
        weir_input(r->stack, r->call.netif, r->frames, allowed);
    free_lent(r);
    return is_whole ? after_frames(r) : player_fail_record(r);
}

/* ---- frames out ---- */

bool player_keep_out(struct replay *r, struct weir_frame *frame)
{
    void *out = r->out;
    bool ok;

    if (r->out_count == r->out_room) { /* those at the front may be back already */
        size_t gone = 0;
        while (gone < r->out_count && r->out[gone] == NULL)
            gone++;
        if (gone > 0) {
            r->out_count -= gone;
            r->out_first += gone;
            memmove(r->out, r->out + gone, r->out_count * sizeof(struct weir_frame *));
        }
    }
    ok = player_make_room(&out, &r->out_room, r->out_count, sizeof(struct weir_frame *));
    r->out = out;
    if (ok)
        r->out[r->out_count++] = frame;
    return ok;
}

static enum replay_status do_output(struct replay *r)
{
    struct cursor *c = &r->body;
    size_t max, allowed;

    r->call.netif = (weir_netif_t)log_take_up_to(c, UINT32_MAX);
    max = (size_t)log_take_up_to(c, FRAMES_MAX);
    if (c->failed)
        return player_fail_record(r);
    if (!make_frames(r, max))
        return player_fail_memory(r);
    allowed = frames_allowed(r, max);
    r->call.count = weir_output(r->stack, r->call.netif, r->frames_out, allowed);
    for (size_t i = 0; i < r->call.count; i++) {
        r->totals.frames_out++;
        tell_frame(r, r->frames_out[i], true);
        if (!player_keep_out(r, r->frames_out[i]))
            return player_fail_memory(r);
    }
    return after_frames(r);
}

static enum replay_status do_output_done(struct replay *r)
{
    struct cursor *c = &r->body;
    size_t count = (size_t)log_take_up_to(c, FRAMES_MAX), done = 0;

    if (c->failed)
        return player_fail_record(r);
    if (!make_frames(r, count))
        return player_fail_memory(r);
    for (size_t i = 0; i < count; i++) {
        uint64_t number = r->done_next + (uint64_t)log_take_signed(c);
        uint64_t index = number - r->out_first;
        if (c->failed || index >= r->out_count)
            return player_fail_record(r);
        if (r->out[index] != NULL) /* else it was not sent this time */
            r->frames_out[done++] = r->out[index];
        r->out[index] = NULL;
        r->done_next = number + 1;
    }
    weir_output_done(r->stack, r->frames_out, done);
    return REPLAY_GOES_ON;
}

/* What the devices still have, at the end. */
static void give_back_all(struct replay *r)
{
    for (size_t i = 0; i < r->out_count; i++)
        if (r->out[i] != NULL)
            weir_output_done(r->stack, &r->out[i], 1);
    r->out_count = 0;
}

/* ---- the beginning and the end ---- */

static void remember_link(struct replay *r, weir_netif_t netif, enum weir_link link)
{
    r->links[netif % NETIFS_REMEMBERED] = (uint8_t)link;
}

static enum replay_status do_create(struct replay *r)
{
    struct weir_config config;
    struct cursor *c = &r->body;
    char unknown[64], text[192];
    int err;

    if (r->stack != NULL)
        return player_fail_record(r);
    weir_config_init(&config);
    r->totals.started_at = r->totals.at = (weir_ns_t)cursor_take_be64(c);
    cursor_take_bytes(c, config.secret, sizeof config.secret);
    if (!fields_parse(c, config_fields, &config, unknown, sizeof unknown)) {
        (void)snprintf(text, sizeof text,
                       "The configuration that was recorded has \"%s\", which this version does "
                       "not know.",
                       unknown);
        return unknown[0] != 0 ? player_fail(r, text) : player_fail_record(r);
    }
    config.allocator = (struct weir_allocator){player_alloc, player_free, r};
    if (r->setup.memory_limit != 0 && config.memory_limit > r->setup.memory_limit)
        config.memory_limit = r->setup.memory_limit;
    err = weir_create(&config, r->totals.at, &r->stack);
    if (err != 0)
        return err == WEIR_ENOMEM ? player_fail_memory(r) : player_fail_record(r);
    if (r->setup.on_trace != NULL)
        weir_trace_set(r->stack, r->setup.on_trace, r->setup.ctx);
    r->call.result = 0;
    return REPLAY_GOES_ON;
}

void player_destroy(struct replay *r)
{
    give_back_all(r);
    weir_destroy(&r->stack);
    r->handle_count = 0;
}

static enum replay_status do_advance(struct replay *r)
{
    int64_t delta = log_take_signed(&r->body);
    weir_ns_t at = (weir_ns_t)((uint64_t)r->totals.at + (uint64_t)delta);

    if (r->body.failed)
        return player_fail_record(r);
    if (r->setup.stops_at_time && at > r->setup.stop_at) {
        weir_advance(r->stack, r->setup.stop_at);
        r->totals.at = r->setup.stop_at;
        return REPLAY_STOPPED;
    }
    r->totals.at = at;
    weir_advance(r->stack, at);
    return REPLAY_GOES_ON;
}

/* ---- the application's calls ---- */

static void remove_handle(struct replay *r, weir_handle_t handle)
{
    for (size_t i = 0; i < r->handle_count; i++) {
        if (r->handles[i] != handle)
            continue;
        memmove(r->handles + i, r->handles + i + 1, (r->handle_count - i - 1) * sizeof *r->handles);
        r->handle_count--;
        return;
    }
}

/* Memory to receive len bytes into, or as many as a queue can hold. */
static uint8_t *buffer_for(struct replay *r, size_t *len)
{
    if (*len > RECV_MAX)
        *len = RECV_MAX;
    if (*len > r->buffer_room || r->buffer == NULL) {
        uint8_t *grown = realloc(r->buffer, *len > 0 ? *len : 1);
        if (grown == NULL)
            return NULL;
        r->buffer = grown;
        r->buffer_room = *len;
    }
    return r->buffer;
}

/* The answer, which has the bytes that were taken; none if it is not there. */
static struct span bytes_sent(const struct replay *r)
{
    struct log_reader ahead = r->log;
    struct log_record record;

    if (log_next(&ahead, &record) != LOG_RECORD
        || record.kind != ((unsigned)r->call.kind | LOG_ANSWER))
        return span_none();
    (void)log_take_signed(&record.body);
    return parts_take_bytes(&record.body);
}

/* As many bytes as were offered: those that were not taken then do not matter. */
static enum replay_status do_send(struct replay *r)
{
    struct cursor *c = &r->body;
    weir_handle_t handle = cursor_take_be64(c);
    unsigned flags = (unsigned)log_take_up_to(c, UINT_MAX);
    size_t len = (size_t)log_take_up_to(c, SIZE_MAX);
    struct span sent = bytes_sent(r);
    const uint8_t *bytes = sent.bytes;

    if (c->failed)
        return player_fail_record(r);
    if (sent.len < len) {
        uint8_t *buffer = buffer_for(r, &len);
        if (buffer == NULL)
            return player_fail_memory(r);
        if (sent.len > 0)
            memcpy(buffer, sent.bytes, sent.len < len ? sent.len : len);
        bytes = buffer;
    }
    r->call.result = weir_send(r->stack, handle, bytes, len, flags);
    return REPLAY_GOES_ON;
}

/* Lent bytes live as long as the stack wants them. */
static enum replay_status do_send_lent(struct replay *r)
{
    struct cursor *c = &r->body;
    weir_handle_t handle = cursor_take_be64(c);
    unsigned flags = (unsigned)log_take_up_to(c, UINT_MAX);
    bool has_release = cursor_take_u8(c) != 0;
    size_t len = (size_t)log_take_up_to(c, SIZE_MAX);
    struct span sent = bytes_sent(r);
    struct replay_held *h;

    if (c->failed)
        return player_fail_record(r);
    h = hold(r, len < LENT_MAX ? len : LENT_MAX);
    if (h == NULL)
        return player_fail_memory(r);
    if (sent.len > 0)
        memcpy(h->bytes, sent.bytes, sent.len < len ? sent.len : len);
    r->call.result = weir_send_lent(r->stack, handle, (struct weir_slice){h->bytes, len}, flags,
                                    has_release && len <= LENT_MAX ? player_release_held : NULL, h);
    if (r->call.result < 0)
        player_release_held(h);
    return REPLAY_GOES_ON;
}

static enum replay_status do_recv(struct replay *r)
{
    struct cursor *c = &r->body;
    weir_handle_t handle = cursor_take_be64(c);
    size_t len = (size_t)log_take_up_to(c, SIZE_MAX);
    uint8_t *buffer;

    if (c->failed)
        return player_fail_record(r);
    buffer = buffer_for(r, &len);
    if (buffer == NULL)
        return player_fail_memory(r);
    if (r->call.kind == WEIR_CALL_RECV)
        r->call.result = weir_recv(r->stack, handle, buffer, len);
    else if (r->call.kind == WEIR_CALL_UDP_RECV)
        r->call.result = weir_udp_recv(r->stack, handle, buffer, len, &r->remote, &r->local);
    else
        r->call.result = weir_ping_recv(r->stack, handle, buffer, len, &r->reply);
    r->call.len = r->call.result > 0 ? (size_t)r->call.result : 0;
    if (r->call.len > len)
        r->call.len = len;
    return REPLAY_GOES_ON;
}

/* A posted buffer lives until it is taken back, or to the end. */
static enum replay_status do_recv_post(struct replay *r)
{
    struct cursor *c = &r->body;
    weir_handle_t handle = cursor_take_be64(c);
    size_t len = (size_t)log_take_up_to(c, SIZE_MAX);
    struct replay_held *h;

    if (c->failed)
        return player_fail_record(r);
    h = hold(r, len < LENT_MAX ? len : LENT_MAX);
    if (h == NULL)
        return player_fail_memory(r);
    r->call.result = weir_recv_post(r->stack, handle, h->bytes, len);
    if (r->call.result != WEIR_OK)
        player_release_held(h);
    return REPLAY_GOES_ON;
}

static enum replay_status do_recv_take(struct replay *r)
{
    weir_handle_t handle = cursor_take_be64(&r->body);
    void *bytes;

    if (r->body.failed)
        return player_fail_record(r);
    if (r->taken != NULL)
        player_release_held(r->taken);
    r->taken = NULL;
    r->call.result = weir_recv_take(r->stack, handle, &bytes);
    if (bytes != NULL)
        r->taken =
            (struct replay_held *)(void *)((uint8_t *)bytes - offsetof(struct replay_held, bytes));
    return REPLAY_GOES_ON;
}

static enum replay_status do_recv_lent(struct replay *r)
{
    struct cursor *c = &r->body;
    weir_handle_t handle = cursor_take_be64(c);
    size_t max = (size_t)log_take_up_to(c, SIZE_MAX);

    if (c->failed)
        return player_fail_record(r);
    if (max > SLICES_MAX)
        max = SLICES_MAX;
    r->call.result = weir_recv_lent(r->stack, handle, r->slices, max, &r->call.count);
    return REPLAY_GOES_ON;
}

static enum replay_status do_netif_add(struct replay *r)
{
    struct cursor *c = &r->body;
    struct span name = parts_take_bytes(c);
    char unknown[64];

    if (name.len >= sizeof r->netif_name)
        return player_fail_record(r);
    memset(r->netif_name, 0, sizeof r->netif_name);
    if (name.len > 0)
        memcpy(r->netif_name, name.bytes, name.len);
    r->netif_config = (struct weir_netif_config){.name = r->netif_name};
    cursor_take_bytes(c, r->netif_config.mac, sizeof r->netif_config.mac);
    if (!fields_parse(c, netif_config_fields, &r->netif_config, unknown, sizeof unknown))
        return player_fail_record(r);
    r->call.netif = 0;
    r->call.result = weir_netif_add(r->stack, &r->netif_config, &r->call.netif);
    if (r->call.result == 0)
        remember_link(r, r->call.netif, r->netif_config.link);
    return REPLAY_GOES_ON;
}

static enum replay_status do_net(struct replay *r)
{
    struct cursor *c = &r->body;
    const struct weir_addr *addr;
    weir_netif_t netif = 0;
    int64_t number;

    if (r->call.kind != WEIR_CALL_ROUTE_REMOVE)
        netif = (weir_netif_t)log_take_up_to(c, UINT32_MAX);
    switch (r->call.kind) {
    case WEIR_CALL_NETIF_REMOVE:
        if (c->failed)
            break;
        r->call.result = weir_netif_remove(r->stack, netif);
        break;
    case WEIR_CALL_NETIF_SET_MTU:
        number = (int64_t)log_take_up_to(c, UINT32_MAX);
        if (c->failed)
            break;
        r->call.result = weir_netif_set_mtu(r->stack, netif, (uint32_t)number);
        break;
    case WEIR_CALL_ADDR_ADD:
        parts_take_prefix(c, &r->prefix);
        if (c->failed)
            break;
        r->call.result = weir_addr_add(r->stack, netif, &r->prefix);
        break;
    case WEIR_CALL_ADDR_REMOVE:
        addr = parts_take_addr(c, &r->addr);
        if (addr == NULL || c->failed)
            return player_fail_record(r);
        r->call.result = weir_addr_remove(r->stack, netif, addr);
        break;
    case WEIR_CALL_ROUTE_ADD:
        parts_take_prefix(c, &r->prefix);
        addr = parts_take_addr(c, &r->addr);
        if (c->failed)
            break;
        r->call.result = weir_route_add(r->stack, &r->prefix, addr, netif);
        break;
    default:
        parts_take_prefix(c, &r->prefix);
        if (c->failed)
            break;
        r->call.result = weir_route_remove(r->stack, &r->prefix);
        break;
    }
    return c->failed ? player_fail_record(r) : REPLAY_GOES_ON;
}

/* How many options there are, in r->opts. */
static size_t take_opts(struct replay *r, struct cursor *c)
{
    size_t count = (size_t)log_take_up_to(c, OPTS_MAX);

    for (size_t i = 0; i < count; i++) {
        r->opts[i].opt = (enum weir_opt)log_take_up_to(c, INT32_MAX);
        r->opts[i].value = log_take_signed(c);
    }
    return count;
}

static enum replay_status do_connect(struct replay *r)
{
    struct cursor *c = &r->body;
    const struct weir_endpoint *local = parts_take_endpoint(c, &r->local);
    const struct weir_endpoint *remote = parts_take_endpoint(c, &r->remote);
    size_t count = take_opts(r, c);

    if (c->failed || remote == NULL)
        return player_fail_record(r);
    r->call.result = weir_connect_with(r->stack, local, remote, r->opts, count, &r->call.opened);
    return REPLAY_GOES_ON;
}

static enum replay_status do_listen(struct replay *r)
{
    struct cursor *c = &r->body;
    const struct weir_endpoint *local = parts_take_endpoint(c, &r->local);
    uint32_t backlog = (uint32_t)log_take_up_to(c, UINT32_MAX);
    size_t count = take_opts(r, c);

    if (c->failed || local == NULL)
        return player_fail_record(r);
    r->call.result = weir_listen_with(r->stack, local, backlog, r->opts, count, &r->call.opened);
    return REPLAY_GOES_ON;
}

static enum replay_status do_udp_open(struct replay *r)
{
    struct cursor *c = &r->body;
    const struct weir_endpoint *local = parts_take_endpoint(c, &r->local);
    const struct weir_endpoint *remote = parts_take_endpoint(c, &r->remote);

    if (c->failed)
        return player_fail_record(r);
    r->call.result = weir_udp_open(r->stack, local, remote, &r->call.opened);
    return REPLAY_GOES_ON;
}

static enum replay_status do_udp_connect(struct replay *r)
{
    struct cursor *c = &r->body;
    weir_handle_t handle = cursor_take_be64(c);
    const struct weir_endpoint *remote = parts_take_endpoint(c, &r->remote);

    if (c->failed)
        return player_fail_record(r);
    r->call.result = weir_udp_connect(r->stack, handle, remote);
    return REPLAY_GOES_ON;
}

static enum replay_status do_ping_open(struct replay *r)
{
    const struct weir_addr *addr = parts_take_addr(&r->body, &r->addr);

    if (r->body.failed || addr == NULL)
        return player_fail_record(r);
    r->call.result = weir_ping_open(r->stack, addr, &r->call.opened);
    return REPLAY_GOES_ON;
}

static enum replay_status do_datagram(struct replay *r)
{
    struct cursor *c = &r->body;
    weir_handle_t handle = cursor_take_be64(c);
    const struct weir_endpoint *to = NULL;
    uint16_t sequence = 0;
    struct span bytes;

    if (r->call.kind == WEIR_CALL_UDP_SEND)
        to = parts_take_endpoint(c, &r->remote);
    else
        sequence = (uint16_t)log_take_up_to(c, UINT16_MAX);
    bytes = parts_take_bytes(c);
    if (c->failed)
        return player_fail_record(r);
    if (r->call.kind == WEIR_CALL_UDP_SEND)
        r->call.result = weir_udp_send(r->stack, handle, to, bytes.bytes, bytes.len);
    else
        r->call.result = weir_ping_send(r->stack, handle, sequence, bytes.bytes, bytes.len);
    return REPLAY_GOES_ON;
}

/* Calls that have a handle and at most a number. */
static enum replay_status do_handle(struct replay *r)
{
    struct cursor *c = &r->body;
    weir_handle_t handle = cursor_take_be64(c);
    enum weir_opt opt = WEIR_OPT_USER;
    int64_t value = 0;
    size_t len = 0;

    if (r->call.kind == WEIR_CALL_SET) {
        opt = (enum weir_opt)log_take_up_to(c, INT32_MAX);
        value = log_take_signed(c);
    }
    if (r->call.kind == WEIR_CALL_RECV_DONE)
        len = (size_t)log_take_up_to(c, SIZE_MAX);
    if (c->failed)
        return player_fail_record(r);
    switch (r->call.kind) {
    case WEIR_CALL_SET: r->call.result = weir_set(r->stack, handle, opt, value); break;
    case WEIR_CALL_RECV_DONE: r->call.result = weir_recv_done(r->stack, handle, len); break;
    case WEIR_CALL_ACCEPT: r->call.result = weir_accept(r->stack, handle, &r->call.opened); break;
    case WEIR_CALL_SHUTDOWN: r->call.result = weir_shutdown(r->stack, handle); break;
    case WEIR_CALL_CLOSE: r->call.result = weir_close(r->stack, handle); break;
    default: r->call.result = weir_abort(r->stack, handle); break;
    }
    if (r->call.kind == WEIR_CALL_CLOSE || r->call.kind == WEIR_CALL_ABORT)
        remove_handle(r, handle);
    return REPLAY_GOES_ON;
}

static enum replay_status do_next_isn(struct replay *r)
{
    uint32_t isn = (uint32_t)log_take_up_to(&r->body, UINT32_MAX);

    if (r->body.failed)
        return player_fail_record(r);
    weir_tcp_next_isn(r->stack, isn);
    return REPLAY_GOES_ON;
}

static enum replay_status do_fastopen_key(struct replay *r)
{
    uint8_t key[16];

    cursor_take_bytes(&r->body, key, sizeof key);
    if (r->body.failed)
        return player_fail_record(r);
    weir_fastopen_key(r->stack, key);
    return REPLAY_GOES_ON;
}

static enum replay_status do_listener_fastopen_keys(struct replay *r)
{
    uint8_t keys[2][16];
    weir_handle_t listener = cursor_take_be64(&r->body);
    size_t count = (size_t)log_take_up_to(&r->body, 2);

    cursor_take_bytes(&r->body, keys, count * sizeof keys[0]);
    if (r->body.failed)
        return player_fail_record(r);
    r->call.result = weir_listener_fastopen_keys(r->stack, listener, keys, count);
    return REPLAY_GOES_ON;
}

static enum replay_status do_tcp_configure(struct replay *r)
{
    struct weir_config config;
    char unknown[64];

    weir_config_init(&config);
    if (!fields_parse(&r->body, config_fields, &config, unknown, sizeof unknown))
        return player_fail_record(r);
    r->call.result = weir_tcp_configure(r->stack, &config.tcp);
    return REPLAY_GOES_ON;
}

/* ---- all of them ---- */

enum replay_status player_make_call(struct replay *r)
{
    if (r->stack == NULL && r->call.kind != WEIR_CALL_CREATE)
        return player_fail_record(r);
    r->call.opened = 0;
    switch (r->call.kind) {
    case WEIR_CALL_CREATE: return do_create(r);
    case WEIR_CALL_DESTROY: player_destroy(r); return REPLAY_GOES_ON;
    case WEIR_CALL_INPUT: return do_input(r);
    case WEIR_CALL_ADVANCE: return do_advance(r);
    case WEIR_CALL_OUTPUT: return do_output(r);
    case WEIR_CALL_OUTPUT_DONE: return do_output_done(r);
    case WEIR_CALL_DEADLINE: r->call.result = weir_deadline(r->stack); return REPLAY_GOES_ON;
    case WEIR_CALL_EVENT: r->call.result = weir_event(r->stack, &r->event); return REPLAY_GOES_ON;
    case WEIR_CALL_NETIF_ADD: return do_netif_add(r);
    case WEIR_CALL_NETIF_REMOVE:
    case WEIR_CALL_NETIF_SET_MTU:
    case WEIR_CALL_ADDR_ADD:
    case WEIR_CALL_ADDR_REMOVE:
    case WEIR_CALL_ROUTE_ADD:
    case WEIR_CALL_ROUTE_REMOVE: return do_net(r);
    case WEIR_CALL_CONNECT: return do_connect(r);
    case WEIR_CALL_LISTEN: return do_listen(r);
    case WEIR_CALL_UDP_OPEN: return do_udp_open(r);
    case WEIR_CALL_PING_OPEN: return do_ping_open(r);
    case WEIR_CALL_SEND: return do_send(r);
    case WEIR_CALL_SEND_LENT: return do_send_lent(r);
    case WEIR_CALL_RECV:
    case WEIR_CALL_UDP_RECV:
    case WEIR_CALL_PING_RECV: return do_recv(r);
    case WEIR_CALL_RECV_LENT: return do_recv_lent(r);
    case WEIR_CALL_RECV_POST: return do_recv_post(r);
    case WEIR_CALL_RECV_TAKE: return do_recv_take(r);
    case WEIR_CALL_UDP_CONNECT: return do_udp_connect(r);
    case WEIR_CALL_FASTOPEN_KEY: return do_fastopen_key(r);
    case WEIR_CALL_LISTENER_FASTOPEN_KEYS: return do_listener_fastopen_keys(r);
    case WEIR_CALL_SET:
    case WEIR_CALL_ACCEPT:
    case WEIR_CALL_RECV_DONE:
    case WEIR_CALL_SHUTDOWN:
    case WEIR_CALL_CLOSE:
    case WEIR_CALL_ABORT: return do_handle(r);
    case WEIR_CALL_UDP_SEND:
    case WEIR_CALL_PING_SEND: return do_datagram(r);
    case WEIR_CALL_NEXT_ISN: return do_next_isn(r);
    case WEIR_CALL_TCP_CONFIGURE: return do_tcp_configure(r);
    case WEIR_CALL_AUTH: /* nobody has the keys */
    case WEIR_CALL_KIND_COUNT: break;
    }
    return player_fail_record(r);
}
