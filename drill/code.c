/*
 * code.c - what stands between %{ and }%
 */
#include "drill/code.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "drill/memory.h"
#include "drill/script.h"
#include "format/text.h"

enum {
    DEPTH_MAX = 40, /* of expressions in expressions */
    WORD_MAX = DRILL_NAME_MAX,
    BINDS_OR = 1,
    BINDS_AND,
    BINDS_NOT,
    BINDS_COMPARE,
    BINDS_UNARY = 11,
    MESSAGE_MAX = 120,
};

enum op {
    OP_NUMBER,
    OP_NAME,
    OP_TEXT,
    OP_LIST, /* (a, b): what % fills in */
    OP_CALL, /* min(a, b) */
    OP_OR,
    OP_AND,
    OP_NOT,
    OP_EQ,
    OP_NE,
    OP_LT,
    OP_LE,
    OP_GT,
    OP_GE,
    OP_BIT_OR,
    OP_BIT_XOR,
    OP_BIT_AND,
    OP_LEFT,
    OP_RIGHT,
    OP_ADD,
    OP_SUB,
    OP_MUL,
    OP_DIV,
    OP_MOD,
    OP_NEG,
    OP_PLUS,
    OP_INVERT,
};

struct node {
    enum op op;
    int64_t number;
    const char *text; /* of names and texts, with a NUL */
    struct node *left, *right;
    struct node *next; /* in a list */
};

enum statement_kind {
    STATEMENT_ASSERT,
    STATEMENT_SET,
    STATEMENT_PRINT,
};

struct statement {
    struct statement *next;
    enum statement_kind kind;
    struct lex_at at;
    const char *source; /* of the expression */
    size_t source_len;
    const char *name; /* to be set */
    struct node *expr;
    struct node *message;
};

struct drill_code {
    struct statement *statements;
};

/* ---- words ---- */

enum word_kind {
    WORD_END,
    WORD_LINE, /* a newline or ; outside parentheses */
    WORD_NUMBER,
    WORD_NAME,
    WORD_TEXT,
    WORD_SIGN,
};

struct reader {
    struct lexer lexer;
    const char *end;
    unsigned open; /* parentheses, inside which newlines mean nothing */
    unsigned depth;
    struct drill_memory *memory;
    struct drill_error *error;
    bool failed;
    /* The current word. */
    enum word_kind kind;
    struct lex_at at;
    const char *start;
    size_t len;
    int64_t number;
    const char *before; /* where the word before ended */
};

static bool fail(struct reader *r, struct lex_at at, const char *what)
{
    if (!r->failed) {
        r->error->at = at;
        (void)snprintf(r->error->text, sizeof r->error->text, "%s", what);
    }
    r->failed = true;
    r->kind = WORD_END;
    return false;
}

static bool want(struct reader *r, const char *what)
{
    char text[DRILL_ERROR_MAX];

    if (r->kind == WORD_END || r->kind == WORD_LINE)
        (void)snprintf(text, sizeof text, "%s expected, but the statement ends", what);
    else
        (void)snprintf(text, sizeof text, "%s expected, not '%.*s'", what,
                       (int)(r->len < 24 ? r->len : 24), r->start);
    return fail(r, r->at, text);
}

static char peek(const struct reader *r)
{
    return r->lexer.next < r->end ? *r->lexer.next : '\0';
}

/* Blanks, comments, lines that go on after a backslash. */
static void skip_blanks(struct reader *r)
{
    while (r->lexer.next < r->end) {
        char c = *r->lexer.next;

        if (c == '#') {
            while (r->lexer.next < r->end && *r->lexer.next != '\n')
                lex_skip_char(&r->lexer);
        } else if (c == '\\' && r->lexer.next + 1 < r->end && r->lexer.next[1] == '\n') {
            lex_skip_char(&r->lexer);
            lex_skip_char(&r->lexer);
        } else if (c == ' ' || c == '\t' || c == '\r' || (c == '\n' && r->open > 0)) {
            lex_skip_char(&r->lexer);
        } else {
            return;
        }
    }
}

