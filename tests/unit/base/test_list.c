#include "base/list.h"

#include "lib/test.h"

struct thing {
    char name;
    struct list link;
};

static struct thing *thing_of(struct list *link)
{
    return container_of(link, struct thing, link);
}

/* The names in the list in order; the list is the same backwards. */
static void expect_names(struct list *head, const char *names)
{
    struct list *last = head;

    LIST_EACH (link, head) {
        EXPECT_EQ(thing_of(link)->name, *names);
        EXPECT(link->prev == last);
        last = link;
        names++;
    }
    EXPECT(head->prev == last);
    EXPECT_EQ(*names, '\0');
}

static void add_all(struct list *head, struct thing *things, const char *names)
{
    list_init(head);
    for (size_t i = 0; names[i]; i++) {
        things[i].name = names[i];
        list_add_last(head, &things[i].link);
    }
}

TEST(list_that_is_new_is_empty)
{
    struct list head;

    list_init(&head);
    EXPECT(list_is_empty(&head));
    EXPECT(list_first(&head) == NULL);
    EXPECT(list_last(&head) == NULL);
    EXPECT(list_take_first(&head) == NULL);
    expect_names(&head, "");
}

TEST(list_adds_at_both_ends_and_in_between)
{
    struct list head;
    struct thing things[4] = {
        {'a', {NULL, NULL}}, {'b', {NULL, NULL}}, {'c', {NULL, NULL}}, {'d', {NULL, NULL}}};

    list_init(&head);
    list_add_last(&head, &things[1].link);
    list_add_first(&head, &things[0].link);
    list_add_last(&head, &things[3].link);
    list_add_before(&things[3].link, &things[2].link);
    expect_names(&head, "abcd");
    EXPECT(thing_of(list_first(&head))->name == 'a');
    EXPECT(thing_of(list_last(&head))->name == 'd');
    EXPECT(list_next(&head, &things[0].link) == &things[1].link);
    EXPECT(list_next(&head, &things[3].link) == NULL);
}

TEST(list_removes_from_anywhere_and_twice)
{
    struct list head;
    struct thing things[4];

    add_all(&head, things, "abcd");
    list_remove(&things[1].link);
    list_remove(&things[1].link);
    EXPECT(!list_is_linked(&things[1].link));
    EXPECT(list_is_linked(&things[0].link));
    expect_names(&head, "acd");
    EXPECT(list_take_first(&head) == &things[0].link);
    list_remove(&things[3].link);
    expect_names(&head, "c");
    list_remove(&things[2].link);
    EXPECT(list_is_empty(&head));
}

TEST(list_may_lose_what_is_visited)
{
    struct list head;
    struct thing things[5];

    add_all(&head, things, "abcde");
    LIST_EACH_REMOVABLE(link, &head)
    {
        if (thing_of(link)->name != 'c')
            list_remove(link);
    }
    expect_names(&head, "c");
}

TEST(list_join_keeps_the_order)
{
    struct list to, from;
    struct thing some[2], more[3];

    add_all(&to, some, "ab");
    add_all(&from, more, "cde");
    list_join(&to, &from);
    expect_names(&to, "abcde");
    EXPECT(list_is_empty(&from));
    list_join(&to, &from);
    expect_names(&to, "abcde");
    list_join(&from, &to);
    expect_names(&from, "abcde");
    expect_names(&to, "");
}
