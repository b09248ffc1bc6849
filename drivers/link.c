/*
 * link.c - whether the kernel's end of a device works yet
 *
 * Until then what it sends is dropped and what is sent to it finds no way: without the wait
 * the first packet may be lost.
 */
#include "drivers/link.h"
#include <net/if.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { WAITS_MAX = 1000 }; /* of a millisecond */

/* Up, and not running: an interface that is down is left as it is. */
static bool is_starting(int fd, const char *name)
{
    struct ifreq request;

    memset(&request, 0, sizeof request);
    strncpy(request.ifr_name, name, sizeof request.ifr_name - 1);
    return ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP)
           && !(request.ifr_flags & IFF_RUNNING);
}

void link_wait_until_running(const char *name)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return;
    for (int i = 0; i < WAITS_MAX && is_starting(fd, name); i++)
        nanosleep(&pause, NULL);
    close(fd);
}
