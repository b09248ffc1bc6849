#include "base/wheel.h"

#include "lib/check_fails.h"
#include "lib/test.h"
#include <string.h>

static struct wheel wheel;

/* Below zero, and not on a whole microsecond: the clock may start anywhere. */
static const ns_t start_at = -5 * NS_S - 123;

/* The whole microsecond at which a deadline counts as reached. */
static ns_t due_at(ns_t at)
{
    ns_t rest = at % NS_US;

    return rest > 0 ? at - rest + NS_US : at - rest;
}

static void expect_expires_at(struct wheel_entry *e, ns_t at)
{
    EXPECT(wheel_expire(&wheel, at - 1) == NULL);
    EXPECT(wheel_is_armed(e));
    EXPECT(wheel_expire(&wheel, at) == e);
    EXPECT(!wheel_is_armed(e));
}

TEST(wheel_that_is_new_waits_for_nothing)
{
    wheel_init(&wheel, start_at);
    EXPECT_EQ(wheel_deadline(&wheel), NEVER);
    EXPECT(wheel_expire(&wheel, NEVER - 1) == NULL);
    EXPECT_EQ(wheel_deadline(&wheel), NEVER);
}

TEST(wheel_entry_of_zeros_is_not_armed)
{
    struct wheel_entry e;

    memset(&e, 0, sizeof e);
    wheel_init(&wheel, start_at);
    EXPECT(!wheel_is_armed(&e));
    wheel_disarm(&wheel, &e);
    wheel_entry_init(&e);
    EXPECT(!wheel_is_armed(&e));
}

TEST(wheel_rounds_a_deadline_up_to_a_microsecond)
{
    static const struct {
        ns_t at, due_at;
    } rows[] = {
        {1, 1000}, {999, 1000}, {1000, 1000},   {1001, 2000},   {0, 0},
        {-1, 0},   {-999, 0},   {-1000, -1000}, {-1001, -1000},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wheel_entry e = {.at = 0};

        wheel_init(&wheel, start_at);
        wheel_arm(&wheel, &e, rows[i].at);
        EXPECT_EQ(wheel_deadline(&wheel), rows[i].due_at);
        expect_expires_at(&e, rows[i].due_at);
    }
}

/* From a microsecond to the end of time, alone and therefore exact. */
TEST(wheel_reaches_any_distance_exactly)
{
    for (ns_t distance_ns = NS_US; distance_ns < NEVER / 2; distance_ns *= 3) {
        struct wheel_entry e = {.at = 0};

        wheel_init(&wheel, start_at);
        wheel_arm(&wheel, &e, start_at + distance_ns);
        EXPECT_EQ(wheel_deadline(&wheel), due_at(start_at + distance_ns));
        expect_expires_at(&e, due_at(start_at + distance_ns));
        EXPECT_EQ(wheel_deadline(&wheel), NEVER);
    }
}

TEST(wheel_reaches_the_ends_of_time)
{
    struct wheel_entry e = {.at = 0};

    wheel_init(&wheel, INT64_MIN);
    wheel_arm(&wheel, &e, NEVER - 1);
    EXPECT(wheel_deadline(&wheel) > NEVER - 3 * NS_US);
    EXPECT(wheel_expire(&wheel, NEVER - 3 * NS_US) == NULL);
    EXPECT(wheel_expire(&wheel, NEVER - 1) == &e);

    wheel_init(&wheel, INT64_MIN);
    wheel_arm(&wheel, &e, INT64_MIN);
    EXPECT(wheel_deadline(&wheel) < INT64_MIN + NS_US);
    EXPECT(wheel_expire(&wheel, INT64_MIN + NS_US) == &e);

    wheel_init(&wheel, NEVER);
    wheel_arm(&wheel, &e, NEVER - 1);
    EXPECT(wheel_expire(&wheel, NEVER) == &e);
}

TEST(wheel_armed_for_never_is_disarmed)
{
    struct wheel_entry e = {.at = 0};

    wheel_init(&wheel, start_at);
    wheel_arm(&wheel, &e, NEVER);
    EXPECT(!wheel_is_armed(&e));
    wheel_arm(&wheel, &e, 0);
    wheel_arm(&wheel, &e, NEVER);
    EXPECT(!wheel_is_armed(&e));
    EXPECT_EQ(wheel.count, 0);
    EXPECT_EQ(wheel_deadline(&wheel), NEVER);
}

