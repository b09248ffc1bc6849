/*
 * sysctl.c - Linux's names for what TCP can be told, and Weir's
 *
 * A line of the table for each name. Those that decide nothing in Weir, because it has another
 * means to the same end or always does what the value asks for, stand in a second list.
 */
#include "drill/sysctl.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/tcp.h>

enum {
    NUMBERS_MAX = 3,
    NAME_MAX_LEN = 64,
    RECV_BUFFER = 131072, /* Linux's, half of which is window */
    SEND_BUFFER = 16384,
};

/* How the value becomes a member of the configuration. */
enum rule {
    RULE_BOOL,    /* 0 or another number */
    RULE_COUNT,   /* uint32_t */
    RULE_SECONDS, /* weir_ns_t */
    RULE_MS,      /* weir_ns_t */
    RULE_WMEM,    /* three numbers: the least, the first, the largest send buffer */
    RULE_RMEM,    /* the same of the receive buffer */
    RULE_ECN,     /* enum weir_ecn */
    RULE_TLP,     /* bool: 3 and 4 are on */
    RULE_COOKIES, /* enum weir_syn_cookies */
    RULE_MTU,     /* enum weir_mtu_probing */
};

static const struct sysctl {
    const char *name; /* after net.ipv4. */
    enum rule rule;
    size_t member;
    long long first, last; /* what Linux takes */
} sysctls[] = {
#define TCP(member) offsetof(struct weir_tcp_config, member)
    {"tcp_timestamps", RULE_BOOL, TCP(timestamps), 0, 2},
    {"tcp_window_scaling", RULE_BOOL, TCP(window_scaling), 0, 1},
    {"tcp_abort_on_overflow", RULE_BOOL, TCP(abort_on_overflow), 0, 1},
    {"tcp_tw_reuse", RULE_BOOL, TCP(timewait_reuse), 0, 2},
    {"tcp_syn_retries", RULE_COUNT, TCP(syn_retries), 1, 127},
    {"tcp_synack_retries", RULE_COUNT, TCP(synack_retries), 0, 255},
    {"tcp_retries1", RULE_COUNT, TCP(retries1), 0, 255},
    {"tcp_retries2", RULE_COUNT, TCP(retries2), 0, 255},
    {"tcp_keepalive_time", RULE_SECONDS, TCP(keepalive_idle_ns), 1, 32767},
    {"tcp_keepalive_intvl", RULE_SECONDS, TCP(keepalive_interval_ns), 1, 32767},
    {"tcp_keepalive_probes", RULE_COUNT, TCP(keepalive_probes), 1, 127},
    {"tcp_fin_timeout", RULE_SECONDS, TCP(fin_wait2_ns), 1, 86400},
    {"tcp_rto_max_ms", RULE_MS, TCP(rto_max_ns), 1000, 120000},
    {"tcp_rmem", RULE_RMEM, 0, 1, INT32_MAX},
    {"tcp_wmem", RULE_WMEM, 0, 1, INT32_MAX},
    {"tcp_sack", RULE_BOOL, TCP(sack), 0, 1},
    {"tcp_slow_start_after_idle", RULE_BOOL, TCP(slow_start_after_idle), 0, 1},
    {"tcp_early_retrans", RULE_TLP, TCP(tail_loss_probe), 0, 4},
    {"tcp_ecn", RULE_ECN, TCP(ecn), 0, 5},
    {"tcp_fastopen_blackhole_timeout_sec", RULE_SECONDS, TCP(fastopen_off_ns), 0, 86400},
    {"tcp_syncookies", RULE_COOKIES, TCP(syn_cookies), 0, 2},
    {"tcp_mtu_probing", RULE_MTU, TCP(mtu_probing), 0, 2},
#undef TCP
};

/* Taken, and nothing comes of it. */
static const char *const without_effect[] = {
    "tcp_challenge_ack_limit", /* Linux's is of all connections together, and off */
    "tcp_base_mss",
    "tcp_dsack",
    "tcp_ecn_option",
    "tcp_fastopen_cookies", /* of some kernels: how many there are */
    "tcp_fack",             /* of kernels long gone */
    "tcp_frto",
    "tcp_min_tso_segs", /* segments are seen as the network has them */
    "tcp_moderate_rcvbuf",
    "tcp_no_metrics_save", /* there are no metrics */
    "tcp_pacing_ca_ratio",
    "tcp_pacing_ss_ratio",
    "tcp_recovery",
    "tcp_reordering",
    "tcp_syn_linear_timeouts",
    "tcp_tso_win_divisor",
};

