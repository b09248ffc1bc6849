/*
 * tap.c - a TAP device: Ethernet frames to and from the Linux kernel
 */
#include "drivers/tuntap.h"

struct weir_driver *weir_tap_open(const struct weir_device_options *options,
                                  struct weir_driver_error *error)
{
    return tuntap_open(WEIR_LINK_ETHERNET, options, error);
}
