/*
 * fuzz_drill_script.c - any text as a script: it is read, or it is said where it is wrong
 *
 * Assertions that can be read are run, with every name known.
 */
#include <stdlib.h>

#include "drill/code.h"
#include "drill/expand.h"
#include "drill/script.h"
#include "fuzz/expect.h"

static bool look_up(void *ctx, const char *name, int64_t *value)
{
    (void)ctx;
    *value = name[0];
    return true;
}

static void run_codes(const struct drill_script *script)
{
    struct drill_variables variables = {.count = 0};
    struct drill_error error = {.text = ""};

    for (const struct drill_event *e = script->events; e != NULL; e = e->next) {
        if (e->kind == DRILL_EVENT_CODE
            && !drill_code_run(e->code, &variables, look_up, NULL, &error))
            expect(error.text[0] != '\0' && error.at.line > 0);
    }
}

static unsigned count_lines(const char *text)
{
    unsigned lines = 1;

    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const char *const definition[] = {"A=1"};
    const struct drill_defines defines = {definition, 1};
    struct drill_script script;
    struct drill_error error;
    char *plain = malloc(len + 1), *text;

    expect(plain != NULL);
    if (len > 0)
        memcpy(plain, bytes, len);
    plain[len] = '\0';
    text = drill_expand(plain, &defines);
    expect(text != NULL);
    if (drill_script_parse(text, &script, &error))
        run_codes(&script);
    else
        expect(error.text[0] != '\0' && error.at.line >= 1 && error.at.line <= count_lines(text)
               && error.at.column >= 1);
    drill_script_fini(&script);
    free(text);
    free(plain);
    return 0;
}
