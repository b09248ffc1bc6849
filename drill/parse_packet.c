/*
 * parse_packet.c - packets: < those of the peer, > those that the stack is to send
 *
 *   < [ect0] 10000 > 8080 S 0:0(0) win 1000 <mss 1000>
 *   > (tos 0x10) udp (100)
 *   < icmp unreachable frag_needed mtu 1000 [1:1001(1000)]
 *
 * A TCP segment's own text is what seg_text.h reads. This file finds its end, takes comments and
 * newlines out of it, and says where in the script an error is.
 */
#include <ctype.h>
#include <string.h>

#include "drill/parser.h"

enum {
    SEGMENT_MAX = 1024, /* of a segment's text */
    ECN_ECT1 = 1,
    ECN_ECT0 = 2,
    ECN_CE = 3,
};

/* ---- TCP ---- */

/* A segment's text without newlines and comments; the position of each character. */
struct segment_text {
    char text[SEGMENT_MAX];
    struct lex_at at[SEGMENT_MAX];
    size_t len;
};

static void put(struct segment_text *s, char letter, struct lex_at at)
{
    if (s->len + 1 < SEGMENT_MAX) {
        s->text[s->len] = letter;
        s->at[s->len++] = at;
    }
}

static void put_blank(struct segment_text *s, struct lexer *l)
{
    lex_skip_blanks(l);
    put(s, ' ', l->at);
}

static void put_char(struct segment_text *s, struct lexer *l)
{
    put(s, *l->next, l->at);
    lex_skip_char(l);
}

/* Everything up to a blank. */
static void put_run(struct segment_text *s, struct lexer *l)
{
    while (*l->next != '\0' && !isspace((unsigned char)*l->next))
        put_char(s, l);
}

/* Everything up to and with the closing character, on however many lines. */
static void put_until(struct segment_text *s, struct lexer *l, char closing)
{
    while (*l->next != '\0' && *l->next != closing) {
        const char *before = l->next;

        lex_skip_blanks(l);
        if (l->next != before)
            put(s, ' ', l->at);
        else
            put_char(s, l);
    }
    if (*l->next == closing)
        put_char(s, l);
}

static bool starts_with_word(const char *text, const char *word)
{
    size_t len = strlen(word);

    return strncmp(text, word, len) == 0 && isspace((unsigned char)text[len]);
}

/* ack, win, urg and their numbers, and the options. */
static void put_rest(struct segment_text *s, struct lexer *l)
{
    for (;;) {
        lex_skip_blanks(l);
        if (starts_with_word(l->next, "ack") || starts_with_word(l->next, "win")
            || starts_with_word(l->next, "urg")) {
            put(s, ' ', l->at);
            put_run(s, l);
            put_blank(s, l);
            put_run(s, l);
        } else if (*l->next == '<') {
            put(s, ' ', l->at);
            put_until(s, l, '>');
        } else {
            return;
        }
    }
}

/* Reads the segment that starts at the token. */
static bool parse_segment(struct drill_parser *p, struct drill_packet *packet)
{
    struct lexer l = {p->token.text, p->token.at};
    struct segment_text s;
    struct seg_error error;

    s.len = 0;
    put_run(&s, &l);
    put_blank(&s, &l);
    put_run(&s, &l);
    put_rest(&s, &l);
    s.text[s.len] = '\0';
    s.at[s.len] = l.at;
    p->lexer = l;
    if (s.len + 1 == SEGMENT_MAX)
        return drill_parser_fail(p, "the segment's text is too long");
    if (!seg_text_parse(s.text, NULL, &packet->seg, &error))
        return drill_parser_fail_at(p, s.at[error.at], "%s", error.text);
    if (packet->is_in && !(packet->seg.says & SEG_SAYS_OPTIONS))
        return drill_parser_fail(p, "<...> stands for options of packets that are to be seen");
    if (packet->seg.len > UINT16_MAX)
        return drill_parser_fail(p, "a segment has at most 65535 bytes");
    drill_parser_take(p);
    packet->protocol = DRILL_TCP;
    return !p->failed;
}

/* ---- the other protocols ---- */

static bool want_len(struct drill_parser *p, uint32_t *len)
{
    int64_t number = 0;

    if (!drill_parser_want_char(p, '(')
        || !drill_parser_want_number(p, 0, UINT16_MAX, "a number of bytes is", &number)
        || !drill_parser_want_char(p, ')'))
        return false;
    *len = (uint32_t)number;
    return true;
}

/* 10000 > 8080 */
static bool parse_ports(struct drill_parser *p, struct drill_packet *packet)
{
    struct lexer ahead = p->lexer;
    struct lex_token after = lex_take(&ahead);
    int64_t src = 0, dst = 0;

    if (p->token.kind != LEX_NUMBER || !lex_is_char(&after, '>'))
        return true;
    if (!drill_parser_want_number(p, 1, UINT16_MAX, "a port is", &src)
        || !drill_parser_want_char(p, '>')
        || !drill_parser_want_number(p, 1, UINT16_MAX, "a port is", &dst))
        return false;
    packet->src_port = (uint16_t)src;
    packet->dst_port = (uint16_t)dst;
    return true;
}

static bool parse_udp(struct drill_parser *p, struct drill_packet *packet)
{
    packet->protocol = DRILL_UDP;
    return parse_ports(p, packet) && want_len(p, &packet->len);
}