static void skip_until_word_ends(struct reader *r)
{
    while (isalnum((unsigned char)peek(r)) || peek(r) == '_')
        lex_skip_char(&r->lexer);
}

static void take_number(struct reader *r)
{
    struct lexer plain = lex_of(r->start);
    struct lex_token token = lex_take(&plain);

    skip_until_word_ends(r);
    r->kind = WORD_NUMBER;
    r->number = token.number;
    if (token.kind != LEX_NUMBER || token.len != (size_t)(r->lexer.next - r->start))
        (void)fail(r, r->at, "this is not a whole number");
}

static void take_text(struct reader *r)
{
    char quote = peek(r);

    lex_skip_char(&r->lexer);
    r->kind = WORD_TEXT;
    while (peek(r) != '\0' && peek(r) != quote && peek(r) != '\n')
        lex_skip_char(&r->lexer);
    if (peek(r) != quote)
        (void)fail(r, r->at, "the closing quote is missing");
    else
        lex_skip_char(&r->lexer);
}

static void take_sign(struct reader *r)
{
    static const char *const pairs[] = {"==", "!=", "<=", ">=", "<<", ">>", "//", "+=", "-=", "*="};

    r->kind = WORD_SIGN;
    lex_skip_char(&r->lexer);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (r->start[0] == pairs[i][0] && peek(r) == pairs[i][1]) {
            lex_skip_char(&r->lexer);
            return;
        }
    }
}

static void take(struct reader *r)
{
    char c;

    if (r->failed)
        return;
    r->before = r->lexer.next;
    skip_blanks(r);
    r->at = r->lexer.at;
    r->start = r->lexer.next;
    c = peek(r);
    if (r->lexer.next == r->end) {
        r->kind = WORD_END;
    } else if (c == '\n' || c == ';') {
        r->kind = WORD_LINE;
        lex_skip_char(&r->lexer);
    } else if (isdigit((unsigned char)c)) {
        take_number(r);
    } else if (isalpha((unsigned char)c) || c == '_') {
        r->kind = WORD_NAME;
        skip_until_word_ends(r);
    } else if (c == '\'' || c == '"') {
        take_text(r);
    } else {
        take_sign(r);
    }
    r->len = (size_t)(r->lexer.next - r->start);
}

static bool is_word(const struct reader *r, const char *word)
{
    return (r->kind == WORD_NAME || r->kind == WORD_SIGN) && r->len == strlen(word)
           && memcmp(r->start, word, r->len) == 0;
}

static bool take_word(struct reader *r, const char *word)
{
    if (!is_word(r, word))
        return false;
    take(r);
    return true;
}

static bool want_word(struct reader *r, const char *word, const char *what)
{
    return take_word(r, word) || want(r, what);
}

/* ---- expressions ---- */

static struct node *new_node(struct reader *r, enum op op)
{
    struct node *node = drill_memory_get(r->memory, sizeof *node);

    if (node == NULL)
        (void)fail(r, r->at, "there is no memory");
    else
        node->op = op;
    return node;
}

static struct node *parse(struct reader *r, int binds);

/* (a), (a, b) or the arguments of a function; the opening one has been taken, r->open counts it. */
static struct node *parse_list(struct reader *r)
{
    struct node *list = NULL, **last = &list;

    while (!r->failed && !is_word(r, ")")) {
        *last = parse(r, BINDS_OR);
        if (*last == NULL)
            return NULL;
        last = &(*last)->next;
        if (!take_word(r, ",") && !is_word(r, ")")) {
            (void)want(r, "',' or ')' is");
            return NULL;
        }
    }
    r->open--;
    take(r);
    return list;
}

static struct node *parse_parentheses(struct reader *r)
{
    struct node *list, *node;

    r->open++;
    take(r);
    list = parse_list(r);
    if (list == NULL) {
        (void)fail(r, r->at, "an expression is expected between the parentheses");
        return NULL;
    }
    if (list->next == NULL)
        return list;
    node = new_node(r, OP_LIST);
    if (node != NULL)
        node->left = list;
    return node;
}

