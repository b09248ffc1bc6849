/*
 * lab.c - sockets over one stack with a loopback interface, in virtual time
 */
#include "unit/posix/lab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/test.h"

enum {
    LABS_MAX = 4,
    STEPS_MAX = 1000000,
    FILE_FD = 1000,
};

static struct lab *made[LABS_MAX];
static size_t lab_count;

/* ---- memory ---- */

bool lab_refuses_to_grow;

/* The linker gives these names to realloc, for those who call it and for us. */
void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);

void *__wrap_realloc(void *memory, size_t size)
{
    return lab_refuses_to_grow ? NULL : __real_realloc(memory, size);
}

static void *take(void *ctx, size_t size, size_t align)
{
    struct lab *lab = ctx;

    if (lab->has_no_memory)
        return NULL;
    lab->blocks++;
    return aligned_alloc(align, (size + align - 1) / align * align);
}

static void give(void *ctx, void *memory, size_t size)
{
    struct lab *lab = ctx;

    (void)size;
    lab->blocks--;
    free(memory);
}

/* ---- time ---- */

static struct lab_later *next_later(struct lab *lab)
{
    struct lab_later *next = NULL;

    for (size_t i = 0; i < LAB_LATER; i++)
        if (lab->later[i].act != NULL && (next == NULL || lab->later[i].at < next->at))
            next = &lab->later[i];
    return next;
}

static weir_ns_t min(weir_ns_t a, weir_ns_t b)
{
    return a < b ? a : b;
}

/* To the next thing that happens, at most until then. */
static void step(struct lab *lab, weir_ns_t until)
{
    struct lab_later *later = next_later(lab);
    weir_ns_t at = min(until, weir_deadline(lab->stack));

    if (later != NULL)
        at = min(at, later->at);
    if (at == WEIR_NEVER)
        FAIL("nothing will ever wake this call");
    if (at > lab->now)
        lab->now = at;
    weir_advance(lab->stack, lab->now);
    weir_px_run(lab->px);
    if (later != NULL && later->at <= lab->now) {
        void (*act)(struct lab *, void *) = later->act;
        later->act = NULL;
        act(lab, later->ctx);
    }
}

static weir_ns_t now(void *ctx)
{
    const struct lab *lab = ctx;

    return lab->now;
}

static int wait(void *ctx, struct weir_px_waiter *waiter, weir_ns_t until)
{
    struct lab *lab = ctx;

    if (lab->interrupts_after > 0 && --lab->interrupts_after == 0)
        return EINTR;
    for (int i = 0; !waiter->is_woken && lab->now < until; i++) {
        EXPECT(i < STEPS_MAX);
        step(lab, until);
    }
    return 0;
}

void lab_at(struct lab *lab, weir_ns_t in_ns, void (*act)(struct lab *lab, void *ctx), void *ctx)
{
    for (size_t i = 0; i < LAB_LATER; i++) {
        if (lab->later[i].act != NULL)
            continue;
        lab->later[i] = (struct lab_later){lab->now + in_ns, act, ctx};
        return;
    }
    FAIL("more than %d things later", LAB_LATER);
}

void lab_pass(struct lab *lab, weir_ns_t duration_ns)
{
    weir_ns_t until = lab->now + duration_ns;

    do
        step(lab, until);
    while (lab->now < until);
}

/* ---- the hook's other functions ---- */

static void sigpipe(void *ctx)
{
    struct lab *lab = ctx;

    lab->signals++;
}

static ssize_t file_read(void *ctx, int fd, void *bytes, size_t len, int64_t *offset)
{
    struct lab *lab = ctx;
    size_t pos = offset != NULL ? (size_t)*offset : lab->file.pos;

    if (fd != FILE_FD)
        return -EBADF;
    if (pos > lab->file.len)
        pos = lab->file.len;
    if (len > lab->file.len - pos)
        len = lab->file.len - pos;
    memcpy(bytes, lab->file.bytes + pos, len);
    if (offset != NULL)
        *offset += (int64_t)len;
    else
        lab->file.pos += len;
    return (ssize_t)len;
}

static ssize_t file_write(void *ctx, int fd, const void *bytes, size_t len, int64_t *offset)
{
    struct lab *lab = ctx;

    (void)offset;
    if (fd != FILE_FD)
        return -EBADF;
    if (len > sizeof lab->file.bytes - lab->file.len)
        return -EAGAIN;
    memcpy(lab->file.bytes + lab->file.len, bytes, len);
    lab->file.len += len;
    return (ssize_t)len;
}

/* ---- labs ---- */

struct weir_config lab_config(void)
{
    struct weir_config config;

    weir_config_init(&config);
    for (size_t i = 0; i < sizeof config.secret; i++)
        config.secret[i] = (uint8_t)(i * 7 + 1);
    return config;
}

