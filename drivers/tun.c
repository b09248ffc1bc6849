/*
 * tun.c - a TUN device: IP packets to and from the Linux kernel
 */
#include "drivers/tuntap.h"

struct weir_driver *weir_tun_open(const struct weir_device_options *options,
                                  struct weir_driver_error *error)
{
    return tuntap_open(WEIR_LINK_IP, options, error);
}
