/*
 * demo_web.h - the scene in which a page is fetched
 */
#ifndef CLI_DEMO_WEB_H
#define CLI_DEMO_WEB_H

struct world;

void web_play(struct world *w);

#endif
