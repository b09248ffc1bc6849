/*
 * scenario_fields.c - the names of everything that a scenario can say
 */
#include "sim/scenario.h"

#include <string.h>

#define AT(type, member) (uint16_t) offsetof(type, member)

const char *scenario_flow_kind_name(size_t kind)
{
    static const char *const names[] = {"bulk", "request", "on-off", "short"};

    return kind < SCENARIO_FLOW_KINDS ? names[kind] : NULL;
}

const char *scenario_verb_name(size_t verb)
{
    static const char *const names[] = {"down", "up",       "set",   "heal",  "stop",  "start",
                                        "send", "shutdown", "close", "abort", "option"};

    return verb < SCENARIO_VERBS ? names[verb] : NULL;
}

/* Those that can be set on a connection at any time, under the names of enum weir_opt. */
const char *scenario_option_name(size_t option)
{
    static const char *const names[] = {
        [WEIR_OPT_USER] = "-",
        [WEIR_OPT_NODELAY] = "nodelay",
        [WEIR_OPT_CORK] = "cork",
        [WEIR_OPT_KEEPALIVE] = "keepalive",
        [WEIR_OPT_KEEPALIVE_IDLE] = "keepalive-idle",
        [WEIR_OPT_KEEPALIVE_INTERVAL] = "keepalive-interval",
        [WEIR_OPT_KEEPALIVE_PROBES] = "keepalive-probes",
        [WEIR_OPT_USER_TIMEOUT] = "user-timeout",
        [WEIR_OPT_SYN_RETRIES] = "syn-retries",
        [WEIR_OPT_SEND_BUFFER] = "send-buffer",
        [WEIR_OPT_RECV_BUFFER] = "recv-buffer",
        [WEIR_OPT_MSS] = "mss",
        [WEIR_OPT_QUICKACK] = "quickack",
        [WEIR_OPT_TTL] = "ttl",
        [WEIR_OPT_TOS] = "tos",
    };

    return option < sizeof names / sizeof names[0] ? names[option] : NULL;
}

static const char *ecn_name(size_t mode)
{
    static const char *const names[] = {
        "default",
        [1 + WEIR_ECN_OFF] = "off",
        [1 + WEIR_ECN_ON] = "on",
        [1 + WEIR_ECN_PASSIVE] = "passive",
        [1 + WEIR_ECN_ACCURATE] = "accurate",
        [1 + WEIR_ECN_ACCURATE_ASK_CLASSIC] = "accurate-ask-classic",
        [1 + WEIR_ECN_ACCURATE_PASSIVE] = "accurate-passive",
    };

    return mode < sizeof names / sizeof names[0] ? names[mode] : NULL;
}

#define NODE(name, type, member)                                                                   \
    {                                                                                              \
        name, type, AT(struct scenario_node, member), NULL, 0, 0, 0, 0                             \
    }

const struct field scenario_node_fields[] = {
    {"cc", FIELD_TEXT, AT(struct scenario_node, cc), weir_congestion_control_name, 0, 0, 0, 0},
    {"ecn", FIELD_WORD, AT(struct scenario_node, ecn), ecn_name, 0, 0, 0, 0},
    NODE("pacing", FIELD_FLAG, pacing),
    NODE("send-buffer", FIELD_BYTES, send_buffer),
    NODE("recv-buffer", FIELD_BYTES, recv_buffer),
    NODE("memory", FIELD_BYTES64, memory),
    NODE("initial-window", FIELD_COUNT, initial_window),
    NODE("retries", FIELD_COUNT, retries),
    NODE("holes", FIELD_COUNT, holes),
    NODE("rto-min", FIELD_DURATION, rto_min_ns),
    NODE("msl", FIELD_DURATION, msl_ns),
    NODE("no-wscale", FIELD_FLAG, no_wscale),
    NODE("no-timestamps", FIELD_FLAG, no_timestamps),
    NODE("no-nagle", FIELD_FLAG, no_nagle),
    NODE("offloads", FIELD_FLAG, offloads),
    NODE("lends", FIELD_FLAG, lends_frames),
    NODE("silent", FIELD_FLAG, is_silent),
    {0},
};

#define LINK(name, type, member)                                                                   \
    {                                                                                              \
        name, type, AT(struct weir_sim_link_config, member), NULL, 0, 0, 0, 0                      \
    }
#define LOSS(name, type, member, which)                                                            \
    {                                                                                              \
        name, type, AT(struct weir_sim_link_config, loss.member), NULL,                            \
            AT(struct weir_sim_link_config, loss.kind), which, 0, 0                                \
    }

