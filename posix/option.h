/*
 * option.h - the value of an option on its way in or out
 */
#ifndef POSIX_OPTION_H
#define POSIX_OPTION_H

#include "posix/sock.h"

struct option {
    int level, name;
    const void *in;
    void *out;
    socklen_t len;
};

/* ---- sockopt.c ---- */

/* The int that was passed; for options of IP it may be a byte. 0, -EFAULT or -EINVAL. */
int option_take_int(const struct option *o, int *value);
int option_take_byte_or_int(const struct option *o, int *value);

/* Stores what was asked for, cut to the length that there is. 0. */
int option_give(struct option *o, const void *value, size_t len);
int option_give_int(struct option *o, int value);

/* Sets an option of the stack, now and for handles that the socket will have. 0, or a negative errno. */
int option_set_in_stack(struct weir_posix *px, struct sock *s, enum weir_opt opt, int64_t value);
int64_t option_get_in_stack(const struct weir_posix *px, const struct sock *s, enum weir_opt opt);

/* ---- sockopt_tcp.c: those of IPPROTO_TCP. 0, or a negative errno ---- */

int option_set_tcp(struct weir_posix *px, struct sock *s, const struct option *o);
int option_get_tcp(struct weir_posix *px, struct sock *s, struct option *o);

/* ---- kept.c: options that the socket keeps, and a few that follow from them ---- */

void kept_init(struct sock_opts *opts);

/* 0, a negative errno, or 1: it is none of those. */
int kept_set(struct weir_posix *px, struct sock *s, const struct option *o);
int kept_get(const struct weir_posix *px, const struct sock *s, struct option *o);

#endif
