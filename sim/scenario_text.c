/*
 * scenario_text.c - scenarios as files, read and written
 *
 * A line is words; # begins a comment. Each kind of line has a function that takes its words one
 * after the other. What is wrong is said with the line, the column, and what was expected there.
 */
#include "sim/scenario.h"

#include "format/text.h"
#include <inttypes.h>
#include <string.h>

enum {
    WORD_MAX = 320,
};

struct reader {
    struct scenario *scenario;
    struct scenario_error *error;
    const char *at; /* in the line, behind the word */
    const char *line_start;
    unsigned line;
    char word[WORD_MAX]; /* "" at the end of a line */
    unsigned column;     /* of the word */
    bool failed;
};

/* ---- words ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool is_line_end(char c)
{
    return c == 0 || c == '\n' || c == '#';
}

/* The next word of the line; false: there is none. */
static bool next(struct reader *r)
{
    size_t len = 0;

    while (is_blank(*r->at))
        r->at++;
    r->column = (unsigned)(r->at - r->line_start) + 1;
    for (; !is_line_end(*r->at) && !is_blank(*r->at); r->at++)
        if (len + 1 < sizeof r->word)
            r->word[len++] = *r->at;
    r->word[len] = 0;
    return len > 0;
}

/* "expected WHAT, not 'word'"; always false. */
static bool fail(struct reader *r, const char *expected)
{
    struct text t = text_of(r->error->text, sizeof r->error->text);

    if (r->failed)
        return false;
    r->failed = true;
    r->error->line = r->line;
    r->error->column = r->column;
    text_putf(&t, "expected %s, ", expected);
    if (r->word[0] != 0)
        text_putf(&t, "not '%.40s'", r->word);
    else
        text_put(&t, "but the line ends");
    return false;
}

static bool fail_with(struct reader *r, const char *text)
{
    struct text t = text_of(r->error->text, sizeof r->error->text);

    if (r->failed)
        return false;
    r->failed = true;
    r->error->line = r->line;
    r->error->column = r->column;
    text_put(&t, text);
    return false;
}

/* ---- names ---- */

static int64_t find_node(const struct scenario *s, const char *name)
{
    for (size_t i = 0; i < s->node_count; i++)
        if (strcmp(s->nodes[i].name, name) == 0)
            return (int64_t)i;
    return -1;
}

static bool read_node(struct reader *r, uint32_t *index, bool wants_host)
{
    int64_t found;

    (void)next(r);
    found = find_node(r->scenario, r->word);
    if (found < 0)
        return fail(r, wants_host ? "the name of a host" : "the name of a host or router");
    if (wants_host && r->scenario->nodes[found].is_router)
        return fail_with(r, "expected a host: a router has no TCP");
    *index = (uint32_t)found;
    return true;
}

/* Two names that a link joins, in either order. */
static bool read_link(struct reader *r, uint32_t *index)
{
    const struct scenario *s = r->scenario;
    uint32_t a, b;

    if (!read_node(r, &a, false) || !read_node(r, &b, false))
        return false;
    for (uint32_t i = 0; i < s->link_count; i++) {
        const uint32_t *ends = s->links[i].ends;
        if ((ends[0] == a && ends[1] == b) || (ends[0] == b && ends[1] == a)) {
            *index = i;
            return true;
        }
    }
    return fail_with(r, "there is no link between these two");
}

static int64_t find_flow(const struct scenario *s, const char *name)
{
    for (size_t i = 0; i < s->flow_count; i++)
        if (strcmp(s->flows[i].name, name) == 0)
            return (int64_t)i;
    return -1;
}

static bool read_new_name(struct reader *r, bool is_flow)
{
    if (!next(r) || strlen(r->word) >= SCENARIO_NAME_MAX)
        return fail(r, "a name of at most 15 characters");
    if (is_flow ? find_flow(r->scenario, r->word) >= 0 : find_node(r->scenario, r->word) >= 0)
        return fail_with(r, "this name is taken");
    return true;
}

static bool read_word(struct reader *r, const char *(*words)(size_t), uint32_t *index)
{
    char list[FIELD_ERROR_MAX];
    struct text t = text_of(list, sizeof list);

    (void)next(r);
    for (uint32_t i = 0; words(i) != NULL; i++) {
        if (strcmp(words(i), r->word) == 0) {
            *index = i;
            return true;
        }
        text_put(&t, i == 0 ? "" : words(i + 1) == NULL ? " or " : ", ");
        text_put(&t, words(i));
    }
    return fail(r, list);
}