const struct field scenario_link_fields[] = {
    LINK("rate", FIELD_RATE, rate_bits_s),
    LINK("delay", FIELD_DURATION, delay_ns),
    LINK("jitter", FIELD_DURATION, jitter_ns),
    LINK("jitter-reorders", FIELD_FLAG, jitter_reorders),
    LINK("mtu", FIELD_BYTES, mtu),
    LINK("framing", FIELD_BYTES, framing_bytes),
    {"queue", FIELD_WORD, AT(struct weir_sim_link_config, queue.kind), weir_sim_queue_name, 0, 0, 0,
     0},
    LINK("limit", FIELD_COUNT, queue.limit_packets),
    LINK("limit-bytes", FIELD_BYTES, queue.limit_bytes),
    LINK("mark", FIELD_COUNT, queue.mark_packets),
    LINK("mark-bytes", FIELD_BYTES, queue.mark_bytes),
    LINK("target", FIELD_DURATION, queue.target_ns),
    LINK("interval", FIELD_DURATION, queue.interval_ns),
    LINK("buckets", FIELD_COUNT, queue.flows),
    LINK("quantum", FIELD_BYTES, queue.quantum),
    LINK("drops-only", FIELD_FLAG, queue.drops_only),
    LOSS("loss", FIELD_SHARE, loss_ppm, WEIR_SIM_LOSS_BERNOULLI),
    LOSS("to-bad", FIELD_SHARE, to_bad_ppm, WEIR_SIM_LOSS_GILBERT),
    LOSS("to-good", FIELD_SHARE, to_good_ppm, WEIR_SIM_LOSS_GILBERT),
    LOSS("bad-loss", FIELD_SHARE, loss_ppm, WEIR_SIM_LOSS_GILBERT),
    LOSS("good-loss", FIELD_SHARE, good_ppm, WEIR_SIM_LOSS_GILBERT),
    LOSS("lose-every", FIELD_COUNT, every, WEIR_SIM_LOSS_PERIODIC),
    {"lose", FIELD_NUMBERS, AT(struct weir_sim_link_config, loss.listed), NULL,
     AT(struct weir_sim_link_config, loss.kind), WEIR_SIM_LOSS_LIST,
     AT(struct weir_sim_link_config, loss.listed_count), WEIR_SIM_LOSS_LISTED},
    LINK("duplicate", FIELD_SHARE, duplicate_ppm),
    LINK("reorder", FIELD_SHARE, reorder_ppm),
    LINK("reorder-by", FIELD_DURATION, reorder_ns),
    LINK("corrupt", FIELD_SHARE, corrupt_ppm),
    LINK("unnoticed", FIELD_FLAG, corrupt_unnoticed),
    LINK("truncate", FIELD_SHARE, truncate_ppm),
    LINK("dark-every", FIELD_DURATION, dark_every_ns),
    LINK("dark", FIELD_DURATION, dark_ns),
    {0},
};

#define BOX(name, type, member)                                                                    \
    {                                                                                              \
        name, type, AT(struct weir_sim_box_config, member), NULL, 0, 0, 0, 0                       \
    }

const struct field scenario_box_fields[] = {
    BOX("value", FIELD_COUNT, value),
    BOX("options", FIELD_COUNT, strips),
    BOX("every", FIELD_DURATION, every_ns),
    {0},
};

#define FLOW(name, type, member)                                                                   \
    {                                                                                              \
        name, type, AT(struct scenario_flow, member), NULL, 0, 0, 0, 0                             \
    }

const struct field scenario_flow_fields[] = {
    FLOW("start", FIELD_DURATION, start_ns),
    FLOW("bytes", FIELD_BYTES64, bytes),
    FLOW("back-bytes", FIELD_BYTES64, back_bytes),
    FLOW("ask", FIELD_BYTES, ask),
    FLOW("answer", FIELD_BYTES, answer),
    FLOW("count", FIELD_COUNT, count),
    FLOW("every", FIELD_DURATION, every_ns),
    FLOW("pause", FIELD_DURATION, pause_ns),
    FLOW("read-rate", FIELD_RATE, read_rate),
    FLOW("chunk", FIELD_BYTES, chunk),
    FLOW("user-timeout", FIELD_DURATION, user_timeout_ns),
    FLOW("nodelay", FIELD_FLAG, nodelay),
    FLOW("keepalive", FIELD_FLAG, keepalive),
    FLOW("closes", FIELD_FLAG, closes),
    FLOW("lends", FIELD_FLAG, lends),
    FLOW("ipv6", FIELD_FLAG, is_v6),
    {0},
};

bool scenario_apply(const struct field *table, void *target, const char *words)
{
    char copy[SCENARIO_WORDS_MAX], error[FIELD_ERROR_MAX], *rest = copy, *name;

    if (strlen(words) >= sizeof copy)
        return false;
    memcpy(copy, words, strlen(words) + 1);
    while ((name = strtok_r(rest, " ", &rest)) != NULL) {
        const struct field *f = field_find(table, name);
        const char *value = "";
        if (f != NULL && f->type != FIELD_FLAG)
            value = strtok_r(rest, " ", &rest);
        if (f == NULL || value == NULL || field_parse(f, target, value, error) != NULL)
            return false;
    }
    return true;
}
