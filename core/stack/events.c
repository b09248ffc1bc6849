/*
 * events.c - what the application should know
 *
 * News gathers where it belongs until it is taken; here are the lists of those that have any.
 */
#include "base/hint.h"
#include "stack/api.h"
#include "stack/stack.h"
#include "tcp/works.h"

static void note(struct list *events, struct list *link)
{
    if (!list_is_linked(link))
        list_add_last(events, link);
}

/* While a connection waits to be accepted its link is in another list. */
void events_note_conn(struct weir *s, struct conn *c)
{
    if (c->tcp.is_orphan)
        c->tcp.events = 0;
    else if (!c->flow.is_queued && c->tcp.events != 0)
        note(&s->conn_events, &c->event);
}

void events_note_listener(struct weir *s, struct listener *l)
{
    note(&s->listener_events, &l->event);
}

void events_note_udp(struct weir *s, struct udp_endpoint *u, uint32_t bits)
{
    u->events |= bits;
    note(&s->udp_events, &u->ready);
}

void events_note_ping(struct weir *s, struct ping *p, uint32_t bits)
{
    p->events |= bits;
    note(&s->ping_events, &p->ready);
}

/* The end of a connection matters more than what the network said before. */
static int error_of(const struct tcp_conn *c)
{
    if (!(c->events & (WEIR_EVENT_CLOSED | WEIR_EVENT_SOFT_ERROR)))
        return WEIR_OK;
    return c->events & WEIR_EVENT_CLOSED ? c->error : c->soft_error;
}

/* While the application hears of one, the next ones are fetched: it will ask of each what there is. */
static void fetch_next(const struct weir *s)
{
    struct list *next = s->conn_events.next;

    if (next == &s->conn_events || !works_are_many(&s->tcp))
        return;
    works_fetch_queues(container_of(next, struct conn, event)->tcp.work);
    if (next->next != &s->conn_events)
        hint_fetch(container_of(next->next, struct conn, event), sizeof(struct conn));
}

static bool take_conn(struct weir *s, struct weir_event *event)
{
    struct list *link = list_take_first(&s->conn_events);
    struct conn *c;

    if (link == NULL)
        return false;
    fetch_next(s);
    c = container_of(link, struct conn, event);
    if (!HAS_PREDICTION || s->told.handle == 0 || s->told.conn != c) {
        s->told.handle = handle_of_conn(s, c);
        s->told.conn = c;
    }
    *event = (struct weir_event){
        .handle = s->told.handle,
        .user = c->user,
        .bits = c->tcp.events,
        .error = error_of(&c->tcp),
    };
    c->tcp.events = 0;
    return true;
}

static bool take_listener(struct weir *s, struct weir_event *event)
{
    struct list *link = list_take_first(&s->listener_events);
    struct listener *l;

    if (link == NULL)
        return false;
    l = container_of(link, struct listener, event);
    s->accepts.handle = handle_of_listener(s, l);
    s->accepts.listener = l;
    *event = (struct weir_event){
        .handle = s->accepts.handle, .user = l->user, .bits = WEIR_EVENT_ACCEPTABLE};
    return true;
}

static bool take_udp(struct weir *s, struct weir_event *event)
{
    struct list *link = list_take_first(&s->udp_events);
    struct udp_endpoint *u;

    if (link == NULL)
        return false;
    u = container_of(link, struct udp_endpoint, ready);
    *event = (struct weir_event){.handle = handle_of_udp(s, u), .user = u->user, .bits = u->events};
    u->events = 0;
    return true;
}

static bool take_ping(struct weir *s, struct weir_event *event)
{
    struct list *link = list_take_first(&s->ping_events);
    struct ping *p;

    if (link == NULL)
        return false;
    p = container_of(link, struct ping, ready);
    *event =
        (struct weir_event){.handle = handle_of_ping(s, p), .user = p->user, .bits = p->events};
    p->events = 0;
    return true;
}

bool api_event(struct weir *s, struct weir_event *event)
{
    return take_conn(s, event) || take_listener(s, event) || take_udp(s, event)
           || take_ping(s, event);
}
