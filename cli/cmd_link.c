/*
 * cmd_link.c - weir link: a link with delay, loss and a queue between two devices, in real time
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <weir/host.h>

#include "cli/command.h"
#include "cli/json.h"
#include "cli/link_ends.h"
#include "cli/options.h"
#include "cli/quantity.h"
#include "cli/say.h"

extern const struct command cmd_link;

enum {
    ADDRESSES_MAX = 8,
    LIMIT_DEFAULT_MS = 100, /* what a queue holds at least, with a rate and without a limit */
    PACKETS_LEAST = 20,
    DEVICE_QUEUE = 5000, /* packets */
};

/* The ends: 0 is a, 1 is b. A direction has the number of the end it goes to. */
enum { TO_A, TO_B };

struct side {
    const char *device;
    const char *netns; /* NULL: ours */
    struct weir_prefix addresses[ADDRESSES_MAX];
    size_t address_count;
};

struct linking {
    struct side sides[2];
    struct weir_sim_link_config configs[2];
    bool sets[2]; /* which directions the options that follow are about */
    bool tap, json, quiet, has_seed;
    uint64_t seed;
    const char *pcap;
    weir_ns_t report_ns;   /* 0: no reports */
    weir_ns_t duration_ns; /* 0: until a signal */

    struct link_ends ends;
    struct weir_driver *tee; /* the driver of a, if it is one */
    weir_ns_t started_at, reported_at;
    struct weir_sim_link_stats reported[2];
    bool is_progress_shown;
};

/* ---- options ---- */

static const char *take_name(const char **name, const char *value)
{
    if (value[0] == 0 || strlen(value) > 15 || strchr(value, '/') != NULL)
        return "the name of a device, of at most 15 characters";
    *name = value;
    return NULL;
}

static const char *take_a(void *target, const char *value)
{
    return take_name(&((struct linking *)target)->sides[0].device, value);
}

static const char *take_b(void *target, const char *value)
{
    return take_name(&((struct linking *)target)->sides[1].device, value);
}

static const char *take_netns(struct side *side, const char *value)
{
    side->netns = value;
    return value[0] != 0 ? NULL : "a name of ip-netns, a process's number, or a path";
}

static const char *take_a_netns(void *target, const char *value)
{
    return take_netns(&((struct linking *)target)->sides[0], value);
}

static const char *take_b_netns(void *target, const char *value)
{
    return take_netns(&((struct linking *)target)->sides[1], value);
}

static const char *take_address(struct side *side, const char *value)
{
    if (side->address_count == ADDRESSES_MAX)
        return "at most 8 addresses";
    if (weir_prefix_parse(value, &side->addresses[side->address_count]) != 0)
        return "an address and its prefix length, as 198.18.0.1/24";
    side->address_count++;
    return NULL;
}

static const char *take_a_address(void *target, const char *value)
{
    return take_address(&((struct linking *)target)->sides[0], value);
}

static const char *take_b_address(void *target, const char *value)
{
    return take_address(&((struct linking *)target)->sides[1], value);
}

static const char *take_ab(void *target, const char *value)
{
    struct linking *k = target;

    (void)value;
    k->sets[TO_A] = false;
    k->sets[TO_B] = true;
    return NULL;
}

static const char *take_ba(void *target, const char *value)
{
    struct linking *k = target;

    (void)value;
    k->sets[TO_A] = true;
    k->sets[TO_B] = false;
    return NULL;
}

static const char *take_both(void *target, const char *value)
{
    struct linking *k = target;

    (void)value;
    k->sets[TO_A] = k->sets[TO_B] = true;
    return NULL;
}

/* Sets a member of the configurations of the directions that are being set. */
#define SET(k, member, value)                                                                      \
    do {                                                                                           \
        for (int d = 0; d < 2; d++)                                                                \
            if ((k)->sets[d])                                                                      \
                (k)->configs[d].member = (value);                                                  \
    } while (0)

#define TAKE_TIME(name, member)                                                                    \
    static const char *take_##name(void *target, const char *value)                                \
    {                                                                                              \
        weir_ns_t ns;                                                                              \
                                                                                                   \
        if (quantity_time(value, &ns) != 0)                                                        \
            return "a time, as 50ms or 100us";                                                     \
        SET((struct linking *)target, member, ns);                                                 \
        return NULL;                                                                               \
    }
