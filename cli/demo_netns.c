/*
 * demo_netns.c - a private network, in which nothing can be broken
 *
 * What may forbid it differs between distributions and containers: each is looked up where
 * it can be, so that the advice given is the one that helps.
 */
#include "cli/demo_netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char node[] = "/dev/net/tun";

static bool explain(char why[NETNS_WHY_MAX], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Always false. */
static bool explain(char why[NETNS_WHY_MAX], const char *format, ...)
{
    va_list values;

    va_start(values, format);
    (void)vsnprintf(why, NETNS_WHY_MAX, format, values);
    va_end(values);
    return false;
}

/* A number in a file of /proc/sys; -1 if there is none. */
static long setting(const char *name)
{
    char path[128], text[32] = "";
    ssize_t len;
    int fd;

    (void)snprintf(path, sizeof path, "/proc/sys/%s", name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    len = read(fd, text, sizeof text - 1);
    (void)close(fd);
    return len > 0 ? strtol(text, NULL, 10) : -1;
}

/* A setting that forbids ordinary users' namespaces, with the value that allows them. */
static const char *forbidding_setting(void)
{
    if (setting("kernel/unprivileged_userns_clone") == 0)
        return "kernel.unprivileged_userns_clone=1";
    if (setting("user/max_user_namespaces") == 0)
        return "user.max_user_namespaces=10000";
    if (setting("kernel/apparmor_restrict_unprivileged_userns") == 1)
        return "kernel.apparmor_restrict_unprivileged_userns=0";
    return NULL;
}

static bool explain_namespace(char why[NETNS_WHY_MAX], int os)
{
    const char *name = forbidding_setting();

    if (geteuid() == 0)
        return explain(why,
                       "this container may not make a network namespace (%s): start it with "
                       "\"--privileged\", or with \"--cap-add SYS_ADMIN --cap-add NET_ADMIN "
                       "--device %s\" and a seccomp profile that allows unshare",
                       strerror(os), node);
    if (name != NULL)
        return explain(why,
                       "this system does not let ordinary users make a network namespace: run "
                       "this with sudo, or allow it with \"sudo sysctl %s\"",
                       name);
    return explain(why,
                   "an ordinary user may not make a network namespace here (%s): run this with "
                   "sudo, or, in a container, start that with \"--privileged\"",
                   strerror(os));
}

/* open, write, close; 0 or an errno. */
static int put_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC), os = 0;

    if (fd < 0)
        return errno;
    if (write(fd, text, strlen(text)) < 0)
        os = errno;
    (void)close(fd);
    return os;
}

/* The user stays who he is, but has the capabilities of root in the new namespaces. */
static int enter_as_user(void)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();
    char map[64];
    int os;

    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        return errno;
    (void)put_file("/proc/self/setgroups", "deny");
    (void)snprintf(map, sizeof map, "%u %u 1", (unsigned)uid, (unsigned)uid);
    os = put_file("/proc/self/uid_map", map);
    (void)snprintf(map, sizeof map, "%u %u 1", (unsigned)gid, (unsigned)gid);
    return os != 0 ? os : put_file("/proc/self/gid_map", map);
}

bool netns_enter(char why[NETNS_WHY_MAX])
{
    int os = 0;

    if (access(node, F_OK) != 0)
        return explain(why,
                       "there is no %s: load the kernel's module with \"sudo modprobe tun\" or, in "
                       "a container, start that with \"--device %s\"",
                       node, node);
    if (geteuid() == 0 && unshare(CLONE_NEWNET) == 0)
        return true;
    os = enter_as_user();
    return os == 0 || explain_namespace(why, os);
}

static bool explain_node(char why[NETNS_WHY_MAX])
{
    struct stat about = {0};

    (void)stat(node, &about);
    return explain(why,
                   "%s is closed to you (mode %04o): run this with sudo, or allow it with \"sudo "
                   "chmod 0666 %s\", as most distributions have it",
                   node, about.st_mode & 0777u, node);
}

static bool explain_tun(char why[NETNS_WHY_MAX], const struct weir_driver_error *error)
{
    const char *name = forbidding_setting();
    size_t len;

    if (error->os == EACCES)
        return explain_node(why);
    if (error->os == EPERM && geteuid() != 0 && name != NULL)
        return explain(why,
                       "this system gives ordinary users no rights in their own network "
                       "namespace: run this with sudo, or allow it with \"sudo sysctl %s\"",
                       name);
    (void)explain(why, "%s", error->text);
    len = strlen(why);
    if (len > 0 && why[len - 1] == '.')
        why[len - 1] = '\0';
    return false;
}

struct weir_driver *netns_open_tun(const struct weir_prefix *kernel, char why[NETNS_WHY_MAX])
{
    struct weir_device_options options = {.name = "weir0"};
    struct weir_device_setup setup = {.addrs = kernel, .addr_count = 1};
    struct weir_driver_error error;
    struct weir_driver *tun = weir_tun_open(&options, &error);

    if (tun == NULL) {
        (void)explain_tun(why, &error);
        return NULL;
    }
    if (weir_device_configure(tun->name, &setup, &error) != 0) {
        (void)explain_tun(why, &error);
        tun->ops->close(&tun);
    }
    return tun;
}