TEST(wheel_expires_the_past_at_once)
{
    struct wheel_entry e = {.at = 0};

    wheel_init(&wheel, start_at);
    wheel_arm(&wheel, &e, INT64_MIN);
    EXPECT(wheel_deadline(&wheel) <= start_at);
    EXPECT(wheel_expire(&wheel, start_at) == &e);
    EXPECT(wheel_expire(&wheel, start_at + NS_S) == NULL);

    wheel_arm(&wheel, &e, start_at + NS_MS);
    EXPECT(wheel_deadline(&wheel) <= start_at + NS_S);
    EXPECT(wheel_expire(&wheel, start_at + NS_S) == &e);
}

TEST(wheel_time_does_not_go_back)
{
    struct wheel_entry e = {.at = 0};

    wheel_init(&wheel, start_at);
    EXPECT(wheel_expire(&wheel, start_at + NS_S) == NULL);
    wheel_arm(&wheel, &e, start_at + 2 * NS_MS);
    EXPECT(wheel_expire(&wheel, start_at + NS_MS) == &e);
}

TEST(wheel_arm_moves_what_is_armed)
{
    struct wheel_entry e = {.at = 0};

    wheel_init(&wheel, 0);
    wheel_arm(&wheel, &e, NS_S);
    wheel_arm(&wheel, &e, NS_MS);
    EXPECT_EQ(wheel_deadline(&wheel), NS_MS);
    EXPECT_EQ(wheel.count, 1);
    wheel_arm(&wheel, &e, 2 * NS_S);
    EXPECT_EQ(wheel_deadline(&wheel), 2 * NS_S);
    EXPECT(wheel_expire(&wheel, NS_S) == NULL);
    expect_expires_at(&e, 2 * NS_S);
}

TEST(wheel_disarm_leaves_the_others)
{
    struct wheel_entry e[3];

    wheel_init(&wheel, 0);
    for (int i = 0; i < 3; i++) {
        wheel_entry_init(&e[i]);
        wheel_arm(&wheel, &e[i], NS_MS + i);
    }
    wheel_disarm(&wheel, &e[1]);
    EXPECT(!wheel_is_armed(&e[1]));
    EXPECT_EQ(wheel.count, 2);
    EXPECT(wheel_expire(&wheel, NS_S) == &e[0]);
    EXPECT(wheel_expire(&wheel, NS_S) == &e[2]);
    EXPECT(wheel_expire(&wheel, NS_S) == NULL);
}

TEST(wheel_expires_the_same_tick_in_the_order_of_arming)
{
    struct wheel_entry e[50];

    wheel_init(&wheel, 0);
    for (int i = 0; i < 50; i++) {
        wheel_entry_init(&e[i]);
        wheel_arm(&wheel, &e[i], 10 * NS_S - i); /* all round up to the same */
    }
    for (int i = 0; i < 50; i++)
        EXPECT(wheel_expire(&wheel, 10 * NS_S) == &e[i]);
}

struct strange {
    struct wheel other;
    struct wheel_entry e;
};

static void disarm_in_another_wheel(void *ctx)
{
    struct strange *s = ctx;

    wheel_disarm(&s->other, &s->e);
}

TEST(wheel_disarm_in_another_wheel_is_our_mistake)
{
    static struct strange s;

    wheel_init(&wheel, 0);
    wheel_init(&s.other, 0);
    wheel_entry_init(&s.e);
    wheel_arm(&wheel, &s.e, NS_S);
    EXPECT(check_fails(disarm_in_another_wheel, &s));
}

/* ---- very many at nearly the same time ---- */

enum {
    crowd_count = 20000,
};

static struct wheel_entry crowd[crowd_count];
static ns_t wanted_at[crowd_count];

static uint64_t level_of(unsigned place)
{
    return place < 2048 ? 0 : place < 2048 + 1024 ? 1 : 2 + (place - 2048 - 1024) / 256;
}

