/*
 * duo.h - two connections that talk to each other over a link that a test spoils
 *
 *   struct duo d = duo_of((struct duo_link){.delay_ns = 10 * NS_MS, .loss_permille = 50});
 *
 *   duo_connects(&d);
 *   duo_runs(&d, 60 * NS_S);
 *
 * Time is virtual, and everything follows from the seed. The two have applications that write,
 * read and close as struct duo_end says; what is read is compared with what was written, and
 * invariants are checked after every step.
 */
#ifndef TESTS_LIB_DUO_H
#define TESTS_LIB_DUO_H

#include "lib/tcp_world.h"
#include "tcp/listen.h"
#include "tcp/timewait.h"
#include "wire/tcp.h"

enum {
    DUO_FLYING = 4096, /* segments on the link at once; what is more is lost */
};

struct duo_link {
    ns_t delay_ns;
    uint64_t rate_bytes_s; /* of each direction, behind a queue without end; 0: no limit */
    ns_t jitter_ns;        /* up to so much more for each segment: reorders */
    uint32_t loss_permille;
    uint32_t copies_permille;
    uint32_t marks_permille; /* of what is ECN-capable */
    uint32_t mtu;            /* 0: 1500 */
    uint32_t gso_bytes;      /* what both devices take */

    /* Scripted loss: is this segment of that end lost? NULL: by the numbers above alone. */
    bool (*is_lost)(void *ctx, int from, const struct tcp_header *h);
    void *ctx;
};

/* One end's application. */
struct duo_end {
    struct tcp_conn *conn;
    uint64_t to_write;  /* bytes in all, then it closes its side */
    uint32_t write_max; /* in one call; 0: 4000 */
    uint32_t read_max;  /* in one call; 0: 65536 */
    uint32_t laziness;  /* it looks at its connection once in so many steps; 0: always */
    bool lends;         /* it writes without copies */
    bool keeps_open;    /* it does not close */

    uint64_t written, read;
    bool has_shut_down;
    bool end_was_read;
    enum { DUO_LISTENER = 1, DUO_HALFOPEN, DUO_CONN, DUO_TIMEWAIT } stage;
    struct tcp_halfopen halfopen;
    ns_t halfopen_at;
    struct tcp_timewait timewait;
};

/* A segment on the link. */
struct duo_flying {
    ns_t at;
    int to;
    uint16_t gso_size;
    uint8_t mark; /* enum ip_ecn */
    size_t len;
    uint8_t *bytes;
};

struct duo {
    struct tcp_world *world;
    struct duo_link link;
    struct duo_end ends[2];
    struct duo_flying *flying;
    size_t flying_count;
    uint64_t random;
    uint64_t sent_count, lost_count;
    ns_t free_at[2];       /* when what each end has sent will have left it */
    uint64_t marked_count; /* segments, of super-segments each */
    bool is_starved;       /* something was not sent for want of memory */
};

struct duo duo_of(struct duo_link link);

/* Opens both ends: end 0 actively, end 1 as a listener would; or both at once. */
void duo_connects(struct duo *d);
void duo_connects_at_once(struct duo *d);

/* Time passes until nothing is left to do, or for so long; true: nothing is left. */
bool duo_runs(struct duo *d, ns_t duration_ns);

/* Has each end read all that the other was to write, and its end, and closed without error? */
bool duo_is_done(const struct duo *d);

/* What flies is lost. Call it at the end of a test. */
void duo_ends(struct duo *d);

#endif