void drill_sysctls_init(struct drill_sysctls *s, struct weir_tcp_config *config)
{
    memset(s, 0, sizeof *s);
    s->tcp = *config;
    s->fastopen = DRILL_FASTOPEN_CLIENT; /* Linux's default */
    s->tcp.recv_buffer_bytes = RECV_BUFFER / 2;
    s->tcp.send_buffer_bytes = SEND_BUFFER;
    (void)snprintf(s->congestion_control, sizeof s->congestion_control, "cubic");
    s->tcp.congestion_control = s->congestion_control;
    s->tcp.cubic_as_linux = true; /* also what /sys/module/tcp_cubic says by default */
    *config = s->tcp;
}

static const char *problem(struct drill_sysctls *s, const char *format, const char *name,
                           const char *value)
{
    (void)snprintf(s->problem, sizeof s->problem, format, name, value);
    return s->problem;
}

/* Numbers separated by blanks, in decimal or with 0x; how many, or -1. */
static int read_numbers(const char *text, long long numbers[NUMBERS_MAX])
{
    int count = 0;

    for (;;) {
        char *end;

        while (isspace((unsigned char)*text))
            text++;
        if (*text == '\0')
            return count;
        if (count == NUMBERS_MAX)
            return -1;
        numbers[count++] = strtoll(text, &end, 0);
        if (end == text || (*end != '\0' && !isspace((unsigned char)*end)))
            return -1;
        text = end;
    }
}

static void set_member(struct drill_sysctls *s, const struct sysctl *c, long long number)
{
    static const enum weir_syn_cookies cookies[] = {
        WEIR_SYN_COOKIES_NEVER, WEIR_SYN_COOKIES_ON_OVERFLOW, WEIR_SYN_COOKIES_ALWAYS};
    void *member = (char *)&s->tcp + c->member;

    switch (c->rule) {
    case RULE_BOOL: *(bool *)member = number != 0; break;
    case RULE_COUNT: *(uint32_t *)member = (uint32_t)number; break;
    case RULE_RMEM:
    case RULE_WMEM: break; /* set_buffers */
    case RULE_TLP: *(bool *)member = number >= 3; break;
    case RULE_ECN: *(enum weir_ecn *)member = (enum weir_ecn)number; break; /* numbered alike */
    case RULE_SECONDS: *(weir_ns_t *)member = number * WEIR_S; break;
    case RULE_MS: *(weir_ns_t *)member = number * WEIR_MS; break;
    case RULE_COOKIES: *(enum weir_syn_cookies *)member = cookies[number]; break;
    case RULE_MTU: *(enum weir_mtu_probing *)member = (enum weir_mtu_probing)number; break;
    }
}

/* They start with the second number and grow up to the third. Half of what is received is window. */
static void set_buffers(struct drill_sysctls *s, bool receive, const long long numbers[NUMBERS_MAX])
{
    uint32_t first = (uint32_t)numbers[1], largest = (uint32_t)numbers[2];

    if (receive) {
        s->tcp.recv_buffer_bytes = first > 1 ? first / 2 : 1;
        s->tcp.recv_buffer_max_bytes = largest;
    } else {
        s->tcp.send_buffer_bytes = first > 0 ? first : 1;
        s->tcp.send_buffer_max_bytes = largest;
    }
}

static const char *set_number(struct drill_sysctls *s, const struct sysctl *c, const char *value)
{
    long long numbers[NUMBERS_MAX];
    int count = read_numbers(value, numbers);
    bool ok = c->rule == RULE_WMEM || c->rule == RULE_RMEM ? count == 3 : count == 1;

    if (!ok || numbers[count - 1] < c->first || numbers[count - 1] > c->last)
        return problem(s, "net.ipv4.%s cannot be '%s'", c->name, value);
    if (count == 3)
        set_buffers(s, c->rule == RULE_RMEM, numbers);
    else
        set_member(s, c, numbers[0]);
    return NULL;
}

static const char *set_congestion_control(struct drill_sysctls *s, const char *value)
{
    const char *name;

    for (size_t i = 0; (name = weir_congestion_control_name(i)) != NULL; i++) {
        if (strcmp(name, value) == 0) {
            (void)snprintf(s->congestion_control, sizeof s->congestion_control, "%s", value);
            return NULL;
        }
    }
    return problem(s, "%s: there is no congestion control '%s'", "net.ipv4.tcp_congestion_control",
                   value);
}

