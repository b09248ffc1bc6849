/*
 * conn_state.c - everything the library tells of a connection, printed
 */
#include "cli/conn_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <weir/stats.h>
#include <weir/tcp.h>

#include "cli/json.h"

/* Where the lines go: for people, or one object. */
struct output {
    bool is_json;
    struct json json;
    weir_ns_t now;
};

static void put_number(struct output *o, const char *name, uint64_t value)
{
    if (o->is_json)
        json_unsigned(&o->json, name, value);
    else
        printf("  %-22s %" PRIu64 "\n", name, value);
}

static void put_bool(struct output *o, const char *name, bool value)
{
    if (o->is_json)
        json_bool(&o->json, name, value);
    else
        printf("  %-22s %s\n", name, value ? "yes" : "no");
}

static void put_text(struct output *o, const char *name, const char *text)
{
    if (o->is_json)
        json_text(&o->json, name, text);
    else
        printf("  %-22s %s\n", name, text);
}

/* The name ends in _s: in seconds. */
static void put_seconds(struct output *o, const char *name, weir_ns_t ns)
{
    if (o->is_json)
        json_seconds(&o->json, name, ns);
    else
        printf("  %-22s %.9f\n", name, (double)ns / 1e9);
}

static void put_endpoint(struct output *o, const char *name, const struct weir_endpoint *endpoint)
{
    char text[WEIR_ADDR_TEXT];

    put_text(o, name, weir_endpoint_text(endpoint, text));
}

static void put_sequence(struct output *o, const struct weir_tcp_info *i)
{
    put_number(o, "iss", i->iss);
    put_number(o, "irs", i->irs);
    put_number(o, "snd_una", i->snd_una - i->iss);
    put_number(o, "snd_nxt", i->snd_nxt - i->iss);
    put_number(o, "snd_wnd", i->snd_wnd);
    put_number(o, "rcv_nxt", i->rcv_nxt - i->irs);
    put_number(o, "rcv_wnd", i->rcv_wnd);
    put_number(o, "snd_mss", i->snd_mss);
    put_number(o, "rcv_mss", i->rcv_mss);
    put_number(o, "pmtu", i->pmtu);
    put_bool(o, "wscale_ok", i->wscale_ok);
    put_number(o, "snd_wscale", i->snd_wscale);
    put_number(o, "rcv_wscale", i->rcv_wscale);
    put_bool(o, "timestamps_ok", i->timestamps_ok);
    put_bool(o, "sack_ok", i->sack_ok);
}

static void put_marks(struct output *o, const struct weir_tcp_info *i)
{
    static const char *const names[] = {"none", "classic", "accurate"};

    put_text(o, "ecn", names[i->ecn]);
    put_bool(o, "ecn_capable", i->ecn_capable);
    put_number(o, "received_ce", i->received_ce);
    put_number(o, "delivered_ce", i->delivered_ce);
    put_number(o, "received_ect1_bytes", i->received_ect1_bytes);
    put_number(o, "received_ect0_bytes", i->received_ect0_bytes);
    put_number(o, "received_ce_bytes", i->received_ce_bytes);
    put_number(o, "delivered_ect1_bytes", i->delivered_ect1_bytes);
    put_number(o, "delivered_ect0_bytes", i->delivered_ect0_bytes);
    put_number(o, "delivered_ce_bytes", i->delivered_ce_bytes);
}

static void put_control(struct output *o, const struct weir_tcp_info *i)
{
    put_text(o, "congestion_control", i->congestion_control != NULL ? i->congestion_control : "");
    put_text(o, "cc_phase", i->cc_phase != NULL ? i->cc_phase : "");
    put_number(o, "cwnd", i->cwnd);
    put_number(o, "ssthresh", i->ssthresh);
    put_number(o, "pacing_rate", i->pacing_rate);
    put_number(o, "delivery_rate", i->delivery_rate);
    put_bool(o, "delivery_rate_app_limited", i->delivery_rate_app_limited);
    put_bool(o, "in_recovery", i->in_recovery);
    put_number(o, "backoff", i->backoff);
    put_seconds(o, "srtt_s", i->srtt_ns);
    put_seconds(o, "rttvar_s", i->rttvar_ns);
    put_seconds(o, "rtt_min_s", i->rtt_min_ns);
    put_seconds(o, "rto_s", i->rto_ns);
    put_number(o, "flight_bytes", i->flight_bytes);
    put_number(o, "send_queued", i->send_queued);
    put_number(o, "recv_queued", i->recv_queued);
    put_number(o, "reassembly_queued", i->reassembly_queued);
}

