/*
 * loss.c - which frames the wire loses
 */
#include "sim/loss.h"

/* First the state may change, then its share decides. */
static bool gilbert(struct loss *loss, const struct weir_sim_loss_config *config, struct draw *draw)
{
    if (draw_share(draw, loss->is_bad ? config->to_good_ppm : config->to_bad_ppm))
        loss->is_bad = !loss->is_bad;
    if (!loss->is_bad)
        return draw_share(draw, config->good_ppm);
    return config->loss_ppm == 0 || draw_share(draw, config->loss_ppm);
}

static bool is_listed(const struct weir_sim_loss_config *config, uint64_t number)
{
    for (uint32_t i = 0; i < config->listed_count; i++)
        if (config->listed[i] == number)
            return true;
    return false;
}

bool loss_next(struct loss *loss, const struct weir_sim_loss_config *config, struct draw *draw)
{
    loss->count++;
    switch (config->kind) {
    case WEIR_SIM_LOSS_NONE: break;
    case WEIR_SIM_LOSS_BERNOULLI: return draw_share(draw, config->loss_ppm);
    case WEIR_SIM_LOSS_GILBERT: return gilbert(loss, config, draw);
    case WEIR_SIM_LOSS_PERIODIC: return config->every != 0 && loss->count % config->every == 0;
    case WEIR_SIM_LOSS_LIST: return is_listed(config, loss->count);
    }
    return false;
}