static struct node *parse_name(struct reader *r)
{
    struct node *node = new_node(r, OP_NAME);

    if (node == NULL)
        return NULL;
    if (r->len >= WORD_MAX) {
        (void)fail(r, r->at, "the name is too long");
        return NULL;
    }
    node->text = drill_memory_copy(r->memory, r->start, r->len);
    take(r);
    if (is_word(r, "(")) {
        r->open++;
        take(r);
        node->op = OP_CALL;
        node->left = parse_list(r);
    }
    return node->text != NULL && !r->failed ? node : NULL;
}

static struct node *parse_unary(struct reader *r, enum op op, int binds)
{
    struct node *node = new_node(r, op);

    take(r);
    if (node == NULL || (node->left = parse(r, binds)) == NULL)
        return NULL;
    return node;
}

static struct node *parse_primary(struct reader *r)
{
    struct node *node = NULL;

    if (is_word(r, "not"))
        return parse_unary(r, OP_NOT, BINDS_NOT);
    if (is_word(r, "-"))
        return parse_unary(r, OP_NEG, BINDS_UNARY);
    if (is_word(r, "+"))
        return parse_unary(r, OP_PLUS, BINDS_UNARY);
    if (is_word(r, "~"))
        return parse_unary(r, OP_INVERT, BINDS_UNARY);
    if (is_word(r, "("))
        return parse_parentheses(r);
    if (r->kind == WORD_NAME)
        return parse_name(r);
    if (r->kind == WORD_NUMBER && (node = new_node(r, OP_NUMBER)) != NULL) {
        node->number = r->number;
    } else if (r->kind == WORD_TEXT && (node = new_node(r, OP_TEXT)) != NULL) {
        node->text = drill_memory_copy(r->memory, r->start + 1, r->len - 2);
    } else {
        (void)want(r, "a number, a name or '(' is");
        return NULL;
    }
    take(r);
    return node;
}

/* The operators between two operands, and how strongly they bind. */
static const struct {
    const char *sign;
    enum op op;
    int binds;
} operators[] = {
    {"or", OP_OR, BINDS_OR},
    {"and", OP_AND, BINDS_AND},
    {"==", OP_EQ, BINDS_COMPARE},
    {"!=", OP_NE, BINDS_COMPARE},
    {"<", OP_LT, BINDS_COMPARE},
    {"<=", OP_LE, BINDS_COMPARE},
    {">", OP_GT, BINDS_COMPARE},
    {">=", OP_GE, BINDS_COMPARE},
    {"|", OP_BIT_OR, 5},
    {"^", OP_BIT_XOR, 6},
    {"&", OP_BIT_AND, 7},
    {"<<", OP_LEFT, 8},
    {">>", OP_RIGHT, 8},
    {"+", OP_ADD, 9},
    {"-", OP_SUB, 9},
    {"*", OP_MUL, 10},
    {"//", OP_DIV, 10},
    {"/", OP_DIV, 10},
    {"%", OP_MOD, 10},
};

enum { OPERATOR_COUNT = sizeof operators / sizeof *operators };

static size_t find_operator(const struct reader *r)
{
    size_t i = 0;

    while (i < OPERATOR_COUNT && !is_word(r, operators[i].sign))
        i++;
    return i;
}

static struct node *join(struct reader *r, enum op op, struct node *left, struct node *right)
{
    struct node *node = new_node(r, op);

    if (node == NULL || left == NULL || right == NULL)
        return NULL;
    node->left = left;
    node->right = right;
    return node;
}

/* a < b < c means a < b and b < c. */
static struct node *parse_comparison(struct reader *r, struct node *left, enum op op)
{
    struct node *right = parse(r, BINDS_COMPARE + 1), *all = join(r, op, left, right);
    size_t i;

    while (all != NULL && (i = find_operator(r)) < OPERATOR_COUNT
           && operators[i].binds == BINDS_COMPARE) {
        struct node *next;

        take(r);
        next = parse(r, BINDS_COMPARE + 1);
        all = join(r, OP_AND, all, join(r, operators[i].op, right, next));
        right = next;
    }
    return all;
}