static void put_recovery(struct output *o, const struct weir_tcp_info *i)
{
    static const char *const states[] = {"open", "disorder", "cwr", "recovery", "loss"};

    put_text(o, "recovery", states[i->recovery]);
    put_number(o, "pipe_bytes", i->pipe_bytes);
    put_number(o, "sacked_bytes", i->sacked_bytes);
    put_number(o, "lost_bytes", i->lost_bytes);
    put_number(o, "resent_bytes", i->resent_bytes);
    put_bool(o, "reordering_seen", i->reordering_seen);
    put_number(o, "reorderings", i->reorderings);
    put_number(o, "reordering_bytes", i->reordering_bytes);
    put_seconds(o, "reordering_window_s", i->reordering_window_ns);
    put_number(o, "dsacks_in", i->dsacks_in);
    put_number(o, "undone", i->undone);
}

static void put_blocked(struct output *o, const struct weir_tcp_info *i)
{
    static const char *const reasons[] = {"application",       "send buffer", "receive window",
                                          "congestion window", "pacing",      "nothing"};

    put_text(o, "blocked_by", reasons[i->blocked_by]);
    put_seconds(o, "busy_s", i->busy_ns);
    put_seconds(o, "blocked_by_app_s", i->blocked_by_app_ns);
    put_seconds(o, "blocked_by_buffer_s", i->blocked_by_buffer_ns);
    put_seconds(o, "blocked_by_peer_s", i->blocked_by_peer_ns);
    put_seconds(o, "blocked_by_cwnd_s", i->blocked_by_cwnd_ns);
    put_seconds(o, "blocked_by_pacing_s", i->blocked_by_pacing_ns);
}

/* Some instants are known to the second only. */
static void put_ago(struct output *o, const char *name, weir_ns_t at)
{
    put_seconds(o, name, at < o->now ? o->now - at : 0);
}

static void put_counts(struct output *o, const struct weir_tcp_info *i)
{
    put_number(o, "bytes_sent", i->bytes_sent);
    put_number(o, "bytes_acked", i->bytes_acked);
    put_number(o, "bytes_received", i->bytes_received);
    put_number(o, "bytes_retransmitted", i->bytes_retransmitted);
    put_number(o, "segs_out", i->segs_out);
    put_number(o, "segs_in", i->segs_in);
    put_number(o, "data_segs_out", i->data_segs_out);
    put_number(o, "data_segs_in", i->data_segs_in);
    put_number(o, "retransmits", i->retransmits);
    put_number(o, "dup_acks_in", i->dup_acks_in);
    put_ago(o, "sent_ago_s", i->last_sent_at);
    put_ago(o, "received_ago_s", i->last_received_at);
}

struct named_option {
    enum weir_opt opt;
    const char *name;
};

/* What the application has set. */
static void put_options(struct output *o, const struct weir *s, weir_handle_t handle)
{
    static const struct named_option options[] = {
        {WEIR_OPT_USER, "opt_user"},
        {WEIR_OPT_NODELAY, "opt_nodelay"},
        {WEIR_OPT_CORK, "opt_cork"},
        {WEIR_OPT_KEEPALIVE, "opt_keepalive"},
        {WEIR_OPT_USER_TIMEOUT, "opt_user_timeout_ns"},
        {WEIR_OPT_SEND_BUFFER, "opt_send_buffer"},
        {WEIR_OPT_RECV_BUFFER, "opt_recv_buffer"},
        {WEIR_OPT_LINGER, "opt_linger"},
        {WEIR_OPT_TTL, "opt_ttl"},
        {WEIR_OPT_TOS, "opt_tos"},
    };
    int64_t value;

    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (weir_get(s, handle, options[i].opt, &value) == 0)
            put_number(o, options[i].name, (uint64_t)value);
}

void conn_state_print(struct weir *s, weir_handle_t handle, weir_ns_t now, bool json)
{
    struct output o = {.is_json = json, .now = now};
    struct weir_endpoint local = {0}, remote = {0};
    struct weir_tcp_info info;
    bool is_tcp = weir_tcp_info(s, handle, &info) == 0;
    bool has_local = weir_local(s, handle, &local) == 0;
    bool has_remote = weir_remote(s, handle, &remote) == 0;
    char text[32];

    (void)snprintf(text, sizeof text, "%016" PRIx64, handle);
    if (json)
        json_begin(&o.json, stdout, "state");
    else
        printf("\n%s %s\n",
               is_tcp      ? "connection"
               : has_local ? "listener or endpoint"
                           : "pinger",
               text);
    if (json)
        json_text(&o.json, "handle", text);
    if (has_local)
        put_endpoint(&o, "local", &local);
    if (has_remote)
        put_endpoint(&o, "remote", &remote);
    if (is_tcp) {
        put_text(&o, "state", weir_tcp_state_name(info.state));
        if (info.error != 0)
            put_text(&o, "error", weir_err_name(info.error));
        put_sequence(&o, &info);
        put_marks(&o, &info);
        put_control(&o, &info);
        put_recovery(&o, &info);
        put_counts(&o, &info);
        put_blocked(&o, &info);
    }
    put_options(&o, s, handle);
    if (json)
        json_end(&o.json);
}
