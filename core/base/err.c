/*
 * err.c - the names and sentences of weir/err.h
 */
#include <stddef.h>
#include <weir/err.h>

struct entry {
    const char *name;
    const char *text;
};

/* By the negated code. */
static const struct entry entries[] = {
    [-WEIR_OK] = {"WEIR_OK", "no error"},
    [-WEIR_EAGAIN] = {"WEIR_EAGAIN", "nothing to do right now"},
    [-WEIR_EINVAL] = {"WEIR_EINVAL", "an argument has a value it must not have"},
    [-WEIR_ENOMEM] = {"WEIR_ENOMEM", "the memory budget is used up"},
    [-WEIR_ESTALE] = {"WEIR_ESTALE", "the handle names nothing any more"},
    [-WEIR_ESTATE] = {"WEIR_ESTATE", "not possible in this state"},
    [-WEIR_EPIPE] = {"WEIR_EPIPE", "our side of the connection is closed"},
    [-WEIR_ENOTCONN] = {"WEIR_ENOTCONN", "not connected"},
    [-WEIR_EADDRINUSE] = {"WEIR_EADDRINUSE", "the local address and port are taken"},
    [-WEIR_EADDRNOTAVAIL] = {"WEIR_EADDRNOTAVAIL", "no such local address, or no port left"},
    [-WEIR_ENETUNREACH] = {"WEIR_ENETUNREACH", "there is no route to the network"},
    [-WEIR_EHOSTUNREACH] = {"WEIR_EHOSTUNREACH", "the host cannot be reached"},
    [-WEIR_ECONNREFUSED] = {"WEIR_ECONNREFUSED", "the connection was refused"},
    [-WEIR_ECONNRESET] = {"WEIR_ECONNRESET", "the peer reset the connection"},
    [-WEIR_ECONNABORTED] = {"WEIR_ECONNABORTED", "the connection was aborted"},
    [-WEIR_ETIMEDOUT] = {"WEIR_ETIMEDOUT", "the peer did not answer in time"},
    [-WEIR_EMSGSIZE] = {"WEIR_EMSGSIZE", "the datagram is too long"},
    [-WEIR_EPROTO] = {"WEIR_EPROTO", "the protocol is not spoken there"},
    [-WEIR_EACCES] = {"WEIR_EACCES", "administratively prohibited"},
    [-WEIR_ENOTSUP] = {"WEIR_ENOTSUP", "not supported"},
};

static const struct entry unknown = {"WEIR_E?", "an unknown error"};

static const struct entry *entry_of(int err)
{
    int count = (int)(sizeof entries / sizeof entries[0]);

    return err <= 0 && err > -count ? &entries[-err] : &unknown;
}

const char *weir_err_text(int err)
{
    return entry_of(err)->text;
}

const char *weir_err_name(int err)
{
    return entry_of(err)->name;
}
