/*
 * test_ladder_text.c - ladders as people and Wireshark see them
 */
#include "trace/ladder_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/pcapng.h"
#include "lib/test.h"
#include "trace/ladder_pcapng.h"
#include "unit/trace/story.h"

/* Two segments, a note and one that goes no further; nothing is left out. */
static void tell(struct story *s)
{
    s->state[TRACE_RIGHT] = WEIR_TCP_LISTEN;
    story_receives(s, TRACE_RIGHT, "S 0:0(0) win 1000 <mss 1460,sackOK,nop,nop>");
    story_becomes(s, TRACE_RIGHT, WEIR_TCP_LISTEN, WEIR_TCP_SYN_RECEIVED);
    story_sends(s, TRACE_RIGHT, "S. 0:0(0) ack 1 win 2000 <mss 1460>");
    story_at(s, WEIR_S);
    story_event(s, TRACE_RIGHT, WEIR_TRACE_TIMER, "rto");
    story_resends(s, TRACE_RIGHT, "S. 0:0(0) ack 1 win 2000 <mss 1460>");
}

/* What emit writes; to be freed. */
/* Inlined, gcc 12 takes what open_memstream has allocated for the local variable. */
__attribute__((noinline)) static char *text_of_ladder(const struct ladder *l,
                                                      const struct ladder_style *style)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    EXPECT(out != NULL);
    ladder_text_emit(l, style, out);
    fclose(out);
    return text;
}

static const char wanted[] =
    "          left, states inferred                            right\n"
    "          192.0.2.1:1000                            192.0.2.2:80\n"
    " 0.000000 CLOSED       |-------------- SYN -------------->| LISTEN\n"
    "          SYN-SENT     | seq 0 (raw 4294967294)           | SYN-RECEIVED\n"
    "                       | len 0 win 1000                   |\n"
    "                       | <mss 1460,sackOK>                |\n"
    " 0.000000 SYN-SENT     |<------------ SYN ACK ------------| SYN-RECEIVED\n"
    "          ESTABLISHED  | seq 0 (raw 4294967293)           | SYN-RECEIVED\n"
    "                       | ack 1 (raw 4294967295)           |\n"
    "                       | len 0 win 2000                   |\n"
    "                       | <mss 1460>                       |\n"
    " 1.000000 ESTABLISHED  |      retransmission timer, after | SYN-RECEIVED\n"
    "                       |                          1.000 s |\n"
    " 1.000000 ESTABLISHED  |<------------ SYN ACK ------------| SYN-RECEIVED\n"
    "          ESTABLISHED  | seq 0 ack 1 len 0 win 2000       | SYN-RECEIVED\n"
    "                       | <mss 1460>                       |\n"
    "                       | sent again after 1.000 s         |\n";

TEST(ladder_of_72_columns_in_ascii)
{
    struct ladder_style style = {.width = LADDER_WIDTH_MIN};
    struct story s = story_of();
    char *text, *line;

    tell(&s);
    story_ladder(&s);
    text = text_of_ladder(&s.ladder, &style);
    line = strstr(text, " 0.000000"); /* the heads have the full width */
    EXPECT_STR(line, strstr(wanted, " 0.000000"));
    free(text);
    story_fini(&s);
}

static size_t columns_of(const char *line)
{
    size_t columns = 0;

    for (; *line != '\0' && *line != '\n'; line++)
        columns += (*line & 0xc0) != 0x80;
    return columns;
}

TEST(no_line_is_wider_than_asked_for)
{
    struct story s = story_of();

    tell(&s);
    story_ladder(&s);
    for (unsigned width = 0; width < 200; width++) {
        struct ladder_style style = {.width = width, .utf8 = true};
        size_t limit = width < LADDER_WIDTH_MIN   ? LADDER_WIDTH_MIN
                       : width > LADDER_WIDTH_MAX ? LADDER_WIDTH_MAX
                                                  : width;
        char *text = text_of_ladder(&s.ladder, &style);
        for (char *line = text; *line != '\0'; line = strchr(line, '\n') + 1)
            EXPECT(columns_of(line) <= limit);
        free(text);
    }
    story_fini(&s);
}

TEST(colour_is_only_where_it_is_asked_for)
{
    struct ladder_style plain = {.width = 80, .utf8 = true}, coloured = plain;
    struct story s = story_of();
    char *text;

    coloured.colour = true;
    tell(&s);
    story_ladder(&s);
    text = text_of_ladder(&s.ladder, &plain);
    EXPECT(strchr(text, '\033') == NULL);
    free(text);
    text = text_of_ladder(&s.ladder, &coloured);
    EXPECT(strchr(text, '\033') != NULL);
    free(text);
    story_fini(&s);
}

TEST(all_nine_flags_fit_on_any_arrow)
{
    struct ladder_style style = {.width = LADDER_WIDTH_MIN};
    struct story s = story_of();
    char *text;

    story_sends(&s, TRACE_RIGHT, "FSRP.UEWA 0:0(0) ack 1 win 1000 urg 1");
    story_loses(&s, TRACE_RIGHT, "FSRP.UEWA 0:0(0) ack 1 win 1000 urg 1");
    story_ladder(&s);
    text = text_of_ladder(&s.ladder, &style);
    EXPECT(strstr(text, "SYN FIN RST PSH URG ECE CWR AE") != NULL);
    for (char *line = text; *line != '\0'; line = strchr(line, '\n') + 1)
        EXPECT(columns_of(line) <= LADDER_WIDTH_MIN);
    free(text);
    story_fini(&s);
}

TEST(text_is_wrapped_between_words)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    EXPECT(out != NULL);
    ladder_text_wrap("one two three four five six seven\n\neight", 22, 2, out);
    fclose(out);
    EXPECT_STR(text, "  one two three four\n  five six seven\n\n  eight\n");
    free(text);
}

TEST(capture_has_states_and_notes_in_comments)
{
    static uint8_t room[PCAPNG_READ_ROOM];
    static const char *const comments[] = {
        "left: CLOSED -> SYN-SENT (inferred); right: LISTEN -> SYN-RECEIVED",
        "left: SYN-SENT -> ESTABLISHED (inferred)",
        "1.000000 s, right: retransmission timer, after 1.000 s\n"
        "left: ESTABLISHED; right: SYN-RECEIVED\n"
        "sent again",
    };
    struct story s = story_of();
    struct pcapng_reader reader;
    struct pcapng_packet packet;
    FILE *file = tmpfile();

    tell(&s);
    story_ladder(&s);
    EXPECT(file != NULL);
    EXPECT(ladder_pcapng_emit(&s.ladder, 5 * WEIR_S, file));
    rewind(file);
    pcapng_init_reader(&reader, pcapng_read_file, file, room, sizeof room);
    for (size_t i = 0; i < 3; i++) {
        EXPECT_EQ(pcapng_parse_packet(&reader, &packet), 1);
        EXPECT_EQ(packet.at, (i < 2 ? 5 : 6) * WEIR_S);
        EXPECT_EQ(packet.comment_len, strlen(comments[i]));
        EXPECT_MEM(packet.comment, comments[i], packet.comment_len);
    }
    EXPECT_EQ(pcapng_parse_packet(&reader, &packet), 0);
    fclose(file);
    story_fini(&s);
}
