/*
 * test_http_request.c - what a client asks, whatever it sends
 */
#include "cli/http_request.h"

#include <stdlib.h>
#include <string.h>

#include "lib/test.h"

static int parse(const char *text, struct http_request *request)
{
    return http_request_parse(text, strlen(text), request);
}

static bool text_eq(struct http_text text, const char *expected)
{
    return text.len == strlen(expected) && memcmp(text.bytes, expected, text.len) == 0;
}

TEST(a_request_is_read_with_its_fields)
{
    static const char text[] = "GET /a%20b?q HTTP/1.1\r\nhost: x\r\nRANGE:  bytes=0-1 \r\n\r\nGET";
    struct http_request r;

    EXPECT_EQ(parse(text, &r), sizeof text - 1 - 3);
    EXPECT_EQ(r.method, HTTP_GET);
    EXPECT(!r.is_head && r.keep_alive && !r.has_body);
    EXPECT(text_eq(r.target, "/a%20b?q"));
    EXPECT(text_eq(r.line, "GET /a%20b?q HTTP/1.1"));
    EXPECT(text_eq(r.host, "x"));
    EXPECT(text_eq(r.range, "bytes=0-1"));
    EXPECT(r.if_match.bytes == NULL);
}

TEST(every_beginning_of_a_request_is_incomplete)
{
    static const char text[] = "\r\nHEAD / HTTP/1.1\r\nHost: x\r\n\r\n";
    struct http_request r;

    for (size_t len = 0; len < sizeof text - 1; len++)
        EXPECT_EQ(http_request_parse(text, len, &r), 0);
    EXPECT_EQ(http_request_parse(text, sizeof text - 1, &r), sizeof text - 1);
    EXPECT(r.is_head);
}

TEST(a_head_that_does_not_end_is_refused)
{
    static char text[HTTP_HEAD_MAX];
    struct http_request r;

    memset(text, 'a', sizeof text);
    EXPECT_EQ(http_request_parse(text, sizeof text - 1, &r), 0);
    EXPECT_EQ(http_request_parse(text, sizeof text, &r), -414);
    memcpy(text, "GET / HTTP/1.1\r\nX: ", 19);
    EXPECT_EQ(http_request_parse(text, sizeof text, &r), -431);
    memset(text, '\n', sizeof text);
    EXPECT_EQ(http_request_parse(text, sizeof text, &r), -414);
}

TEST(what_is_malformed_is_refused_with_a_status)
{
    static const struct {
        const char *text;
        int status;
    } rows[] = {
        {"GET / HTTP/1.1\r\n\r\n", 400}, /* no Host */
        {"GET /\r\n\r\n", 400},
        {"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET / HTTP/1.1 \r\nHost: x\r\n\r\n", 400},
        {"GET / http/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET / HTTP/1.x\r\nHost: x\r\n\r\n", 400},
        {"GET / HTTP/3.0\r\nHost: x\r\n\r\n", 505},
        {"GET x HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"G\x01T / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"G(T / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"get / HTTP/1.1\r\nHost: x\r\n\r\n", 501},
        {"GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\nRange: a\r\nRange: b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\n more\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n: x\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\x01\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\n", 400},
    };
    struct http_request r;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (parse(rows[i].text, &r) != -rows[i].status)
            FAIL("%s: %d", rows[i].text, parse(rows[i].text, &r));
}

TEST(connections_persist_unless_somebody_says_otherwise)
{
    static const struct {
        const char *text;
        bool keep_alive;
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", true},
        {"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nHost: x\r\nConnection: TE,\t Close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nHost: x\r\nConnection: close, keep-alive\r\n\r\n", false},
        {"GET / HTTP/1.0\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true},
    };
    struct http_request r;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        EXPECT(parse(rows[i].text, &r) > 0);
        EXPECT(r.keep_alive == rows[i].keep_alive);
    }
}

TEST(whole_uris_stand_for_their_paths)
{
    struct http_request r;

    EXPECT(parse("GET http://a.b:80/c?d HTTP/1.1\r\nHost: x\r\n\r\n", &r) > 0);
    EXPECT(text_eq(r.target, "/c?d"));
    EXPECT(parse("GET HTTP://a HTTP/1.1\r\nHost: x\r\n\r\n", &r) > 0);
    EXPECT(text_eq(r.target, "/"));
    EXPECT(parse("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", &r) > 0);
    EXPECT(text_eq(r.target, "*"));
}

TEST(bodies_are_noticed)
{
    struct http_request r;

    EXPECT(parse("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 00\r\n\r\n", &r) > 0);
    EXPECT(!r.has_body && r.method == HTTP_OTHER);
    EXPECT(parse("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n", &r) > 0);
    EXPECT(r.has_body);
    EXPECT(parse("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", &r) > 0);
    EXPECT(r.has_body);
}

/* Requests with random changes, in memory of exactly their size, where sanitizers look on. */
TEST(random_bytes_do_no_harm)
{
    static const char text[] =
        "GET /a HTTP/1.1\r\nHost: x\r\nConnection: a,b\r\nRange: bytes=0-\r\n\r\n";
    uint64_t seed = test_seed();

    for (int i = 0; i < 20000; i++) {
        size_t len = test_random_below(&seed, sizeof text);
        char *bytes = malloc(len + 1);
        struct http_request r;
        int result;

        EXPECT(bytes != NULL);
        memcpy(bytes, text, len);
        for (uint32_t k = test_random_below(&seed, 4); k > 0 && len > 0; k--)
            bytes[test_random_below(&seed, (uint32_t)len)] = (char)test_random(&seed);
        result = http_request_parse(bytes, len, &r);
        EXPECT(result <= (int)len && result >= -505);
        free(bytes);
    }
}
