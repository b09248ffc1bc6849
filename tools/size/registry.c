/*
 * registry.c - the congestion control of a small device: Reno alone
 */
#include "cc/cc.h"

extern const struct cc_ops reno_ops;

const struct cc_ops *const cc_registry[] = {&reno_ops, NULL};
