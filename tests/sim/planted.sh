#!/usr/bin/env bash
# Do the simulator's checks find anything? Each patch in tests/sim/planted plants one mistake in the
# library; random runs have to find it within so many seeds.
#
#   planted.sh [SEEDS [PATCH...]]     default: 3000, all
#
# Prints how many runs each took. Exit code 1: one was not found, or none was planted.
set -euo pipefail
cd "$(dirname "$0")/../.."

seeds=${1:-3000}
shift || true
patches=("$@")
[ ${#patches[@]} -gt 0 ] || patches=(tests/sim/planted/*.patch)

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z -- . ':!docs' ':!fuzz' ':!tests' | xargs -0 cp --parents -t "$copy"
mkdir "$copy/patches"
cp "${patches[@]}" "$copy/patches"
cd "$copy"
git init -q
cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Debug \
    -DCMAKE_C_FLAGS_DEBUG=-O1 -DWEIR_TESTS=OFF >log 2>&1
cmake --build build --target weir >>log 2>&1 || {
    tail log
    exit 1
}

missed=0
for patch in patches/*.patch; do
    name=$(basename "$patch" .patch)
    if ! git apply "$patch" 2>log || ! cmake --build build --target weir >log 2>&1; then
        tail -n 5 log
        printf '%-24s does not apply or build\n' "$name"
        missed=1
        git apply -R "$patch" 2>/dev/null || true
        continue
    fi
    if timeout 600 build/weir sim -q --random --no-shrink --stop --seeds "$seeds" --keep . >log 2>&1; then
        printf '%-24s NOT FOUND in %s runs\n' "$name" "$seeds"
        missed=1
    elif ! grep -q ' runs, ' log; then
        printf '%-24s found: the library crashes\n' "$name"
    else
        printf '%-24s found in run %s: %s\n' "$name" "$(sed -n 's/ runs, .*//p' log)" \
            "$(sed -n 's/^seed [0-9]*, at [^:]*: //p' log | head -n 1)"
    fi
    git apply -R "$patch"
done
exit $missed
