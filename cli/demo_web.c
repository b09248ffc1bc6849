/*
 * demo_web.c - the scene in which a page is fetched
 *
 * The server is that of weir serve, with a folder of one page, which is made for the scene and
 * removed after it. The client is curl; where there is none, or the other end is not the
 * kernel, an actor that asks as curl does.
 */
#include "cli/demo_web.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/demo_kernel.h"
#include "cli/demo_world.h"
#include "cli/http.h"

static const char page[] = "<!DOCTYPE html>\n"
                           "<title>Weir</title>\n"
                           "<p>This page came over TCP, and no kernel sent it.\n";

static const char request[] = "GET / HTTP/1.1\r\n"
                              "Host: 198.18.0.2\r\n"
                              "User-Agent: weir-demo\r\n"
                              "Accept: */*\r\n"
                              "\r\n";

/* ---- the folder ---- */

struct folder {
    char path[64];
    int fd; /* -1: there is none */
};

/* The page is as old as Unix in every run, so that what the server says of it is always the same. */
static bool put_page(int folder_fd)
{
    const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    int fd = openat(folder_fd, "index.html", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    bool ok = fd >= 0 && write(fd, page, sizeof page - 1) == (ssize_t)sizeof page - 1
              && futimens(fd, times) == 0;

    if (fd >= 0)
        (void)close(fd);
    return ok;
}

static bool folder_open(struct folder *f)
{
    const char *tmp = getenv("TMPDIR");

    f->fd = -1;
    if (tmp == NULL || tmp[0] != '/' || strlen(tmp) > 40)
        tmp = "/tmp";
    (void)snprintf(f->path, sizeof f->path, "%s/weir-demo-XXXXXX", tmp);
    if (mkdtemp(f->path) == NULL)
        return false;
    f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return f->fd >= 0 && put_page(f->fd);
}

static void folder_close(struct folder *f)
{
    if (f->fd >= 0) {
        (void)unlinkat(f->fd, "index.html", 0);
        (void)close(f->fd);
    }
    (void)rmdir(f->path);
}

/* ---- clients ---- */

static bool is_over(void *ctx)
{
    return program_work(ctx);
}

static void say_output(struct world *w, const struct program *p)
{
    if (!WIFEXITED(p->status) || WEXITSTATUS(p->status) != 0)
        world_fail(w, "curl has failed");
    world_say(w, "What curl printed:\n\n");
    world_say(w, p->output);
}

static void fetch_with_curl(struct world *w)
{
    /* Nothing of the user's configuration or proxies, which lead elsewhere. */
    static const char *const argv[] = {
        "curl", "-q", "-sS", "--noproxy", "*", "--max-time", "10", "http://198.18.0.2/", NULL};
    struct program curl;

    world_set_name(w, TRACE_LEFT, "kernel (curl)");
    if (!program_start(&curl, argv)) {
        world_fail(w, "curl does not start");
        return;
    }
    world_wait(w, is_over, &curl, "curl does not end");
    say_output(w, &curl);
    world_wait_state(w, TRACE_RIGHT, WEIR_TCP_CLOSED);
    world_settle(w);
}

struct fetched {
    const struct actor *client;
    const struct http *server;
};

/* All that the server has sent is here. */
static bool is_fetched(void *ctx)
{
    const struct fetched *f = ctx;

    return http_totals(f->server)->requests > 0 && f->client->received_bytes > 0
           && f->client->received_bytes == http_totals(f->server)->sent_bytes;
}

static void fetch_with_actor(struct world *w, const struct http *server)
{
    struct actor *client = world_actor(w, TRACE_LEFT);
    struct fetched f = {client, server};

    client->text = request;
    client->text_len = sizeof request - 1;
    world_connect(w, TRACE_LEFT);
    world_wait_connected(w, TRACE_LEFT);
    world_send(w, TRACE_LEFT, client->text_len);
    world_wait(w, is_fetched, &f, "the page does not arrive");
    world_end(w, TRACE_LEFT);
    world_wait_state(w, TRACE_RIGHT, WEIR_TCP_CLOSED);
    world_settle(w);
}

/* ---- the scene ---- */

static void serve(struct world *w, const struct folder *folder)
{
    struct http_config config = {
        .root_fd = folder->fd, .local.port = WORLD_PORT, .connections_max = 8, .idle_s = 60};
    struct http *server;

    if (http_open(&config, world_stack(w, TRACE_RIGHT), &server) != 0) {
        world_fail(w, "the web server does not start");
        return;
    }
    world_set_server(w, server);
    if (world_is_in_memory(w)) {
        fetch_with_actor(w, server);
    } else if (program_exists("curl")) {
        fetch_with_curl(w);
    } else {
        world_say(w, "curl is not installed: a small client over the kernel's sockets has fetched "
                     "the page.\n");
        fetch_with_actor(w, server);
    }
    world_set_server(w, NULL);
    http_close(&server);
}

void web_play(struct world *w)
{
    struct folder folder;

    if (folder_open(&folder))
        serve(w, &folder);
    else
        world_fail(w, "the page cannot be written to the folder of temporary files");
    folder_close(&folder);
}