TAKE_TIME(delay, delay_ns)
TAKE_TIME(jitter, jitter_ns)
TAKE_TIME(queue_target, queue.target_ns)
TAKE_TIME(queue_interval, queue.interval_ns)

#define TAKE_SHARE(name, member)                                                                   \
    static const char *take_##name(void *target, const char *value)                                \
    {                                                                                              \
        uint32_t ppm;                                                                              \
                                                                                                   \
        if (quantity_share(value, &ppm) != 0)                                                      \
            return "a share, as 1% or 0.05%";                                                      \
        SET((struct linking *)target, member, ppm);                                                \
        return NULL;                                                                               \
    }
TAKE_SHARE(duplicate, duplicate_ppm)
TAKE_SHARE(corrupt, corrupt_ppm)
TAKE_SHARE(truncate, truncate_ppm)

static const char *take_jitter_reorders(void *target, const char *value)
{
    (void)value;
    SET((struct linking *)target, jitter_reorders, true);
    return NULL;
}

static const char *take_rate(void *target, const char *value)
{
    uint64_t rate;

    if (quantity_rate(value, &rate) != 0)
        return "a rate, as 100mbit or 1.5gbit";
    SET((struct linking *)target, rate_bits_s, rate);
    return NULL;
}

static const char *take_loss(void *target, const char *value)
{
    struct weir_sim_loss_config loss = {.kind = WEIR_SIM_LOSS_BERNOULLI};

    if (quantity_share(value, &loss.loss_ppm) != 0)
        return "a share, as 1% or 0.05%";
    if (loss.loss_ppm == 0)
        loss.kind = WEIR_SIM_LOSS_NONE;
    SET((struct linking *)target, loss, loss);
    return NULL;
}

/* The part before a comma, as a string of its own; *rest is what follows, or NULL. */
static bool split(const char *value, char *first, size_t room, const char **rest)
{
    const char *comma = strchr(value, ',');
    size_t len = comma != NULL ? (size_t)(comma - value) : strlen(value);

    if (len >= room)
        return false;
    memcpy(first, value, len);
    first[len] = 0;
    *rest = comma != NULL ? comma + 1 : NULL;
    return true;
}

/*
 * Gilbert-Elliott with all frames lost in the bad state, which lasts for the mean length of a
 * burst and is entered as often as gives the share.
 */
static const char *take_bursts(void *target, const char *value)
{
    struct weir_sim_loss_config loss = {.kind = WEIR_SIM_LOSS_GILBERT, .loss_ppm = WEIR_SIM_ALL};
    char share[32];
    const char *length;
    unsigned long long packets = 0;
    uint32_t ppm = 0;

    if (!split(value, share, sizeof share, &length) || length == NULL
        || quantity_share(share, &ppm) != 0 || ppm == 0 || ppm > WEIR_SIM_ALL / 2
        || options_number(length, 1, 10000, &packets) != 0)
        return "a share up to 50% and a mean length in packets, as 1%,5";
    loss.to_good_ppm = (uint32_t)(WEIR_SIM_ALL / packets);
    loss.to_bad_ppm = (uint32_t)((uint64_t)loss.to_good_ppm * ppm / (uint64_t)(WEIR_SIM_ALL - ppm));
    SET((struct linking *)target, loss, loss);
    return NULL;
}

static const char *take_every(void *target, const char *value)
{
    struct weir_sim_loss_config loss = {.kind = WEIR_SIM_LOSS_PERIODIC};
    unsigned long long number;

    if (options_number(value, 1, UINT32_MAX, &number) != 0)
        return "a number of packets";
    loss.every = (uint32_t)number;
    SET((struct linking *)target, loss, loss);
    return NULL;
}

static const char *take_reorder(void *target, const char *value)
{
    struct linking *k = target;
    char share[32];
    const char *time;
    weir_ns_t ns = 0;
    uint32_t ppm;

    if (!split(value, share, sizeof share, &time) || quantity_share(share, &ppm) != 0
        || time == NULL || quantity_time(time, &ns) != 0)
        return "a share and by how much these come later, as 1%,10ms";
    SET(k, reorder_ppm, ppm);
    SET(k, reorder_ns, ns);
    return NULL;
}

