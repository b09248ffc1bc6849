/*
 * ports.c - local ports for connections that do not ask for one
 *
 * Simple hash-based port selection [RFC6056 3.3.3, algorithm 3]: each destination begins
 * at a place of its own that nobody else can foresee, and goes on from there.
 */
#include "stack/stack.h"
#include "tcp/isn.h"

static bool is_taken(struct weir *s, const struct tcp_tuple *tuple, uint32_t *hash)
{
    return demux_find(s, tuple, hash) != NULL || demux_find_listener(s, tuple, 0) != NULL;
}

static bool has_listener(const struct weir *s, uint16_t port)
{
    struct tcp_tuple any4 = {.local_addr = weir_addr_v4(0, 0, 0, 0), .local_port = port};
    struct tcp_tuple any = {.local_port = port};

    return demux_find_listener(s, &any, 0) != NULL || demux_find_listener(s, &any4, 0) != NULL;
}

/* There is no destination yet: all binds share one sequence. */
uint16_t ports_choose_to_listen(const struct weir *s, uint32_t turn)
{
    static const struct tcp_tuple nobody;
    uint32_t first = s->config.tcp.port_first;
    uint32_t count = s->config.tcp.port_last - first + 1u;
    uint32_t offset = isn_hash_short(s->tcp.port_key, &nobody);

    for (uint32_t i = 0; i < count; i++) {
        uint16_t port = (uint16_t)(first + (offset + turn + i) % count);
        if (!has_listener(s, port))
            return port;
    }
    return 0;
}

bool ports_choose(struct weir *s, struct tcp_tuple *tuple, uint32_t *hash)
{
    uint32_t first = s->config.tcp.port_first;
    uint32_t count = s->config.tcp.port_last - first + 1u;
    uint32_t offset;

    tuple->local_port = 0;
    offset = isn_hash_short(s->tcp.port_key, tuple);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = (offset + s->port_counter++) % count;
        tuple->local_port = (uint16_t)(first + at);
        if (!is_taken(s, tuple, hash))
            return true;
    }
    return false;
}
