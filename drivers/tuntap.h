/*
 * tuntap.h - what TUN and TAP have in common
 */
#ifndef DRIVERS_TUNTAP_H
#define DRIVERS_TUNTAP_H

#include <weir/driver.h>

/* Opens a device that carries link: TUN for IP packets, TAP for Ethernet frames. */
struct weir_driver *tuntap_open(enum weir_link link, const struct weir_device_options *options,
                                struct weir_driver_error *error);

#endif
