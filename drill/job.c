/*
 * job.c - the arguments of calls, and what is expected of their results
 */
#include "drill/job.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "drill/names.h"

enum { IOV_LIMIT = 64 };

/* ---- descriptors ---- */

bool drill_fds_find(const struct drill_fds *fds, int script, int *real)
{
    for (size_t i = fds->count; i-- > 0;) {
        if (fds->of[i].script == script) {
            *real = fds->of[i].real;
            return true;
        }
    }
    return false;
}

bool drill_fds_add(struct drill_fds *fds, int script, int real)
{
    if (fds->count == DRILL_FDS_MAX)
        return false;
    fds->of[fds->count].script = script;
    fds->of[fds->count++].real = real;
    return true;
}

void drill_fds_remove(struct drill_fds *fds, int script)
{
    for (size_t i = fds->count; i-- > 0;) {
        if (fds->of[i].script == script) {
            fds->of[i] = fds->of[--fds->count];
            return;
        }
    }
}

/* ---- arguments ---- */

void drill_job_fail(struct drill_job *job, struct lex_at at, const char *format, ...)
{
    va_list args;

    if (job->failed)
        return;
    job->failed = true;
    job->error.at = at;
    va_start(args, format);
    (void)vsnprintf(job->error.text, sizeof job->error.text, format, args);
    va_end(args);
}

static int64_t call_number(struct drill_job *job, const struct drill_expr *expr)
{
    struct in_addr addr;

    if (strcmp(expr->text, "htons") == 0 && expr->first != NULL)
        return htons((uint16_t)drill_job_number(job, expr->first));
    if (strcmp(expr->text, "htonl") == 0 && expr->first != NULL)
        return htonl((uint32_t)drill_job_number(job, expr->first));
    if (strcmp(expr->text, "inet_addr") == 0 && expr->first != NULL
        && expr->first->kind == DRILL_EXPR_STRING
        && inet_pton(AF_INET, expr->first->text, &addr) == 1)
        return addr.s_addr;
    drill_job_fail(job, expr->at, "there is no function '%s' with such an argument", expr->text);
    return 0;
}

int64_t drill_job_number(struct drill_job *job, const struct drill_expr *expr)
{
    int64_t value = 0;

    switch (expr->kind) {
    case DRILL_EXPR_NUMBER: return expr->number;
    case DRILL_EXPR_WORD:
        if (!drill_name_value(expr->text, &value))
            drill_job_fail(job, expr->at, "there is no constant '%s'", expr->text);
        return value;
    case DRILL_EXPR_OR:
        return drill_job_number(job, expr->first) | drill_job_number(job, expr->second);
    case DRILL_EXPR_CALL: return call_number(job, expr);
    case DRILL_EXPR_DOTS:
    case DRILL_EXPR_STRING:
    case DRILL_EXPR_SET:
    case DRILL_EXPR_LIST:
    case DRILL_EXPR_STRUCT: break;
    }
    drill_job_fail(job, expr->at, "a number or a constant is expected here");
    return 0;
}

int64_t drill_job_arg(struct drill_job *job, size_t index)
{
    return drill_job_number(job, job->args[index]);
}

int drill_job_int(struct drill_job *job, size_t index)
{
    return (int)drill_job_arg(job, index);
}

int drill_job_fd_of(struct drill_job *job, const struct drill_expr *expr)
{
    int script = (int)drill_job_number(job, expr), real = script;

    /* A script may ask for what becomes of a descriptor that is not open. */
    if (!drill_fds_find(job->fds, script, &real) && script >= 0)
        real = -1;
    return real;
}

int drill_job_fd(struct drill_job *job, size_t index)
{
    return drill_job_fd_of(job, job->args[index]);
}

void *drill_job_bytes(struct drill_job *job, size_t len)
{
    void *bytes = NULL;

    if (len <= DRILL_BYTES_MAX)
        bytes = drill_memory_get(&job->memory, len > 0 ? len : 1);
    if (bytes == NULL)
        drill_job_fail(job, job->call->args != NULL ? job->call->args->at : job->error.at,
                       "a buffer of %zu bytes is too long", len);
    return bytes;
}

