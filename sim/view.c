/*
 * view.c - where things are in a frame
 */
#include "sim/view.h"

#include "base/checksum.h"
#include "sim/draw.h"
#include <string.h>

enum {
    ETHERNET_LEN = 14,
    VLAN_LEN = 4,
    IP4_LEN = 20,
    IP6_LEN = 40,
    TCP_LEN = 20,
    UDP_LEN = 8,
};

size_t view_link_len(enum weir_link link, const uint8_t *bytes, size_t len)
{
    size_t at = ETHERNET_LEN;

    if (link == WEIR_LINK_IP)
        return 0;
    for (int i = 0; i < 2 && len >= at + VLAN_LEN && view_get16(bytes + at - 2) == 0x8100; i++)
        at += VLAN_LEN;
    return at < len ? at : len;
}

static void parse_l4(struct view *v, size_t ip_header, uint8_t protocol)
{
    size_t least = protocol == VIEW_TCP ? TCP_LEN : UDP_LEN;

    if (protocol == 0 || ip_header + least > v->ip_len)
        return;
    v->l4 = v->ip + ip_header;
    v->l4_len = v->ip_len - ip_header;
    if (protocol == VIEW_TCP) {
        v->header_len = (size_t)(v->l4[12] >> 4) * 4;
        if (v->header_len < TCP_LEN || v->header_len > v->l4_len)
            return;
    }
    v->protocol = protocol;
}

static bool parse_ip4(struct view *v, size_t room)
{
    size_t header = (size_t)(v->ip[0] & 15) * 4, total;

    if (room < IP4_LEN || header < IP4_LEN || header > room)
        return false;
    total = view_get16(v->ip + 2);
    if (total < header)
        return false;
    v->ip_len = total < room ? total : room;
    /* Of a fragment, more to come or an offset, nothing more is looked at. */
    parse_l4(v, header, (view_get16(v->ip + 6) & 0x3fff) != 0 ? 0 : v->ip[9]);
    return true;
}

static bool parse_ip6(struct view *v, size_t room)
{
    size_t total;

    if (room < IP6_LEN)
        return false;
    total = IP6_LEN + (size_t)view_get16(v->ip + 4);
    v->ip_len = total < room ? total : room;
    /* Extension headers are rare, and their packets are left alone. */
    parse_l4(v, IP6_LEN, v->ip[6]);
    return true;
}

bool view_parse(struct view *v, enum weir_link link, uint8_t *bytes, size_t len)
{
    size_t at = view_link_len(link, bytes, len);

    memset(v, 0, sizeof *v);
    if (at >= len)
        return false;
    v->ip = bytes + at;
    v->version = v->ip[0] >> 4;
    if (v->version == 4)
        return parse_ip4(v, len - at);
    return v->version == 6 && parse_ip6(v, len - at);
}

/* ---- ECN ---- */

enum view_ecn view_ecn(const struct view *v)
{
    return (enum view_ecn)(v->version == 4 ? v->ip[1] & 3 : v->ip[1] >> 4 & 3);
}

void view_set_ecn(struct view *v, enum view_ecn ecn)
{
    uint16_t old_word = view_get16(v->ip);

    if (v->version == 6) {
        v->ip[1] = (uint8_t)((v->ip[1] & 0xcf) | ecn << 4);
        return;
    }
    v->ip[1] = (uint8_t)((v->ip[1] & 0xfc) | ecn);
    view_set16(v->ip + 10, checksum_update16(view_get16(v->ip + 10), old_word, view_get16(v->ip)));
}

bool view_mark(enum weir_link link, uint8_t *bytes, size_t len)
{
    struct view v;

    if (!view_parse(&v, link, bytes, len) || view_ecn(&v) == VIEW_NOT_ECT)
        return false;
    if (view_ecn(&v) != VIEW_CE)
        view_set_ecn(&v, VIEW_CE);
    return true;
}

enum view_ecn view_ecn_of(enum weir_link link, uint8_t *bytes, size_t len)
{
    struct view v;

    return view_parse(&v, link, bytes, len) ? view_ecn(&v) : VIEW_NOT_ECT;
}

/* ---- flows and checksums ---- */

static uint64_t mix(uint64_t hash, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i + 4 <= len; i += 4)
        hash = draw_mix(hash ^ view_get32(bytes + i)) + i;
    return hash;
}

uint64_t view_flow(const struct view *v)
{
    uint64_t hash = v->version == 4 ? mix(4, v->ip + 12, 8) : mix(6, v->ip + 8, 32);

    if (v->protocol == VIEW_TCP || v->protocol == VIEW_UDP)
        hash = mix(hash ^ v->protocol, v->l4, 4);
    return hash;
}

static void addresses(const struct view *v, struct weir_addr *src, struct weir_addr *dst)
{
    const uint8_t *a = v->ip + 12;

    if (v->version == 4) {
        *src = weir_addr_v4(a[0], a[1], a[2], a[3]);
        *dst = weir_addr_v4(a[4], a[5], a[6], a[7]);
    } else {
        memcpy(src->b, v->ip + 8, sizeof src->b);
        memcpy(dst->b, v->ip + 24, sizeof dst->b);
    }
}

bool view_is_intact(const struct view *v)
{
    struct weir_addr src, dst;

    addresses(v, &src, &dst);
    return checksum_is_good(
        checksum_add(checksum_pseudo(&src, &dst, v->protocol, v->l4_len), v->l4, v->l4_len));
}

void view_fix_checksums(struct view *v)
{
    struct weir_addr src, dst;
    size_t field = v->protocol == VIEW_TCP ? 16 : 6;

    if (v->version == 4) {
        view_set16(v->ip + 10, 0);
        view_set16(v->ip + 10, checksum_fold(checksum_add(0, v->ip, (size_t)(v->ip[0] & 15) * 4)));
    }
    if (v->protocol != VIEW_TCP && v->protocol != VIEW_UDP)
        return;
    addresses(v, &src, &dst);
    view_set16(v->l4 + field, 0);
    view_set16(v->l4 + field,
               checksum_fold(checksum_add(checksum_pseudo(&src, &dst, v->protocol, v->l4_len),
                                          v->l4, v->l4_len)));
}
