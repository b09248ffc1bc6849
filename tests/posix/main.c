/*
 * main.c - the same socket calls over the kernel's sockets and over Weir's
 *
 *     posix_compare kernel|weir [CHAPTER]
 *
 * prints a numbered line for each call. compare.sh compares the two.
 */
#include "posix/net.h"

#include <signal.h>
#include <stdio.h>

const struct calls *sys;

static const struct {
    const char *name;
    void (*check)(void);
} chapters[] = {
    {"sockets", check_sockets},   {"connecting", check_connecting},   {"streams", check_streams},
    {"endings", check_endings},   {"urgent", check_urgent},           {"options", check_options},
    {"known", check_known},       {"descriptors", check_descriptors}, {"polling", check_polling},
    {"epoll", check_epoll},       {"datagrams", check_datagrams},     {"ipv6", check_ipv6},
    {"errors", check_errors},     {"splicing", check_splicing},       {"threads", check_threads},
    {"fastopen", check_fastopen},
};

int main(int argc, char **argv)
{
    if (argc < 2 || (strcmp(argv[1], "kernel") != 0 && strcmp(argv[1], "weir") != 0)) {
        fprintf(stderr, "usage: posix_compare kernel|weir [CHAPTER]\n");
        return 2;
    }
    sys = strcmp(argv[1], "weir") == 0 ? &weir_calls : &kernel_calls;
    setvbuf(stdout, NULL, _IOLBF, 0); /* the last line is where it hangs */
    signal(SIGPIPE, SIG_IGN);
    sys->begin();
    for (size_t i = 0; i < sizeof chapters / sizeof chapters[0]; i++) {
        if (argc > 2 && strcmp(argv[2], chapters[i].name) != 0)
            continue;
        say_chapter(chapters[i].name);
        chapters[i].check();
    }
    sys->end();
    return 0;
}