static void add_address(struct lab *lab, const char *text)
{
    struct weir_prefix prefix;

    EXPECT_EQ(weir_prefix_parse(text, &prefix), WEIR_OK);
    EXPECT_EQ(weir_addr_add(lab->stack, lab->loopback, &prefix), WEIR_OK);
}

struct lab *lab_make_with(const struct weir_config *given)
{
    struct weir_netif_config netif = {
        .name = "lo", .link = WEIR_LINK_IP, .mtu = 65535, .loopback = true};
    struct lab *lab = calloc(1, sizeof *lab);
    struct weir_config config = *given;
    struct weir_px_config px;

    EXPECT(lab != NULL && lab_count < LABS_MAX);
    made[lab_count++] = lab;
    lab->now = 1000 * WEIR_S;
    config.allocator = (struct weir_allocator){take, give, lab};
    EXPECT_EQ(weir_create(&config, lab->now, &lab->stack), WEIR_OK);
    EXPECT_EQ(weir_netif_add(lab->stack, &netif, &lab->loopback), WEIR_OK);
    add_address(lab, "127.0.0.1/8");
    add_address(lab, "::1/128");
    add_address(lab, "198.18.0.1/24");
    add_address(lab, "fd00::1/64");
    weir_px_config_init(&px);
    px.loopback = lab->loopback;
    px.fd_limit = FILE_FD;
    px.hook = (struct weir_px_hook){.ctx = lab,
                                    .now = now,
                                    .wait = wait,
                                    .files_ctx = lab,
                                    .sigpipe = sigpipe,
                                    .file_read = file_read,
                                    .file_write = file_write};
    EXPECT_EQ(weir_px_create(lab->stack, &px, &lab->px), WEIR_OK);
    return lab;
}

struct lab *lab_make(void)
{
    struct weir_config config = lab_config();

    return lab_make_with(&config);
}

/* A test that failed has left its labs: they are forgotten. */
AFTER_EACH_TEST(labs_give_all_memory_back)
{
    size_t count = lab_count;

    lab_count = 0;
    lab_refuses_to_grow = false;
    for (size_t i = 0; i < count; i++) {
        struct lab *lab = made[i];

        weir_px_destroy(&lab->px);
        weir_destroy(&lab->stack);
        EXPECT_EQ(lab->blocks, 0);
        free(lab);
    }
}

/* ---- sockets ---- */

struct sockaddr_in lab_in(const char *addr, uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};

    EXPECT_EQ(inet_pton(AF_INET, addr, &in.sin_addr), 1);
    return in;
}

struct sockaddr_in6 lab_in6(const char *addr, uint16_t port)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

    EXPECT_EQ(inet_pton(AF_INET6, addr, &in6.sin6_addr), 1);
    return in6;
}

static int socket_for(struct lab *lab, const char *addr)
{
    int fd = weir_px_socket(lab->px, strchr(addr, ':') ? AF_INET6 : AF_INET, SOCK_STREAM, 0);

    EXPECT(fd >= 0);
    return fd;
}

typedef int (*with_address)(struct weir_posix *, int, const struct sockaddr *, socklen_t);

static void with(struct lab *lab, with_address call, int fd, const char *addr, uint16_t port)
{
    if (strchr(addr, ':')) {
        struct sockaddr_in6 in6 = lab_in6(addr, port);
        EXPECT_EQ(call(lab->px, fd, (struct sockaddr *)&in6, sizeof in6), 0);
    } else {
        struct sockaddr_in in = lab_in(addr, port);
        EXPECT_EQ(call(lab->px, fd, (struct sockaddr *)&in, sizeof in), 0);
    }
}

int lab_server(struct lab *lab, const char *addr, uint16_t port)
{
    int fd = socket_for(lab, addr);

    with(lab, weir_px_bind, fd, addr, port);
    EXPECT_EQ(weir_px_listen(lab->px, fd, 16), 0);
    return fd;
}

uint16_t lab_port(struct lab *lab, int fd)
{
    struct sockaddr_in6 in6;
    socklen_t len = sizeof in6;

    EXPECT_EQ(weir_px_getsockname(lab->px, fd, (struct sockaddr *)&in6, &len), 0);
    return ntohs(in6.sin6_port); /* at the same place in both families */
}

void lab_pair_over(struct lab *lab, const char *addr, int fds[2])
{
    int server = lab_server(lab, addr, 0);

    fds[0] = socket_for(lab, addr);
    with(lab, weir_px_connect, fds[0], addr, lab_port(lab, server));
    fds[1] = weir_px_accept(lab->px, server, NULL, NULL);
    EXPECT(fds[1] >= 0);
    EXPECT_EQ(weir_px_close(lab->px, server), 0);
}

void lab_pair(struct lab *lab, int fds[2])
{
    lab_pair_over(lab, "127.0.0.1", fds);
}
