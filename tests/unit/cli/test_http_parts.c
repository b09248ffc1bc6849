/*
 * test_http_parts.c - ranges, dates, paths and types
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/http_date.h"
#include "cli/http_mime.h"
#include "cli/http_path.h"
#include "cli/http_range.h"
#include "lib/test.h"

static struct http_text text_of(const char *text)
{
    return (struct http_text){text, strlen(text)};
}

/* ---- ranges ---- */

TEST(ranges_are_cut_to_the_file) /* [RFC9110 14.1.2] */
{
    static const struct {
        const char *field;
        int count;
        uint64_t first, len; /* of the last range */
    } rows[] = {
        {"bytes=0-0", 1, 0, 1},
        {"bytes=10-19", 1, 10, 10},
        {"bytes=90-1000", 1, 90, 10},
        {"bytes=99-", 1, 99, 1},
        {"bytes=-1", 1, 99, 1},
        {"bytes=-1000", 1, 0, 100},
        {"Bytes= 0-1 ,, 5-6", 2, 5, 2},
        {"bytes=0-1,200-300", 1, 0, 2},
        {"bytes=0-18446744073709551615999", 1, 0, 100},
        {"bytes=100-", -1, 0, 0},
        {"bytes=-0", -1, 0, 0},
        {"bytes=18446744073709551616-", -1, 0, 0},
        {"lines=0-1", 0, 0, 0},
        {"bytes", 0, 0, 0},
        {"bytes=", 0, 0, 0},
        {"bytes=-", 0, 0, 0},
        {"bytes=5-4", 0, 0, 0},
        {"bytes=0-1,x", 0, 0, 0},
        {"bytes=0 - 1", 0, 0, 0},
        {"bytes=0-99,0-0", 0, 0, 0}, /* the same byte twice */
        {"bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8,9-9,10-10,11-11,12-12,13-13,14-14,15-15,16-16",
         0, 0, 0},
    };
    struct http_range ranges[HTTP_RANGES_MAX];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int count = http_ranges_parse(text_of(rows[i].field), 100, ranges);
        if (count != rows[i].count)
            FAIL("%s: %d", rows[i].field, count);
        if (count > 0) {
            EXPECT_EQ(ranges[count - 1].first, rows[i].first);
            EXPECT_EQ(ranges[count - 1].len, rows[i].len);
        }
    }
}

TEST(no_range_lies_in_an_empty_file)
{
    struct http_range ranges[HTTP_RANGES_MAX];

    EXPECT_EQ(http_ranges_parse(text_of("bytes=0-"), 0, ranges), -1);
    EXPECT_EQ(http_ranges_parse(text_of("bytes=-5"), 0, ranges), -1);
}

/* ---- dates ---- */

TEST(dates_of_three_forms_are_one_instant) /* [RFC9110 5.6.7] */
{
    char text[HTTP_DATE_TEXT];
    time_t at;

    EXPECT_STR(http_date_text(784111777, text), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT(http_date_parse(text_of(text), &at));
    EXPECT_EQ(at, 784111777);
    EXPECT(http_date_parse(text_of("Sunday, 06-Nov-94 08:49:37 GMT"), &at));
    EXPECT_EQ(at, 784111777);
    EXPECT(http_date_parse(text_of("Sun Nov  6 08:49:37 1994"), &at));
    EXPECT_EQ(at, 784111777);
    EXPECT(!http_date_parse(text_of("yesterday"), &at));
    EXPECT(!http_date_parse(text_of(""), &at));
    EXPECT(!http_date_parse(text_of("\"an entity tag that is longer than any date can be\""), &at));
}

/* ---- paths ---- */

TEST(paths_are_decoded_and_stay_below_the_root)
{
    static const struct {
        const char *target, *path; /* path NULL: refused */
    } rows[] = {
        {"/", ""},
        {"/a", "a"},
        {"/a/", "a/"},
        {"//a///b", "a/b"},
        {"/a%20b?c=d", "a b"},
        {"/a/./b/.", "a/b/"},
        {"/a/../b", "b"},
        {"/a/b/..", "a/"},
        {"/a/..", ""},
        {"/..a/b..", "..a/b.."},
        {"/%2e/%61", "a"},
        {"/a%2fb", "a/b"},
        {"/..", NULL},
        {"/a/../..", NULL},
        {"/%2e%2e/a", NULL},
        {"/a/%2e%2e%2f..", NULL},
        {"/%00", NULL},
        {"/%", NULL},
        {"/%4", NULL},
        {"/%zz", NULL},
    };
    char path[HTTP_PATH_MAX];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int status = http_path_decode(text_of(rows[i].target), path);
        if (rows[i].path == NULL ? status != 400 : status != 0 || strcmp(path, rows[i].path) != 0)
            FAIL("%s: %d %s", rows[i].target, status, path);
    }
}