static const char *take_corrupt_unnoticed(void *target, const char *value)
{
    (void)value;
    SET((struct linking *)target, corrupt_unnoticed, true);
    return NULL;
}

static const char *take_queue(void *target, const char *value)
{
    const char *name;

    for (size_t kind = 0; (name = weir_sim_queue_name(kind)) != NULL; kind++) {
        if (strcmp(name, value) == 0) {
            SET((struct linking *)target, queue.kind, (enum weir_sim_queue_kind)kind);
            return NULL;
        }
    }
    return "fifo, ecn, codel, fq-codel, pie or dualpi2";
}

static const char *take_limit(void *target, const char *value)
{
    struct linking *k = target;
    unsigned long long packets;
    uint32_t bytes;
    size_t len = strlen(value);
    char digits[24];

    if (len > 1 && len < sizeof digits && value[len - 1] == 'p') {
        memcpy(digits, value, len - 1);
        digits[len - 1] = 0;
        if (options_number(digits, 1, UINT32_MAX, &packets) == 0) {
            SET(k, queue.limit_packets, (uint32_t)packets);
            return NULL;
        }
    }
    if (quantity_bytes(value, &bytes) != 0)
        return "bytes, as 64k or 1m, or packets, as 100p";
    SET(k, queue.limit_bytes, bytes);
    return NULL;
}

static const char *take_mark(void *target, const char *value)
{
    unsigned long long packets;

    if (options_number(value, 1, UINT32_MAX, &packets) != 0)
        return "a number of packets";
    SET((struct linking *)target, queue.mark_packets, (uint32_t)packets);
    return NULL;
}

static const char *take_dark(void *target, const char *value)
{
    struct linking *k = target;
    char first[32];
    const char *second;
    weir_ns_t every_ns = 0, ns = 0;

    if (!split(value, first, sizeof first, &second) || quantity_time(first, &every_ns) != 0
        || second == NULL || quantity_time(second, &ns) != 0 || ns > every_ns)
        return "how often and for how long, as 10s,500ms";
    SET(k, dark_every_ns, every_ns);
    SET(k, dark_ns, ns);
    return NULL;
}

static const char *take_mtu(void *target, const char *value)
{
    unsigned long long number;

    if (options_number(value, 68, 65535, &number) != 0)
        return "a number from 68 to 65535";
    SET((struct linking *)target, mtu, (uint32_t)number);
    return NULL;
}

static const char *take_seed(void *target, const char *value)
{
    struct linking *k = target;
    unsigned long long number;

    if (options_number(value, 0, INT64_MAX, &number) != 0)
        return "a number";
    k->seed = number;
    k->has_seed = true;
    return NULL;
}

static const char *take_report(void *target, const char *value)
{
    struct linking *k = target;

    return quantity_time(value, &k->report_ns) == 0 && k->report_ns >= 10 * WEIR_MS
               ? NULL
               : "a time of at least 10ms";
}

static const char *take_duration(void *target, const char *value)
{
    struct linking *k = target;

    return quantity_time(value, &k->duration_ns) == 0 && k->duration_ns > 0 ? NULL
                                                                            : "a time, as 10s";
}

static const char *take_pcap(void *target, const char *value)
{
    ((struct linking *)target)->pcap = value;
    return value[0] != 0 ? NULL : "the name of a file";
}

#define SWITCH(member)                                                                             \
    static const char *take_##member(void *target, const char *value)                              \
    {                                                                                              \
        (void)value;                                                                               \
        ((struct linking *)target)->member = true;                                                 \
        return NULL;                                                                               \
    }
SWITCH(tap)
SWITCH(json)
SWITCH(quiet)

static const struct option_spec device_specs[] = {
    {"a", 0, "NAME", "one device, which is opened or made", take_a},
    {"b", 0, "NAME", "the other one", take_b},
    {"tap", 0, NULL, "TAP devices, with Ethernet frames (default: TUN)", take_tap},
    {"a-netns", 0, "NETNS", "the network namespace of a: a name, a process, or a path",
     take_a_netns},
    {"b-netns", 0, "NETNS", "that of b", take_b_netns},
    {"a-address", 0, "ADDR/LEN", "bring a up with this address; may be repeated", take_a_address},
    {"b-address", 0, "ADDR/LEN", "the same for b", take_b_address},
    {0},
};