const struct drill_expr *drill_job_member(const struct drill_expr *expr, const char *name)
{
    const struct drill_expr *member = expr->first;

    if (expr->kind != DRILL_EXPR_STRUCT)
        return NULL;
    while (member != NULL && (member->kind != DRILL_EXPR_SET || strcmp(member->text, name) != 0))
        member = member->next;
    return member != NULL ? member->first : NULL;
}

bool drill_job_is_open(const struct drill_expr *expr)
{
    return expr == NULL || expr->kind == DRILL_EXPR_DOTS;
}

/* The length in {..., 10}. */
static const struct drill_expr *iov_len(const struct drill_expr *expr)
{
    if (expr->kind != DRILL_EXPR_STRUCT || expr->first == NULL)
        return NULL;
    return expr->first->next;
}

struct iovec *drill_job_iov(struct drill_job *job, const struct drill_expr *list, size_t *count)
{
    struct iovec *iov = drill_job_bytes(job, IOV_LIMIT * sizeof *iov);

    *count = 0;
    if (list->kind != DRILL_EXPR_LIST) {
        drill_job_fail(job, list->at, "a list of buffers, [{..., 10}], is expected here");
        return iov;
    }
    for (const struct drill_expr *e = list->first; e != NULL && !job->failed; e = e->next) {
        const struct drill_expr *len = iov_len(e);

        if (len == NULL || *count == IOV_LIMIT) {
            drill_job_fail(job, e->at, "at most %d buffers, {..., 10}, are expected here",
                           IOV_LIMIT);
            return iov;
        }
        iov[*count].iov_len = (size_t)drill_job_number(job, len);
        iov[*count].iov_base = drill_job_bytes(job, iov[*count].iov_len);
        (*count)++;
    }
    return iov;
}

/* ---- results ---- */

void drill_job_compare(struct drill_job *job, const struct drill_expr *want, int64_t seen,
                       const char *what)
{
    int64_t number;

    if (drill_job_is_open(want) || job->failed)
        return;
    number = drill_job_number(job, want);
    if (number != seen)
        drill_job_fail(job, want->at, "%s of %s is expected to be %lld, but it is %lld", what,
                       job->call->name, (long long)number, (long long)seen);
}

static bool fail_result(struct drill_job *job)
{
    char want_name[24], seen_name[24];
    char want[64], seen[64];
    int64_t number = drill_job_number(job, job->call->result), error = 0;

    if (job->result < 0 && job->errno_seen == EINTR) {
        drill_job_fail(job, job->call->result->at,
                       "%s would wait for ever: it was stopped at the time limit", job->call->name);
        return false;
    }
    if (job->call->errno_name != NULL && drill_name_value(job->call->errno_name, &error))
        (void)snprintf(want, sizeof want, "%lld %s", (long long)number,
                       drill_errno_name((int)error, want_name));
    else
        (void)snprintf(want, sizeof want, "%lld", (long long)number);
    if (job->result < 0)
        (void)snprintf(seen, sizeof seen, "-1 %s", drill_errno_name(job->errno_seen, seen_name));
    else
        (void)snprintf(seen, sizeof seen, "%ld", job->result);
    drill_job_fail(job, job->call->result->at, "%s is expected to return %s, but it returns %s",
                   job->call->name, want, seen);
    return false;
}

bool drill_job_check(struct drill_job *job)
{
    const struct drill_call *call = job->call;
    int64_t want, error;

    if (job->failed || call->result->kind == DRILL_EXPR_DOTS)
        return !job->failed;
    want = drill_job_number(job, call->result);
    if (job->failed)
        return false;
    if (job->makes_fd && want >= 0)
        return job->result >= 0 || fail_result(job);
    if (want != job->result)
        return fail_result(job);
    if (call->errno_name == NULL || job->result >= 0)
        return true;
    if (!drill_name_value(call->errno_name, &error)) {
        drill_job_fail(job, call->result->at, "there is no error '%s'", call->errno_name);
        return false;
    }
    return error == job->errno_seen || fail_result(job);
}
