/*
 * pcapng.h - captures that Wireshark and tcpdump open [draft-ietf-opsawg-pcapng]
 *
 * Writes pcapng with nanoseconds, packet comments and directions; reads pcapng of both
 * byte orders and classic pcap. Nothing is opened here: bytes go and come through a
 * function that the caller gives (for a FILE, pcapng_write_file and pcapng_read_file),
 * and nothing is allocated.
 */
#ifndef FORMAT_PCAPNG_H
#define FORMAT_PCAPNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/time.h>
#include <weir/weir.h>

/* What frames begin with: LINKTYPE_ values. */
enum pcapng_link {
    PCAPNG_LINK_ETHERNET = 1,
    PCAPNG_LINK_RAW = 101, /* IPv4 or IPv6, as the first four bits say */
    PCAPNG_LINK_IPV4 = 228,
    PCAPNG_LINK_IPV6 = 229,
};

enum pcapng_direction {
    PCAPNG_UNKNOWN = 0, /* the values are those in the file */
    PCAPNG_INBOUND = 1,
    PCAPNG_OUTBOUND = 2,
};

enum {
    PCAPNG_PACKET_MAX = 262144, /* what Wireshark takes; the rest of a packet is cut off */
    PCAPNG_COMMENT_MAX = 65000, /* bytes; the rest of a comment is cut off */
    PCAPNG_INTERFACES = 64,     /* in one section of a file that is read */
    PCAPNG_READ_ROOM = PCAPNG_PACKET_MAX + 4 * 65536, /* a buffer for any block we write */
};

struct pcapng_packet {
    uint32_t interface; /* the first is 0 */
    weir_ns_t at;       /* since 1970; a block without a time has 0 */
    enum pcapng_direction direction;
    const struct weir_slice *slices; /* the bytes; read: one slice, until the next is read */
    size_t slice_count;
    size_t original_len; /* before a cut; to write: 0 means the sum of the slices */
    const char *comment; /* NULL: none; read: the first, not ended by a NUL */
    size_t comment_len;
    uint16_t link; /* read: the interface's enum pcapng_link; a writer ignores it */
};

/* ---- writing ---- */

/* Writes all len bytes and returns true, or false. */
typedef bool (*pcapng_write)(void *ctx, const void *bytes, size_t len);

struct pcapng_writer {
    pcapng_write write;
    void *ctx;
    uint32_t interface_count;
    bool failed; /* a write failed; nothing is written any more */
};

/* Starts a file. application, the writer's name, may be NULL. Each returns false if writing failed. */
bool pcapng_emit_section(struct pcapng_writer *w, pcapng_write write, void *ctx,
                         const char *application);

/* Adds an interface; its number is how many there were before. name may be NULL. */
bool pcapng_emit_interface(struct pcapng_writer *w, enum pcapng_link link, const char *name);

bool pcapng_emit_packet(struct pcapng_writer *w, const struct pcapng_packet *packet);

/* ctx is a FILE. */
bool pcapng_write_file(void *ctx, const void *bytes, size_t len);

/* ---- reading ---- */

/* Reads len bytes, or up to the end; returns how many, or a negative number. */
typedef ptrdiff_t (*pcapng_read)(void *ctx, void *bytes, size_t len);

struct pcapng_interface {
    uint16_t link;
    uint32_t snaplen; /* 0: no limit */
    uint8_t tsresol;  /* units of 10^-n s, or with the top bit of 2^-n s */
    int64_t offset_s; /* to be added to all times */
};

struct pcapng_reader {
    pcapng_read read;
    void *ctx;
    uint8_t *buffer;
    size_t room;
    uint64_t offset; /* of the next byte to be read */
    bool started;
    bool classic; /* pcap, not pcapng */
    bool big_endian;
    uint32_t interface_count;
    struct pcapng_interface interfaces[PCAPNG_INTERFACES];
    struct weir_slice slice;
    const char *error; /* a sentence about what is wrong, and where */
    uint64_t error_at;
};

/* The buffer takes one block at a time; a longer packet block is an error. At least 64 bytes. */
void pcapng_init_reader(struct pcapng_reader *r, pcapng_read read, void *ctx, uint8_t *buffer,
                        size_t room);

/*
 * The next packet of the file. Returns 1, 0 at the end of the file, or a negative code with
 * r->error and r->error_at set: WEIR_EPROTO (the file is malformed or too large for the
 * buffer), WEIR_ENOTSUP (not a capture).
 */
int pcapng_parse_packet(struct pcapng_reader *r, struct pcapng_packet *packet);

/* ctx is a FILE. */
ptrdiff_t pcapng_read_file(void *ctx, void *bytes, size_t len);

#endif