/* An expression of operators that bind at least so strongly. The recursion ends at DEPTH_MAX. */
static struct node *parse(struct reader *r, int binds)
{
    struct node *left;
    size_t i;

    if (++r->depth > DEPTH_MAX) {
        (void)fail(r, r->at, "the expression is nested too deeply");
        return NULL;
    }
    left = parse_primary(r);
    while (left != NULL && (i = find_operator(r)) < OPERATOR_COUNT && operators[i].binds >= binds) {
        take(r);
        left = operators[i].binds == BINDS_COMPARE
                   ? parse_comparison(r, left, operators[i].op)
                   : join(r, operators[i].op, left, parse(r, operators[i].binds + 1));
    }
    r->depth--;
    return r->failed ? NULL : left;
}

/* ---- statements ---- */

static bool parse_assert(struct reader *r, struct statement *s)
{
    s->kind = STATEMENT_ASSERT;
    s->source = r->start;
    s->expr = parse(r, BINDS_OR);
    s->source_len = (size_t)(r->before - s->source);
    if (take_word(r, ","))
        s->message = parse(r, BINDS_OR);
    return !r->failed;
}

static bool parse_print(struct reader *r, struct statement *s)
{
    s->kind = STATEMENT_PRINT;
    if (!is_word(r, "("))
        return want(r, "'(' is");
    r->open++;
    take(r);
    s->expr = parse_list(r);
    return !r->failed;
}

static bool parse_set(struct reader *r, struct statement *s)
{
    static const struct {
        const char *sign;
        enum op op;
    } updates[] = {{"+=", OP_ADD}, {"-=", OP_SUB}, {"*=", OP_MUL}};
    struct node *old = parse_name(r);

    s->kind = STATEMENT_SET;
    if (old == NULL)
        return false;
    s->name = old->text;
    for (size_t i = 0; i < sizeof updates / sizeof *updates; i++) {
        if (take_word(r, updates[i].sign)) {
            s->expr = join(r, updates[i].op, old, parse(r, BINDS_OR));
            return !r->failed;
        }
    }
    if (old->op != OP_NAME || !want_word(r, "=", "assert, print or name = is"))
        return want(r, "assert, print or name = is");
    s->expr = parse(r, BINDS_OR);
    return !r->failed;
}

static bool parse_statement(struct reader *r, struct statement *s)
{
    s->at = r->at;
    if (r->kind != WORD_NAME)
        return want(r, "assert, print or name = is");
    if (take_word(r, "assert"))
        return parse_assert(r, s);
    if (take_word(r, "print"))
        return parse_print(r, s);
    return parse_set(r, s);
}

bool drill_code_parse(const char *text, size_t len, struct lex_at at, struct drill_memory *memory,
                      struct drill_code **code, struct drill_error *error)
{
    struct reader r = {.lexer = {text, at}, .end = text + len, .memory = memory, .error = error};
    struct statement **last;

    *code = drill_memory_get(memory, sizeof **code);
    if (*code == NULL)
        return fail(&r, at, "there is no memory");
    last = &(*code)->statements;
    take(&r);
    while (r.kind != WORD_END) {
        if (r.kind == WORD_LINE) {
            take(&r);
            continue;
        }
        *last = drill_memory_get(memory, sizeof **last);
        if (*last == NULL)
            return fail(&r, r.at, "there is no memory");
        if (!parse_statement(&r, *last))
            return false;
        last = &(*last)->next;
        if (r.kind != WORD_LINE && r.kind != WORD_END)
            return want(&r, "the end of the statement is");
    }
    return !r.failed;
}

/* ---- running ---- */

struct run {
    struct drill_variables *variables;
    drill_lookup *lookup;
    void *ctx;
    struct drill_error *error;
    struct lex_at at;
    bool failed;
};

static int64_t stop(struct run *r, const char *format, const char *word)
{
    if (!r->failed) {
        r->error->at = r->at;
        (void)snprintf(r->error->text, sizeof r->error->text, format, word);
    }
    r->failed = true;
    return 0;
}

