/*
 * test_infer.c - the state of an end, seen from outside
 */
#include "trace/infer.h"

#include "lib/test.h"

/* "> S 0:0(0)" is what the end sends, "< ..." what reaches it, "= STATE" what follows. */
static void expect_story(const char *const *lines)
{
    const struct seg_origin own = {(uint32_t)-2, (uint32_t)-3}, peer = {(uint32_t)-3, (uint32_t)-2};
    struct seg_text seg;
    struct infer end;
    bool has_begun = false;

    for (size_t i = 0; lines[i] != NULL && !has_begun; i++)
        if (lines[i][0] == '>') {
            EXPECT(seg_text_parse(lines[i] + 2, &own, &seg, NULL));
            infer_init(&end, &seg);
            has_begun = true;
        }
    if (!has_begun)
        infer_init(&end, NULL);
    for (size_t i = 0; lines[i] != NULL; i++) {
        bool sends = lines[i][0] == '>';
        if (lines[i][0] == '=') {
            EXPECT_STR(weir_tcp_state_name(end.state), lines[i] + 2);
            continue;
        }
        EXPECT(seg_text_parse(lines[i] + 2, sends ? &own : &peer, &seg, NULL));
        (sends ? infer_sent : infer_received)(&end, &seg);
    }
}

#define STORY(...) expect_story((const char *const[]){__VA_ARGS__, NULL})

TEST(client_that_closes_first)
{
    STORY("= CLOSED", "> S 0:0(0)", "= SYN-SENT", "< S. 0:0(0) ack 1", "= ESTABLISHED",
          "> . 1:1(0) ack 1", "> P. 1:11(10) ack 1", "< . 1:1(0) ack 11", "= ESTABLISHED",
          "> F. 11:11(0) ack 1", "= FIN-WAIT-1", "< . 1:1(0) ack 12", "= FIN-WAIT-2",
          "< F. 1:1(0) ack 12", "= TIME-WAIT", "> . 12:12(0) ack 2", "= TIME-WAIT");
}

TEST(server_whose_client_closes_first)
{
    STORY("= LISTEN", "< S 0:0(0)", "= SYN-RECEIVED", "> S. 0:0(0) ack 1", "= SYN-RECEIVED",
          "< . 1:1(0) ack 1", "= ESTABLISHED", "< F. 1:1(0) ack 1", "= CLOSE-WAIT",
          "> . 1:1(0) ack 2", "= CLOSE-WAIT", "> F. 1:1(0) ack 2", "= LAST-ACK", "< . 2:2(0) ack 2",
          "= CLOSED");
}

TEST(fin_that_acknowledges_ours_ends_in_time_wait)
{
    STORY("> S 0:0(0)", "< S. 0:0(0) ack 1", "> F. 1:1(0) ack 1", "< F. 1:1(0) ack 2",
          "= TIME-WAIT");
}

TEST(fins_that_cross_lead_through_closing)
{
    STORY("> S 0:0(0)", "< S. 0:0(0) ack 1", "> F. 1:1(0) ack 1", "< F. 1:1(0) ack 1", "= CLOSING",
          "< . 2:2(0) ack 2", "= TIME-WAIT");
}

TEST(syns_that_cross_lead_through_syn_received)
{
    STORY("> S 0:0(0)", "< S 0:0(0)", "= SYN-RECEIVED", "> S. 0:0(0) ack 1", "< S. 0:0(0) ack 1",
          "= ESTABLISHED");
}

TEST(refused_connection_is_closed)
{
    STORY("> S 0:0(0)", "< R. 0:0(0) ack 1", "= CLOSED");
    STORY("= CLOSED", "< S 0:0(0)", "= CLOSED", "> R. 0:0(0) ack 1", "= CLOSED");
}

TEST(reset_counts_only_if_it_is_the_next_number)
{
    STORY("> S 0:0(0)", "< R. 0:0(0) ack 5", "= SYN-SENT", "< S. 0:0(0) ack 1", "< R 100:100(0)",
          "= ESTABLISHED", "< R 1:1(0)", "= CLOSED");
}

TEST(own_reset_ends_the_connection)
{
    STORY("> S 0:0(0)", "< S. 0:0(0) ack 1", "> R. 1:1(0) ack 1", "= CLOSED");
}

TEST(fin_ahead_of_missing_data_counts_when_that_is_acknowledged)
{
    STORY("> S 0:0(0)", "< S. 0:0(0) ack 1", "< FP. 11:21(10) ack 1", "= ESTABLISHED",
          "> . 1:1(0) ack 1", "= ESTABLISHED", "< P. 1:11(10) ack 1", "> . 1:1(0) ack 22",
          "= CLOSE-WAIT");
}

TEST(fin_repeated_changes_nothing)
{
    STORY("> S 0:0(0)", "< S. 0:0(0) ack 1", "< F. 1:1(0) ack 1", "< F. 1:1(0) ack 1",
          "= CLOSE-WAIT", "> F. 1:1(0) ack 2", "> F. 1:1(0) ack 2", "= LAST-ACK");
}

TEST(connection_seen_in_the_middle_is_established)
{
    STORY("= ESTABLISHED", "< P. 50:60(10) ack 70", "> P. 70:80(10) ack 60", "= ESTABLISHED",
          "> F. 80:80(0) ack 60", "< . 60:60(0) ack 81", "= FIN-WAIT-2");
}

TEST(time_wait_may_be_left_with_a_new_syn)
{
    STORY("> S 0:0(0)", "< S. 0:0(0) ack 1", "> F. 1:1(0) ack 1", "< F. 1:1(0) ack 2",
          "> S 1000:1000(0)", "= SYN-SENT", "< S. 900:900(0) ack 1001", "= ESTABLISHED");
}
