/*
 * registry.c - the congestion control algorithms there are
 *
 * A build for a small device has a file of its own in place of this one (WEIR_CC_REGISTRY): what is
 * not named here is not linked.
 */
#include "cc/cc.h"

extern const struct cc_ops cubic_ops, reno_ops, bbr_ops, dctcp_ops, prague_ops;

/* The first is the default [RFC9438]; what else there is, is offered [RFC9293 MAY-18]. */
const struct cc_ops *const cc_registry[] = {
    &cubic_ops, &reno_ops, &bbr_ops, &dctcp_ops, &prague_ops, NULL,
};
