/*
 * error.h - say why a driver could not be opened
 */
#ifndef DRIVERS_ERROR_H
#define DRIVERS_ERROR_H

#include <weir/driver.h>

/* error may be NULL: nobody wants to know. os is an errno or 0. */
void driver_error_set(struct weir_driver_error *error, enum weir_err err, int os,
                      const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The code nearest to an errno. */
enum weir_err driver_error_code(int os);

#endif
