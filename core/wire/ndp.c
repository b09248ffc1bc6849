/*
 * ndp.c - neighbour discovery for IPv6 [RFC4861], DNS servers in it [RFC8106]
 */
#include "wire/ndp.h"

#include <string.h>

#include "base/addr.h"
#include "base/cursor.h"

enum {
    UNIT = 8, /* options are whole units of eight bytes */
    OPTION_HEAD_LEN = 2,
    RA_MANAGED = 0x80,
    RA_OTHER = 0x40,
    PREFIX_ON_LINK = 0x80,
    PREFIX_AUTONOMOUS = 0x40,
};

#define NA_ROUTER 0x80000000u
#define NA_SOLICITED 0x40000000u
#define NA_OVERRIDE 0x20000000u

enum ndp_option {
    OPTION_SOURCE_MAC = 1,
    OPTION_TARGET_MAC = 2,
    OPTION_PREFIX = 3,
    OPTION_REDIRECTED = 4,
    OPTION_MTU = 5,
    OPTION_NONCE = 14,
    OPTION_DNS = 25,
};

static struct weir_addr take_addr(struct cursor *c)
{
    struct weir_addr addr;

    cursor_take_bytes(c, addr.b, sizeof addr.b);
    return addr;
}

static bool take_mac(struct span value, bool *has_mac, struct eth_addr *mac)
{
    if (*has_mac || value.len != sizeof mac->b)
        return false;
    memcpy(mac->b, value.bytes, sizeof mac->b);
    *has_mac = true;
    return true;
}

static bool take_prefix(struct span value, struct ndp_message *out)
{
    struct cursor c = cursor_of(value);
    struct ndp_prefix *p;
    uint8_t flags;

    if (out->prefix_count == NDP_PREFIX_MAX || value.len != 4 * UNIT - OPTION_HEAD_LEN
        || value.bytes[0] > 128)
        return false;
    p = &out->prefixes[out->prefix_count++];
    p->prefix.len = cursor_take_u8(&c);
    flags = cursor_take_u8(&c);
    p->on_link = (flags & PREFIX_ON_LINK) != 0;
    p->autonomous = (flags & PREFIX_AUTONOMOUS) != 0;
    p->valid_s = cursor_take_be32(&c);
    p->preferred_s = cursor_take_be32(&c);
    cursor_skip(&c, 4);
    p->prefix.addr = take_addr(&c);
    return true;
}

static bool take_mtu(struct span value, struct ndp_message *out)
{
    struct cursor c = cursor_of(value);

    if (out->mtu != 0 || value.len != UNIT - OPTION_HEAD_LEN)
        return false;
    cursor_skip(&c, 2);
    out->mtu = cursor_take_be32(&c);
    return true;
}

static bool take_dns(struct span value, struct ndp_message *out)
{
    struct cursor c = cursor_of(value);

    /* A reserved word and a lifetime, then at least one whole address [RFC8106 5.1]. */
    if (out->dns_count > 0 || value.len < 6 + 16 || (value.len - 6) % 16 != 0)
        return false;
    cursor_skip(&c, 2);
    out->dns_lifetime_s = cursor_take_be32(&c);
    while (!cursor_is_at_end(&c) && out->dns_count < NDP_DNS_MAX)
        out->dns_servers[out->dns_count++] = take_addr(&c);
    return true;
}

static bool take_span(struct span value, struct span *out)
{
    if (!span_is_empty(*out))
        return false;
    *out = value;
    return true;
}

/* Options that a message is not meant to have are ignored, like unknown ones [RFC4861 6.1.2]. */
static bool is_meant_for(enum ndp_option option, uint8_t type)
{
    switch (option) {
    case OPTION_SOURCE_MAC:
        return type == ICMP6_ROUTER_SOLICIT || type == ICMP6_ROUTER_ADVERT
               || type == ICMP6_NEIGHBOUR_SOLICIT;
    case OPTION_TARGET_MAC: return type == ICMP6_NEIGHBOUR_ADVERT || type == ICMP6_REDIRECT;
    case OPTION_PREFIX:
    case OPTION_MTU:
    case OPTION_DNS: return type == ICMP6_ROUTER_ADVERT;
    case OPTION_REDIRECTED: return type == ICMP6_REDIRECT;
    case OPTION_NONCE: return type == ICMP6_NEIGHBOUR_SOLICIT || type == ICMP6_NEIGHBOUR_ADVERT;
    }
    return false;
}

