/*
 * loss.h - which frames the wire loses
 */
#ifndef SIM_LOSS_H
#define SIM_LOSS_H

#include "sim/draw.h"
#include <weir/sim_link.h>

struct loss {
    uint64_t count; /* frames that have come by */
    bool is_bad;    /* Gilbert-Elliott's state */
};

/* Is the frame that comes by now lost? */
bool loss_next(struct loss *loss, const struct weir_sim_loss_config *config, struct draw *draw);

#endif