static bool find_name(const struct run *r, const char *name, int64_t *value)
{
    for (size_t i = 0; i < r->variables->count; i++) {
        if (strcmp(r->variables->of[i].name, name) == 0) {
            *value = r->variables->of[i].value;
            return true;
        }
    }
    return r->lookup != NULL && r->lookup(r->ctx, name, value);
}

static int64_t eval_name(struct run *r, const char *name)
{
    int64_t value;

    if (find_name(r, name, &value))
        return value;
    return stop(r, "there is no name '%s' here", name);
}

/* Arithmetic wraps around as that of unsigned numbers does. */
static int64_t wrap(uint64_t bits)
{
    return (int64_t)bits;
}

/* Rounded down, as in Python. */
static int64_t divide(struct run *r, int64_t a, int64_t b, bool rest)
{
    int64_t quotient;

    if (b == 0)
        return stop(r, "a number is divided by %s", "zero");
    if (b == -1)
        return rest ? 0 : wrap(-(uint64_t)a);
    quotient = a / b - (a % b != 0 && (a < 0) != (b < 0));
    return rest ? a - quotient * b : quotient;
}

static int64_t shift(int64_t a, int64_t by, bool left)
{
    if (by < 0 || by > 63)
        return 0;
    return left ? wrap((uint64_t)a << by) : a >> by;
}

static int64_t eval(struct run *r, const struct node *n);

static int64_t eval_call(struct run *r, const struct node *n)
{
    int64_t best;
    bool is_max = strcmp(n->text, "max") == 0;

    if (n->left == NULL || (!is_max && strcmp(n->text, "min") != 0 && strcmp(n->text, "abs") != 0))
        return stop(r, "there is no function '%s' with such arguments: min, max, abs", n->text);
    best = eval(r, n->left);
    if (strcmp(n->text, "abs") == 0)
        return best < 0 ? wrap(-(uint64_t)best) : best;
    for (const struct node *arg = n->left->next; arg != NULL; arg = arg->next) {
        int64_t value = eval(r, arg);

        if (is_max ? value > best : value < best)
            best = value;
    }
    return best;
}

static int64_t eval_binary(struct run *r, const struct node *n)
{
    int64_t a = eval(r, n->left), b = eval(r, n->right);

    switch (n->op) {
    case OP_EQ: return a == b;
    case OP_NE: return a != b;
    case OP_LT: return a < b;
    case OP_LE: return a <= b;
    case OP_GT: return a > b;
    case OP_GE: return a >= b;
    case OP_BIT_OR: return a | b;
    case OP_BIT_XOR: return a ^ b;
    case OP_BIT_AND: return a & b;
    case OP_LEFT: return shift(a, b, true);
    case OP_RIGHT: return shift(a, b, false);
    case OP_ADD: return wrap((uint64_t)a + (uint64_t)b);
    case OP_SUB: return wrap((uint64_t)a - (uint64_t)b);
    case OP_MUL: return wrap((uint64_t)a * (uint64_t)b);
    case OP_DIV: return divide(r, a, b, false);
    default: return divide(r, a, b, true);
    }
}

/* The parser has bounded the depth. */
static int64_t eval(struct run *r, const struct node *n)
{
    if (r->failed)
        return 0;
    switch (n->op) {
    case OP_NUMBER: return n->number;
    case OP_NAME: return eval_name(r, n->text);
    case OP_CALL: return eval_call(r, n);
    case OP_TEXT:
    case OP_LIST: return stop(r, "%s has no value here", n->op == OP_TEXT ? "a text" : "a list");
    case OP_OR: return eval(r, n->left) != 0 || eval(r, n->right) != 0;
    case OP_AND: return eval(r, n->left) != 0 && eval(r, n->right) != 0;
    case OP_NOT: return eval(r, n->left) == 0;
    case OP_NEG: return wrap(-(uint64_t)eval(r, n->left));
    case OP_PLUS: return eval(r, n->left);
    case OP_INVERT: return ~eval(r, n->left);
    default: return eval_binary(r, n);
    }
}

