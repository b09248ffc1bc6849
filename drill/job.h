/*
 * job.h - one call of a script, while it is made
 *
 * The functions that read arguments (job.c) and those that make the calls (calls.c, calls_msg.c)
 * stop at the first problem; what went wrong then stands in the job.
 */
#ifndef DRILL_JOB_H
#define DRILL_JOB_H

#include <netinet/in.h>

#include "drill/script.h"
#include "drill/target.h"

enum {
    DRILL_FDS_MAX = 256,
    DRILL_ARGS_MAX = 6,
    DRILL_BYTES_MAX = 16 << 20, /* the longest buffer of a call */
};

/* The script's numbers of descriptors, and the real ones. */
struct drill_fds {
    struct {
        int script, real;
    } of[DRILL_FDS_MAX];
    size_t count;
};

bool drill_fds_find(const struct drill_fds *fds, int script, int *real);
bool drill_fds_add(struct drill_fds *fds, int script, int real);
void drill_fds_remove(struct drill_fds *fds, int script);

struct drill_job {
    struct drill_target *target;
    struct drill_fds *fds;
    const struct drill_call *call;
    const struct drill_expr *args[DRILL_ARGS_MAX];
    size_t arg_count;
    struct drill_memory memory;
    struct drill_error error; /* with failed */
    bool failed;
    long result;
    int errno_seen;
    bool makes_fd;  /* the result is a new descriptor */
    int new_fds[2]; /* of pipe */
    bool closes_fd;
    int script_fd;                /* the first argument, of calls that work on one */
    int type;                     /* of socket */
    struct sockaddr_storage addr; /* of accept: the peer's; of connect and sendto: where to */
    socklen_t addr_len;
};

/* Makes the call. The result is not looked at. */
void drill_job_run(struct drill_job *job);

/* Compares what came out with what the script says; false, and the error. */
bool drill_job_check(struct drill_job *job);

/* Is there such a call, with so many arguments? NULL, or what is wrong. */
const char *drill_call_problem(const struct drill_call *call);

/* ---- for calls.c and calls_msg.c ---- */

void drill_job_fail(struct drill_job *job, struct lex_at at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* An argument as a number: constants, |, htons(). 0 and failed, if it is none. */
int64_t drill_job_number(struct drill_job *job, const struct drill_expr *expr);
int64_t drill_job_arg(struct drill_job *job, size_t index);
int drill_job_int(struct drill_job *job, size_t index);

/* A descriptor: the real one of what the script calls so. */
int drill_job_fd(struct drill_job *job, size_t index);
int drill_job_fd_of(struct drill_job *job, const struct drill_expr *expr);

/* Zeroed bytes; NULL and failed: there is no memory. */
void *drill_job_bytes(struct drill_job *job, size_t len);

/* The member of a struct that was set: {name=value}; NULL: it is not there. */
const struct drill_expr *drill_job_member(const struct drill_expr *expr, const char *name);

/* Is it ..., or left out? Then it says nothing. */
bool drill_job_is_open(const struct drill_expr *expr);

/* Fails unless what was seen is what the script says. */
void drill_job_compare(struct drill_job *job, const struct drill_expr *want, int64_t seen,
                       const char *what);

/* The peer that scripts connect to. */
const struct sockaddr *drill_job_peer(struct drill_job *job);

/* sendmsg and recvmsg. */
long drill_call_sendmsg(struct drill_job *job);
long drill_call_recvmsg(struct drill_job *job);

/* [{..., 10}, {..., 20}]: buffers of these lengths; *count of them. */
struct iovec *drill_job_iov(struct drill_job *job, const struct drill_expr *list, size_t *count);

#endif