/* Returns false if the option is skipped. */
static bool take_option(uint8_t option, struct span value, struct ndp_message *out)
{
    if (!is_meant_for((enum ndp_option)option, out->type))
        return false;
    switch ((enum ndp_option)option) {
    case OPTION_SOURCE_MAC: return take_mac(value, &out->has_source_mac, &out->source_mac);
    case OPTION_TARGET_MAC: return take_mac(value, &out->has_target_mac, &out->target_mac);
    case OPTION_PREFIX: return take_prefix(value, out);
    case OPTION_REDIRECTED: return take_span(span_drop(value, 6), &out->redirected);
    case OPTION_MTU: return take_mtu(value, out);
    case OPTION_NONCE: return take_span(value, &out->nonce);
    case OPTION_DNS: return take_dns(value, out);
    }
    return false;
}

/* An option of no length spoils the whole message [RFC4861 4.6]. */
static enum why parse_options(struct cursor *c, struct ndp_message *out)
{
    while (!cursor_is_at_end(c)) {
        uint8_t option = cursor_take_u8(c);
        size_t len = cursor_take_u8(c) * (size_t)UNIT;
        struct span value;

        if (len == 0)
            return WHY_NDP_MALFORMED;
        value = cursor_take_span(c, len - OPTION_HEAD_LEN);
        if (c->failed)
            return WHY_NDP_MALFORMED;
        if (!take_option(option, value, out) && out->skipped_count < UINT8_MAX)
            out->skipped_count++;
    }
    return WHY_NONE;
}

/* What stands before the options. */
static void parse_fields(struct cursor *c, uint32_t word, struct ndp_message *out)
{
    switch (out->type) {
    case ICMP6_ROUTER_ADVERT:
        out->hop_limit = (uint8_t)(word >> 24);
        out->managed = (word >> 16 & RA_MANAGED) != 0;
        out->other = (word >> 16 & RA_OTHER) != 0;
        out->router_lifetime_s = (uint16_t)word;
        out->reachable_ms = cursor_take_be32(c);
        out->retransmit_ms = cursor_take_be32(c);
        break;
    case ICMP6_NEIGHBOUR_ADVERT:
        out->from_router = (word & NA_ROUTER) != 0;
        out->solicited = (word & NA_SOLICITED) != 0;
        out->override = (word & NA_OVERRIDE) != 0;
        out->target = take_addr(c);
        break;
    case ICMP6_NEIGHBOUR_SOLICIT: out->target = take_addr(c); break;
    case ICMP6_REDIRECT:
        out->target = take_addr(c);
        out->destination = take_addr(c);
        break;
    default: break;
    }
}

/* Neither a target nor a destination can be a group [RFC4861 7.1, 8.1], nor IPv4 in disguise. */
static bool is_impossible(const struct weir_addr *addr)
{
    return addr->b[0] == 0xff || addr_is_v4(addr);
}

enum why ndp_parse(const struct icmp_message *icmp, struct ndp_message *out)
{
    struct cursor c = cursor_of(icmp->body);

    *out = (struct ndp_message){.type = icmp->type};
    if (!icmp6_is_ndp(icmp->type) || icmp->code != 0 || icmp->body_len != icmp->body.len)
        return WHY_NDP_MALFORMED;
    parse_fields(&c, icmp->word, out);
    if (c.failed || is_impossible(&out->target) || is_impossible(&out->destination))
        return WHY_NDP_MALFORMED;
    return parse_options(&c, out);
}

static uint32_t emit_word(const struct ndp_message *m)
{
    if (m->type == ICMP6_ROUTER_ADVERT)
        return (uint32_t)m->hop_limit << 24 | (m->managed ? (uint32_t)RA_MANAGED << 16 : 0)
               | (m->other ? (uint32_t)RA_OTHER << 16 : 0) | m->router_lifetime_s;
    if (m->type == ICMP6_NEIGHBOUR_ADVERT)
        return (m->from_router ? NA_ROUTER : 0) | (m->solicited ? NA_SOLICITED : 0)
               | (m->override ? NA_OVERRIDE : 0);
    return 0;
}

static void emit_fields(const struct ndp_message *m, struct writer *w)
{
    switch (m->type) {
    case ICMP6_ROUTER_ADVERT:
        writer_put_be32(w, m->reachable_ms);
        writer_put_be32(w, m->retransmit_ms);
        break;
    case ICMP6_NEIGHBOUR_SOLICIT:
    case ICMP6_NEIGHBOUR_ADVERT: writer_put_bytes(w, m->target.b, 16); break;
    case ICMP6_REDIRECT:
        writer_put_bytes(w, m->target.b, 16);
        writer_put_bytes(w, m->destination.b, 16);
        break;
    default: break;
    }
}