static bool read_duration(struct reader *r, weir_ns_t *ns)
{
    if (next(r) && field_parse_duration(r->word, ns))
        return true;
    return fail(r, "a duration such as 10ms, 1.5s or 2min");
}

/* ---- settings ---- */

static bool fail_unknown(struct reader *r, const struct field *table)
{
    char list[FIELD_ERROR_MAX];
    struct text t = text_of(list, sizeof list - 10);

    text_put(&t, "one of ");
    for (const struct field *f = table; f->name != NULL; f++)
        text_putf(&t, "%s%s", f == table ? "" : ", ", f->name);
    return fail(r, list);
}

/* Names and values up to the end of the line or the word `stop`; *stopped: which it was. */
static bool read_settings(struct reader *r, const struct field *table, void *target,
                          const char *stop, bool *stopped)
{
    char error[FIELD_ERROR_MAX];

    *stopped = false;
    while (next(r)) {
        const struct field *f = field_find(table, r->word);
        const char *expected;
        if (stop != NULL && strcmp(r->word, stop) == 0) {
            *stopped = true;
            return true;
        }
        if (f == NULL)
            return fail_unknown(r, table);
        if (f->type != FIELD_FLAG)
            (void)next(r);
        expected = field_parse(f, target, r->word, error);
        if (expected != NULL || (f->type != FIELD_FLAG && r->word[0] == 0))
            return fail(r, expected != NULL ? expected : "a value");
    }
    return true;
}

static bool read_all_settings(struct reader *r, const struct field *table, void *target)
{
    bool stopped;

    return read_settings(r, table, target, NULL, &stopped);
}

static bool read_end(struct reader *r)
{
    return !next(r) || fail(r, "the end of the line");
}

/* ---- kinds of lines ---- */

static bool line_seed(struct reader *r)
{
    if (!next(r) || !field_parse_number(r->word, INT64_MAX, &r->scenario->seed))
        return fail(r, "a whole number");
    return read_end(r);
}

static bool line_run(struct reader *r)
{
    if (!read_duration(r, &r->scenario->run_ns))
        return false;
    if (!next(r))
        return true;
    if (strcmp(r->word, "patient") != 0)
        return fail(r, "patient, or the end of the line");
    r->scenario->is_patient = true;
    return read_end(r);
}

static bool line_node(struct reader *r, bool is_router)
{
    struct scenario_node *n;

    if (!read_new_name(r, false))
        return false;
    n = scenario_add_node(r->scenario, r->word);
    if (n == NULL)
        return fail_with(r, "there is no memory for this");
    n->is_router = is_router;
    return read_all_settings(r, scenario_node_fields, n);
}

static bool line_host(struct reader *r)
{
    return line_node(r, false);
}

static bool line_router(struct reader *r)
{
    return line_node(r, true);
}

static bool line_link(struct reader *r)
{
    struct scenario_link *l;
    uint32_t a, b;
    bool has_back;

    if (!read_node(r, &a, false) || !read_node(r, &b, false))
        return false;
    if (a == b)
        return fail_with(r, "a link joins two nodes");
    l = scenario_add_link(r->scenario, a, b);
    if (l == NULL)
        return fail_with(r, "there is no memory for this");
    if (!read_settings(r, scenario_link_fields, &l->ways[0], "back", &has_back))
        return false;
    if (has_back)
        return read_all_settings(r, scenario_link_fields, &l->ways[1]);
    l->ways[1] = l->ways[0];
    return true;
}

static bool line_box(struct reader *r)
{
    struct scenario_box *b;
    uint32_t kind, link;

    if (!read_word(r, weir_sim_box_name, &kind) || !read_link(r, &link))
        return false;
    b = scenario_add_box(r->scenario, link);
    if (b == NULL)
        return fail_with(r, "there is no memory for this");
    b->config.kind = (enum weir_sim_box_kind)kind;
    return read_all_settings(r, scenario_box_fields, &b->config);
}

static bool line_route(struct reader *r)
{
    struct scenario_route *route = scenario_add_route(r->scenario);

    if (route == NULL)
        return fail_with(r, "there is no memory for this");
    if (!read_node(r, &route->at, false) || !read_node(r, &route->to, true))
        return false;
    if (!next(r) || strcmp(r->word, "via") != 0)
        return fail(r, "via");
    return read_node(r, &route->via, false) && read_end(r);
}

