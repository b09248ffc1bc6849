/*
 * fuzz_format_pcapng.c - any bytes as a capture file, and its packets as lines
 *
 * What was read is written again, and is then the same packets.
 */
#include <stdlib.h>
#include <string.h>

#include "format/pcapng.h"
#include "format/pkt_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { PACKETS_MAX = 64 };

struct file {
    const uint8_t *bytes;
    size_t len;
    size_t at;
    uint8_t *copy; /* what is written, up to room */
    size_t written;
    size_t room;
};

static void require(bool condition)
{
    if (!condition)
        abort();
}

static ptrdiff_t take(void *ctx, void *bytes, size_t len)
{
    struct file *f = ctx;

    if (len > f->len - f->at)
        len = f->len - f->at;
    if (len > 0)
        memcpy(bytes, f->bytes + f->at, len);
    f->at += len;
    return (ptrdiff_t)len;
}

static bool append(void *ctx, const void *bytes, size_t len)
{
    struct file *f = ctx;

    if (len > f->room - f->written)
        return false;
    memcpy(f->copy + f->written, bytes, len);
    f->written += len;
    return true;
}

static void show(const struct pcapng_packet *packet, struct pkt_flows *flows)
{
    struct span bytes = span_of(packet->slices[0].bytes, packet->slices[0].len);
    char text[PKT_TEXT_MAX];

    if (packet->link == PCAPNG_LINK_ETHERNET)
        pkt_text_emit_frame(bytes, bytes.len, flows, text, sizeof text);
    else
        pkt_text_emit(bytes, bytes.len, flows, text, sizeof text);
}

/* Reads the copy, which holds count packets. */
static void check_copy(const struct file *original, size_t count, uint8_t *buffer)
{
    struct file f = {.bytes = original->copy, .len = original->written};
    struct pcapng_packet packet;
    struct pcapng_reader r;

    pcapng_init_reader(&r, take, &f, buffer, PCAPNG_READ_ROOM);
    for (size_t i = 0; i < count; i++)
        require(pcapng_parse_packet(&r, &packet) == 1);
    require(pcapng_parse_packet(&r, &packet) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    size_t room = 4 * len + 4096;
    struct file f = {.bytes = bytes, .len = len, .room = room, .copy = malloc(room)};
    uint8_t *buffer = malloc(PCAPNG_READ_ROOM);
    struct pkt_flow flow_room[4];
    struct pkt_flows flows = {flow_room, 4, 0, 0};
    struct pcapng_packet packet;
    struct pcapng_reader r;
    struct pcapng_writer w;
    size_t count = 0;
    int result;

    require(f.copy != NULL && buffer != NULL);
    pcapng_init_reader(&r, take, &f, buffer, PCAPNG_READ_ROOM);
    pcapng_emit_section(&w, append, &f, NULL);
    pcapng_emit_interface(&w, PCAPNG_LINK_RAW, NULL);
    while ((result = pcapng_parse_packet(&r, &packet)) == 1 && count < PACKETS_MAX) {
        show(&packet, &flows);
        packet.interface = 0;
        require(pcapng_emit_packet(&w, &packet));
        count++;
    }
    require(result >= 0 ? r.error == NULL : r.error != NULL && r.error_at <= len);
    check_copy(&f, count, buffer);
    free(buffer);
    free(f.copy);
    return 0;
}
