/*
 * sim_plot.c - what flows do over time, as a picture
 */
#include "cli/sim_plot.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/say.h"

enum {
    PANEL_HEIGHT = 170,
    WIDTH = 900,
};

/* One below the other. Columns of the data: see put_data. */
struct panel {
    const char *label;
    int column;
    const char *style;
    bool from_zero;
};

static const struct panel panels[] = {
    {"throughput (Mbit/s)", 2, "lines", true}, {"cwnd (kB)", 3, "steps", true},
    {"srtt (ms)", 4, "lines", true},           {"queue (ms)", 5, "lines", true},
    {"retransmissions", 6, "steps", true},
};

enum { PANELS = sizeof panels / sizeof panels[0] };

bool sim_plot_is_possible(void)
{
    const char *path = getenv("PATH");
    char file[4096];

    while (path != NULL && *path != 0) {
        size_t len = strcspn(path, ":");
        (void)snprintf(file, sizeof file, "%.*s/gnuplot", (int)len, path);
        if (access(file, X_OK) == 0)
            return true;
        path += len + (path[len] == ':');
    }
    (void)say_failed("--plot needs gnuplot, which is not there (package gnuplot-nox)");
    return false;
}

static struct sim_plot_flow *find_flow(struct sim_plot *p, const char *name)
{
    struct sim_plot_flow *f;

    for (size_t i = 0; i < p->flow_count; i++)
        if (strncmp(p->flows[i].name, name, sizeof p->flows[i].name - 1) == 0)
            return &p->flows[i];
    if (p->flow_count == SIM_PLOT_FLOWS)
        return NULL;
    f = &p->flows[p->flow_count++];
    (void)snprintf(f->name, sizeof f->name, "%s", name);
    return f;
}

void sim_plot_add(struct sim_plot *p, const struct play_sample *sample)
{
    struct sim_plot_flow *f = find_flow(p, sample->name);

    if (f == NULL || p->is_full)
        return;
    if (f->count == f->room) {
        size_t room = f->room == 0 ? 256 : 2 * f->room;
        struct play_sample *grown = realloc(f->samples, room * sizeof *grown);
        p->is_full = grown == NULL;
        if (grown == NULL)
            return;
        f->samples = grown;
        f->room = room;
    }
    f->samples[f->count++] = *sample;
}

/* ---- data ---- */

/* Flows' samples as blocks of data named $f0, $f1, ... */
static void put_data(const struct sim_plot *p, FILE *out)
{
    for (size_t i = 0; i < p->flow_count; i++) {
        (void)fprintf(out, "$f%zu << EOD\n", i);
        for (size_t k = 0; k < p->flows[i].count; k++) {
            const struct play_sample *s = &p->flows[i].samples[k];
            (void)fprintf(out, "%.6f %.6f %.3f %.6f %.6f %" PRIu64 "\n", (double)s->at / 1e9,
                          (double)s->throughput_bits_s / 1e6, (double)s->cwnd / 1e3,
                          (double)s->srtt_ns / 1e6, (double)s->queue_delay_ns / 1e6,
                          s->retransmits);
        }
        (void)fprintf(out, "EOD\n");
    }
}

/* From the first bytes of a flow to its last ones. */
struct life {
    size_t first, end;
};

static struct life life_of(const struct sim_plot_flow *f)
{
    struct life life = {0, f->count};

    while (life.end > 0 && f->samples[life.end - 1].throughput_bits_s == 0)
        life.end--;
    while (life.first < life.end && f->samples[life.first].throughput_bits_s == 0)
        life.first++;
    return life;
}

/* Jain's index of the throughputs at the k-th sample, of the flows that live: 1 if all are equal. */
static double fairness(const struct sim_plot *p, const struct life *lives, size_t k)
{
    double sum = 0, squares = 0;
    size_t count = 0;

    for (size_t i = 0; i < p->flow_count; i++) {
        double x;
        if (k < lives[i].first || k >= lives[i].end)
            continue;
        x = (double)p->flows[i].samples[k].throughput_bits_s;
        sum += x;
        squares += x * x;
        count++;
    }
    return squares > 0 ? sum * sum / ((double)count * squares) : 1;
}

