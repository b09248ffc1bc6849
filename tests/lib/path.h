/*
 * path.h - flows over one bottleneck, in virtual time
 *
 * A link with a rate and a queue of bytes, a round trip without the queue, and senders that have
 * always something to send (unless they are told to rest). A full queue drops; a packet that waited
 * longer than a threshold is marked. What is lost is noticed with the next segment that is
 * acknowledged. The senders do what loss recovery, rate samples and pacing do for an algorithm.
 */
#ifndef TESTS_LIB_PATH_H
#define TESTS_LIB_PATH_H

#include "cc/cc.h"

enum {
    PATH_MSS = 1460,
    PATH_FLOWS = 4,
    PATH_SEGS = 1 << 14, /* under way at most, of one flow */
};

struct path_seg {
    ns_t sent_at, delivered_at, first_sent_at;
    ns_t acked_at; /* when its acknowledgement arrives; NEVER: it is lost on the way */
    uint64_t delivered_bytes, lost_bytes; /* of the flow, when it was sent */
    uint32_t tx_in_flight_bytes;
    bool is_app_limited, is_marked;
};

struct path_flow {
    struct cc cc;
    ns_t rtt_ns;     /* without queues */
    bool is_resting; /* the application has nothing to send */
    bool is_paced;   /* at the default rate, if the algorithm has none of its own */

    struct path_seg *segs; /* a ring: [head, tail) is under way */
    uint64_t head, tail;
    ns_t next_send_at, idle_since, delivered_at, first_sent_at, srtt_ns, last_ack_at;
    uint32_t pipe_bytes;
    uint64_t app_limited_until;            /* delivered_bytes; 0: it is not */
    uint64_t cwnd_round, recover, cwr_end; /* segment numbers */
    bool cwnd_limited, in_recovery;

    uint64_t sent_bytes, delivered_bytes, lost_bytes, marked_bytes;

    /* The same when path_forget was called last. */
    uint64_t sent_before, delivered_before, lost_before, marked_before;
};

struct path {
    /* Set by the test, and changed at will. */
    uint64_t rate_bytes_s;
    uint32_t buffer_bytes;
    ns_t mark_ns;      /* waiting longer than that is marked; NEVER: nothing is */
    ns_t ack_every_ns; /* acknowledgements come in bursts; 0: each for itself */
    uint32_t loss_ppm; /* besides the queue's drops */

    ns_t now;
    ns_t free_at; /* the link has sent what it has */
    uint64_t random;
    struct path_flow flows[PATH_FLOWS];
    size_t flow_count;

    /* Of the packets that entered the queue since path_forget, and when that was. */
    ns_t forgot_at;
    ns_t wait_max_ns, wait_sum_ns;
    uint64_t wait_count;
};

/* A link of so many bits per second with so many milliseconds of buffer. */
struct path path_of(uint64_t mbit_s, uint32_t buffer_ms);
void path_free(struct path *p);

struct path_flow *path_add(struct path *p, const char *algorithm, ns_t rtt_ns, ns_t start_at);

/* The next thing happens, if that is not after until. */
bool path_step(struct path *p, ns_t until);
void path_run(struct path *p, ns_t until);

/* Until the flow is in that phase. False: it was not until then. */
bool path_run_to_phase(struct path *p, struct path_flow *f, const char *phase, ns_t until);

/* The statistics begin anew. */
void path_forget(struct path *p);

/* Since then: what was delivered as a share of what the link could have sent, and ... */
double path_share(const struct path *p, const struct path_flow *f);

/* ... what was lost, or marked, as a share of what was sent, and the mean time in the queue. */
double path_loss(const struct path_flow *f);
double path_marks(const struct path_flow *f);
ns_t path_mean_wait(const struct path *p);

#endif
