/*
 * parts.c - what records are made of, written and read
 */
#include "replay/parts.h"

#include "replay/log.h"

/* ---- writing ---- */

void parts_put_addr(struct writer *w, const struct weir_addr *addr)
{
    writer_put_u8(w, addr != NULL);
    if (addr != NULL)
        writer_put_bytes(w, addr->b, sizeof addr->b);
}

void parts_put_prefix(struct writer *w, const struct weir_prefix *prefix)
{
    writer_put_bytes(w, prefix->addr.b, sizeof prefix->addr.b);
    writer_put_u8(w, prefix->len);
}

void parts_put_endpoint(struct writer *w, const struct weir_endpoint *e)
{
    writer_put_u8(w, e != NULL);
    if (e == NULL)
        return;
    writer_put_bytes(w, e->addr.b, sizeof e->addr.b);
    writer_put_be16(w, e->port);
    log_put_number(w, e->netif);
}

void parts_put_bytes(struct writer *w, const struct weir_slice *slice)
{
    log_put_number(w, slice->len);
    writer_put_bytes(w, slice->bytes, slice->len);
}

/* What a driver says of a frame, in either direction. */
void parts_put_metadata(struct writer *w, const struct weir_frame *f)
{
    log_put_number(w, f->len);
    writer_put_u8(w, f->gso);
    writer_put_u8(w, f->flags);
    log_put_number(w, f->gso_size);
    log_put_number(w, f->csum_start);
    log_put_number(w, f->csum_offset);
    log_put_number(w, f->header_len);
}

/* ---- reading ---- */

const struct weir_addr *parts_take_addr(struct cursor *c, struct weir_addr *addr)
{
    if (cursor_take_u8(c) == 0)
        return NULL;
    cursor_take_bytes(c, addr->b, sizeof addr->b);
    return addr;
}

const struct weir_prefix *parts_take_prefix(struct cursor *c, struct weir_prefix *prefix)
{
    cursor_take_bytes(c, prefix->addr.b, sizeof prefix->addr.b);
    prefix->len = cursor_take_u8(c);
    return prefix;
}

const struct weir_endpoint *parts_take_endpoint(struct cursor *c, struct weir_endpoint *e)
{
    *e = (struct weir_endpoint){0};
    if (cursor_take_u8(c) == 0)
        return NULL;
    cursor_take_bytes(c, e->addr.b, sizeof e->addr.b);
    e->port = cursor_take_be16(c);
    e->netif = (weir_netif_t)log_take_up_to(c, UINT32_MAX);
    return e;
}

struct span parts_take_bytes(struct cursor *c)
{
    return cursor_take_span(c, (size_t)log_take_up_to(c, c->left));
}

/* Lent bytes that are only read: of the log itself. */
struct weir_slice parts_slice_of(struct span s)
{
    union {
        const uint8_t *read_only;
        uint8_t *bytes;
    } u = {s.bytes};

    return (struct weir_slice){u.bytes, s.len};
}

void parts_take_metadata(struct cursor *c, struct weir_frame *f)
{
    *f = (struct weir_frame){0};
    f->len = (size_t)log_take_up_to(c, UINT32_MAX);
    f->gso = cursor_take_u8(c);
    f->flags = cursor_take_u8(c);
    f->gso_size = (uint16_t)log_take_up_to(c, UINT16_MAX);
    f->csum_start = (uint16_t)log_take_up_to(c, UINT16_MAX);
    f->csum_offset = (uint16_t)log_take_up_to(c, UINT16_MAX);
    f->header_len = (uint16_t)log_take_up_to(c, UINT16_MAX);
}
