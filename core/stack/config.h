/*
 * config.h - whether a configuration makes sense
 */
#ifndef CORE_STACK_CONFIG_H
#define CORE_STACK_CONFIG_H

#include <stdbool.h>
#include <weir/config.h>

/* Nothing in it contradicts anything else, and there is an allocator. */
bool config_is_valid(const struct weir_config *config);

/* It asks for no part that is not built in. */
bool config_is_offered(const struct weir_config *config);

#endif
