/*
 * pcapng.c - captures: write pcapng, read pcapng and pcap [draft-ietf-opsawg-pcapng]
 *
 * What is written is little-endian on every machine, so that the same packets give the
 * same file. What is read may be anything: every length is compared with what is there
 * before it is used, and the first thing that does not fit ends the reading.
 *
 * A block is: type, length, body, options, the length again. All are multiples of four.
 */
#include "format/pcapng.h"

#include <stdio.h>
#include <string.h>
#include <weir/err.h>

enum block {
    BLOCK_INTERFACE = 1,
    BLOCK_OLD_PACKET = 2,
    BLOCK_SIMPLE_PACKET = 3,
    BLOCK_PACKET = 6,
    BLOCK_SECTION = 0x0a0d0d0a,
};

enum option {
    OPTION_END = 0,
    OPTION_COMMENT = 1,
    OPTION_PACKET_FLAGS = 2,
    OPTION_INTERFACE_NAME = 2,
    OPTION_SECTION_APPLICATION = 4,
    OPTION_TSRESOL = 9,
    OPTION_TSOFFSET = 14,
};

static const uint32_t byte_order_magic = 0x1a2b3c4d;
static const uint32_t pcap_magic_us = 0xa1b2c3d4;
static const uint32_t pcap_magic_ns = 0xa1b23c4d;

enum {
    NAME_MAX_BYTES = 255,
    BLOCK_OVERHEAD = 12, /* type, length, length */
    BLOCK_MAX = 1 << 30, /* a longer block of any kind is taken for damage */
    TSRESOL_US = 6,      /* what an interface has that does not say */
    TSRESOL_NS = 9,
    TSRESOL_BINARY = 0x80,
};

static size_t padded(size_t len)
{
    return (len + 3) & ~(size_t)3;
}

/* ---- writing ---- */

static void store16(uint8_t *to, uint16_t value)
{
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
}

static void store32(uint8_t *to, uint32_t value)
{
    store16(to, (uint16_t)value);
    store16(to + 2, (uint16_t)(value >> 16));
}

static void put(struct pcapng_writer *w, const void *bytes, size_t len)
{
    if (!w->failed && len > 0)
        w->failed = !w->write(w->ctx, bytes, len);
}

static void put32(struct pcapng_writer *w, uint32_t value)
{
    uint8_t bytes[4];

    store32(bytes, value);
    put(w, bytes, sizeof bytes);
}

static void put_padding(struct pcapng_writer *w, size_t len)
{
    static const uint8_t zeros[3];

    put(w, zeros, padded(len) - len);
}

static size_t option_len(size_t len)
{
    return 4 + padded(len);
}

static void put_option(struct pcapng_writer *w, enum option code, const void *value, size_t len)
{
    uint8_t head[4];

    store16(head, (uint16_t)code);
    store16(head + 2, (uint16_t)len);
    put(w, head, sizeof head);
    put(w, value, len);
    put_padding(w, len);
}

static size_t name_len(const char *name)
{
    return name == NULL ? 0 : strnlen(name, NAME_MAX_BYTES);
}