/* What is left to be done: a move takes an entry down by at least one level. */
static uint64_t levels_to_descend(void)
{
    uint64_t sum = 0;

    for (unsigned place = 0; place < WHEEL_PLACES; place++)
        sum += level_of(place) * wheel.counts[place];
    return sum;
}

/*
 * Two hours from now all connections want a keep-alive within one second. Whoever comes
 * when wheel_deadline says so finds nothing that was left to be done at the last moment.
 */
TEST(wheel_moves_a_crowd_a_few_at_a_time)
{
    uint64_t random = test_seed();
    const ns_t first_at = 7200 * NS_S;
    uint32_t expired = 0;
    uint32_t visits = 0;
    ns_t last_at = 0;

    wheel_init(&wheel, 0);
    memset(crowd, 0, sizeof crowd);
    for (int i = 0; i < crowd_count; i++) {
        ns_t at = first_at + (ns_t)test_random_below(&random, 1000000000);

        wheel_arm(&wheel, &crowd[i], at);
        wanted_at[i] = due_at(at);
    }
    for (ns_t at; (at = wheel_deadline(&wheel)) != NEVER; visits++) {
        ns_t now = ns_max(at, last_at);
        uint64_t before = visits % 20 == 0 ? levels_to_descend() : 0;
        uint32_t expired_before = expired;

        for (struct wheel_entry *e; (e = wheel_expire(&wheel, now)) != NULL; expired++)
            EXPECT_EQ(wanted_at[e - crowd], now);
        EXPECT(expired - expired_before <= 16);
        if (visits % 20 == 0)
            EXPECT(before - levels_to_descend() <= (32 + 4 * WHEEL_LEVELS) * WHEEL_LEVELS);
        last_at = now;
        EXPECT_EQ(wheel.count, crowd_count - expired);
    }
    EXPECT_EQ(expired, crowd_count);
}

/*
 * Who comes every millisecond finds each time about as much to move as the last: the slots above are
 * emptied while the ones before them last, and not at their end.
 */
TEST(wheel_moves_entries_at_an_even_pace)
{
    uint64_t random = test_seed();
    uint64_t most = 0;

    wheel_init(&wheel, 0);
    memset(crowd, 0, sizeof crowd);
    for (int i = 0; i < crowd_count; i++)
        wheel_arm(&wheel, &crowd[i], (ns_t)test_random_below(&random, 2000000000) * 5);
    for (ns_t now = 0; wheel.count > 0; now += NS_MS) {
        bool is_looked_at = now / NS_MS % 10 == 0;
        uint64_t before = is_looked_at ? levels_to_descend() : 0;

        do {
            while (wheel_expire(&wheel, now) != NULL)
                continue;
        } while (wheel_deadline(&wheel) <= now);
        if (is_looked_at && before - levels_to_descend() > most)
            most = before - levels_to_descend();
    }
    EXPECT(most < 200); /* two come due in a millisecond; a slot has up to 2000 */
}

/* In slots of all widths, so full that they have several lists. */
TEST(wheel_forgets_any_of_a_crowd)
{
    uint64_t random = test_seed();

    for (ns_t width_ns = NS_US; width_ns <= 1000 * NS_S; width_ns *= 50) {
        ns_t last_at = 0;

        wheel_init(&wheel, 0);
        memset(crowd, 0, sizeof crowd);
        for (int i = 0; i < 2 * crowd_count; i++) {
            uint32_t which = test_random_below(&random, 1000);
            ns_t at = 3 * width_ns + (ns_t)(test_random(&random) % (uint64_t)width_ns);

            wanted_at[which] = due_at(at);
            wheel_arm(&wheel, &crowd[which], test_random_below(&random, 3) == 0 ? NEVER : at);
        }
        EXPECT(wheel.count > 500);
        for (struct wheel_entry *e; (e = wheel_expire(&wheel, NEVER - 1)) != NULL;) {
            EXPECT(wanted_at[e - crowd] >= last_at);
            last_at = wanted_at[e - crowd];
        }
        EXPECT_EQ(wheel.count, 0);
    }
}

