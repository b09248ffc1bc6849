/*
 * router.c - what a node without a stack does with a packet: send it on
 *
 * It counts down the time to live, and answers a packet that is too long for the next link with
 * ICMP, as path MTU discovery wants it [RFC1191 3; RFC4443 3.2]. It sends no other ICMP.
 */
#include "sim/world.h"

#include "base/checksum.h"
#include "base/num.h"
#include <string.h>

enum {
    IP4_LEN = 20,
    IP6_LEN = 40,
    ICMP_LEN = 8,
    QUOTED4 = 548,  /* an ICMP error has at most 576 bytes [RFC1812 4.3.2.3] */
    QUOTED6 = 1232, /* 1280 [RFC4443 2.4 (c)] */
    DONT_FRAGMENT = 0x40,
};

/* False: it has run out. */
static bool count_down(struct view *v)
{
    uint16_t old_word = v->version == 4 ? view_get16(v->ip + 8) : 0;
    uint8_t *ttl = v->version == 4 ? v->ip + 8 : v->ip + 7;

    if (*ttl <= 1)
        return false;
    (*ttl)--;
    if (v->version == 4)
        view_set16(v->ip + 10,
                   checksum_update16(view_get16(v->ip + 10), old_word, view_get16(v->ip + 8)));
    return true;
}

static struct packet *too_big4(const struct weir_sim *s, uint32_t node, const struct view *v,
                               struct packet *p)
{
    size_t quoted = size_min(v->ip_len, QUOTED4), len = IP4_LEN + ICMP_LEN + quoted;
    struct weir_addr from = weir_sim_addr(s, node + 1, false);
    struct packet *answer = packet_get(p->store, len);
    uint8_t *b;

    if (answer == NULL)
        return NULL;
    b = answer->frame.bytes;
    memset(b, 0, IP4_LEN + ICMP_LEN);
    b[0] = 0x45;
    view_set16(b + 2, (uint32_t)len);
    b[8] = 64;
    b[9] = VIEW_ICMP4;
    memcpy(b + 12, from.b + 12, 4);
    memcpy(b + 16, v->ip + 12, 4);
    view_set16(b + 10, checksum_fold(checksum_add(0, b, IP4_LEN)));
    b[20] = 3; /* destination unreachable: fragmentation needed */
    b[21] = 4;
    memcpy(b + IP4_LEN + ICMP_LEN, v->ip, quoted);
    return answer;
}

static struct packet *too_big6(const struct weir_sim *s, uint32_t node, const struct view *v,
                               struct packet *p)
{
    size_t quoted = size_min(v->ip_len, QUOTED6), len = IP6_LEN + ICMP_LEN + quoted;
    struct weir_addr from = weir_sim_addr(s, node + 1, true);
    struct packet *answer = packet_get(p->store, len);
    uint8_t *b;

    if (answer == NULL)
        return NULL;
    b = answer->frame.bytes;
    memset(b, 0, IP6_LEN + ICMP_LEN);
    b[0] = 0x60;
    view_set16(b + 4, (uint32_t)(ICMP_LEN + quoted));
    b[6] = VIEW_ICMP6;
    b[7] = 64;
    memcpy(b + 8, from.b, 16);
    memcpy(b + 24, v->ip + 8, 16);
    b[IP6_LEN] = 2; /* packet too big */
    memcpy(b + IP6_LEN + ICMP_LEN, v->ip, quoted);
    return answer;
}

/* The MTU stands at the same place in both versions, 16 of its 32 bits in version 4. */
static void finish_answer(struct packet *answer, bool is_v6, uint32_t mtu)
{
    uint8_t *b = answer->frame.bytes;
    size_t header = is_v6 ? IP6_LEN : IP4_LEN, len = answer->frame.len - header;
    struct weir_addr src, dst;
    uint32_t sum = 0;

    view_set32(b + header + 4, mtu);
    if (is_v6) {
        memcpy(src.b, b + 8, 16);
        memcpy(dst.b, b + 24, 16);
        sum = checksum_pseudo(&src, &dst, VIEW_ICMP6, len);
    }
    view_set16(b + header + 2, checksum_fold(checksum_add(sum, b + header, len)));
}

static void answer_too_big(struct weir_sim *s, uint32_t node, const struct view *v,
                           struct packet *p, uint32_t mtu)
{
    struct packet *answer;

    if (v->version == 4 && (v->ip[6] & DONT_FRAGMENT) == 0)
        return;
    answer = v->version == 4 ? too_big4(s, node, v, p) : too_big6(s, node, v, p);
    if (answer == NULL)
        return;
    finish_answer(answer, v->version == 6, mtu);
    router_forward(s, node, answer);
}

/* An answer is never too long for a link of IPv6's least MTU, so that one answer makes no other. */
void router_forward(struct weir_sim *s, uint32_t node, struct packet *p)
{
    const struct world_node *n = s->nodes[node];
    uint8_t port = NO_PORT;
    struct view v;
    int64_t to = -1;
    uint32_t mtu;

    if (view_parse(&v, WEIR_LINK_IP, p->frame.bytes, p->frame.len) && count_down(&v))
        to = sim_find(s, v.version == 4 ? v.ip + 16 : v.ip + 24, v.version == 6);
    if (to >= 0)
        port = routes_port(s, node, (uint32_t)to);
    if (port == NO_PORT) {
        packet_put(p);
        return;
    }
    mtu = weir_sim_link_config(s->links[n->ports[port].link].ways[n->ports[port].way])->mtu;
    if (mtu != 0 && p->frame.len > mtu && !n->is_silent && v.protocol != VIEW_ICMP4
        && v.protocol != VIEW_ICMP6)
        answer_too_big(s, node, &v, p, mtu);
    sim_send(s, node, port, p);
}
