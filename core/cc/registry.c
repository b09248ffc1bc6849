/*
 * registry.c - the congestion control algorithms there are
 */
#include "cc/cc.h"
#include <string.h>

#include <weir/config.h>

extern const struct cc_ops cubic_ops, reno_ops, bbr_ops, dctcp_ops, prague_ops;

/* The first is the default [RFC9438]; what else there is, is offered [RFC9293 MAY-18]. */
static const struct cc_ops *const algorithms[] = {
    &cubic_ops, &reno_ops, &bbr_ops, &dctcp_ops, &prague_ops,
};

const struct cc_ops *cc_at(size_t index)
{
    return index < sizeof algorithms / sizeof algorithms[0] ? algorithms[index] : NULL;
}

const struct cc_ops *cc_find(const char *name)
{
    const struct cc_ops *ops;

    for (size_t i = 0; (ops = cc_at(i)) != NULL; i++)
        if (strlen(ops->name) == strlen(name) && memcmp(ops->name, name, strlen(name)) == 0)
            return ops;
    return NULL;
}

const char *weir_congestion_control_name(size_t index)
{
    const struct cc_ops *ops = cc_at(index);

    return ops == NULL ? NULL : ops->name;
}
