/*
 * run.h - a script, run against a target
 */
#ifndef DRILL_RUN_H
#define DRILL_RUN_H

#include "drill/script.h"
#include "drill/target.h"

enum {
    DRILL_LINE_MAX = 512,
};

struct drill_run_options {
    const char *folder; /* the script's, for the files that its commands name */
    bool shell;
    weir_ns_t tolerance_ns; /* of times: 4 ms; also 12.5 % since the event before */
    /* Optional: told of each packet, in the script's words: a line without an end. */
    void (*on_packet)(void *ctx, bool is_in, weir_ns_t at, const char *text);
    void *ctx;
};

/* Why a script failed. */
struct drill_failure {
    struct drill_error error;
    weir_ns_t at;   /* since the script's start */
    bool is_packet; /* the two lines are filled in */
    char expected[DRILL_LINE_MAX];
    char seen[DRILL_LINE_MAX]; /* empty: no packet was sent */
    weir_ns_t seen_at;
};

/*
 * The families over which a script can run, as bits (1 << DRILL_IPV4): those that it names with
 * --ip_version=ipv4, ipv6 or ipv4-mapped-ipv6, or else those whose addresses and ICMP messages it speaks
 * of, or else all. 0, and *error: there is no such family.
 */
unsigned drill_options_families(const struct drill_script *script, struct drill_error *error);

/* What a script's own options say of the network: --mtu=, --local_ip= ... False, and *error. */
bool drill_options_read(const struct drill_script *script, struct drill_net *net,
                        struct drill_run_options *options, struct drill_error *error);

/*
 * Runs a script. False, and *failure. The target is used up, but not closed: a target is for one
 * run.
 */
bool drill_run(const struct drill_script *script, struct drill_target *target,
               const struct drill_run_options *options, struct drill_failure *failure);

#endif
