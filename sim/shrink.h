/*
 * shrink.h - the smallest scenario that still fails
 */
#ifndef SIM_SHRINK_H
#define SIM_SHRINK_H

#include "sim/scenario.h"

/*
 * Takes away and makes smaller whatever it can, as long as the same thing does not hold. False: it does not fail, or there is no memory; then *s is as it was.
 */
bool shrink_scenario(struct scenario *s);

#endif