bool pcapng_emit_section(struct pcapng_writer *w, pcapng_write write, void *ctx,
                         const char *application)
{
    static const uint8_t version_and_any_length[] = {1,    0,    0,    0,    0xff, 0xff,
                                                     0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    size_t len = name_len(application);
    uint32_t total = (uint32_t)(28 + (len > 0 ? option_len(len) + 4 : 0));

    *w = (struct pcapng_writer){.write = write, .ctx = ctx};
    put32(w, BLOCK_SECTION);
    put32(w, total);
    put32(w, byte_order_magic);
    put(w, version_and_any_length, sizeof version_and_any_length);
    if (len > 0) {
        put_option(w, OPTION_SECTION_APPLICATION, application, len);
        put_option(w, OPTION_END, NULL, 0);
    }
    put32(w, total);
    return !w->failed;
}

bool pcapng_emit_interface(struct pcapng_writer *w, enum pcapng_link link, const char *name)
{
    static const uint8_t nanoseconds = TSRESOL_NS;
    size_t len = name_len(name);
    uint32_t total = (uint32_t)(20 + (len > 0 ? option_len(len) : 0) + option_len(1) + 4);

    put32(w, BLOCK_INTERFACE);
    put32(w, total);
    put32(w, (uint32_t)link);
    put32(w, 0); /* no limit on the length of packets */
    if (len > 0)
        put_option(w, OPTION_INTERFACE_NAME, name, len);
    put_option(w, OPTION_TSRESOL, &nanoseconds, 1);
    put_option(w, OPTION_END, NULL, 0);
    put32(w, total);
    w->interface_count++;
    return !w->failed;
}

/* The first len bytes of the slices. */
static void put_slices(struct pcapng_writer *w, const struct pcapng_packet *packet, size_t len)
{
    for (size_t i = 0; i < packet->slice_count && len > 0; i++) {
        size_t part = packet->slices[i].len < len ? packet->slices[i].len : len;

        put(w, packet->slices[i].bytes, part);
        len -= part;
    }
}

static size_t slices_len(const struct pcapng_packet *packet)
{
    size_t len = 0;

    for (size_t i = 0; i < packet->slice_count; i++)
        len += packet->slices[i].len;
    return len;
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

bool pcapng_emit_packet(struct pcapng_writer *w, const struct pcapng_packet *packet)
{
    size_t whole = slices_len(packet);
    size_t len = min_size(whole, PCAPNG_PACKET_MAX);
    size_t original = packet->original_len > whole ? packet->original_len : whole;
    size_t comment_len =
        packet->comment == NULL ? 0 : min_size(packet->comment_len, PCAPNG_COMMENT_MAX);
    bool flags = packet->direction != PCAPNG_UNKNOWN;
    size_t options = (comment_len > 0 ? option_len(comment_len) : 0) + (flags ? option_len(4) : 0);
    uint32_t total = (uint32_t)(32 + padded(len) + options + (options > 0 ? 4 : 0));
    uint64_t at = (uint64_t)packet->at;

    put32(w, BLOCK_PACKET);
    put32(w, total);
    put32(w, packet->interface);
    put32(w, (uint32_t)(at >> 32));
    put32(w, (uint32_t)at);
    put32(w, (uint32_t)len);
    put32(w, (uint32_t)min_size(original, UINT32_MAX));
    put_slices(w, packet, len);
    put_padding(w, len);
    if (comment_len > 0)
        put_option(w, OPTION_COMMENT, packet->comment, comment_len);
    if (flags) {
        uint8_t direction[4];

        store32(direction, (uint32_t)packet->direction);
        put_option(w, OPTION_PACKET_FLAGS, direction, sizeof direction);
    }
    if (options > 0)
        put_option(w, OPTION_END, NULL, 0);
    put32(w, total);
    return !w->failed;
}

bool pcapng_write_file(void *ctx, const void *bytes, size_t len)
{
    return fwrite(bytes, 1, len, (FILE *)ctx) == len;
}

/* ---- reading ---- */

/* What a block's first bytes lead to; errors are negative. */
enum outcome {
    OUTCOME_GO_ON = 0, /* no packet */
    OUTCOME_PACKET = 1,
    OUTCOME_END = 2,
};

/* The body of a block, or what is left of it; at is where that stands in the file. */
struct body {
    uint8_t *bytes;
    size_t len;
    uint64_t at;
};

static int fail(struct pcapng_reader *r, uint64_t at, const char *error)
{
    r->error = error;
    r->error_at = at;
    return WEIR_EPROTO;
}

static uint16_t load16(const struct pcapng_reader *r, const uint8_t *from)
{
    unsigned high = from[!r->big_endian], low = from[r->big_endian];

    return (uint16_t)(high << 8 | low);
}

static uint32_t load32(const struct pcapng_reader *r, const uint8_t *from)
{
    uint32_t first = load16(r, from), second = load16(r, from + 2);

    return r->big_endian ? first << 16 | second : second << 16 | first;
}

/* Reads len bytes: 1, 0 if the file ends before the first of them, or an error. */
static int read_exactly(struct pcapng_reader *r, uint8_t *to, size_t len)
{
    ptrdiff_t got = r->read(r->ctx, to, len);

    if (got < 0)
        return fail(r, r->offset, "the file cannot be read");
    r->offset += (uint64_t)got;
    if ((size_t)got == len)
        return 1;
    return got == 0 ? 0 : fail(r, r->offset, "the file ends within a record");
}

/* The same for bytes that must be there. */
static int read_rest(struct pcapng_reader *r, uint8_t *to, size_t len)
{
    int result = len == 0 ? 1 : read_exactly(r, to, len);

    return result == 0 ? fail(r, r->offset, "the file ends within a record") : result;
}

/* One beyond what nanoseconds since 1970 can say is taken as 0. */
static weir_ns_t instant_of(int64_t s, uint32_t ns)
{
    if (s < 0 || s >= WEIR_NEVER / WEIR_S)
        return 0;
    return s * WEIR_S + ns;
}

/* Nanoseconds below one second from a fraction in units of 2^-bits s. */
static uint32_t binary_fraction(uint64_t fraction, unsigned bits)
{
    if (bits > 32) {
        fraction >>= bits - 32;
        bits = 32;
    }
    return (uint32_t)(fraction * (uint64_t)WEIR_S >> bits);
}

static uint64_t power_of_ten(unsigned n)
{
    uint64_t power = 1;

    while (n-- > 0)
        power *= 10;
    return power;
}

/* An instant in units of the interface. Units below 10^-19 or 2^-63 s do not occur. */
static weir_ns_t instant(const struct pcapng_interface *interface, uint64_t units)
{
    unsigned digits = interface->tsresol & ~(unsigned)TSRESOL_BINARY;
    uint64_t s, rest;
    uint32_t ns;

    if (digits > (interface->tsresol & TSRESOL_BINARY ? 63 : 19))
        return 0;
    if (interface->tsresol & TSRESOL_BINARY) {
        s = units >> digits;
        ns = binary_fraction(units - (s << digits), digits);
    } else {
        s = units / power_of_ten(digits);
        rest = units % power_of_ten(digits);
        ns = (uint32_t)(digits <= 9 ? rest * power_of_ten(9 - digits)
                                    : rest / power_of_ten(digits - 9));
    }
    /* Both are below 2^34 in any real file; the bound keeps the sum from overflowing. */
    if (s > UINT64_C(1) << 40 || interface->offset_s > INT64_C(1) << 40
        || interface->offset_s < -(INT64_C(1) << 40))
        return 0;
    return instant_of((int64_t)s + interface->offset_s, ns);
}

/* The next option's value, its code and length; NULL after the last one or an error. */
static const uint8_t *next_option(struct pcapng_reader *r, struct body *options, uint16_t *code,
                                  size_t *len)
{
    const uint8_t *value;

    if (options->len < 4)
        return NULL;
    *code = load16(r, options->bytes);
    *len = load16(r, options->bytes + 2);
    if (*code == OPTION_END)
        return NULL;
    if (padded(*len) > options->len - 4) {
        fail(r, options->at, "an option is longer than its block");
        return NULL;
    }
    value = options->bytes + 4;
    options->bytes += 4 + padded(*len);
    options->len -= 4 + padded(*len);
    options->at += 4 + padded(*len);
    return value;
}

static struct body body_drop(struct body b, size_t len)
{
    return (struct body){b.bytes + len, b.len - len, b.at + len};
}

static int64_t load_signed64(const struct pcapng_reader *r, const uint8_t *from)
{
    uint64_t first = load32(r, from), second = load32(r, from + 4);

    return (int64_t)(r->big_endian ? first << 32 | second : second << 32 | first);
}

static int parse_interface(struct pcapng_reader *r, struct body b)
{
    struct pcapng_interface *interface = &r->interfaces[r->interface_count];
    const uint8_t *value;
    uint16_t code;
    size_t len;

    if (b.len < 8)
        return fail(r, b.at, "an interface block is too short");
    if (r->interface_count == PCAPNG_INTERFACES)
        return fail(r, b.at, "there are more than 64 interfaces");
    *interface =
        (struct pcapng_interface){load16(r, b.bytes), load32(r, b.bytes + 4), TSRESOL_US, 0};
    b = body_drop(b, 8);
    while ((value = next_option(r, &b, &code, &len)) != NULL) {
        if (code == OPTION_TSRESOL && len == 1)
            interface->tsresol = value[0];
        if (code == OPTION_TSOFFSET && len == 8)
            interface->offset_s = load_signed64(r, value);
    }
    if (r->error != NULL)
        return WEIR_EPROTO;
    r->interface_count++;
    return 0;
}

static int parse_packet_options(struct pcapng_reader *r, struct body options,
                                struct pcapng_packet *packet)
{
    const uint8_t *value;
    uint16_t code;
    size_t len;

    while ((value = next_option(r, &options, &code, &len)) != NULL) {
        if (code == OPTION_COMMENT && packet->comment == NULL) {
            packet->comment = (const char *)value;
            packet->comment_len = len;
        }
        if (code == OPTION_PACKET_FLAGS && len == 4 && (load32(r, value) & 3) != 3)
            packet->direction = (enum pcapng_direction)(load32(r, value) & 3);
    }
    return r->error == NULL ? OUTCOME_PACKET : WEIR_EPROTO;
}

/* The bytes of a packet are the first len of b; what follows them are its options. */
static int take_packet(struct pcapng_reader *r, struct body b, size_t len,
                       struct pcapng_packet *packet)
{
    if (packet->interface >= r->interface_count)
        return fail(r, b.at, "a packet names an interface that was not described");
    if (len > b.len)
        return fail(r, b.at, "a packet is longer than its block");
    r->slice = (struct weir_slice){b.bytes, len};
    packet->slices = &r->slice;
    packet->slice_count = 1;
    packet->link = r->interfaces[packet->interface].link;
    return parse_packet_options(r, body_drop(b, min_size(padded(len), b.len)), packet);
}

static int parse_packet(struct pcapng_reader *r, struct body b, struct pcapng_packet *packet)
{
    uint64_t units;

    if (b.len < 20)
        return fail(r, b.at, "a packet block is too short");
    units = (uint64_t)load32(r, b.bytes + 4) << 32 | load32(r, b.bytes + 8);
    packet->original_len = load32(r, b.bytes + 16);
    if (packet->interface < r->interface_count)
        packet->at = instant(&r->interfaces[packet->interface], units);
    return take_packet(r, body_drop(b, 20), load32(r, b.bytes + 12), packet);
}

/* A block without options or time, whose packet was cut by the interface's limit alone. */
static int parse_simple_packet(struct pcapng_reader *r, struct body b, struct pcapng_packet *packet)
{
    size_t len, limit;

    if (b.len < 4 || r->interface_count == 0)
        return fail(r, b.at, "a simple packet block is too short or has no interface");
    packet->original_len = load32(r, b.bytes);
    limit = r->interfaces[0].snaplen == 0 ? SIZE_MAX : r->interfaces[0].snaplen;
    len = min_size(packet->original_len, limit);
    b = body_drop(b, 4);
    if (len > b.len)
        return fail(r, b.at, "a packet is longer than its block");
    b.len = len;
    return take_packet(r, b, len, packet);
}

/* The magic number after the length says which byte order the section has. */
static int parse_section(struct pcapng_reader *r, const uint8_t magic[4])
{
    r->big_endian = false;
    r->interface_count = 0;
    if (load32(r, magic) == byte_order_magic)
        return 0;
    r->big_endian = true;
    if (load32(r, magic) == byte_order_magic)
        return 0;
    return fail(r, r->offset - 4, "a section has no byte-order mark");
}

static int parse_block(struct pcapng_reader *r, uint32_t type, struct body b,
                       struct pcapng_packet *packet)
{
    switch (type) {
    case BLOCK_INTERFACE: return parse_interface(r, b);
    case BLOCK_PACKET:
        packet->interface = b.len < 4 ? 0 : load32(r, b.bytes);
        return parse_packet(r, b, packet);
    case BLOCK_OLD_PACKET: /* as above, with 16 bits for the interface */
        packet->interface = b.len < 4 ? 0 : load16(r, b.bytes);
        return parse_packet(r, b, packet);
    case BLOCK_SIMPLE_PACKET: return parse_simple_packet(r, b, packet);
    default: return 0;
    }
}

/* Reads and forgets len bytes. */
static int skip(struct pcapng_reader *r, size_t len)
{
    int result = 1;

    while (len > 0 && result > 0) {
        size_t part = min_size(len, r->room);

        result = read_rest(r, r->buffer, part);
        len -= part;
    }
    return result;
}

static bool is_read_whole(uint32_t type)
{
    return type == BLOCK_INTERFACE || type == BLOCK_PACKET || type == BLOCK_OLD_PACKET
           || type == BLOCK_SIMPLE_PACKET;
}

/* The body and the second length of a block of whose length (so far) left bytes are to come. */
static int read_block(struct pcapng_reader *r, uint32_t type, uint32_t total, size_t left,
                      struct pcapng_packet *packet)
{
    uint64_t at = r->offset;
    bool whole = is_read_whole(type);
    uint8_t trailer[4];
    int result;

    if (whole && left - 4 > r->room)
        return fail(r, at, "a packet block is longer than what is read at once");
    result = whole ? read_rest(r, r->buffer, left - 4) : skip(r, left - 4);
    if (result > 0)
        result = read_rest(r, trailer, sizeof trailer);
    if (result <= 0)
        return result;
    if (load32(r, trailer) != total)
        return fail(r, r->offset - 4, "the two lengths of a block differ");
    return whole ? parse_block(r, type, (struct body){r->buffer, left - 4, at}, packet) : 0;
}

/* One block, whose type may have been read already: enum outcome or an error. */
static int next_block(struct pcapng_reader *r, const uint8_t *type_bytes,
                      struct pcapng_packet *packet)
{
    uint8_t head[12];
    uint32_t type, total;
    size_t head_len = 8;
    int result;

    if (type_bytes != NULL)
        memcpy(head, type_bytes, 4);
    result = type_bytes != NULL ? 1 : read_exactly(r, head, 4);
    if (result <= 0)
        return result == 0 ? OUTCOME_END : result;
    result = read_rest(r, head + 4, 4);
    if (result <= 0)
        return result;
    if (load32(r, head) == BLOCK_SECTION) {
        result = read_rest(r, head + 8, 4);
        if (result > 0)
            result = parse_section(r, head + 8);
        if (result < 0)
            return result;
        head_len = 12;
    }
    type = load32(r, head);
    total = load32(r, head + 4);
    if (total < head_len + 4 || total % 4 != 0 || total > BLOCK_MAX)
        return fail(r, r->offset - head_len + 4, "a block has an impossible length");
    return read_block(r, type, total, total - head_len, packet);
}

/* ---- classic pcap ---- */

enum {
    PCAP_HEADER = 24,
    PCAP_RECORD = 16,
    PCAP_OLD_RAW = 12, /* what BSD's and Linux's files have for LINKTYPE_RAW */
};

static bool is_pcap(struct pcapng_reader *r, const uint8_t magic[4])
{
    for (int big = 0; big < 2; big++) {
        r->big_endian = big == 1;
        if (load32(r, magic) == pcap_magic_us || load32(r, magic) == pcap_magic_ns)
            return true;
    }
    r->big_endian = false;
    return false;
}

static int start_pcap(struct pcapng_reader *r, const uint8_t magic[4])
{
    struct pcapng_interface *interface = &r->interfaces[0];
    uint8_t head[PCAP_HEADER - 4];
    int result = read_rest(r, head, sizeof head);

    if (result <= 0)
        return result;
    /* The top bits say whether frames have their check sequence; the link is the low half. */
    *interface =
        (struct pcapng_interface){(uint16_t)(load32(r, head + 16) & 0xffff), 0, TSRESOL_US, 0};
    if (interface->link == PCAP_OLD_RAW)
        interface->link = PCAPNG_LINK_RAW;
    if (load32(r, magic) == pcap_magic_ns)
        interface->tsresol = TSRESOL_NS;
    r->interface_count = 1;
    r->classic = true;
    return 1;
}

static int next_record(struct pcapng_reader *r, struct pcapng_packet *packet)
{
    const struct pcapng_interface *interface = &r->interfaces[0];
    uint8_t head[PCAP_RECORD];
    uint32_t len, fraction;
    int result = read_exactly(r, head, sizeof head);

    if (result <= 0)
        return result;
    fraction = load32(r, head + 4);
    len = load32(r, head + 8);
    if (len > r->room)
        return fail(r, r->offset - 8, "a packet is longer than what is read at once");
    result = read_rest(r, r->buffer, len);
    if (result <= 0)
        return result;
    packet->at = instant_of(load32(r, head), 0)
                 + (weir_ns_t)fraction * (interface->tsresol == TSRESOL_NS ? 1 : WEIR_US);
    packet->original_len = load32(r, head + 12);
    return take_packet(r, (struct body){r->buffer, len, r->offset - len}, len, packet);
}

/* ---- the reader ---- */

void pcapng_init_reader(struct pcapng_reader *r, pcapng_read read, void *ctx, uint8_t *buffer,
                        size_t room)
{
    memset(r, 0, sizeof *r);
    r->read = read;
    r->ctx = ctx;
    r->buffer = buffer;
    r->room = room;
}

/* The first four bytes say which kind of file it is: enum outcome or an error. */
static int start(struct pcapng_reader *r, struct pcapng_packet *packet)
{
    uint8_t magic[4];
    int result = read_exactly(r, magic, sizeof magic);

    if (result <= 0)
        return result == 0 ? OUTCOME_END : result;
    r->started = true;
    if (load32(r, magic) == BLOCK_SECTION)
        return next_block(r, magic, packet);
    if (is_pcap(r, magic)) {
        result = start_pcap(r, magic);
        return result < 0 ? result : OUTCOME_GO_ON;
    }
    fail(r, 0, "this is neither a pcapng nor a pcap file");
    return WEIR_ENOTSUP;
}

int pcapng_parse_packet(struct pcapng_reader *r, struct pcapng_packet *packet)
{
    int result;

    if (r->error != NULL)
        return WEIR_EPROTO;
    /* Bounded by the file: each turn reads a block of at least twelve bytes. */
    do {
        memset(packet, 0, sizeof *packet);
        if (!r->started)
            result = start(r, packet);
        else if (r->classic)
            return next_record(r, packet);
        else
            result = next_block(r, NULL, packet);
    } while (result == OUTCOME_GO_ON);
    return result == OUTCOME_END ? 0 : result;
}

ptrdiff_t pcapng_read_file(void *ctx, void *bytes, size_t len)
{
    FILE *file = ctx;
    size_t got = fread(bytes, 1, len, file);

    return got == 0 && ferror(file) ? -1 : (ptrdiff_t)got;
}