static const struct option_spec link_specs[] = {
    {"ab", 0, NULL, "what follows is about the direction from a to b", take_ab},
    {"ba", 0, NULL, "about that from b to a", take_ba},
    {"both", 0, NULL, "about both (as at the beginning)", take_both},
    {"delay", 'd', "TIME", "50ms, 100us, ...: how long a packet is under way", take_delay},
    {"rate", 'r', "RATE", "100mbit, 1gbit, ... (default: no limit, and no queue)", take_rate},
    {"loss", 'l', "SHARE", "1%, ...: packets that are lost, by chance", take_loss},
    {"bursts", 0, "SHARE,N", "lost in bursts of N on average", take_bursts},
    {"loss-every", 0, "N", "every Nth packet is lost", take_every},
    {"jitter", 'j', "TIME", "up to so much more delay, by chance", take_jitter},
    {"jitter-reorders", 0, NULL, "packets may overtake one another by it", take_jitter_reorders},
    {"reorder", 0, "SHARE,TIME", "some come so much later", take_reorder},
    {"duplicate", 0, "SHARE", "arrive twice", take_duplicate},
    {"corrupt", 0, "SHARE", "have one bit changed", take_corrupt},
    {"corrupt-unnoticed", 0, NULL, "and a checksum that fits", take_corrupt_unnoticed},
    {"truncate", 0, "SHARE", "lose some of their last bytes", take_truncate},
    {"dark", 0, "TIME,TIME", "nothing gets through: how often, for how long", take_dark},
    {"queue", 0, "KIND", "fifo, ecn, codel, fq-codel, pie, dualpi2", take_queue},
    {"limit", 0, "SIZE", "of the queue: 64k, or 100p packets (default: 100 ms)", take_limit},
    {"mark", 0, "N", "ecn: packets waiting from which on packets are marked", take_mark},
    {"target", 0, "TIME", "codel, pie, dualpi2: the delay to aim at", take_queue_target},
    {"interval", 0, "TIME", "codel: how long it waits; pie, dualpi2: how often it looks",
     take_queue_interval},
    {"mtu", 0, "N", "longer packets are lost", take_mtu},
    {"seed", 's', "N", "chance begins here (default: printed at the start)", take_seed},
    {0},
};

static const struct option_spec other_specs[] = {
    {"duration", 0, "TIME", "end after so long (default: at a signal)", take_duration},
    {"report", 0, "TIME", "print what has passed so often", take_report},
    {"pcap", 0, "FILE", "write what passes at a to a pcapng file", take_pcap},
    {"json", 0, NULL, "reports and the summary as lines of JSON", take_json},
    {"quiet", 'q', NULL, "say nothing but errors and results", take_quiet},
    {0},
};

/* ---- signals ---- */

static volatile sig_atomic_t was_stopped;

static void on_signal(int number)
{
    (void)number;
    was_stopped = 1;
}

/* Blocked but while waiting, so that none is missed. */
static void catch_signals(sigset_t *awake)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigset_t blocked;

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGTERM);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigprocmask(SIG_BLOCK, &blocked, awake);
    sigdelset(awake, SIGINT);
    sigdelset(awake, SIGTERM);
}

/* ---- devices ---- */

