/*
 * cc.c - finding a congestion control algorithm
 */
#include "cc/cc.h"

#include <string.h>
#include <weir/config.h>

const struct cc_ops *cc_at(size_t index)
{
    for (size_t i = 0; cc_registry[i] != NULL; i++)
        if (i == index)
            return cc_registry[i];
    return NULL;
}

const struct cc_ops *cc_find(const char *name)
{
    const struct cc_ops *ops;

    for (size_t i = 0; (ops = cc_at(i)) != NULL; i++)
        if (strlen(ops->name) == strlen(name) && memcmp(ops->name, name, strlen(name)) == 0)
            return ops;
    return NULL;
}

uint8_t cc_number(const struct cc_ops *ops)
{
    uint8_t i = 0;

    while (cc_registry[i] != ops)
        i++;
    return i;
}

const char *weir_congestion_control_name(size_t index)
{
    const struct cc_ops *ops = cc_at(index);

    return ops == NULL ? NULL : ops->name;
}