static const char *set_fastopen(struct drill_sysctls *s, const char *value)
{
    long long numbers[NUMBERS_MAX];

    if (read_numbers(value, numbers) != 1 || numbers[0] < 0 || numbers[0] > UINT32_MAX)
        return problem(s, "%s cannot be '%s'", "net.ipv4.tcp_fastopen", value);
    s->fastopen = (unsigned)numbers[0];
    s->tcp.fastopen_sends_no_cookie = (s->fastopen & DRILL_FASTOPEN_SENDS_NO_COOKIE) != 0;
    s->tcp.fastopen_takes_no_cookie = (s->fastopen & DRILL_FASTOPEN_TAKES_NO_COOKIE) != 0;
    return NULL;
}

/* Linux's way to say none is its largest number. */
static const char *set_notsent_lowat(struct drill_sysctls *s, const char *value)
{
    long long numbers[NUMBERS_MAX];

    if (read_numbers(value, numbers) != 1 || numbers[0] < 0 || numbers[0] > UINT32_MAX)
        return problem(s, "%s cannot be '%s'", "net.ipv4.tcp_notsent_lowat", value);
    s->notsent_lowat_bytes = numbers[0] == UINT32_MAX ? 0 : (uint32_t)numbers[0];
    return NULL;
}

/* Four words in hexadecimal, 01234567-..., each of which the kernel keeps as little-endian. */
static const char *set_fastopen_key(struct drill_sysctls *s, struct weir *stack, const char *value)
{
    uint8_t key[16];
    const char *at = value;

    for (size_t word = 0; word < 4; word++) {
        char *end;
        unsigned long number = strtoul(at, &end, 16);

        if (end == at || (word < 3 && *end != '-') || number > UINT32_MAX)
            return problem(s, "%s cannot be '%s'", "net.ipv4.tcp_fastopen_key", value);
        for (size_t i = 0; i < 4; i++)
            key[4 * word + i] = (uint8_t)(number >> 8 * i);
        at = end + 1;
    }
    if (stack != NULL)
        weir_fastopen_key(stack, key);
    return NULL;
}

static bool is_without_effect(const char *name)
{
    for (size_t i = 0; i < sizeof without_effect / sizeof *without_effect; i++) {
        if (strcmp(without_effect[i], name) == 0)
            return true;
    }
    return strncmp(name, "tcp_", 4) != 0; /* limits of the whole system, and other protocols */
}

/* The name after net.ipv4., however it is written; false: it is not one of those. */
static bool short_name(const char *name, char out[NAME_MAX_LEN])
{
    static const char prefix[] = "net.ipv4.", proc[] = "/proc/sys/";
    size_t i = 0;

    if (strncmp(name, proc, sizeof proc - 1) == 0)
        name += sizeof proc - 1;
    for (; prefix[i] != '\0'; i++) {
        if (name[i] != prefix[i] && !(name[i] == '/' && prefix[i] == '.'))
            return false;
    }
    return snprintf(out, NAME_MAX_LEN, "%s", name + i) < NAME_MAX_LEN;
}

const char *drill_sysctls_set(struct drill_sysctls *s, struct weir *stack, const char *name,
                              const char *value)
{
    char plain[NAME_MAX_LEN];
    const char *wrong = NULL;
    size_t i = 0;

    if (!short_name(name, plain))
        return strncmp(name, "net", 3) == 0 || strncmp(name, "/proc/sys/net", 13) == 0
                   ? NULL
                   : problem(s, "there is no sysctl '%s' for '%s'", name, value);
    while (i < sizeof sysctls / sizeof *sysctls && strcmp(sysctls[i].name, plain) != 0)
        i++;
    if (i < sizeof sysctls / sizeof *sysctls)
        wrong = set_number(s, &sysctls[i], value);
    else if (strcmp(plain, "tcp_congestion_control") == 0)
        wrong = set_congestion_control(s, value);
    else if (strcmp(plain, "tcp_fastopen") == 0)
        wrong = set_fastopen(s, value);
    else if (strcmp(plain, "tcp_notsent_lowat") == 0)
        wrong = set_notsent_lowat(s, value);
    else if (strcmp(plain, "tcp_fastopen_key") == 0)
        wrong = set_fastopen_key(s, stack, value);
    else if (!is_without_effect(plain))
        return problem(s, "there is no sysctl '%s' that could be '%s'", name, value);
    if (wrong == NULL && stack != NULL && weir_tcp_configure(stack, &s->tcp) != WEIR_OK)
        return problem(s, "%s cannot be '%s' together with the other settings", name, value);
    return wrong;
}
