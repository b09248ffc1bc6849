/*
 * error.c - say why a driver could not be opened
 */
#include "drivers/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

void driver_error_set(struct weir_driver_error *error, enum weir_err err, int os,
                      const char *format, ...)
{
    va_list values;

    if (error == NULL)
        return;
    error->err = err;
    error->os = os;
    va_start(values, format);
    vsnprintf(error->text, sizeof error->text, format, values);
    va_end(values);
}

enum weir_err driver_error_code(int os)
{
    switch (os) {
    case EACCES:
    case EPERM: return WEIR_EACCES;
    case EBUSY: return WEIR_EADDRINUSE;
    case ENOMEM:
    case ENOBUFS:
    case EMFILE:
    case ENFILE: return WEIR_ENOMEM;
    case ENOENT:
    case ENODEV:
    case ENXIO:
    case ENOSYS:
    case EOPNOTSUPP: return WEIR_ENOTSUP;
    default: return WEIR_EINVAL;
    }
}
