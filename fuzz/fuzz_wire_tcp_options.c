/*
 * fuzz_wire_tcp_options.c - TCP options that are parsed and emitted mean the same again
 *
 * They need not be the same bytes: the order is ours and what is unknown is gone. What
 * was received with fewer NOPs than we use may not even fit.
 */
#include "fuzz/expect.h"
#include "wire/tcp.h"
#include "wire/tcp_options.h"

static void expect_same_values(const struct tcp_options *a, const struct tcp_options *b)
{
    expect(a->present == b->present);
    expect(!(a->present & TCP_HAS_MSS) || a->mss == b->mss);
    expect(!(a->present & TCP_HAS_WINDOW_SCALE) || a->window_scale == b->window_scale);
    expect(!(a->present & TCP_HAS_USER_TIMEOUT) || a->user_timeout == b->user_timeout);
    if (a->present & TCP_HAS_TIMESTAMPS)
        expect(a->ts_val == b->ts_val && a->ts_ecr == b->ts_ecr);
    if (a->present & TCP_HAS_SACK) {
        expect(a->sack_count == b->sack_count);
        expect_same(a->sack, b->sack, a->sack_count * sizeof a->sack[0]);
    }
    if (a->present & TCP_HAS_FASTOPEN) {
        expect(span_eq(a->fastopen, b->fastopen));
        expect(a->fastopen_is_experimental == b->fastopen_is_experimental);
    }
    if (a->present & TCP_HAS_ACCECN)
        expect(span_eq(a->accecn, b->accecn) && a->accecn_kind == b->accecn_kind);
    expect(!(a->present & TCP_HAS_MD5) || span_eq(a->md5, b->md5));
    expect(!(a->present & TCP_HAS_AO) || span_eq(a->ao, b->ao));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct tcp_options o, again;
    uint8_t out[TCP_OPTIONS_MAX];
    size_t out_len;

    if (len > TCP_OPTIONS_MAX)
        return 0;
    tcp_options_parse(span_of(bytes, len), &o);
    expect(tcp_options_sack_room(&o) <= TCP_SACK_MAX);
    if (!tcp_options_emit(&o, out, &out_len)) {
        expect(tcp_options_len(&o) > TCP_OPTIONS_MAX);
        return 0;
    }
    expect(out_len == tcp_options_len(&o) && out_len % 4 == 0);
    tcp_options_parse(span_of(out, out_len), &again);
    expect(!again.malformed && again.skipped_count == 0);
    expect_same_values(&o, &again);
    return 0;
}
