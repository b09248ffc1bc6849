/*
 * sim_report.c - how a simulation went
 */
#include "cli/sim_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/json.h"

enum {
    TEXT_MAX = 32,
};

static const char *rate_text(double bits_s, char text[TEXT_MAX])
{
    static const char *const units[] = {"bit/s", "kbit/s", "Mbit/s", "Gbit/s"};
    size_t unit = 0;

    while (bits_s >= 999.5 && unit + 1 < sizeof units / sizeof units[0]) {
        bits_s /= 1000;
        unit++;
    }
    (void)snprintf(text, TEXT_MAX, bits_s < 99.95 ? "%.2f %s" : "%.0f %s", bits_s, units[unit]);
    return text;
}

static const char *ms_text(weir_ns_t ns, char text[TEXT_MAX])
{
    (void)snprintf(text, TEXT_MAX, "%.2f ms", (double)ns / 1e6);
    return text;
}

double sim_report_fairness(struct play *p)
{
    double sum = 0, squares = 0;
    size_t count = p->scenario->flow_count;

    for (uint32_t i = 0; i < count; i++) {
        struct play_result r;
        sample_result(p, i, &r);
        sum += (double)r.goodput_bits_s;
        squares += (double)r.goodput_bits_s * (double)r.goodput_bits_s;
    }
    return squares > 0 ? sum * sum / ((double)count * squares) : 1;
}

/* Retransmissions that the other side had already, in segments of the connection's size. */
static uint64_t spurious_segs(const struct play_result *r)
{
    uint64_t bytes = r->spurious_bytes[0] + r->spurious_bytes[1];

    return r->has_info && r->info.snd_mss > 0 ? (bytes + r->info.snd_mss - 1) / r->info.snd_mss : 0;
}

/* ---- for people ---- */

static void print_flow(struct play *p, uint32_t flow)
{
    char rate[TEXT_MAX], srtt[TEXT_MAX], share[TEXT_MAX] = "-";
    struct play_result r;

    sample_result(p, flow, &r);
    if (r.share_ppm != 0)
        (void)snprintf(share, sizeof share, "%.1f %%", (double)r.share_ppm / 1e4);
    printf("%-15s %12" PRIu64 " %14s %8s %8" PRIu64 " %8" PRIu64 " %11s %9" PRIu32 "\n",
           p->scenario->flows[flow].name, r.received[0] + r.received[1],
           rate_text((double)r.goodput_bits_s, rate), share, r.retransmits[0] + r.retransmits[1],
           spurious_segs(&r), r.has_info ? ms_text(r.info.srtt_ns, srtt) : "-",
           r.has_info ? r.info.cwnd : 0);
}

static void print_link(struct play *p, uint32_t link, int way)
{
    const uint32_t *ends = p->scenario->links[link].ends;
    struct weir_sim_link *l = weir_sim_direction(p->sim, p->links[link], p->nodes[ends[way]]);
    struct weir_sim_link_stats s;
    char name[2 * SCENARIO_NAME_MAX + 4], median[TEXT_MAX], high[TEXT_MAX], most[TEXT_MAX];

    weir_sim_link_stats(l, &s);
    (void)snprintf(name, sizeof name, "%s > %s", p->scenario->nodes[ends[way]].name,
                   p->scenario->nodes[ends[!way]].name);
    printf("%-24s %9" PRIu64 " %7" PRIu64 " %7" PRIu64 " %7" PRIu64 " %7" PRIu64
           " %11s %11s %11s\n",
           name, s.frames_in, s.lost, s.dropped_full, s.dropped_aqm + s.dropped_mtu, s.marked,
           ms_text(weir_sim_link_delay_at(l, 500), median),
           ms_text(weir_sim_link_delay_at(l, 990), high), ms_text(s.queue_delay_max_ns, most));
}

void sim_report_print(struct play *p)
{
    printf("%-15s %12s %14s %8s %8s %8s %11s %9s\n", "flow", "bytes", "goodput", "share", "retrans",
           "spurious", "srtt", "cwnd");
    for (uint32_t i = 0; i < p->scenario->flow_count; i++)
        print_flow(p, i);
    if (p->scenario->flow_count > 1)
        printf("fairness (Jain) %.4f\n", sim_report_fairness(p));
    printf("\n%-24s %9s %7s %7s %7s %7s %11s %11s %11s\n", "link", "frames", "lost", "full",
           "dropped", "marked", "queue 50 %", "99 %", "most");
    for (uint32_t i = 0; i < p->scenario->link_count; i++) {
        print_link(p, i, 0);
        print_link(p, i, 1);
    }
    printf("\n%.3f s, %" PRIu64 " segments, digest %016" PRIx64 "\n",
           (double)weir_sim_now(p->sim) / 1e9, p->stats.frames, p->stats.digest);
}

