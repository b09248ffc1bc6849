/*
 * bytes.c - where a call stands in its iovec
 */
#include <errno.h>
#include <limits.h>
#include <stdint.h>

#include "posix/sock.h"

/* More than that Linux does not move in one call. */
static const size_t len_max = INT32_MAX & ~4095;

int bytes_init(struct bytes *b, const struct iovec *iov, size_t count)
{
    *b = (struct bytes){.iov = iov, .count = count};
    if (count > IOV_MAX)
        return -EMSGSIZE;
    if (count > 0 && iov == NULL)
        return -EFAULT;
    for (size_t i = 0; i < count; i++) {
        if (iov[i].iov_len > (size_t)SSIZE_MAX)
            return -EINVAL;
        if (iov[i].iov_len > 0 && iov[i].iov_base == NULL)
            return -EFAULT;
        b->left += iov[i].iov_len < len_max - b->left ? iov[i].iov_len : len_max - b->left;
    }
    return 0;
}

struct iovec bytes_take(struct bytes *b, size_t max)
{
    struct iovec part = {0};

    while (b->left > 0 && b->iov->iov_len == b->done) {
        b->iov++;
        b->count--;
        b->done = 0;
    }
    if (b->left == 0)
        return part;
    if (b->iov->iov_base != NULL) /* else the bytes are thrown away */
        part.iov_base = (char *)b->iov->iov_base + b->done;
    part.iov_len = b->iov->iov_len - b->done;
    if (part.iov_len > b->left)
        part.iov_len = b->left;
    if (part.iov_len > max)
        part.iov_len = max;
    b->done += part.iov_len;
    b->left -= part.iov_len;
    return part;
}

void bytes_give_back(struct bytes *b, size_t len)
{
    b->done -= len;
    b->left += len;
}