/* A name as ip-netns has it, a process's number, or a path: a descriptor, or -1. */
static int open_netns(const char *netns)
{
    char path[4096];
    unsigned long long pid;

    if (strchr(netns, '/') != NULL)
        (void)snprintf(path, sizeof path, "%s", netns);
    else if (options_number(netns, 1, INT32_MAX, &pid) == 0)
        (void)snprintf(path, sizeof path, "/proc/%llu/ns/net", pid);
    else
        (void)snprintf(path, sizeof path, "/run/netns/%s", netns);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/*
 * Room for what the kernel sends while we are not scheduled: else the device, and not the link,
 * would lose it. Where that is not allowed it stays as it is.
 */
static void lengthen_queue(const char *device)
{
    struct ifreq request = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    (void)snprintf(request.ifr_name, sizeof request.ifr_name, "%s", device);
    request.ifr_qlen = DEVICE_QUEUE;
    if (fd >= 0) {
        (void)ioctl(fd, SIOCSIFTXQLEN, &request);
        close(fd);
    }
}

static int open_device(struct linking *k, int i)
{
    struct side *side = &k->sides[i];
    struct weir_device_options options = {.name = side->device};
    struct weir_device_setup setup = {.addrs = side->addresses, .addr_count = side->address_count};
    struct weir_driver_error error;
    struct weir_driver *driver =
        k->tap ? weir_tap_open(&options, &error) : weir_tun_open(&options, &error);

    if (driver == NULL)
        return say_failed("%s", error.text);
    k->ends.of[i].driver = driver;
    lengthen_queue(driver->name);
    if (side->address_count > 0 && weir_device_configure(driver->name, &setup, &error) != 0)
        return say_failed("%s", error.text);
    return EXIT_OK;
}

/* Opens a device in its namespace: a device stays where it was made. */
static int open_device_there(struct linking *k, int i)
{
    const char *netns = k->sides[i].netns;
    int here, there, code;

    if (netns == NULL)
        return open_device(k, i);
    here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    there = open_netns(netns);
    if (there < 0 || here < 0 || setns(there, CLONE_NEWNET) != 0)
        code = say_failed("cannot go into the network namespace %s: %s", netns, strerror(errno));
    else
        code = open_device(k, i);
    if (here >= 0 && there >= 0 && setns(here, CLONE_NEWNET) != 0)
        code = say_failed("cannot come back from the network namespace %s: %s", netns,
                          strerror(errno));
    if (here >= 0)
        close(here);
    if (there >= 0)
        close(there);
    return code;
}

static int open_capture(struct linking *k)
{
    struct weir_driver_error error;

    if (k->pcap == NULL)
        return EXIT_OK;
    k->tee = weir_pcapng_tee(&k->ends.of[0].driver, k->pcap, &error);
    if (k->tee == NULL)
        return say_failed("%s", error.text);
    k->ends.of[0].driver = k->tee;
    return EXIT_OK;
}

/* ---- the link ---- */

/* Without a limit, a queue takes as much as is sent in LIMIT_DEFAULT_MS, or twice the delay. */
static void choose_limit(struct weir_sim_link_config *c)
{
    uint64_t ms = (uint64_t)(2 * c->delay_ns / WEIR_MS);
    uint64_t bytes;

    if (c->rate_bits_s == 0 || c->queue.limit_packets != 0 || c->queue.limit_bytes != 0)
        return;
    if (ms < LIMIT_DEFAULT_MS)
        ms = LIMIT_DEFAULT_MS;
    bytes = c->rate_bits_s / 8 * ms / 1000;
    if (bytes < PACKETS_LEAST * 1514)
        bytes = PACKETS_LEAST * 1514;
    c->queue.limit_bytes = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
}

static int make_link(struct linking *k, int to)
{
    struct weir_sim_link_config *c = &k->configs[to];
    int err;

    c->frames = k->tap ? WEIR_LINK_ETHERNET : WEIR_LINK_IP;
    choose_limit(c);
    err = weir_sim_link_create(c, k->seed * 2 + (uint64_t)to, &k->ends.of[to].link);
    return err == 0 ? EXIT_OK : say_failed("the link cannot be made: %s", weir_err_text(err));
}

/* Where an error of some tens of microseconds would show, the last of them are waited awake. */
static weir_ns_t choose_spin(const struct linking *k)
{
    const weir_ns_t short_ns = 5 * WEIR_MS, spin_ns = 40 * WEIR_US;
    bool is_short = false;

    for (int d = 0; d < 2; d++)
        is_short |= k->configs[d].delay_ns > 0 && k->configs[d].delay_ns < short_ns;
    return is_short ? spin_ns : 0;
}

/* ---- reports ---- */

static const char *const directions[2] = {"b>a", "a>b"};

static double rate_mbit(const struct weir_sim_link_stats *now,
                        const struct weir_sim_link_stats *before, weir_ns_t ns)
{
    return ns <= 0 ? 0 : (double)(now->bytes_out - before->bytes_out) * 8e3 / (double)ns;
}

static void put_json(struct json *j, const char *type, const char *direction)
{
    json_begin(j, stdout, type);
    json_text(j, "direction", direction);
}

static void put_stats_json(struct json *j, const struct weir_sim_link_stats *s)
{
    json_unsigned(j, "packets_in", s->frames_in);
    json_unsigned(j, "packets_out", s->frames_out);
    json_unsigned(j, "bytes_in", s->bytes_in);
    json_unsigned(j, "bytes_out", s->bytes_out);
    json_unsigned(j, "lost", s->lost);
    json_unsigned(j, "dropped_full", s->dropped_full);
    json_unsigned(j, "dropped_aqm", s->dropped_aqm);
    json_unsigned(j, "dropped_mtu", s->dropped_mtu);
    json_unsigned(j, "marked", s->marked);
    json_unsigned(j, "duplicated", s->duplicated);
    json_unsigned(j, "reordered", s->reordered);
    json_unsigned(j, "queue_bytes", s->queue_bytes);
    json_unsigned(j, "queue_bytes_max", s->queue_bytes_max);
    json_seconds(j, "queue_delay_s", s->queue_delay_ns);
    json_seconds(j, "queue_delay_max_s", s->queue_delay_max_ns);
}

/* A line of both directions: "a>b 94.8 Mbit/s, queue 12.3 ms, 5 lost, 2 dropped". */
static int put_line(char *line, size_t room, const struct weir_sim_link_stats now[2],
                    const struct weir_sim_link_stats before[2], weir_ns_t ns)
{
    int len = 0;

    for (int d = TO_B; d >= TO_A; d--)
        len += snprintf(line + len, room - (size_t)len,
                        "%s%s %.1f Mbit/s, queue %.1f ms, %" PRIu64 " lost, %" PRIu64 " dropped",
                        d == TO_B ? "" : " | ", directions[d], rate_mbit(&now[d], &before[d], ns),
                        (double)now[d].queue_delay_ns / 1e6, now[d].lost,
                        now[d].dropped_full + now[d].dropped_aqm + now[d].dropped_mtu);
    return len;
}

static void report(struct linking *k, weir_ns_t now, bool is_progress)
{
    struct weir_sim_link_stats stats[2];
    char line[512];

    for (int d = 0; d < 2; d++)
        weir_sim_link_stats(k->ends.of[d].link, &stats[d]);
    if (is_progress) {
        (void)put_line(line, sizeof line, stats, k->reported, now - k->reported_at);
        (void)fprintf(stderr, "\r%s\033[K", line);
        (void)fflush(stderr);
        k->is_progress_shown = true;
    } else if (k->json) {
        for (int d = TO_B; d >= TO_A; d--) {
            struct json j;
            put_json(&j, "report", directions[d]);
            json_seconds(&j, "at_s", now - k->started_at);
            json_unsigned(
                &j, "rate_bits_s",
                (uint64_t)(1e6 * rate_mbit(&stats[d], &k->reported[d], now - k->reported_at)));
            put_stats_json(&j, &stats[d]);
            json_end(&j);
        }
    } else {
        (void)put_line(line, sizeof line, stats, k->reported, now - k->reported_at);
        printf("%.3f %s\n", (double)(now - k->started_at) / 1e9, line);
    }
    memcpy(k->reported, stats, sizeof stats);
    k->reported_at = now;
}

static void summarise(struct linking *k)
{
    weir_ns_t now = weir_host_now();

    if (k->is_progress_shown)
        (void)fprintf(stderr, "\r\033[K");
    for (int d = TO_B; d >= TO_A; d--) {
        const struct link_end *end = &k->ends.of[d];
        double late_us =
            end->late_count > 0 ? (double)end->late_sum_ns / 1e3 / (double)end->late_count : 0;
        struct weir_sim_link_stats s;
        struct json j;

        weir_sim_link_stats(end->link, &s);
        if (k->json) {
            put_json(&j, "summary", directions[d]);
            json_seconds(&j, "duration_s", now - k->started_at);
            put_stats_json(&j, &s);
            json_seconds(&j, "queue_delay_median_s", weir_sim_link_delay_at(end->link, 500));
            json_seconds(&j, "late_mean_s", (weir_ns_t)(late_us * 1e3));
            json_seconds(&j, "late_max_s", end->late_max_ns);
            json_unsigned(&j, "seed", k->seed);
            json_end(&j);
        } else if (!k->quiet) {
            say("%s: %" PRIu64 " packets in, %" PRIu64 " out, %" PRIu64 " lost, %" PRIu64
                " dropped, %" PRIu64 " marked; queue %.1f ms at most; %.0f us late on average",
                directions[d], s.frames_in, s.frames_out, s.lost,
                s.dropped_full + s.dropped_aqm + s.dropped_mtu, s.marked,
                (double)s.queue_delay_max_ns / 1e6, late_us);
        }
    }
}

/* ---- running ---- */

static int run_link(struct linking *k, const sigset_t *awake)
{
    bool shows_progress = !k->quiet && !k->json && k->report_ns == 0 && isatty(STDERR_FILENO);
    weir_ns_t period_ns = k->report_ns != 0 ? k->report_ns : shows_progress ? WEIR_S / 2 : 0;
    weir_ns_t end_at, next_at;
    int err = 0;

    k->started_at = k->reported_at = weir_host_now();
    end_at = k->duration_ns != 0 ? k->started_at + k->duration_ns : WEIR_NEVER;
    next_at = period_ns != 0 ? k->started_at + period_ns : WEIR_NEVER;
    while (err == 0 && !was_stopped && weir_host_now() < end_at) {
        k->ends.wake_at = next_at < end_at ? next_at : end_at;
        err = link_ends_run(&k->ends, &was_stopped, awake);
        if (weir_host_now() >= next_at) {
            report(k, weir_host_now(), shows_progress);
            next_at += period_ns;
            if (!say_flush())
                break;
        }
    }
    summarise(k);
    if (err != 0)
        return say_failed("a device has failed: %s", weir_err_text(err));
    return EXIT_OK;
}

static int open_all(struct linking *k)
{
    int code = open_device_there(k, 0);

    if (code == EXIT_OK)
        code = open_device_there(k, 1);
    if (code == EXIT_OK)
        code = open_capture(k);
    for (int to = 0; to < 2 && code == EXIT_OK; to++)
        code = make_link(k, to);
    return code;
}

static int run_linking(struct linking *k)
{
    sigset_t awake;
    int code;

    if (!k->has_seed)
        k->seed = (uint64_t)weir_host_now() % 1000000;
    catch_signals(&awake);
    code = open_all(k);
    if (code == EXIT_OK) {
        if (!k->quiet && !k->json)
            say("a link between %s and %s, seed %" PRIu64, k->ends.of[0].driver->name,
                k->ends.of[1].driver->name, k->seed);
        (void)prctl(PR_SET_TIMERSLACK, 1ul, 0ul, 0ul, 0ul); /* else the kernel adds 50 us */
        k->ends.spin_ns = choose_spin(k);
        code = run_link(k, &awake);
    }
    if (k->tee != NULL && weir_pcapng_error(k->tee) != 0)
        code = say_failed("%s is not complete: %s", k->pcap, strerror(weir_pcapng_error(k->tee)));
    link_ends_close(&k->ends);
    return code;
}

static int run(int argc, char **argv)
{
    struct linking *k = calloc(1, sizeof *k);
    const struct option_table tables[] = {
        {device_specs, k}, {link_specs, k}, {other_specs, k}, {NULL, NULL}};
    int first, code;

    if (k == NULL)
        return say_failed("there is no memory");
    k->sets[TO_A] = k->sets[TO_B] = true;
    first = options_read(&cmd_link, tables, argc, argv);
    code = first < 0 ? options_exit(first) : EXIT_OK;
    if (first >= 0 && (k->sides[0].device == NULL || k->sides[1].device == NULL))
        code = say_usage("link wants two devices, --a and --b");
    else if (first >= 0)
        code = run_linking(k);
    free(k);
    return code;
}

const struct command cmd_link = {
    .name = "link",
    .operands = "",
    .summary = "a slow, lossy link between two devices",
    .text =
        "Makes two TUN devices with an emulated link between them: what the kernel sends into one\n"
        "comes out of the other as late, as slowly and as damaged as on that link. For real\n"
        "programs, one device belongs into another network namespace (--b-netns, or move it).",
    .options = (const struct option_spec *const[]){device_specs, link_specs, other_specs, NULL},
    .run = run,
};
