/*
 * test_script.c - the language of scripts, and what is said about mistakes
 */
#include "drill/script.h"

#include <stdlib.h>
#include <string.h>

#include "drill/expand.h"
#include "lib/test.h"

static struct drill_script script;

static void parse(const char *text)
{
    struct drill_error error;

    if (!drill_script_parse(text, &script, &error))
        FAIL("%u:%u: %s", error.at.line, error.at.column, error.text);
}

static const struct drill_event *event(size_t index)
{
    const struct drill_event *e = script.events;

    while (index-- > 0 && e != NULL)
        e = e->next;
    EXPECT(e != NULL);
    return e;
}

static void expect_error(const char *text, unsigned line, unsigned column, const char *why)
{
    struct drill_error error;

    if (drill_script_parse(text, &script, &error))
        FAIL("%s is taken for a script", text);
    EXPECT_STR(error.text, why);
    EXPECT_EQ(error.at.line, line);
    EXPECT_EQ(error.at.column, column);
    drill_script_fini(&script);
}

TEST(script_has_options_events_and_commands)
{
    parse("--tolerance_usecs=75000\n--mtu=1500\n"
          "`sysctl -q net.ipv4.tcp_sack=0`\n"
          "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3 // a comment\n"
          "+.1 < S 0:0(0) win 1000 /* another */ <mss 1000>\n"
          "+0 %{ assert 1 }%\n"
          "`true`");
    EXPECT_STR(script.options->name, "tolerance_usecs");
    EXPECT_STR(script.options->value, "75000");
    EXPECT_STR(script.options->next->name, "mtu");
    EXPECT_EQ(script.event_count, 5);
    EXPECT(event(0)->kind == DRILL_EVENT_COMMAND);
    EXPECT_STR(event(0)->command, "sysctl -q net.ipv4.tcp_sack=0");
    EXPECT(event(1)->kind == DRILL_EVENT_CALL);
    EXPECT(event(2)->kind == DRILL_EVENT_PACKET);
    EXPECT(event(3)->kind == DRILL_EVENT_CODE);
    EXPECT(event(4)->kind == DRILL_EVENT_COMMAND);
    EXPECT_EQ(event(2)->at.line, 5);
    drill_script_fini(&script);
}

TEST(script_times_have_all_their_forms)
{
    parse("1.5 > . 1:1(0)\n+0 > . 1:1(0)\n* > . 1:1(0)\n1~2.25 > . 1:1(0)\n+.1~+.2 > . 1:1(0)\n"
          "0.000000001 > . 1:1(0)");
    EXPECT(event(0)->time == DRILL_TIME_ABSOLUTE);
    EXPECT_EQ(event(0)->start_ns, 1500000000);
    EXPECT(event(1)->time == DRILL_TIME_RELATIVE);
    EXPECT(event(2)->time == DRILL_TIME_ANY);
    EXPECT(event(3)->time == DRILL_TIME_RANGE);
    EXPECT_EQ(event(3)->end_ns, 2250000000);
    EXPECT(event(4)->time == DRILL_TIME_RELATIVE_RANGE);
    EXPECT_EQ(event(4)->start_ns, 100000000);
    EXPECT_EQ(event(4)->end_ns, 200000000);
    EXPECT_EQ(event(5)->start_ns, 1);
    drill_script_fini(&script);
}

TEST(script_calls_have_arguments_results_and_ends)
{
    const struct drill_call *call;

    parse("+.1...0.25 recvmsg(3, {msg_name(...)=..., msg_iov(1)=[{..., 10}], msg_flags=0},\n"
          "  MSG_PEEK|MSG_DONTWAIT) = -1 EAGAIN (Resource temporarily unavailable)\n"
          "+0 setsockopt(3, SOL_TCP, TCP_CONGESTION, \"re\" \"no\\x21\", 0x5) = 0");
    call = event(0)->call;
    EXPECT_STR(call->name, "recvmsg");
    EXPECT_EQ(call->end_ns, 250000000);
    EXPECT_STR(call->errno_name, "EAGAIN");
    EXPECT_EQ(call->result->number, -1);
    EXPECT(call->args->next->kind == DRILL_EXPR_STRUCT);
    EXPECT_STR(call->args->next->first->next->text, "msg_iov");
    EXPECT(call->args->next->first->next->first->kind == DRILL_EXPR_LIST);
    EXPECT(call->args->next->next->kind == DRILL_EXPR_OR);
    call = event(1)->call;
    EXPECT_EQ(call->end_ns, -1);
    EXPECT_STR(call->args->next->next->next->text, "reno!");
    EXPECT_EQ(call->args->next->next->next->next->number, 5);
    drill_script_fini(&script);
}

