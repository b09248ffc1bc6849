/*
 * scenario.c - scenarios as structs: begin, copy, add, take away, end
 */
#include "sim/scenario.h"

#include <stdlib.h>
#include <string.h>

static const weir_ns_t run_default_ns = 10 * WEIR_S;

void scenario_init(struct scenario *s)
{
    memset(s, 0, sizeof *s);
    s->seed = 1;
    s->run_ns = run_default_ns;
}

void scenario_fini(struct scenario *s)
{
    free(s->nodes);
    free(s->links);
    free(s->boxes);
    free(s->routes);
    free(s->flows);
    free(s->actions);
    memset(s, 0, sizeof *s);
}

/* ---- one more ---- */

/* The array at *array gets room for one more, zeroed. NULL: no memory. */
static void *add(void *array, size_t *count, size_t size)
{
    void **at = array;
    uint8_t *more = realloc(*at, (*count + 1) * size);

    if (more == NULL)
        return NULL;
    *at = more;
    memset(more + *count * size, 0, size);
    return more + (*count)++ * size;
}

static void set_name(char to[SCENARIO_NAME_MAX], const char *name)
{
    size_t len = strnlen(name, SCENARIO_NAME_MAX - 1);

    memcpy(to, name, len);
    to[len] = 0;
}

struct scenario_node *scenario_add_node(struct scenario *s, const char *name)
{
    struct scenario_node *n = add(&s->nodes, &s->node_count, sizeof *n);

    if (n != NULL)
        set_name(n->name, name);
    return n;
}

struct scenario_link *scenario_add_link(struct scenario *s, uint32_t a, uint32_t b)
{
    struct scenario_link *l = add(&s->links, &s->link_count, sizeof *l);

    if (l == NULL)
        return NULL;
    l->ends[0] = a;
    l->ends[1] = b;
    return l;
}

struct scenario_box *scenario_add_box(struct scenario *s, uint32_t link)
{
    struct scenario_box *b = add(&s->boxes, &s->box_count, sizeof *b);

    if (b != NULL)
        b->link = link;
    return b;
}

struct scenario_route *scenario_add_route(struct scenario *s)
{
    return add(&s->routes, &s->route_count, sizeof *s->routes);
}

struct scenario_flow *scenario_add_flow(struct scenario *s, const char *name)
{
    struct scenario_flow *f = add(&s->flows, &s->flow_count, sizeof *f);

    if (f == NULL)
        return NULL;
    set_name(f->name, name);
    f->count = 1;
    return f;
}

struct scenario_action *scenario_add_action(struct scenario *s, weir_ns_t at)
{
    struct scenario_action *a = add(&s->actions, &s->action_count, sizeof *a);

    if (a != NULL)
        a->at = at;
    return a;
}

/* ---- a copy ---- */

static bool copy_array(const void *from, size_t count, size_t size, void *to)
{
    void **at = to;

    *at = NULL;
    if (count == 0)
        return true;
    *at = malloc(count * size);
    if (*at == NULL)
        return false;
    memcpy(*at, from, count * size);
    return true;
}

bool scenario_copy(const struct scenario *from, struct scenario *to)
{
    bool good;

    *to = *from;
    good = copy_array(from->nodes, from->node_count, sizeof *from->nodes, &to->nodes);
    good &= copy_array(from->links, from->link_count, sizeof *from->links, &to->links);
    good &= copy_array(from->boxes, from->box_count, sizeof *from->boxes, &to->boxes);
    good &= copy_array(from->routes, from->route_count, sizeof *from->routes, &to->routes);
    good &= copy_array(from->flows, from->flow_count, sizeof *from->flows, &to->flows);
    good &= copy_array(from->actions, from->action_count, sizeof *from->actions, &to->actions);
    if (!good)
        scenario_fini(to);
    return good;
}

/* ---- one fewer ---- */

static void drop(void *array, size_t *count, size_t size, size_t index)
{
    uint8_t *at = (uint8_t *)array + index * size;

    memmove(at, at + size, (*count - index - 1) * size);
    (*count)--;
}

static bool is_about_link(const struct scenario_action *a)
{
    return a->verb <= SCENARIO_SET;
}

static bool is_about_host(const struct scenario_action *a)
{
    return a->verb == SCENARIO_STOP || a->verb == SCENARIO_START;
}

static bool is_about_flow(const struct scenario_action *a)
{
    return a->verb >= SCENARIO_SEND;
}

/* Actions about subject index go; those about later ones move down. */
static void drop_actions(struct scenario *s, bool (*is_about)(const struct scenario_action *),
                         uint32_t index)
{
    for (size_t i = s->action_count; i-- > 0;) {
        if (!is_about(&s->actions[i]))
            continue;
        if (s->actions[i].subject == index)
            scenario_remove_action(s, (uint32_t)i);
        else if (s->actions[i].subject > index)
            s->actions[i].subject--;
    }
}

void scenario_remove_action(struct scenario *s, uint32_t index)
{
    drop(s->actions, &s->action_count, sizeof *s->actions, index);
}

void scenario_remove_box(struct scenario *s, uint32_t index)
{
    drop(s->boxes, &s->box_count, sizeof *s->boxes, index);
}

void scenario_remove_flow(struct scenario *s, uint32_t index)
{
    drop(s->flows, &s->flow_count, sizeof *s->flows, index);
    drop_actions(s, is_about_flow, index);
}

void scenario_remove_link(struct scenario *s, uint32_t index)
{
    for (size_t i = s->box_count; i-- > 0;) {
        if (s->boxes[i].link == index)
            scenario_remove_box(s, (uint32_t)i);
        else if (s->boxes[i].link > index)
            s->boxes[i].link--;
    }
    drop(s->links, &s->link_count, sizeof *s->links, index);
    drop_actions(s, is_about_link, index);
}

static bool is_end(const uint32_t ends[2], uint32_t node)
{
    return ends[0] == node || ends[1] == node;
}

static void close_up(uint32_t *index, uint32_t removed)
{
    *index -= *index > removed;
}

void scenario_remove_node(struct scenario *s, uint32_t index)
{
    for (size_t i = s->link_count; i-- > 0;)
        if (is_end(s->links[i].ends, index))
            scenario_remove_link(s, (uint32_t)i);
    for (size_t i = s->flow_count; i-- > 0;)
        if (is_end(s->flows[i].ends, index))
            scenario_remove_flow(s, (uint32_t)i);
    for (size_t i = s->route_count; i-- > 0;) {
        struct scenario_route *r = &s->routes[i];
        if (r->at == index || r->to == index || r->via == index)
            drop(s->routes, &s->route_count, sizeof *s->routes, i);
    }
    drop_actions(s, is_about_host, index);
    drop(s->nodes, &s->node_count, sizeof *s->nodes, index);
    for (size_t i = 0; i < 2 * s->link_count; i++)
        close_up(&s->links[i / 2].ends[i % 2], index);
    for (size_t i = 0; i < 2 * s->flow_count; i++)
        close_up(&s->flows[i / 2].ends[i % 2], index);
    for (size_t i = 0; i < s->route_count; i++) {
        close_up(&s->routes[i].at, index);
        close_up(&s->routes[i].to, index);
        close_up(&s->routes[i].via, index);
    }
}