static bool set_name(struct run *r, const char *name, int64_t value)
{
    struct drill_variables *v = r->variables;
    size_t i = 0;

    while (i < v->count && strcmp(v->of[i].name, name) != 0)
        i++;
    if (i == DRILL_VARIABLES_MAX)
        return stop(r, "there is no room for the name '%s'", name) != 0;
    if (i == v->count)
        (void)snprintf(v->of[v->count++].name, DRILL_NAME_MAX, "%s", name);
    v->of[i].value = value;
    return true;
}

/* ---- what a failed assertion says ---- */

/* 'cwnd=%d' % x: each % with the letter after it is one value. */
static void emit_format(struct run *r, struct text *t, const char *format, const struct node *args)
{
    for (; *format != '\0'; format++) {
        if (*format != '%' || format[1] == '\0') {
            text_put_char(t, *format);
        } else if (*++format == '%' || args == NULL) {
            text_put_char(t, '%');
        } else {
            text_putf(t, *format == 'x' ? "%" PRIx64 : "%" PRId64, eval(r, args));
            args = args->next;
        }
    }
}

static void emit_message(struct run *r, struct text *t, const struct node *n)
{
    if (n->op == OP_TEXT) {
        text_put(t, n->text);
    } else if (n->op == OP_MOD && n->left->op == OP_TEXT) {
        emit_format(r, t, n->left->text, n->right->op == OP_LIST ? n->right->left : n->right);
    } else {
        text_putf(t, "%" PRId64, eval(r, n));
    }
}

/* ", name is 3" for the names in an expression, in order, each time it occurs. */
static void emit_values(struct run *r, struct text *t, const struct node *n)
{
    int64_t value;

    if (n == NULL)
        return;
    if (n->op == OP_NAME && find_name(r, n->text, &value))
        text_putf(t, ", %s is %" PRId64, n->text, value);
    if (n->op != OP_LIST && n->op != OP_CALL)
        emit_values(r, t, n->left);
    emit_values(r, t, n->right);
}

static void say_assertion(struct run *r, const struct statement *s)
{
    char words[MESSAGE_MAX] = "";
    struct text t = text_of(r->error->text, sizeof r->error->text);
    struct text message = text_of(words, sizeof words);
    size_t len = s->source_len;

    while (len > 0 && isspace((unsigned char)s->source[len - 1]))
        len--;
    text_putf(&t, "assert %.*s does not hold", (int)len, s->source);
    emit_values(r, &t, s->expr);
    if (s->message != NULL && s->message->op != OP_NAME) {
        emit_message(r, &message, s->message);
        text_putf(&t, " (%s)", words);
    }
    r->error->at = s->at;
    r->failed = true;
}

bool drill_code_run(const struct drill_code *code, struct drill_variables *variables,
                    drill_lookup *lookup, void *ctx, struct drill_error *error)
{
    struct run r = {variables, lookup, ctx, error, {0, 0}, false};

    for (const struct statement *s = code->statements; s != NULL && !r.failed; s = s->next) {
        int64_t value;

        r.at = s->at;
        if (s->kind == STATEMENT_PRINT)
            continue;
        value = eval(&r, s->expr);
        if (s->kind == STATEMENT_SET && !r.failed)
            (void)set_name(&r, s->name, value);
        else if (s->kind == STATEMENT_ASSERT && !r.failed && value == 0)
            say_assertion(&r, s);
    }
    return !r.failed;
}

bool drill_code_number(const char *text, size_t len, int64_t *number)
{
    struct drill_memory memory = {0};
    struct drill_error error;
    struct drill_variables none = {.count = 0};
    struct reader r = {
        .lexer = {text, {1, 1}}, .end = text + len, .memory = &memory, .error = &error};
    struct run run = {&none, NULL, NULL, &error, {1, 1}, false};
    struct node *node;

    take(&r);
    node = parse(&r, BINDS_OR);
    if (node != NULL && r.kind == WORD_END)
        *number = eval(&run, node);
    else
        run.failed = true;
    drill_memory_fini(&memory);
    return !run.failed;
}
