/*
 * fuzz_format_segtext.c - any text and any header as segments in packetdrill's notation
 *
 * The first byte decides. A text: what can be read is written in a form that is stable. A
 * header: what is written can be read, and gives the same header.
 */
#include <stdlib.h>
#include <string.h>

#include "format/seg_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const struct seg_origin origin = {0xfffffff0u, 0x80000000u};

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_stable(const struct seg_text *seg)
{
    char once[SEG_TEXT_MAX], twice[SEG_TEXT_MAX];
    struct seg_text again;

    require(seg_text_emit(seg, &origin, once, sizeof once) < sizeof once);
    require(seg_text_parse(once, &origin, &again, NULL));
    require(seg_text_differs(seg, &again) == NULL && seg_text_differs(&again, seg) == NULL);
    seg_text_emit(&again, &origin, twice, sizeof twice);
    require(strcmp(once, twice) == 0);
}

static void run_text(const uint8_t *bytes, size_t len)
{
    char *text = malloc(len + 1);
    struct seg_error error = {0, NULL};
    struct seg_text seg;

    require(text != NULL);
    if (len > 0)
        memcpy(text, bytes, len);
    text[len] = '\0';
    if (seg_text_parse(text, &origin, &seg, &error))
        check_stable(&seg);
    else
        require(error.text != NULL && error.at <= strlen(text));
    free(text);
}

static void run_header(struct span header)
{
    struct tcp_header h;
    struct seg_text seg;

    if (tcp_parse(header, header.len, &h) != WHY_NONE)
        return;
    seg = seg_text_of(&h);
    check_stable(&seg);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len == 0)
        return 0;
    if (bytes[0] == 'h')
        run_header(span_of(bytes + 1, len - 1));
    else
        run_text(bytes, len);
    return 0;
}