static void put_fairness(const struct sim_plot *p, FILE *out)
{
    const struct sim_plot_flow *f = &p->flows[0];
    struct life lives[SIM_PLOT_FLOWS];

    for (size_t i = 0; i < p->flow_count; i++)
        lives[i] = life_of(&p->flows[i]);
    (void)fprintf(out, "$fair << EOD\n");
    for (size_t k = 0; k < f->count; k++)
        (void)fprintf(out, "%.6f %.6f\n", (double)f->samples[k].at / 1e9, fairness(p, lives, k));
    (void)fprintf(out, "EOD\n");
}

/* ---- drawing ---- */

/* In single quotes, where only these have a meaning: they are doubled. */
static void put_quoted(const char *text, FILE *out)
{
    (void)fputc('\'', out);
    for (; *text != 0; text++) {
        if (*text == '\'')
            (void)fputc('\'', out);
        (void)fputc(*text, out);
    }
    (void)fputc('\'', out);
}

static void put_panel(const struct sim_plot *p, const struct panel *panel, FILE *out)
{
    (void)fprintf(out, "set ylabel '%s'\nset yrange [%s:*]\nplot ", panel->label,
                  panel->from_zero ? "0" : "*");
    for (size_t i = 0; i < p->flow_count; i++) {
        (void)fprintf(out, "%s$f%zu using 1:%d with %s linewidth 1.5 title ", i > 0 ? ", " : "", i,
                      panel->column, panel->style);
        put_quoted(p->flows[i].name, out);
    }
    (void)fprintf(out, "\n");
}

static void put_script(const struct sim_plot *p, const char *path, FILE *out)
{
    bool is_shared = p->flow_count > 1;
    int count = PANELS + is_shared;

    put_data(p, out);
    if (is_shared)
        put_fairness(p, out);
    (void)fprintf(out, "set terminal svg size %d,%d noenhanced font 'sans,11' background 'white'\n",
                  WIDTH, PANEL_HEIGHT * count + 40);
    (void)fprintf(out, "set output ");
    put_quoted(path, out);
    (void)fprintf(out,
                  "\nset multiplot layout %d,1\nset grid\nset key outside right top\n"
                  "set lmargin 11\nset rmargin 18\nset xrange [0:*]\n",
                  count);
    for (int i = 0; i < PANELS; i++) {
        if (i == count - 1)
            (void)fprintf(out, "set xlabel 'time (s)'\n");
        put_panel(p, &panels[i], out);
    }
    if (is_shared)
        (void)fprintf(out, "set xlabel 'time (s)'\nset ylabel 'fairness'\nset yrange [0:1.05]\n"
                           "plot $fair using 1:2 with lines linewidth 1.5 title 'Jain'\n");
    (void)fprintf(out, "unset multiplot\n");
}

int sim_plot_write(const struct sim_plot *p, const char *path)
{
    FILE *out;
    bool good;
    int status;

    if (p->is_full)
        return say_failed("there is no memory for the plot");
    if (p->flow_count == 0 || p->flows[0].count == 0)
        return say_failed("there is nothing to plot: no flow has run for as long as an interval");
    /* What gnuplot cannot write to a file it would write to standard output. */
    out = fopen(path, "w");
    if (out == NULL || fclose(out) != 0)
        return say_failed("cannot draw %s: %s", path, strerror(errno));
    out = popen("gnuplot", "w");
    if (out == NULL)
        return say_failed("cannot run gnuplot: %s", strerror(errno));
    put_script(p, path, out);
    good = ferror(out) == 0;
    status = pclose(out);
    if (!good || status != 0)
        return say_failed("gnuplot could not draw %s", path);
    return EXIT_OK;
}

void sim_plot_fini(struct sim_plot *p)
{
    for (size_t i = 0; i < p->flow_count; i++)
        free(p->flows[i].samples);
    *p = (struct sim_plot){0};
}
