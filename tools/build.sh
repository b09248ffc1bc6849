#!/bin/sh
# build.sh - configures build/PRESET where that is not done, and builds
#
#   build.sh PRESET [ARGUMENT-OF-CMAKE-BUILD...]
set -eu

cd "$(dirname "$0")/.."
preset=$1
shift

# A build folder that came along with a copied tree is made anew.
cache=build/$preset/CMakeCache.txt
if [ -e "$cache" ] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" "$cache"; then
    rm -rf "build/$preset"
fi
[ -e "build/$preset/build.ninja" ] || cmake --preset "$preset"
exec cmake --build "build/$preset" "$@"
