#!/bin/sh
# run_fuzz.sh - runs one fuzz target for a while, from its kept inputs
#
#   run_fuzz.sh TARGET SECONDS [keep|built]
#
# With built, the target is there and not built anew. With keep, inputs that reach something new are added to fuzz/corpus/TARGET. An input that
# breaks the target is left in build/fuzz/found/.
set -eu

cd "$(dirname "$0")/.."
target=$1 seconds=$2 how=${3:-}
kept=fuzz/corpus/$target fresh=build/fuzz/corpus/$target

[ "$how" = built ] || tools/build.sh fuzz --target "fuzz_$target"

mkdir -p "$kept" "$fresh" build/fuzz/found
build/fuzz/fuzz_"$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=4096 \
    -artifact_prefix="build/fuzz/found/$target-" -print_final_stats=1 "$fresh" "$kept"
if [ "$how" = keep ]; then
    build/fuzz/fuzz_"$target" -merge=1 -max_len=4096 "$kept" "$fresh"
fi
rmdir "$kept" 2>/dev/null || true