static bool line_flow(struct reader *r)
{
    struct scenario_flow *f;
    uint32_t kind, ends[2];
    char name[SCENARIO_NAME_MAX];

    if (!read_new_name(r, true))
        return false;
    memcpy(name, r->word, sizeof name);
    if (!read_word(r, scenario_flow_kind_name, &kind) || !read_node(r, &ends[0], true)
        || !read_node(r, &ends[1], true))
        return false;
    if (ends[0] == ends[1])
        return fail_with(r, "a flow goes from one host to another");
    f = scenario_add_flow(r->scenario, name);
    if (f == NULL)
        return fail_with(r, "there is no memory for this");
    f->kind = (enum scenario_flow_kind)kind;
    memcpy(f->ends, ends, sizeof ends);
    if (!read_all_settings(r, scenario_flow_fields, f))
        return false;
    if (f->count == 0 || f->count > SCENARIO_CONNECTIONS)
        return fail_with(r, "the count is from 1 to 100000");
    return true;
}

/* The rest of the line, which has to be good settings for a link. */
static bool read_words(struct reader *r, struct scenario_action *a)
{
    struct weir_sim_link_config probe = {0};
    const char *from = r->at;
    size_t len;

    while (is_blank(*from))
        from++;
    if (!read_all_settings(r, scenario_link_fields, &probe))
        return false;
    len = (size_t)(r->at - from);
    if (len >= sizeof a->words)
        return fail_with(r, "these are too many settings for one line");
    memcpy(a->words, from, len);
    a->words[len] = 0;
    for (char *c = a->words; *c != 0; c++)
        if (is_blank(*c))
            *c = ' ';
    return true;
}

static bool read_option(struct reader *r, struct scenario_action *a)
{
    uint64_t number;

    if (!read_word(r, scenario_option_name, &a->option) || !next(r))
        return fail(r, "a value");
    if (field_parse_number(r->word, INT64_MAX, &number))
        a->value = (int64_t)number;
    else if (!field_parse_duration(r->word, &a->value))
        return fail(r, "a whole number or a duration");
    return read_end(r);
}

/* FLOW client|server, and what the verb wants. */
static bool read_call(struct reader *r, struct scenario_action *a)
{
    int64_t found;
    uint64_t number;

    (void)next(r);
    found = find_flow(r->scenario, r->word);
    if (found < 0)
        return fail(r, "the name of a flow");
    a->subject = (uint32_t)found;
    (void)next(r);
    a->is_server = strcmp(r->word, "server") == 0;
    if (!a->is_server && strcmp(r->word, "client") != 0)
        return fail(r, "client or server");
    if (a->verb == SCENARIO_OPTION)
        return read_option(r, a);
    if (a->verb == SCENARIO_SEND) {
        if (!next(r) || !field_parse_number(r->word, UINT32_MAX, &number))
            return fail(r, "a number of bytes");
        a->value = (int64_t)number;
    }
    return read_end(r);
}

static bool line_at(struct reader *r)
{
    struct scenario_action a = {0}, *added;
    uint32_t verb;
    bool good;

    if (!read_duration(r, &a.at) || !read_word(r, scenario_verb_name, &verb))
        return false;
    a.verb = (enum scenario_verb)verb;
    switch (a.verb) {
    case SCENARIO_DOWN:
    case SCENARIO_UP: good = read_link(r, &a.subject) && read_end(r); break;
    case SCENARIO_SET: good = read_link(r, &a.subject) && read_words(r, &a); break;
    case SCENARIO_HEAL: good = read_end(r); break;
    case SCENARIO_STOP:
    case SCENARIO_START: good = read_node(r, &a.subject, true) && read_end(r); break;
    default: good = read_call(r, &a);
    }
    if (!good)
        return false;
    added = scenario_add_action(r->scenario, a.at);
    if (added == NULL)
        return fail_with(r, "there is no memory for this");
    *added = a;
    return true;
}

static const struct {
    const char *name;
    bool (*read)(struct reader *);
} lines[] = {
    {"seed", line_seed},     {"run", line_run},   {"host", line_host},
    {"router", line_router}, {"link", line_link}, {"box", line_box},
    {"route", line_route},   {"flow", line_flow}, {"at", line_at},
};

static bool read_line(struct reader *r)
{
    if (!next(r))
        return true;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (strcmp(lines[i].name, r->word) == 0)
            return lines[i].read(r);
    return fail(r, "seed, run, host, router, link, box, route, flow or at");
}

bool scenario_parse(struct scenario *s, const char *text, struct scenario_error *error)
{
    struct reader r = {.scenario = s, .error = error, .at = text};

    for (;;) {
        r.line++;
        r.line_start = r.at;
        if (!read_line(&r))
            return false;
        r.at += strcspn(r.at, "\n");
        if (*r.at == 0)
            return true;
        r.at++;
    }
}

