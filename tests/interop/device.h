/*
 * device.h - a host with a stack on a TUN or TAP device, as the options say
 */
#ifndef TESTS_INTEROP_DEVICE_H
#define TESTS_INTEROP_DEVICE_H

#include <weir/host.h>

#include "interop/options.h"

/* Opens the device, sets up both ends, and waits until addresses are in use; or ends the program. */
struct weir_host *device_open(const struct options *o);

/* Says why there is no going on, and ends the program. */
_Noreturn void device_fail(const char *what, int err);

struct weir_endpoint device_endpoint(const char *text);

#endif
