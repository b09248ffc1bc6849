/*
 * weir/record.h - write down all inputs of a stack, so that what it did can be done again
 * (libweir-os)
 *
 * A recorder hears of every call on a stack (weir/call.h) and writes it to a file: the
 * configuration with its secret, frames with their metadata, times, the application's calls with
 * their bytes; and of what came out enough to see whether it is the same again. "weir replay FILE"
 * makes the same calls on a new stack. docs/RECORDING.md describes the file.
 *
 *     weir_host_config(&config);
 *     recorder = weir_recorder_open("bug.weirlog");
 *     weir_recorder_watch(recorder, &config);
 *     weir_host_create(&config, &host);
 *     ...
 *     weir_host_destroy(&host);
 *     weir_recorder_close(&recorder);
 *
 * What has been recorded is in the file at once, also if the program then crashes. The file
 * holds the stack's secret and everything that was sent and received: it is made for its owner
 * alone (mode 0600) and should be shared with as much care.
 *
 * A recorder records one stack, in that stack's thread.
 */
#ifndef WEIR_RECORD_H
#define WEIR_RECORD_H

#include <weir/config.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_recorder;

/* Makes the file, or empties it. NULL, and errno says why. */
WEIR_API struct weir_recorder *weir_recorder_open(const char *path);

/*
 * The next stack that is made with this configuration is recorded: sets on_call, and puts the
 * recorder between the stack and its allocator, which has to be set already. Once per recorder.
 */
WEIR_API void weir_recorder_watch(struct weir_recorder *recorder, struct weir_config *config);

/*
 * The errno of what first failed, or 0. Nothing is recorded after it, the stack goes on as before,
 * and what was recorded until then is complete.
 */
WEIR_API int weir_recorder_error(const struct weir_recorder *recorder);

/* The stack has ended. Returns as weir_recorder_error. Takes *recorder; NULL is allowed. */
WEIR_API int weir_recorder_close(struct weir_recorder **recorder);

#ifdef __cplusplus
}
#endif

#endif
