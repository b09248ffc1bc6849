/*
 * entropy.h - random bytes from the kernel
 */
#ifndef HOST_ENTROPY_H
#define HOST_ENTROPY_H

#include <stddef.h>

/* Fills in len bytes, or ends the program: there is no safe way to go on without. */
void entropy_get(void *bytes, size_t len);

#endif