/* ---- writing ---- */

static void emit_settings(FILE *out, const struct field *table, const void *target,
                          const void *other)
{
    char text[SCENARIO_LINE_MAX];

    (void)field_emit(table, target, other, text, sizeof text);
    (void)fputs(text, out);
}

static void emit_node(const struct scenario_node *n, FILE *out)
{
    struct scenario_node none = {0};

    (void)fprintf(out, "%s %s", n->is_router ? "router" : "host", n->name);
    emit_settings(out, scenario_node_fields, n, &none);
    (void)fputc('\n', out);
}

static void emit_link(const struct scenario *s, const struct scenario_link *l, FILE *out)
{
    struct weir_sim_link_config none = {0};
    char there[SCENARIO_LINE_MAX], back[SCENARIO_LINE_MAX];

    (void)field_emit(scenario_link_fields, &l->ways[0], &none, there, sizeof there);
    (void)field_emit(scenario_link_fields, &l->ways[1], &none, back, sizeof back);
    (void)fprintf(out, "link %s %s%s", s->nodes[l->ends[0]].name, s->nodes[l->ends[1]].name, there);
    if (strcmp(there, back) != 0)
        (void)fprintf(out, " back%s", back);
    (void)fputc('\n', out);
}

static void emit_flow(const struct scenario *s, const struct scenario_flow *f, FILE *out)
{
    struct scenario_flow none = {.count = 1};

    (void)fprintf(out, "flow %s %s %s %s", f->name, scenario_flow_kind_name(f->kind),
                  s->nodes[f->ends[0]].name, s->nodes[f->ends[1]].name);
    emit_settings(out, scenario_flow_fields, f, &none);
    (void)fputc('\n', out);
}

static void emit_action(const struct scenario *s, const struct scenario_action *a, FILE *out)
{
    char at[32];

    (void)field_duration_text(a->at, at, sizeof at);
    (void)fprintf(out, "at %s %s", at, scenario_verb_name(a->verb));
    if (a->verb <= SCENARIO_SET) {
        const uint32_t *ends = s->links[a->subject].ends;
        (void)fprintf(out, " %s %s", s->nodes[ends[0]].name, s->nodes[ends[1]].name);
        if (a->verb == SCENARIO_SET)
            (void)fprintf(out, " %s", a->words);
    } else if (a->verb == SCENARIO_STOP || a->verb == SCENARIO_START) {
        (void)fprintf(out, " %s", s->nodes[a->subject].name);
    } else if (a->verb >= SCENARIO_SEND) {
        (void)fprintf(out, " %s %s", s->flows[a->subject].name, a->is_server ? "server" : "client");
        if (a->verb == SCENARIO_OPTION)
            (void)fprintf(out, " %s %" PRId64, scenario_option_name(a->option), a->value);
        if (a->verb == SCENARIO_SEND)
            (void)fprintf(out, " %" PRId64, a->value);
    }
    (void)fputc('\n', out);
}

static void emit_box(const struct scenario *s, const struct scenario_box *b, FILE *out)
{
    const uint32_t *ends = s->links[b->link].ends;
    struct weir_sim_box_config none = {0};

    (void)fprintf(out, "box %s %s %s", weir_sim_box_name(b->config.kind), s->nodes[ends[0]].name,
                  s->nodes[ends[1]].name);
    emit_settings(out, scenario_box_fields, &b->config, &none);
    (void)fputc('\n', out);
}

bool scenario_emit(const struct scenario *s, FILE *out)
{
    char run[32];

    (void)field_duration_text(s->run_ns, run, sizeof run);
    (void)fprintf(out, "seed %" PRIu64 "\nrun %s%s\n", s->seed, run,
                  s->is_patient ? " patient" : "");
    for (size_t i = 0; i < s->node_count; i++)
        emit_node(&s->nodes[i], out);
    for (size_t i = 0; i < s->link_count; i++)
        emit_link(s, &s->links[i], out);
    for (size_t i = 0; i < s->box_count; i++)
        emit_box(s, &s->boxes[i], out);
    for (size_t i = 0; i < s->route_count; i++)
        (void)fprintf(out, "route %s %s via %s\n", s->nodes[s->routes[i].at].name,
                      s->nodes[s->routes[i].to].name, s->nodes[s->routes[i].via].name);
    for (size_t i = 0; i < s->flow_count; i++)
        emit_flow(s, &s->flows[i], out);
    for (size_t i = 0; i < s->action_count; i++)
        emit_action(s, &s->actions[i], out);
    return fflush(out) == 0 && !ferror(out);
}
