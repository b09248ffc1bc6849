/*
 * demo_scenes.h - what weir demo can play
 */
#ifndef CLI_DEMO_SCENES_H
#define CLI_DEMO_SCENES_H

#include <stdbool.h>
#include <stddef.h>

struct world;

struct scene {
    const char *name;
    const char *summary; /* for the list, and as the heading */
    const char *look;    /* what to look at: one or more paragraphs */
    bool has_kernel;     /* the kernel can be made to play the left end */
    void (*play)(struct world *w);
};

/* The index-th scene, NULL past the last. The first is the one that is played unasked. */
const struct scene *scene_at(size_t index);

/* NULL: there is none of that name. */
const struct scene *scene_find(const char *name);

#endif
