/*
 * null_stack.c - a stack without a protocol: the yardstick
 */
#include "bench/null_stack.h"

#include <stdlib.h>
#include <string.h>
#include <weir/host.h>

#include "base/checksum.h"
#include "bench/bench.h"

struct line {
    const struct null_stack_kind *kind;
    uint8_t *packets; /* those of one write */
    uint32_t packet_size;
    const struct checksum_ops *ops;
    uint32_t bad;
};

static void put(const struct line *line, uint8_t *packet, const uint8_t *from, uint32_t len)
{
    uint8_t *payload = packet + line->kind->headers;
    uint16_t checksum;
    uint32_t sum;

    memset(packet, 0, line->kind->headers);
    if (line->kind->no_checksum) {
        memcpy(payload, from, len);
        return;
    }
    sum = line->ops->copy(payload, from, len);
    checksum = checksum_fold(line->ops->add(sum, packet, line->kind->headers));
    packet[0] = (uint8_t)(checksum >> 8);
    packet[1] = (uint8_t)checksum;
}

static void verify(struct line *line, const uint8_t *packet, uint32_t sum)
{
    line->bad += !checksum_is_good(line->ops->add(sum, packet, line->kind->headers));
}

static void write_chunk(struct line *line, const uint8_t *from, uint32_t chunk)
{
    uint8_t *packet = line->packets;

    for (uint32_t at = 0, len; at < chunk; at += len, packet += line->packet_size) {
        len = chunk - at < line->kind->payload ? chunk - at : line->kind->payload;
        put(line, packet, from + at, len);
        if (line->kind->two_passes)
            verify(line, packet, line->ops->add(0, packet + line->kind->headers, len));
    }
}

static void read_chunk(struct line *line, uint8_t *to, uint32_t chunk)
{
    const uint8_t *packet = line->packets;

    for (uint32_t at = 0, len; at < chunk; at += len, packet += line->packet_size) {
        const uint8_t *payload = packet + line->kind->headers;
        len = chunk - at < line->kind->payload ? chunk - at : line->kind->payload;
        if (line->kind->no_checksum || line->kind->two_passes)
            memcpy(to + at, payload, len);
        else
            verify(line, packet, line->ops->copy(to + at, payload, len));
    }
}

double null_stack_run(const struct null_stack_kind *kind, uint64_t bytes, uint32_t chunk)
{
    struct line line = {.kind = kind,
                        .packet_size = (kind->headers + kind->payload + 63) / 64 * 64};
    uint32_t packets = (chunk + kind->payload - 1) / kind->payload;
    uint8_t *from = malloc(chunk), *to = malloc(chunk);
    struct weir_config config;
    double begin, end = -1;

    weir_host_config(&config);
    line.ops = checksum_ops_for(config.cpu_features);
    line.packets = aligned_alloc(64, (size_t)packets * line.packet_size);
    if (from != NULL && to != NULL && line.packets != NULL) {
        memset(from, 0x5a, chunk);
        memset(to, 0, chunk);
        memset(line.packets, 0, (size_t)packets * line.packet_size);
        begin = bench_cpu_s();
        for (uint64_t done = 0; done < bytes; done += chunk) {
            write_chunk(&line, from, chunk);
            read_chunk(&line, to, chunk);
        }
        end = bench_cpu_s() - begin;
        if (line.bad != 0 || memcmp(from, to, chunk) != 0)
            end = -1;
    }
    free(from);
    free(to);
    free(line.packets);
    return end;
}