TEST(script_packets_have_all_their_parts)
{
    const struct drill_packet *p;

    parse("+0 < [ect0] 5000 > 80 SEW 0:0(0) win 65535 urg 7\n"
          "   <mss 1460,sackOK,\n    nop,nop> // two lines\n"
          "+0 > (tos 0x10) udp (100)\n"
          "+0 < [ce, ttl 3] icmp unreachable frag_needed mtu 1000 [1:1001(1000)]\n"
          "+0 > [flowlabel 0x12] . 1:1(0) ack 5 <...>\n"
          "+0 < icmp echo_request id 7\n"
          "+0 < icmp unreachable port_unreachable [udp (5)]");
    p = event(0)->packet;
    EXPECT(p->is_in && p->protocol == DRILL_TCP && p->tos_check == DRILL_TOS_ECN);
    EXPECT_EQ(p->tos, 2);
    EXPECT_EQ(p->src_port, 5000);
    EXPECT_EQ(p->dst_port, 80);
    EXPECT_EQ(p->seg.options_len, 8);
    EXPECT_EQ(p->seg.urgent, 7);
    p = event(1)->packet;
    EXPECT(!p->is_in && p->protocol == DRILL_UDP && p->tos_check == DRILL_TOS_WHOLE);
    EXPECT_EQ(p->len, 100);
    p = event(2)->packet;
    EXPECT(p->protocol == DRILL_ICMP && p->has_icmp_mtu);
    EXPECT_EQ(p->ttl, 3);
    EXPECT_EQ(p->icmp_mtu, 1000);
    EXPECT_EQ(p->quote_seq, 1);
    EXPECT_EQ(p->quote_len, 1000);
    p = event(3)->packet;
    EXPECT(p->has_flow_label && !(p->seg.says & SEG_SAYS_OPTIONS));
    EXPECT_EQ(event(4)->packet->icmp_id, 7);
    EXPECT(event(5)->packet->quote == DRILL_QUOTE_UDP);
    drill_script_fini(&script);
}

TEST(script_mistakes_are_named_with_their_place)
{
    expect_error("", 1, 1, "an event is expected, but the script ends");
    expect_error("0 socket(..., SOCK_STREAM) = 3\n+x", 2, 2,
                 "a time in seconds is expected, not 'x'");
    expect_error("0 < Q 0:0(0)", 1, 5,
                 "this is not a flag: F S R P . U E W A, a digit, or - for none");
    expect_error("0 < S 0:0(0) win 1\n  <mss 1460,what>", 2, 13, "an option is expected");
    expect_error("0 < S 0:1(0)", 1, 9, "the numbers and the length contradict each other");
    expect_error("0 < . 1:1(0) <...>", 1, 5,
                 "<...> stands for options of packets that are to be seen");
    expect_error("* < . 1:1(0)", 1, 1,
                 "only packets that are to be seen have a range of times or *");
    expect_error("0~1 close(3) = 0", 1, 1,
                 "only packets that are to be seen have a range of times or *");
    expect_error("2~1 > . 1:1(0)", 1, 1, "the range of times runs backwards");
    expect_error("1...0.5 read(3, ..., 1) = 1", 1, 1, "the call ends before it begins");
    expect_error("0 close(3 = 0", 1, 11, "',' or ')' is expected, not '='");
    expect_error("0 close(3)", 1, 11, "'=' is expected, but the script ends");
    expect_error("0 bind(3, \"a) = 0", 1, 11, "the closing \" is missing");
    expect_error("0 %{ assert 1", 1, 3, "the closing }% is missing");
    expect_error("0 %{ assert 1 +\n }%", 1, 16,
                 "a number, a name or '(' is expected, but the statement ends");
    expect_error("0 > gre : . 1:1(0)", 1, 5, "packets in tunnels (gre) are not supported");
    expect_error("0 < [ect01] . 1:1(0)", 1, 11, "ect01 is for packets that are to be seen");
    expect_error("-1 close(3) = 0", 1, 1, "a time cannot be negative");
    expect_error("0 f([[[[[[[[[[[[[1]]]]]]]]]]]]]) = 0", 1, 16, "lists are nested too deeply");
    expect_error("0 f(99999999999999999999) = 0", 1, 5, "the number is too large");
}

TEST(script_names_are_replaced_where_they_are_words)
{
    static const char *const list[] = {"COOKIE=0102", "N=5"};
    const struct drill_defines defines = {list, 2};
    char *text = drill_expand(
        "--define=M=7\n0 f(N, NN, M, \"N\") = N // N\n+0 < S 0:0(0) <FO COOKIE>", &defines);

    EXPECT(text != NULL);
    EXPECT_STR(text, "--define=M=7\n0 f(5, NN, 7, \"N\") = 5 // N\n+0 < S 0:0(0) <FO 0102>");
    free(text);
}
