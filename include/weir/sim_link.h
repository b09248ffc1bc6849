/*
 * weir/sim_link.h - one direction of a link, with its queue and everything that goes wrong on it
 *
 * A link takes frames and gives them back when they arrive, at instants that the caller's
 * clock decides: virtual time in a simulation (weir/sim.h), the clock of the machine in an
 * emulator. It waits for nothing and reads no clock. The same configuration, seed, frames and
 * times give the same result on every machine.
 *
 *     weir_sim_link_send(link, bytes, len, now);
 *     at weir_sim_link_deadline(link):
 *         while ((frame = weir_sim_link_receive(link, now)) != NULL) {
 *             ... frame->bytes, frame->len, frame->at ...
 *             weir_sim_frame_release(frame);
 *         }
 *
 * A frame goes through, in this order: the MTU; the queue, which may drop or mark it; the
 * transmitter, which takes its time by the rate; the wire, where it may be lost, duplicated,
 * damaged or cut short; and the delay, with jitter and reordering. A link without a rate has
 * no queue: every frame is on the wire at once.
 *
 * Shares are parts per million. A member that is zero has no effect, or its default.
 * Threads: a link belongs to one thread at a time; links share nothing.
 */
#ifndef WEIR_SIM_LINK_H
#define WEIR_SIM_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/api.h>
#include <weir/time.h>
#include <weir/weir.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One in every place. */
#define WEIR_SIM_ALL UINT32_C(1000000)

enum weir_sim_queue_kind {
    WEIR_SIM_FIFO,     /* tail drop */
    WEIR_SIM_ECN,      /* marks, or drops what cannot be marked, above a threshold of its length */
    WEIR_SIM_CODEL,    /* [RFC8289] */
    WEIR_SIM_FQ_CODEL, /* [RFC8290] */
    WEIR_SIM_PIE,      /* [RFC8033] */
    WEIR_SIM_DUALPI2,  /* [RFC9332] */
    WEIR_SIM_QUEUE_KINDS,
};

/* "fifo", "ecn", "codel", "fq-codel", "pie", "dualpi2"; NULL past the last. Any thread. */
WEIR_API const char *weir_sim_queue_name(size_t kind);

struct weir_sim_queue_config {
    enum weir_sim_queue_kind kind;
    uint32_t limit_packets; /* more are dropped; if both limits are 0, 1000 packets */
    uint32_t limit_bytes;
    uint32_t mark_packets; /* ECN: from so many waiting on; if both are 0, 20 packets */
    uint32_t mark_bytes;
    weir_ns_t target_ns;   /* CoDel 5 ms, PIE and DualPI2 15 ms */
    weir_ns_t interval_ns; /* CoDel 100 ms; PIE's and DualPI2's update: 15 ms, 16 ms */
    uint32_t flows;        /* FQ-CoDel: buckets, at most 65536; 1024 */
    uint32_t quantum;      /* FQ-CoDel: bytes; 1514 */
    bool drops_only;       /* never marks */
};

enum weir_sim_loss_kind {
    WEIR_SIM_LOSS_NONE,
    WEIR_SIM_LOSS_BERNOULLI, /* each frame with the share loss_ppm */
    WEIR_SIM_LOSS_GILBERT,   /* Gilbert-Elliott: a good and a bad state */
    WEIR_SIM_LOSS_PERIODIC,  /* every nth */
    WEIR_SIM_LOSS_LIST,      /* the frames of a list, counted from 1 */
};

#define WEIR_SIM_LOSS_LISTED 32

struct weir_sim_loss_config {
    enum weir_sim_loss_kind kind;
    uint32_t loss_ppm;     /* Bernoulli; Gilbert-Elliott: in the bad state, default all */
    uint32_t good_ppm;     /* Gilbert-Elliott: loss in the good state */
    uint32_t to_bad_ppm;   /* Gilbert-Elliott: a frame moves from good to bad */
    uint32_t to_good_ppm;  /* and back */
    uint32_t every;        /* periodic */
    uint32_t listed_count; /* by list: at most WEIR_SIM_LOSS_LISTED */
    uint64_t listed[WEIR_SIM_LOSS_LISTED];
};

