/*
 * session.c - a stack on a device, for as long as a command runs
 */
#include "cli/session.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <weir/record.h>
#include <weir/stats.h>

#include "cli/json.h"
#include "cli/say.h"
#include "cli/trace_lines.h"

/* How long connections may take to say goodbye. */
static const weir_ns_t goodbye_ns = 300 * WEIR_MS;

/* ---- signals ---- */

static volatile sig_atomic_t was_interrupted;
static struct weir_host *host_to_stop;

static void on_signal(int number)
{
    (void)number;
    was_interrupted = 1;
    if (host_to_stop != NULL)
        weir_host_stop(host_to_stop);
}

/* The action holds once: a second signal does what it does to any program. */
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

bool session_was_interrupted(void)
{
    return was_interrupted != 0;
}

/* ---- addresses ---- */

static void add_address(struct net_addresses *list, const char *text)
{
    if (weir_prefix_parse(text, &list->of[list->count]) == 0)
        list->count++;
}

/* Whether an interface of this machine has an address in 198.18.n.0/24. */
static bool is_taken(const struct ifaddrs *interfaces, unsigned n)
{
    for (; interfaces != NULL; interfaces = interfaces->ifa_next) {
        struct sockaddr_in in;
        if (interfaces->ifa_addr == NULL || interfaces->ifa_addr->sa_family != AF_INET)
            continue;
        memcpy(&in, interfaces->ifa_addr, sizeof in);
        if (ntohl(in.sin_addr.s_addr) >> 8 == (198u << 16 | 18u << 8 | n))
            return true;
    }
    return false;
}

/*
 * Programs that start at the same moment must not choose the same pair: each binds a socket
 * of that name, which others in this network namespace then cannot, for as long as it runs.
 */
static bool claim(struct session *s, unsigned n)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int len = snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "weir-198.18.%u", n);
    socklen_t name_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);

    if (s->claim_fd < 0)
        s->claim_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return s->claim_fd < 0 || bind(s->claim_fd, (struct sockaddr *)&name, name_len) == 0;
}

/*
 * Without addresses we and the kernel take a pair that nobody else uses: from the block for
 * benchmarks [RFC2544 C.2.2] and from the one for private use [RFC4193]. Several programs at
 * once take several pairs.
 */
static void choose_addresses(struct session *s)
{
    struct ifaddrs *interfaces = NULL;
    char text[WEIR_ADDR_TEXT];
    unsigned n = 0;

    if (getifaddrs(&interfaces) == 0)
        while (n < 255 && (is_taken(interfaces, n) || !claim(s, n)))
            n++;
    freeifaddrs(interfaces);
    if (s->options->family != 6) {
        (void)snprintf(text, sizeof text, "198.18.%u.2/24", n);
        add_address(&s->own, text);
        (void)snprintf(text, sizeof text, "198.18.%u.1/24", n);
        add_address(&s->peer, text);
    }
    if (s->options->family != 4 && (s->options->mtu == 0 || s->options->mtu >= 1280)) {
        (void)snprintf(text, sizeof text, "fd00:5765:6972:%x::2/64", n);
        add_address(&s->own, text);
        (void)snprintf(text, sizeof text, "fd00:5765:6972:%x::1/64", n);
        add_address(&s->peer, text);
    }
}

const struct weir_addr *session_own(const struct session *s, int family)
{
    for (size_t i = 0; i < s->own.count; i++)
        if (weir_addr_is_v4(&s->own.of[i].addr) == (family == 4))
            return &s->own.of[i].addr;
    return NULL;
}

static int give_addresses(struct session *s)
{
    char text[WEIR_ADDR_TEXT];

    for (size_t i = 0; i < s->own.count; i++) {
        int err = weir_addr_add(s->stack, s->netif, &s->own.of[i]);
        if (err != 0)
            return say_failed("cannot use the address %s: %s",
                              weir_prefix_text(&s->own.of[i], text), weir_err_text(err));
    }
    return EXIT_OK;
}

/* The gateway of a family: the one given, or the kernel, if its address is known. */
static const struct weir_addr *gateway_of(const struct session *s, bool is_v4)
{
    const struct net_addresses *lists[] = {&s->options->gateways, &s->peer};

    for (size_t l = 0; l < 2; l++)
        for (size_t i = 0; i < lists[l]->count; i++)
            if (weir_addr_is_v4(&lists[l]->of[i].addr) == is_v4)
                return &lists[l]->of[i].addr;
    return NULL;
}

/* On a TUN there is nobody but the kernel: no gateway is needed to reach everybody else. */
static int give_routes(struct session *s)
{
    static const char *const everybody[] = {"0.0.0.0/0", "::/0"};

    for (int i = 0; i < 2; i++) {
        const struct weir_addr *gateway = gateway_of(s, i == 0);
        struct weir_prefix all;
        int err;
        if (session_own(s, i == 0 ? 4 : 6) == NULL
            || (gateway == NULL && s->link == WEIR_LINK_ETHERNET))
            continue;
        (void)weir_prefix_parse(everybody[i], &all);
        err = weir_route_add(s->stack, &all, s->link == WEIR_LINK_IP ? NULL : gateway, s->netif);
        if (err != 0)
            return say_failed("cannot use the gateway: %s", weir_err_text(err));
    }
    return EXIT_OK;
}