/* Whoever comes late gets all of them, in order. */
TEST(wheel_gives_a_crowd_to_a_late_visitor_in_order)
{
    uint64_t random = test_seed();
    ns_t last_at = 0;

    wheel_init(&wheel, 0);
    memset(crowd, 0, sizeof crowd);
    for (int i = 0; i < crowd_count; i++) {
        ns_t at = (ns_t)(test_random(&random) >> (1 + test_random_below(&random, 40)));

        wheel_arm(&wheel, &crowd[i], at);
        wanted_at[i] = due_at(at);
    }
    for (int i = 0; i < crowd_count; i++) {
        struct wheel_entry *e = wheel_expire(&wheel, NEVER - 1);

        EXPECT(e != NULL);
        EXPECT(wanted_at[e - crowd] >= last_at);
        last_at = wanted_at[e - crowd];
    }
    EXPECT_EQ(wheel.count, 0);
}

/* ---- against a naive version ---- */

enum {
    model_entries = 60,
};

static struct {
    bool armed;
    ns_t at;
} model[model_entries];

static struct wheel_entry entries[model_entries];
static ns_t now_at;

static ns_t model_first(void)
{
    ns_t first = NEVER;

    for (int i = 0; i < model_entries; i++) {
        if (model[i].armed)
            first = ns_min(first, ns_max(due_at(model[i].at), now_at - now_at % NS_US));
    }
    return first;
}

static uint32_t model_count(void)
{
    uint32_t count = 0;

    for (int i = 0; i < model_entries; i++)
        count += model[i].armed;
    return count;
}

/* Expires all that is due, and finds the same due as the model, in the same order. */
static void expect_expiry(ns_t now)
{
    for (struct wheel_entry *e; (e = wheel_expire(&wheel, now)) != NULL;) {
        size_t i = (size_t)(e - entries);

        EXPECT(model[i].armed);
        EXPECT(ns_max(due_at(model[i].at), now_at - now_at % NS_US) == model_first());
        EXPECT(due_at(model[i].at) <= now);
        model[i].armed = false;
    }
    now_at = now;
    for (int i = 0; i < model_entries; i++)
        EXPECT(!model[i].armed || due_at(model[i].at) > now);
}

/* A distance of any order of magnitude up to 2^bits_max ns. */
static ns_t some_distance(uint64_t *random, uint32_t bits_max)
{
    return (ns_t)(test_random(random) >> (64 - 1 - test_random_below(random, bits_max)));
}

static void arm_some(uint64_t *random, uint32_t bits_max)
{
    uint32_t i = test_random_below(random, model_entries);

    model[i].armed = true;
    model[i].at = now_at + some_distance(random, bits_max);
    if (test_random_below(random, 16) == 0)
        model[i].at = now_at - some_distance(random, bits_max);
    /* Company at the very same instant. */
    if (test_random_below(random, 4) == 0)
        model[i].at = model[test_random_below(random, model_entries)].at;
    wheel_arm(&wheel, &entries[i], model[i].at);
}

static void disarm_some(uint64_t *random)
{
    uint32_t i = test_random_below(random, model_entries);

    model[i].armed = false;
    wheel_disarm(&wheel, &entries[i]);
}

static void run_model(uint64_t random, uint32_t bits_max)
{
    now_at = start_at;
    wheel_init(&wheel, now_at);
    memset(model, 0, sizeof model);
    memset(entries, 0, sizeof entries);
    for (int step = 0; step < 20000; step++) {
        uint32_t choice = test_random_below(&random, 8);
        ns_t deadline;

        if (choice < 4)
            arm_some(&random, bits_max);
        else if (choice < 5)
            disarm_some(&random);
        deadline = wheel_deadline(&wheel);
        EXPECT(deadline <= model_first());
        EXPECT((deadline == NEVER) == (model_count() == 0));
        EXPECT_EQ(wheel.count, model_count());
        if (model_count() <= 4)
            EXPECT_EQ(deadline, model_first());
        if (choice == 6 && deadline != NEVER)
            expect_expiry(ns_max(deadline, now_at));
        if (choice == 7)
            expect_expiry(now_at + some_distance(&random, bits_max));
    }
}

TEST(wheel_behaves_like_a_naive_one)
{
    static const uint32_t bits_max[] = {8, 14, 20, 26, 32, 38, 44};

    for (size_t i = 0; i < sizeof bits_max / sizeof bits_max[0]; i++)
        run_model(test_seed() + i, bits_max[i]);
}

