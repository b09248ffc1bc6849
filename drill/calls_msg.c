/*
 * calls_msg.c - sendmsg and recvmsg
 *
 *   recvmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 1000}], msg_flags=0,
 *               msg_control=[{cmsg_level=SOL_TCP, cmsg_type=TCP_CM_INQ, cmsg_data=9}]}, 0) = 1000
 */
#include <errno.h>
#include <string.h>
#include <time.h>

/* Needs struct timespec. */
#include <linux/errqueue.h>

#include "drill/job.h"

enum { CONTROL_MAX = 1024 };

static bool fill_msg(struct drill_job *job, const struct drill_expr *expr, struct msghdr *msg)
{
    const struct drill_expr *iov = drill_job_member(expr, "msg_iov");

    memset(msg, 0, sizeof *msg);
    if (iov == NULL) {
        drill_job_fail(job, expr->at,
                       "{msg_name(...)=..., msg_iov(N)=[{..., N}], msg_flags=N} is expected here");
        return false;
    }
    msg->msg_iov = drill_job_iov(job, iov, &msg->msg_iovlen);
    msg->msg_control = drill_job_bytes(job, CONTROL_MAX);
    return !job->failed;
}

/* Puts a control message that carries an int behind those before it. */
static void put_control(struct drill_job *job, const struct drill_expr *expr, struct msghdr *msg)
{
    const struct drill_expr *level = drill_job_member(expr, "cmsg_level");
    const struct drill_expr *type = drill_job_member(expr, "cmsg_type");
    const struct drill_expr *data = drill_job_member(expr, "cmsg_data");
    struct cmsghdr head = {.cmsg_len = CMSG_LEN(sizeof(int))};
    int number;

    if (level == NULL || type == NULL || data == NULL
        || msg->msg_controllen + CMSG_SPACE(sizeof(int)) > CONTROL_MAX) {
        drill_job_fail(job, expr->at, "{cmsg_level=N, cmsg_type=N, cmsg_data=N} is expected here");
        return;
    }
    head.cmsg_level = (int)drill_job_number(job, level);
    head.cmsg_type = (int)drill_job_number(job, type);
    number = (int)drill_job_number(job, data);
    memcpy((char *)msg->msg_control + msg->msg_controllen, &head, sizeof head);
    memcpy((char *)msg->msg_control + msg->msg_controllen + CMSG_LEN(0), &number, sizeof number);
    msg->msg_controllen += CMSG_SPACE(sizeof(int));
}

long drill_call_sendmsg(struct drill_job *job)
{
    int fd = drill_job_fd(job, 0), flags = drill_job_int(job, 2);
    const struct drill_expr *expr = job->args[1], *control;
    struct msghdr msg;

    if (!fill_msg(job, expr, &msg))
        return -1;
    if (flags & MSG_FASTOPEN) {
        union {
            const struct sockaddr *read_only;
            void *name;
        } to = {drill_job_peer(job)}; /* struct msghdr is for both directions */

        msg.msg_name = to.name;
        msg.msg_namelen = job->addr_len;
    }
    control = drill_job_member(expr, "msg_control");
    for (const struct drill_expr *e = control != NULL ? control->first : NULL; e != NULL;
         e = e->next)
        put_control(job, e, &msg);
    if (msg.msg_controllen == 0)
        msg.msg_control = NULL;
    return job->failed ? -1 : job->target->calls.sendmsg(job->target->ctx, fd, &msg, flags);
}

/* {ee_errno=N, ee_origin=N, ...} */
static void compare_error(struct drill_job *job, const struct drill_expr *want,
                          const struct cmsghdr *seen)
{
    struct sock_extended_err error;

    if (seen->cmsg_len < CMSG_LEN(sizeof error)) {
        drill_job_fail(job, want->at, "the control message is shorter than an error");
        return;
    }
    memcpy(&error, CMSG_DATA(seen), sizeof error);
    drill_job_compare(job, drill_job_member(want, "ee_errno"), error.ee_errno, "ee_errno");
    drill_job_compare(job, drill_job_member(want, "ee_origin"), error.ee_origin, "ee_origin");
    drill_job_compare(job, drill_job_member(want, "ee_type"), error.ee_type, "ee_type");
    drill_job_compare(job, drill_job_member(want, "ee_code"), error.ee_code, "ee_code");
    drill_job_compare(job, drill_job_member(want, "ee_info"), error.ee_info, "ee_info");
    drill_job_compare(job, drill_job_member(want, "ee_data"), error.ee_data, "ee_data");
}

static void compare_control(struct drill_job *job, const struct drill_expr *want,
                            const struct cmsghdr *seen)
{
    const struct drill_expr *data = drill_job_member(want, "cmsg_data");
    int number = 0;

    drill_job_compare(job, drill_job_member(want, "cmsg_level"), seen->cmsg_level, "cmsg_level");
    drill_job_compare(job, drill_job_member(want, "cmsg_type"), seen->cmsg_type, "cmsg_type");
    if (drill_job_is_open(data) || job->failed)
        return;
    if (drill_job_member(data, "ee_errno") != NULL) {
        compare_error(job, data, seen);
    } else if (data->kind != DRILL_EXPR_STRUCT) {
        if (seen->cmsg_len >= CMSG_LEN(sizeof number))
            memcpy(&number, CMSG_DATA(seen), sizeof number);
        drill_job_compare(job, data, number, "cmsg_data");
    }
}

static void compare_controls(struct drill_job *job, const struct drill_expr *want,
                             struct msghdr *msg)
{
    const struct cmsghdr *seen = CMSG_FIRSTHDR(msg);
    const struct drill_expr *e = want->first;

    for (; e != NULL && seen != NULL && !job->failed; e = e->next) {
        compare_control(job, e, seen);
        seen = CMSG_NXTHDR(msg, (struct cmsghdr *)(uintptr_t)seen);
    }
    if (e != NULL)
        drill_job_fail(job, e->at, "this control message was not received");
    else if (seen != NULL)
        drill_job_fail(job, want->at, "one control message more was received (level %d, type %d)",
                       seen->cmsg_level, seen->cmsg_type);
}

long drill_call_recvmsg(struct drill_job *job)
{
    int fd = drill_job_fd(job, 0), flags = drill_job_int(job, 2);
    const struct drill_expr *expr = job->args[1], *control;
    struct msghdr msg;
    long result;
    int error;

    if (!fill_msg(job, expr, &msg))
        return -1;
    control = drill_job_member(expr, "msg_control");
    msg.msg_controllen = control != NULL ? CONTROL_MAX : 0;
    if (control == NULL)
        msg.msg_control = NULL;
    result = job->target->calls.recvmsg(job->target->ctx, fd, &msg, flags);
    error = errno;
    if (result >= 0) {
        drill_job_compare(job, drill_job_member(expr, "msg_flags"), msg.msg_flags, "msg_flags");
        if (control != NULL)
            compare_controls(job, control, &msg);
    }
    errno = error;
    return result;
}
