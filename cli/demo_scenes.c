/*
 * demo_scenes.c - what weir demo can play
 *
 * A scene is a list of what the two ends do. It is the same whether its left end is the kernel or
 * another Weir stack; only the speed differs.
 */
#include "cli/demo_scenes.h"

#include <string.h>

#include "cli/demo_web.h"
#include "cli/demo_world.h"

static void open_connection(struct world *w)
{
    world_listen(w, TRACE_RIGHT);
    world_connect(w, TRACE_LEFT);
    world_wait_connected(w, TRACE_LEFT);
    world_wait_connected(w, TRACE_RIGHT);
}

/* The left end asks for something, in so many bytes. */
static void ask(struct world *w, uint32_t len)
{
    world_send(w, TRACE_LEFT, len);
    world_wait_received(w, TRACE_RIGHT, len);
}

static void play_handshake(struct world *w)
{
    open_connection(w);
}

/* While the answer to the SYN is under way, there is nobody any more who could take it. */
static void play_lost_synack(struct world *w)
{
    world_listen(w, TRACE_RIGHT);
    world_connect(w, TRACE_LEFT);
    world_pass(w, 15 * WEIR_MS);
    world_power_off(w, TRACE_LEFT);
    world_settle(w);
}

/* The second of six segments is lost, and later one that is the last. */
static void play_lost_data(struct world *w)
{
    open_connection(w);
    ask(w, 80);
    world_lose(w, TRACE_RIGHT, 2);
    world_send(w, TRACE_RIGHT, 8000);
    world_wait_received(w, TRACE_LEFT, 8000);
    world_pass(w, 500 * WEIR_MS);
    world_lose(w, TRACE_RIGHT, 1);
    world_send(w, TRACE_RIGHT, 500);
    world_wait_received(w, TRACE_LEFT, 8500);
    world_pass(w, 500 * WEIR_MS);
}

static void play_refused(struct world *w)
{
    world_connect(w, TRACE_LEFT);
    world_wait_ended(w, TRACE_LEFT);
}

static void play_server_closes_first(struct world *w)
{
    open_connection(w);
    ask(w, 80);
    world_send(w, TRACE_RIGHT, 200);
    world_wait_received(w, TRACE_LEFT, 200);
    world_end(w, TRACE_RIGHT);
    world_wait_read_end(w, TRACE_LEFT);
    world_end(w, TRACE_LEFT);
    world_wait_state(w, TRACE_RIGHT, WEIR_TCP_TIME_WAIT);
    world_settle(w);
}

static void play_simultaneous_open(struct world *w)
{
    world_connect_both(w);
    world_wait_connected(w, TRACE_LEFT);
    world_wait_connected(w, TRACE_RIGHT);
    world_pass(w, 100 * WEIR_MS);
}

static void play_simultaneous_close(struct world *w)
{
    open_connection(w);
    world_pass(w, 100 * WEIR_MS);
    world_end_both(w);
    world_settle(w);
}

static void play_half_close(struct world *w)
{
    open_connection(w);
    ask(w, 80);
    world_pass(w, 50 * WEIR_MS);
    world_shutdown(w, TRACE_LEFT);
    world_wait_read_end(w, TRACE_RIGHT);
    world_send(w, TRACE_RIGHT, 300);
    world_wait_received(w, TRACE_LEFT, 300);
    world_send(w, TRACE_RIGHT, 200);
    world_wait_received(w, TRACE_LEFT, 500);
    world_end(w, TRACE_RIGHT);
    world_wait_read_end(w, TRACE_LEFT);
    world_end(w, TRACE_LEFT);
    world_wait_state(w, TRACE_RIGHT, WEIR_TCP_CLOSED);
    world_settle(w);
}

static void play_zero_window(struct world *w)
{
    world_actor(w, TRACE_LEFT)->recv_buffer_bytes = 4096;
    world_listen(w, TRACE_RIGHT);
    world_connect(w, TRACE_LEFT);
    world_wait_connected(w, TRACE_LEFT);
    world_wait_connected(w, TRACE_RIGHT);
    world_pause_reading(w, TRACE_LEFT, true);
    world_send(w, TRACE_RIGHT, 9000);
    world_pass(w, 2 * WEIR_S);
    world_pause_reading(w, TRACE_LEFT, false);
    world_wait_received(w, TRACE_LEFT, 9000);
    world_pass(w, 100 * WEIR_MS);
}

static void play_half_open(struct world *w)
{
    open_connection(w);
    ask(w, 80);
    world_pass(w, 100 * WEIR_MS);
    world_power_off(w, TRACE_LEFT);
    world_power_on(w, TRACE_LEFT);
    world_pass(w, 100 * WEIR_MS);
    world_send(w, TRACE_RIGHT, 300);
    world_wait_ended(w, TRACE_RIGHT);
}

