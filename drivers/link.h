/*
 * link.h - whether the kernel's end of a device works yet
 */
#ifndef DRIVERS_LINK_H
#define DRIVERS_LINK_H

/*
 * The kernel lets packets through an interface a moment after it has been brought up, or after
 * somebody has attached to a device that is up already. Waits for that, at most a second.
 */
void link_wait_until_running(const char *name);

#endif
