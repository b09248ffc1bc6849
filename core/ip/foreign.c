/*
 * foreign.c - IPv4 addresses that are as foreign as one another
 */
#include "ip/foreign.h"

#include "base/addr.h"
#include "base/num.h"
#include "ip/ip.h"

enum {
    LOOK_MAX = 256, /* addresses, and routes, in one search */
};

static uint32_t number_of(const struct weir_addr *a)
{
    return be32_at(a->b + 12);
}

/* Leaves out what is from first to last; false: that has the address. */
static bool leave_out(struct foreign *f, uint32_t addr, struct foreign out)
{
    if (foreign_has(&out, addr))
        return false;
    if (out.last < addr)
        f->first = u32_max(f->first, out.last + 1);
    else
        f->last = u32_min(f->last, out.first - 1);
    return true;
}

static bool leave_out_one(struct foreign *f, uint32_t addr, const struct weir_addr *one)
{
    return !weir_addr_is_v4(one)
           || leave_out(f, addr, (struct foreign){number_of(one), number_of(one)});
}

/* What is nobody's, or of this machine [RFC1122 3.2.1.3]; multicast, and what comes after it. */
static bool leave_out_special(struct foreign *f, uint32_t addr)
{
    static const struct foreign special[] = {
        {0, 0},
        {UINT32_C(0x7f000000), UINT32_C(0x7fffffff)},
        {UINT32_C(0xe0000000), UINT32_C(0xffffffff)},
    };

    for (size_t i = 0; i < sizeof special / sizeof special[0]; i++)
        if (!leave_out(f, addr, special[i]))
            return false;
    return true;
}

/* Longer prefixes than the address's own are somewhere else, or it would have one of them. */
static void leave_out_route(struct foreign *f, uint32_t addr, const struct weir_prefix *p)
{
    uint32_t bits, first;
    struct foreign of_route;

    if (!weir_addr_is_v4(&p->addr) || p->len < ADDR_V4_BITS_AT)
        return;
    bits = ADDR_BITS - (uint32_t)p->len;
    first = number_of(&p->addr);
    of_route = (struct foreign){first, first + (uint32_t)((UINT64_C(1) << bits) - 1)};
    if (leave_out(f, addr, of_route))
        return;
    f->first = u32_max(f->first, of_route.first);
    f->last = u32_min(f->last, of_route.last);
}

bool foreign_find(const struct ip *ip, const struct weir_addr *addr, struct foreign *out)
{
    uint32_t number = number_of(addr), i = 0;

    *out = (struct foreign){0, UINT32_MAX};
    if (ip->addrs.count > LOOK_MAX || ip->routes.pool.used > LOOK_MAX
        || !leave_out_special(out, number))
        return false;
    LIST_EACH (link, &ip->addrs.all) {
        const struct ip_addr *a = container_of(link, struct ip_addr, link);
        if (!leave_out_one(out, number, &a->addr) || !leave_out_one(out, number, &a->group))
            return false;
    }
    for (const struct route *r; (r = pool_next(&ip->routes.pool, &i)) != NULL;)
        leave_out_route(out, number, &r->prefix);
    return true;
}