TEST(a_path_that_is_too_long_is_refused)
{
    static char target[HTTP_PATH_MAX + 8];
    char path[HTTP_PATH_MAX];

    memset(target, 'a', HTTP_PATH_MAX - 1);
    target[0] = '/';
    EXPECT_EQ(http_path_decode((struct http_text){target, HTTP_PATH_MAX - 1}, path), 0);
    EXPECT_EQ(http_path_decode((struct http_text){target, HTTP_PATH_MAX}, path), 414);
}

static void make_file(int folder_fd, const char *name)
{
    int fd = openat(folder_fd, name, O_CREAT | O_WRONLY, 0600);

    EXPECT(fd >= 0);
    close(fd);
}

/* Opens with one of the two functions; whether there was a file. */
static bool opens(int (*open_path)(int, const char *), int root_fd, const char *path)
{
    int fd = open_path(root_fd, path);

    if (fd >= 0)
        close(fd);
    else
        EXPECT(fd == -404 || fd == -403);
    return fd >= 0;
}

TEST(no_symbolic_link_leads_outside)
{
    int (*const ways[])(int, const char *) = {http_path_open, http_path_open_walking};
    char folder[] = "/tmp/weir-test-XXXXXX";
    int fd, root_fd;

    EXPECT(mkdtemp(folder) != NULL);
    fd = open(folder, O_RDONLY | O_DIRECTORY);
    EXPECT(mkdirat(fd, "root", 0700) == 0 && mkdirat(fd, "root/sub", 0700) == 0);
    make_file(fd, "secret");
    make_file(fd, "root/file");
    make_file(fd, "root/sub/file");
    EXPECT(symlinkat("../secret", fd, "root/up") == 0);
    EXPECT(symlinkat("/etc", fd, "root/etc") == 0);
    EXPECT(symlinkat("/proc/self/root", fd, "root/magic") == 0);
    EXPECT(symlinkat("sub/file", fd, "root/inside") == 0);
    root_fd = openat(fd, "root", O_RDONLY | O_DIRECTORY);

    for (int i = 0; i < 2; i++) {
        EXPECT(opens(ways[i], root_fd, ""));
        EXPECT(opens(ways[i], root_fd, "file"));
        EXPECT(opens(ways[i], root_fd, "sub/"));
        EXPECT(opens(ways[i], root_fd, "sub/file"));
        EXPECT(!opens(ways[i], root_fd, "file/x"));
        EXPECT(!opens(ways[i], root_fd, "nothing"));
        EXPECT(!opens(ways[i], root_fd, "up"));
        EXPECT(!opens(ways[i], root_fd, "etc/passwd"));
        EXPECT(!opens(ways[i], root_fd, "magic/etc/passwd"));
    }
    EXPECT(!opens(http_path_open_walking, root_fd, "inside"));

    EXPECT(unlinkat(root_fd, "up", 0) == 0 && unlinkat(root_fd, "etc", 0) == 0);
    EXPECT(unlinkat(root_fd, "magic", 0) == 0 && unlinkat(root_fd, "inside", 0) == 0);
    EXPECT(unlinkat(root_fd, "file", 0) == 0 && unlinkat(root_fd, "sub/file", 0) == 0);
    EXPECT(unlinkat(root_fd, "sub", AT_REMOVEDIR) == 0 && unlinkat(fd, "secret", 0) == 0);
    EXPECT(unlinkat(fd, "root", AT_REMOVEDIR) == 0 && rmdir(folder) == 0);
    close(root_fd);
    close(fd);
}

TEST(what_is_written_into_pages_is_harmless)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    EXPECT(out != NULL);
    http_path_encode(out, "a b/\"<\xff?#%");
    fputc(' ', out);
    http_path_escape(out, "<a href=\"&\">");
    fclose(out);
    EXPECT_STR(text, "a%20b/%22%3C%FF%3F%23%25 &lt;a href=&quot;&amp;&quot;&gt;");
    free(text);
}

TEST(types_follow_the_ending_of_a_name)
{
    EXPECT_STR(http_mime_type("a/b.HTML"), "text/html; charset=utf-8");
    EXPECT_STR(http_mime_type("x.tar.gz"), "application/gzip");
    EXPECT_STR(http_mime_type("a.html/b"), "application/octet-stream");
    EXPECT_STR(http_mime_type(""), "application/octet-stream");
    EXPECT_STR(http_mime_type("dot."), "application/octet-stream");
}
