/*
 * box.h - middleboxes: what meddles with packets between two hosts
 *
 * A box sits in a link and sees both directions. Each kind is a file sim/box_NAME.c with a
 * struct box_ops; box.c lists them. What a box cannot read it passes.
 */
#ifndef SIM_BOX_H
#define SIM_BOX_H

#include "sim/draw.h"
#include "sim/packet.h"
#include "sim/view.h"
#include <weir/sim.h>

enum box_way {
    BOX_THERE, /* from the first node of the link */
    BOX_BACK,
};

struct box;

/* A packet in the box: its view, if it is TCP, and which way it goes. */
struct box_packet {
    struct packet *packet;
    struct view view;
    enum box_way way;
    weir_ns_t now;
};

struct box_ops {
    const char *name;
    size_t size; /* of the struct that begins with a struct box, zeroed */
    bool (*check)(const struct weir_sim_box_config *); /* NULL: every configuration is good */
    /* A TCP packet goes to list, or others in its place, or nothing: then it has been put back. */
    void (*pass)(struct box *, struct box_packet *, struct packet_list *list);
    /* No more packets follow now: what was held back goes to list. NULL: nothing is. */
    void (*flush)(struct box *, enum box_way way, struct packet_list *list);
    /* The port behind this one, or 0. NULL: none is hidden. */
    uint16_t (*real_port)(const struct box *, uint16_t port);
};

struct box {
    const struct box_ops *ops;
    struct weir_sim_box_config config;
    uint64_t seed;
    struct packet *held[2]; /* for each way */
};

struct box *box_create(const struct weir_sim_box_config *config, uint64_t seed);
void box_destroy(struct box **box);

/* Takes p; what comes out is added to list. */
void box_pass(struct box *box, enum box_way way, struct packet *p, weir_ns_t now,
              struct packet_list *list);
void box_flush(struct box *box, enum box_way way, struct packet_list *list);

/*
 * Change a field of a TCP header, and its checksum as much: what was damaged stays so. Those of 16
 * and 32 bits lie at even offsets.
 */
void box_set8(struct view *v, size_t at, uint8_t value);
void box_set16(struct view *v, size_t at, uint16_t value);
void box_set32(struct view *v, size_t at, uint32_t value);

extern const struct box_ops box_nat, box_strip, box_reseq, box_clamp, box_split, box_coalesce,
    box_thin, box_bleach;

#endif