static void emit_head(struct writer *w, enum ndp_option option, size_t units)
{
    if (units > UINT8_MAX)
        w->failed = true;
    writer_put_u8(w, (uint8_t)option);
    writer_put_u8(w, (uint8_t)units);
}

static void emit_mac(struct writer *w, enum ndp_option option, const struct eth_addr *mac)
{
    emit_head(w, option, 1);
    writer_put_bytes(w, mac->b, sizeof mac->b);
}

static void emit_prefix(struct writer *w, const struct ndp_prefix *p)
{
    emit_head(w, OPTION_PREFIX, 4);
    writer_put_u8(w, p->prefix.len);
    writer_put_u8(
        w, (uint8_t)((p->on_link ? PREFIX_ON_LINK : 0) | (p->autonomous ? PREFIX_AUTONOMOUS : 0)));
    writer_put_be32(w, p->valid_s);
    writer_put_be32(w, p->preferred_s);
    writer_put_be32(w, 0);
    writer_put_bytes(w, p->prefix.addr.b, 16);
}

static void emit_dns(struct writer *w, const struct ndp_message *m)
{
    size_t count = m->dns_count < NDP_DNS_MAX ? m->dns_count : NDP_DNS_MAX;

    emit_head(w, OPTION_DNS, 1 + 2 * count);
    writer_put_be16(w, 0);
    writer_put_be32(w, m->dns_lifetime_s);
    for (size_t i = 0; i < count; i++)
        writer_put_bytes(w, m->dns_servers[i].b, 16);
}

static void emit_advert_options(struct writer *w, const struct ndp_message *m)
{
    if (m->mtu != 0) {
        emit_head(w, OPTION_MTU, 1);
        writer_put_be16(w, 0);
        writer_put_be32(w, m->mtu);
    }
    for (size_t i = 0; i < m->prefix_count && i < NDP_PREFIX_MAX; i++)
        emit_prefix(w, &m->prefixes[i]);
    if (m->dns_count > 0)
        emit_dns(w, m);
}

static void emit_nonce(struct writer *w, struct span nonce)
{
    if ((OPTION_HEAD_LEN + nonce.len) % UNIT != 0)
        w->failed = true;
    emit_head(w, OPTION_NONCE, (OPTION_HEAD_LEN + nonce.len) / UNIT);
    writer_put_span(w, nonce);
}

static void emit_redirected(struct writer *w, struct span packet)
{
    size_t padding = -packet.len % UNIT;

    emit_head(w, OPTION_REDIRECTED, 1 + (packet.len + padding) / UNIT);
    writer_fill(w, 0, 6);
    writer_put_span(w, packet);
    writer_fill(w, 0, padding);
}

static void emit_options(struct writer *w, const struct ndp_message *m)
{
    if (m->has_source_mac && is_meant_for(OPTION_SOURCE_MAC, m->type))
        emit_mac(w, OPTION_SOURCE_MAC, &m->source_mac);
    if (m->has_target_mac && is_meant_for(OPTION_TARGET_MAC, m->type))
        emit_mac(w, OPTION_TARGET_MAC, &m->target_mac);
    if (m->type == ICMP6_ROUTER_ADVERT)
        emit_advert_options(w, m);
    if (!span_is_empty(m->nonce) && is_meant_for(OPTION_NONCE, m->type))
        emit_nonce(w, m->nonce);
    if (!span_is_empty(m->redirected) && m->type == ICMP6_REDIRECT)
        emit_redirected(w, m->redirected);
}

size_t ndp_emit(const struct ndp_message *m, const struct weir_addr *src,
                const struct weir_addr *dst, uint8_t *out, size_t room)
{
    struct icmp_message icmp = {.type = m->type, .word = emit_word(m)};
    struct writer w = writer_of(out, room);

    if (writer_take(&w, ICMP_HEADER_LEN) == NULL)
        return 0;
    emit_fields(m, &w);
    emit_options(&w, m);
    if (w.failed)
        return 0;
    icmp.body = span_of(out + ICMP_HEADER_LEN, writer_len(&w) - ICMP_HEADER_LEN);
    return icmp6_emit(&icmp, src, dst, out, room);
}
