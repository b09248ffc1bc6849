/*
 * seg_text.h - TCP segments in packetdrill's notation
 *
 *   S 0:0(0) win 65535 <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7>
 *   P. 1:101(100) ack 1 win 257
 *
 * In this order: flags, first sequence number, the one after the last byte, the number of
 * bytes in between (SYN and FIN do not count); then, each only if there is one to say,
 * ack, win, urg and the options.
 *
 * Flags: F FIN, S SYN, R RST, P PSH, . ACK, U URG, E ECE, W CWR, A AE; "-" for none. A digit
 * from 0 to 7 may stand for A, W and E together (the ACE counter); it is written as letters.
 *
 * Options, as they follow one another in the header: eol, nop, mss N, wscale N, sackOK,
 * sack A:B C:D, TS val N ecr N, md5 HEX, FO HEX, FOEXP HEX (without HEX: a request for a
 * cookie), ECN e0b N ceb N e1b N and ECN e1b N ceb N e0b N (AccECN; counters at the end may
 * be missing). Beyond packetdrill: "opt KIND HEX" is an option that has no name, or not the
 * length that its name stands for, and "raw HEX" are bytes that are no options.
 *
 * <...> stands for any options, and a text without win for any window: seg_text_differs
 * does not look at them. What is written is in one form only: reading it and writing it
 * again gives the same text, and the options keep every byte.
 *
 * Numbers are relative to an origin: what is 0 on each side. Without one they are raw.
 * Those of SACK count, like ack, from the other side's origin.
 */
#ifndef FORMAT_SEG_TEXT_H
#define FORMAT_SEG_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/tcp.h"

enum {
    SEG_TEXT_MAX = 384, /* room for any segment's text, with the NUL */
};

/* What a text speaks of; what it does not is 0, or left open in a comparison. */
enum seg_says {
    SEG_SAYS_ACK = 1,
    SEG_SAYS_WINDOW = 2,
    SEG_SAYS_URGENT = 4,
    SEG_SAYS_OPTIONS = 8, /* not <...>; no options at all says that there are none */
};

struct seg_text {
    uint32_t seq; /* raw */
    uint32_t ack;
    uint32_t len;   /* of the payload */
    uint16_t flags; /* enum tcp_flag */
    uint16_t window;
    uint16_t urgent;
    uint8_t says; /* enum seg_says */
    uint8_t options_len;
    uint8_t options[TCP_OPTIONS_MAX];
};

struct seg_origin {
    uint32_t seq; /* the raw number that is written as 0: the sender's ISN */
    uint32_t ack; /* the receiver's */
};

struct seg_error {
    size_t at;        /* the offset in the text at which it goes wrong */
    const char *text; /* what is expected there, or what is wrong */
};

/* Reads a segment. False, and *error (which may be NULL), if the text is not one. */
bool seg_text_parse(const char *text, const struct seg_origin *origin, struct seg_text *seg,
                    struct seg_error *error);

/* Writes it, as much as there is room for; returns the length of the whole text. */
size_t seg_text_emit(const struct seg_text *seg, const struct seg_origin *origin, char *text,
                     size_t room);

/*
 * Compares what has been seen with what is wanted, as far as that says: NULL if they agree,
 * or the name of the first thing that differs ("flags", "seq", "len", "ack", "win", "urg",
 * "options"). Options are compared as a header has them, padded to whole words with eol.
 */
const char *seg_text_differs(const struct seg_text *want, const struct seg_text *seen);

/* From a header and to one; its ports and checksum are 0, its options point into *seg. */
struct seg_text seg_text_of(const struct tcp_header *header);
struct tcp_header seg_text_header(const struct seg_text *seg);

#endif