/* The same calls on entries that lie elsewhere expire in the same order. */
TEST(wheel_order_does_not_depend_on_addresses)
{
    enum { count = 500 };
    static struct wheel_entry forward[count], backward[count];
    static struct wheel second;
    uint64_t random = test_seed();

    memset(forward, 0, sizeof forward);
    memset(backward, 0, sizeof backward);
    wheel_init(&wheel, 0);
    wheel_init(&second, 0);
    for (int i = 0; i < count; i++) {
        ns_t at = (ns_t)test_random_below(&random, 50) * NS_MS;

        wheel_arm(&wheel, &forward[i], at);
        wheel_arm(&second, &backward[count - 1 - i], at);
    }
    for (ns_t now = 0; wheel.count != 0; now += 7 * NS_MS) {
        struct wheel_entry *e;

        do {
            e = wheel_expire(&wheel, now);
            struct wheel_entry *twin = wheel_expire(&second, now);

            EXPECT((e == NULL) == (twin == NULL));
            EXPECT(!e || e - forward == count - 1 - (twin - backward));
        } while (e);
    }
}

TEST(wheel_keeps_a_line_of_what_waits_equally_long)
{
    struct wheel_entry e[3] = {{.at = 0}, {.at = 0}, {.at = 0}}, other = {.at = 0};

    wheel_init(&wheel, start_at);
    for (int i = 0; i < 3; i++)
        wheel_arm_in_line(&wheel, &e[i], start_at + NS_S + i);
    wheel_arm(&wheel, &other, start_at + 2 * NS_S);
    EXPECT_EQ(wheel_deadline(&wheel), start_at + NS_S); /* not rounded */
    EXPECT(wheel_expire(&wheel, start_at + NS_S - 1) == NULL);
    EXPECT(wheel_expire(&wheel, start_at + NS_S) == &e[0]);
    EXPECT(wheel_expire(&wheel, start_at + NS_S) == NULL);
    wheel_disarm(&wheel, &e[1]);
    EXPECT(!wheel_is_armed(&e[1]));
    EXPECT_EQ(wheel_deadline(&wheel), start_at + NS_S + 2);
    EXPECT(wheel_expire(&wheel, start_at + 3 * NS_S) == &e[2]);
    EXPECT(wheel_expire(&wheel, start_at + 3 * NS_S) == &other);
    EXPECT(wheel_expire(&wheel, start_at + 3 * NS_S) == NULL);
    EXPECT_EQ(wheel_deadline(&wheel), NEVER);
}

TEST(wheel_puts_into_its_slots_what_would_stand_wrong_in_line)
{
    struct wheel_entry late = {.at = 0}, early = {.at = 0};

    wheel_init(&wheel, start_at);
    wheel_arm_in_line(&wheel, &late, start_at + 2 * NS_S);
    wheel_arm_in_line(&wheel, &early, start_at + NS_S);
    EXPECT_EQ(wheel_deadline(&wheel), due_at(start_at + NS_S));
    EXPECT(wheel_expire(&wheel, due_at(start_at + NS_S)) == &early);
    wheel_arm_in_line(&wheel, &late, NEVER);
    EXPECT(!wheel_is_armed(&late));
    EXPECT_EQ(wheel_deadline(&wheel), NEVER);
}

TEST(wheel_moves_entries_into_the_line_and_out_of_it)
{
    struct wheel_entry e = {.at = 0};

    wheel_init(&wheel, start_at);
    wheel_arm(&wheel, &e, start_at + NS_S);
    wheel_arm_in_line(&wheel, &e, start_at + 2 * NS_S);
    EXPECT_EQ(wheel_deadline(&wheel), start_at + 2 * NS_S);
    wheel_arm_in_line(&wheel, &e, start_at + NS_S); /* the only one: it is in nobody's way */
    EXPECT_EQ(wheel_deadline(&wheel), start_at + NS_S);
    wheel_arm(&wheel, &e, start_at + 2 * NS_S);
    EXPECT_EQ(wheel_deadline(&wheel), due_at(start_at + 2 * NS_S));
    EXPECT(wheel_expire(&wheel, due_at(start_at + 2 * NS_S)) == &e);
    EXPECT(wheel_expire(&wheel, NEVER - 1) == NULL);
}