struct weir_sim_link_config {
    enum weir_link frames;  /* IP packets, or Ethernet frames: where the ECN field is */
    uint64_t rate_bits_s;   /* 0: no limit */
    uint32_t framing_bytes; /* what each frame costs on the wire beyond its length */
    weir_ns_t delay_ns;
    weir_ns_t jitter_ns;  /* up to so much more, by chance */
    bool jitter_reorders; /* else a frame waits for the one before */
    uint32_t mtu;         /* of a frame without its link header; longer ones are dropped */
    struct weir_sim_queue_config queue;
    struct weir_sim_loss_config loss;
    uint32_t duplicate_ppm;
    uint32_t reorder_ppm; /* these are delayed by reorder_ns more, and overtaken */
    weir_ns_t reorder_ns;
    uint32_t corrupt_ppm;    /* one bit behind the link header changes, once on a path */
    bool corrupt_unnoticed;  /* and the TCP or UDP checksum is made to fit */
    uint32_t truncate_ppm;   /* these lose some of their last bytes */
    weir_ns_t dark_every_ns; /* blackouts: so often */
    weir_ns_t dark_ns;       /* and for so long; frames on the wire then are lost */
    bool is_down;            /* nothing arrives */
};

/* A frame that has arrived. */
struct weir_sim_frame {
    uint8_t *bytes; /* may be written */
    size_t len;
    weir_ns_t sent_at; /* when it was given to the link */
    weir_ns_t at;      /* when it arrived */
};

struct weir_sim_link_stats {
    uint64_t frames_in, bytes_in;   /* given to the link */
    uint64_t frames_out, bytes_out; /* arrived */
    uint64_t dropped_full;          /* the queue was full */
    uint64_t dropped_aqm;           /* the queue discipline chose to */
    uint64_t dropped_mtu;
    uint64_t lost; /* on the wire, blackouts among them */
    uint64_t marked;
    uint64_t duplicated, reordered, corrupted, truncated;
    uint32_t queue_packets, queue_bytes; /* now */
    uint32_t queue_packets_max, queue_bytes_max;
    uint64_t queued;          /* frames that have left the queue to be sent */
    weir_ns_t queue_delay_ns; /* of the last of them */
    weir_ns_t queue_delay_max_ns;
    weir_ns_t queue_delay_sum_ns;
    weir_ns_t busy_ns; /* time spent sending */
};

struct weir_sim_link;

/*
 * Makes a link. Returns 0 and the link, or
 *   WEIR_EINVAL  a share is above WEIR_SIM_ALL, a duration negative, a kind unknown, a list too long
 *   WEIR_ENOMEM
 */
WEIR_API int weir_sim_link_create(const struct weir_sim_link_config *config, uint64_t seed,
                                  struct weir_sim_link **link);

/* Ends a link with all that is on it. Frames that were received stay valid. Takes *link. */
WEIR_API void weir_sim_link_destroy(struct weir_sim_link **link);

/*
 * Changes a link from now on; what is queued or under way is not touched, and the kind of
 * queue stays. Returns 0 or WEIR_EINVAL, as above, and then nothing has changed.
 */
WEIR_API int weir_sim_link_set(struct weir_sim_link *link,
                               const struct weir_sim_link_config *config);
WEIR_API const struct weir_sim_link_config *weir_sim_link_config(const struct weir_sim_link *link);

/*
 * A frame begins its way at now, which must not be before any instant this link has been told.
 * The bytes are copied. At most 65,600 bytes; a longer frame counts as dropped for the MTU.
 */
WEIR_API void weir_sim_link_send(struct weir_sim_link *link, const void *bytes, size_t len,
                                 weir_ns_t now);

/* When to call weir_sim_link_receive next; WEIR_NEVER: nothing is on the link. */
WEIR_API weir_ns_t weir_sim_link_deadline(const struct weir_sim_link *link);

/* The next frame that has arrived by now, or NULL. It is to be released. */
WEIR_API struct weir_sim_frame *weir_sim_link_receive(struct weir_sim_link *link, weir_ns_t now);

/* Gives back a frame, at any time. The owner of a frame that a stack keeps: it fits
 * weir_frame.release. */
WEIR_API void weir_sim_frame_release(void *frame);

WEIR_API void weir_sim_link_stats(const struct weir_sim_link *link,
                                  struct weir_sim_link_stats *stats);

/*
 * The queue delay that permille of a thousand frames did not exceed, to within 1/8; 0 before
 * the first frame. 500 is the median.
 */
WEIR_API weir_ns_t weir_sim_link_delay_at(const struct weir_sim_link *link, uint32_t permille);

#ifdef __cplusplus
}
#endif

#endif
