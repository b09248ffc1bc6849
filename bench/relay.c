/*
 * relay.c - the kernel and itself over two TUN devices, and a process that carries packets between
 *
 * The least that anybody pays who has packets in a process: one system call to read a packet, one to
 * write it. Client and server are processes in namespaces of their own.
 */
#include "bench/relay.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PACKET_MAX = 2048,
    ENDS = 2,
};

/* A process at one end, and how it says what it has done. */
struct end {
    pid_t pid;
    int tun, from;
    struct machine_result result;
};

static const char *const addresses[2][ENDS] = {{"198.18.0.1", "198.18.0.2"},
                                               {"fd00::1", "fd00::2"}};

/* In the namespace in which this process is now. */
static int open_tun(const struct machine_job *job, const char *address)
{
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

    (void)snprintf(request.ifr_name, sizeof request.ifr_name, "relay0");
    if (fd >= 0 && ioctl(fd, TUNSETIFF, &request) == 0
        && machine_run("ip addr add %s/%d dev relay0%s && ip link set relay0 up", address,
                       job->ipv6 ? 64 : 24, job->ipv6 ? " nodad" : ""))
        return fd;
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

static _Noreturn void be_end(const struct machine_job *job, bool is_client, int to)
{
    struct machine_result result = {0};

    if (is_client)
        machine_client(job, addresses[job->ipv6][1], &result);
    else
        machine_server(job, &result);
    _exit(write(to, &result, sizeof result) == (ssize_t)sizeof result ? 0 : 1);
}

/* A namespace, a device in it, and a process that uses it. */
static bool begin_end(struct end *e, const struct machine_job *job, bool is_client)
{
    int ends[2];

    e->tun = e->from = -1;
    if (!machine_enter() || pipe(ends) != 0)
        return false;
    e->from = ends[0];
    e->tun = open_tun(job, addresses[job->ipv6][!is_client]);
    e->pid = e->tun < 0 ? -1 : fork();
    if (e->pid == 0)
        be_end(job, is_client, ends[1]);
    (void)close(ends[1]);
    return e->pid > 0;
}

static void carry(int from, int to)
{
    char packet[PACKET_MAX];
    ssize_t len;

    while ((len = read(from, packet, sizeof packet)) > 0)
        (void)!write(to, packet, (size_t)len); /* what is lost is sent again */
}

/* Until both have said how it went, or ended without a word. */
static void carry_all(struct end ends[ENDS])
{
    struct pollfd fds[2 * ENDS];

    for (int i = 0; i < ENDS; i++) {
        fds[i] = (struct pollfd){.fd = ends[i].tun, .events = POLLIN};
        fds[ENDS + i] = (struct pollfd){.fd = ends[i].from, .events = POLLIN};
    }
    while ((fds[ENDS].fd >= 0 || fds[ENDS + 1].fd >= 0) && poll(fds, 2 * ENDS, -1) > 0)
        for (int i = 0; i < ENDS; i++) {
            if (fds[i].revents & POLLIN)
                carry(ends[i].tun, ends[1 - i].tun);
            if (fds[ENDS + i].revents == 0)
                continue;
            if (read(ends[i].from, &ends[i].result, sizeof ends[i].result)
                != (ssize_t)sizeof ends[i].result)
                ends[i].result.done = false;
            fds[ENDS + i].fd = -1;
        }
}

void relay_measure(const struct machine_job *job, struct machine_result *result)
{
    struct end ends[ENDS] = {0};
    bool begun = begin_end(&ends[1], job, false) && begin_end(&ends[0], job, true);

    if (begun)
        carry_all(ends);
    for (int i = 0; i < ENDS; i++)
        if (ends[i].pid > 0) {
            if (!begun)
                (void)kill(ends[i].pid, SIGTERM);
            (void)waitpid(ends[i].pid, NULL, 0);
        }
    result->done = begun && ends[0].result.done && ends[1].result.done;
    result->cpu_s = machine_cpu_s() + ends[0].result.cpu_s + ends[1].result.cpu_s;
}