static const struct scene scenes[] = {
    {
        .name = "web",
        .summary = "a page is fetched from Weir's web server",
        .look = "Three segments open the connection (SYN, SYN ACK, ACK). Then the request goes one "
                "way and the page the other, each acknowledged. A FIN from each side, each "
                "acknowledged too, closes it. The side that closes first keeps the connection in "
                "TIME-WAIT for a while, lest a late segment be taken for one of a new connection.",
        .has_kernel = true,
        .play = web_play,
    },
    {
        .name = "handshake",
        .summary = "the three-way handshake, and nothing else",
        .look =
            "Each side tells the other the number its bytes begin with and has it acknowledged: "
            "a SYN counts as one byte, so the acknowledgement is the number plus 1. MSS, window "
            "scale, timestamps and SACK can be agreed on here only: look at the options.",
        .has_kernel = true,
        .play = play_handshake,
    },
    {
        .name = "lost-synack",
        .summary = "a client that is gone after its SYN: the server gives up after 63 s",
        .look = "The server cannot know whether its SYN ACK was lost or the client is gone. It "
                "sends it again after 1, 2, 4, 8 and 16 seconds, each time waiting twice as long, "
                "and forgets the connection 32 seconds after the last: 63 seconds after the first.",
        .play = play_lost_synack,
    },
    {
        .name = "lost-data",
        .summary = "a segment lost in the middle, and one at the end",
        .look = "In the middle: what follows the hole arrives, and each time the receiver says "
                "again what it is waiting for. Three such duplicate ACKs are taken for a loss, "
                "and the segment is sent again at once: fast retransmit.\n\n"
                "At the end: nothing follows that could give the loss away, so that only the "
                "retransmission timer finds it.",
        .play = play_lost_data,
    },
    {
        .name = "refused",
        .summary = "nobody listens on the port",
        .look =
            "A SYN for a port on which nobody listens is answered with a reset. It acknowledges "
            "the SYN, so that the client can tell that it is meant: connect() fails at once with "
            "\"connection refused\". Had the SYN been dropped, by a firewall for example, the "
            "client would have tried again for two minutes.",
        .has_kernel = true,
        .play = play_refused,
    },
    {
        .name = "server-closes-first",
        .summary = "the side that closes first is left with TIME-WAIT",
        .look = "The server sends the first FIN, so it is the server that ends in TIME-WAIT, for "
                "twice the longest life of a segment (60 seconds). Servers that close first "
                "collect such connections.",
        .has_kernel = true,
        .play = play_server_closes_first,
    },
    {
        .name = "simultaneous-open",
        .summary = "both ends connect to each other at the same time",
        .look = "Nobody listens. The SYNs cross; each end, having sent one, receives one and "
                "goes from SYN-SENT to SYN-RECEIVED. There is one connection, not two "
                "(RFC 9293, figure 7).",
        .play = play_simultaneous_open,
    },
    {
        .name = "simultaneous-close",
        .summary = "both ends close at the same time",
        .look = "The FINs cross. Each end has sent its own and receives the other's before its own "
                "is acknowledged: it goes through CLOSING, and both are left with TIME-WAIT "
                "(RFC 9293, figure 13).",
        .play = play_simultaneous_close,
    },
    {
        .name = "half-close",
        .summary = "one side says that it is done, and goes on receiving",
        .look = "After its FIN the client sends no more data, but the connection lives on in the "
                "other direction: FIN-WAIT-2 on one side, CLOSE-WAIT on the other. "
                "A connection that stays in CLOSE-WAIT for long means a program that has forgotten "
                "to close.",
        .has_kernel = true,
        .play = play_half_close,
    },
    {
        .name = "zero-window",
        .summary = "a receiver that does not read closes its window",
        .look =
            "The window in each ACK says how much room there is. It shrinks to 0, and the sender "
            "stops; but the ACK that opens it again could be lost, and then both would wait "
            "for ever. So the sender asks now and then: the zero-window probes.",
        .has_kernel = true,
        .play = play_zero_window,
    },
    {
        .name = "half-open",
        .summary = "one end loses its memory, the other does not know",
        .look =
            "To the server nothing has happened: without a segment there is nothing to notice. "
            "Only when it sends does the other end answer that it knows of no such connection, "
            "with a reset. A server that only waits would wait for ever; keep-alive is for that.",
        .has_kernel = true,
        .play = play_half_open,
    },
};

const struct scene *scene_at(size_t index)
{
    return index < sizeof scenes / sizeof scenes[0] ? &scenes[index] : NULL;
}

const struct scene *scene_find(const char *name)
{
    const struct scene *scene;

    for (size_t i = 0; (scene = scene_at(i)) != NULL; i++)
        if (strcmp(scene->name, name) == 0)
            return scene;
    return NULL;
}