/* first:end(len) */
static bool parse_quoted_segment(struct drill_parser *p, struct drill_packet *packet)
{
    int64_t first = 0, end = 0;

    if (!drill_parser_want_number(p, 0, UINT32_MAX, "udp, raw or a sequence number is", &first)
        || !drill_parser_want_char(p, ':')
        || !drill_parser_want_number(p, 0, UINT32_MAX, "the number after the last byte is", &end)
        || !want_len(p, &packet->quote_len))
        return false;
    if ((uint32_t)first + packet->quote_len != (uint32_t)end)
        return drill_parser_fail(p, "the numbers and the length contradict each other");
    packet->quote_seq = (uint32_t)first;
    return true;
}

/* What an ICMP message quotes; without it, a TCP header whose sequence number is 0. */
static bool parse_quote(struct drill_parser *p, struct drill_packet *packet)
{
    bool ok;

    if (!drill_parser_take_char(p, '['))
        return true;
    if (drill_parser_take_word(p, "udp")) {
        packet->quote = DRILL_QUOTE_UDP;
        ok = want_len(p, &packet->quote_len);
    } else if (drill_parser_take_word(p, "raw")) {
        packet->quote = DRILL_QUOTE_RAW;
        ok = want_len(p, &packet->quote_len);
    } else {
        ok = parse_quoted_segment(p, packet);
    }
    return ok && drill_parser_want_char(p, ']');
}

static bool parse_icmp(struct drill_parser *p, struct drill_packet *packet)
{
    int64_t number = 0;

    packet->protocol = DRILL_ICMP;
    if (p->token.kind != LEX_WORD)
        return drill_parser_want(p, "an ICMP type is");
    packet->icmp_type = drill_parser_text(p);
    drill_parser_take(p);
    if (p->token.kind == LEX_WORD && !lex_is_word(&p->token, "mtu")
        && !lex_is_word(&p->token, "id")) {
        packet->icmp_code = drill_parser_text(p);
        drill_parser_take(p);
    }
    if (drill_parser_take_word(p, "mtu")) {
        if (!drill_parser_want_number(p, 0, UINT32_MAX, "an MTU is", &number))
            return false;
        packet->icmp_mtu = (uint32_t)number;
        packet->has_icmp_mtu = true;
    }
    if (drill_parser_take_word(p, "id")) {
        if (!drill_parser_want_number(p, 0, UINT16_MAX, "an identifier is", &number))
            return false;
        packet->icmp_id = (uint16_t)number;
    }
    return parse_quote(p, packet);
}

/* ---- what IP says ---- */

static bool parse_tos(struct drill_parser *p, struct drill_packet *packet)
{
    static const struct {
        const char *name;
        enum drill_tos_check check;
        uint8_t tos;
    } marks[] = {
        {"noecn", DRILL_TOS_ECN, 0},          {"ect0", DRILL_TOS_ECN, ECN_ECT0},
        {"ect1", DRILL_TOS_ECN, ECN_ECT1},    {"ce", DRILL_TOS_ECN, ECN_CE},
        {"ect01", DRILL_TOS_ECT01, ECN_ECT0},
    };
    int64_t number = 0;

    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (drill_parser_take_word(p, marks[i].name)) {
            packet->tos_check = marks[i].check;
            packet->tos = marks[i].tos;
            return packet->tos_check != DRILL_TOS_ECT01 || !packet->is_in
                   || drill_parser_fail(p, "ect01 is for packets that are to be seen");
        }
    }
    if (!drill_parser_take_word(p, "tos"))
        return drill_parser_want(p, "noecn, ect0, ect1, ce, ect01, tos, flowlabel or ttl is");
    packet->tos_check = DRILL_TOS_WHOLE;
    if (!drill_parser_want_number(p, 0, UINT8_MAX, "the byte is", &number))
        return false;
    packet->tos = (uint8_t)number;
    return true;
}

static bool parse_ip_part(struct drill_parser *p, struct drill_packet *packet)
{
    int64_t number = 0;

    if (drill_parser_take_word(p, "ttl")) {
        if (!drill_parser_want_number(p, 1, UINT8_MAX, "a time to live is", &number))
            return false;
        packet->ttl = (uint8_t)number;
        return true;
    }
    if (!drill_parser_take_word(p, "flowlabel"))
        return parse_tos(p, packet);
    if (!drill_parser_want_number(p, 0, 0xfffff, "a flow label is", &number))
        return false;
    packet->flow_label = (uint32_t)number;
    packet->has_flow_label = true;
    return true;
}

/* [ect0], (tos 0x10, flowlabel 0x1) */
static bool parse_ip(struct drill_parser *p, struct drill_packet *packet)
{
    char closing = lex_is_char(&p->token, '(') ? ')' : ']';

    if (!drill_parser_take_char(p, '[') && !drill_parser_take_char(p, '('))
        return true;
    do {
        if (!parse_ip_part(p, packet))
            return false;
    } while (drill_parser_take_char(p, ','));
    return drill_parser_want_char(p, closing);
}

bool drill_parse_packet(struct drill_parser *p, struct drill_packet **made)
{
    static const char *const tunnels[] = {"ipv4", "ipv6", "gre", "GREv0", "mpls", "encap"};
    struct drill_packet *packet = drill_parser_get(p, sizeof *packet);

    if (packet == NULL)
        return false;
    *made = packet;
    packet->is_in = lex_is_char(&p->token, '<');
    drill_parser_take(p);
    if (!parse_ip(p, packet))
        return false;
    for (size_t i = 0; i < sizeof tunnels / sizeof *tunnels; i++) {
        if (lex_is_word(&p->token, tunnels[i]))
            return drill_parser_fail(p, "packets in tunnels (%s) are not supported", tunnels[i]);
    }
    if (drill_parser_take_word(p, "udp"))
        return parse_udp(p, packet);
    if (drill_parser_take_word(p, "icmp"))
        return parse_icmp(p, packet);
    return parse_ports(p, packet) && parse_segment(p, packet);
}
