/*
 * script.h - a script in packetdrill's language, read but not yet run
 *
 *   --tolerance_usecs=10000
 *   `sysctl -q net.ipv4.tcp_sack=0`
 *   0    socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
 *   +.1  < S 0:0(0) win 32792 <mss 1000>
 *   +0   > S. 0:0(0) ack 1 <mss 1460>
 *   +0   %{ assert tcpi_snd_cwnd == 10 }%
 *
 * Options stand first; then events, each a time and what happens then. A command may stand
 * before the first event and after the last one without a time.
 *
 * Times are seconds: T, +T (after the event before), T1~T2, +T1~+T2 and *; ranges and * are for
 * packets that the stack sends. A call may have an end, T...T2: it blocks until then.
 */
#ifndef DRILL_SCRIPT_H
#define DRILL_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drill/lex.h"
#include "drill/memory.h"
#include "format/seg_text.h"

struct drill_code;

enum {
    DRILL_ERROR_MAX = 400,
};

struct drill_error {
    struct lex_at at;
    char text[DRILL_ERROR_MAX]; /* without a full stop */
};

/* ---- what stands between the parentheses of a call ---- */

enum drill_expr_kind {
    DRILL_EXPR_DOTS,
    DRILL_EXPR_NUMBER,
    DRILL_EXPR_WORD,
    DRILL_EXPR_STRING, /* bytes, with the escapes resolved */
    DRILL_EXPR_OR,     /* first | second */
    DRILL_EXPR_SET,    /* word = first */
    DRILL_EXPR_CALL,   /* word(list), as in htons(80) */
    DRILL_EXPR_LIST,   /* [list] */
    DRILL_EXPR_STRUCT, /* {list} */
};

struct drill_expr {
    enum drill_expr_kind kind;
    struct lex_at at;
    int64_t number;
    const char *text; /* of words and strings, with a NUL */
    size_t len;
    struct drill_expr *first, *second; /* first: also the first of a list */
    struct drill_expr *next;           /* in a list */
};

struct drill_call {
    const char *name;
    struct drill_expr *args;
    int64_t end_ns; /* as in the event's time; -1: it does not block */
    struct drill_expr *result;
    const char *errno_name; /* NULL: none is said */
};

/* ---- packets ---- */

enum drill_protocol {
    DRILL_TCP,
    DRILL_UDP,
    DRILL_ICMP,
};

enum drill_tos_check {
    DRILL_TOS_ANY,
    DRILL_TOS_ECN,   /* the two bits */
    DRILL_TOS_ECT01, /* either of the two ECT */
    DRILL_TOS_WHOLE,
};

enum drill_quote {
    DRILL_QUOTE_TCP,
    DRILL_QUOTE_UDP,
    DRILL_QUOTE_RAW,
};

struct drill_packet {
    bool is_in;
    enum drill_protocol protocol;
    uint16_t src_port, dst_port; /* 0: those of the connection */
    enum drill_tos_check tos_check;
    uint8_t tos;
    uint8_t ttl; /* 0: any */
    bool has_flow_label;
    uint32_t flow_label;
    struct seg_text seg;   /* TCP: numbers as the script has them */
    uint32_t len;          /* UDP: bytes of payload */
    const char *icmp_type; /* names */
    const char *icmp_code; /* NULL: none */
    uint32_t icmp_mtu;
    bool has_icmp_mtu;
    uint16_t icmp_id;
    enum drill_quote quote;
    uint32_t quote_seq, quote_len;
};

/* ---- events ---- */

enum drill_time {
    DRILL_TIME_ABSOLUTE,
    DRILL_TIME_RELATIVE,
    DRILL_TIME_RANGE,
    DRILL_TIME_RELATIVE_RANGE,
    DRILL_TIME_ANY,
};

enum drill_event_kind {
    DRILL_EVENT_PACKET,
    DRILL_EVENT_CALL,
    DRILL_EVENT_COMMAND,
    DRILL_EVENT_CODE,
};

struct drill_event {
    struct drill_event *next;
    struct lex_at at;
    const char *text; /* in the source: where the event starts */
    size_t text_len;
    enum drill_time time;
    int64_t start_ns, end_ns;
    enum drill_event_kind kind;
    union {
        struct drill_packet *packet;
        struct drill_call *call;
        const char *command;
        struct drill_code *code;
    };
};

struct drill_option {
    struct drill_option *next;
    struct lex_at at;
    const char *name;
    const char *value; /* "" if none is given */
};

struct drill_script {
    struct drill_memory memory;
    struct drill_option *options;
    struct drill_event *events;
    size_t event_count;
};

/*
 * Reads a script; text ends with a NUL, and the script refers to it. False, and *error, if it
 * is none. To be given to drill_script_fini in either case.
 */
bool drill_script_parse(const char *text, struct drill_script *script, struct drill_error *error);
void drill_script_fini(struct drill_script *script);

#endif