/* ---- for machines ---- */

static void print_flow_json(struct play *p, uint32_t flow)
{
    struct play_result r;
    struct json j;

    sample_result(p, flow, &r);
    json_begin(&j, stdout, "flow");
    json_text(&j, "name", p->scenario->flows[flow].name);
    json_unsigned(&j, "bytes", r.received[0] + r.received[1]);
    json_unsigned(&j, "goodput_bit_s", r.goodput_bits_s);
    json_unsigned(&j, "share_ppm", r.share_ppm);
    json_unsigned(&j, "segments", r.segs[0] + r.segs[1]);
    json_unsigned(&j, "retransmits", r.retransmits[0] + r.retransmits[1]);
    json_unsigned(&j, "spurious", spurious_segs(&r));
    json_unsigned(&j, "connections", p->flows[flow].started);
    json_unsigned(&j, "finished", p->flows[flow].finished);
    json_unsigned(&j, "failed", p->flows[flow].failed);
    if (r.has_info) {
        json_seconds(&j, "srtt_s", r.info.srtt_ns);
        json_seconds(&j, "rtt_min_s", r.info.rtt_min_ns);
        json_unsigned(&j, "cwnd", r.info.cwnd);
        json_unsigned(&j, "mss", r.info.snd_mss);
        json_text(&j, "cc", r.info.congestion_control);
    }
    json_end(&j);
}

static void print_link_json(struct play *p, uint32_t link, int way)
{
    const uint32_t *ends = p->scenario->links[link].ends;
    struct weir_sim_link *l = weir_sim_direction(p->sim, p->links[link], p->nodes[ends[way]]);
    struct weir_sim_link_stats s;
    struct json j;

    weir_sim_link_stats(l, &s);
    json_begin(&j, stdout, "link");
    json_text(&j, "from", p->scenario->nodes[ends[way]].name);
    json_text(&j, "to", p->scenario->nodes[ends[!way]].name);
    json_unsigned(&j, "frames", s.frames_in);
    json_unsigned(&j, "lost", s.lost);
    json_unsigned(&j, "dropped_full", s.dropped_full);
    json_unsigned(&j, "dropped_aqm", s.dropped_aqm);
    json_unsigned(&j, "dropped_mtu", s.dropped_mtu);
    json_unsigned(&j, "marked", s.marked);
    json_unsigned(&j, "duplicated", s.duplicated);
    json_unsigned(&j, "reordered", s.reordered);
    json_unsigned(&j, "corrupted", s.corrupted);
    json_unsigned(&j, "truncated", s.truncated);
    json_unsigned(&j, "queue_bytes_max", s.queue_bytes_max);
    json_seconds(&j, "queue_p50_s", weir_sim_link_delay_at(l, 500));
    json_seconds(&j, "queue_p99_s", weir_sim_link_delay_at(l, 990));
    json_seconds(&j, "queue_max_s", s.queue_delay_max_ns);
    if (s.queued > 0)
        json_seconds(&j, "queue_mean_s", s.queue_delay_sum_ns / (weir_ns_t)s.queued);
    json_seconds(&j, "busy_s", s.busy_ns);
    json_end(&j);
}

void sim_report_print_json(struct play *p)
{
    char digest[TEXT_MAX], fairness[TEXT_MAX];
    struct json j;

    for (uint32_t i = 0; i < p->scenario->flow_count; i++)
        print_flow_json(p, i);
    for (uint32_t i = 0; i < p->scenario->link_count; i++) {
        print_link_json(p, i, 0);
        print_link_json(p, i, 1);
    }
    (void)snprintf(digest, sizeof digest, "%016" PRIx64, p->stats.digest);
    (void)snprintf(fairness, sizeof fairness, "%.4f", sim_report_fairness(p));
    json_begin(&j, stdout, "run");
    json_seconds(&j, "time_s", weir_sim_now(p->sim));
    json_unsigned(&j, "segments", p->stats.frames);
    json_text(&j, "digest", digest);
    json_text(&j, "fairness", fairness);
    json_bool(&j, "broken", p->broken[0] != 0);
    if (p->broken[0] != 0)
        json_text(&j, "what", p->broken);
    json_end(&j);
}
