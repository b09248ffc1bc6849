/*
 * test_command.c - commands in backticks
 */
#include "drill/command.h"

#include <stdio.h>
#include <string.h>

#include "drill/sysctl.h"
#include "lib/test.h"

static char settings[1024];

static const char *note_sysctl(void *t, const char *name, const char *value)
{
    size_t len = strlen(settings);

    (void)t;
    (void)snprintf(settings + len, sizeof settings - len, "%s=%s;", name, value);
    return strcmp(name, "bad") == 0 ? "it is bad" : NULL;
}

static weir_ns_t clock_ns;

static weir_ns_t now(void *t)
{
    (void)t;
    return clock_ns;
}

static void sleep_until(void *t, weir_ns_t until)
{
    (void)t;
    clock_ns = until;
}

static struct drill_target target = {.sysctl = note_sysctl, .now = now, .sleep_until = sleep_until};

static void expect_settings(const char *text, const char *wanted)
{
    struct drill_command_env env = {.target = &target, .folder = "."};

    settings[0] = '\0';
    if (!drill_command_run(&env, text))
        FAIL("%s: %s", text, env.problem);
    EXPECT_STR(settings, wanted);
}

static void expect_refusal(const char *text, const char *why)
{
    struct drill_command_env env = {.target = &target, .folder = "."};

    if (drill_command_run(&env, text))
        FAIL("%s is run", text);
    EXPECT_STR(env.problem, why);
}

TEST(commands_that_set_sysctls_are_understood)
{
    expect_settings("sysctl -q net.ipv4.tcp_sack=0", "net.ipv4.tcp_sack=0;");
    expect_settings("sysctl -q -w a=1 b=\"1 2 $((2*1024))\" # and\nsysctl c='x y' > /dev/null 2>&1",
                    "a=1;b=1 2 2048;c=x y;");
    expect_settings("../x/set_sysctls.py /proc/sys/net/ipv4/tcp_ecn=2 \\\n /proc/sys/b=1",
                    "/proc/sys/net/ipv4/tcp_ecn=2;/proc/sys/b=1;");
    expect_settings("echo 1 2 3 > /proc/sys/net/ipv4/tcp_rmem; echo hello",
                    "/proc/sys/net/ipv4/tcp_rmem=1 2 3;");
    expect_settings("tc qdisc add dev tun0 root pfifo && ethtool -K tun0 gso off\n"
                    "ip tcp_metrics flush all >/dev/null 2>&1; /tmp/sysctl_restore_${PPID}.sh",
                    "");
}

TEST(commands_may_let_time_pass)
{
    clock_ns = 5;
    expect_settings("sleep 0.5", "");
    EXPECT_EQ(clock_ns, 500000005);
}

TEST(commands_that_nobody_knows_are_refused_by_name)
{
    expect_refusal("rm -rf /", "the command 'rm' is refused without --shell");
    expect_refusal("ip route change 1.2.3.4", "the command 'ip' is refused without --shell");
    expect_refusal("sysctl what", "sysctl: name=value is expected, not 'what'");
    expect_refusal("sysctl bad=1", "it is bad");
    expect_refusal("./nowhere/defaults.sh", "./nowhere/defaults.sh cannot be read");
}

TEST(sysctls_become_settings_of_the_stack)
{
    struct weir_config config;
    struct drill_sysctls s;

    weir_config_init(&config);
    drill_sysctls_init(&s, &config.tcp);
    EXPECT(drill_sysctls_set(&s, NULL, "net.ipv4.tcp_timestamps", "0") == NULL);
    EXPECT(!s.tcp.timestamps);
    EXPECT(drill_sysctls_set(&s, NULL, "net/ipv4/tcp_fin_timeout", "5") == NULL);
    EXPECT_EQ(s.tcp.fin_wait2_ns, 5 * WEIR_S);
    EXPECT(drill_sysctls_set(&s, NULL, "/proc/sys/net/ipv4/tcp_rmem", "4096 2000 160000") == NULL);
    EXPECT_EQ(s.tcp.recv_buffer_bytes, 1000);
    EXPECT_EQ(s.tcp.recv_buffer_max_bytes, 160000);
    EXPECT(drill_sysctls_set(&s, NULL, "net.ipv4.tcp_congestion_control", "reno") == NULL);
    EXPECT_STR(s.tcp.congestion_control, "reno");
    EXPECT(drill_sysctls_set(&s, NULL, "net.ipv4.tcp_fastopen", "0x403") == NULL);
    EXPECT_EQ(s.fastopen, 0x403);
    EXPECT(drill_sysctls_set(&s, NULL, "net.ipv4.tcp_fastopen_key", "a-b-c-0d0d0d0d") == NULL);
    EXPECT_STR(drill_sysctls_set(&s, NULL, "net.ipv4.tcp_fastopen_key", "a-b-c"),
               "net.ipv4.tcp_fastopen_key cannot be 'a-b-c'");
    EXPECT(drill_sysctls_set(&s, NULL, "net.core.wmem_max", "1") == NULL);
    EXPECT_STR(drill_sysctls_set(&s, NULL, "net.ipv4.tcp_timestamps", "x"),
               "net.ipv4.tcp_timestamps cannot be 'x'");
    EXPECT_STR(drill_sysctls_set(&s, NULL, "net.ipv4.tcp_what", "1"),
               "there is no sysctl 'net.ipv4.tcp_what' that could be '1'");
    EXPECT_STR(drill_sysctls_set(&s, NULL, "net.ipv4.tcp_congestion_control", "x"),
               "net.ipv4.tcp_congestion_control: there is no congestion control 'x'");
}