/* ---- the device ---- */

static bool device_is_up(const char *name)
{
    struct ifreq request = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool is_up;

    (void)snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    is_up = fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP);
    if (fd >= 0)
        close(fd);
    return is_up;
}

/* The kernel's end gets addresses that were given or chosen for it, else nothing. */
static int set_up_kernel(struct session *s)
{
    struct weir_device_setup setup = {
        .addrs = s->peer.of, .addr_count = s->peer.count, .mtu = s->options->mtu};
    struct weir_driver_error error;

    if (!s->options->no_setup && s->peer.count > 0
        && weir_device_configure(s->device, &setup, &error) != 0)
        return say_failed("%s", error.text);
    if (!s->options->quiet && !device_is_up(s->device))
        say("nothing passes yet: %s is down and, without --peer, left alone", s->device);
    return EXIT_OK;
}

static struct weir_driver *open_device(struct session *s)
{
    const struct net_options *o = s->options;
    struct weir_device_options options = {.name = o->device != NULL ? o->device : "weir%d",
                                          .mtu = o->mtu,
                                          .offloads = !o->no_offload};
    struct weir_driver_error error;
    struct weir_driver *driver, *tee;

    driver = o->tap ? weir_tap_open(&options, &error) : weir_tun_open(&options, &error);
    if (driver != NULL && o->pcap != NULL) {
        tee = weir_pcapng_tee(&driver, o->pcap, &error);
        if (tee == NULL)
            driver->ops->close(&driver);
        s->tee = tee;
        driver = tee;
    }
    if (driver == NULL)
        say("%s", error.text);
    return driver;
}

/* Attaches the device to the stack and gives both ends what they need. */
static int set_up(struct session *s)
{
    struct weir_driver *driver = open_device(s);
    int err, code;

    if (driver == NULL)
        return EXIT_FAILED;
    (void)snprintf(s->device, sizeof s->device, "%s", driver->name);
    s->link = driver->netif.link;
    code = set_up_kernel(s);
    err = code == EXIT_OK ? weir_host_attach(s->host, &driver, &s->netif) : 0;
    if (driver != NULL)
        driver->ops->close(&driver);
    if (err != 0)
        return say_failed("the stack does not take %s: %s", s->device, weir_err_text(err));
    if (code == EXIT_OK)
        code = give_addresses(s);
    return code == EXIT_OK ? give_routes(s) : code;
}

/* ---- tracing and statistics ---- */

static int start_trace(struct session *s)
{
    if (!s->options->trace)
        return EXIT_OK;
    s->trace = malloc(sizeof *s->trace);
    if (s->trace == NULL)
        return say_failed("there is no memory for a trace");
    trace_lines_init(s->trace, s->started_at);
    s->trace->json = s->options->json;
    s->trace->all = s->options->verbose;
    weir_trace_set(s->stack, trace_lines_on_trace, s->trace);
    return EXIT_OK;
}

struct counter {
    const char *name;
    uint64_t value;
};

static void print_counters(const struct session *s, const struct counter *counters, size_t count)
{
    struct json j;

    if (!s->options->json) {
        for (size_t i = 0; i < count; i++)
            if (counters[i].value != 0)
                (void)fprintf(stderr, "%14" PRIu64 " %s\n", counters[i].value, counters[i].name);
        for (size_t why = 1; why < weir_why_count(); why++)
            if (weir_dropped(s->stack, why) != 0)
                (void)fprintf(stderr, "%14" PRIu64 " dropped: %s\n", weir_dropped(s->stack, why),
                              weir_why_text(why));
        return;
    }
    json_begin(&j, stderr, "stats");
    for (size_t i = 0; i < count; i++)
        json_unsigned(&j, counters[i].name, counters[i].value);
    for (size_t why = 1; why < weir_why_count(); why++)
        if (weir_dropped(s->stack, why) != 0)
            json_unsigned(&j, weir_why_name(why), weir_dropped(s->stack, why));
    json_end(&j);
}

static void print_stats(const struct session *s)
{
    struct weir_stats stats;

    weir_stats(s->stack, &stats);
    const struct counter counters[] = {
        {"frames_in", stats.frames_in},
        {"frames_out", stats.frames_out},
        {"bytes_in", stats.bytes_in},
        {"bytes_out", stats.bytes_out},
        {"tcp_segs_in", stats.tcp_segs_in},
        {"tcp_segs_out", stats.tcp_segs_out},
        {"tcp_retransmits", stats.tcp_retransmits},
        {"tcp_resets_out", stats.tcp_resets_out},
        {"tcp_challenge_acks", stats.tcp_challenge_acks},
        {"tcp_active_opens", stats.tcp_active_opens},
        {"tcp_passive_opens", stats.tcp_passive_opens},
        {"tcp_failed_opens", stats.tcp_failed_opens},
        {"tcp_timeouts", stats.tcp_timeouts},
        {"udp_in", stats.udp_in},
        {"udp_out", stats.udp_out},
        {"icmp_in", stats.icmp_in},
        {"icmp_out", stats.icmp_out},
        {"memory_peak_bytes", stats.memory_peak_bytes},
    };
    print_counters(s, counters, sizeof counters / sizeof counters[0]);
}

