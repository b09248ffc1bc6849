/*
 * damage.h - frames that arrive as they were not sent
 */
#ifndef SIM_DAMAGE_H
#define SIM_DAMAGE_H

#include "sim/draw.h"
#include "sim/packet.h"

/* Changes one bit behind the link header; unnoticed: and makes the checksums fit. */
void damage_corrupt(struct packet *p, enum weir_link frames, bool unnoticed, struct draw *draw);

/* Takes away some of the last bytes, at least one. */
void damage_truncate(struct packet *p, enum weir_link frames, struct draw *draw);

#endif
