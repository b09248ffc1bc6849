/*
 * tlp.h - the tail loss probe [RFC8985 7]
 */
#ifndef CORE_TCP_TLP_H
#define CORE_TCP_TLP_H

#include "base/ns.h"
#include "base/seq.h"
#include <stdbool.h>
#include <stdint.h>

struct delivery;
struct tcp_conn;
struct tcp_env;

struct tlp {
    ns_t at;         /* when the next probe is due; NEVER */
    bool probe_owed; /* it is due now */
    bool is_out;     /* one is under way, up to end */
    bool is_resent;  /* and had been sent before */
    bool wants_rtt;  /* no round trip has been measured since the last one */
    seq_t end;
};

/* May one be sent as things stand? */
bool tlp_may_probe(const struct tcp_conn *c, const struct tcp_env *env);

/* New data was sent, or acknowledged: sets at [RFC8985 7.2]. */
void tlp_schedule(struct tcp_conn *c, const struct tcp_env *env);

/* The same where nothing speaks against a probe but that there may be none at all: new data was sent. */
void tlp_schedule_calmly(struct tcp_conn *c, const struct tcp_env *env);

/* The probe has been sent [RFC8985 7.3]. */
void tlp_on_sent(struct tcp_conn *c, bool is_resent);

/* What an acknowledgement tells of it [RFC8985 7.4.2]: true if it has repaired a loss. */
bool tlp_on_ack(struct tcp_conn *c, const struct delivery *d);

/* A round trip has been measured. */
void tlp_on_measured(struct tcp_conn *c);

/* A recovery or a timeout comes first. */
void tlp_stop(struct tcp_conn *c);

#endif
