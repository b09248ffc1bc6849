/*
 * lwip.c - the same work as "weir bench bulk" and "weir bench conns", done by lwIP as packaged
 *
 *   lwip bulk|conns [small]
 *
 * lwIP has one stack in a process, so both ends live in it: two interfaces, between which packets
 * are copied, as a driver would, and each end sees the other under an address of its own link.
 * The addresses are chosen so that checksums stay right when they are exchanged.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <lwip/init.h>
#include <lwip/ip4.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>

enum {
    CHUNK = 64 * 1024,
    QUEUE = 4096, /* packets under way, at most */
    PORT = 7,
};

/* What an end sends waits here for the other. */
struct line {
    struct netif netif;
    struct pbuf *queue[QUEUE];
    unsigned head, count;
};

static struct line lines[2];

/* By line: its own address, and that of its peer. The sums of both pairs are the same. */
static const uint8_t addresses[2][2][4] = {{{10, 2, 0, 1}, {10, 2, 0, 6}},
                                           {{10, 1, 0, 4}, {10, 1, 0, 5}}};

static uint8_t chunk[CHUNK], received[CHUNK];
static uint64_t sent_bytes, received_bytes, total_bytes, opened, completed;
static struct tcp_pcb *sender;

static double cpu_s(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- the lines ---- */

static err_t output(struct netif *netif, struct pbuf *p, const ip4_addr_t *to)
{
    struct line *line = netif == &lines[0].netif ? &lines[0] : &lines[1];

    (void)to;
    if (line->count == QUEUE)
        return ERR_MEM;
    line->queue[(line->head + line->count) % QUEUE] = pbuf_clone(PBUF_RAW, PBUF_RAM, p);
    line->count++;
    return ERR_OK;
}

static err_t init(struct netif *netif)
{
    netif->output = output;
    netif->mtu = 1500;
    netif->name[0] = 'm';
    netif->name[1] = 'm';
    return ERR_OK;
}

/* The source is the receiver's peer, the destination its own address. */
static void exchange_addresses(struct pbuf *p, size_t to)
{
    uint8_t *header = p->payload;

    memcpy(header + 12, addresses[to][1], 4);
    memcpy(header + 16, addresses[to][0], 4);
}

static bool pump(void)
{
    bool any = false;

    for (size_t i = 0; i < 2; i++) {
        struct line *line = &lines[i];
        for (unsigned n = line->count; n > 0; n--) {
            struct pbuf *p = line->queue[line->head];
            line->head = (line->head + 1) % QUEUE;
            line->count--;
            any = true;
            if (p == NULL)
                continue;
            exchange_addresses(p, 1 - i);
            if (ip4_input(p, &lines[1 - i].netif) != ERR_OK)
                pbuf_free(p);
        }
    }
    return any;
}

static void open_lines(void)
{
    for (size_t i = 0; i < 2; i++) {
        ip4_addr_t own, mask, none = {0};
        memcpy(&own, addresses[i][0], sizeof own);
        IP4_ADDR(&mask, 255, 255, 255, 0);
        (void)netif_add(&lines[i].netif, &own, &mask, &none, NULL, init, ip4_input);
        netif_set_up(&lines[i].netif);
        netif_set_link_up(&lines[i].netif);
    }
}

static struct tcp_pcb *listen_on(tcp_accept_fn on_accept)
{
    struct tcp_pcb *pcb = tcp_new();

    (void)tcp_bind(pcb, IP_ANY_TYPE, PORT);
    pcb = tcp_listen_with_backlog(pcb, 255);
    tcp_accept(pcb, on_accept);
    return pcb;
}

static struct tcp_pcb *connect_to(tcp_connected_fn on_connected, tcp_recv_fn on_recv)
{
    struct tcp_pcb *pcb = tcp_new();
    ip_addr_t peer = IPADDR4_INIT_BYTES(10, 2, 0, 6);

    tcp_recv(pcb, on_recv);
    return tcp_connect(pcb, &peer, PORT, on_connected) == ERR_OK ? pcb : NULL;
}

/* ---- bulk ---- */

static err_t take_in(void *ctx, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    u16_t at;

    (void)ctx;
    (void)err;
    if (p == NULL)
        return ERR_OK;
    at = (u16_t)(received_bytes % (CHUNK - p->tot_len));
    (void)pbuf_copy_partial(p, received + at, p->tot_len, 0);
    received_bytes += p->tot_len;
    tcp_recved(pcb, p->tot_len);
    pbuf_free(p);
    return ERR_OK;
}

static err_t accept_bulk(void *ctx, struct tcp_pcb *pcb, err_t err)
{
    (void)ctx;
    (void)err;
    tcp_recv(pcb, take_in);
    return ERR_OK;
}

static err_t connected_bulk(void *ctx, struct tcp_pcb *pcb, err_t err)
{
    (void)ctx;
    (void)err;
    sender = pcb;
    return ERR_OK;
}

static void send_more(void)
{
    while (sent_bytes < total_bytes && tcp_sndbuf(sender) > 0
           && tcp_sndqueuelen(sender) < TCP_SND_QUEUELEN - 4) {
        u16_t room = tcp_sndbuf(sender), at = (u16_t)(sent_bytes % (CHUNK - 1));
        u16_t len = room < CHUNK - 1 - at ? room : (u16_t)(CHUNK - 1 - at);
        if (tcp_write(sender, chunk + at, len, TCP_WRITE_FLAG_COPY) != ERR_OK)
            break;
        sent_bytes += len;
    }
    (void)tcp_output(sender);
}

static int bulk(uint64_t bytes)
{
    double begin;
    unsigned idle = 0;

    (void)listen_on(accept_bulk);
    (void)connect_to(connected_bulk, take_in);
    while (pump())
        continue;
    if (sender == NULL)
        return 1;
    total_bytes = bytes;
    begin = cpu_s();
    while (received_bytes < bytes && idle < 2000) {
        send_more();
        idle = pump() ? 0 : idle + 1;
        if (idle > 0)
            tcp_tmr(); /* a delayed ACK */
    }
    begin = cpu_s() - begin;
    printf("{\"type\":\"bench\",\"name\":\"lwip-bulk\",\"goodput_gbit_per_cpu_s\":%.6g,"
           "\"ns_per_segment\":%.6g}\n",
           (double)bytes * 8 / 1e9 / begin, begin * 1e9 / ((double)bytes / 1460));
    return received_bytes >= bytes ? 0 : 1;
}

/* ---- conns ---- */

static err_t serve(void *ctx, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    (void)ctx;
    (void)err;
    if (p == NULL) {
        (void)tcp_close(pcb);
        completed++;
        return ERR_OK;
    }
    tcp_recved(pcb, p->tot_len);
    pbuf_free(p);
    (void)tcp_write(pcb, "x", 1, TCP_WRITE_FLAG_COPY);
    return tcp_output(pcb);
}

static err_t accept_one(void *ctx, struct tcp_pcb *pcb, err_t err)
{
    (void)ctx;
    (void)err;
    tcp_recv(pcb, serve);
    return ERR_OK;
}

static err_t ask(void *ctx, struct tcp_pcb *pcb, err_t err)
{
    (void)ctx;
    (void)err;
    (void)tcp_write(pcb, "x", 1, TCP_WRITE_FLAG_COPY);
    return tcp_output(pcb);
}

static err_t take_answer(void *ctx, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    (void)ctx;
    (void)err;
    if (p == NULL)
        return ERR_OK;
    tcp_recved(pcb, p->tot_len);
    pbuf_free(p);
    return tcp_close(pcb);
}

/* TIME-WAIT ends at once, since lwIP walks all of them for each packet. */
static void forget_timewaits(void)
{
    while (tcp_tw_pcbs != NULL)
        tcp_abort(tcp_tw_pcbs);
}

static int conns(uint64_t count)
{
    double begin;

    (void)listen_on(accept_one);
    begin = cpu_s();
    for (opened = 0; opened < count; opened++) {
        if (connect_to(ask, take_answer) == NULL)
            return 1;
        while (pump())
            continue;
        forget_timewaits();
    }
    begin = cpu_s() - begin;
    printf("{\"type\":\"bench\",\"name\":\"lwip-conns\",\"connections_per_cpu_s\":%.6g}\n",
           (double)count / begin);
    return completed == count ? 0 : 1;
}

int main(int argc, char **argv)
{
    bool small = argc > 2;

    if (argc < 2)
        return 2;
    lwip_init();
    open_lines();
    return strcmp(argv[1], "bulk") == 0 ? bulk((uint64_t)(small ? 4 : 1024) << 20)
                                        : conns(small ? 1000 : 200000);
}