/* ---- time ---- */

static void arm(struct session *s);

static void on_time(void *ctx, weir_ns_t now)
{
    struct session *s = ctx;

    for (int i = 0; i < SESSION_TIMERS; i++) {
        if (s->timers[i].at > now)
            continue;
        s->timers[i].at = WEIR_NEVER;
        s->timers[i].on_time(s->timers[i].ctx, now);
    }
    arm(s);
}

static void arm(struct session *s)
{
    weir_ns_t at = WEIR_NEVER;

    for (int i = 0; i < SESSION_TIMERS; i++)
        if (s->timers[i].at < at)
            at = s->timers[i].at;
    weir_host_set_timer(s->host, at, on_time, s);
}

void session_set_timer(struct session *s, enum session_timer timer, weir_ns_t at,
                       weir_host_on_time on_time_now, void *ctx)
{
    s->timers[timer].at = at;
    s->timers[timer].on_time = on_time_now;
    s->timers[timer].ctx = ctx;
    arm(s);
}

/* ---- the life of a session ---- */

static void end(struct session *s)
{
    host_to_stop = NULL;
    weir_host_destroy(&s->host);
    free(s->trace);
    if (s->claim_fd >= 0)
        close(s->claim_fd);
    (void)weir_recorder_close(&s->recorder);
}

static int start_recording(struct session *s, struct weir_config *config)
{
    if (s->options->record == NULL)
        return EXIT_OK;
    s->recorder = weir_recorder_open(s->options->record);
    if (s->recorder == NULL)
        return say_failed("cannot record to %s: %s", s->options->record, strerror(errno));
    weir_recorder_watch(s->recorder, config);
    return EXIT_OK;
}

int session_open(struct session *s, const struct net_options *options)
{
    struct weir_config config;
    int err, code;

    memset(s, 0, sizeof *s);
    s->options = options;
    s->claim_fd = -1;
    s->started_at = weir_host_now();
    for (int i = 0; i < SESSION_TIMERS; i++)
        s->timers[i].at = WEIR_NEVER;
    s->own = options->own;
    s->peer = options->peer;
    if (s->own.count == 0)
        choose_addresses(s);

    weir_host_config(&config);
    code = start_recording(s, &config);
    if (code != EXIT_OK) {
        end(s);
        return code;
    }
    err = weir_host_create(&config, &s->host);
    if (err != 0) {
        end(s);
        return say_failed("cannot make a stack: %s", weir_err_text(err));
    }
    s->stack = weir_host_stack(s->host);
    host_to_stop = s->host;
    catch_signals();
    code = start_trace(s);
    if (code == EXIT_OK)
        code = set_up(s);
    if (code == EXIT_OK)
        return code;
    end(s);
    return code;
}

/* Until what was closed has ended, or time is up. */
static void say_goodbye(struct session *s)
{
    weir_ns_t until = weir_host_now() + goodbye_ns;
    struct weir_stats stats;

    weir_host_set_events(s->host, NULL, NULL);
    weir_host_set_timer(s->host, WEIR_NEVER, NULL, NULL);
    for (;;) {
        weir_ns_t now = weir_host_now();
        weir_stats(s->stack, &stats);
        if (now >= until || (stats.connections == 0 && !weir_has_output(s->stack, 0))
            || weir_host_step(s->host, until - now) != 0)
            return;
    }
}

int session_close(struct session *s, int code)
{
    say_goodbye(s);
    if (s->options->stats)
        print_stats(s);
    if (s->tee != NULL && weir_pcapng_error(s->tee) != 0)
        code = say_failed("%s is not complete: %s", s->options->pcap,
                          strerror(weir_pcapng_error(s->tee)));
    if (s->recorder != NULL && weir_recorder_error(s->recorder) != 0)
        code = say_failed("%s is not complete: %s", s->options->record,
                          strerror(weir_recorder_error(s->recorder)));
    end(s);
    return code;
}

int session_run(struct session *s)
{
    int err;

    if (session_was_interrupted())
        return EXIT_OK;
    err = weir_host_run(s->host);
    if (err != 0)
        return say_failed("%s has failed: %s", s->device, weir_err_text(err));
    return EXIT_OK;
}

void session_stop(struct session *s)
{
    weir_host_stop(s->host);
}

/* Whether an address of ours is still being checked for a duplicate. */
static bool has_tentative(const struct session *s)
{
    struct weir_addr_info info;

    for (size_t i = 0; weir_addr_at(s->stack, i, &info); i++)
        if (info.state == WEIR_ADDR_TENTATIVE)
            return true;
    return false;
}

void session_wait_for_addresses(struct session *s)
{
    weir_ns_t until = s->started_at + 3 * WEIR_S;

    while (has_tentative(s) && !session_was_interrupted() && weir_host_now() < until)
        if (weir_host_step(s->host, 10 * WEIR_MS) != 0)
            return;
}
