/*
 * http_listing.c - a folder as a page
 */
#include "cli/http_listing.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/http_path.h"

enum {
    ENTRIES_MAX = 20000, /* the rest of a larger folder is not shown */
};

struct entry {
    char *name;
    bool is_folder;
    bool is_link;
    uint64_t bytes;
    time_t changed_at;
};

struct entries {
    struct entry *all;
    size_t count, room;
};

static bool grow(struct entries *e)
{
    size_t room = e->room == 0 ? 64 : 2 * e->room;
    struct entry *more;

    if (e->count < e->room)
        return true;
    more = realloc(e->all, room * sizeof *more);
    if (more == NULL)
        return false;
    e->all = more;
    e->room = room;
    return true;
}

/*
 * What is neither a file nor a folder is not served. A link is not followed here: where it
 * leads outside, not even the size of what is there is told.
 */
static bool add(struct entries *e, int folder_fd, const char *name)
{
    struct stat status;
    struct entry *entry;

    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0
        || fstatat(folder_fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0
        || (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode) && !S_ISLNK(status.st_mode)))
        return true;
    if (!grow(e))
        return false;
    entry = &e->all[e->count];
    entry->name = strdup(name);
    entry->is_folder = S_ISDIR(status.st_mode);
    entry->is_link = S_ISLNK(status.st_mode);
    entry->bytes = (uint64_t)status.st_size;
    entry->changed_at = status.st_mtime;
    e->count += entry->name != NULL;
    return entry->name != NULL;
}

/* Folders first, then by name. */
static int compare(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    if (x->is_folder != y->is_folder)
        return x->is_folder ? -1 : 1;
    return strcmp(x->name, y->name);
}

static void emit_entry(FILE *out, const struct entry *entry)
{
    struct tm parts = {0};
    char when[32] = "";

    (void)gmtime_r(&entry->changed_at, &parts);
    (void)strftime(when, sizeof when, "%Y-%m-%d %H:%M", &parts);
    (void)fputs("<tr><td><a href=\"./", out);
    http_path_encode(out, entry->name);
    (void)fputs(entry->is_folder ? "/\">" : "\">", out);
    http_path_escape(out, entry->name);
    if (entry->is_folder || entry->is_link)
        (void)fprintf(out, "%s</a></td><td></td><td>%s</td></tr>\n", entry->is_folder ? "/" : "",
                      when);
    else
        (void)fprintf(out, "</a></td><td>%" PRIu64 "</td><td>%s</td></tr>\n", entry->bytes, when);
}

static void emit(FILE *out, const struct entries *e, const char *path)
{
    (void)fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>/", out);
    http_path_escape(out, path);
    (void)fputs("</title><style>body{font-family:sans-serif;margin:2em}"
                "td{padding:.1em 1.5em .1em 0}td:nth-child(2){text-align:right}</style>"
                "</head>\n<body><h1>/",
                out);
    http_path_escape(out, path);
    (void)fputs("</h1>\n<table>\n", out);
    if (path[0] != 0)
        (void)fputs("<tr><td><a href=\"../\">../</a></td></tr>\n", out);
    for (size_t i = 0; i < e->count; i++)
        emit_entry(out, &e->all[i]);
    (void)fputs("</table></body></html>\n", out);
}

int http_listing_emit(FILE *out, int fd, const char *path)
{
    struct entries e = {0};
    DIR *folder = fdopendir(fd);
    const struct dirent *entry;
    bool has_room = true;

    if (folder == NULL) {
        close(fd);
        return 503;
    }
    while (has_room && e.count < ENTRIES_MAX && (entry = readdir(folder)) != NULL)
        has_room = add(&e, dirfd(folder), entry->d_name);
    if (has_room) {
        if (e.count > 0)
            qsort(e.all, e.count, sizeof e.all[0], compare);
        emit(out, &e, path);
    }
    for (size_t i = 0; i < e.count; i++)
        free(e.all[i].name);
    free(e.all);
    closedir(folder);
    return has_room ? 0 : 503;
}
